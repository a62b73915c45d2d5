"""What the kernel said of all PFs, and qbhsim had been asked, each time that vfio-pci took a device: the guest's QEMU
opens it after that (inside/handed.py).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab import qbhsim
from lab.guests import Place, Vf, vf_at
from lab.machine.host import Host

_NOTES = "/run/lab/handed"


@dataclass(frozen=True, slots=True)
class Handed:
    """A VF as it was when vfio-pci took it last, and the requests for port profiles until then."""

    vf: Vf
    asked: list[qbhsim.Asked]


@contextmanager
def noting(host: Host) -> Iterator[None]:
    """Inside the block notes are taken."""
    host.must(f"rm -f {_NOTES}")
    pid = host.channel.start(["python3", "/lab/handed.py", _NOTES], log="/run/lab/handed.log")
    host.wait_for("the one who takes notes", 30, lambda: host.read(_NOTES) is not None)
    try:
        yield
    finally:
        host.run(f"kill {pid}")


def handed(host: Host, address: str, place: Place) -> Handed:
    """The VF at that PCI address."""
    notes = [json.loads(line) for line in (host.read(_NOTES) or "").splitlines()]
    (*_, last) = [note for note in notes if note["address"] == address]
    return Handed(vf_at(place, last["links"]), qbhsim.parsed(last["asked"]))
