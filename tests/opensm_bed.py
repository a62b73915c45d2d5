"""A real OpenSM on a fabric of ibsim: a switch and three channel adapters, whose tables of partitions can be read.

ibsim gives ports their GUIDs by counting: 0x100001, 0x100003, 0x100005. OpenSM runs at the first.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairlead.model.infiniband import Guid, PartitionKey, partition_key_of, spelt

NEEDED = ("opensm", "ibsim", "ibsim-run", "smpquery")
"""Debian: opensm, ibsim-utils, infiniband-diags."""
GUIDS: tuple[Guid, ...] = (spelt(0x100001), spelt(0x100003), spelt(0x100005))
_NET = """
Switch 4 "S1"
[1] "H1"[1]
[2] "H2"[1]
[3] "H3"[1]

Hca 1 "H1"
[1] "S1"[1]

Hca 1 "H2"
[1] "S1"[2]

Hca 1 "H3"
[1] "S1"[3]
"""
_SECONDS = 20.0
_UP = "SUBNET UP"


def is_here() -> bool:
    """Whether the programs are installed."""
    return all(_found(name) for name in NEEDED)


def _found(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass
class OpenSmBed:
    """OpenSM, its partition file, and the command that has it read that again."""

    partitions: Path
    command: tuple[str, ...]
    _environment: Mapping[str, str]
    _log: Path
    process: "subprocess.Popen[bytes]"

    def table(self, place: int) -> set[PartitionKey]:
        """The partitions of the channel adapter at that place, as its port has them."""
        path = f"0,1,{place + 1}" if place else "0"
        done = subprocess.run(
            [str(_found("smpquery")), "-D", "pkeys", path],
            env={**self._environment, "LD_PRELOAD": _preloaded()},
            capture_output=True, text=True, timeout=_SECONDS, check=True,
        )  # fmt: skip
        keys = (partition_key_of(int(word, 16)) for word in re.findall(r"0x([0-9a-f]{4})\b", done.stdout))
        return {key for key in keys if key is not None}

    def wait_for(self, what: str, is_so: Callable[[], bool]) -> None:
        """Raises AssertionError with OpenSM's last words if it is not so in time."""
        give_up = time.monotonic() + _SECONDS
        while not is_so():
            assert time.monotonic() < give_up, f"{what}: {self._log.read_text()[-2000:]}"
            assert self.process.poll() is None, self._log.read_text()[-2000:]
            time.sleep(0.05)

    def said(self) -> str:
        """OpenSM's log."""
        return self._log.read_text()


@contextmanager
def opensm(directory: Path, partitions: str) -> Iterator[OpenSmBed]:
    """OpenSM with that partition file; both end with the context."""
    with ExitStack() as stack:
        environment = {
            **os.environ,
            "IBSIM_SOCKNAME": f"fairlead-{os.getpid()}",
            "SIM_HOST": "H1",
            "OSM_TMP_DIR": str(directory),
            "OSM_CACHE_DIR": str(directory),
        }
        net, file, log = directory / "net", directory / "partitions.conf", directory / "opensm.log"
        net.write_text(_NET)
        file.write_text(partitions)
        log.touch()
        simulator = (directory / "ibsim.log").open("wb")
        stack.callback(simulator.close)
        ibsim = subprocess.Popen(
            [str(_found("ibsim")), "-s", "-n", str(net)],
            env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=simulator, stderr=simulator,
        )  # fmt: skip
        stack.callback(_ended, ibsim)
        _until(lambda: b"simulator ready" in (directory / "ibsim.log").read_bytes())
        manager = subprocess.Popen(
            [str(_found("opensm")), "-P", str(file), "-f", str(log), "-V"],
            env={**environment, "LD_PRELOAD": _preloaded()},
            cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(_ended, manager)
        bed = OpenSmBed(file, ("kill", "-HUP", str(manager.pid)), environment, log, manager)
        bed.wait_for("the first sweep", lambda: _UP in bed.said())
        yield bed


def _preloaded() -> str:
    """ibsim-run would fork: the signal is for OpenSM itself."""
    text = Path(str(_found("ibsim-run"))).read_text()
    found = re.search(r"^sim_so=(\S+)$", text, re.MULTILINE)
    assert found
    return found[1]


def _until(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def _ended(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
