"""control.boundary.ImageFiles in a directory: a file for each image, which is there whole or not at all.

<image id>              data that was kept
.part-<image id>-...    an upload: locked (flock(2)) by the process that receives it until that is settled, so
                        one that nobody holds was interrupted. Kept data is a second name of it meanwhile.
"""

import fcntl
import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from fairlead.control.boundary import ImageData
from fairlead.model.errors import Conflict, Failure, Fault, NotFound, TooLarge
from fairlead.model.ids import ImageId

LIMIT_BYTES = 1 << 40
"""One image's largest size; Glance's own default (image_size_cap)."""
_UNFINISHED = ".part-"


class ImageFiles:
    """Images below `directory`, each of at most `limit_bytes`. Several processes may have the directory."""

    def __init__(self, directory: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._directory = directory
        self._limit_bytes = limit_bytes
        with _named("making", directory):
            directory.mkdir(mode=0o750, parents=True, exist_ok=True)

    def receive(self, image_id: ImageId) -> "IncomingFile":
        """A new file for the image's data; raises Fault where the disk refuses."""
        path = self._path(image_id)
        with _named("writing", path):
            file, unfinished = _new_locked_file(self._directory, f"{_UNFINISHED}{path.name}-")
        return IncomingFile(file, unfinished, path, self._limit_bytes)

    def interrupted(self) -> Iterator[ImageId]:
        """Images with an upload here that nobody goes on with. What is left of it is removed once the caller asks
        for the next, so that it is found again after a death in between.
        """
        parts: defaultdict[ImageId, list[Path]] = defaultdict(list)
        for part in self._directory.glob(f"{_UNFINISHED}*"):
            parts[ImageId(part.name.removeprefix(_UNFINISHED).rpartition("-")[0])].append(part)
        for image_id, paths in parts.items():
            with ExitStack() as held:
                if all(_is_free(path, held) for path in paths):
                    yield image_id
                    for path in paths:
                        path.unlink(missing_ok=True)

    def path(self, image_id: ImageId) -> Path:
        """The file of data that was kept; raises Conflict `data_elsewhere` where it is not here."""
        path = self._path(image_id)
        if not path.exists():
            raise Conflict(
                "data_elsewhere",
                f"The data of image {image_id} is not in {self._directory} of this control. Several controls of one "
                "database must share that directory; if they do, upload the image again under a new id.",
            )
        return path

    def remove(self, image_id: ImageId) -> None:
        """Delete the data; does nothing where there is none. Whoever has it open reads on."""
        path = self._path(image_id)
        with _named("removing", path):
            path.unlink(missing_ok=True)

    def _path(self, image_id: ImageId) -> Path:
        # An id is a UUID and so can name nothing outside; that is held here, where it would matter.
        try:
            return self._directory / str(UUID(image_id))
        except ValueError:
            raise NotFound("image data", image_id) from None


class IncomingFile:
    """control.boundary.IncomingImage: a file without the image's name, until `keep`."""

    def __init__(self, file: BinaryIO, unfinished: Path, path: Path, limit_bytes: int) -> None:
        self._file = file
        self._unfinished = unfinished
        self._path = path
        self._limit_bytes = limit_bytes
        self._size = 0
        # MD5 is what Glance's `checksum` is; nothing here trusts it.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha512 = hashlib.sha512()

    def write(self, chunk: bytes) -> None:
        """Append; raises TooLarge past the limit, Fault where the disk refuses."""
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            raise TooLarge(f"An image has at most {self._limit_bytes} bytes here.", field="size")
        with _named("writing", self._path):
            self._file.write(chunk)
        self._md5.update(chunk)
        self._sha512.update(chunk)

    def keep(self) -> ImageData:
        """Make it the image's data, whole or not at all, on stable storage."""
        with _named("writing", self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._path.unlink(missing_ok=True)
            os.link(self._unfinished, self._path)
            _sync(self._path.parent)
        return ImageData(self._size, self._md5.hexdigest(), self._sha512.hexdigest())

    def withdraw(self) -> None:
        """Take back what was kept, unless other data has its place by now."""
        with _named("removing", self._path), suppress(FileNotFoundError):
            if os.path.samestat(self._path.stat(), os.fstat(self._file.fileno())):
                self._path.unlink()

    def drop(self) -> None:
        """End the upload: what was not kept is forgotten."""
        # Closing writes what is buffered, and a full disk refuses that too: it is to be forgotten anyway.
        with _named("removing", self._unfinished):
            self._unfinished.unlink(missing_ok=True)
        with suppress(OSError):
            self._file.close()


def _new_locked_file(directory: Path, prefix: str) -> tuple[BinaryIO, Path]:
    """Locked before anyone can take it for an interrupted one: who did so in between has removed it."""
    while True:
        number, name = tempfile.mkstemp(prefix=prefix, dir=directory)
        fcntl.flock(number, fcntl.LOCK_EX)
        if os.fstat(number).st_nlink:
            _sync(directory)
            return os.fdopen(number, "wb"), Path(name)
        os.close(number)


def _is_free(part: Path, held: ExitStack) -> bool:
    """Whether nobody receives it; it is locked then as long as `held` is open."""
    try:
        file = held.enter_context(part.open("rb"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True


def _sync(directory: Path) -> None:
    """A new name lasts once its directory is on the disk (fsync(2))."""
    number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _named(doing: str, path: Path) -> Iterator[None]:
    """Turns what the file system answers into a Fault that says what was being done."""
    try:
        yield
    except OSError as error:
        answer = error.strerror or str(error)
        hint = "Free some space, or see that the directory is ours to write."
        raise Fault(Failure("image_file", doing, str(path), answer, hint)) from error
