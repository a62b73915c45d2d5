"""The uplink of a bridge stays what it is while vNICs are on it; held devices keep their policy until they are free."""

from dataclasses import replace

import pytest

from fairlead.control import devices, reports, servers
from fairlead.hoststate.desired import DesiredBridge
from fairlead.model.device import Device
from fairlead.model.errors import Conflict
from fairlead.model.ids import PfKey
from fairlead.model.pci import DeviceKind, MacAddress, PciAddress
from fairlead.model.server import Server, ServerStatus
from tests.control_world import EnrolledHost, World


@pytest.fixture
def host(world: World) -> EnrolledHost:
    """One with two data NICs on physnet1: ens1f0 and ens2f0."""
    world.policy()
    return world.host()


def bridges(host: EnrolledHost) -> tuple[DesiredBridge, ...]:
    told = host.link.assignment(0, 0).desired
    assert told is not None
    return told.bridges


def chosen(world: World) -> list[str | None]:
    with world.database.transaction() as tx:
        return [device.name for device in tx.devices.find(is_uplink=True)]


def remove(world: World, host: EnrolledHost, server: Server) -> None:
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()


def add_card(world: World, host: EnrolledHost) -> None:
    """A NIC at the lowest address of all, as a report shows it."""
    last = host.link.reports[-1]
    like = next(pf for pf in last.observed.pfs if pf.name == "ens1f0")
    added = replace(
        like,
        key=PfKey("mac-02:00:00:00:00:99"),
        name="ens0f0",
        mac=MacAddress("02:00:00:00:00:99"),
        pci_address=PciAddress("0000:00:01.0"),
        num_vfs=0,
        vfs=(),
    )
    observed = replace(last.observed, pfs=(added, *last.observed.pfs))
    newer = replace(last, serial=last.serial + 1, observed=observed)
    world.engine.run(lambda tx: reports.apply(tx, host.id, newer))


def test_a_card_that_is_added_below_takes_no_bridge_over(world: World, host: EnrolledHost) -> None:
    world.run_server(host, "web", world.normal())
    (before,) = bridges(host)
    add_card(world, host)
    assert bridges(host) == (before,)
    assert chosen(world) == ["ens1f0"]
    with world.database.transaction() as tx:
        (added,) = tx.devices.find(name="ens0f0")
    assert added.policy_id is not None


def test_an_uplink_is_one_until_its_last_vnic_is_gone(world: World, host: EnrolledHost) -> None:
    first = world.run_server(host, "first", world.normal())
    last = world.run_server(host, "last", world.normal())
    remove(world, host, first)
    assert chosen(world) == ["ens1f0"]
    remove(world, host, last)
    assert chosen(world) == []


def test_an_uplink_that_is_away_is_not_replaced_while_vnics_are_on_it(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.normal())
    (before,) = bridges(host)
    host.sim.machine.pull(before.uplink)
    host.settle()
    assert bridges(host) == (before,)
    other = world.run_server(host, "other", world.normal())
    assert other.status is ServerStatus.ERROR
    assert other.fault is not None
    assert "host h1 has no bridge on physnet1" in other.fault.answer
    remove(world, host, server)
    third = world.run_server(host, "third", world.normal())
    assert third.status is ServerStatus.ACTIVE
    assert chosen(world) == ["ens2f0"]


@pytest.mark.parametrize("kind", ["direct", "normal"])
def test_a_held_device_that_changed_is_matched_as_what_it_is_once_it_is_free(
    world: World, host: EnrolledHost, kind: str
) -> None:
    server = world.run_server(host, "web", world.direct(2) if kind == "direct" else world.normal())
    state = next(pf for pf in host.sim.machine.pfs.values() if pf.nic.name == "ens1f0")
    state.nic = replace(state.nic, name="eno9")
    host.agent.tick()
    host.agent.tick()
    assert renamed(world).policy_id is not None
    remove(world, host, server)
    assert renamed(world).policy_id is None


def renamed(world: World) -> Device:
    with world.database.transaction() as tx:
        (device,) = tx.devices.find(name="eno9", kind=DeviceKind.PF)
        return device


def test_a_device_is_forgotten_once_it_is_gone_and_nobody_has_it(world: World, host: EnrolledHost) -> None:
    web = world.run_server(host, "web", world.normal())
    with world.database.transaction() as tx:
        (pf,) = tx.devices.find(is_uplink=True)
    assert refusal(world, pf) == (
        "wrong_state",
        "Device ens1f0 (0000:3b:00.0) of host h1 is not MISSING: its host reports it.",
    )
    host.sim.machine.pull(PfKey(pf.key))
    host.settle()
    code, message = refusal(world, pf)
    assert (code, "server web (vNIC on the bridge of physnet1)" in message) == ("in_use", True)
    remove(world, host, web)
    world.engine.run(lambda tx: devices.forget(tx, pf.id))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.devices.find(family_id=pf.id) == ()
    assert world.violations() == ()


def test_a_device_that_a_server_has_is_not_forgotten(world: World, host: EnrolledHost) -> None:
    web = world.run_server(host, "web", world.direct())
    with world.database.transaction() as tx:
        (held,) = tx.allocations.find()
        pf = tx.devices.fetch(held.family_id)
    host.sim.machine.pull(PfKey(pf.key))
    host.settle()
    code, message = refusal(world, pf)
    assert (code, f"server web (port {web.ports[0]}) has it" in message) == ("in_use", True)


def refusal(world: World, device: Device) -> tuple[str, str]:
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: devices.forget(tx, device.id))
    return refused.value.code, refused.value.message
