"""What a PF's kernel driver cannot do for a VF: ports go elsewhere, and live changes are refused with them named."""

from dataclasses import replace

import pytest

from fairlead.control import ports
from fairlead.control.port_changes import PortChanges, update
from fairlead.model.binding import Wiring
from fairlead.model.errors import Conflict
from fairlead.model.port import PortStatus
from fairlead.model.server import ServerStatus
from fairlead.model.vf import LinkState, VlanProtocol
from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import Hardware, two_socket_server
from tests.control_world import EnrolledHost, World
from tests.unit.control.test_port_profiles import change, profile, set_network


def of_igb(number: int) -> Hardware:
    made = two_socket_server(number)
    return replace(made, nics=tuple(replace(nic, kernel_driver="igb") for nic in made.nics))


def igb_host(world: World, name: str = "h1", number: int = 1) -> EnrolledHost:
    return world.host(name, sim=sim_host(name, number, built=of_igb))


SAYS = [
    {"vlan_protocol": VlanProtocol.DOT1AD},
    {"min_rate_mbps": 10},
    {"link_state": LinkState.ENABLE},
]


@pytest.mark.parametrize("says", SAYS, ids=lambda says: next(iter(says)))
def test_a_port_goes_to_a_host_whose_driver_can(world, says):
    world.policy()
    igb_host(world)
    able = world.host("h2", 2)
    server = world.run_server(able, "web", world.direct(port_profile_id=profile(world, **says)))
    assert (server.status, server.host_id) == (ServerStatus.ACTIVE, able.id)


def test_where_no_driver_can_the_server_says_which_capability_is_missing(world):
    world.policy()
    igb_host(world)
    made = profile(world, vlan_protocol=VlanProtocol.DOT1AD, link_state=LinkState.ENABLE)
    server = world.boot("web", world.direct(port_profile_id=made))
    world.scheduler.tick()
    shown = world.server(server.id)
    assert shown.status is ServerStatus.ERROR
    assert "capability 802.1ad, link-state" in str(shown.fault)


def test_an_igb_has_all_that_a_plain_port_needs(world):
    world.policy()
    host = igb_host(world)
    assert world.run_server(host, "web", world.direct(2)).status is ServerStatus.ACTIVE


@pytest.mark.parametrize("says", [SAYS[0], SAYS[2]], ids=lambda says: next(iter(says)))
def test_a_live_change_that_a_driver_cannot_do_is_refused_and_changes_nothing(world, says):
    world.policy()
    host, able = igb_host(world), world.host("h2", 2)
    made = profile(world, vlan_priority=1)
    here = world.boot("here", world.direct(port_profile_id=made), host="h1")
    there = world.boot("there", world.direct(port_profile_id=made), host="h2")
    world.scheduler.tick()
    host.settle()
    able.settle()
    here, there = world.server(here.id), world.server(there.id)
    with pytest.raises(Conflict) as refused:
        change(world, made, vlan_priority=2, **says)
    assert refused.value.code == "settings_conflict"
    assert "driver igb has no" in refused.value.message
    assert "of server here" in refused.value.message
    assert "of server there" not in refused.value.message
    for server in (here, there):
        shown = world.engine.run(lambda tx, port_id=server.ports[0]: ports.show(tx, port_id))
        assert (shown.status, shown.binding.wiring) == (PortStatus.ACTIVE, Wiring.WIRED)


def test_a_default_of_the_network_or_a_port_held_down_is_refused_as_well(world):
    world.policy()
    server = world.run_server(igb_host(world), "web", world.direct())
    with pytest.raises(Conflict, match="driver igb has no link-state"):
        set_network(world, port_profile_id=profile(world, link_state=LinkState.ENABLE))
    with pytest.raises(Conflict, match="driver igb has no link-state"):
        world.engine.run(lambda tx: update(tx, server.ports[0], PortChanges(admin_state_up=False)))


def test_what_the_port_of_a_driver_that_says_no_asked_for_before_is_in_nobodys_way(world):
    """Its driver was another when it was placed."""
    world.policy()
    host = world.host()
    made = profile(world, link_state=LinkState.ENABLE)
    server = world.run_server(host, "web", world.direct(port_profile_id=made))
    with world.database.transaction() as tx:
        for device in tx.devices.find(host_id=host.id):
            tx.devices.put(replace(device, kernel_driver="igb"))
    change(world, made, link_state=LinkState.ENABLE, vlan_priority=1)
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
