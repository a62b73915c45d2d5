"""Plans as text: what an agent would do, stage by stage."""

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.desired import DesiredGuest
from fairlead.hoststate.diff import diff
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.steps import HostPlan
from fairlead.model.pci import MacAddress
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE
from fairlead.sim.domain import DomainState
from fairlead.sim.fleet import SimHost, sim_host
from tests.control_stand_in import ControlStandIn
from tests.golden.comparison import OF_SOME, assert_golden
from tests.host_wishes import DATA, HOST, IMAGE, HostWish, ServerWish, VfWish, desired, server

HERE = Path(__file__).parent
ONE = ServerWish(1, vfs=(VfWish(0, 3),), taps=1)
TWO = ServerWish(2, vfs=(VfWish(0, 4), VfWish(1, 0)))
BARED = ServerWish(1, leaving_vfs=(VfWish(0, 3),), leaving_taps=1)
STATION = ServerWish(1, vfs=(VfWish(0, 3, vsi_type=7),))
TAPPED = ServerWish(1, vfs=(VfWish(0, 3, is_tapped=True),))
FABRIC = ServerWish(1, vfs=(VfWish(1, 2, profile_id="finance"),))
VF_OF_WHOLE = ServerWish(1, vfs=(VfWish(1, 0),))
UNTOLD = ServerWish(1, vfs=(VfWish(0, 3, is_withheld=True),), taps=1)
BOTH = HostWish(servers=(ONE, TWO))


def bare() -> SimHost:
    return sim_host("h1", 1)


def converged(wish: HostWish) -> SimHost:
    host, control = bare(), ControlStandIn(desired(wish))
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()
    return host


def bare_with_vfs() -> SimHost:
    return converged(HostWish())


def vsi_lost() -> SimHost:
    host = converged(HostWish(servers=(STATION,)))
    host.machine.vsis.clear()
    return host


def drifted() -> SimHost:
    host = converged(BOTH)
    vfs = host.machine.pfs[DATA[0].key].vfs
    vfs[3] = replace(vfs[3], trust=True)
    vfs[7] = replace(BASELINE, mac=MacAddress("02:00:00:00:00:07"))
    host.machine.pfs[DATA[1].key].is_up = False
    return host


def forgotten() -> SimHost:
    host = converged(HostWish(servers=(FABRIC,)))
    host.machine.lose_association(DATA[1].key, 2)
    return host


def with_a_stranger() -> SimHost:
    host = converged(HostWish(num_vfs=(8, 8)))
    address = (DATA[0].vf_address(3),)
    host.machine.domains["theirs"] = DomainState(
        "theirs", None, "", 0, address, (), "", GuestState.RUNNING, live_hostdevs=address
    )
    return host


def gone_down() -> SimHost:
    host = converged(BOTH)
    host.machine.domains[f"fl-{server(1)}"].state = GuestState.STOPPED
    return host


def asleep() -> SimHost:
    host = converged(HostWish(servers=(ONE,)))
    domain = host.machine.domains[f"fl-{server(1)}"]
    domain.live_hostdevs = ()
    domain.save()
    return host


def rebooted() -> SimHost:
    host = converged(BOTH)
    host.machine.reboot()
    return host


def paused() -> SimHost:
    host = converged(BOTH)
    host.machine.domains[f"fl-{server(1)}"].state = GuestState.PAUSED
    return host


def bereft() -> SimHost:
    host = converged(BOTH)
    domain = host.machine.domains[f"fl-{server(1)}"]
    domain.live_hostdevs = ()
    return host


def with_its_vf_set() -> SimHost:
    """The VF of TAPPED is as its port says, and has no macvtap yet."""
    host = converged(HostWish(servers=(TAPPED,)))
    host.machine.links.seal((DATA[0].key, 3))
    host.machine.domains[f"fl-{server(1)}"].go_down(GuestState.STOPPED, "")
    return host


def with_a_dead_macvtap() -> SimHost:
    host = converged(HostWish(servers=(TAPPED,)))
    host.machine.links.take((DATA[0].key, 3))
    return host


def with_a_drifted_macvtap() -> SimHost:
    host = converged(HostWish(servers=(TAPPED,)))
    host.machine.links.vfs[DATA[0].key, 3].is_up = False
    return host


def with_a_deaf_macvtap() -> SimHost:
    host = converged(HostWish(servers=(TAPPED,)))
    host.machine.links.groups = dict.fromkeys(host.machine.links.groups, frozenset())
    return host


def without_its_tap() -> SimHost:
    """Somebody took it; the uplink still lets in its guest's MAC."""
    host = converged(HostWish(servers=(replace(ONE, vfs=()),)))
    (tap,) = host.kernel.taps
    host.machine.virtual_links.discard(tap)
    return host


def without_its_bridge() -> SimHost:
    host = without_its_tap()
    host.machine.virtual_links.clear()
    return host


CASES = {
    "first_vfs_are_made_before_any_guest": (bare, BOTH),
    "guests_start_on_configured_vfs": (lambda: converged(HostWish()), BOTH),
    "as_desired": (lambda: converged(BOTH), BOTH),
    "a_removed_server_is_scrubbed_away": (lambda: converged(BOTH), HostWish(servers=(TWO,), removals=(1,))),
    "a_guest_that_is_not_named_keeps_all_that_it_has": (
        lambda: converged(BOTH),
        HostWish(servers=(ServerWish(3, vfs=(VfWish(0, 3),)),), num_vfs=(4, 8)),
    ),
    "a_vf_passes_from_one_server_to_another": (
        lambda: converged(HostWish(servers=(ONE,))),
        HostWish(servers=(ServerWish(3, vfs=(VfWish(0, 3, vlan=300),)),), removals=(1,)),
    ),
    "drift_is_repaired": (drifted, BOTH),
    "an_association_that_was_lost_is_made_again": (forgotten, HostWish(servers=(FABRIC,))),
    "another_profile_of_the_switch": (
        lambda: converged(HostWish(servers=(FABRIC,))),
        HostWish(servers=(replace(FABRIC, vfs=(VfWish(1, 2, profile_id="hr"),)),)),
    ),
    "a_count_waits_for_its_holders": (lambda: converged(BOTH), replace(BOTH, num_vfs=(4, 2))),
    "a_count_that_the_device_cannot": (bare, HostWish(num_vfs=(64, 8))),
    "a_stranger_keeps_its_vf": (with_a_stranger, BOTH),
    "hard_reboot": (
        lambda: converged(HostWish(servers=(ONE,))),
        HostWish(servers=(replace(ONE, boot_serial=2, hard_reboot=True),)),
    ),
    "pause": (
        lambda: converged(HostWish(servers=(ONE,))),
        HostWish(servers=(replace(ONE, power=Power.PAUSED),)),
    ),
    "a_paused_guest_after_the_host_booted": (
        rebooted,
        HostWish(servers=(replace(ONE, power=Power.PAUSED), TWO)),
    ),
    "rebuild": (
        lambda: converged(HostWish(servers=(ONE,))),
        HostWish(servers=(replace(ONE, boot_serial=2, hard_reboot=True, disk_serial=2, image=IMAGE),)),
    ),
    "suspend": (
        lambda: converged(HostWish(servers=(ONE,))),
        HostWish(servers=(replace(ONE, power=Power.SUSPENDED),)),
    ),
    "resume": (
        asleep,
        HostWish(servers=(ONE,)),
    ),
    "a_hard_reboot_of_a_suspended_guest": (
        asleep,
        HostWish(servers=(replace(ONE, boot_serial=2, hard_reboot=True),)),
    ),
    "stop": (
        lambda: converged(HostWish(servers=(ONE,))),
        HostWish(servers=(replace(ONE, power=Power.STOPPED),)),
    ),
    "a_guest_that_went_down_itself": (gone_down, BOTH),
    "after_the_host_booted": (rebooted, BOTH),
    "a_guest_that_lost_its_vf_gets_it_back": (bereft, BOTH),
    "a_vf_and_a_tap_are_attached": (
        lambda: converged(HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 3),), taps=1),))),
        HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 3), VfWish(1, 0)), taps=2),)),
    ),
    "a_vf_is_set_while_its_fabric_is_not_told": (bare_with_vfs, HostWish(servers=(UNTOLD,))),
    "a_guest_waits_until_its_fabric_is_told": (
        lambda: converged(HostWish(servers=(UNTOLD,))),
        HostWish(servers=(UNTOLD, TWO)),
    ),
    "a_guest_runs_on_while_its_fabric_is_told_anew": (
        lambda: converged(HostWish(servers=(ONE,))),
        HostWish(servers=(UNTOLD,)),
    ),
    "a_vsi_is_associated_before_its_guest_starts": (bare_with_vfs, HostWish(servers=(STATION,))),
    "a_vsi_that_was_lost_is_associated_again": (vsi_lost, HostWish(servers=(STATION,))),
    "a_vsi_goes_before_its_vf_is_scrubbed": (
        lambda: converged(HostWish(servers=(STATION,))),
        HostWish(removals=(1,)),
    ),
    "a_vsi_is_of_another_type": (
        lambda: converged(HostWish(servers=(STATION,))),
        HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 3, vsi_type=8),)),)),
    ),
    "a_vsi_goes_once_its_guest_has_let_go": (
        lambda: converged(HostWish(servers=(STATION,))),
        HostWish(servers=(replace(STATION, vfs=(), leaving_vfs=STATION.vfs),)),
    ),
    "a_vf_and_a_tap_are_detached": (lambda: converged(BOTH), HostWish(servers=(BARED, TWO))),
    "a_paused_guest_lets_go_of_nothing": (paused, HostWish(servers=(BARED, TWO))),
    "a_guest_that_goes_down_is_not_asked": (
        lambda: converged(BOTH),
        HostWish(servers=(replace(BARED, boot_serial=2, hard_reboot=True), TWO)),
    ),
    "what_a_running_guest_has_and_no_one_names_it_keeps": (
        lambda: converged(BOTH),
        HostWish(servers=(replace(BARED, leaving_vfs=(), leaving_taps=0), TWO)),
    ),
    "a_vf_is_set_before_a_macvtap_is_on_it": (bare_with_vfs, HostWish(servers=(TAPPED,))),
    "a_macvtap_is_made_on_a_vf_that_was_read_back": (
        with_its_vf_set,
        HostWish(servers=(replace(TAPPED, boot_serial=2),)),
    ),
    "a_macvtap_is_repaired_in_place": (with_a_drifted_macvtap, HostWish(servers=(TAPPED,))),
    "a_macvtap_that_is_deaf_is_repaired_in_place": (with_a_deaf_macvtap, HostWish(servers=(TAPPED,))),
    "a_macvtap_that_is_dead_is_asked_for": (with_a_dead_macvtap, HostWish(servers=(TAPPED,))),
    "a_macvtap_goes_before_its_vf_is_scrubbed": (
        lambda: converged(HostWish(servers=(TAPPED,))),
        HostWish(removals=(1,)),
    ),
    "a_macvtap_goes_once_its_guest_has_let_go": (
        lambda: converged(HostWish(servers=(TAPPED,))),
        HostWish(servers=(ServerWish(1, leaving_vfs=TAPPED.vfs, first_nic=8),)),
    ),
    "what_an_uplink_lets_in_for_no_tap_goes": (
        without_its_tap,
        HostWish(servers=(replace(ONE, vfs=()), TWO)),
    ),
    "what_an_uplink_lets_in_for_no_bridge_goes": (without_its_bridge, HostWish(removals=(1,))),
    "a_pf_is_emptied_before_a_guest_starts_with_it": (
        lambda: converged(HostWish()),
        HostWish(servers=(ServerWish(1, whole=1),)),
    ),
    "a_pf_is_emptied_and_attached": (
        lambda: converged(HostWish(servers=(ServerWish(1),))),
        HostWish(servers=(ServerWish(1, whole=1),)),
    ),
    "a_pf_waits_for_who_has_a_vf_of_it": (
        lambda: converged(HostWish(servers=(TWO,))),
        HostWish(servers=(TWO, ServerWish(1, whole=1))),
    ),
    "a_pf_is_not_given_to_a_guest_that_has_a_vf_of_it": (
        lambda: converged(HostWish(servers=(VF_OF_WHOLE,))),
        HostWish(servers=(replace(VF_OF_WHOLE, vfs=(), whole=1),)),
    ),
    "no_vf_is_set_while_a_guest_has_its_pf": (
        lambda: converged(HostWish(servers=(ServerWish(1, whole=1),))),
        HostWish(servers=(VF_OF_WHOLE,)),
    ),
    "a_pf_is_detached_and_reset": (
        lambda: converged(HostWish(servers=(ServerWish(1, whole=1),))),
        HostWish(servers=(ServerWish(1, leaving_whole=1),)),
    ),
    "a_pf_that_its_guest_gives_back_is_reset": (
        lambda: converged(HostWish(servers=(ServerWish(1, whole=1),))),
        HostWish(removals=(1,)),
    ),
    "after_a_boot_owned_vfs_come_back_before_a_count_is_lowered": (rebooted, replace(BOTH, num_vfs=(2, 8))),
}


@pytest.mark.parametrize("name", CASES)
def test_plan(name):
    make, wish = CASES[name]
    host = make()
    observed = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    assert_golden(HERE / f"{name}.txt", as_text(diff(desired(wish), observed)))


def as_text(plan: HostPlan) -> str:
    lines = []
    for number, stage in enumerate(plan.stages, 1):
        lines.append(f"stage {number}")
        for chain in stage:
            needs = f"   needs {', '.join(chain.needs)}" if chain.needs else ""
            lines.append(f"  {chain.key}{needs}")
            lines.extend(f"    {shown(step)}" for step in chain.steps)
    for hold in plan.holds:
        holders = f"   holders {', '.join(hold.holders)}" if hold.holders else ""
        lines.append(f"hold {hold.subject}: {hold.what}: {hold.reason}{holders}")
    return "\n".join(lines or ["nothing to do"]) + "\n"


def shown(value: object) -> str:
    match value:
        case DesiredGuest():
            return value.server_id
        case Enum():
            return str(value.value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = (
                f"{field.name}={shown(getattr(value, field.name))}"
                for field in fields(value)
                if field.name not in OF_SOME or getattr(value, field.name) is not None
            )
            return f"{type(value).__name__}({', '.join(parts)})"
        case _:
            return str(value)
