"""QEMU's monitor, for what is done to the compute host from outside.

The protocol: qemu.org/docs/master/interop/qmp-spec.html.
"""

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.errors import LabError

_ANSWER_SECONDS = 20.0


class Monitor:
    """One conversation with it, inside a `with`."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_ANSWER_SECONDS)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rb")
        self._lines.readline()  # its greeting
        self.do("qmp_capabilities")

    def do(self, command: str, **arguments: str) -> None:
        """Returns when it is done; LabError with what QEMU answered otherwise. Events in between are passed over."""
        request = {"execute": command, "arguments": arguments}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        for line in self._lines:
            answer = json.loads(line)
            if "return" in answer:
                return
            if "error" in answer:
                raise LabError(f"QEMU refused {command}: {answer['error']}")
        raise LabError(f"QEMU ended its conversation at {command}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()
