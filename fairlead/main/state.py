"""The state directory: where it is, and that one process has it."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

import click

_MODE = 0o711
"""Nobody else may look into it; QEMU, which is not root, must reach its guests' disks through it."""


def state_directory(text: str | None, below: str = "") -> Path:
    """What must last is kept here: as asked, else /var/lib/fairlead for root, else the user's folder."""
    if text:
        path = Path(text)
    elif os.geteuid() == 0:
        path = Path("/var/lib/fairlead")
    else:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
        path = Path(base) / "fairlead"
    path = path if text else path / below
    try:
        if not path.is_dir():
            path.mkdir(parents=True)
            # What was there keeps its mode: it may be anyone's.
            path.chmod(_MODE)
    except OSError as error:
        raise click.UsageError(f"Cannot use the state directory {path}: {error.strerror}.") from error
    return path


def hold(directory: Path) -> TextIO:
    """The state directory, for this process alone until it ends or closes what is returned: two agents or two
    controls on one would undo each other's work. Raises click's error that names the other process.
    """
    path = directory / "lock"
    try:
        file = path.open("a+")
    except OSError as error:
        raise click.UsageError(
            f"Cannot write into the state directory {directory}: {error.strerror}."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "another one"
        file.close()
        raise click.ClickException(
            f"The state directory {directory} is in use by process {holder}. --state names another directory."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
