"""Which servers get a host, which do not, and what they are told."""

import pytest

from fairlead.control import claims, explaining, hosts, servers
from fairlead.control.booting import BootServer, boot
from fairlead.control.host_facts import views_of
from fairlead.control.hosts import HostChanges
from fairlead.control.nics import BootNic, NicChoice
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.host import HostAdmin
from fairlead.model.ids import FlavorId, PortId
from fairlead.model.port import VnicType
from fairlead.model.server import ServerStatus
from fairlead.placement.boundary import ReasonCode
from tests.control_world import CALLER, World


def test_a_server_that_fits_nowhere_says_so_and_is_placed_when_asked_again(world: World) -> None:
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert server.fault.code == "no_valid_host"
    answer = world.engine.run(lambda tx: explaining.explain_server(tx, server.id))
    assert [found.host_name for found in answer.rejecting] == ["h1"]
    assert answer.summary == server.fault.answer
    world.policy()
    host.settle()
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=True))
    world.scheduler.tick()
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE


def test_a_refusal_names_who_holds_what_is_lacking(world: World) -> None:
    world.policy(num_vfs=1)
    host = world.host()
    for name in ("a", "b"):
        assert world.run_server(host, name, world.direct()).status is ServerStatus.ACTIVE
    late = world.run_server(host, "late", world.direct())
    assert late.status is ServerStatus.ERROR
    assert late.fault is not None
    assert "server a" in late.fault.answer
    assert "server b" in late.fault.answer


def test_a_host_that_was_disabled_since_it_was_chosen_is_not_claimed(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.boot("web", world.direct())
    disabled = HostChanges(admin=HostAdmin.DISABLED)
    world.engine.run(lambda tx: hosts.update(tx, host.id, disabled))
    claim = world.engine.run(lambda tx: claims.commit(tx, server.id, host.id))
    assert not claim.is_made
    assert claim.view is not None
    assert claim.view.why_not
    assert world.server(server.id).host_id is None
    with world.database.transaction() as tx:
        assert tx.allocations.find() == ()


def test_explaining_a_boot_makes_nothing(world: World) -> None:
    world.policy()
    world.host()
    with world.database.transaction() as tx:
        flavor = tx.flavors.find(name="tiny")[0].id
    wanted = BootServer("web", flavor, nics=world.direct(2, min_mbps=10))
    answer = world.engine.run(lambda tx: explaining.explain_boot(tx, CALLER, wanted))
    assert [found.host_name for found in answer.fitting] == ["h1"]
    assert answer.rejecting == ()
    greedy = BootServer("web", flavor, nics=world.direct(1, min_mbps=26_000))
    answer = world.engine.run(lambda tx: explaining.explain_boot(tx, CALLER, greedy))
    assert answer.fitting == ()
    assert answer.rejecting[0].reasons[0].code is ReasonCode.BANDWIDTH
    with world.database.transaction() as tx:
        assert tx.ports.find() == tx.servers.find() == tx.qos_policies.find() == ()


def test_a_server_goes_to_the_host_asked_for(world: World) -> None:
    world.policy()
    world.host("h1", 1)
    second = world.host("h2", 2)
    server = world.boot("web", world.direct(), host="h2")
    world.scheduler.tick()
    assert world.server(server.id).host_id == second.id
    with pytest.raises(InvalidValue, match="h9"):
        world.boot("web", world.direct(), host="h9")


def test_a_disabled_or_silent_host_takes_no_new_servers(world: World) -> None:
    world.policy()
    host = world.host()
    off = HostChanges(admin=HostAdmin.DISABLED, admin_reason="new power supply")
    world.engine.run(lambda tx: hosts.update(tx, host.id, off))
    refused = world.run_server(host, "web", world.direct())
    assert refused.fault is not None
    assert "new power supply" in str(refused.fault)
    world.engine.run(lambda tx: hosts.update(tx, host.id, HostChanges(admin=HostAdmin.ENABLED)))
    world.time.advance(31)
    server = world.boot("db", world.direct())
    world.scheduler.tick()
    silent = world.server(server.id)
    assert silent.fault is not None
    assert "not been heard of" in str(silent.fault)


def test_a_pf_is_not_given_whole_while_its_vfs_are_held(world: World) -> None:
    world.policy()
    host = world.host()
    world.run_server(host, "web", world.direct())
    with world.database.transaction() as tx:
        (held,) = tx.allocations.find()
    view = world.engine.run(lambda tx: views_of(tx, tx.hosts.find()))[0]
    assert not next(family for family in view.families if family.family_id == held.family_id).is_free


def test_a_server_deleted_before_it_was_placed_is_gone_at_once(world: World) -> None:
    server = world.boot("web", world.direct(max_mbps=10))
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    assert world.scheduler.tick() == 0
    with world.database.transaction() as tx:
        assert tx.servers.find() == tx.ports.find() == tx.qos_policies.find() == ()


def test_a_port_is_taken_once_and_given_back(world: World) -> None:
    world.policy()
    host = world.host()
    port_id = world.port(VnicType.DIRECT)
    server = world.run_server(host, "web", (BootNic(port_id=port_id, tag="data"),))
    assert server.nic_tags == {port_id: "data"}
    with pytest.raises(Conflict) as refusal:
        world.boot("other", (BootNic(port_id=port_id),))
    assert refusal.value.code == "in_use"
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    with world.database.transaction() as tx:
        port = tx.ports.fetch(port_id)
        assert (port.server_id, port.device_owner) == (None, "")
        assert tx.bindings.find() == ()


@pytest.mark.parametrize(
    ("nics", "field"),
    [
        ((BootNic(port_id=PortId("none")),), "port"),
        ((BootNic(),), "networks"),
        ((BootNic(port_id=PortId("a")), BootNic(port_id=PortId("a"))), "networks"),
        ((BootNic(port_id=PortId("a"), trusted=True),), "networks"),
    ],
)
def test_nics_that_cannot_be_are_refused_at_the_boot(
    world: World, nics: tuple[BootNic, ...], field: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        world.boot("web", nics)
    assert refusal.value.field == field


def test_a_promise_above_the_cap_is_refused_at_the_boot(world: World) -> None:
    with pytest.raises(InvalidValue) as refusal:
        world.boot("web", world.direct(min_mbps=100, max_mbps=10))
    assert refusal.value.field == "min_mbps"


def test_the_only_network_is_taken_where_none_is_named(world: World) -> None:
    server = world.boot("web", NicChoice.AUTO)
    assert len(server.ports) == 1
    assert world.boot("bare", NicChoice.NONE).ports == ()
    world.network("other", vlan=200, cidr="10.1.0.0/24")
    with pytest.raises(Conflict) as refusal:
        world.boot("db", NicChoice.AUTO)
    assert refusal.value.code == "ambiguous"


def test_an_unknown_flavor_image_or_user_data_is_refused(world: World) -> None:
    with pytest.raises(InvalidValue, match="base64"):
        world.boot("web", (), user_data="not base64!")

    def unknown(tx: object) -> None:
        boot(tx, CALLER, BootServer("web", FlavorId("none"), world.image_id))  # type: ignore[arg-type]

    with pytest.raises(InvalidValue) as refusal:
        world.engine.run(unknown)
    assert refusal.value.field == "flavorRef"
