"""Server groups over HTTP. Source: nova.api.openstack.compute.server_groups."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute.boot_form import Name
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.control import server_groups as control
from fairlead.control.boundary import Tx
from fairlead.control.server_groups import GroupView
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ServerGroupId
from fairlead.model.server_group import GroupPolicy

_OWNED: Microversion = (2, 13)
_SOFT: Microversion = (2, 15)
_ONE_POLICY: Microversion = (2, 64)
_ALL_PROJECTS = "os_compute_api:os-server-groups:index:all_projects"
_SOFT_POLICIES = (GroupPolicy.SOFT_AFFINITY, GroupPolicy.SOFT_ANTI_AFFINITY)
_WIDEST, _MOST = 9, 1000


class RulesForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`rules` of POST, from 2.64."""

    max_server_per_host: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 1


class GroupForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`server_group` of POST: `policies` before 2.64, `policy` and `rules` from then on."""

    name: Name
    policies: Annotated[list[GroupPolicy], Meta(min_length=1, max_length=1)] | UnsetType = UNSET
    policy: GroupPolicy | UnsetType = UNSET
    rules: RulesForm | UnsetType = UNSET


class GroupBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /os-server-groups."""

    server_group: GroupForm


def index(call: Call, version: Microversion) -> Response:
    """GET /os-server-groups?all_projects=&limit=&offset=."""
    sees_all = call.first("all_projects") is not None and call.caller.may_any(_ALL_PROJECTS)
    where = {} if sees_all else {"project_id": call.caller.project_id}
    start, limit = _number(call, "offset", 0), _number(call, "limit", _MOST)

    def work(tx: Tx) -> tuple[GroupView, ...]:
        return control.views(tx, tx.server_groups.find(**where)[start : start + min(limit, _MOST)])

    return document({"server_groups": [_shown(version, view) for view in call.run(work)]})


def show(call: Call, version: Microversion, group_id: str) -> Response:
    """GET /os-server-groups/{id}."""
    view = call.run(lambda tx: control.views(tx, (tx.server_groups.fetch(group_id),))[0])
    return document({"server_group": _shown(version, view)})


def create(call: Call, version: Microversion) -> Response:
    """POST /os-server-groups."""
    form = bodies.shape(GroupBody, bodies.parse(call.body)).server_group
    policy = _policy(version, form)
    most = form.rules.max_server_per_host if isinstance(form.rules, RulesForm) else 1
    view = call.run(lambda tx: control.create(tx, call.caller, form.name, policy, most))
    return document({"server_group": _shown(version, view)})


def delete(call: Call, _version: Microversion, group_id: str) -> Response:
    """DELETE /os-server-groups/{id}."""
    call.run(lambda tx: control.delete(tx, ServerGroupId(group_id)))
    return empty()


def _policy(version: Microversion, form: GroupForm) -> GroupPolicy:
    if version >= _ONE_POLICY:
        if not isinstance(form.policy, GroupPolicy) or form.policies is not UNSET:
            raise InvalidValue(
                "policies", form.policies, "possible from microversion 2.64 on: give one policy"
            )
        return form.policy
    if not isinstance(form.policies, list) or form.policy is not UNSET or form.rules is not UNSET:
        raise InvalidValue(
            "policy", form.policy, "possible before microversion 2.64: give a list of policies"
        )
    if version < _SOFT and form.policies[0] in _SOFT_POLICIES:
        raise InvalidValue("policies", form.policies[0].value, "possible before microversion 2.15")
    return form.policies[0]


def _shown(version: Microversion, view: GroupView) -> Json:
    group = view.group
    shown: Json = {"id": group.id, "name": group.name, "members": view.members}
    if version >= _OWNED:
        shown |= {"project_id": group.project_id, "user_id": group.user_id}
    if version >= _ONE_POLICY:
        is_counted = group.policy is GroupPolicy.ANTI_AFFINITY
        rules = {"max_server_per_host": group.max_per_host} if is_counted and group.max_per_host > 1 else {}
        return {**shown, "policy": group.policy.value, "rules": rules}
    return {**shown, "policies": [group.policy.value], "metadata": {}}


def _number(call: Call, name: str, default: int) -> int:
    given = call.first(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= _WIDEST):
        raise InvalidValue(name, given, "a whole number, 0 or more")
    return int(given)
