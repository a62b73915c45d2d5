"""Those who wait for a switch on one PF look at it together, and each at its own VF."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier

import pytest

from fairlead.linux.association import LONGEST_SECONDS, Associations
from fairlead.linux.netlink import Link
from fairlead.model.association import IN_PROGRESS, Association
from fairlead.model.errors import Fault
from fairlead.model.pci import PciAddress
from fairlead.model.vf import VfSettings
from fairlead.sim.hardware import two_socket_server
from fairlead.sim.kernel import SimKernel
from fairlead.sim.machine import Machine
from tests.memory_netlink import MemoryNetlink

PF_INDEX, OTHER_PF, VFS = 2, 3, 16
IN_TIME = 10.0
ASKED = Association("finance", "00010000-0000-4000-8000-000000000004", "00000000-0000-4000-8000-0000000000f1")
PF = replace(
    SimKernel(Machine(two_socket_server(1))).observe().pfs[1], pci_address=PciAddress("0000:01:00.0")
)


class Looked(MemoryNetlink):
    """Counts looks."""

    __slots__ = ("looks",)

    def link(self, index: int) -> tuple[Link, Mapping[int, VfSettings]]:
        self.looks = getattr(self, "looks", 0) + 1
        return super().link(index)


@dataclass(slots=True)
class TogetherTimer:
    """Time for all who wait: it goes on once each of them pauses."""

    barrier: Barrier
    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        if self.barrier.wait() == 0:
            self.seconds += seconds
        self.barrier.wait()


def netlink(*pfs: int) -> Looked:
    pending = VfSettings(association=replace(ASKED, response=IN_PROGRESS))
    return Looked(
        devices={index: Link(index, f"pf{index}") for index in pfs},
        vfs={index: dict.fromkeys(range(VFS), pending) for index in pfs},
    )


def waited(own: Looked, places: list[tuple[int, int]]) -> list[str]:
    """What became of each who waited for a VF of a PF: "" for good."""
    associations = Associations(own, TogetherTimer(Barrier(len(places), timeout=IN_TIME)))

    def wait(place: tuple[int, int]) -> str:
        try:
            associations.settle(place[0], PF, place[1], ASKED)
        except Fault as fault:
            return fault.failure.answer
        return ""

    with ThreadPoolExecutor(len(places)) as threads:
        return list(threads.map(wait, places))


def rounds() -> int:
    """How often one alone looks at a switch that does not answer."""
    own = netlink(PF_INDEX)
    waited(own, [(PF_INDEX, 0)])
    return own.looks


def test_all_who_wait_on_one_pf_look_once_in_each_round() -> None:
    own = netlink(PF_INDEX)
    said = waited(own, [(PF_INDEX, vf) for vf in range(VFS)])
    assert all(f"within {LONGEST_SECONDS:.0f} s" in answer for answer in said)
    first_round = VFS
    assert own.looks == first_round + rounds() - 1


def test_another_pf_is_looked_at_by_itself() -> None:
    own = netlink(PF_INDEX, OTHER_PF)
    waited(own, [(PF_INDEX, 0), (OTHER_PF, 0)])
    assert own.looks == 2 * rounds()


def test_what_was_seen_before_one_asked_is_no_answer_to_it() -> None:
    """A VF that had the very association is associated anew: a look from before the request would say yes at once."""
    own = netlink(PF_INDEX)
    own.vfs[PF_INDEX][0] = VfSettings(association=ASKED)
    associations = Associations(own, TogetherTimer(Barrier(1, timeout=IN_TIME)))
    associations.settle(PF_INDEX, PF, 0, ASKED)
    own.vfs[PF_INDEX][0] = VfSettings(association=replace(ASKED, response=IN_PROGRESS))
    with pytest.raises(Fault):
        associations.settle(PF_INDEX, PF, 0, ASKED)
