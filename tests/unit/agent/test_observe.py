"""What one look at the host enters in the ledger, and what it leaves to the chains in flight."""

import errno
from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger, Started
from fairlead.agent.observe import observe
from fairlead.hoststate.observed import ObservedGuest
from fairlead.model.ids import ServerId
from fairlead.sim.fleet import SimHost, sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, server

ONE = ServerWish(1, vfs=(VfWish(0, 3),))
BY_A_CHAIN = frozenset({server(1)})
BOOT = sim_host("h1", 1).machine.boot_id
READ, NEXT = Started(1, BOOT), Started(2, BOOT)


@pytest.fixture
def host() -> SimHost:
    """With a guest that was started with serial 1."""
    host = sim_host("h1", 1)
    agent = host.agent(HOST, ControlStandIn(desired(HostWish((ONE,)))))
    agent.poll(0)
    agent.tick()
    return host


def look(host: SimHost, in_flight: frozenset[ServerId]) -> ObservedGuest:
    seen = observe(
        host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST), in_flight
    )
    [guest] = seen.guests
    return guest


def entry(host: SimHost) -> Started | None:
    return SlotLedger(host.slots, HOST).started().get(server(1))


def enter(host: SimHost, started: Started | None) -> None:
    SlotLedger(host.slots, HOST).mark_started(server(1), started)


@pytest.mark.parametrize("entered", [NEXT, replace(NEXT, is_done=False), None])
def test_what_a_chain_in_flight_enters_is_not_overwritten_by_what_was_read_before(
    host, entered: Started | None
):
    """The guest was read with the serial before; since then the chain has started it anew, or removed it."""
    enter(host, entered)
    look(host, BY_A_CHAIN)
    assert entry(host) == entered
    look(host, frozenset())
    assert entry(host) == READ


def test_a_guest_whose_vfs_a_chain_in_flight_works_on_was_not_started_by_another_hand(host):
    vfs = host.machine.pfs[DATA[0].key].vfs
    vfs[3] = replace(vfs[3], vlan=999)
    enter(host, None)
    assert look(host, BY_A_CHAIN).boot_serial == 1
    assert look(host, frozenset()).boot_serial == 0


def test_a_vf_that_a_guest_has_is_dirty_though_no_port_says_so(host):
    """Another hand started the guest from a domain that still names a VF which its server gave up, after the scrub."""
    domain = host.machine.domains[f"fl-{server(1)}"]
    domain.live_hostdevs = (*domain.live_hostdevs, DATA[0].vf_address(5))
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    dirty = {vf.index for pf in seen.pfs if pf.key == DATA[0].key for vf in pf.vfs if vf.is_dirty}
    assert dirty == {3, 5}


def test_a_new_ledger_takes_the_vfs_that_are_not_told_about_for_used_too():
    """Their PF's driver is busy as the agent looks for the first time."""
    host = sim_host("h1", 1)
    pf = DATA[1]
    host.machine.set_num_vfs(pf.key, 8)
    host.machine.traces[pf.vf_address(2)] = "the last owner"
    host.machine.switch.get_errno = errno.EMSGSIZE
    control = ControlStandIn(desired(HostWish()))
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()
    assert {(pf.key, index) for index in range(8)} <= SlotLedger(host.slots, HOST).dirty_vfs()
    host.machine.switch.get_errno = None
    agent.tick()
    assert host.machine.traces == {}
    assert SlotLedger(host.slots, HOST).dirty_vfs() == frozenset()
