"""Servers on ports with an 802.1Qbh profile: where they are placed, what their VFs become, and what a refusal costs."""

import pytest

from fairlead.control import port_profiles, ports, servers
from fairlead.control.port_changes import PortChanges, update
from fairlead.control.port_profiles import GivenSettings, NewPortProfile, PortProfileChanges
from fairlead.model.association import INVALID, Association
from fairlead.model.binding import Binding, VifType, Wiring
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId, PortProfileId
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import PortStatus
from fairlead.model.port_profile import PortProfileKind
from fairlead.model.server import Server, ServerStatus
from fairlead.model.vf import BASELINE, VfSettings, differences
from fairlead.sim.machine import PfState
from tests.control_world import CALLER, EnrolledHost, World

FABRIC = "ens2f0"
"""The simulated server's PF at a switch that speaks 802.1Qbh."""


def profile(world: World, profile_id: str = "finance") -> PortProfileId:
    settings = port_profiles.settings_of(PortProfileKind.QBH, GivenSettings(profile_id=profile_id))
    new = NewPortProfile(CALLER.project_id, profile_id, settings)
    return world.engine.run(lambda tx: port_profiles.create(tx, new)).id


class Fabric:
    """A host with both data NICs on the network's physical network, and a server with one port of that profile."""

    def __init__(self, world: World) -> None:
        world.policy()
        self.world, self.host = world, world.host()
        self.profile_id = profile(world)

    def run(self, name: str = "web") -> Server:
        return self.world.run_server(self.host, name, self.world.direct(port_profile_id=self.profile_id))

    def pf(self) -> PfState:
        return next(pf for pf in self.host.sim.machine.pfs.values() if pf.nic.name == FABRIC)

    def vf(self, port_id: PortId) -> VfSettings:
        pf, index = self.host.sim.machine.vf_at(self.binding(port_id).profile["pci_slot"]) or (None, 0)
        assert pf is not None
        assert pf.nic.name == FABRIC
        return pf.vfs[index]

    def binding(self, port_id: PortId) -> Binding:
        found = self.port(port_id).binding
        assert found is not None
        return found

    def port(self, port_id: PortId) -> ports.PortView:
        return self.world.engine.run(lambda tx: ports.show(tx, port_id))

    def change(self, **settings: str) -> None:
        given = GivenSettings(**settings)  # type: ignore[arg-type]
        self.world.engine.run(
            lambda tx: port_profiles.update(tx, self.profile_id, PortProfileChanges(), given)
        )

    def set_port(self, port_id: PortId, **changes: bool) -> None:
        self.world.engine.run(lambda tx: update(tx, port_id, PortChanges(**changes)))  # type: ignore[arg-type]
        self.host.settle()


@pytest.fixture
def fabric(world: World) -> Fabric:
    return Fabric(world)


def of(host: EnrolledHost, port_id: PortId, profile_id: str = "finance") -> Association:
    return Association(profile_id, port_id, host.id)


def test_its_vf_is_of_such_a_pf_and_associated_before_the_guest_runs(fabric: Fabric):
    server = fabric.run()
    (port_id,) = server.ports
    binding = fabric.binding(port_id)
    assert (server.status, fabric.port(port_id).status) == (ServerStatus.ACTIVE, PortStatus.ACTIVE)
    assert (binding.vif_type, binding.vif_details["profileid"]) == (VifType.QBH, "finance")
    vf = fabric.vf(port_id)
    assert vf.association == of(fabric.host, port_id)
    assert (vf.mac, vf.vlan) == (fabric.port(port_id).port.mac, None)
    assert fabric.world.violations() == ()


def test_eight_of_them_fill_that_pf_and_the_ninth_says_what_is_lacking(fabric: Fabric):
    for number in range(8):
        assert fabric.run(f"web-{number}").status is ServerStatus.ACTIVE
    ninth = fabric.run("web-8")
    assert ninth.status is ServerStatus.ERROR
    assert ninth.fault is not None
    assert "lacks free VFs on physnet1" in ninth.fault.answer


def test_without_such_a_pf_the_capability_is_named(world: World):
    world.policy(match=DeviceMatch(name=("ens1f0",)))
    host = world.host()
    server = world.run_server(host, "web", world.direct(port_profile_id=profile(world)))
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert "of a PF with capability 802.1qbh" in server.fault.answer


def test_another_profile_of_the_switch_reaches_its_ports_live(fabric: Fabric):
    server = fabric.run()
    (port_id,) = server.ports
    fabric.change(profile_id="hr")
    assert fabric.binding(port_id).wiring is Wiring.PENDING
    assert fabric.binding(port_id).vif_details["profileid"] == "hr"
    fabric.host.settle()
    assert fabric.vf(port_id).association == of(fabric.host, port_id, "hr")
    assert (fabric.binding(port_id).wiring, fabric.port(port_id).status) == (Wiring.WIRED, PortStatus.ACTIVE)


def test_a_port_that_is_down_is_not_associated(fabric: Fabric):
    (port_id,) = fabric.run().ports
    mac = fabric.vf(port_id).mac
    fabric.set_port(port_id, admin_state_up=False)
    assert (fabric.vf(port_id).association, fabric.vf(port_id).mac) == (None, mac)
    fabric.set_port(port_id, admin_state_up=True)
    assert fabric.vf(port_id).association == of(fabric.host, port_id)


def test_what_is_the_switchs_to_say_is_refused_on_a_bound_port(fabric: Fabric):
    (port_id,) = fabric.run().ports
    with pytest.raises(Conflict) as refused:
        fabric.set_port(port_id, port_security_enabled=False)
    assert "the switch's profile finance" in refused.value.message


def test_a_switch_that_says_no_fails_the_server_and_leaves_nothing_set(fabric: Fabric):
    fabric.host.sim.machine.switch.answer = INVALID
    server = fabric.run()
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert (server.fault.code, "knows no such profile" in server.fault.answer) == (
        "association_invalid",
        True,
    )
    assert all(not differences(BASELINE, vf) for vf in fabric.pf().vfs.values())
    domain = fabric.host.sim.machine.domains.get(f"fl-{server.id}")
    assert domain is None or not domain.is_up


def test_a_switch_that_is_silent_too(fabric: Fabric):
    fabric.host.sim.machine.switch.is_silent = True
    server = fabric.run()
    assert server.fault is not None
    assert server.fault.code == "association_unanswered"
    fabric.host.sim.machine.switch.is_silent = False
    fabric.world.engine.run(lambda tx: servers.delete(tx, server.id))
    fabric.host.settle()
    assert all(not differences(BASELINE, vf) for vf in fabric.pf().vfs.values())


def test_an_association_that_was_lost_is_made_again_and_told(fabric: Fabric):
    server = fabric.run()
    (port_id,) = server.ports
    for index in fabric.pf().vfs:
        fabric.host.sim.machine.lose_association(fabric.pf().nic.key, index)
    fabric.host.settle()
    assert fabric.vf(port_id).association == of(fabric.host, port_id)
    (event,) = (each for each in fabric.world.events(server.id) if each.kind == "drift_repaired")
    assert "association was none" in event.message


def test_a_server_that_goes_gives_its_association_up(fabric: Fabric):
    server = fabric.run()
    fabric.world.engine.run(lambda tx: servers.delete(tx, server.id))
    fabric.host.settle()
    assert all(not differences(BASELINE, vf) for vf in fabric.pf().vfs.values())
    assert fabric.world.engine.run(lambda tx: tx.allocations.find()) == ()
