"""Servers on ports with an 802.1Qbg profile: where they are placed, what the bridge has of them, what its no costs."""

import pytest

from fairlead.control import port_profiles, ports, servers
from fairlead.control.explaining import explain_server
from fairlead.control.port_changes import PortChanges, update
from fairlead.control.port_profiles import GivenSettings, NewPortProfile, PortProfileChanges
from fairlead.model.binding import VifType
from fairlead.model.ids import PortId, PortProfileId
from fairlead.model.port import PortStatus
from fairlead.model.port_profile import PortProfileKind
from fairlead.model.server import Server, ServerStatus
from fairlead.model.vsi import VdpResponse, VsiSettings
from tests.control_world import CALLER, World

INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"


def profile(world: World, instance_id: str | None = None) -> PortProfileId:
    given = GivenSettings(manager_id=11, type_id=7, type_id_version=2, instance_id=instance_id)
    new = NewPortProfile(CALLER.project_id, "desk", port_profiles.settings_of(PortProfileKind.QBG, given))
    return world.engine.run(lambda tx: port_profiles.create(tx, new)).id


class Station:
    """A host, and servers with one port of that profile."""

    def __init__(self, world: World) -> None:
        world.policy()
        self.world, self.host = world, world.host()
        self.machine = self.host.sim.machine

    def run(self, profile_id: PortProfileId, name: str = "web") -> Server:
        return self.world.run_server(self.host, name, self.world.direct(port_profile_id=profile_id))

    def port(self, port_id: PortId) -> ports.PortView:
        return self.world.engine.run(lambda tx: ports.show(tx, port_id))

    def server(self, server: Server) -> Server:
        return self.world.engine.run(lambda tx: tx.servers.fetch(server.id))

    @property
    def held(self) -> dict[str, VsiSettings]:
        return {key: vsi for vsis in self.machine.vsis.values() for key, vsi in vsis.items()}


@pytest.fixture
def station(world: World) -> Station:
    return Station(world)


def test_the_bridge_has_the_port_by_its_own_id(station: Station):
    server = station.run(profile(station.world))
    (port_id,) = server.ports
    view = station.port(port_id)
    assert (server.status, view.status) == (ServerStatus.ACTIVE, PortStatus.ACTIVE)
    assert view.binding is not None
    assert (view.binding.vif_type, view.binding.vif_details["instanceid"]) == (VifType.QBG, port_id)
    assert station.held == {port_id: VsiSettings(port_id, 11, 7, 2, view.port.mac, 100)}
    assert station.world.violations() == ()


def test_a_second_port_with_the_instance_id_of_a_bound_one_gets_no_host(station: Station):
    profile_id = profile(station.world, INSTANCE)
    assert station.run(profile_id).status is ServerStatus.ACTIVE
    second = station.run(profile_id, "second")
    assert second.status is ServerStatus.ERROR
    assert second.fault is not None
    assert f"Placing server second failed: Port {second.ports[0]} would be VSI {INSTANCE}" in str(
        second.fault
    )
    assert "of server web is already" in str(second.fault)
    assert ".." not in str(second.fault)
    said = station.world.engine.run(lambda tx: explain_server(tx, second.id)).summary
    assert said.startswith("No host can take server second: Port ")
    assert "of server web is already" in said
    assert list(station.held) == [INSTANCE]


def test_without_a_station_the_capability_is_named(station: Station):
    station.machine.troubles.is_lldpad_away = True
    station.host.settle()
    server = station.run(profile(station.world))
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert "of a PF with capability 802.1qbg" in server.fault.answer


def test_where_a_station_hears_itself_no_port_is_placed(station: Station):
    station.machine.troubles.is_echoing = True
    station.host.settle()
    server = station.run(profile(station.world))
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert "of a PF with capability 802.1qbg" in server.fault.answer


def test_a_port_that_was_placed_before_its_station_heard_itself_says_so(station: Station):
    server = station.world.boot("web", station.world.direct(port_profile_id=profile(station.world)))
    station.world.scheduler.tick()
    station.machine.troubles.is_echoing = True
    station.host.settle()
    found = station.server(server)
    assert found.status is ServerStatus.ERROR
    assert found.fault is not None
    assert found.fault.code == "vdp_echoed"
    assert station.host.sim.hypervisor.starts == []


def test_another_type_reaches_bound_ports_live(station: Station):
    profile_id = profile(station.world)
    server = station.run(profile_id)
    (port_id,) = server.ports
    changes = GivenSettings(type_id=8)
    station.world.engine.run(lambda tx: port_profiles.update(tx, profile_id, PortProfileChanges(), changes))
    assert station.port(port_id).status is PortStatus.BUILD
    station.host.settle()
    view = station.port(port_id)
    assert view.status is PortStatus.ACTIVE
    assert view.binding is not None
    assert view.binding.vif_details["typeid"] == "8"
    assert station.held[port_id].type_id == 8
    assert len(station.host.sim.hypervisor.starts) == 1


@pytest.mark.parametrize("response", [*VdpResponse][1:])
def test_a_refusal_is_told_and_nothing_is_left(station: Station, response: VdpResponse):
    station.machine.troubles.vdp_response = response
    server = station.run(profile(station.world))
    (port_id,) = server.ports
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert f"answers {response.code}: {response.value}" in server.fault.answer
    assert station.port(port_id).status is PortStatus.ERROR
    station.world.engine.run(lambda tx: servers.delete(tx, server.id))
    station.host.settle()
    assert station.held == {}
    assert station.world.violations() == ()


def test_a_port_that_is_down_is_not_associated(station: Station):
    server = station.run(profile(station.world))
    (port_id,) = server.ports
    station.world.engine.run(lambda tx: update(tx, port_id, PortChanges(admin_state_up=False)))
    station.host.settle()
    assert station.held == {}
    station.world.engine.run(lambda tx: update(tx, port_id, PortChanges(admin_state_up=True)))
    station.host.settle()
    assert list(station.held) == [port_id]
    assert station.port(port_id).status is PortStatus.ACTIVE


def test_a_port_whose_running_guest_loses_its_vsi_is_in_error_and_its_server_is_not(station: Station):
    server = station.run(profile(station.world))
    (port_id,) = server.ports
    station.machine.vsis.clear()
    station.machine.troubles.vdp_response = VdpResponse.VTID_VIOLATION
    station.host.settle()
    assert station.port(port_id).status is PortStatus.ERROR
    assert station.server(server).status is ServerStatus.ACTIVE
    station.machine.troubles.vdp_response = None
    station.host.sim.clock.advance(61)
    station.host.settle()
    assert station.port(port_id).status is PortStatus.ACTIVE
    assert station.server(server).fault is None
