"""Macvtaps: made on a VF that was read back, repaired in place, given anew when dead, gone before the scrub."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.diff import diff
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.steps import DetachNic, MakeMacvtap, ScrubVf, StopGuest
from fairlead.model.device import MACVTAP_CAPABILITY
from fairlead.model.multicast import ALL_NODES
from fairlead.model.pci import MacAddress
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE, differences
from fairlead.sim.fleet import SimClock, sim_host
from fairlead.sim.machine import BeforeCall, DomainState
from fairlead.sim.mischief import AgentDied, dies_after
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, port, server, settings

TAPPED, LATER = VfWish(0, 3, is_tapped=True), VfWish(1, 0, is_tapped=True)
BEFORE = ServerWish(1, vfs=(TAPPED,))
MORE = ServerWish(1, vfs=(TAPPED, LATER))
LESS = ServerWish(1, leaving_vfs=(TAPPED,), first_nic=8)
NONE = ServerWish(1, leaving_vfs=(TAPPED, LATER), first_nic=8)
NAME, MACVTAP = f"fl-{server(1)}", f"fltap-{port(1, 0)[:8]}"
AT = (DATA[0].key, 3)


class Life(AgentLife):
    """A host with a guest that runs on a macvtap, whose agent is told other things of it then."""

    def __init__(self) -> None:
        self.clock = SimClock()
        super().__init__(sim_host("h1", 1, clock=self.clock))
        self.wish(BEFORE)

    def wish(self, *servers: ServerWish, removals: tuple[int, ...] = ()) -> None:
        self.want(HostWish(servers=servers, removals=removals))
        self.tick()

    @property
    def domain(self) -> DomainState:
        return self.host.machine.domains[NAME]

    @property
    def events(self) -> list[str]:
        return [event.kind for report in self.control.reports for event in report.events]

    def is_whole(self) -> bool:
        """The guest has open what is there, on a VF as its port says, which the host's driver has."""
        machine = self.host.machine
        device, told = machine.links.vfs[AT], machine.pfs[AT[0]].vfs[AT[1]]
        assert not differences(settings(1, TAPPED), told)
        assert (device.driver, device.mac, device.mtu, device.is_up) == ("iavf", told.mac, 1500, True)
        return machine.has_open(self.domain, MACVTAP)


@pytest.fixture
def life() -> Life:
    return Life()


def test_a_guest_starts_on_a_macvtap_that_was_read_back(life: Life) -> None:
    assert life.is_whole()
    assert life.domain.live_taps == (MACVTAP,)
    assert life.domain.live_hostdevs == ()
    assert life.report.wired == (port(1, 0),)
    assert MACVTAP_CAPABILITY in next(pf.capabilities for pf in life.report.observed.pfs if pf.key == AT[0])


def test_drift_of_the_vfs_device_is_repaired_in_place(life: Life) -> None:
    device = life.host.machine.links.vfs[AT]
    device.mtu, device.is_up = 1280, False
    life.tick()
    assert life.is_whole()
    assert life.events.count("drift_repaired") == 1
    assert len(life.host.hypervisor.starts) == 1


def test_a_mac_that_is_read_anew_costs_the_macvtap_and_no_event_says_that_it_was_repaired(life: Life) -> None:
    life.host.machine.links.vfs[AT].mac = MacAddress("02:00:00:00:00:01")
    life.tick()
    assert (life.events.count("macvtap_dropped"), life.events.count("drift_repaired")) == (1, 0)
    life.tick()
    assert life.is_whole()
    assert len(life.host.hypervisor.starts) == 1


def test_groups_that_it_does_not_hear_are_joined_in_place_and_blamed_on_nobody(life: Life) -> None:
    """What it shall hear changes with its port as well."""
    links = life.host.machine.links
    births = dict(links.births)
    links.groups[MACVTAP] = frozenset()
    links.hear(MACVTAP, allmulti=True)
    life.tick()
    assert (links.groups[MACVTAP], links.allmulti) == ({ALL_NODES}, set())
    assert (life.events.count("macvtap_changed"), life.events.count("drift_repaired")) == (1, 0)
    assert links.births == births


def test_one_that_goes_between_the_look_and_its_repair_is_not_made_for_who_has_it_open(life: Life) -> None:
    machine = life.host.machine

    def take(call: str) -> None:
        if call == "make_macvtap" and MACVTAP in machine.virtual_links and machine.links.births[MACVTAP] == 1:
            machine.virtual_links.discard(MACVTAP)

    machine.links.vfs[AT].mtu = 1280
    machine.fuse = take
    life.tick()
    assert life.is_whole()
    assert "drift_repaired" not in life.events
    assert machine.links.births[MACVTAP] == 2
    assert len(life.host.hypervisor.starts) == 1


def stray_address(life: Life) -> None:
    """As of a DHCP client that saw a network device appear."""
    machine = life.host.machine
    machine.host_addresses[machine.pfs[AT[0]].nic.vf_address(AT[1])] = "169.254.7.7/16"


def is_clean(life: Life) -> bool:
    clean = not differences(BASELINE, life.host.machine.pfs[AT[0]].vfs[AT[1]])
    return clean and AT not in life.host.machine.links.vfs and not life.report.holds


@pytest.mark.parametrize("is_ledger_lost", [False, True])
def test_an_address_on_its_vfs_device_keeps_nobody_from_the_scrub(
    life: Life, *, is_ledger_lost: bool
) -> None:
    stray_address(life)
    if is_ledger_lost:
        life.host.slots.lose()
        life.agent = life.host.agent(HOST, life.control)
    life.tick()
    assert life.report.holds == ()
    assert life.host.machine.pfs[AT[0]].nic.vf_address(AT[1]) in life.host.machine.ours
    life.wish(removals=(1,))
    life.tick()
    assert is_clean(life)


def test_nor_does_an_agent_that_dies_while_it_enters_what_it_finds_in_a_new_ledger(life: Life) -> None:
    """At any of its writes: the ledger is not new any more at the next look."""
    for number in range(1, 5):
        stray_address(life)
        life.host.slots.lose()
        life.agent = life.host.agent(HOST, life.control)
        life.host.machine.fuse = dies_at_write(number)
        life.tick()
        life.host.machine.fuse = dies_after(10**6)
        life.tick()
        assert (number, AT in SlotLedger(life.host.slots, HOST).given_vfs()) == (number, True)
        assert life.report.holds == ()


def dies_at_write(number: int) -> BeforeCall:
    writes = list[str]()

    def before_call(act: str) -> None:
        writes.extend([act] if act == "write record" else [])
        if len(writes) == number:
            raise AgentDied(act)

    return before_call


def test_nor_its_guest_from_a_new_one_where_the_macvtap_is_gone(life: Life) -> None:
    life.host.machine.virtual_links.discard(MACVTAP)
    stray_address(life)
    life.tick()
    assert life.is_whole()
    life.host.machine.virtual_links.discard(MACVTAP)
    stray_address(life)
    life.wish(removals=(1,))
    life.tick()
    assert is_clean(life)


def test_a_vf_of_its_number_that_was_made_since_and_that_the_host_uses_is_the_hosts(life: Life) -> None:
    """As when somebody wrote to sriov_numvfs, and gave the VF to its driver: nobody told that by driver_override."""
    machine = life.host.machine
    machine.rebind(*AT, "iavf")
    stray_address(life)
    life.wish(removals=(1,))
    life.tick()
    assert AT in machine.links.vfs
    assert machine.host_addresses
    assert [hold.what for hold in life.report.holds] == ["scrub the VF"]


def test_a_vf_that_never_was_ours_is_the_hosts_though_it_was_told_its_driver(life: Life) -> None:
    machine, other = life.host.machine, (AT[0], 5)
    machine.rebind(*other, "iavf")
    machine.links.vfs[other].is_told = True
    machine.host_addresses[machine.pfs[AT[0]].nic.vf_address(5)] = "10.0.0.5/24"
    life.tick()
    life.tick()
    assert other in machine.links.vfs
    assert [hold.what for hold in life.report.holds] == ["scrub the VF"]
    assert machine.pfs[AT[0]].nic.vf_address(5) not in machine.ours


def test_drift_of_the_vf_below_is_repaired_as_of_any(life: Life) -> None:
    vfs = life.host.machine.pfs[AT[0]].vfs
    vfs[3] = replace(vfs[3], vlan=999, trust=True)
    life.tick()
    assert life.is_whole()


def test_one_that_was_deleted_under_its_guest_is_given_anew(life: Life) -> None:
    life.host.machine.links.take(AT)
    assert not life.host.machine.has_open(life.domain, MACVTAP)
    life.tick()
    assert life.is_whole()
    assert (life.events.count("nic_detached"), life.events.count("nic_attached")) == (1, 1)
    assert len(life.host.hypervisor.starts) == 1


def test_a_guest_that_does_not_let_go_of_a_dead_one_fails_its_port_alone(life: Life) -> None:
    life.host.machine.troubles.deaf_guests = frozenset({NAME})
    life.host.machine.links.take(AT)
    life.tick()
    (failure,) = life.report.failures
    assert (failure.failure.code, failure.port_id, failure.spares_server) == (
        "not_released",
        port(1, 0),
        True,
    )
    assert MACVTAP not in life.host.machine.virtual_links
    assert life.report.wired == ()


def test_a_paused_guest_is_asked_when_it_goes_on(life: Life) -> None:
    life.wish(replace(BEFORE, power=Power.PAUSED))
    life.host.machine.links.take(AT)
    life.tick()
    assert life.domain.state is GuestState.PAUSED
    (hold,) = life.report.holds
    assert "anew" in hold.what
    life.wish(BEFORE)
    life.tick()
    assert life.domain.state is GuestState.RUNNING
    assert life.is_whole()


def test_a_running_guest_gets_another_and_lets_go_of_it(life: Life) -> None:
    life.wish(MORE)
    assert len(life.domain.live_taps) == 2
    assert set(life.report.wired) == {port(1, 0), port(1, 1)}
    life.wish(NONE)
    assert life.domain.live_taps == ()
    assert AT not in life.host.machine.links.vfs
    assert not differences(BASELINE, life.host.machine.pfs[AT[0]].vfs[3])


def test_a_vf_is_not_scrubbed_before_its_guest_has_let_go_of_the_macvtap(life: Life) -> None:
    life.host.machine.troubles.deaf_guests = frozenset({NAME})
    life.wish(LESS)
    assert life.is_whole()
    assert [failure.failure.code for failure in life.report.failures] == ["not_released"] * 3
    life.host.machine.troubles.deaf_guests = frozenset()
    life.clock.advance(60)
    life.tick()
    assert life.domain.live_taps == ()
    assert AT not in life.host.machine.links.vfs


def test_it_goes_before_its_vf_is_scrubbed(life: Life) -> None:
    after = HostWish(removals=(1,), generation=9)
    host = life.host
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    chains = {chain.key: chain for chain in diff(desired(after), seen).chains}
    (scrub,) = (chain for chain in chains.values() if isinstance(chain.steps[0], ScrubVf))
    assert {f"down/{server(1)}", f"tap/{MACVTAP}"} <= set(scrub.needs)
    assert f"down/{server(1)}" in chains[f"tap/{MACVTAP}"].needs


def test_a_paused_guest_that_lost_it_is_asked_for_nothing(life: Life) -> None:
    life.wish(replace(BEFORE, power=Power.PAUSED))
    host = life.host
    host.machine.links.take(AT)
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    assert life.control.desired is not None
    steps = [step for chain in diff(life.control.desired, seen).chains for step in chain.steps]
    assert not any(isinstance(step, DetachNic | MakeMacvtap | StopGuest) for step in steps)


def test_a_vf_under_a_running_domain_is_dirty_whatever_the_ledger_says(life: Life) -> None:
    ledger = SlotLedger(life.host.slots, HOST)
    ledger.mark_clean(*AT)
    host = life.host
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, ledger)
    assert next(vf.is_dirty for pf in seen.pfs if pf.key == AT[0] for vf in pf.vfs if vf.index == 3)


def test_who_has_a_macvtap_on_a_vf_is_not_scrubbed_under(life: Life) -> None:
    """Another hand started it once more when the plan was made already."""
    taken = life.host.machine.pfs[AT[0]].vfs[3]
    life.host.hypervisor.on_start = lambda *_: None
    life.wish(removals=(1,))
    assert NAME not in life.host.machine.domains
    assert taken.mac == MacAddress(settings(1, TAPPED).mac or "")
    assert life.host.machine.mishaps == []


@pytest.mark.parametrize("calls", range(1, 40))
def test_a_crash_between_any_two_calls_leaves_nothing_half_done(calls: int) -> None:
    life = Life()
    life.host.machine.fuse = dies_after(calls)
    life.wish(MORE)
    life.tick()
    life.wish(NONE)
    life.tick()
    life.tick()
    assert life.domain.live_taps == ()
    assert AT not in life.host.machine.links.vfs
    assert not differences(BASELINE, life.host.machine.pfs[AT[0]].vfs[3])
    assert life.host.machine.mishaps == []
