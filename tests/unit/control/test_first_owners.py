"""What was used before anybody of ours had it is handed on as clean as what we gave back ourselves."""

from dataclasses import replace

import pytest

from fairlead.model.device import Device, DeviceStatus
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DeviceMatch
from fairlead.model.server import ServerStatus
from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import Hardware, two_socket_server
from fairlead.sim.machine import DomainState, Machine
from tests.control_world import EnrolledHost, World

GPUS = DeviceMatch(vendor=("10de",))
FIRST_PF = DeviceMatch(name=("ens1f0",))


def stranger(machine: Machine, device: Device) -> str:
    """The name of a domain of others that has it."""
    domain = DomainState(f"theirs-{device.pci_address}", None, "", 0, (device.pci_address,), (), "")
    machine.domains[domain.name] = domain
    machine.give(domain, domain.hostdevs)
    domain.boot()
    return domain.name


def devices(world: World, **wanted: object) -> tuple[Device, ...]:
    return world.engine.run(lambda tx: tx.devices.find(**wanted))


def offer_gpus(world: World) -> None:
    world.policy(name="gpus", match=GPUS, num_vfs=None, physical_network=None)


def traces_met(host: EnrolledHost) -> list[dict[str, str]]:
    return [start.traces for start in host.sim.hypervisor.starts]


def ran_clean(world: World, host: EnrolledHost, *boot: object, **fields: object) -> bool:
    server = world.run_server(host, "first", *boot, **fields)
    return server.status is ServerStatus.ACTIVE and traces_met(host) == [{}]


@pytest.mark.parametrize("is_offered_before", [True, False])
def test_a_plain_device_that_a_stranger_had_is_reset(world, is_offered_before):
    world.policy()
    host, flavor = world.host(), world.whole(DeviceKind.PCI, vendor=("10de",))
    if is_offered_before:
        offer_gpus(world)
        host.settle()
    name = stranger(host.sim.machine, devices(world, vendor="10de")[0])
    host.settle()
    del host.sim.machine.domains[name]
    host.settle()
    if not is_offered_before:
        offer_gpus(world)
        host.settle()
    assert ran_clean(world, host, (), flavor=flavor)


def test_vfs_that_strangers_had_are_scrubbed(world):
    world.policy(match=FIRST_PF)
    host = world.host()
    names = [stranger(host.sim.machine, vf) for vf in devices(world, kind=DeviceKind.VF)]
    host.settle()
    for name in names:
        del host.sim.machine.domains[name]
    host.settle()
    assert ran_clean(world, host, world.direct())


def test_a_vf_that_the_host_used_is_scrubbed(world):
    world.policy(match=FIRST_PF, num_vfs=1)
    host = world.host()
    machine, (vf,) = host.sim.machine, devices(world, kind=DeviceKind.VF)
    machine.host_addresses[vf.pci_address] = "10.0.0.5/24"
    machine.traces[vf.pci_address] = "the host"
    host.settle()
    del machine.host_addresses[vf.pci_address]
    host.settle()
    assert ran_clean(world, host, world.direct())


def test_nobody_gets_what_was_there_before_its_policy_until_it_was_seen_clean(world):
    """Placement may be quicker than the agent: it waits."""
    sim = sim_host("h1", 1)
    (pf,) = (pf for pf in sim.machine.pfs.values() if pf.nic.name == "ens1f0")
    sim.machine.set_num_vfs(pf.nic.key, 8)
    sim.machine.traces |= dict.fromkeys(map(pf.nic.vf_address, range(8)), "yesterday's guest")
    host = world.host(sim=sim)
    world.policy(match=FIRST_PF)
    early = world.boot("early", world.direct())
    world.scheduler.tick()
    assert world.server(early.id).host_id is None
    assert {vf.status for vf in devices(world, kind=DeviceKind.VF)} == {DeviceStatus.RELEASING}
    host.settle()
    assert ran_clean(world, host, world.direct())


def test_a_plain_device_waits_for_its_first_reset(world):
    world.policy()
    host = world.host()
    host.sim.machine.troubles.hanging["reset_device"] = 1000
    offer_gpus(world)
    for _ in range(3):
        host.agent.poll(0)
        host.agent.tick()
        host.sim.clock.advance(120)
    (gpu, *_) = devices(world, vendor="10de")
    assert gpu.status in {DeviceStatus.RELEASING, DeviceStatus.FAULTY}


def without_resets(number: int) -> Hardware:
    """Its plain devices share a slot each with another function, and have no FLR."""
    built = two_socket_server(number)
    return replace(built, plain=tuple(replace(card, has_reset=False) for card in built.plain))


def test_a_plain_device_without_a_reset_says_why_nobody_gets_it(world):
    """Nor does who asks for it wait for ever: it is refused, with the reason."""
    offer_gpus(world)
    host = world.host(sim=sim_host("h1", 1, built=without_resets))
    gpus = devices(world, vendor="10de")
    assert gpus
    assert {gpu.status for gpu in gpus} == {DeviceStatus.FAULTY}
    assert all("has no reset" in gpu.note for gpu in gpus)
    server = world.run_server(host, "first", (), flavor=world.whole(DeviceKind.PCI, vendor=("10de",)))
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert server.fault.code == "no_valid_host"
    assert traces_met(host) == []


def test_a_plain_device_that_the_host_took_meanwhile_is_met_anew(world):
    offer_gpus(world)
    host = world.host()
    machine, (gpu, *_) = host.sim.machine, devices(world, vendor="10de")
    assert gpu.status is DeviceStatus.AVAILABLE
    for driver, trace in (("nvidia", "the host"), (None, "the host")):
        taken = tuple(
            replace(card, kernel_driver=driver) if card.pci_address == gpu.pci_address else card
            for card in machine.hardware.plain
        )
        machine.hardware = replace(machine.hardware, plain=taken)
        machine.traces[gpu.pci_address] = trace
        host.settle()
    assert machine.traces == {}
    assert ran_clean(world, host, (), flavor=world.whole(DeviceKind.PCI, vendor=("10de",)))
