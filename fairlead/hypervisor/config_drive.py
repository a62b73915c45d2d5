"""The config drive: an ISO 9660 image labelled config-2, with the names of its files in Rock Ridge and Joliet.

Source: OpenStack's config drive (docs.openstack.org/nova/latest/admin/config-drive.html), which cloud-init
finds by that label.
"""

from base64 import b64decode
from io import BytesIO
from itertools import count
from pathlib import PurePosixPath

from pycdlib import PyCdlib

from fairlead.hoststate.desired import ConfigFile

LABEL = "config-2"


def config_drive(files: tuple[ConfigFile, ...]) -> bytes:
    """The image that has these files, text as UTF-8 and base64 as what it stands for, and the folders they need."""
    iso = PyCdlib()
    iso.new(interchange_level=3, vol_ident=LABEL, joliet=3, rock_ridge="1.09")
    short = _ShortNames()
    for file in files:
        path = PurePosixPath("/") / file.path
        for folder in reversed(path.parents[:-1]):
            if short.is_new(folder):
                iso.add_directory(short.folder(folder), rr_name=folder.name, joliet_path=str(folder))
        content = b64decode(file.content) if file.is_base64 else file.content.encode()
        name = short.file(path)
        iso.add_fp(BytesIO(content), len(content), name, rr_name=path.name, joliet_path=str(path))
    image = BytesIO()
    iso.write_fp(image)
    iso.close()
    return image.getvalue()


class _ShortNames:
    """ISO 9660 itself has names of eight capitals and digits, which nobody reads here: numbers do."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._folders = {PurePosixPath("/"): ""}

    def is_new(self, folder: PurePosixPath) -> bool:
        return folder not in self._folders

    def folder(self, folder: PurePosixPath) -> str:
        self._folders[folder] = f"{self._folders[folder.parent]}/D{next(self._numbers):07d}"
        return self._folders[folder]

    def file(self, path: PurePosixPath) -> str:
        return f"{self._folders[path.parent]}/F{next(self._numbers):07d}.;1"
