"""A VF that a guest had which does not own it: somebody started it on the addresses of before cards changed places."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.loop import Agent
from fairlead.hoststate.observed import GuestState
from fairlead.model.server import Power
from fairlead.sim.by_hand import start_by_hand
from fairlead.sim.domain import DomainState
from fairlead.sim.fleet import SimHost, sim_host
from tests.agent_life import AgentLife
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, server

OWNER, BORROWER = ServerWish(1, vfs=(VfWish(0, 3),)), ServerWish(2, vfs=(VfWish(0, 5),))
VF = DATA[0].vf_address(3)


class Bed:
    """A host with two guests, both down; the borrower's domain names the owner's VF."""

    def __init__(self) -> None:
        self.host: SimHost = sim_host("h1", 1)
        self.control = ControlStandIn()
        self.agent = self.start_agent()
        self.wish(Power.RUNNING, 1)
        self.wish(Power.STOPPED, 2)
        self.borrower = self.host.machine.domains[f"fl-{server(2)}"]
        self.borrower.hostdevs = (VF,)

    def start_agent(self) -> Agent:
        return self.host.agent(HOST, self.control)

    def wish(self, owner: Power, generation: int) -> None:
        """What the owner shall be; the borrower is what it was in the beginning, and then down."""
        first = replace(OWNER, power=owner, boot_serial=generation)
        second = replace(BORROWER, power=owner if generation == 1 else Power.STOPPED)
        self.control.desired = desired(HostWish((first, second), generation=generation))
        self.agent.poll(0)
        self.agent.tick()

    @property
    def borrowed(self) -> frozenset[tuple[str, int]]:
        return frozenset(SlotLedger(self.host.slots, HOST).borrowed_vfs())


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_it_is_scrubbed_before_its_owner_has_it_again(bed: Bed) -> None:
    start_by_hand(bed.host.machine, bed.borrower)
    acts = list[str]()
    bed.host.machine.fuse = acts.append
    bed.wish(Power.RUNNING, 3)

    assert acts.index("stop") < acts.index("reset_vf") < acts.index("start")
    assert bed.host.machine.domains[f"fl-{server(1)}"].live_hostdevs == (VF,)
    assert bed.host.machine.mishaps == []
    assert not bed.borrowed


def test_an_agent_that_dies_once_the_borrower_is_down_has_not_forgotten(bed: Bed) -> None:
    start_by_hand(bed.host.machine, bed.borrower)
    bed.host.machine.troubles.hanging["reset_vf"] = 99
    bed.agent.tick()
    assert not bed.borrower.is_up
    assert bed.borrowed == {(DATA[0].key, 3)}

    bed.host.machine.troubles.hanging.clear()
    bed.agent = bed.start_agent()
    acts = list[str]()
    bed.host.machine.fuse = acts.append
    bed.wish(Power.RUNNING, 3)
    assert acts.index("reset_vf") < acts.index("start")
    assert bed.host.machine.mishaps == []


def test_one_that_a_domain_of_others_had_is_scrubbed_too(bed: Bed) -> None:
    machine = bed.host.machine
    machine.traces[VF] = "theirs"
    machine.domains["theirs"] = DomainState(
        "theirs", None, "", 0, (VF,), (), "", GuestState.RUNNING, live_hostdevs=(VF,)
    )
    bed.agent.tick()
    del machine.domains["theirs"]
    bed.wish(Power.RUNNING, 3)
    assert machine.domains[f"fl-{server(1)}"].live_hostdevs == (VF,)
    assert machine.mishaps == []


def test_one_that_its_owner_has_is_not_touched(bed: Bed) -> None:
    SlotLedger(bed.host.slots, HOST).mark_borrowed(frozenset({(DATA[0].key, 3)}))
    bed.agent = bed.start_agent()
    start_by_hand(bed.host.machine, bed.host.machine.domains[f"fl-{server(1)}"])
    acts = list[str]()
    bed.host.machine.fuse = acts.append
    bed.agent.tick()
    assert "reset_vf" not in acts[: acts.index("stop")]


def test_one_that_a_guest_of_before_a_restore_has_by_a_macvtap_is_scrubbed_before_its_owner_has_it():
    """The document gives the VF to another server, and the guest that has it another VF at its next boot."""
    life = AgentLife()
    tapped = VfWish(0, 3, is_tapped=True)
    life.want(HostWish((replace(BORROWER, vfs=(tapped,)),)))
    life.tick()
    assert (DATA[0].key, 3) in life.host.machine.links.vfs
    acts = list[str]()
    life.host.machine.fuse = acts.append
    moved = replace(BORROWER, vfs=(replace(tapped, index=5),), boot_serial=2, hard_reboot=True)
    life.want(HostWish((OWNER, moved)))
    for _ in range(3):
        life.tick()

    machine = life.host.machine
    assert acts.index("stop") < acts.index("reset_vf") < acts.index("start")
    assert machine.domains[f"fl-{server(1)}"].live_hostdevs == (VF,)
    assert (machine.mishaps, life.report.holds) == ([], ())
    assert SlotLedger(life.host.slots, HOST).borrowed_vfs() == frozenset()
