"""What the host itself uses stays as it is: nothing that would disturb it is planned, and a hold says why."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.diff import diff
from fairlead.hoststate.steps import ConfigureVf, HostPlan, MakeBridge, ScrubVf, SetNumVfs, SetUpPf
from fairlead.sim.fleet import SimHost, sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, server

WITH_VF = HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 3),)),))
WITH_TAP = HostWish(servers=(ServerWish(1, taps=1),))
PF, STORAGE = DATA[0], "10.0.0.5/24"


def lived(wish: HostWish = HostWish()) -> SimHost:  # noqa: B008 - a value
    host, control = sim_host("h1", 1), ControlStandIn(desired(wish))
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()
    return host


def plan(host: SimHost, wish: HostWish) -> HostPlan:
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    return diff(desired(wish), seen)


def planned(found: HostPlan) -> set[type]:
    return {type(step) for chain in found.chains for step in chain.steps}


@pytest.mark.parametrize(
    ("wish", "step", "what"),
    [
        (HostWish(num_vfs=(4, 8)), SetNumVfs, "change from 8 to 4 VFs"),
        (HostWish(mtu=9000), SetUpPf, "change from MTU 1500 to 9000"),
        (WITH_TAP, MakeBridge, "put it on bridge"),
    ],
)
def test_a_pf_that_the_host_uses_is_not_changed_as_a_whole(wish: HostWish, step: type, what: str):
    host = lived()
    host.machine.host_addresses = {nic.pci_address: STORAGE for nic in DATA}
    found = plan(host, wish)
    assert step not in planned(found)
    (hold, *_) = [hold for hold in found.holds if hold.subject == PF.pci_address]
    assert what in hold.what
    assert STORAGE in hold.reason


def test_its_vfs_serve_guests_all_the_same():
    host = lived()
    host.machine.host_addresses = {PF.pci_address: STORAGE}
    found = plan(host, WITH_VF)
    assert ConfigureVf in planned(found)
    assert not found.holds


def test_a_vf_that_the_host_uses_is_given_to_nobody():
    host = lived()
    host.machine.host_addresses = {PF.vf_address(3): STORAGE}
    found = plan(host, WITH_VF)
    assert not planned(found)
    (hold,) = found.holds
    assert (hold.subject, hold.server_id) == (PF.vf_address(3), server(1))


def test_nor_is_it_scrubbed_or_destroyed():
    host = lived()
    host.machine.host_addresses = {PF.vf_address(3): STORAGE}
    vfs = host.machine.pfs[PF.key].vfs
    vfs[3] = replace(vfs[3], vlan=7)
    found = plan(host, HostWish(num_vfs=(4, 8)))
    assert not planned(found) & {ScrubVf, SetNumVfs}
    assert {hold.what for hold in found.holds} == {"scrub the VF", "change from 8 to 4 VFs"}


def test_network_managers_leave_alone_what_is_ours_and_nothing_that_the_host_uses():
    host = lived()
    host.machine.host_addresses = {PF.vf_address(3): STORAGE}
    agent = host.agent(HOST, ControlStandIn(desired(HostWish())))
    agent.poll(0)
    agent.tick()
    every = {nic.vf_address(index) for nic in DATA for index in range(8)}
    assert host.machine.ours == every - {PF.vf_address(3)}
