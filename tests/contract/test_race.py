"""Many who boot, several schedulers, and fewer VFs than servers: each VF is given once, and every no has a reason."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.control import servers
from fairlead.control.scheduling import Scheduler
from fairlead.model.device import DeviceStatus
from fairlead.model.ids import ServerId
from fairlead.model.server import ServerStatus
from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import behind_a_switch, two_socket_server
from tests.control_world import EnrolledHost, World

SERVERS = 16
SCHEDULERS = 4
VFS = 8


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def host(world: World) -> EnrolledHost:
    """One with eight VFs left, on two PFs."""
    world.policy(num_vfs=VFS // 2)
    return world.host()


def boot_at_once(world: World) -> list[ServerId]:
    """Servers that are booted by as many threads, and placed by several schedulers meanwhile."""
    start = threading.Barrier(SERVERS + SCHEDULERS)
    booted = threading.Event()

    def boot(number: int) -> ServerId:
        start.wait(timeout=30)
        return world.boot(f"server-{number}", world.direct()).id

    def schedule() -> None:
        scheduler = Scheduler(world.engine)
        start.wait(timeout=30)
        while not booted.is_set() or scheduler.tick():
            scheduler.tick()

    with ThreadPoolExecutor(SERVERS + SCHEDULERS) as threads:
        schedulers = [threads.submit(schedule) for _ in range(SCHEDULERS)]
        try:
            ids = list(threads.map(boot, range(SERVERS)))
        finally:
            booted.set()
        for scheduler in schedulers:
            scheduler.result(timeout=60)
    return ids


def test_the_last_vfs_are_given_once_and_the_others_are_told_why(world: World, host: EnrolledHost) -> None:
    ids = boot_at_once(world)
    found = [world.server(server_id) for server_id in ids]
    placed = [server for server in found if server.host_id == host.id]
    refused = [server for server in found if server.status is ServerStatus.ERROR]
    assert (len(placed), len(refused)) == (VFS, SERVERS - VFS)
    with world.database.transaction() as tx:
        allocations = tx.allocations.find()
    assert len({allocation.device_id for allocation in allocations}) == len(allocations) == VFS
    for server in refused:
        assert server.fault is not None
        assert server.fault.code == "no_valid_host"
        assert "VF" in server.fault.answer
        assert server.host_id is None
    assert world.violations() == ()


def test_what_was_raced_for_runs_and_comes_back(world: World, host: EnrolledHost) -> None:
    ids = boot_at_once(world)
    host.settle()
    found = [world.server(server_id) for server_id in ids]
    running = [server for server in found if server.status is ServerStatus.ACTIVE]
    assert len(running) == VFS
    assert host.sim.machine.mishaps == []
    with ThreadPoolExecutor(SERVERS) as threads:
        list(threads.map(lambda i: world.engine.run(lambda tx: servers.delete(tx, i)), ids))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.find() == tx.allocations.find() == tx.bindings.find() == tx.ports.find() == ()
        free = tx.devices.find(host_id=host.id, status=DeviceStatus.AVAILABLE)
        assert len([device for device in free if device.vf_index is not None]) == VFS
    assert world.violations() == ()


def test_an_iommu_group_is_raced_for_whole(world: World) -> None:
    """Eight VFs in four groups: whoever has one of a group, nobody else gets the other."""
    world.policy(num_vfs=VFS // 2)
    host = world.host(sim=sim_host("h1", 1, built=lambda number: behind_a_switch(two_socket_server(number))))
    ids = boot_at_once(world)
    host.settle()
    found = [world.server(server_id) for server_id in ids]
    running = [server for server in found if server.status is ServerStatus.ACTIVE]
    assert len(running) == VFS // 2
    with world.database.transaction() as tx:
        devices = [tx.devices.fetch(allocation.device_id) for allocation in tx.allocations.find()]
    assert len({device.iommu_group for device in devices}) == len(devices) == VFS // 2
    for server in found:
        assert server in running or (server.fault is not None and "IOMMU group" in server.fault.answer)
    assert host.sim.machine.mishaps == []
    assert world.violations() == ()
