"""Servers made anew: on a new disk, with what they had, and once."""

import hashlib
from dataclasses import replace

import pytest

from fairlead.control import keypairs, servers
from fairlead.control.rebuilding import RebuildServer, rebuild
from fairlead.control.servers import WrongState
from fairlead.model.errors import Conflict, InvalidValue, QuotaExceeded
from fairlead.model.ids import ImageId
from fairlead.model.quota import Quota, Resource
from fairlead.model.server import Power, ServerStatus
from tests.control_world import CALLER

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINGxqFv0Iwq772l/4rLm8WTwb0r2oTbkz3gpqbUVdYCm anna@desk"


@pytest.fixture
def host(world):
    world.policy()
    return world.host()


@pytest.fixture
def server(world, host):
    return world.run_server(host, "web", world.direct())


def image(world, **changes):
    """Another image; its data is the same, unless its digest says otherwise."""

    def add(tx):
        known = tx.images.fetch(world.image_id)
        made = replace(known, id=ImageId(tx.new_id()), name="other", **changes)
        tx.images.add(made)
        return made.id

    return world.engine.run(add)


def asked(world, server, **fields):
    fields.setdefault("image_id", world.image_id)
    return world.engine.run(lambda tx: rebuild(tx, CALLER, server.id, RebuildServer(**fields)))


def disks(host):
    return [overlay.serial for _, overlay in host.sim.disks.overlays_made]


def devices(world):
    return {row.device_id for row in world.engine.run(lambda tx: tx.allocations.find())}


def test_a_running_server_runs_again_from_its_new_image_on_the_same_device(world, host, server):
    before, other = devices(world), image(world)
    assert asked(world, server, image_id=other).server.status is ServerStatus.REBUILD
    host.settle()
    found = world.server(server.id)
    assert (found.status, found.image_id, found.host_id) == (ServerStatus.ACTIVE, other, server.host_id)
    assert found.ports == server.ports
    assert devices(world) == before
    assert disks(host) == [1, 2]
    assert [start.boot_serial for start in host.sim.hypervisor.starts] == [1, 2]
    assert world.violations() == ()


def test_one_that_was_down_stays_down_and_is_made_anew_all_the_same(world, host, server):
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    asked(world, server)
    assert world.server(server.id).status is ServerStatus.REBUILD
    host.settle()
    found = world.server(server.id)
    assert (found.status, found.power) == (ServerStatus.SHUTOFF, Power.STOPPED)
    assert disks(host) == [1, 2]
    world.engine.run(lambda tx: servers.start(tx, server.id))
    host.settle()
    assert disks(host) == [1, 2]


def test_an_image_that_cannot_be_fetched_costs_nothing(world, host, server):
    broken = image(world, sha512=hashlib.sha512(b"never uploaded").hexdigest())
    asked(world, server, image_id=broken)
    host.settle()
    failed = world.server(server.id)
    assert failed.status is ServerStatus.ERROR
    assert failed.fault is not None
    assert failed.fault.code == "image_damaged"
    assert host.sim.machine.domains[f"fl-{server.id}"].is_up
    assert disks(host) == [1]
    asked(world, server, image_id=world.image_id)
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert disks(host) == [1, 3]


def test_one_that_is_down_and_cannot_be_made_anew_is_not_called_shut_off(world, host, server):
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    asked(world, server, image_id=image(world, sha512=hashlib.sha512(b"no").hexdigest()))
    for _ in range(3):
        host.settle()
        assert world.server(server.id).status is ServerStatus.ERROR
        host.sim.clock.advance(61)
    assert disks(host) == [1]


def test_what_is_said_is_changed_and_what_is_not_stays(world, server):
    world.engine.run(lambda tx: keypairs.create(tx, CALLER.project_id, CALLER.user_id, "mine", KEY))
    found = asked(
        world, server, name="new", metadata={"a": "b"}, description="d", key_name="mine", user_data="aGk="
    ).server
    assert (found.name, found.metadata, found.description) == ("new", {"a": "b"}, "d")
    assert (found.key_name, found.public_key, found.user_data) == ("mine", KEY.strip(), "aGk=")
    assert found.hostname == server.hostname


def test_a_key_and_user_data_can_be_taken_away(world, host, server):
    asked(world, server, user_data="aGk=")
    host.settle()
    found = asked(world, server, user_data=None, key_name=None).server
    assert (found.key_name, found.public_key, found.user_data) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min_memory_mib": 1 << 20}, "memory"),
        ({"min_disk_gib": 999}, "999 GiB"),
        ({"virtual_size": 1 << 50}, "disk"),
    ],
)
def test_an_image_that_the_flavor_is_too_small_for_is_refused(world, server, changes, words):
    with pytest.raises(InvalidValue, match=words):
        asked(world, server, image_id=image(world, **changes))
    assert world.server(server.id) == server


@pytest.mark.parametrize("fields", [{"key_name": "nobody's"}, {"user_data": "?"}, {"image_id": "none"}])
def test_what_is_not_there_is_refused_and_nothing_changes(world, server, fields):
    with pytest.raises(InvalidValue):
        asked(world, server, **fields)
    assert world.server(server.id) == server


def test_metadata_counts(world, server):
    world.engine.run(lambda tx: tx.quotas.add(Quota(CALLER.project_id, Resource.METADATA_ITEMS, 1)))
    with pytest.raises(QuotaExceeded):
        asked(world, server, metadata={"a": "1", "b": "2"})


def test_a_rebuild_is_not_crossed_by_another_wish(world, host, server):
    asked(world, server)
    for action in (servers.stop, servers.start):
        with pytest.raises(WrongState, match="REBUILD"):
            world.engine.run(lambda tx, action=action: action(tx, server.id))
    with pytest.raises(WrongState):
        asked(world, server)
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE


def test_it_is_rebuilt_over_a_boot_of_its_host(world, host, server):
    asked(world, server)
    host.sim.machine.reboot()
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert disks(host) == [1, 2]


def test_a_server_that_no_host_has_is_not_rebuilt(world):
    homeless = world.boot("homeless", world.direct())
    with pytest.raises(WrongState, match="no host has it"):
        asked(world, homeless)


def test_nobody_calls_a_server_that_is_being_made_anew_active(world, host, server):
    asked(world, server)
    with pytest.raises(Conflict, match="still being made of its image"):
        world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=False))
    world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=True))
    assert world.server(server.id).status is ServerStatus.ERROR
