"""A running guest is given NICs and asked for them, one by one; it gets none that is not as its port says."""

from dataclasses import replace

import pytest

from fairlead.agent.guest_devices import attach_device
from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.guestxml.guest import SPARE_ROOT_PORTS
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.diff import diff
from fairlead.hoststate.lookup import look_up
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.steps import AttachNic, ConfigureVf, StopGuest
from fairlead.model.errors import Failure, Fault
from fairlead.model.pci import PciAddress
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE
from fairlead.sim.domain import DomainState
from fairlead.sim.mischief import dies_after
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, port, server, settings

FIRST, SECOND = VfWish(0, 3), VfWish(1, 0)
BEFORE = ServerWish(1, vfs=(FIRST,), taps=1)
MORE = ServerWish(1, vfs=(FIRST, SECOND), taps=2)
LESS = ServerWish(1, leaving_vfs=(FIRST,), leaving_taps=1)
OTHER = ServerWish(2, vfs=(VfWish(0, 5),))
NAME = f"fl-{server(1)}"


class Life(AgentLife):
    """A host with a guest that runs, whose agent is told other things of it then."""

    def __init__(self) -> None:
        super().__init__()
        self.wish(BEFORE, OTHER)

    def wish(self, *servers: ServerWish) -> None:
        self.want(HostWish(servers=servers))
        self.tick()

    @property
    def domain(self) -> DomainState:
        return self.host.machine.domains[NAME]

    def vf(self, wish: VfWish) -> object:
        return self.host.machine.pfs[DATA[wish.pf].key].vfs[wish.index]


@pytest.fixture
def life() -> Life:
    return Life()


def address(wish: VfWish) -> PciAddress:
    return DATA[wish.pf].vf_address(wish.index)


def test_a_running_guest_gets_a_vf_and_a_tap_that_are_set_before(life: Life) -> None:
    found = list[object]()
    life.host.hypervisor.on_attach = lambda *_: found.append(life.vf(SECOND))
    life.wish(MORE, OTHER)
    assert life.domain.live_hostdevs == (address(FIRST), address(SECOND))
    assert set(life.domain.live_taps) == {f"fltap-{port(1, 16 + n)[:8]}" for n in range(2)}
    assert found[0] == settings(1, SECOND)
    assert len(life.host.hypervisor.starts) == 2
    assert set(life.report.wired) >= {port(1, 0), port(1, 1), port(1, 16), port(1, 17)}
    assert "nic_attached" in {event.kind for report in life.control.reports for event in report.events}


def test_its_stored_domain_has_them_too_for_whoever_boots_it_next(life: Life) -> None:
    life.wish(MORE, OTHER)
    assert life.domain.hostdevs == (address(FIRST), address(SECOND))
    life.wish(LESS, OTHER)
    assert (life.domain.hostdevs, life.domain.taps) == ((), ())


def test_a_vf_that_cannot_be_set_is_not_given_and_the_failure_is_its_ports(life: Life) -> None:
    life.host.machine.troubles.refused_fields = frozenset({"vlan"})
    life.wish(ServerWish(1, vfs=(FIRST, replace(SECOND, vlan=300)), taps=1), OTHER)
    assert life.domain.live_hostdevs == (address(FIRST),)
    (failure,) = life.report.failures
    assert (failure.port_id, failure.server_id, failure.spares_server) == (port(1, 1), server(1), True)
    assert port(1, 1) not in life.report.wired
    assert life.vf(SECOND) == BASELINE


def test_a_paused_guest_goes_on_without_the_vf_that_it_cannot_be_given(life: Life) -> None:
    life.wish(replace(BEFORE, power=Power.PAUSED), OTHER)
    life.host.machine.troubles.refused_fields = frozenset({"vlan"})
    life.wish(ServerWish(1, vfs=(FIRST, replace(SECOND, vlan=300)), taps=1), OTHER)
    assert life.domain.state is GuestState.RUNNING
    assert life.domain.live_hostdevs == (address(FIRST),)
    (failure,) = life.report.failures
    assert (failure.port_id, failure.spares_server) == (port(1, 1), True)


def test_a_paused_guest_does_not_go_on_while_what_it_has_is_not_as_wanted(life: Life) -> None:
    life.wish(replace(BEFORE, power=Power.PAUSED), OTHER)
    life.host.machine.troubles.refused_fields = frozenset({"vlan"})
    life.wish(replace(BEFORE, vfs=(replace(FIRST, vlan=300),)), OTHER)
    assert life.domain.state is GuestState.PAUSED
    life.host.machine.troubles.refused_fields = frozenset()
    life.host.clock.advance(2)
    life.tick()
    assert life.domain.state is GuestState.RUNNING


def test_a_vf_that_was_changed_since_it_was_set_is_set_again_before_it_is_given(life: Life) -> None:
    vfs, third, given, changed = life.host.machine.pfs[DATA[1].key].vfs, VfWish(1, 1), [], []

    def meddle(step: object) -> None:
        if isinstance(step, AttachNic) and step.device.port_id == port(1, 1):
            vfs[third.index] = replace(vfs[third.index], vlan=7)
            changed.append(third)

    life.agent = life.host.agent(HOST, life.control, meddle)
    life.host.hypervisor.on_attach = lambda *_: given.append(life.vf(third))
    life.wish(ServerWish(1, vfs=(FIRST, SECOND, third), taps=1), OTHER)
    assert changed
    assert life.domain.live_hostdevs == (address(FIRST), address(SECOND), address(third))
    assert given[-1] == settings(1, third)


def test_a_vf_that_cannot_be_set_fails_its_port_and_spares_the_server(life: Life) -> None:
    vfs = life.host.machine.pfs[DATA[1].key].vfs

    def meddle(step: object) -> None:
        if isinstance(step, ConfigureVf) and step.port_id == port(1, 1):
            vfs[SECOND.index] = replace(vfs[SECOND.index], vlan=7)

    life.agent = life.host.agent(HOST, life.control, meddle)
    life.wish(ServerWish(1, vfs=(FIRST, SECOND), taps=1), OTHER)
    assert life.domain.live_hostdevs == (address(FIRST),)
    (failure,) = life.report.failures
    assert (failure.failure.code, failure.port_id) == ("vf_setting_not_kept", port(1, 1))
    assert "vlan" in failure.failure.doing
    assert failure.spares_server


def test_a_guest_takes_in_as_many_nics_as_it_has_spare_root_ports(life: Life) -> None:
    """The one more fails its port alone, and has its place at the next boot."""
    wish = ServerWish(1, vfs=(FIRST,), taps=1 + SPARE_ROOT_PORTS + 1)
    life.wish(wish, OTHER)
    assert len(life.domain.live_taps) == 1 + SPARE_ROOT_PORTS
    (failure,) = life.report.failures
    assert "No more available PCI slots" in failure.failure.answer
    assert failure.spares_server
    life.wish(replace(wish, boot_serial=2), OTHER)
    assert len(life.domain.live_taps) == 1 + SPARE_ROOT_PORTS + 1
    assert life.report.failures == ()


def test_a_port_is_not_wired_before_its_guest_has_it(life: Life) -> None:
    life.host.machine.troubles.hanging["attach"] = 1
    life.wish(ServerWish(1, vfs=(FIRST, SECOND), taps=1), OTHER)
    assert life.vf(SECOND) == settings(1, SECOND)
    assert port(1, 1) not in life.report.wired
    life.host.clock.advance(2)
    life.tick()
    assert port(1, 1) in life.report.wired


def test_nor_is_a_port_with_a_tap(life: Life) -> None:
    life.host.machine.troubles.hanging["attach"] = 1
    life.wish(ServerWish(1, vfs=(FIRST,), taps=2), OTHER)
    assert f"fltap-{port(1, 17)[:8]}" in life.host.machine.virtual_links
    assert port(1, 17) not in life.report.wired
    life.host.clock.advance(2)
    life.tick()
    assert port(1, 17) in life.report.wired


def test_a_domain_is_not_written_anew_while_a_device_of_it_is_away(life: Life) -> None:
    before = life.domain.xml
    life.host.machine.pfs[DATA[0].key].is_present = False
    life.wish(ServerWish(1, vfs=(FIRST,), taps=2), OTHER)
    assert life.domain.xml == before
    assert {failure.failure.doing for failure in life.report.failures} == {"Looking for"}


def test_a_paused_guest_is_not_asked_to_go_down_for_a_boot_that_is_not_hard(life: Life) -> None:
    life.wish(replace(BEFORE, power=Power.PAUSED), OTHER)
    desired_now = desired(HostWish(servers=(replace(BEFORE, boot_serial=2), OTHER), generation=9))
    seen = observe(
        life.host.kernel,
        life.host.vdp,
        life.host.hypervisor,
        life.host.disks,
        SlotLedger(life.host.slots, HOST),
    )
    stops = [
        step
        for chain in diff(desired_now, seen).chains
        for step in chain.steps
        if isinstance(step, StopGuest)
    ]
    assert stops == [StopGuest(server(1), is_graceful=False)]


def test_what_a_guest_lets_go_of_is_scrubbed_then(life: Life) -> None:
    life.wish(LESS, OTHER)
    assert (life.domain.live_hostdevs, life.domain.live_taps) == ((), ())
    assert life.domain.state is GuestState.RUNNING
    assert life.vf(FIRST) == BASELINE
    assert not any(name.startswith("fl") for name in life.host.machine.virtual_links)
    assert life.host.machine.mishaps == []


def test_a_deaf_guest_keeps_its_vf_untouched_and_nobody_else_waits(life: Life) -> None:
    life.host.machine.troubles.deaf_guests = frozenset({NAME})
    life.wish(LESS, replace(OTHER, vfs=(*OTHER.vfs, SECOND)))
    assert life.vf(FIRST) == settings(1, FIRST)
    assert life.domain.live_hostdevs == (address(FIRST),)
    assert life.vf(SECOND) == settings(2, SECOND)
    told = {failure.port_id: failure for failure in life.report.failures if failure.server_id}
    assert {failure.failure.code for failure in told.values()} == {"not_released"}
    assert all(failure.spares_server for failure in told.values())
    assert port(1, 8) in told


def test_a_deaf_guest_is_asked_again_and_may_hear_then(life: Life) -> None:
    life.host.machine.troubles.deaf_guests = frozenset({NAME})
    life.wish(LESS, OTHER)
    life.host.machine.troubles.deaf_guests = frozenset()
    life.host.clock.advance(2)
    life.tick()
    assert life.vf(FIRST) == BASELINE
    assert life.report.failures == ()


def test_a_hard_reboot_takes_it_from_a_deaf_guest(life: Life) -> None:
    life.host.machine.troubles.deaf_guests = frozenset({NAME})
    life.wish(LESS, OTHER)
    life.wish(replace(LESS, boot_serial=2, hard_reboot=True), OTHER)
    assert (life.domain.live_serial, life.domain.live_hostdevs) == (2, ())
    assert life.vf(FIRST) == BASELINE
    assert life.report.failures == ()
    assert life.host.machine.mishaps == []


def test_a_paused_guest_lets_go_once_it_goes_on(life: Life) -> None:
    life.domain.state = GuestState.PAUSED
    life.wish(LESS, OTHER)
    assert life.domain.state is GuestState.RUNNING
    assert life.vf(FIRST) == BASELINE


def calls_of() -> int:
    """How many calls an agent makes to attach and detach."""
    life, made = Life(), list[str]()
    life.host.machine.fuse = made.append
    come_and_go(life)
    return len(made)


def come_and_go(life: Life) -> None:
    life.wish(MORE, OTHER)
    life.wish(replace(LESS, leaving_vfs=(FIRST, SECOND), leaving_taps=2), OTHER)


@pytest.mark.parametrize("calls", range(calls_of()))
def test_wherever_the_agent_dies_all_comes_and_goes_the_same(calls: int) -> None:
    life, wrong = Life(), list[object]()

    def look(domain: DomainState, hostdevs: tuple[PciAddress, ...], *_: object) -> None:
        if hostdevs and life.vf(SECOND) != settings(1, SECOND):
            wrong.append((domain.name, life.vf(SECOND)))

    life.host.hypervisor.on_attach = look
    life.host.machine.fuse = dies_after(calls)
    life.wish(MORE, OTHER)
    life.tick()
    assert set(life.domain.live_hostdevs) == {address(FIRST), address(SECOND)}
    life.wish(replace(LESS, leaving_vfs=(FIRST, SECOND), leaving_taps=2), OTHER)
    life.tick()
    assert life.domain.live_hostdevs == ()
    assert (life.vf(FIRST), life.vf(SECOND), wrong) == (BASELINE, BASELINE, [])
    assert life.host.machine.mishaps == []
    assert len(life.host.hypervisor.starts) == 2


def attach(life: Life, wish: ServerWish, document: DesiredState) -> Failure:
    """Why the first device of the wish is not given to its running guest by a plan made of that document."""
    host = life.host
    hands = host.hands(HOST, life.control)
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, hands.ledger)
    (guest,) = desired(HostWish(servers=(wish,))).guests
    with pytest.raises(Fault) as caught:
        attach_device(AttachNic(server(1), guest.devices[0]), hands, look_up(document, seen))
    return caught.value.failure


def test_the_vf_of_another_server_is_given_to_nobody(life: Life) -> None:
    """A plan names one that the document gives to a server, which is not the guest's."""
    theirs = ServerWish(1, vfs=OTHER.vfs)
    life.wish(BEFORE, replace(OTHER, power=Power.STOPPED))
    assert life.control.desired is not None
    failure = attach(life, theirs, life.control.desired)
    assert (failure.code, server(1) in failure.subject) == ("device_missing", True)
    assert life.domain.live_hostdevs == (address(FIRST),)


def test_no_macvtap_is_given_on_a_vf_that_is_not_as_its_port_says(life: Life) -> None:
    below = replace(SECOND, is_tapped=True)
    wish = ServerWish(1, vfs=(below,))
    life.wish(wish, OTHER)
    vfs = life.host.machine.pfs[DATA[1].key].vfs
    vfs[below.index] = replace(vfs[below.index], vlan=7)
    assert life.control.desired is not None
    given = list[object]()
    life.host.hypervisor.on_attach = lambda *_: given.append(life.vf(below))
    failure = attach(life, wish, life.control.desired)
    assert (failure.code, "vlan" in failure.answer) == ("not_as_wanted", True)
    assert given == []
