"""Server groups: make, look, delete, join. A server joins when it is booted and leaves when it is gone."""

from dataclasses import dataclass

from fairlead.access.caller import Caller
from fairlead.control import quotas
from fairlead.control.boundary import Tx
from fairlead.control.subjects import SERVER_GROUP, of_group
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ServerGroupId, ServerId
from fairlead.model.quota import Resource
from fairlead.model.server_group import GroupPolicy, ServerGroup

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with its members, oldest first."""

    group: ServerGroup
    members: tuple[ServerId, ...]


def create(tx: Tx, caller: Caller, name: str, policy: GroupPolicy, max_per_host: int = 1) -> GroupView:
    """The new group of the caller's project. Raises InvalidValue, QuotaExceeded."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise InvalidValue("name", name, f"a name of 1 to {_LONGEST_NAME} characters")
    if max_per_host < 1 or (max_per_host > 1 and policy is not GroupPolicy.ANTI_AFFINITY):
        raise InvalidValue("max_server_per_host", max_per_host, "1 or more, and of anti-affinity alone")
    quotas.take(tx, caller.project_id, {Resource.SERVER_GROUPS: 1})
    group = ServerGroup(
        ServerGroupId(tx.new_id()), caller.project_id, caller.user_id, name, policy, tx.now, max_per_host
    )
    tx.server_groups.add(group)
    return GroupView(group, ())


def views(tx: Tx, groups: tuple[ServerGroup, ...]) -> tuple[GroupView, ...]:
    """The groups with their members."""
    ids = tuple(group.id for group in groups)
    servers = tx.servers.find(group_id=ids) if ids else ()
    return tuple(
        GroupView(group, tuple(server.id for server in servers if server.group_id == group.id))
        for group in groups
    )


def delete(tx: Tx, group_id: ServerGroupId) -> None:
    """The group is gone; its servers stay where they are. Raises NotFound."""
    tx.server_groups.lock(group_id)
    tx.server_groups.remove(group_id)


def join(tx: Tx, caller: Caller, group_id: str) -> ServerGroupId:
    """The group that a server to be is of, held until it is there. Raises InvalidValue for one that is not there, or
    not the caller's to see; QuotaExceeded.
    """
    group = tx.server_groups.hold(group_id)
    if group is None or not caller.may(SERVER_GROUP.seen_by, of_group(group)):
        raise InvalidValue("group", group_id, "the id of a server group that is there")
    members = Resource.SERVER_GROUP_MEMBERS
    quotas.check_value(tx, group.project_id, members, lambda: tx.servers.count(group_id=group_id) + 1)
    return group.id
