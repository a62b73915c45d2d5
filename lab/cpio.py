"""Write an initramfs: a cpio archive in the kernel's "newc" format.

The format is in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.

Written here, not with cpio(1), because this way the archive can hold a device node that does not exist on the machine
that builds it, and is the same bytes each time.
"""

import stat
from dataclasses import dataclass
from pathlib import Path

_CONSOLE_MAJOR, _CONSOLE_MINOR = 5, 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of the archive; `content` is a file's bytes or a link's target, empty for the others."""

    name: str
    mode: int
    content: bytes = b""
    major: int = 0
    minor: int = 0


def directory(name: str) -> Entry:
    return Entry(name, stat.S_IFDIR | 0o755)


def file(name: str, content: bytes, *, executable: bool = False) -> Entry:
    return Entry(name, stat.S_IFREG | (0o755 if executable else 0o644), content)


def link(name: str, target: str) -> Entry:
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def console() -> Entry:
    """dev/console, which the kernel opens for init before devtmpfs is mounted."""
    return Entry("dev/console", stat.S_IFCHR | 0o600, major=_CONSOLE_MAJOR, minor=_CONSOLE_MINOR)


def write(path: Path, entries: list[Entry]) -> None:
    """Write the entries in their order, parents before children, and the trailer."""
    with path.open("wb") as out:
        for inode, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1):
            out.write(_header(inode, entry))
            out.write(_padded(entry.name.encode() + b"\0", already=110))
            out.write(_padded(entry.content))


def _header(inode: int, entry: Entry) -> bytes:
    fields = (
        inode,
        entry.mode,
        0,
        0,
        1,
        0,
        len(entry.content),
        0,
        0,
        entry.major,
        entry.minor,
        len(entry.name) + 1,
        0,
    )
    return b"070701" + b"".join(b"%08X" % field for field in fields)


def _padded(data: bytes, already: int = 0) -> bytes:
    return data + b"\0" * (-(already + len(data)) % 4)
