"""Handlers of flavors and their extra specs."""

from collections.abc import Callable
from typing import cast

from msgspec import UNSET
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute import flavor_view
from fairlead.api.compute.flavor_forms import FlavorBody, FlavorChangeBody, FlavorForm, SpecsBody
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json, next_links, paged
from fairlead.control import flavors as control
from fairlead.control.subjects import FLAVOR, of_flavor
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.ids import FlavorId
from fairlead.model.server import Flavor

_DESCRIBED: Microversion = (2, 55)
_SORT_KEYS: dict[str, Callable[[Flavor], object]] = {
    "flavorid": lambda flavor: flavor.id,
    "id": lambda flavor: flavor.id,
    "name": lambda flavor: flavor.name,
    "memory_mb": lambda flavor: flavor.memory_mib,
    "vcpus": lambda flavor: flavor.vcpus,
    "root_gb": lambda flavor: flavor.disk_gib,
    "created_at": lambda flavor: flavor.created_at,
    "is_public": lambda flavor: flavor.is_public,
}
_WIDEST = 9
_YES, _NO = ("true", "1", "t", "yes"), ("false", "0", "f", "no")


def list_flavors(call: Call, version: Microversion) -> Response:
    """GET /flavors."""
    return _listed(call, version, flavor_view.brief, "/compute/v2.1/flavors")


def list_details(call: Call, version: Microversion) -> Response:
    """GET /flavors/detail."""
    return _listed(call, version, flavor_view.full, "/compute/v2.1/flavors/detail")


def show(call: Call, version: Microversion, flavor_id: str) -> Response:
    """GET /flavors/{id}."""
    return _shown(call, version, call.run(lambda tx: tx.flavors.fetch(flavor_id)))


def create(call: Call, version: Microversion) -> Response:
    """POST /flavors."""
    form = bodies.shape(FlavorBody, bodies.parse(call.body)).flavor
    _check_description(version, form)
    new = control.NewFlavor(
        name=form.name,
        vcpus=form.vcpus,
        memory_mib=form.ram,
        disk_gib=form.disk,
        id=None if form.id in (None, "auto") else FlavorId(str(form.id)),
        description=form.description or None,
        is_public=form.is_public,
        swap_mib=form.swap,
        ephemeral_gib=form.ephemeral,
        rxtx_factor=form.rxtx_factor,
    )
    return _shown(call, version, call.run(lambda tx: control.create(tx, new)))


def update(call: Call, version: Microversion, flavor_id: str) -> Response:
    """PUT /flavors/{id}, from 2.55."""
    description = bodies.shape(FlavorChangeBody, bodies.parse(call.body)).flavor.description
    changed = call.run(lambda tx: control.describe(tx, FlavorId(flavor_id), description))
    return _shown(call, version, changed)


def delete(call: Call, flavor_id: str) -> Response:
    """DELETE /flavors/{id}."""
    call.run(lambda tx: control.delete(tx, FlavorId(flavor_id)))
    return empty(202)


def list_specs(call: Call, flavor_id: str) -> Response:
    """GET /flavors/{id}/os-extra_specs."""
    return document({"extra_specs": call.run(lambda tx: tx.flavors.fetch(flavor_id)).extra_specs})


def add_specs(call: Call, flavor_id: str) -> Response:
    """POST /flavors/{id}/os-extra_specs: added to those that are there."""
    given = bodies.shape(SpecsBody, bodies.parse(call.body)).extra_specs
    specs = {key: str(value) for key, value in given.items()}
    call.run(lambda tx: control.set_extra_specs(tx, FlavorId(flavor_id), specs))
    return document({"extra_specs": specs})


def show_spec(call: Call, flavor_id: str, key: str) -> Response:
    """GET /flavors/{id}/os-extra_specs/{key}."""
    specs = call.run(lambda tx: tx.flavors.fetch(flavor_id)).extra_specs
    if key not in specs:
        raise NotFound("extra_spec", key)
    return document({key: specs[key]})


def put_spec(call: Call, flavor_id: str, key: str) -> Response:
    """PUT /flavors/{id}/os-extra_specs/{key}: the body names that key and no other."""
    given = bodies.shape(SpecsBody, {"extra_specs": bodies.parse(call.body)}).extra_specs
    if list(given) != [key]:
        raise InvalidValue("body", sorted(given), f"one extra spec, the one of the path: {key}")
    specs = {key: str(given[key])}
    call.run(lambda tx: control.set_extra_specs(tx, FlavorId(flavor_id), specs))
    return document(specs)


def delete_spec(call: Call, flavor_id: str, key: str) -> Response:
    """DELETE /flavors/{id}/os-extra_specs/{key}."""
    call.run(lambda tx: control.remove_extra_spec(tx, FlavorId(flavor_id), key))
    return empty(200)


def _shown(call: Call, version: Microversion, flavor: Flavor) -> Response:
    return document({"flavor": flavor_view.full(call, version, flavor)})


def _listed(
    call: Call, version: Microversion, view: Callable[[Call, Microversion, Flavor], Json], path: str
) -> Response:
    is_wanted = _filter(call)
    seen = call.run(lambda tx: tx.flavors.find())
    if not call.caller.may_any(FLAVOR.seen_by):
        seen = tuple(flavor for flavor in seen if call.caller.may(FLAVOR.seen_by, of_flavor(flavor)))
    wanted = [flavor for flavor in seen if is_wanted(flavor)]
    rows, has_more = paged(call, _sorted(call, wanted), lambda flavor: flavor.id)
    answer: Json = {"flavors": [view(call, version, flavor) for flavor in rows]}
    if has_more:
        answer["flavors_links"] = next_links(call, path, rows[-1].id)
    return document(answer)


def _filter(call: Call) -> Callable[[Flavor], bool]:
    """is_public "None" means both, as it does for tenants, who see the private ones that they may use; minRam, minDisk:
    no less than that.
    """
    given = (call.first("is_public") or "true").lower()
    if given not in {*_YES, *_NO, "none"}:
        raise InvalidValue("is_public", given, "true, false or None")
    both = given == "none" or not call.caller.may_any(FLAVOR.seen_by)
    offered = {True, False} if both else {given in _YES}
    memory_mib, disk_gib = _least(call, "minRam"), _least(call, "minDisk")
    return lambda flavor: (
        flavor.is_public in offered and flavor.memory_mib >= memory_mib and flavor.disk_gib >= disk_gib
    )


def _least(call: Call, name: str) -> int:
    given = call.first(name)
    if given is None:
        return 0
    if not (given.isascii() and given.isdigit() and len(given) <= _WIDEST):
        raise InvalidValue(name, given, "a whole number")
    return int(given)


def _sorted(call: Call, flavors: list[Flavor]) -> list[Flavor]:
    """By sort_key and sort_dir; Nova's default is the flavor's id."""
    key, direction = call.first("sort_key") or "flavorid", call.first("sort_dir") or "asc"
    if key not in _SORT_KEYS:
        raise InvalidValue("sort_key", key, f"one of {', '.join(_SORT_KEYS)}")
    if direction not in {"asc", "desc"}:
        raise InvalidValue("sort_dir", direction, "asc or desc")
    ordered = sorted(flavors, key=lambda flavor: cast("str", _SORT_KEYS[key](flavor)))
    return ordered if direction == "asc" else ordered[::-1]


def _check_description(version: Microversion, form: FlavorForm) -> None:
    if version < _DESCRIBED and form.description is not UNSET:
        raise InvalidValue("description", form.description, "possible before microversion 2.55")
