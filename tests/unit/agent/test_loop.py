"""The agent on a simulated machine: it converges, reports, and keeps going when things fail."""

from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.loop import Agent
from fairlead.agent.observe import observe
from fairlead.hoststate.diff import diff
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.report import Report
from fairlead.hoststate.steps import DefineGuest, RemoveGuest, SetNumVfs, StartGuest, Step
from fairlead.model.ids import HostId
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE, nobodys_mac
from fairlead.sim.by_hand import start_by_hand
from fairlead.sim.fleet import MemorySlots, SimHost, sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import (
    DATA,
    GPU,
    HOST,
    IMAGE,
    IMAGE_BYTES,
    HostWish,
    ServerWish,
    VfWish,
    desired,
    port,
    server,
    settings,
)

VF = VfWish(0, 3)
ONE = ServerWish(1, vfs=(VF,), taps=1)


class Rig:
    """A host with its agent and the stand-in for control."""

    def __init__(self, wish: HostWish, root: Path | None = None) -> None:
        self.host: SimHost = sim_host("h1", 1, root=root)
        self.control = ControlStandIn(desired(wish))
        self.agent: Agent = self.host.agent(HOST, self.control)

    def wish(self, wish: HostWish) -> None:
        generation = self.control.desired.generation if self.control.desired else 0
        self.control.desired = desired(replace(wish, generation=generation + 1))

    def tick(self) -> Report:
        if not self.control.is_away:
            self.agent.poll(0)
        self.agent.tick()
        return self.control.reports[-1]

    def guest_state(self, number: int) -> GuestState:
        return self.host.machine.domains[f"fl-{server(number)}"].state


@pytest.fixture(params=["memory", "tree"])
def rig(request, tmp_path) -> Rig:
    """On the fast kernel, and on the real kernel adapter over a fake /sys."""
    return Rig(HostWish(servers=(ONE,)), tmp_path if request.param == "tree" else None)


def test_one_tick_makes_vfs_and_starts_the_guest_on_a_configured_one(rig):
    report = rig.tick()
    assert [start.server_id for start in rig.host.hypervisor.starts] == [server(1)]
    assert list(rig.host.hypervisor.starts[0].vfs.values()) == [settings(1, VF)]
    assert set(report.wired) == {port(1, 0), port(1, 16)}
    assert report.generation == 1
    assert not report.failures
    assert not report.holds
    assert rig.host.machine.mishaps == []


def test_a_guest_that_another_hand_starts_on_vfs_as_they_are_is_started_anew(rig):
    rig.tick()
    machine = rig.host.machine
    machine.reboot()
    machine.recount(DATA[0].key, 8)
    start_by_hand(machine, machine.domains[f"fl-{server(1)}"])
    report = rig.tick()
    told = [event.message for event in report.events if event.kind == "guest_stopped"]
    assert len(told) == 1
    assert "another hand" in told[0]
    assert rig.guest_state(1) is GuestState.RUNNING
    assert list(rig.host.hypervisor.starts[-1].vfs.values()) == [settings(1, VF)]
    assert len(rig.host.hypervisor.starts) == 2
    assert [guest.boot_serial for guest in report.observed.guests] == [1]


def drift(rig: Rig) -> None:
    pf = rig.host.machine.pfs[DATA[0].key]
    pf.vfs[VF.index] = replace(pf.vfs[VF.index], vlan=7)


def test_a_guest_runs_on_whose_agent_died_at_its_start_though_its_vf_has_changed_since(rig):
    calls: list[str] = []

    def die(call: str) -> None:
        calls.append(call)
        if "start" in calls[:-1]:
            raise Death

    rig.host.machine.fuse = die
    with pytest.raises(Death):
        rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING
    rig.host.machine.fuse = calls.append
    drift(rig)
    rig.agent = rig.host.agent(HOST, rig.control)
    report = rig.tick()
    assert "drift_repaired" in {event.kind for event in report.events}
    assert len(rig.host.hypervisor.starts) == 1
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_guest_runs_on_whose_ledger_is_lost_and_whose_vf_has_changed(rig):
    rig.tick()
    drift(rig)
    rig.agent = replace(rig.host, slots=MemorySlots()).agent(HOST, rig.control)
    report = rig.tick()
    assert "drift_repaired" in {event.kind for event in report.events}
    assert len(rig.host.hypervisor.starts) == 1


def test_a_guest_that_another_hand_starts_on_vfs_as_wanted_runs_on(rig):
    rig.tick()
    machine = rig.host.machine
    domain = machine.domains[f"fl-{server(1)}"]
    domain.state = GuestState.STOPPED
    start_by_hand(machine, domain)
    report = rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING
    assert len(rig.host.hypervisor.starts) == 1
    assert [guest.boot_serial for guest in report.observed.guests] == [1]


def test_a_guest_that_shall_be_down_and_another_hand_starts_goes_down_at_once(rig):
    rig.tick()
    rig.wish(HostWish(servers=(replace(ONE, power=Power.STOPPED),)))
    rig.tick()
    machine = rig.host.machine
    machine.reboot()
    machine.recount(DATA[0].key, 8)
    start_by_hand(machine, machine.domains[f"fl-{server(1)}"])
    rig.tick()
    assert rig.guest_state(1) is GuestState.STOPPED
    assert machine.domains[f"fl-{server(1)}"].reason == "destroyed"


def test_a_device_that_waits_for_its_reset_gets_it_also_after_the_ledger_is_lost(rig):
    rig.wish(HostWish(servers=(replace(ONE, has_gpu=True),)))
    rig.tick()
    machine, gone = rig.host.machine, HostWish(removals=(1,))
    rig.wish(gone)

    def die(step: Step) -> None:
        if isinstance(step, RemoveGuest):
            raise Death

    rig.agent = rig.host.agent(HOST, rig.control, die)
    with pytest.raises(Death):
        rig.tick()
    assert GPU.pci_address in machine.traces
    rig.agent = replace(rig.host, slots=MemorySlots()).agent(HOST, rig.control)
    report = rig.tick()
    assert GPU.pci_address not in machine.traces
    assert not any(pci.is_dirty for pci in report.observed.pcis)


def test_a_second_tick_does_nothing_and_says_nothing(rig):
    rig.tick()
    count = len(rig.control.reports)
    rig.tick()
    rig.tick()
    assert len(rig.control.reports) == count
    assert len(rig.host.hypervisor.starts) == 1


def test_an_agent_that_lost_its_ledger_waits_for_a_document(rig):
    rig.tick()
    rig.control.is_away = True
    lost = replace(rig.host, slots=MemorySlots())
    lost.agent(HOST, rig.control).tick()
    assert rig.guest_state(1) is GuestState.RUNNING


def test_an_agent_that_lost_its_ledger_scrubs_what_nobody_owns_and_leaves_the_rest(rig):
    rig.tick()
    rig.control.desired = None
    rig.agent = replace(rig.host, slots=MemorySlots()).agent(HOST, rig.control)
    report = rig.tick()
    assert all(vf.is_dirty for vf in report.observed.pfs[1].vfs)
    rig.control.desired = desired(HostWish(servers=(ONE,)))
    report = rig.tick()
    assert [vf.index for vf in report.observed.pfs[1].vfs if vf.is_dirty] == [3]
    assert len(rig.host.hypervisor.starts) == 1


def test_a_document_for_another_host_is_not_obeyed(rig):
    rig.tick()
    other = replace(desired(HostWish(generation=9)), host_id=HostId("00000000-0000-4000-8000-0000000000f2"))
    rig.control.desired = other
    assert rig.tick().generation == 1
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_removed_server_leaves_a_clean_vf(rig):
    rig.tick()
    rig.wish(HostWish(removals=(1,)))
    report = rig.tick()
    assert rig.host.machine.domains == {}
    assert rig.host.machine.virtual_links == set()
    assert rig.host.machine.pfs[DATA[0].key].vfs[3] == BASELINE
    assert not report.observed.pfs[1].vfs[3].is_dirty
    assert rig.host.disks.guests() == ()
    assert {event.kind for event in report.events} == {"guest_stopped", "guest_removed", "vf_scrubbed"}


def test_a_vf_whose_driver_refuses_the_cleared_mac_is_clean_with_nobodys(rig):
    pf = rig.host.machine.pfs[DATA[0].key]
    pf.nic = replace(pf.nic, refuses_no_mac=True)
    rig.tick()
    rig.wish(HostWish(removals=(1,)))
    report = rig.tick()
    assert not report.failures
    assert pf.vfs[3] == replace(BASELINE, mac=nobodys_mac(DATA[0].key, 3))
    assert not report.observed.pfs[1].vfs[3].is_dirty
    reborn = rig.host.agent(HOST, rig.control)
    reborn.poll(0)
    reborn.tick()
    assert not [event for report in rig.control.reports[-1:] for event in report.events]
    rig.wish(HostWish(servers=(ONE,)))
    rig.tick()
    assert pf.vfs[3] == settings(1, VF)


def test_drift_under_a_running_guest_is_repaired_and_told(rig):
    rig.tick()
    vfs = rig.host.machine.pfs[DATA[0].key].vfs
    vfs[3] = replace(vfs[3], vlan=999)
    report = rig.tick()
    assert vfs[3] == settings(1, VF)
    told = [event for event in report.events if event.kind == "drift_repaired"]
    assert "vlan was 999" in told[0].message
    assert len(rig.host.hypervisor.starts) == 1


def test_a_refused_setting_keeps_the_guest_down_and_leaves_a_clean_vf(rig):
    rig.host.machine.troubles.refused_fields = frozenset({"vlan"})
    report = rig.tick()
    assert rig.host.hypervisor.starts == []
    [failure] = report.failures
    assert failure.server_id == server(1)
    assert failure.port_id == port(1, 0)
    assert "vlan 100" in failure.failure.doing
    assert "EOPNOTSUPP" in failure.failure.answer
    assert rig.host.machine.pfs[DATA[0].key].vfs[3] == BASELINE


def test_a_failed_chain_waits_then_is_tried_again(rig):
    rig.host.machine.troubles.refused_fields = frozenset({"vlan"})
    rig.tick()
    rig.host.machine.troubles.refused_fields = frozenset()
    assert rig.tick().failures
    assert 0 < rig.agent.rest_seconds() <= 1
    rig.host.clock.advance(1.1)
    assert not rig.tick().failures
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_rate_without_a_link_is_refused_with_a_hint():
    rig = Rig(HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 0, max_rate_mbps=100),)),)))
    rig.host.machine.pfs[DATA[0].key].has_cable = False
    [failure] = rig.tick().failures
    assert "no link" in failure.failure.hint


def test_a_setting_that_is_not_kept_is_a_failure(rig):
    rig.host.machine.troubles.ignored_fields = frozenset({"vlan"})
    [failure] = rig.tick().failures
    assert failure.failure.code == "vf_setting_not_kept"
    assert rig.host.hypervisor.starts == []


def test_one_guest_that_fails_does_not_stop_another():
    good, bad = ServerWish(1, vfs=(VfWish(0, 0),)), ServerWish(2, vfs=(VfWish(1, 0, max_rate_mbps=99999),))
    rig = Rig(HostWish(servers=(bad, good)))
    report = rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING
    assert [failure.server_id for failure in report.failures] == [server(2)]


def test_what_a_family_cannot_do_is_told_of_its_servers(rig):
    rig.host.machine.troubles.hanging["set_num_vfs"] = 4
    report = rig.tick()
    assert server(1) in {failure.server_id for failure in report.failures}
    rig.host.clock.advance(1.1)
    assert not rig.tick().failures


def test_a_guest_that_went_down_itself_stays_down(rig):
    rig.tick()
    rig.host.machine.domains[f"fl-{server(1)}"].state = GuestState.STOPPED
    report = rig.tick()
    assert rig.guest_state(1) is GuestState.STOPPED
    assert report.observed.guests[0].boot_serial == 1


def test_a_new_serial_boots_it_anew(rig):
    rig.tick()
    rig.wish(HostWish(servers=(replace(ONE, boot_serial=2),)))
    report = rig.tick()
    assert [start.boot_serial for start in rig.host.hypervisor.starts] == [1, 2]
    assert report.observed.guests[0].boot_serial == 2


def test_stop_and_start(rig):
    rig.tick()
    rig.wish(HostWish(servers=(replace(ONE, power=Power.STOPPED),)))
    rig.tick()
    assert rig.guest_state(1) is GuestState.STOPPED
    rig.wish(HostWish(servers=(replace(ONE, boot_serial=2),)))
    rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_paused_guest_goes_on(rig):
    rig.tick()
    rig.host.machine.domains[f"fl-{server(1)}"].state = GuestState.PAUSED
    rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_guest_that_is_to_be_paused_is_halted_and_stays_so(rig):
    rig.tick()
    rig.wish(HostWish(servers=(replace(ONE, power=Power.PAUSED),)))
    report = rig.tick()
    assert rig.guest_state(1) is GuestState.PAUSED
    assert "guest_paused" in [event.kind for event in report.events]
    assert len(report.wired) == 2
    rig.host.machine.domains[f"fl-{server(1)}"].state = GuestState.RUNNING
    rig.tick()
    assert rig.guest_state(1) is GuestState.PAUSED
    assert len(rig.host.hypervisor.starts) == 1


def test_a_paused_guest_comes_back_paused_after_the_host_booted(rig):
    rig.wish(HostWish(servers=(replace(ONE, power=Power.PAUSED),)))
    rig.tick()
    rig.host.machine.reboot()
    rig.tick()
    assert rig.guest_state(1) is GuestState.PAUSED
    assert rig.host.machine.pfs[DATA[0].key].vfs[3] == settings(1, VF)
    rig.wish(HostWish(servers=(ONE,)))
    rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_paused_guest_whose_vf_was_changed_goes_on_once_that_is_repaired(rig):
    rig.wish(HostWish(servers=(replace(ONE, power=Power.PAUSED),)))
    rig.tick()
    vfs = rig.host.machine.pfs[DATA[0].key].vfs
    vfs[3] = replace(vfs[3], trust=True)
    rig.host.machine.troubles.refused_fields = frozenset({"trust"})
    rig.wish(HostWish(servers=(ONE,)))
    rig.tick()
    assert rig.guest_state(1) is GuestState.PAUSED
    rig.host.machine.troubles.refused_fields = frozenset()
    rig.host.clock.advance(61)
    rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_guest_runs_on_until_the_image_of_its_rebuild_is_here(rig):
    rig.tick()

    rig.wish(HostWish(servers=(replace(ONE, boot_serial=2, hard_reboot=True, disk_serial=2, image=IMAGE),)))
    report = rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING
    assert [start.boot_serial for start in rig.host.hypervisor.starts] == [1]
    assert {failure.server_id for failure in report.failures} == {None, server(1)}
    rig.control.images[IMAGE.id] = IMAGE_BYTES
    rig.host.clock.advance(1.1)
    report = rig.tick()
    assert report.failures == ()
    assert [start.boot_serial for start in rig.host.hypervisor.starts] == [1, 2]
    assert report.observed.guests[0].disk_serial == 2


def test_the_disk_of_a_guest_that_runs_is_not_made_anew_under_it(rig):
    rig.control.images[IMAGE.id] = IMAGE_BYTES
    rig.wish(HostWish(servers=(replace(ONE, image=IMAGE),)))
    rig.tick()
    rig.wish(HostWish(servers=(replace(ONE, image=IMAGE, disk_serial=2),)))
    rig.tick()
    assert [disk.serial for _, disk in rig.host.disks.overlays_made] == [1]


def test_after_the_host_booted_everything_comes_back(rig):
    rig.tick()
    rig.host.machine.reboot()
    rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING
    assert rig.host.machine.pfs[DATA[0].key].vfs[3] == settings(1, VF)


def test_control_away_changes_nothing_on_the_host(rig):
    rig.tick()
    rig.control.is_away = True
    vfs = rig.host.machine.pfs[DATA[0].key].vfs
    vfs[3] = replace(vfs[3], trust=True)
    rig.tick()
    assert vfs[3] == settings(1, VF)
    rig.control.is_away = False
    report = rig.tick()
    assert "drift_repaired" in {event.kind for event in report.events}


def test_an_older_document_is_refused(rig):
    rig.wish(HostWish(servers=(ONE,)))
    rig.tick()
    rig.control.desired = desired(HostWish(generation=1))
    rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING


def test_a_number_of_vfs_is_not_changed_under_anybody(rig):
    rig.tick()
    rig.wish(HostWish(servers=(ONE,), num_vfs=(4, 4)))
    report = rig.tick()
    [hold] = report.holds
    assert hold.holders == (server(1),)
    assert len(rig.host.machine.pfs[DATA[0].key].vfs) == 8
    assert len(rig.host.machine.pfs[DATA[1].key].vfs) == 4
    rig.wish(HostWish(num_vfs=(4, 4), removals=(1,)))
    assert not rig.tick().holds
    assert len(rig.host.machine.pfs[DATA[0].key].vfs) == 4


def test_vfs_that_the_driver_does_not_tell_about_count_as_in_use(rig):
    rig.tick()
    seen = observe(
        rig.host.kernel, rig.host.vdp, rig.host.hypervisor, rig.host.disks, SlotLedger(rig.host.slots, HOST)
    )
    silent = tuple(replace(pf, vfs=()) if pf.key == DATA[0].key else pf for pf in seen.pfs)
    wish = desired(HostWish(servers=(ONE,), num_vfs=(4, 8), generation=2))

    plan = diff(wish, replace(seen, pfs=silent))

    assert not any(
        isinstance(step, SetNumVfs) for stage in plan.stages for chain in stage for step in chain.steps
    )
    assert any("not told about" in holder for hold in plan.holds for holder in hold.holders)


def test_a_guest_does_not_start_on_a_vf_that_lost_its_settings_meanwhile(rig):
    others = iter([BASELINE])

    def interfere(step: Step) -> None:
        if isinstance(step, DefineGuest):
            vfs = rig.host.machine.pfs[DATA[0].key].vfs
            vfs[3] = next(others, vfs[3])

    rig.agent = rig.host.agent(HOST, rig.control, interfere)
    rig.tick()

    assert [list(start.vfs.values()) for start in rig.host.hypervisor.starts] == [[settings(1, VF)]]


class Death(BaseException):
    """The agent dies."""


@pytest.mark.parametrize("steps", range(12))
def test_a_crash_after_any_step_is_made_good(steps):
    rig = Rig(HostWish(servers=(ONE,)))
    left = [steps]

    def die(step: Step) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Death

    rig.agent = rig.host.agent(HOST, rig.control, die)
    try:
        rig.tick()
    except Death:
        rig.agent = rig.host.agent(HOST, rig.control)
    rig.tick()
    assert rig.guest_state(1) is GuestState.RUNNING
    assert len(rig.host.hypervisor.starts) == 1
    assert rig.host.machine.mishaps == []


def test_ports_are_wired_before_the_guest_is_defined():
    order: list[type[Step]] = []
    rig = Rig(HostWish(servers=(ONE,)))
    rig.agent = rig.host.agent(HOST, rig.control, lambda step: order.append(type(step)))
    rig.tick()
    names = [step.__name__ for step in order]
    assert max(names.index("ConfigureVf"), names.index("MakeTap")) < names.index("DefineGuest")
    assert order.index(DefineGuest) < order.index(StartGuest)
