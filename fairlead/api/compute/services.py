"""Handlers of compute services: the agents, one for each host. Source: nova.api.openstack.compute.services."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute.boot_form import Name
from fairlead.api.compute.host_rows import BY_ID, HostRows, all_rows, host_by, rows_of, shown_id
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.api.problems import Unserved
from fairlead.control import hosts as control
from fairlead.control.boundary import Tx
from fairlead.control.hosts import HostChanges
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.host import HostAdmin
from fairlead.model.ids import HostId

BINARY = "nova-compute"
"""What Nova calls the agent; clients look for it."""
_FORCED_DOWN: Microversion = (2, 11)


class ServiceForm(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /os-services/{id}, from 2.53."""

    status: Literal["enabled", "disabled"] | UnsetType = UNSET
    disabled_reason: Name | UnsetType = UNSET
    forced_down: bool = False


class NamedForm(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /os-services/{enable, disable, disable-log-reason, force-down}, before 2.53."""

    host: Name
    binary: Name
    disabled_reason: Name | UnsetType = UNSET
    forced_down: bool | UnsetType = UNSET


def index(call: Call, version: Microversion) -> Response:
    """GET /os-services?host=&binary=."""
    name, binary = call.first("host"), call.first("binary")
    rows = call.run(all_rows) if binary in (None, BINARY) else []
    return document({"services": [_shown(version, row) for row in rows if name in (None, row.host.name)]})


def update(call: Call, version: Microversion, key: str) -> Response:
    """PUT /os-services/{id}: whether the host takes new servers. Before 2.53 the path has what is to be done."""
    if version < BY_ID:
        return _update_named(call, version, key)
    form = bodies.shape(ServiceForm, bodies.parse(call.body))
    _refuse_down(form.forced_down)
    changes = HostChanges(
        admin=HostAdmin(form.status) if isinstance(form.status, str) else UNSET,
        admin_reason=form.disabled_reason,
    )

    def work(tx: Tx) -> HostRows:
        return rows_of(tx, (control.update(tx, HostId(key), changes),))[0]

    return document({"service": _shown(version, call.run(work))})


def delete(call: Call, version: Microversion, key: str) -> Response:
    """DELETE /os-services/{id}: the host is forgotten, unless it has servers."""
    call.run(lambda tx: control.delete(tx, host_by(tx, version, key).id))
    return empty()


def _update_named(call: Call, version: Microversion, verb: str) -> Response:
    changes = _VERBS.get(verb)
    if changes is None or version < changes.since:
        raise Unserved(404, "no_such_path", "Unknown action")
    form = bodies.shape(NamedForm, bodies.parse(call.body))
    _refuse_down(form.forced_down is True)
    if (form.disabled_reason is UNSET) is changes.takes_reason:
        expected = "given: why the host takes no servers" if changes.takes_reason else f"possible in {verb}"
        raise InvalidValue("disabled_reason", form.disabled_reason, expected)
    if (form.forced_down is UNSET) is changes.takes_down:
        raise InvalidValue(
            "forced_down", form.forced_down, f"{'given' if changes.takes_down else 'possible'} in {verb}"
        )

    def work(tx: Tx) -> None:
        found = tx.hosts.find(name=form.host) if form.binary == BINARY else ()
        if not found:
            raise NotFound("service", f"{form.binary} of host {form.host}")
        if changes.admin is not None:
            control.update(
                tx, found[0].id, HostChanges(admin=changes.admin, admin_reason=form.disabled_reason)
            )

    call.run(work)
    shown: Json = {"host": form.host, "binary": form.binary}
    if changes.admin is None:
        return document({"service": {**shown, "forced_down": False}})
    if isinstance(form.disabled_reason, str):
        shown["disabled_reason"] = form.disabled_reason
    return document({"service": {**shown, "status": changes.admin.value}})


class _Verb(Struct, frozen=True):
    """What a verb of old does. `admin` None: nothing."""

    admin: HostAdmin | None
    since: Microversion = (2, 1)
    takes_reason: bool = False
    takes_down: bool = False


_VERBS = {
    "enable": _Verb(HostAdmin.ENABLED),
    "disable": _Verb(HostAdmin.DISABLED),
    "disable-log-reason": _Verb(HostAdmin.DISABLED, takes_reason=True),
    "force-down": _Verb(None, _FORCED_DOWN, takes_down=True),
}


def _refuse_down(forced_down: bool) -> None:  # noqa: FBT001 - the value of the field
    if forced_down:
        raise InvalidValue("forced_down", forced_down, "possible: a host is down when its agent is silent")


def _shown(version: Microversion, row: HostRows) -> Json:
    shown: Json = {
        "id": shown_id(version, row.host),
        "binary": BINARY,
        "host": row.host.name,
        "zone": row.zone,
        "status": row.host.admin.value,
        "state": "up" if row.is_up else "down",
        "updated_at": seen(row),
        "disabled_reason": row.host.admin_reason or None,
    }
    return {**shown, "forced_down": False} if version >= _FORCED_DOWN else shown


def seen(row: HostRows) -> str | None:
    """When the agent was last heard of."""
    at = row.host.last_seen_at
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") if at else None
