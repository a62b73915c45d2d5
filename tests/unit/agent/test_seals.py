"""A VF that anybody has had between two looks of the agent is scrubbed before somebody else has it."""

from collections.abc import Callable, Collection
from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.observed import GuestState
from fairlead.model.errors import Failure, Fault
from fairlead.model.pci import PciAddress
from fairlead.model.server import Power
from fairlead.sim.by_hand import bring_stranger, start_by_hand
from fairlead.sim.kernel import SimKernel
from fairlead.sim.machine import Machine
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, server

VF = DATA[0].vf_address(3)
OWNER = ServerWish(1, vfs=(VfWish(0, 3),))


class Life(AgentLife):
    """A host whose VFs are nobody's, all clean."""

    def __init__(self) -> None:
        super().__init__()
        self.wish()
        self.tick()
        self.acts = list[str]()
        self.host.machine.fuse = self.acts.append

    def wish(self, *servers: ServerWish) -> None:
        self.want(HostWish(servers))

    @property
    def scrubs(self) -> int:
        return self.acts.count("reset_vf")

    @property
    def dirty(self) -> frozenset[tuple[str, int]]:
        return frozenset(SlotLedger(self.host.slots, HOST).dirty_vfs())


def stranger(machine: Machine) -> None:
    bring_stranger(machine, "theirs", VF)
    del machine.domains["theirs"]


def driver(machine: Machine) -> None:
    machine.rebind(DATA[0].key, 3, "iavf")
    machine.rebind(DATA[0].key, 3, None)


@pytest.mark.parametrize("passer_by", [stranger, driver])
def test_one_that_is_nobodys_and_was_had_in_between_is_scrubbed_once(passer_by: Callable[[Machine], None]):
    life = Life()
    passer_by(life.host.machine)
    for _ in range(3):
        life.tick()
    assert (life.scrubs, life.dirty, life.report.failures) == (1, frozenset(), ())
    assert VF not in life.host.machine.traces


def test_also_while_the_agent_was_down():
    life = Life()
    stranger(life.host.machine)
    life.agent = life.host.agent(HOST, life.control)
    life.tick()
    assert life.scrubs == 1


def test_domains_without_a_vf_of_ours_come_and_go_for_nothing():
    life = Life()
    for _ in range(3):
        bring_stranger(life.host.machine, "theirs", "0000:99:00.0")
        life.tick()
        del life.host.machine.domains["theirs"]
        life.tick()
    assert (life.scrubs, life.dirty) == (0, frozenset())


def test_new_vfs_are_nobodys():
    life = Life()
    life.host.machine.reboot()
    for _ in range(3):
        life.tick()
    assert life.host.machine.pfs[DATA[0].key].vfs
    assert (life.scrubs, life.dirty) == (0, frozenset())


def test_those_that_another_hand_made_are_not():
    life = Life()
    life.host.machine.recount(DATA[0].key, 8)
    life.tick()
    assert life.scrubs == 8


def test_a_guest_that_is_started_by_hand_and_gone_again_leaves_nothing_on_what_is_not_its_own():
    life = Life()
    life.wish(OWNER)
    life.tick()
    life.wish(ServerWish(1, vfs=(VfWish(0, 5),), boot_serial=2, hard_reboot=True))
    life.tick()
    life.wish(ServerWish(1, vfs=(VfWish(0, 5),), boot_serial=2, power=Power.STOPPED))
    life.tick()
    before, guest = life.scrubs, life.host.machine.domains[f"fl-{server(1)}"]
    guest.hostdevs = (VF,)
    start_by_hand(life.host.machine, guest)
    guest.go_down(GuestState.STOPPED, "destroyed")
    life.tick()
    assert life.scrubs == before + 1
    assert VF not in life.host.machine.traces


def test_one_that_was_given_to_a_server_and_had_by_another_is_scrubbed_before_its_guest_starts():
    life = Life()
    life.wish(ServerWish(1, vfs=OWNER.vfs, power=Power.STOPPED))
    life.tick()
    stranger(life.host.machine)
    life.wish(OWNER)
    life.tick()
    assert life.acts.index("reset_vf") < life.acts.index("start")
    assert life.host.hypervisor.starts[-1].traces == {}


def test_nor_does_it_start_where_that_was_after_the_look():
    life = Life()
    life.wish(OWNER)

    def interfere(act: str) -> None:
        life.acts.append(act)
        if act == "define" and life.acts.count("define") == 1:
            stranger(life.host.machine)

    life.host.machine.fuse = interfere
    life.tick()
    assert life.acts.index("define") < life.acts.index("reset_vf") < life.acts.index("start")
    assert [start.traces for start in life.host.hypervisor.starts] == [{}]


def refuses_a_start(act: str) -> None:
    if act == "start":
        raise Fault(Failure("libvirt_refused", "Starting", "the guest", "cannot allocate memory"))


def test_a_start_that_libvirt_refused_has_opened_nothing():
    life = Life()
    life.host.machine.fuse = refuses_a_start
    life.wish(OWNER)
    life.tick()
    life.host.machine.fuse = life.acts.append
    life.wish(ServerWish(1, vfs=OWNER.vfs, power=Power.STOPPED))
    life.tick()
    stranger(life.host.machine)
    life.wish(ServerWish(1, vfs=OWNER.vfs, boot_serial=2))
    life.tick()
    assert life.acts.index("reset_vf") < life.acts.index("start")
    assert [start.traces for start in life.host.hypervisor.starts] == [{}]


@pytest.mark.parametrize("has_run", [False, True])
def test_one_below_a_macvtap_that_was_had_by_another_is_scrubbed_before_its_guest_starts(*, has_run: bool):
    """The macvtap is made anew on it, and says nothing of who was there."""
    life, tapped = Life(), (VfWish(0, 3, is_tapped=True),)
    life.wish(ServerWish(1, vfs=tapped, power=Power.RUNNING if has_run else Power.STOPPED))
    life.tick()
    life.wish(ServerWish(1, vfs=tapped, power=Power.STOPPED))
    life.tick()
    assert life.host.machine.virtual_links
    stranger(life.host.machine)
    life.acts.clear()
    life.wish(ServerWish(1, vfs=tapped, boot_serial=2))
    life.tick()
    assert (life.scrubs, life.acts.count("start")) == (1, 1)
    assert life.acts.index("reset_vf") < life.acts.index("make_macvtap") < life.acts.index("start")
    assert life.host.hypervisor.starts[-1].traces == {}


def test_nor_is_one_given_to_its_driver_where_that_was_after_the_look():
    life = Life()
    life.wish(ServerWish(1, vfs=(VfWish(0, 3, is_tapped=True),)))
    passed_by = list[int]()

    def interfere(act: str) -> None:
        life.acts.append(act)
        is_check = life.acts[-2:] == ["write record", "observe_guests"]  # a look asks the kernel first
        if is_check and not passed_by:
            passed_by.append(len(life.acts))
            stranger(life.host.machine)

    life.host.machine.fuse = interfere
    life.tick()
    assert "set_vf" in life.acts[: passed_by[0]]
    life.host.clock.advance(61)
    life.tick()
    assert life.acts.index("reset_vf") < life.acts.index("make_macvtap") < life.acts.index("start")
    assert [start.traces for start in life.host.hypervisor.starts] == [{}]


def test_one_whose_macvtap_is_there_is_not_scrubbed():
    life, tapped = Life(), (VfWish(0, 3, is_tapped=True),)
    for serial in range(1, 4):
        life.wish(ServerWish(1, vfs=tapped, boot_serial=serial))
        life.tick()
        life.wish(ServerWish(1, vfs=tapped, boot_serial=serial, power=Power.STOPPED))
        life.tick()
    assert (life.acts.count("start"), life.scrubs) == (3, 0)


def test_its_owner_may_have_it_again_and_again():
    life = Life()
    for serial in range(1, 4):
        life.wish(ServerWish(1, vfs=OWNER.vfs, boot_serial=serial))
        life.tick()
    assert (life.acts.count("start"), life.scrubs) == (3, 0)


def test_one_that_is_had_while_it_is_scrubbed_is_not_clean():
    life = Life()
    stranger(life.host.machine)

    def interfere(act: str) -> None:
        if act == "read_vf":
            life.host.machine.fuse = life.acts.append
            stranger(life.host.machine)

    life.host.machine.fuse = interfere
    life.tick()
    assert [failure.failure.code for failure in life.report.failures] == ["vf_taken"]
    assert life.dirty == {(DATA[0].key, 3)}
    life.host.clock.advance(61)
    life.tick()
    assert (life.dirty, life.report.failures) == (frozenset(), ())
    assert VF not in life.host.machine.traces


def test_one_that_is_open_outside_libvirt_is_left_alone_until_it_is_closed():
    life = Life()
    links, vf = life.host.machine.links, (DATA[0].key, 3)
    links.hold(vf)
    for _ in range(3):
        life.tick()
    assert (life.dirty, links.vfs[vf].driver) == (frozenset({vf}), "vfio-pci")
    assert "in_use" in {each.failure.code for each in life.report.failures}
    links.held.clear()
    life.host.clock.advance(3600)
    for _ in range(2):
        life.tick()
    assert (life.dirty, vf in links.seals, vf in links.vfs) == (frozenset(), True, False)


def test_one_that_somebody_has_open_is_not_taken_by_the_policy_that_matches_its_pf():
    life = Life()
    links, vf, ours = life.host.machine.links, (DATA[0].key, 3), life.control.desired
    assert ours is not None
    life.control.desired = replace(ours, generation=ours.generation + 1, families=())
    life.tick()
    links.hold(vf)
    life.control.desired = replace(ours, generation=ours.generation + 2)
    for _ in range(2):
        life.tick()
    assert (vf in links.seals, links.vfs[vf].driver) == (False, "vfio-pci")


def test_a_look_asks_for_no_seal_that_says_nothing_new():
    class Asked(SimKernel):
        def sealed_vfs(self, addresses: Collection[PciAddress]) -> frozenset[PciAddress]:
            asked.append(frozenset(addresses))
            return super().sealed_vfs(addresses)

    life, asked = Life(), list[frozenset[PciAddress]]()
    life.wish(OWNER)
    life.tick()
    life.host.machine.links.hold((DATA[0].key, 5))
    life.tick()
    life.agent = replace(life.host, kernel=Asked(life.host.machine)).agent(HOST, life.control)
    life.tick()
    ours = {nic.vf_address(index) for nic in DATA for index in life.host.machine.pfs[nic.key].vfs}
    assert asked[0] == ours - {VF, DATA[0].vf_address(5)}


def test_nor_is_one_dirty_again_whose_scrub_ends_while_that_is_asked():
    class Slow(SimKernel):
        def sealed_vfs(self, addresses: Collection[PciAddress]) -> frozenset[PciAddress]:
            found = super().sealed_vfs(addresses)
            ledger.mark_clean(*vf)
            return found

    life, vf = Life(), (DATA[0].key, 5)
    host, ledger = life.host, SlotLedger(life.host.slots, HOST)
    ledger.mark_found(frozenset({vf}), frozenset())
    observe(Slow(host.machine), host.vdp, host.hypervisor, host.disks, ledger)
    assert life.dirty == frozenset()
