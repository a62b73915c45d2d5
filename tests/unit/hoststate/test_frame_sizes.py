"""A PF's MTU: raised at once, lowered only when nobody would lose a frame."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.diff import diff
from fairlead.hoststate.steps import HostPlan, SetUpPf
from fairlead.sim.fleet import SimHost, sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, server

PF = DATA[0]
LARGE = HostWish(mtu=9000)


def lived(document: DesiredState) -> SimHost:
    host, control = sim_host("h1", 1), ControlStandIn(document)
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()
    return host


def plan(host: SimHost, document: DesiredState) -> HostPlan:
    ledger = SlotLedger(host.slots, HOST)
    return diff(document, observe(host.kernel, host.vdp, host.hypervisor, host.disks, ledger))


def mtus(found: HostPlan) -> set[int | None]:
    steps = [step for chain in found.chains for step in chain.steps]
    return {step.mtu for step in steps if isinstance(step, SetUpPf) and step.pf == PF.key}


def with_server(wish: HostWish, **nics: object) -> HostWish:
    return replace(wish, servers=(ServerWish(1, **nics),))


def test_a_pf_that_nobody_is_on_gets_a_smaller_mtu():
    found = plan(lived(desired(LARGE)), desired(HostWish(mtu=1500)))
    assert mtus(found) == {1500}
    assert not found.holds


@pytest.mark.parametrize("nics", [{"vfs": (VfWish(0, 3),)}, {"taps": 1}], ids=["vf", "tap"])
def test_under_a_server_it_keeps_the_larger_one_and_the_hold_names_it(nics: dict[str, object]):
    host = lived(desired(with_server(LARGE, **nics)))
    found = plan(host, desired(with_server(HostWish(mtu=1500), **nics)))
    assert mtus(found) == set()
    (hold,) = [hold for hold in found.holds if hold.subject == PF.pci_address]
    assert (hold.what, hold.holders) == ("change from MTU 9000 to 1500", (server(1),))


def test_under_a_guest_that_is_to_go_it_waits_too():
    host = lived(desired(with_server(LARGE, vfs=(VfWish(0, 3),))))
    found = plan(host, desired(HostWish(mtu=1500, removals=(1,))))
    assert mtus(found) == set()


def test_a_pf_that_is_down_comes_up_all_the_same():
    host = lived(desired(with_server(LARGE, vfs=(VfWish(0, 3),))))
    host.machine.pfs[PF.key].is_up = False
    assert mtus(plan(host, desired(with_server(HostWish(mtu=1500), vfs=(VfWish(0, 3),))))) == {None}


def test_a_larger_mtu_is_set_under_a_server():
    host = lived(desired(with_server(HostWish(mtu=1500), vfs=(VfWish(0, 3),))))
    found = plan(host, desired(with_server(LARGE, vfs=(VfWish(0, 3),))))
    assert mtus(found) == {9000}


def test_who_holds_a_vf_by_control_counts_before_anything_is_there():
    document = desired(HostWish(mtu=1500))
    held = replace(document, families=tuple(replace(f, holders=(server(7),)) for f in document.families))
    found = plan(lived(desired(LARGE)), held)
    assert mtus(found) == set()
    assert {hold.holders for hold in found.holds} == {(server(7),)}
