"""The end of a console log. A guest writes as much as it likes; what is read of it is bounded."""

import os
from pathlib import Path

MOST_OCTETS = 1 << 20
# virtlogd begins a new file every so often, and the one before it is called console.log.0.
_ROTATED = ".0"


def read_tail(path: Path, lines: int | None, most: int = MOST_OCTETS) -> str:
    """The last lines, all that are kept for None, at most `most` octets; "" where there is no log."""
    data = _last_octets(path, most)
    if len(data) < most:
        data = _last_octets(path.with_name(path.name + _ROTATED), most - len(data)) + data
    text = data.decode("utf-8", "replace")
    if lines is None:
        return text
    return "".join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else ""


def _last_octets(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - most, 0))
            return file.read(most)
    except FileNotFoundError:
        return b""
