"""What holds when many transactions run at once, from many threads, on SQLite and on PostgreSQL."""

import ipaddress
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fairlead.control import accounts
from fairlead.control.boundary import SCHEDULER, Tx, Wake, host_wake
from fairlead.control.engine import Engine
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict, Fault
from fairlead.model.host import Host
from fairlead.model.identity import Project, Role, User
from fairlead.model.ids import HostId, SubnetId
from fairlead.model.port import FixedIp
from fairlead.store.engine import SqlDatabase, open_database
from tests.contract import store_rows as make
from tests.postgres import Cluster

THREADS = 16


@pytest.fixture
def database(database_url: str) -> Iterator[SqlDatabase]:
    opened = open_database(database_url)
    yield opened
    opened.close()


class Heard:
    """Wakes, written down."""

    def __init__(self) -> None:
        self.wakes: list[frozenset[Wake]] = []

    def notify(self, wakes: frozenset[Wake]) -> None:
        self.wakes.append(wakes)


def at_once(work: Callable[[int], object]) -> list[object]:
    """What 16 threads answer that begin together."""
    start = threading.Barrier(THREADS)

    def run(number: int) -> object:
        start.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


def test_of_admins_who_go_at_once_one_stays(database: SqlDatabase) -> None:
    engine = Engine(database, Heard())

    def made(tx: Tx) -> tuple[Project, list[User]]:
        project = accounts.create_project(tx, "west")
        users = [accounts.create_user(tx, f"boss{number}", "a hash") for number in range(THREADS)]
        for user in users:
            accounts.assign(tx, user.id, project.id, Role.ADMIN)
        return project, users

    project, users = engine.run(made)

    def go(number: int) -> str:
        try:
            engine.run(lambda tx: accounts.unassign(tx, users[number].id, project.id, Role.ADMIN))
        except Conflict as refused:
            return refused.code
        return "gone"

    assert Counter(at_once(go)) == {"gone": THREADS - 1, "last_admin": 1}


def test_addresses_are_given_once(database: SqlDatabase) -> None:
    network = make.network()
    subnet = make.subnet(network)
    with database.transaction() as tx:
        tx.networks.add(network)
        tx.subnets.add(subnet)
    engine = Engine(database, Heard())

    def next_address(tx: Tx) -> str:
        held = tx.subnets.lock(subnet.id)
        taken = ipaddress.ip_address(held.cursor or "")
        given = str(taken + 1)
        assert not tx.taken_addresses(subnet.id, (given,))
        tx.subnets.put(replace(held, cursor=given))
        return given

    def add_ports(number: int) -> None:
        for count in range(5):
            mac = f"fa:16:3e:00:{number:02x}:{count:02x}"
            engine.run(
                lambda tx, mac=mac: tx.ports.add(
                    make.port(network, mac, (FixedIp(SubnetId(subnet.id), next_address(tx)),))
                )
            )

    at_once(add_ports)
    with database.transaction() as tx:
        addresses = {port.fixed_ips[0].ip_address for port in tx.ports.find()}
        assert len(addresses) == 5 * THREADS
        assert tx.taken_addresses(subnet.id, tuple(addresses)) == addresses
        assert tx.subnets.fetch(subnet.id).revision == 5 * THREADS


def test_the_last_devices_are_claimed_once(database: SqlDatabase) -> None:
    host = make.host()
    pf = make.pf(host)
    devices = [make.vf(pf, index) for index in range(THREADS // 2)]
    servers = [make.server(f"s{number}") for number in range(THREADS)]
    with database.transaction() as tx:
        tx.hosts.add(host)
        for device in (pf, *devices):
            tx.devices.add(device)
        for server in servers:
            tx.servers.add(server)
    engine = Engine(database, Heard())

    def claim(tx: Tx, number: int) -> Device | None:
        locked = tx.hosts.lock(host.id)
        free = [d for d in tx.devices.find(status=DeviceStatus.AVAILABLE) if d.id != pf.id]
        if not free:
            return None
        tx.allocations.add(make.allocation(free[0], servers[number]))
        tx.hosts.put(replace(locked, generation=locked.generation + 1))
        return tx.devices.put(replace(free[0], status=DeviceStatus.CLAIMED))

    got = at_once(lambda number: engine.run(lambda tx: claim(tx, number)))
    claimed = Counter(device.id for device in got if isinstance(device, Device))
    assert claimed == Counter(device.id for device in devices)
    with database.transaction() as tx:
        assert len(tx.allocations.find()) == len(devices)
        assert tx.hosts.fetch(host.id).generation == 1 + len(devices)


def test_the_constraints_hold_where_nobody_locks(database: SqlDatabase) -> None:
    host, server = make.host(), make.server()
    pf = make.pf(host)
    with database.transaction() as tx:
        tx.hosts.add(host)
        tx.devices.add(pf)
        tx.servers.add(server)

    def claim(_number: int) -> str:
        try:
            with database.transaction() as tx:
                tx.allocations.add(make.allocation(pf, server))
        except Conflict as conflict:
            return conflict.code
        return "claimed"

    assert Counter(at_once(claim)) == {"claimed": 1, "device_in_use": THREADS - 1}


def test_a_stale_put_is_refused_and_the_engine_tries_again(database: SqlDatabase) -> None:
    host = make.host()
    with database.transaction() as tx:
        tx.hosts.add(host)

    def count(tx: Tx) -> Host:
        # Read without a lock on purpose: only the revision fences it.
        read = tx.hosts.fetch(host.id)
        return tx.hosts.put(replace(read, generation=read.generation + 1))

    def counted(_number: int) -> None:
        engine = Engine(database, Heard())
        while not _has_run(engine, count):
            pass

    at_once(counted)
    with database.transaction() as tx:
        assert tx.hosts.fetch(host.id).generation == host.generation + THREADS


def _has_run(engine: Engine, work: Callable[[Tx], object]) -> bool:
    try:
        engine.run(work)
    except Conflict as conflict:
        if conflict.code != "stale":
            raise
        return False
    return True


def test_a_lock_excludes_the_others_until_the_end(database: SqlDatabase) -> None:
    host = make.host()
    with database.transaction() as tx:
        tx.hosts.add(host)
    is_locked, order = threading.Event(), []

    def second() -> None:
        is_locked.wait(timeout=30)
        with database.transaction() as tx:
            order.append(tx.hosts.lock(host.id).agent_version)

    other = threading.Thread(target=second)
    other.start()
    with database.transaction() as tx:
        read = tx.hosts.lock(host.id)
        is_locked.set()
        # The other has no way past, so it is still there after any time; this one gives it some.
        other.join(timeout=0.2)
        assert other.is_alive()
        tx.hosts.put(replace(read, agent_version="first"))
        order.append("first is done")
    other.join(timeout=30)
    assert order == ["first is done", "first"]


def test_a_lock_sees_the_newest_row(postgres_cluster: Cluster) -> None:
    host = make.host()
    with postgres_cluster.fresh_database() as url:
        database = open_database(url)
        with database.transaction() as tx:
            tx.hosts.add(host)
        with database.transaction() as first:
            assert first.hosts.fetch(host.id).revision == 0
            with database.transaction() as second:
                second.hosts.put(host)
            assert first.hosts.lock(host.id).revision == 1
        database.close()


def test_wakes_go_out_after_the_commit_alone(database: SqlDatabase) -> None:
    heard = Heard()
    engine = Engine(database, heard)
    host = make.host()

    def enrol(tx: Tx) -> None:
        tx.hosts.add(host)
        tx.wakes.add(host_wake(host.id))
        tx.wakes.add(SCHEDULER)
        assert not heard.wakes

    engine.run(enrol)
    assert heard.wakes == [frozenset({host_wake(host.id), SCHEDULER})]
    with pytest.raises(Conflict):
        engine.run(enrol)
    assert len(heard.wakes) == 1


def test_a_deadlock_is_tried_again(postgres_cluster: Cluster) -> None:
    hosts = [make.host(f"h{number}") for number in range(2)]
    tries: list[int] = []
    both_hold_one = threading.Barrier(2)

    def lock_both(tx: Tx, number: int) -> None:
        tries.append(number)
        is_first = tries.count(number) == 1
        for host_id in (hosts[number].id, hosts[1 - number].id):
            locked = tx.hosts.lock(HostId(host_id))
            tx.hosts.put(replace(locked, generation=locked.generation + 1))
            if is_first and host_id == hosts[number].id:
                both_hold_one.wait(timeout=30)

    with postgres_cluster.fresh_database() as url:
        database = open_database(url)
        with database.transaction() as tx:
            for host in hosts:
                tx.hosts.add(host)
        engine = Engine(database, Heard())
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda number: engine.run(lambda tx: lock_both(tx, number)), range(2)))
        with database.transaction() as tx:
            assert [tx.hosts.fetch(host.id).generation for host in hosts] == [3, 3]
        database.close()
    assert len(tries) > len(hosts), "nobody was in the other's way"


def test_connections_that_died_are_replaced(postgres_cluster: Cluster) -> None:
    with postgres_cluster.fresh_database() as url:
        database, other = open_database(url), open_database(url)
        with database.transaction() as tx:
            tx.hosts.add(make.host())
        name = url.rpartition("/")[2].partition("?")[0]
        with other.transaction():
            _end_all_connections(postgres_cluster, name)
        assert Engine(database, Heard()).run(lambda tx: len(tx.hosts.find())) == 1
        database.close()
        other.close()


def _end_all_connections(cluster: Cluster, name: str) -> None:
    with psycopg.connect(
        host=str(cluster.socket_directory), user="fairlead", dbname="postgres"
    ) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )


def test_events_are_followed_without_a_gap(database: SqlDatabase) -> None:
    is_done = threading.Event()
    followed: list[str] = []

    def follow() -> None:
        last = 0
        while True:
            done_before = is_done.is_set()
            with database.transaction() as tx:
                events = tx.events(after=last)
            followed.extend(event.message for event in events)
            last = events[-1].id if events else last
            if done_before and not events:
                return

    def record(number: int) -> None:
        for count in range(10):
            with database.transaction() as tx:
                tx.record(make.event("x", f"{number}/{count}"))

    follower = threading.Thread(target=follow)
    follower.start()
    at_once(record)
    is_done.set()
    follower.join(timeout=60)
    assert Counter(followed) == Counter(f"{n}/{c}" for n in range(THREADS) for c in range(10))


def test_a_savepoint_does_not_save_what_is_to_be_tried_again_whole(postgres_cluster: Cluster) -> None:
    host = make.host()

    def put_what_changed_since(tx: Tx) -> None:
        with tx.savepoint():
            tx.hosts.put(replace(host, agent_version="3"))

    def cross(database: SqlDatabase) -> None:
        with database.transaction(is_moment=True) as tx:
            tx.hosts.find()
            with database.transaction() as other:
                other.hosts.put(replace(host, agent_version="2"))
            with pytest.raises(Conflict):
                put_what_changed_since(tx)
            with pytest.raises(Conflict):
                tx.hosts.find()

    with postgres_cluster.fresh_database() as url:
        database = open_database(url)
        with database.transaction() as tx:
            tx.hosts.add(host)
        with pytest.raises(Conflict) as stale:
            cross(database)
        assert stale.value.code == "stale"
        database.close()


def test_the_engine_says_which_try_is_the_last(database: SqlDatabase) -> None:
    tries: list[bool] = []

    def work(tx: Tx) -> None:
        tries.append(tx.is_last_try)
        raise Conflict("stale", "of control's own")

    with pytest.raises(Conflict):
        Engine(database, Heard()).run(work)
    assert tries == [False] * 4 + [True]


def test_sqlite_waits_for_another_process_and_then_asks_for_another_try(tmp_path: Path) -> None:
    path = tmp_path / "fairlead.sqlite"
    database = open_database(f"sqlite:///{path}?timeout=0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Conflict) as busy, database.transaction():
        pass
    assert busy.value.code == "stale"
    other.execute("ROLLBACK")
    with database.transaction() as tx:
        assert tx.hosts.find() == ()
    other.close()
    database.close()


def test_a_transaction_in_a_transaction_is_a_programming_error() -> None:
    database = open_database("sqlite://")
    with database.transaction(), pytest.raises(RuntimeError), database.transaction():
        pass
    with database.transaction() as tx:
        assert tx.hosts.find() == ()
    database.close()


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/none/x.sqlite", f"postgresql://x@/x?host={tmp_path}"):
        with pytest.raises(Fault) as fault:
            open_database(url)
        assert fault.value.failure.code == "database"
        assert fault.value.failure.hint
