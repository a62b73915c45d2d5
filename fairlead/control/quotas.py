"""Quotas: how much of what a project may have. Without a row there is no limit, and nothing is counted.

Where there is one, its row is locked before what is there is counted, so that of two who take the last one gets it.
"""

from collections.abc import Callable, Mapping

from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue, QuotaExceeded
from fairlead.model.ids import ProjectId
from fairlead.model.quota import UNLIMITED, Quota, Resource

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
    for resource in sorted(wanted, key=lambda each: each.value):
        if tx.quotas.get((project_id, resource.value)) is not None:
            _check(tx, project_id, resource, wanted[resource])


def check_value(tx: Tx, project_id: ProjectId, resource: Resource, value: int) -> None:
    """Raises QuotaExceeded for more than the project may have in one place: metadata items of a server, key pairs of a
    user, members of a server group. It is counted by whoever asks.
    """
    found = tx.quotas.hold((project_id, resource.value))
    if found is not None and value > found.limit:
        raise _exceeded(resource, 1, value - 1, found.limit)


def limits(tx: Tx, project_id: ProjectId) -> dict[Resource, int]:
    """The project's limit of every resource; UNLIMITED where there is none."""
    set_ones = {quota.resource: quota.limit for quota in tx.quotas.find(project_id=project_id)}
    return {resource: set_ones.get(resource, UNLIMITED) for resource in Resource}


def used(tx: Tx, project_id: ProjectId, resource: Resource) -> int:
    """How much of it the project has; 0 of what is counted in one place (`check_value`)."""
    count = _USED.get(resource)
    return count(tx, project_id) if count else 0


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
        if not is_forced and (has := used(tx, project_id, resource)) > value:
            raise InvalidValue(
                resource.value,
                value,
                f"as much as the project has, which is {has}; force sets it all the same",
            )


def reset(tx: Tx, project_id: ProjectId, resources: tuple[Resource, ...]) -> None:
    """None of these is limited any more."""
    for resource in resources:
        tx.quotas.remove((project_id, resource.value))


def _check(tx: Tx, project_id: ProjectId, resource: Resource, more: int) -> None:
    found = tx.quotas.hold((project_id, resource.value))
    if found is not None and (has := used(tx, project_id, resource)) + more > found.limit:
        raise _exceeded(resource, more, has, found.limit)


def _exceeded(resource: Resource, more: int, has: int, most: int) -> QuotaExceeded:
    """Nova's words; Neutron's name the resource alone."""
    return QuotaExceeded(
        f"Quota exceeded for {resource.value}: Requested {more}, but already used {has} of {most} {resource.value}",
        field=resource.value,
    )


_USED: Mapping[Resource, Callable[[Tx, ProjectId], int]] = {
    Resource.INSTANCES: lambda tx, project: len(tx.servers.find(project_id=project)),
    Resource.CORES: lambda tx, project: sum(s.held_vcpus for s in tx.servers.find(project_id=project)),
    Resource.RAM: lambda tx, project: sum(s.held_memory_mib for s in tx.servers.find(project_id=project)),
    Resource.SERVER_GROUPS: lambda tx, project: len(tx.server_groups.find(project_id=project)),
    Resource.NETWORK: lambda tx, project: len(tx.networks.find(project_id=project)),
    Resource.SUBNET: lambda tx, project: len(tx.subnets.find(project_id=project)),
    Resource.PORT: lambda tx, project: len(tx.ports.find(project_id=project)),
    Resource.RBAC_POLICY: lambda tx, project: len(tx.rbac_policies.find(project_id=project)),
}
