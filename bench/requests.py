"""CPU of control for one request of each kind, over HTTP, on SQLite and on PostgreSQL: `python -m bench.requests`.

One process, asked one request after the other; its CPU is what the kernel counts for it. PostgreSQL's own is not in it.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import time_ns
from typing import cast

from bench.boots import await_event, image_of
from bench.hosts import HeardLink, simulated_hosts
from bench.ports import cpu_seconds
from bench.processes import running
from fairlead.client.session import Json, Session
from tests.postgres import find_binaries, running_cluster

_V2 = "/network/v2.0"
_LISTED = 1000
_BULK = 50
_ON_POSTGRESQL = 2
"""How many times the budget a request may take there."""


@dataclass(frozen=True)
class Kind:
    """A kind of request: how often it is made, what it may cost on SQLite, and what makes the n-th."""

    name: str
    count: int
    budget_ms: float
    ask: Callable[[int], object]


def main() -> int:
    """Measure and print; 1 when over a budget."""
    found = find_binaries()
    is_over = _measure("SQLite", (), 1)
    if found is None:
        print("PostgreSQL's binaries are not here (apt-get install postgresql): not measured")
        return is_over
    with running_cluster(found) as cluster, cluster.fresh_database() as url:
        return max(is_over, _measure("PostgreSQL", ("--database", url), _ON_POSTGRESQL))


def _measure(where: str, options: tuple[str, ...], factor: int) -> int:
    with running("control", *options) as (url, pid), Session(url) as session:
        found = [_cost(kind, pid, where, factor) for kind in _kinds(session)]
    with (
        running("control", *options) as (url, pid),
        Session(url) as session,
        simulated_hosts(session, 2) as hosts,
    ):
        found.append(_cost(_bind(session, hosts["host2"]), pid, where, factor))
    return max(found)


def _cost(kind: Kind, pid: int, where: str, factor: int) -> int:
    before = cpu_seconds(pid)
    for number in range(kind.count):
        kind.ask(number)
    cpu_ms = (cpu_seconds(pid) - before) / kind.count * 1000
    budget = kind.budget_ms * factor
    print(f"{kind.name}, {where}: {cpu_ms:.2f} ms CPU   (budget {budget:g})")
    return int(cpu_ms > budget)


def _kinds(session: Session) -> Iterator[Kind]:
    """Each is asked for when the one before it has been measured."""
    network = _made(session, "network", {"name": "bench", "provider:physical_network": "physnet1"})
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/8"}
    _made(session, "subnet", subnet)
    direct: Json = {"network_id": network, "binding:vnic_type": "direct"}
    named: Json = {"provider:physical_network": "physnet1"}
    yield Kind("create network", 200, 3, lambda n: _made(session, "network", {**named, "name": f"n{n}"}))
    yield Kind("create direct port", 300, 3, lambda n: _made(session, "port", {**direct, "name": f"p{n}"}))
    port = _made(session, "port", direct)
    yield Kind("show network", 1000, 0.5, lambda _: session.get(f"{_V2}/networks/{network}"))
    yield Kind("show port", 1000, 0.5, lambda _: session.get(f"{_V2}/ports/{port}"))
    bulk: Json = {"ports": [direct] * _BULK}
    yield Kind(f"a bulk of {_BULK} ports", 10, 60, lambda _: session.post(f"{_V2}/ports", bulk))
    there = len(cast("list[Json]", session.get(f"{_V2}/ports", {"fields": "id"})["ports"]))
    session.post(f"{_V2}/ports", {"ports": [direct] * (_LISTED - there)})
    yield Kind(f"list {_LISTED} ports", 30, 30, lambda _: session.get(f"{_V2}/ports"))


def _bind(session: Session, second: HeardLink) -> Kind:
    """A port of a server bound on its second host, which holds a device there; every other request takes it back, and
    is over when that is clean and free: a host has few. What control says to that host, and hears of it, is in the
    figure; the wait asks control nothing.
    """
    network = _made(session, "network", {"name": "bound", "provider:physical_network": "physnet1"})
    flavor = cast("list[Json]", session.get("/compute/v2.1/flavors")["flavors"])[0]["id"]
    nic = {"uuid": network, "vnic_type": "direct"}
    body: Json = {"name": "bench", "flavorRef": flavor, "imageRef": image_of(session), "networks": [nic]}
    for host in ("host2", "host1"):
        boot: Json = {"server": {**body, "availability_zone": f"nova:{host}"}}
        server = str(cast("Json", session.post("/compute/v2.1/servers", boot)["server"])["id"])
        await_event(session, server, "server_active")
    [port] = cast("list[Json]", session.get(f"{_V2}/ports", {"binding:host_id": "host1"})["ports"])
    path = f"{_V2}/ports/{port['id']}/bindings"

    def ask(number: int) -> None:
        if number % 2:
            asked_ms = time_ns() // 1_000_000
            session.delete(f"{path}/host2")
            second.await_acted_on(asked_ms)
        else:
            session.post(path, {"binding": {"host": "host2"}})

    return Kind("bind a port, or unbind it", 200, 5, ask)


def _made(session: Session, noun: str, body: Json) -> str:
    return str(cast("Json", session.post(f"{_V2}/{noun}s", {noun: body})[noun])["id"])


if __name__ == "__main__":
    sys.exit(main())
