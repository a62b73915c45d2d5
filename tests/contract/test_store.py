"""What control may count on, on SQLite and on PostgreSQL: every method of Rows and Tx, and every refusal."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from operator import itemgetter
from typing import Any

import pytest

from fairlead.control.boundary import Key, Rows, Tx, Wake
from fairlead.model.binding import BindingRole
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import DeviceId, MigrationId, ProjectId, ServerId
from fairlead.model.infiniband import Guid, Membership
from fairlead.model.port import FixedIp
from fairlead.model.port_profile import (
    EthernetSettings,
    InfinibandSettings,
    PortProfileSettings,
    QbgSettings,
    QbhSettings,
)
from fairlead.model.server import Resize, Size
from fairlead.store.engine import SqlDatabase, open_database
from tests.contract import store_rows as make
from tests.postgres import Cluster


@pytest.fixture
def database(database_url: str) -> Iterator[SqlDatabase]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def tx(database: SqlDatabase) -> Iterator[Tx]:
    with database.transaction() as begun:
        yield begun


def refusal(database: SqlDatabase, work: Callable[[Tx], object]) -> Conflict:
    """What a transaction that does `work` ends with."""
    with pytest.raises(Conflict) as refused, database.transaction() as tx:
        work(tx)
    return refused.value


def everything(tx: Tx) -> list[tuple[Rows[Any], Key, Any]]:
    """One row of each noun, in an order in which they can be added, with its key."""
    policy, flavor, image = make.qos_policy(), make.flavor(), make.image()
    profile = make.port_profile()
    network = replace(make.network(), qos_policy_id=policy.id, port_profile_id=profile.id)
    shared = make.rbac_policy(network)
    subnet = make.subnet(network)
    port = make.port(network, ips=(FixedIp(subnet.id, "10.0.0.9"),))
    host, server = make.host(), make.server()
    pf = make.pf(host)
    vf = make.vf(pf, 3)
    device_policy, alias = make.device_policy(), make.alias()
    question = make.question(host, server)
    migration = make.migration(server)
    fabric, member = make.fabric(), make.partition_member()
    group, aggregate, key = make.server_group(), make.aggregate(), make.keypair()
    made: list[tuple[Rows[Any], Key, Any]] = [
        (tx.qos_policies, policy.id, policy),
        (tx.port_profiles, profile.id, profile),
        (tx.networks, network.id, network),
        (tx.rbac_policies, shared.id, shared),
        (tx.subnets, subnet.id, subnet),
        (tx.ports, port.id, port),
        (tx.flavors, flavor.id, flavor),
        (tx.images, image.id, image),
        (tx.image_members, (image.id, "other"), make.image_member(image)),
        (tx.server_groups, group.id, group),
        (tx.aggregates, aggregate.id, aggregate),
        (tx.keypairs, (key.user_id, key.name), key),
        (tx.servers, server.id, server),
        (tx.migrations, migration.id, migration),
        (tx.hosts, host.id, host),
        (tx.devices, pf.id, pf),
        (tx.devices, vf.id, vf),
        (tx.policies, device_policy.id, device_policy),
        (tx.aliases, alias.name, alias),
        (tx.fabrics, fabric.physical_network, fabric),
        (tx.partition_members, (member.physical_network, member.guid, member.partition), member),
        (tx.questions, question.id, question),
        (tx.allocations, vf.id, make.allocation(vf, server)),
        (tx.bindings, (port.id, host.id), make.binding(port, host, device=vf)),
    ]
    return made


def test_every_noun_is_added_changed_and_removed(database: SqlDatabase) -> None:
    with database.transaction() as tx:
        rows_and_keys = everything(tx)
        for rows, key, row in rows_and_keys:
            assert rows.get(key) is None
            rows.add(row)
            assert (rows.get(key), rows.fetch(key), rows.lock(key)) == (row, row, row)
            assert row in rows.find()
            changed = rows.put(row)
            assert rows.fetch(key) == changed
            assert type(rows.fetch(key)) is type(row)
        for rows, key, row in reversed(rows_and_keys):
            rows.remove(key)
            rows.remove(key)
            assert rows.get(key) is None, row
            for asked in (rows.fetch, rows.lock):
                with pytest.raises(NotFound) as missing:
                    asked(key)
                assert missing.value.kind == rows.kind


def test_times_are_kept_to_the_microsecond_in_utc(tx: Tx) -> None:
    elsewhere = make.AT.astimezone(timezone(timedelta(hours=5)))
    host = replace(make.host(), created_at=elsewhere, last_seen_at=make.AT)
    tx.hosts.add(host)
    found = tx.hosts.fetch(host.id)
    assert (found.created_at, found.last_seen_at) == (make.AT, make.AT)
    assert found.created_at.tzinfo is UTC


def test_a_put_fences_by_revision_and_gives_the_next(tx: Tx) -> None:
    read = make.host()
    tx.hosts.add(read)
    first = tx.hosts.put(replace(read, agent_version="1"))
    assert first.revision == 1
    with pytest.raises(Conflict, match="has changed since") as stale:
        tx.hosts.put(replace(read, agent_version="2"))
    assert stale.value.code == "stale"
    assert tx.hosts.fetch(read.id) == first


def test_a_touch_writes_its_fields_alone_and_leaves_the_revision(tx: Tx) -> None:
    read = make.host()
    tx.hosts.add(read)
    newest = tx.hosts.put(replace(read, agent_version="1"))
    assert tx.hosts.touch(read, last_seen_at=make.AT) == replace(read, last_seen_at=make.AT)
    assert tx.hosts.fetch(read.id) == replace(newest, last_seen_at=make.AT)


def test_a_put_or_touch_of_nothing_is_not_found(tx: Tx) -> None:
    for rows, _, row in everything(tx):
        with pytest.raises(NotFound):
            rows.put(row)
    with pytest.raises(NotFound):
        tx.hosts.touch(make.host(), last_seen_at=make.AT)


def test_find_takes_values_one_of_several_and_absence(tx: Tx) -> None:
    hosts = [replace(make.host(f"h{n}"), created_at=make.later(9 - n)) for n in range(3)]
    servers = [replace(make.server(f"s{n}"), host_id=hosts[n].id if n else None) for n in range(3)]
    for host in hosts:
        tx.hosts.add(host)
    for server in servers:
        tx.servers.add(server)
    assert tx.hosts.find() == tuple(reversed(hosts)), "oldest first"
    assert tx.servers.find(host_id=None) == (servers[0],)
    assert tx.servers.find(host_id=hosts[1].id, status=servers[1].status) == (servers[1],)
    by_key = sorted(servers, key=lambda server: server.id)
    assert tx.servers.find(host_id=(hosts[1].id, hosts[2].id)) == tuple(s for s in by_key if s.host_id)
    assert tx.servers.find(host_id=(hosts[1].id, None)) == tuple(s for s in by_key if s.name != "s2")
    assert tx.servers.find(host_id=()) == ()
    assert tx.servers.find(host_id=(None,)) == (servers[0],)
    for host_id in (
        None,
        hosts[1].id,
        (hosts[1].id, hosts[2].id),
        (hosts[1].id, None),
        (),
        (None,),
        "nobody",
    ):
        assert tx.servers.count(host_id=host_id) == len(tx.servers.find(host_id=host_id))
    assert tx.servers.count() == len(servers)
    assert len(tx.servers.find(name=("s0", "s1", "s2", *(f"x{n}" for n in range(40_000))))) == 3
    assert tx.servers.find(locked=False, boot_serial=(1, 2), created_at=make.AT, config_drive=(True,)) != ()


def test_rows_of_the_same_time_are_found_by_key(tx: Tx) -> None:
    for number in range(5):
        tx.hosts.add(make.host(f"h{number}"))
    found = [host.id for host in tx.hosts.find()]
    assert found == sorted(found)


def test_the_newest_are_found_a_part_at_a_time(tx: Tx) -> None:
    servers = [
        replace(make.server(f"s{n}"), created_at=make.later(n // 2), locked=n % 3 == 0) for n in range(9)
    ]
    for server in servers:
        tx.servers.add(server)
    for where in ({}, {"locked": False}, {"locked": (True,), "name": ("s0", "s3", "s9")}):
        backwards = tx.servers.find(**where)[::-1]
        assert tx.servers.newest(99, **where) == backwards
        assert tx.servers.newest(2, **where) == backwards[:2]
        for at, server in enumerate(backwards):
            assert tx.servers.newest(3, server, **where) == backwards[at + 1 : at + 4]
    assert tx.servers.newest(9, locked=()) == ()
    middle = tx.servers.find()[4]
    tx.servers.remove(middle.id)
    assert tx.servers.newest(9, middle) == tx.servers.find()[3::-1]


def test_what_the_servers_of_a_project_hold_is_told_by_kind(tx: Tx) -> None:
    small, resized = make.server(), make.server()
    large = replace(small.flavor, vcpus=64, extra_specs={"a": "b"})
    old, new = Size(small.flavor), Size(large)
    resize = Resize(MigrationId(make.fresh()), old, new, small.power)
    for server in (
        replace(small, resize=None, cells=()),
        replace(small, id=ServerId(make.fresh()), resize=None, name="another", cells=()),
        replace(resized, flavor=large, resize=resize),
        replace(resized, id=ServerId(make.fresh()), project_id=ProjectId("other"), flavor=large),
    ):
        tx.servers.add(server)
    told = sorted(tx.servers.sizes(make.PROJECT), key=itemgetter(1))
    assert told == [((old, new), 1), ((old,), 2)]
    assert tx.servers.sizes(ProjectId("nobody's")) == ()


def test_devices_are_found_in_bus_order(tx: Tx) -> None:
    host = make.host()
    tx.hosts.add(host)
    pf = make.pf(host)
    tx.devices.add(pf)
    for index in (3, 1, 2):
        tx.devices.add(make.vf(pf, index))
    assert [device.vf_index for device in tx.devices.find(host_id=host.id)] == [None, 1, 2, 3]


@pytest.mark.parametrize("where", [{"colour": "red"}, {"colour": None}, {"labels": "x"}])
def test_what_cannot_be_searched_is_a_programming_error(tx: Tx, where: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        tx.hosts.find(**where)


def test_a_key_of_another_shape_is_a_programming_error(tx: Tx) -> None:
    with pytest.raises(TypeError):
        tx.bindings.get("port")


def test_a_value_that_no_column_keeps_is_refused(database: SqlDatabase) -> None:
    for host in (replace(make.host(), name="\ud800"), replace(make.host(), report_serial=1 << 64)):
        with pytest.raises(InvalidValue), database.transaction() as tx:
            tx.hosts.add(host)


def test_postgresql_keeps_no_nul(postgres_cluster: Cluster) -> None:
    with postgres_cluster.fresh_database() as url:
        database = open_database(url)

        def go_on_though_refused(tx: Tx) -> None:
            tx.hosts.add(make.host())
            with pytest.raises(InvalidValue):
                tx.hosts.get("\x00")

        with pytest.raises(InvalidValue), database.transaction() as tx:
            go_on_though_refused(tx)
        with database.transaction() as tx:
            assert tx.hosts.find() == ()
        database.close()


def test_a_mac_is_unique_in_its_network(database: SqlDatabase) -> None:
    left, right = make.network(7), make.network(8)
    with database.transaction() as tx:
        tx.networks.add(left)
        tx.networks.add(right)
        tx.ports.add(make.port(left))
        tx.ports.add(make.port(right))
    refused = refusal(database, lambda tx: tx.ports.add(make.port(left)))
    assert (refused.code, refused.field) == ("mac_in_use", "mac_address")
    assert refused.message == (
        f"Unable to complete operation for network {left.id}. The mac address fa:16:3e:00:00:01 is in use."
    )


def test_a_guid_is_unique_on_all_networks_and_ports_without_one_are_many(database: SqlDatabase) -> None:
    left, right = make.network(7), make.network(8)
    guid = Guid("fa:16:3e:00:00:00:00:01")
    with database.transaction() as tx:
        tx.networks.add(left)
        tx.networks.add(right)
        tx.ports.add(replace(make.port(left), guid=guid))
        tx.ports.add(make.port(right, "fa:16:3e:00:00:02"))
        tx.ports.add(make.port(right, "fa:16:3e:00:00:03"))
    again = replace(make.port(right), guid=guid)
    refused = refusal(database, lambda tx: tx.ports.add(again))
    assert (refused.code, refused.field) == ("guid_in_use", "guid")
    assert f"The GUID {guid} is in use by another port" in refused.message


def test_a_vlan_is_unique_on_its_physical_network_and_one_network_is_flat(database: SqlDatabase) -> None:
    with database.transaction() as tx:
        for made in (
            make.network(7),
            make.network(7, "right"),
            make.network(None),
            make.network(None, "right"),
        ):
            tx.networks.add(made)
    vlan = refusal(database, lambda tx: tx.networks.add(make.network(7)))
    assert (vlan.code, vlan.message) == (
        "vlan_in_use",
        "Unable to create the network. The VLAN 7 on physical network left is in use.",
    )
    flat = refusal(database, lambda tx: tx.networks.add(make.network(None)))
    assert (flat.code, flat.message) == (
        "flat_in_use",
        "Unable to create the flat network. Physical network left is in use.",
    )


def test_names_are_unique_where_people_name_things_by_them(database: SqlDatabase) -> None:
    adds: list[Callable[[Tx], None]] = [
        lambda tx: tx.hosts.add(make.host()),
        lambda tx: tx.policies.add(make.device_policy()),
        lambda tx: tx.aliases.add(make.alias()),
        lambda tx: tx.flavors.add(make.flavor()),
    ]
    for add in adds:
        with database.transaction() as tx:
            add(tx)
        refused = refusal(database, add)
        assert (refused.code, refused.field) == ("name_in_use", "name")
        assert "already exists" in refused.message


def test_an_id_is_given_once(database: SqlDatabase) -> None:
    image, flavor = make.image(), make.flavor()
    with database.transaction() as tx:
        tx.images.add(image)
        tx.flavors.add(flavor)
    assert refusal(database, lambda tx: tx.images.add(image)).code == "id_in_use"
    again = replace(flavor, name="other")
    assert (
        refusal(database, lambda tx: tx.flavors.add(again)).message
        == f"Flavor with ID {flavor.id} already exists."
    )


def test_a_device_is_held_once_and_is_on_the_host_that_is_named(database: SqlDatabase) -> None:
    host, other, server = make.host("h1"), make.host("h2"), make.server()
    pf = make.pf(host)
    vf = make.vf(pf, 0)
    with database.transaction() as tx:
        tx.hosts.add(host)
        tx.hosts.add(other)
        tx.devices.add(vf)
        tx.devices.add(pf)
        tx.servers.add(server)
        tx.allocations.add(make.allocation(vf, server))
    assert (
        refusal(database, lambda tx: tx.allocations.add(make.allocation(vf, server))).code == "device_in_use"
    )
    elsewhere = replace(make.allocation(pf, server), host_id=other.id)
    assert refusal(database, lambda tx: tx.allocations.add(elsewhere)).code == "stale"
    for remove in (
        lambda tx: tx.devices.remove(vf.id),
        lambda tx: tx.hosts.remove(host.id),
        lambda tx: tx.servers.remove(server.id),
    ):
        assert refusal(database, remove).code == "in_use"
    assert refusal(database, lambda tx: tx.devices.add(replace(vf, id=DeviceId("x")))).code == "id_in_use"


def test_a_port_has_one_active_binding(database: SqlDatabase) -> None:
    network, hosts = make.network(), [make.host("h1"), make.host("h2")]
    port = make.port(network)
    with database.transaction() as tx:
        tx.networks.add(network)
        tx.ports.add(port)
        for host in hosts:
            tx.hosts.add(host)
        tx.bindings.add(make.binding(port, hosts[0]))
    assert refusal(database, lambda tx: tx.bindings.add(make.binding(port, hosts[1]))).code == "bound"
    with database.transaction() as tx:
        tx.bindings.add(make.binding(port, hosts[1], BindingRole.INACTIVE))
    assert refusal(database, lambda tx: tx.bindings.put(make.binding(port, hosts[1]))).code == "bound"
    assert refusal(database, lambda tx: tx.ports.remove(port.id)).code == "in_use"


def test_an_address_is_unique_in_its_subnet_and_follows_its_port(database: SqlDatabase) -> None:
    network = make.network()
    subnet = make.subnet(network)
    ips = [FixedIp(subnet.id, f"10.0.0.{n}") for n in range(4)]
    first = make.port(network, "fa:16:3e:00:00:01", (ips[0], ips[1]))
    second = make.port(network, "fa:16:3e:00:00:02", (ips[2],))
    with database.transaction() as tx:
        tx.networks.add(network)
        tx.subnets.add(subnet)
        tx.ports.add(first)
        tx.ports.add(second)
        asked = tuple(ip.ip_address for ip in ips)
        assert tx.taken_addresses(subnet.id, asked) == {"10.0.0.0", "10.0.0.1", "10.0.0.2"}
        assert tx.taken_addresses(subnet.id, ()) == frozenset()
    taken = refusal(database, lambda tx: tx.ports.add(make.port(network, "fa:16:3e:00:00:03", (ips[0],))))
    assert (taken.code, taken.field) == ("ip_in_use", "fixed_ips")
    assert taken.message == f"IP address 10.0.0.0 already allocated in subnet {subnet.id}."
    assert (
        refusal(database, lambda tx: tx.ports.put(replace(second, fixed_ips=(ips[1],)))).code == "ip_in_use"
    )
    assert refusal(database, lambda tx: tx.subnets.remove(subnet.id)).code == "in_use"
    with database.transaction() as tx:
        tx.ports.put(replace(first, fixed_ips=(ips[1], ips[3])))
        assert tx.taken_addresses(subnet.id, asked) == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
        tx.ports.remove(second.id)
        tx.ports.remove(first.id)
        assert tx.taken_addresses(subnet.id, asked) == frozenset()
        tx.subnets.remove(subnet.id)


def test_what_is_in_use_says_by_what(database: SqlDatabase) -> None:
    policy = make.qos_policy()
    network = replace(make.network(), qos_policy_id=policy.id)
    with database.transaction() as tx:
        tx.qos_policies.add(policy)
        tx.networks.add(network)
        tx.ports.add(make.port(network))
    refused = refusal(database, lambda tx: tx.networks.remove(network.id))
    assert (refused.code, refused.message) == (
        "in_use",
        f"Unable to complete operation on network {network.id}: it is in use by one or more ports.",
    )
    assert (
        "by one or more networks" in refusal(database, lambda tx: tx.qos_policies.remove(policy.id)).message
    )


@pytest.mark.parametrize(
    "settings",
    [
        QbhSettings("finance"),
        QbgSettings(11, 1193047, 2, "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"),
        EthernetSettings(),
        InfinibandSettings(0x7FFF, Membership.LIMITED),
    ],
)
def test_each_kind_of_settings_comes_back_as_it_was(
    database: SqlDatabase, settings: PortProfileSettings
) -> None:
    profile = make.port_profile(settings)
    with database.transaction() as tx:
        tx.port_profiles.add(profile)
        assert tx.port_profiles.fetch(profile.id) == profile
        assert tx.port_profiles.find(project_id=profile.project_id) == (profile,)


def test_a_row_that_names_what_is_gone_is_stale(database: SqlDatabase) -> None:
    gone = make.network()
    assert refusal(database, lambda tx: tx.ports.add(make.port(gone))).code == "stale"
    port = replace(make.port(gone), server_id=ServerId("gone"))

    def add_port_of_a_server_that_is_gone(tx: Tx) -> None:
        tx.networks.add(gone)
        tx.ports.add(port)

    # That of a server is looked at when the transaction ends, so that either may come first.
    assert refusal(database, add_port_of_a_server_that_is_gone).code == "stale"


def test_a_refused_write_cannot_be_committed(database: SqlDatabase) -> None:
    with database.transaction() as tx:
        tx.flavors.add(make.flavor())

    def go_on_though_refused(tx: Tx) -> None:
        tx.hosts.add(make.host())
        with pytest.raises(Conflict):
            tx.flavors.add(make.flavor())
        with pytest.raises(Conflict):
            tx.hosts.find()

    assert refusal(database, go_on_though_refused).code == "name_in_use"
    with database.transaction() as tx:
        assert tx.hosts.find() == ()


def in_savepoint(tx: Tx, work: Callable[[Tx], object]) -> None:
    with tx.savepoint():
        work(tx)


def test_what_a_savepoint_undoes_is_as_if_it_had_not_been_asked(database: SqlDatabase) -> None:
    def refused(tx: Tx) -> None:
        tx.networks.add(make.network())
        tx.record(make.event("inside"))
        assert [event.subject for event in tx.events()] == ["before", "inside"]
        tx.wakes.add(Wake("inside"))
        tx.flavors.add(make.flavor())

    with database.transaction() as tx:
        tx.flavors.add(make.flavor())
        tx.record(make.event("before"))
        tx.wakes.add(Wake("before"))
        in_savepoint(tx, lambda tx: tx.hosts.add(make.host()))
        with pytest.raises(Conflict):
            in_savepoint(tx, refused)
        tx.record(make.event("after"))
        assert tx.wakes == {Wake("before")}
    with database.transaction() as tx:
        assert (len(tx.flavors.find()), len(tx.hosts.find()), tx.networks.find()) == (1, 1, ())
        assert [event.subject for event in tx.events()] == ["before", "after"]


def test_a_savepoint_inside_another_is_a_part_of_it(database: SqlDatabase) -> None:
    def undone(tx: Tx) -> None:
        with pytest.raises(Conflict):
            in_savepoint(tx, lambda tx: tx.flavors.add(make.flavor()))
        in_savepoint(tx, lambda tx: tx.hosts.add(make.host()))
        assert tx.hosts.find()
        raise ZeroDivisionError

    with database.transaction() as tx:
        tx.flavors.add(make.flavor())
        with pytest.raises(ZeroDivisionError):
            in_savepoint(tx, undone)
        assert tx.hosts.find() == ()
        tx.networks.add(make.network())
    with database.transaction() as tx:
        assert len(tx.networks.find()) == 1


def test_a_savepoint_in_which_a_refusal_was_caught_is_undone(database: SqlDatabase) -> None:
    def goes_on_though_refused(tx: Tx) -> None:
        tx.hosts.add(make.host())
        with pytest.raises(Conflict):
            tx.flavors.add(make.flavor())

    with database.transaction() as tx:
        tx.flavors.add(make.flavor())
        with pytest.raises(Conflict):
            in_savepoint(tx, goes_on_though_refused)
    with database.transaction() as tx:
        assert tx.hosts.find() == ()


def test_an_exception_leaves_nothing(database: SqlDatabase) -> None:
    def fail(tx: Tx) -> None:
        tx.hosts.add(make.host())
        tx.record(make.event("h"))
        raise Conflict("bound", "of control's own")

    assert refusal(database, fail).code == "bound"
    with database.transaction() as tx:
        assert (tx.hosts.find(), tx.events()) == ((), ())


def test_events_are_read_by_id_server_and_subject(database: SqlDatabase) -> None:
    server = ServerId("s1")
    with database.transaction() as tx:
        tx.record(make.event("p1", "first", server))
        assert [event.message for event in tx.events()] == ["first"], "a transaction sees its own"
        tx.record(make.event("p2", "second"))
    with database.transaction() as tx:
        tx.record(make.event("p1", "third"))
    with database.transaction() as tx:
        first, second, third = tx.events()
        assert first.id < second.id < third.id
        assert first == replace(make.event("p1", "first", server), id=first.id)
        assert tx.events(server_id=server) == (first,)
        assert tx.events(subject="p1") == (first, third)
        assert tx.events(after=first.id, limit=1) == (second,)
        assert tx.events(after=third.id) == ()


def test_time_stands_still_in_a_transaction_and_ids_are_fresh(database: SqlDatabase) -> None:
    with database.transaction() as tx:
        now = tx.now
        assert now.tzinfo is UTC
        assert tx.new_id() != tx.new_id()
        assert tx.now == now
    with database.transaction() as tx:
        assert tx.now > now


def test_time_and_ids_may_be_given(database_url: str) -> None:
    database = open_database(database_url, clock=lambda: make.AT, new_id=lambda: "id")
    with database.transaction() as tx:
        assert (tx.now, tx.new_id()) == (make.AT, "id")
    database.close()
