"""The way to run things in the compute host: requests to its exec server (../inside/exec_server.py).

A request costs some milliseconds and no network, and many may be under way at once.
"""

import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import HostGone

# On top of a command's own limit: the exec server keeps that one, this one is for a host that hangs.
_GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended: its exit code (124: its time was up), and what it wrote, errors among it."""

    code: int
    output: str


class Channel:
    """One connection to the exec server; raises HostGone when there is no answer any more."""

    def __init__(self, path: Path, connect_seconds: float) -> None:
        self._socket = _connected(path, connect_seconds)
        self._ids = itertools.count(1)
        self._answers: dict[int, dict[str, object]] = {}
        self._changed = threading.Condition()
        self._is_closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def wait_ready(self, seconds: float) -> None:
        """Return once the exec server has said that it is there."""
        self._answer(0, seconds, "start its exec server")

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_seconds: float,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run one command to its end."""
        answer = self._ask(
            {"argv": list(argv), "stdin": stdin, "env": dict(env or {}), "timeout_seconds": timeout_seconds},
            timeout_seconds,
        )
        return Done(int(str(answer["code"])), str(answer["output"]))

    def start(self, argv: Sequence[str], *, log: str, env: Mapping[str, str] | None = None) -> int:
        """Start a process that goes on; its output is added to the file `log` there. Returns its pid."""
        answer = self._ask({"argv": list(argv), "log": log, "env": dict(env or {})}, 0)
        return int(str(answer["pid"]))

    def read(self, paths: Sequence[str]) -> dict[str, str | None]:
        """Files' texts by path, without starting a process; None for what cannot be read."""
        files = self._ask({"paths": list(paths)}, 0)["files"]
        assert isinstance(files, dict)
        return files

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _ask(self, request: dict[str, object], limit_seconds: float) -> dict[str, object]:
        number = next(self._ids)
        data = json.dumps({"id": number, **request}).encode() + b"\n"
        try:
            with self._changed:
                self._socket.sendall(data)
        except OSError as error:
            raise HostGone(f"the compute host is gone: {error}") from error
        return self._answer(number, limit_seconds + _GRACE_SECONDS, f"answer {str(request)[:120]}")

    def _answer(self, number: int, seconds: float, what: str) -> dict[str, object]:
        with self._changed:
            self._changed.wait_for(lambda: number in self._answers or self._is_closed, seconds)
            if number not in self._answers:
                why = "ended" if self._is_closed else f"did not in {seconds:.0f} s"
                raise HostGone(f"the compute host was to {what}, and {why}")
            return self._answers.pop(number)

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._socket.makefile("rb") as lines:
            for line in lines:
                answer = json.loads(line)
                with self._changed:
                    self._answers[answer["id"]] = answer
                    self._changed.notify_all()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


def _connected(path: Path, seconds: float) -> socket.socket:
    """QEMU makes the socket some milliseconds after it starts."""
    give_up = time.monotonic() + seconds
    connection = socket.socket(socket.AF_UNIX)
    while True:
        try:
            connection.connect(str(path))
        except OSError as error:
            if time.monotonic() > give_up:
                raise HostGone(f"QEMU did not open {path}: {error}") from error
            time.sleep(0.02)
        else:
            return connection
