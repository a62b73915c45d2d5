"""Rules: a set of words, any of which lets a caller do something to a thing.

A rule has no `and` and no `not`, so that a person reads it as a list of those who may. The names of the roles and
what they imply are Keystone's: https://docs.openstack.org/keystone/latest/admin/service-api-protection.html.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from fairlead.model.identity import Role
from fairlead.model.ids import ProjectId
from fairlead.model.sharing import EVERYBODY


class Grant(Enum):
    """One word of a rule: who may."""

    ADMIN = "admin"
    """Who has the role admin."""
    SERVICE = "service"
    """Who has the role service: another program of the operator's."""
    MEMBER = "member"
    """Who is a member of the thing's project."""
    READER = "reader"
    """Who is a reader of the thing's project."""
    NETWORK_MEMBER = "network_member"
    """Who is a member of the project whose network the thing is on."""
    NETWORK_READER = "network_reader"
    """Who is a reader of that project."""
    SHARED = "shared"
    """Who is a reader of a project that the thing is shared with."""
    SHARED_MEMBER = "shared_member"
    """Who is a member of such a project."""
    USER = "user"
    """The user whose it is."""
    ANYONE = "anyone"
    """Whoever has logged in."""


Rule = frozenset[Grant]
Rules = Mapping[str, Rule]
"""The rule of each action."""

NOBODY: Rule = frozenset()

_IMPLIED = {
    Role.ADMIN: frozenset({Role.ADMIN, Role.MEMBER, Role.READER}),
    Role.MEMBER: frozenset({Role.MEMBER, Role.READER}),
    Role.READER: frozenset({Role.READER}),
    Role.SERVICE: frozenset({Role.SERVICE}),
}
_NEEDS = {
    Grant.ADMIN: Role.ADMIN,
    Grant.SERVICE: Role.SERVICE,
    Grant.MEMBER: Role.MEMBER,
    Grant.READER: Role.READER,
    Grant.NETWORK_MEMBER: Role.MEMBER,
    Grant.NETWORK_READER: Role.READER,
    Grant.SHARED: Role.READER,
    Grant.SHARED_MEMBER: Role.MEMBER,
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule needs to know of a thing. `project_id` None: it is no project's, such as a host. `shared_with`:
    projects, or EVERYBODY. `network_project_id`: of a thing on a network, whose network that is.
    """

    project_id: ProjectId | None = None
    user_id: str | None = None
    shared_with: AbstractSet[str] = frozenset()
    network_project_id: ProjectId | None = None


def with_implied(roles: AbstractSet[Role]) -> frozenset[Role]:
    """The roles, and those that they imply."""
    return frozenset[Role]().union(*(_IMPLIED[role] for role in roles))


def grants_by_role(rule: Rule, roles: AbstractSet[Role]) -> bool:
    """Whether the rule lets somebody with these roles do it to anything whatsoever."""
    return (
        Grant.ANYONE in rule
        or (Grant.ADMIN in rule and Role.ADMIN in roles)
        or (Grant.SERVICE in rule and Role.SERVICE in roles)
    )


def can_ever(rule: Rule, roles: AbstractSet[Role]) -> bool:
    """Whether there could be a thing that the rule lets somebody with these roles do it to."""
    return Grant.USER in rule or Grant.ANYONE in rule or any(_NEEDS[grant] in roles for grant in rule)


def allows(rule: Rule, roles: AbstractSet[Role], project_id: ProjectId, user_id: str, target: Target) -> bool:
    """Whether the rule lets somebody, who is that user with these roles (implied ones among them) in that project,
    do it to the target.
    """
    return any(_grants(grant, roles, project_id, user_id, target) for grant in rule)


def _grants(
    grant: Grant, roles: AbstractSet[Role], project_id: ProjectId, user_id: str, target: Target
) -> bool:
    match grant:
        case Grant.ANYONE:
            return True
        case Grant.USER:
            return target.user_id is not None and target.user_id == user_id
        case Grant.ADMIN | Grant.SERVICE:
            return _NEEDS[grant] in roles
        case Grant.MEMBER | Grant.READER:
            is_theirs = target.project_id is not None and target.project_id == project_id
        case Grant.NETWORK_MEMBER | Grant.NETWORK_READER:
            is_theirs = target.network_project_id is not None and target.network_project_id == project_id
        case Grant.SHARED | Grant.SHARED_MEMBER:
            is_theirs = EVERYBODY in target.shared_with or project_id in target.shared_with
        case _:
            assert_never(grant)
    return is_theirs and _NEEDS[grant] in roles
