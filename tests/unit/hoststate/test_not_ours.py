"""What a document names and is not ours to touch is a hold, and no step."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.desired import DesiredFamily, DesiredState
from fairlead.hoststate.diff import diff
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.steps import HostPlan, SetNumVfs, StartGuest
from fairlead.sim.domain import DomainState
from fairlead.sim.fleet import SimHost, sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, MANAGEMENT, HostWish, ServerWish, VfWish, desired


@pytest.fixture
def host() -> SimHost:
    return sim_host("h1", 1)


def plan_of(host: SimHost, document: DesiredState) -> HostPlan:
    return diff(
        document, observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    )


def test_a_document_that_names_the_management_pf_changes_nothing_of_it(host):
    own = DesiredFamily(MANAGEMENT.key, 4, 9000)
    plan = plan_of(host, replace(desired(HostWish()), families=(own,)))
    assert plan.is_empty
    [hold] = plan.holds
    assert (hold.subject, hold.reason) == (MANAGEMENT.pci_address, "it carries the host's default route")


@pytest.mark.parametrize("state", [GuestState.RUNNING, GuestState.STOPPED])
def test_a_pf_of_a_domain_of_others_is_left_alone(host, state):
    address = (DATA[0].pci_address,)
    live = address if state is GuestState.RUNNING else ()
    host.machine.domains["theirs"] = DomainState(
        "theirs", None, "", 0, address, (), "", state, live_hostdevs=live
    )
    plan = plan_of(host, desired(HostWish(num_vfs=(8, None))))
    keys = {getattr(step, "pf", None) for chain in plan.chains for step in chain.steps}
    assert DATA[0].key not in keys
    assert DATA[0].pci_address in {hold.subject for hold in plan.holds}


def test_the_number_of_vfs_waits_for_a_guest_and_for_a_server_whose_guest_is_down(host):
    one = ServerWish(1, vfs=(VfWish(0, 1),))
    agent = host.agent(HOST, ControlStandIn(desired(HostWish(servers=(one,)))))
    agent.poll(0)
    agent.tick()
    fewer = HostWish(servers=(one,), num_vfs=(2, None), generation=2)
    for _ in range(2):
        plan = plan_of(host, desired(fewer))
        assert not [step for chain in plan.chains for step in chain.steps if isinstance(step, SetNumVfs)]
        assert DATA[0].pci_address in {hold.subject for hold in plan.holds}
        host.hypervisor.stop(desired(fewer).guests[0].server_id, is_graceful=False)


@pytest.mark.parametrize("told", [0, 7])
def test_a_pf_is_not_given_whole_while_its_driver_does_not_tell_of_all_its_vfs(host, told):
    """Guests may have those: nothing is taken away under them, and nobody gets the PF."""
    agent = host.agent(HOST, ControlStandIn(desired(HostWish())))
    agent.poll(0)
    agent.tick()
    wish = desired(HostWish((ServerWish(1, whole=0),), generation=2))
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    pfs = tuple(replace(pf, vfs=pf.vfs[:told]) if pf.key == DATA[0].key else pf for pf in seen.pfs)
    plan = diff(wish, replace(seen, pfs=pfs))
    steps = [step for chain in plan.chains for step in chain.steps]
    assert SetNumVfs(DATA[0].key, 0) not in steps
    assert not [step for step in steps if isinstance(step, StartGuest)]
    assert "it has VFs that are not told about now" in {hold.reason for hold in plan.holds}
