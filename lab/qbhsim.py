"""The test module qbhsim in the compute host: loaded, told how to answer, and what was asked of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.machine.host import Host

_FOLDER = "/sys/kernel/debug/qbhsim"
_LINE = re.compile(
    r"pf=(\S+) vf=(-?\d+) request=(\d+) errno=(\d+) profile=(-?\d+):(.*) instance=(-?\d+):(\w*) host=(-?\d+):(\w*)"
)
ASSOCIATE, DISASSOCIATE = 2, 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the driver was given it. Sizes are in octets, -1: that attribute was not there; UUIDs are in
    hexadecimal.
    """

    pf: str
    vf: int
    request: int
    errno: int
    profile: str
    instance: str
    host: str
    sizes: tuple[int, int, int]


@contextmanager
def loaded(host: Host, parameters: str) -> Iterator[None]:
    """Inside the block it is there, with those parameters."""
    host.must("mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug")
    load(host, parameters)
    try:
        yield
    finally:
        unload(host)


def load(host: Host, parameters: str) -> None:
    """As a driver that starts anew: nothing is associated."""
    host.must(f"insmod /lab/qbhsim.ko {parameters}")


def unload(host: Host) -> None:
    """The PFs have their drivers' own operations again, and no other."""
    host.must("rmmod qbhsim")


def turn(host: Host, **knobs: int) -> None:
    """How it answers from now on: see MODULE_PARM_DESC in modules/qbhsim.c."""
    host.must(
        "; ".join(f"echo {value} > /sys/module/qbhsim/parameters/{name}" for name, value in knobs.items())
    )


def forget(host: Host) -> None:
    """As a switch that starts anew."""
    host.must(f"echo > {_FOLDER}/forget")


def clear_log(host: Host) -> None:
    """Let `asked` begin anew."""
    host.must(f"echo > {_FOLDER}/log")


def asked(host: Host) -> list[Asked]:
    """What was asked since the log was cleared, oldest first."""
    return parsed(host.must(f"cat {_FOLDER}/log"))


def parsed(log: str) -> list[Asked]:
    """The requests that the log tells of."""
    return [_asked(line) for line in log.splitlines()]


def _asked(line: str) -> Asked:
    found = _LINE.fullmatch(line)
    assert found, line
    pf, vf, request, errno, profile_size, profile, instance_size, instance, host_size, host = found.groups()
    sizes = (int(profile_size), int(instance_size), int(host_size))
    return Asked(pf, int(vf), int(request), int(errno), profile, instance, host, sizes)
