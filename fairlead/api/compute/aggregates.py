"""Aggregates over HTTP. Source: nova.api.openstack.compute.aggregates."""

from collections.abc import Callable
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import MalformedBody
from fairlead.api.call import Call
from fairlead.api.compute.boot_form import MetaKey, MetaValue, Name
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.control import aggregates as control
from fairlead.control.boundary import Tx
from fairlead.control.subjects import refused
from fairlead.model.aggregate import Aggregate

_WITH_UUID: Microversion = (2, 41)
_RULES = "os_compute_api:os-aggregates"

Zone = Annotated[str, Meta(min_length=1, max_length=255)]


class AggregateForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`aggregate` of POST."""

    name: Name
    availability_zone: Zone | None = None


class AggregateBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /os-aggregates."""

    aggregate: AggregateForm


class ChangeForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`aggregate` of PUT."""

    name: Name | UnsetType = UNSET
    availability_zone: Zone | UnsetType | None = UNSET


class ChangeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /os-aggregates/{id}."""

    aggregate: ChangeForm


class HostForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Of add_host and remove_host."""

    host: Name


class MetadataForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Of set_metadata; null takes a key away."""

    metadata: dict[MetaKey, MetaValue | None]


class ActionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /os-aggregates/{id}/action: one of them."""

    add_host: HostForm | None = None
    remove_host: HostForm | None = None
    set_metadata: MetadataForm | None = None


def index(call: Call, version: Microversion) -> Response:
    """GET /os-aggregates."""
    found = call.run(lambda tx: [_shown(tx, version, each) for each in tx.aggregates.find()])
    return document({"aggregates": found})


def show(call: Call, version: Microversion, key: str) -> Response:
    """GET /os-aggregates/{id}."""
    return _answer(call, version, lambda tx: tx.aggregates.fetch(key))


def create(call: Call, version: Microversion) -> Response:
    """POST /os-aggregates. Its hosts are not told: Nova has it so."""
    form = bodies.shape(AggregateBody, bodies.parse(call.body)).aggregate

    def work(tx: Tx) -> Json:
        shown = _shown(tx, version, control.create(tx, form.name, form.availability_zone))
        return {name: shown[name] for name in shown if name not in {"hosts", "metadata"}}

    return document({"aggregate": call.run(work)})


def update(call: Call, version: Microversion, key: str) -> Response:
    """PUT /os-aggregates/{id}."""
    form = bodies.shape(ChangeBody, bodies.parse(call.body)).aggregate
    return _answer(call, version, lambda tx: control.update(tx, key, form.name, form.availability_zone))


def delete(call: Call, _version: Microversion, key: str) -> Response:
    """DELETE /os-aggregates/{id}."""
    call.run(lambda tx: control.delete(tx, key))
    return empty(200)


def act(call: Call, version: Microversion, key: str) -> Response:
    """POST /os-aggregates/{id}/action."""
    body = bodies.shape(ActionBody, bodies.parse(call.body))
    match body:
        case ActionBody(add_host=HostForm(host=host), remove_host=None, set_metadata=None):
            return _acted(call, version, "add_host", lambda tx: control.add_host(tx, key, host))
        case ActionBody(add_host=None, remove_host=HostForm(host=host), set_metadata=None):
            return _acted(call, version, "remove_host", lambda tx: control.remove_host(tx, key, host))
        case ActionBody(add_host=None, remove_host=None, set_metadata=MetadataForm(metadata=pairs)):
            return _acted(call, version, "set_metadata", lambda tx: control.set_metadata(tx, key, pairs))
        case _:
            raise MalformedBody("The body has one of add_host, remove_host and set_metadata.")


def _acted(call: Call, version: Microversion, name: str, work: Callable[[Tx], Aggregate]) -> Response:
    """Each action has a rule of its own."""
    call.goes_by(f"{_RULES}:{name}")
    if not call.caller.may_any(f"{_RULES}:{name}"):
        raise refused(f"{_RULES}:{name}")
    return _answer(call, version, work)


def _answer(call: Call, version: Microversion, work: Callable[[Tx], Aggregate]) -> Response:
    return document({"aggregate": call.run(lambda tx: _shown(tx, version, work(tx)))})


def _shown(tx: Tx, version: Microversion, aggregate: Aggregate) -> Json:
    hosts = tx.hosts.find(id=aggregate.hosts) if aggregate.hosts else ()
    names = {host.id: host.name for host in hosts}
    zone = {control.ZONE_KEY: aggregate.zone} if aggregate.zone is not None else {}
    shown: Json = {
        "id": int(aggregate.id),
        "name": aggregate.name,
        "availability_zone": aggregate.zone,
        "hosts": [names[host_id] for host_id in aggregate.hosts if host_id in names],
        "metadata": {**aggregate.metadata, **zone},
        "created_at": aggregate.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "updated_at": aggregate.updated_at and aggregate.updated_at.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "deleted": False,
        "deleted_at": None,
    }
    return {**shown, "uuid": aggregate.uuid} if version >= _WITH_UUID else shown
