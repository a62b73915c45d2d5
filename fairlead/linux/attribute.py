"""Writes to attributes of sysfs."""

import os
from pathlib import Path


def write_attribute(attribute: Path, value: str) -> None:
    """One write(2), without creating the file: what a driver does not have shall be ENOENT."""
    file = os.open(attribute, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(file, value.encode("ascii"))
    finally:
        os.close(file)
