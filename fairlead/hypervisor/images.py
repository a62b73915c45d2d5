"""The host's cache of images, each a file named by what is in it: its SHA-512."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path, PurePath

from fairlead.hoststate.desired import ImageRef
from fairlead.model.errors import Failure, Fault
from fairlead.model.qcow2 import HEADER_OCTETS, Qcow2Header, read_header

# QEMU's user, which is not the agent's, opens them as backing files.
_FILE_MODE, _FOLDER_MODE = 0o644, 0o711
_NAME = re.compile(r"[0-9a-f]{128}(\.part)?")


class ImageCache:
    """Images in a folder. One that is there under its name is whole: it is renamed once it is verified. A file's
    modification time is that of its last use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, image: ImageRef) -> Path:
        """Where it is, or would be."""
        return self._folder / image.sha512

    def has(self, image: ImageRef) -> bool:
        """Whether it is here."""
        return self.path(image).exists()

    def store(self, image: ImageRef, chunks: Iterator[bytes]) -> None:
        """Write, verify, make durable, then name. Raises Fault and keeps nothing when it is not as promised."""
        part = self.path(image).with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(_FOLDER_MODE)
            with part.open("wb") as file:
                _copy(image, chunks, file.fileno())
                _check_references(image, part)
                os.fchmod(file.fileno(), _FILE_MODE)
                os.fsync(file.fileno())
            part.replace(self.path(image))
        except OSError as error:
            raise _fault(image, "host_refused", str(error), "Is there room for it?") from error
        finally:
            part.unlink(missing_ok=True)

    def resting(self, rest: timedelta) -> tuple[str, ...]:
        """Names of its files that were not used for `rest`. Raises OSError."""
        if not self._folder.exists():
            return ()
        latest = time.time() - rest.total_seconds()
        ours = (path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
        return tuple(sorted(path.name for path in ours if path.stat().st_mtime <= latest))

    def mark_used(self, name: str) -> None:
        """Used now; nothing when it is not here. Raises OSError."""
        with suppress(FileNotFoundError):
            os.utime(self._folder / name)

    def remove(self, name: str) -> None:
        """Nothing when it is not here."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise Fault(Failure("host_refused", "Removing from the image cache", name, str(error))) from error

    def virtual_size(self, image: ImageRef) -> int:
        """What a guest sees of it, in octets. Raises OSError when it is not here."""
        return self.size_of(self.path(image)) if image.format == "qcow2" else self.path(image).stat().st_size

    @staticmethod
    def size_of(disk: Path) -> int:
        """As `virtual_size`, of a qcow2 file anywhere."""
        header = _header(disk)
        return header.virtual_size if header is not None else disk.stat().st_size


def backing_file(disk: Path) -> str | None:
    """The name of the file behind an overlay, without its folder; None when it is no overlay. Raises OSError."""
    header = _header(disk)
    if header is None or not header.has_backing_file:
        return None
    with disk.open("rb") as file:
        file.seek(header.backing_at)
        return PurePath(os.fsdecode(file.read(header.backing_octets))).name


def _header(path: Path) -> Qcow2Header | None:
    with path.open("rb") as file:
        return read_header(file.read(HEADER_OCTETS))


def _copy(image: ImageRef, chunks: Iterator[bytes], file: int) -> None:
    digest, size = hashlib.sha512(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > image.size:
            break
        digest.update(chunk)
        _write_all(file, chunk)
    hint = "Upload it again, or see what stands between this host and control."
    if size != image.size:
        told = "more" if size > image.size else str(size)
        raise _fault(image, "image_damaged", f"{told} octets came, not {image.size}", hint)
    if digest.hexdigest() != image.sha512:
        raise _fault(image, "image_damaged", f"its SHA-512 is {digest.hexdigest()}", hint)


def _write_all(file: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(file, rest) :]


def _check_references(image: ImageRef, path: Path) -> None:
    """An owner could name any file of the host as what lies behind the image, and read it in the guest."""
    if image.format != "qcow2":
        return
    header = _header(path)
    if header is None:
        hint = "Upload it with the disk format that it has: see qemu-img info."
        raise _fault(image, "image_refused", "it is no qcow2 image", hint)
    if header.has_backing_file or header.has_external_data:
        said = "it refers to another file, which a guest must not read"
        raise _fault(image, "image_refused", said, "Flatten it: qemu-img convert -O qcow2.")


def _fault(image: ImageRef, code: str, answer: str, hint: str) -> Fault:
    return Fault(Failure(code, "Storing image", image.id, answer, hint))
