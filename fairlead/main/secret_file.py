"""Files that only their owner reads, written whole or not at all."""

import os
from pathlib import Path


def write_secret(path: Path, data: bytes) -> None:
    """The file, on the disk when this returns."""
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
