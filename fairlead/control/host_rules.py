"""On which hosts a server may be, whatever they have: its availability zone, its group, its project, its flavor.

The scheduler asks on what it read last, a claim again on rows that are held. A group's row is held before its members
are looked at, so that of two of them that would break its policy together the second sees the first.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fairlead.control.boundary import Tx
from fairlead.model.aggregate import DEFAULT_ZONE, Aggregate
from fairlead.model.ids import HostId, ProjectId, ServerGroupId, ServerId
from fairlead.model.request import AGGREGATE_SPEC, HostLeaning, HostRule
from fairlead.model.server import Flavor, Server
from fairlead.model.server_group import GroupPolicy, ServerGroup

TENANTS = "filter_tenant_id"
"""Nova's: an aggregate with such metadata takes servers of these projects alone (AggregateMultiTenancyIsolation)."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What of a server says where it may be. `zone` "": anywhere. `server_id` None: it is not there yet."""

    project_id: ProjectId
    flavor: Flavor
    zone: str = ""
    group_id: ServerGroupId | None = None
    server_id: ServerId | None = None


def whereabouts_of(server: Server) -> Whereabouts:
    """Those of a server."""
    return Whereabouts(server.project_id, server.flavor, server.availability_zone, server.group_id, server.id)


def rules_for(tx: Tx, of: Whereabouts) -> tuple[tuple[HostRule, ...], tuple[HostLeaning, ...]]:
    """What must be, and what is only wished."""
    aggregates = tx.aggregates.find()
    rules = [
        *_zone(aggregates, of.zone),
        *_tenants(aggregates, of.project_id),
        *_specs(aggregates, of.flavor),
    ]
    group = tx.server_groups.get(of.group_id) if of.group_id else None
    if group is None:
        return tuple(rules), ()
    members = _members(tx, group, of.server_id)
    return (*rules, *_hard(group, members)), tuple(_soft(group, members))


def zones_by_host(aggregates: Sequence[Aggregate]) -> dict[HostId, str]:
    """The zone of each host that is in another than the default one."""
    return {host_id: of.zone for of in aggregates if of.zone is not None for host_id in of.hosts}


def _zone(aggregates: Sequence[Aggregate], zone: str) -> Iterator[HostRule]:
    if not zone:
        return
    zones = zones_by_host(aggregates)
    if zone == DEFAULT_ZONE:
        others = frozenset(host_id for host_id in zones if zones[host_id] != DEFAULT_ZONE)
        yield HostRule(others, is_only=False, about=f"is not in availability zone {zone}")
    else:
        inside = frozenset(host_id for host_id in zones if zones[host_id] == zone)
        yield HostRule(inside, is_only=True, about=f"is not in availability zone {zone}")


def _tenants(aggregates: Sequence[Aggregate], project_id: ProjectId) -> Iterator[HostRule]:
    """A host in several such aggregates takes the servers of all their projects, as in Nova."""
    kept: dict[HostId, set[str]] = {}
    for aggregate in aggregates:
        projects = {
            project.strip()
            for key, value in aggregate.metadata.items()
            if key.startswith(TENANTS)
            for project in value.split(",")
        }
        for host_id in aggregate.hosts if projects else ():
            kept.setdefault(host_id, set()).update(projects)
    others = frozenset(host_id for host_id in kept if project_id not in kept[host_id])
    if others:
        yield HostRule(others, is_only=False, about="is kept for other projects")


def _specs(aggregates: Sequence[Aggregate], flavor: Flavor) -> Iterator[HostRule]:
    for spec, wanted in flavor.extra_specs.items():
        if not spec.startswith(AGGREGATE_SPEC):
            continue
        key = spec.removeprefix(AGGREGATE_SPEC)
        hosts = frozenset(
            host_id
            for aggregate in aggregates
            if wanted in _values(aggregate.metadata.get(key, ""))
            for host_id in aggregate.hosts
        )
        yield HostRule(hosts, is_only=True, about=f"is in no aggregate with {key}={wanted}")


def _values(text: str) -> set[str]:
    return {value.strip() for value in text.split(",")}


def _members(tx: Tx, group: ServerGroup, server_id: ServerId | None) -> Counter[HostId]:
    """How many other members are on each host."""
    members = tx.servers.find(group_id=group.id)
    return Counter(each.host_id for each in members if each.host_id is not None and each.id != server_id)


def _hard(group: ServerGroup, members: Counter[HostId]) -> Iterator[HostRule]:
    if group.policy is GroupPolicy.AFFINITY and members:
        about = f"is not where the server group {group.name} is"
        yield HostRule(frozenset(members), is_only=True, about=about)
    if group.policy is GroupPolicy.ANTI_AFFINITY:
        full = frozenset(host_id for host_id in members if members[host_id] >= group.max_per_host)
        yield HostRule(full, is_only=False, about=f"has enough of the server group {group.name}")


def _soft(group: ServerGroup, members: Counter[HostId]) -> Iterator[HostLeaning]:
    if group.policy in {GroupPolicy.SOFT_AFFINITY, GroupPolicy.SOFT_ANTI_AFFINITY} and members:
        yield HostLeaning(tuple(members.items()), is_towards=group.policy is GroupPolicy.SOFT_AFFINITY)
