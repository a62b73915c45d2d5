"""Aggregates and the zones that they make: change, look, and which zones there are.

Nova's rules: a host is in one zone, and a zone is not changed under a server. Locks: the aggregate, then its hosts, so
that no server is placed meanwhile.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import UNSET, UnsetType

from fairlead.control.boundary import SCHEDULER, Tx
from fairlead.control.host_rules import zones_by_host
from fairlead.model.aggregate import DEFAULT_ZONE, Aggregate
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import AggregateId, HostId

ZONE_KEY = "availability_zone"
"""The key by which metadata names the zone, as in Nova."""
_LONGEST = 255
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


def create(tx: Tx, name: str, zone: str | None = None) -> Aggregate:
    """The new aggregate, without hosts. Raises InvalidValue, Conflict `name_in_use`."""
    _check_name("name", name)
    if zone is not None:
        _check_zone(zone)
    number = 1 + max((int(each.id) for each in tx.aggregates.find()), default=0)
    made = Aggregate(AggregateId(str(number)), tx.new_id(), name, tx.now, zone=zone)
    tx.aggregates.add(made)
    return made


def update(
    tx: Tx, aggregate_id: str, name: str | UnsetType = UNSET, zone: str | UnsetType | None = UNSET
) -> Aggregate:
    """The changed aggregate. Raises NotFound, InvalidValue, Conflict `name_in_use`, `in_use`."""
    held = tx.aggregates.lock(aggregate_id)
    changed = held
    if isinstance(name, str):
        _check_name("name", name)
        changed = replace(changed, name=name)
    if not isinstance(zone, UnsetType):
        changed = _with_zone(tx, changed, zone)
    return _put(tx, changed)


def set_metadata(tx: Tx, aggregate_id: str, pairs: Mapping[str, str | None]) -> Aggregate:
    """The aggregate with these pairs; None takes one away. Raises as `update`."""
    changed = tx.aggregates.lock(aggregate_id)
    if ZONE_KEY in pairs:
        changed = _with_zone(tx, changed, pairs[ZONE_KEY])
    kept = {**changed.metadata, **{key: value for key, value in pairs.items() if key != ZONE_KEY}}
    return _put(
        tx, replace(changed, metadata={key: value for key, value in kept.items() if value is not None})
    )


def add_host(tx: Tx, aggregate_id: str, name: str) -> Aggregate:
    """The aggregate with the host. Raises NotFound, Conflict `exists`, and `in_use` where that would put the host into
    a second zone, or its servers into another.
    """
    aggregate = tx.aggregates.lock(aggregate_id)
    host = _host(tx, name)
    if host.id in aggregate.hosts:
        raise Conflict("exists", f"Aggregate {aggregate.name} already has host {host.name}.", field="host")
    if aggregate.zone is not None:
        now = zones_by_host(tx.aggregates.find()).get(host.id)
        if now not in (None, aggregate.zone):
            message = f"Host {host.name} is in availability zone {now} already."
            raise Conflict("in_use", message, field="host")
        if now is None:
            _check_empty(tx, [host], f"go into availability zone {aggregate.zone}")
    return _put(tx, replace(aggregate, hosts=(*aggregate.hosts, host.id)))


def remove_host(tx: Tx, aggregate_id: str, name: str) -> Aggregate:
    """The aggregate without the host. Raises NotFound, Conflict `in_use` where that takes the zone from a host with
    servers.
    """
    aggregate = tx.aggregates.lock(aggregate_id)
    host = _host(tx, name)
    if host.id not in aggregate.hosts:
        raise NotFound("host", f"{host.name} in aggregate {aggregate.name}")
    left = replace(aggregate, hosts=tuple(each for each in aggregate.hosts if each != host.id))
    others = [each for each in tx.aggregates.find() if each.id != aggregate.id]
    if aggregate.zone not in (None, zones_by_host([*others, left]).get(host.id)):
        _check_empty(tx, [host], f"leave availability zone {aggregate.zone}")
    return _put(tx, left)


def delete(tx: Tx, aggregate_id: str) -> None:
    """The aggregate is gone. Raises NotFound, Conflict `not_empty` while it has hosts."""
    aggregate = tx.aggregates.lock(aggregate_id)
    if aggregate.hosts:
        raise InvalidValue("aggregate", aggregate.name, "empty: remove its hosts first")
    tx.aggregates.remove(aggregate_id)
    tx.wakes.add(SCHEDULER)


def forget_host(tx: Tx, host_id: HostId) -> None:
    """No aggregate has the host any more."""
    for aggregate in tx.aggregates.find():
        if host_id in aggregate.hosts:
            held = tx.aggregates.lock(aggregate.id)
            tx.aggregates.put(replace(held, hosts=tuple(each for each in held.hosts if each != host_id)))


def zone_of(tx: Tx, host_id: HostId) -> str:
    """The availability zone that a host is in."""
    return zones_by_host(tx.aggregates.find()).get(host_id, DEFAULT_ZONE)


def zones(tx: Tx, hosts: Sequence[Host]) -> dict[str, list[Host]]:
    """These hosts by the zone that they are in, by name; the default one where there is no other."""
    by_host = zones_by_host(tx.aggregates.find())
    found: dict[str, list[Host]] = {}
    for host in hosts:
        found.setdefault(by_host.get(host.id, DEFAULT_ZONE), []).append(host)
    return dict(sorted(found.items())) or {DEFAULT_ZONE: []}


def check_zone(tx: Tx, zone: str) -> None:
    """Raises InvalidValue unless there is such a zone."""
    known = {DEFAULT_ZONE, *zones_by_host(tx.aggregates.find()).values()}
    if zone and zone not in known:
        raise InvalidValue("availability_zone", zone, f"an availability zone: {', '.join(sorted(known))}")


def _put(tx: Tx, aggregate: Aggregate) -> Aggregate:
    tx.wakes.add(SCHEDULER)
    return tx.aggregates.put(replace(aggregate, updated_at=tx.now))


def _with_zone(tx: Tx, aggregate: Aggregate, zone: str | None) -> Aggregate:
    if zone == aggregate.zone:
        return aggregate
    hosts = [host for host_id in sorted(aggregate.hosts) if (host := tx.hosts.hold(host_id))]
    if zone is not None:
        _check_zone(zone)
        others = zones_by_host([each for each in tx.aggregates.find() if each.id != aggregate.id])
        for host in hosts:
            if others.get(host.id, zone) != zone:
                message = f"Host {host.name} is in availability zone {others[host.id]} already."
                raise Conflict("in_use", message, field=ZONE_KEY)
    _check_empty(tx, hosts, f"change from availability zone {aggregate.zone or DEFAULT_ZONE}")
    return replace(aggregate, zone=zone)


def _check_empty(tx: Tx, hosts: Sequence[Host], what: str) -> None:
    for host in hosts:
        if tx.servers.find(host_id=host.id):
            raise Conflict("in_use", f"Host {host.name} has servers and cannot {what}.", field="host")


def _host(tx: Tx, name: str) -> Host:
    found = tx.hosts.find(name=name)
    if not found:
        raise NotFound("host", name)
    return tx.hosts.lock(found[0].id)


def _check_zone(zone: str) -> None:
    _check_name(ZONE_KEY, zone)
    if ":" in zone:
        raise InvalidValue(ZONE_KEY, zone, "a name without ':'")


def _check_name(field: str, name: str) -> None:
    if not name.strip() or not _NAME.fullmatch(name):
        raise InvalidValue(field, name, f"a name of 1 to {_LONGEST} characters")
