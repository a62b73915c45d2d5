"""The simulated libvirt refuses what libvirt refuses, and notes what must never happen."""

import pytest

from fairlead.guestxml.guest import device_xml, domain_xml
from fairlead.guestxml.machine import Machine
from fairlead.hoststate.observed import GuestState
from fairlead.model.errors import Fault
from fairlead.sim.disks import SimDisks
from fairlead.sim.fleet import SimClock, sim_host
from tests.host_wishes import DATA, HostWish, ServerWish, VfWish, desired, server


@pytest.fixture
def host():
    host = sim_host("h1", 1)
    host.machine.set_num_vfs(DATA[0].key, 8)
    return host


def domain(number: int, index: int) -> str:
    guest = desired(HostWish(servers=(ServerWish(number, vfs=(VfWish(0, index),)),))).guests[0]
    places = {guest.hostdevs[0].device_id: DATA[0].vf_address(index)}
    return domain_xml(
        guest, "spec", files=SimDisks(SimClock()).files(guest), addresses=places, nodes=(), machine=Machine()
    )


def test_it_reads_what_guestxml_writes(host):
    host.hypervisor.define(domain(1, 3))
    [seen] = host.hypervisor.observe().domains
    assert (seen.server_id, seen.state, seen.spec, seen.boot_serial, seen.hostdevs) == (
        server(1),
        GuestState.STOPPED,
        "spec",
        1,
        (DATA[0].vf_address(3),),
    )


def test_a_device_in_use_is_refused_and_noted(host):
    host.hypervisor.define(domain(1, 3))
    host.hypervisor.define(domain(2, 3))
    host.hypervisor.start(server(1))
    with pytest.raises(Fault, match="in use"):
        host.hypervisor.start(server(2))
    assert host.machine.mishaps


def test_a_device_that_is_not_there_is_refused(host):
    host.hypervisor.define(domain(1, 3))
    host.machine.set_num_vfs(DATA[0].key, 0)
    with pytest.raises(Fault, match="not found"):
        host.hypervisor.start(server(1))


def test_vfs_destroyed_under_a_guest_are_noted(host):
    host.hypervisor.define(domain(1, 3))
    host.hypervisor.start(server(1))
    host.machine.set_num_vfs(DATA[0].key, 0)
    assert host.machine.mishaps


def test_while_it_is_away_nothing_can_be_asked_and_guests_run_on(host):
    host.hypervisor.define(domain(1, 3))
    host.hypervisor.start(server(1))
    host.machine.troubles.libvirt_is_away = True
    with pytest.raises(Fault, match="Connection refused"):
        host.hypervisor.observe()
    assert [found.is_up for found in host.machine.domains.values()] == [True]


def test_a_domain_that_is_redefined_while_it_runs_keeps_what_it_was_started_with(host):
    host.hypervisor.define(domain(1, 3))
    host.hypervisor.start(server(1))
    host.hypervisor.define(domain(1, 4).replace('boot_serial="1"', 'boot_serial="2"'))
    [seen] = host.hypervisor.observe().domains
    assert (seen.boot_serial, seen.hostdevs) == (1, (DATA[0].vf_address(3),))


def test_a_clone_of_a_guest_is_a_stranger(host):
    """Whoever clones a domain clones its metadata: only one that has our name too is ours."""
    host.hypervisor.define(domain(1, 3).replace(f"<name>fl-{server(1)}</name>", "<name>clone</name>"))
    seen = host.hypervisor.observe()
    assert seen.domains == ()
    assert seen.foreign_hostdevs == (DATA[0].vf_address(3),)


def hostdev_xml(index: int) -> str:
    guest = desired(HostWish(servers=(ServerWish(1, vfs=(VfWish(0, index),)),))).guests[0]
    return device_xml(guest.hostdevs[0], DATA[0].vf_address(index))


def test_a_running_guest_gets_a_device_and_lets_go_of_it_and_keeps_its_definition(host):
    host.hypervisor.define(domain(1, 3))
    host.hypervisor.start(server(1))
    host.hypervisor.attach(server(1), hostdev_xml(4))
    both = (DATA[0].vf_address(3), DATA[0].vf_address(4))
    assert host.hypervisor.observe().domains[0].hostdevs == both
    host.hypervisor.detach(server(1), both[1])
    host.hypervisor.detach(server(1), both[1])
    assert host.hypervisor.observe().domains[0].hostdevs == both[:1]
    host.hypervisor.attach(server(1), hostdev_xml(4))
    host.hypervisor.stop(server(1), is_graceful=False)
    assert host.hypervisor.observe().domains[0].hostdevs == both[:1]


def test_a_guest_that_is_down_is_given_nothing(host):
    host.hypervisor.define(domain(1, 3))
    with pytest.raises(Fault, match="not running"):
        host.hypervisor.attach(server(1), hostdev_xml(4))


def test_a_device_of_another_guest_is_not_given(host):
    host.hypervisor.define(domain(1, 3))
    host.hypervisor.define(domain(2, 4))
    host.hypervisor.start(server(1))
    host.hypervisor.start(server(2))
    with pytest.raises(Fault, match="in use"):
        host.hypervisor.attach(server(1), hostdev_xml(4))


def test_a_deaf_guest_keeps_its_device(host):
    host.hypervisor.define(domain(1, 3))
    host.hypervisor.start(server(1))
    host.machine.troubles.deaf_guests = frozenset({f"fl-{server(1)}"})
    with pytest.raises(Fault, match="keeps it") as caught:
        host.hypervisor.detach(server(1), DATA[0].vf_address(3))
    assert caught.value.failure.code == "not_released"
    assert host.hypervisor.observe().domains[0].hostdevs == (DATA[0].vf_address(3),)
