"""Fabrics whose subnet manager this control process tells: their settings, and the loop that tells."""

import os
import shlex
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import structlog

from fairlead.control.boundary import Wake
from fairlead.control.engine import Engine
from fairlead.control.partition_keeper import PartitionKeeper
from fairlead.fabric.opensm import OpenSm

_REST_SECONDS = 5.0
"""Another control process may have woken only itself, and somebody may have edited the file."""
_GATHERING_SECONDS = 0.2
"""What changes together is told together: each telling has the whole fabric swept."""
_HOSTS = "host/"

_log = structlog.get_logger("fairlead.control")


@dataclass(frozen=True, slots=True)
class SubnetManagers:
    """Where each fabric's partition file is, and the command that has it read again."""

    files: Mapping[str, Path]
    command: tuple[str, ...]


def subnet_managers_from(settings: Mapping[str, str | None]) -> SubnetManagers | None:
    """Both settings, or neither; raises click's usage error."""
    given, command = settings.get("subnet_manager"), settings.get("subnet_manager_command")
    if bool(given) != bool(command):
        raise click.UsageError(
            "--subnet-manager and --subnet-manager-command go together: a file that nobody reads again tells nothing."
        )
    if not given or not command:
        return None
    files: dict[str, Path] = {}
    for part in given.split(","):
        name, equals, path = (word.strip() for word in part.partition("="))
        if not (name and equals and path.startswith("/")):
            raise click.UsageError(
                f"--subnet-manager is NETWORK=/PATH, several with commas, and not {part.strip()!r}: the physical "
                "network, and OpenSM's partition file there."
            )
        if name in files or Path(path) in files.values():
            raise click.UsageError(
                f"--subnet-manager names {name} or {path} twice: each fabric has a file of its own."
            )
        files[name] = Path(path)
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(f"--subnet-manager-command is no command: {error}.") from error
    if not words:
        raise click.UsageError("--subnet-manager-command has no word in it.")
    return SubnetManagers(files, words)


class FabricTeller:
    """Tells subnet managers whenever a host is to be another than before, and every few seconds anyway."""

    def __init__(self, engine: Engine, managers: SubnetManagers, state: Path) -> None:
        told = {
            name: OpenSm(name, path, managers.command, os.environ) for name, path in managers.files.items()
        }
        self._keeper = PartitionKeeper(engine, f"{socket.gethostname()}:{state}", told)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="subnet managers")

    def start(self) -> None:
        """Begin to tell, in a thread of its own."""
        self._thread.start()

    def heard(self, wakes: frozenset[Wake]) -> None:
        """A commit woke these; it only sets a flag."""
        if any(wake.topic.startswith(_HOSTS) for wake in wakes):
            self._wake.set()

    def close(self) -> None:
        """End, once the fabric that is being told is told."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self._keeper.tick(self._stop.is_set)
            except Exception:  # noqa: BLE001 - a tick loop outlives what nobody thought of
                _log.exception("telling_failed")
            self._wake.wait(_REST_SECONDS)
            self._stop.wait(_GATHERING_SECONDS)
