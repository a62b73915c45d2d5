"""Quotas: how much of what a project may have. Without a row there is no limit, and nothing is counted.

Where there is one, its row is locked before what is there is counted, so that of two who take the last one gets it.
"""

from collections.abc import Callable, Collection, Mapping

from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue, QuotaExceeded
from fairlead.model.ids import ProjectId
from fairlead.model.quota import UNLIMITED, Quota, Resource
from fairlead.model.server import Size, most_memory_mib, most_vcpus

MOST = 2**31 - 1

COMPUTE = (
    Resource.INSTANCES,
    Resource.CORES,
    Resource.RAM,
    Resource.KEY_PAIRS,
    Resource.METADATA_ITEMS,
    Resource.SERVER_GROUPS,
    Resource.SERVER_GROUP_MEMBERS,
)
NETWORK = (Resource.NETWORK, Resource.SUBNET, Resource.PORT, Resource.RBAC_POLICY)


def take(tx: Tx, project_id: ProjectId, wanted: Mapping[Resource, int]) -> None:
    """Raises QuotaExceeded unless the project may have so much more of each. To be asked before it is made, in the same
    transaction.
    """
    in_order = sorted(wanted, key=lambda each: each.value)
    limited = [each for each in in_order if tx.quotas.get((project_id, each.value)) is not None]
    held = [found for each in limited if (found := tx.quotas.hold((project_id, each.value))) is not None]
    have = used(tx, project_id, [quota.resource for quota in held])
    for quota in held:
        more, has = wanted[quota.resource], have[quota.resource]
        if has + more > quota.limit:
            raise _exceeded(quota.resource, more, has, quota.limit)


def check_value(tx: Tx, project_id: ProjectId, resource: Resource, count: Callable[[], int]) -> None:
    """Raises QuotaExceeded for more than the project may have in one place: metadata items of a server, key pairs of a
    user, members of a server group. Whoever asks counts them, with the new one, once the limit is held.
    """
    found = tx.quotas.hold((project_id, resource.value))
    if found is not None and (value := count()) > found.limit:
        raise _exceeded(resource, 1, value - 1, found.limit)


def limits(tx: Tx, project_id: ProjectId) -> dict[Resource, int]:
    """The project's limit of every resource; UNLIMITED where there is none."""
    set_ones = {quota.resource: quota.limit for quota in tx.quotas.find(project_id=project_id)}
    return {resource: set_ones.get(resource, UNLIMITED) for resource in Resource}


def used(tx: Tx, project_id: ProjectId, resources: Collection[Resource]) -> dict[Resource, int]:
    """How much of each the project has; 0 of what is counted in one place (`check_value`). What the servers of a
    project hold is asked for only where it counts, and once.
    """
    counts = {each: _COUNTED[each](tx, project_id) if each in _COUNTED else 0 for each in resources}
    if of_servers := [each for each in resources if each in _HELD]:
        sizes = tx.servers.sizes(project_id)
        counts |= {each: sum(_HELD[each](held) * count for held, count in sizes) for each in of_servers}
    return counts


def limit(tx: Tx, project_id: ProjectId, wanted: Mapping[Resource, int], *, is_forced: bool) -> None:
    """Set limits; UNLIMITED takes one away. Raises InvalidValue for one that is below what the project has, unless
    it is forced: then nothing more is given until less is had.
    """
    for resource in sorted(wanted, key=lambda each: each.value):
        value = wanted[resource]
        key = (project_id, resource.value)
        if not UNLIMITED <= value <= MOST:
            raise InvalidValue(resource.value, value, f"a whole number from {UNLIMITED} to {MOST}")
        if value == UNLIMITED:
            tx.quotas.remove(key)
            continue
        quota = Quota(project_id, resource, value)
        if tx.quotas.hold(key) is None:
            tx.quotas.add(quota)
        else:
            tx.quotas.put(quota)
        if not is_forced and (has := used(tx, project_id, (resource,))[resource]) > value:
            raise InvalidValue(
                resource.value,
                value,
                f"as much as the project has, which is {has}; force sets it all the same",
            )


def reset(tx: Tx, project_id: ProjectId, resources: tuple[Resource, ...]) -> None:
    """None of these is limited any more."""
    for resource in resources:
        tx.quotas.remove((project_id, resource.value))


def _exceeded(resource: Resource, more: int, has: int, most: int) -> QuotaExceeded:
    """Nova's words; Neutron's name the resource alone."""
    return QuotaExceeded(
        f"Quota exceeded for {resource.value}: Requested {more}, but already used {has} of {most} {resource.value}",
        field=resource.value,
    )


_COUNTED: Mapping[Resource, Callable[[Tx, ProjectId], int]] = {
    Resource.INSTANCES: lambda tx, project: tx.servers.count(project_id=project),
    Resource.SERVER_GROUPS: lambda tx, project: tx.server_groups.count(project_id=project),
    Resource.NETWORK: lambda tx, project: tx.networks.count(project_id=project),
    Resource.SUBNET: lambda tx, project: tx.subnets.count(project_id=project),
    Resource.PORT: lambda tx, project: tx.ports.count(project_id=project),
    Resource.RBAC_POLICY: lambda tx, project: tx.rbac_policies.count(project_id=project),
}
_HELD: Mapping[Resource, Callable[[tuple[Size, ...]], int]] = {
    Resource.CORES: most_vcpus,
    Resource.RAM: most_memory_mib,
}
