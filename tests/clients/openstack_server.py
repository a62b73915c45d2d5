"""The `openstack` client as a server on its standard streams, so that a thousand commands load it once.

It runs inside .venv-openstack. A line in is a JSON list of words; the line out is what a process of the client gives:
{"status", "out", "err"}. And it is one: the client keeps its session in classes, so each command has a process of its
own, a fork of this one, which has all code loaded and no session.
"""

import contextlib
import gc
import io
import json
import os
import sys
import tempfile
from importlib import import_module
from typing import BinaryIO

from openstackclient.shell import OpenStackShell


class Terminal(io.TextIOWrapper):
    """Input of a terminal at which nobody types: from anything else the client reads an image's data."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO())

    def isatty(self) -> bool:
        """It is one."""
        return True


def load() -> None:
    """Load the code of every command, as the client does to write its completion for a shell."""
    with contextlib.redirect_stdout(io.StringIO()):
        OpenStackShell().run(["complete"])
    for service in ("compute.v2", "identity.v3", "image.v2", "network.v2"):
        import_module(f"openstack.{service}._proxy")
    # Else each fork would copy what the collector only looks at.
    gc.collect()
    gc.freeze()


def run(words: list[str]) -> dict[str, object]:
    """What one command of the client answers."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _be_client(words, out, err)
        _, status = os.waitpid(child, 0)
        return {"status": os.waitstatus_to_exitcode(status), "out": _text(out), "err": _text(err)}


def _be_client(words: list[str], out: BinaryIO, err: BinaryIO) -> None:
    """Never returns: this process is the client now."""
    status = 1
    try:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdin = Terminal()
        status = OpenStackShell().run(words)
    except SystemExit as asked:
        status = asked.code if isinstance(asked.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)


def _text(written: BinaryIO) -> str:
    written.seek(0)
    return written.read().decode(errors="replace")


def main() -> None:
    """Answer until the input ends."""
    load()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
