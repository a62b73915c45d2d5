"""Runs commands in the compute host for the lab outside: JSON lines over a virtio serial port.

A request {"id", "argv", "env", "stdin", "timeout_seconds"} is answered by {"id", "code", "output"}, in the order of
completion; {"id", "paths"} by {"id", "files": {path: text or null}}, which starts no process and so is quick.
{"id", "argv", "log"} starts a process that goes on and is answered by its {"id", "pid"}.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
from io import RawIOBase
from pathlib import Path
from typing import Any

PORT = "lab.exec"
_writing = threading.Lock()


def main() -> None:
    with _port().open("r+b", buffering=0) as port:
        _send(port, {"id": 0, "ready": True})
        # A descriptor of its own, since the port may be opened once; buffered, so that lines are found once.
        for line in os.fdopen(os.dup(port.fileno()), "rb"):
            threading.Thread(target=_serve, args=(port, json.loads(line)), daemon=True).start()


def _port() -> Path:
    """The port's device; udev, which would make a link by its name, does not run here. Consoles have no name."""
    for name in Path("/sys/class/virtio-ports").glob("*/name"):
        if name.read_text().strip() == PORT:
            return Path("/dev") / name.parent.name
    raise SystemExit(f"the compute host has no serial port {PORT}")


def _serve(port: RawIOBase, request: dict[str, Any]) -> None:
    if "paths" in request:
        answer: dict[str, Any] = {"files": {path: _text(path) for path in request["paths"]}}
    elif "log" in request:
        answer = {"pid": _start(request)}
    else:
        answer = _run(request)
    _send(port, {"id": request["id"], **answer})


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return None


def _start(request: dict[str, Any]) -> int:
    with Path(request["log"]).open("ab") as log:
        process = subprocess.Popen(
            request["argv"], env=os.environ | request["env"], stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def _run(request: dict[str, Any]) -> dict[str, Any]:
    try:
        process = subprocess.Popen(
            request["argv"], env=os.environ | request["env"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return {"code": 127, "output": str(error)}
    try:
        output, _ = process.communicate(request["stdin"].encode(), request["timeout_seconds"])
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return {"code": 124, "output": output.decode(errors="replace")}
    return {"code": process.returncode, "output": output.decode(errors="replace")}


def _send(port: RawIOBase, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode() + b"\n"
    with _writing:
        while data:
            data = data[port.write(data) or 0 :]


if __name__ == "__main__":
    main()
