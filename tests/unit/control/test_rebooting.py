"""Servers that are being rebooted: until the guest is seen up in the boot that was asked for, whatever befalls it."""

from functools import partial

import pytest

from fairlead.api.compute.server_status import in_novas_words, shown_status
from fairlead.control import (
    attaching,
    dead_hosts,
    flavors,
    migrating,
    rebuilding,
    resizing,
    server_power,
    servers,
)
from fairlead.control.flavors import NewFlavor
from fairlead.control.servers import WrongState
from fairlead.hoststate.observed import GuestState
from fairlead.model.server import Power, ServerStatus
from tests.control_world import CALLER

SOFT = ("REBOOT", "rebooting")
HARD = ("HARD_REBOOT", "rebooting_hard")
OVER = ("ACTIVE", None)


@pytest.fixture
def host(world):
    world.policy()
    return world.host()


@pytest.fixture
def server(world, host):
    """One with a VF, of whose reboot its host has not heard."""
    server = world.run_server(host, "web", world.direct())
    reboot(world, server)
    return world.server(server.id)


def reboot(world, server, *, is_hard=False):
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=is_hard))


def shown(world, server):
    found = shown_status(world.server(server.id))
    return found.status, found.task_state


def domain(host, server):
    return host.sim.machine.domains[f"fl-{server.id}"]


@pytest.mark.parametrize(("is_hard", "words"), [(False, SOFT), (True, HARD)])
def test_it_is_shown_and_told_until_the_new_boot_is_up(world, host, is_hard, words):
    server = world.run_server(host, "web", world.direct())
    assert shown(world, server) == OVER
    reboot(world, server, is_hard=is_hard)
    assert shown(world, server) == words
    assert "server_rebooted" not in world.kinds(server.id)
    host.settle()
    assert shown(world, server) == OVER
    assert world.kinds(server.id).count("server_rebooted") == 1
    assert [start.boot_serial for start in host.sim.hypervisor.starts] == [1, 2]


def test_a_report_of_the_boot_before_does_not_end_it(world, host, server):
    host.agent.tick()
    assert host.link.reports[-1].observed.guests[0].boot_serial == 1
    assert shown(world, server) == SOFT


@pytest.mark.parametrize(
    "ask",
    [
        partial(servers.reboot, is_hard=False),
        server_power.pause,
        server_power.suspend,
        partial(migrating.migrate, to=None),
    ],
)
def test_what_would_cross_it_is_refused_and_changes_nothing(world, server, ask):
    with pytest.raises(WrongState, match="while it is ACTIVE, and reboots") as refused:
        world.engine.run(lambda tx: ask(tx, server.id))
    assert "while it is in task_state rebooting" in str(in_novas_words(refused.value))
    assert world.server(server.id) == server


def test_neither_another_size_nor_another_disk_crosses_it(world, server):
    flavor = world.engine.run(lambda tx: flavors.create(tx, NewFlavor("larger", 2, 1024, 1))).id
    with pytest.raises(WrongState, match="and reboots"):
        world.engine.run(lambda tx: resizing.resize(tx, CALLER, server.id, flavor))
    wanted = rebuilding.RebuildServer(world.image_id)
    with pytest.raises(WrongState, match="and reboots"):
        world.engine.run(lambda tx: rebuilding.rebuild(tx, CALLER, server.id, wanted))
    assert world.server(server.id) == server


def test_a_suspend_once_it_is_over_saves_the_guest(world, host, server):
    host.settle()
    world.engine.run(lambda tx: server_power.suspend(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.SUSPENDED
    assert domain(host, server).state is GuestState.SAVED


def test_a_hard_one_crosses_a_soft_one(world, host, server):
    reboot(world, server, is_hard=True)
    assert shown(world, server) == HARD
    reboot(world, server, is_hard=True)
    host.settle()
    assert shown(world, server) == OVER
    assert domain(host, server).live_serial == 4


def test_a_stop_ends_it(world, host, server):
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    assert shown(world, server) == ("ACTIVE", "powering-off")
    host.settle()
    assert shown(world, server) == ("SHUTOFF", None)
    world.engine.run(lambda tx: servers.start(tx, server.id))
    assert shown(world, server) == ("SHUTOFF", "powering-on")
    host.settle()
    assert shown(world, server) == OVER


def test_a_stop_crosses_nothing_else(world, host, server):
    host.settle()
    world.engine.run(lambda tx: server_power.suspend(tx, server.id))
    with pytest.raises(WrongState, match="is to be suspended"):
        world.engine.run(lambda tx: servers.stop(tx, server.id))


def test_a_delete_crosses_it_and_leaves_nothing(world, host, server):
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    assert shown(world, server) == ("ACTIVE", "deleting")
    host.settle()
    assert world.engine.run(lambda tx: tx.servers.find()) == ()
    assert host.sim.machine.domains == {}


def test_a_guest_that_goes_down_while_it_boots_ends_it(world, host, server):
    def crash(act):
        if act == "observe_guests" and domain(host, server).live_serial == 2:
            domain(host, server).go_down(GuestState.CRASHED, "panicked")

    host.sim.machine.fuse = crash
    host.settle()
    found = world.server(server.id)
    assert (found.status, found.power, found.is_at_rest) == (ServerStatus.SHUTOFF, Power.STOPPED, True)


def test_one_that_does_not_start_is_in_error_until_it_does(world, host, server):
    troubles = host.sim.machine.troubles
    troubles.hanging["start"] = 100
    host.settle()
    assert shown(world, server) == ("ERROR", None)
    troubles.hanging.clear()
    host.sim.clock.advance(60)
    host.settle()
    assert shown(world, server) == OVER
    assert world.server(server.id).fault is None


def test_it_lasts_while_its_host_is_silent_and_ends_with_the_host(world, host, server):
    world.time.advance(31)
    assert shown(world, server) == SOFT
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    assert shown(world, server) == ("ERROR", None)
    other = world.host("h2", 2)
    reboot(world, server, is_hard=True)
    assert shown(world, server) == ("BUILD", "scheduling")
    world.scheduler.tick()
    other.settle()
    assert shown(world, server) == OVER


def test_it_is_over_after_its_host_booted_in_the_middle(world, host, server):
    host.agent.poll(0)
    host.sim.machine.reboot()
    host.settle()
    assert shown(world, server) == OVER
    assert world.violations() == ()


def test_an_operator_calls_it_over(world, host, server):
    world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=False))
    assert shown(world, server) == OVER
    host.settle()
    assert domain(host, server).live_serial == 2


def test_an_operator_calls_it_failed(world, host, server):
    world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=True))
    host.settle()
    assert shown(world, server) == ("ERROR", None)
    world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=False))
    assert shown(world, server) == OVER


def test_a_port_comes_and_goes_while_it_lasts(world, host, server):
    [old] = server.ports
    (nic,) = world.direct()
    new = world.engine.run(lambda tx: attaching.attach(tx, CALLER, server.id, nic))
    world.engine.run(lambda tx: attaching.detach(tx, server.id, old))
    host.settle()
    assert shown(world, server) == OVER
    assert world.server(server.id).ports == (new,)
    assert len(domain(host, server).live_hostdevs) == 1
    assert world.violations() == ()


@pytest.mark.parametrize("halt", [server_power.pause, server_power.suspend])
def test_a_hard_one_of_a_server_that_is_not_up_is_its_task(world, host, server, halt):
    host.settle()
    world.engine.run(lambda tx: halt(tx, server.id))
    host.settle()
    halted = world.server(server.id).status.value
    reboot(world, server, is_hard=True)
    assert shown(world, server) == (halted, "rebooting_hard")
    host.settle()
    assert shown(world, server) == OVER
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    reboot(world, server, is_hard=True)
    assert shown(world, server) == ("SHUTOFF", "rebooting_hard")
    host.settle()
    assert shown(world, server) == OVER
