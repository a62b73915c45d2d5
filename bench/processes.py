"""Fairlead's own processes, started for a measurement and ended after it."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 30


@contextmanager
def running(*command: str) -> Iterator[tuple[str, int]]:
    """`fairlead COMMAND` on a free port with a state of its own: its URL once it is ready, and its process id."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as state:
        process = subprocess.Popen(
            [sys.executable, "-m", "fairlead", *command, "--listen", "127.0.0.1:0", "--state", state],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"ready (http\S+)", line)
            assert found, f"it did not start: {line}"
            yield found[1], process.pid
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE_SECONDS)
            if process.stdout:
                process.stdout.close()


def resident_mib(pid: int) -> float:
    """Resident memory of a process (proc(5), VmRSS), MiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
