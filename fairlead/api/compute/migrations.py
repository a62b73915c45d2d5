"""Handlers of migrations: every one that there was, and those of a server that are under way.

Sources: nova.api.openstack.compute.{migrations,server_migrations} and their schemas. Nova's ids of migrations and of
flavors are numbers here; ours are made of the ids, the same for ever.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha224
from uuid import UUID

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json, next_links, paged
from fairlead.api.compute.times import asked_time
from fairlead.control import migrations as control
from fairlead.control.migrations import MigrationView
from fairlead.model.errors import InvalidValue

_PATH = "/compute/v2.1/os-migrations"
_TYPED: Microversion = (2, 23)
_PAGED: Microversion = (2, 59)
_BEFORE: Microversion = (2, 66)
_OWNED: Microversion = (2, 80)
_DIGITS, _FLAVOR_DIGITS = 13, 7
"""52 bits: what every JSON reader keeps exactly. 28: what Nova's column of flavors does."""

Predicate = Callable[[MigrationView], bool]


def index(call: Call, version: Microversion) -> Response:
    """GET /os-migrations, the newest first; from 2.59 page by page."""
    tests = [test for name, value in call.query if (test := _test(version, name, value))]
    found = [view for view in call.run(control.find) if all(test(view) for test in tests)]
    if version < _PAGED:
        return document({"migrations": [_shown(version, view) for view in found]})
    rows, has_more = paged(call, found, _key)
    answer: Json = {"migrations": [_shown(version, view) for view in rows]}
    if has_more:
        answer["migrations_links"] = next_links(call, _PATH, _key(rows[-1]))
    return document(answer)


def of_server(call: Call, server_id: str) -> Response:
    """GET /servers/{id}/migrations: live migrations that are under way. There are none, and so the
    path of one of them is not there.
    """
    call.run(lambda tx: tx.servers.fetch(server_id))
    return document({"migrations": []})


def _test(version: Microversion, name: str, value: str) -> Predicate | None:
    """None: it narrows nothing. From 2.59 what is not known is refused."""
    if name in _FILTERS:
        return _FILTERS[name](value)
    for names, first in ((_PAGING, _PAGED), (_SINCE_BEFORE, _BEFORE), (_OWNERS, _OWNED)):
        if name in names and version >= first:
            return names[name](value)
    if version >= _PAGED:
        raise InvalidValue("query", name, f"a filter of migrations: {', '.join(sorted(_FILTERS))}")
    return None


def _of_server(value: str) -> Predicate:
    try:
        wanted = str(UUID(value))
    except ValueError:
        raise InvalidValue("instance_uuid", value, "the id of a server") from None
    return lambda view: view.migration.server_id == wanted


def _on_host(value: str) -> Predicate:
    return lambda view: value in (view.migration.source, view.migration.destination)


def _hidden(value: str) -> Predicate:
    """Nova hides what its operator said so of; nobody can here."""
    is_asked = value.lower() in {"1", "t", "true", "on", "y", "yes"}
    return lambda _: not is_asked


def _everything(_: str) -> Predicate | None:
    return None


def _changed_since(value: str) -> Predicate:
    at = asked_time("changes-since", value)
    return lambda view: view.migration.updated_at >= at


def _changed_before(value: str) -> Predicate:
    at = asked_time("changes-before", value)
    return lambda view: view.migration.updated_at <= at


Makers = Mapping[str, Callable[[str], Predicate | None]]
_FILTERS: Makers = {
    "status": lambda value: lambda view: view.status.value == value,
    "host": _on_host,
    "instance_uuid": _of_server,
    "source_compute": lambda value: lambda view: view.migration.source == value,
    "migration_type": lambda value: lambda view: view.migration.kind.value == value,
    "hidden": _hidden,
}
_PAGING: Makers = {"limit": _everything, "marker": _everything, "changes-since": _changed_since}
_SINCE_BEFORE: Makers = {"changes-before": _changed_before}
_OWNERS: Makers = {
    "user_id": lambda value: lambda view: view.migration.user_id == value,
    "project_id": lambda value: lambda view: view.migration.project_id == value,
}


def _key(view: MigrationView) -> str:
    return view.migration.id


def _shown(version: Microversion, view: MigrationView) -> Json:
    row = view.migration
    shown: Json = {
        "id": int(row.id.replace("-", "")[:_DIGITS], 16),
        "instance_uuid": row.server_id,
        "status": view.status.value,
        "source_compute": row.source,
        "source_node": row.source,
        "dest_compute": row.destination,
        "dest_node": row.destination,
        "dest_host": None,
        "old_instance_type_id": _flavor_number(row.old_flavor_id),
        "new_instance_type_id": _flavor_number(row.new_flavor_id),
        "created_at": _time(row.created_at),
        "updated_at": _time(row.updated_at),
    }
    if version >= _TYPED:
        shown["migration_type"] = row.kind.value
    if version >= _PAGED:
        shown["uuid"] = row.id
    if version >= _OWNED:
        shown |= {"user_id": row.user_id, "project_id": row.project_id}
    return shown


def _flavor_number(flavor_id: str) -> int:
    return int(sha224(flavor_id.encode()).hexdigest()[:_FLAVOR_DIGITS], 16)


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")
