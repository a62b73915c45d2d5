"""Flavors as the compute API shows them."""

from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.model.server import Flavor

_DESCRIBED: Microversion = (2, 55)
WITH_EXTRA_SPECS: Microversion = (2, 61)
_PLAIN_SWAP: Microversion = (2, 75)


def brief(call: Call, version: Microversion, flavor: Flavor) -> Json:
    """Id, name and links."""
    shown: Json = {"id": flavor.id, "name": flavor.name, "links": _links(call, flavor)}
    if version >= _DESCRIBED:
        shown["description"] = flavor.description
    return shown


def full(call: Call, version: Microversion, flavor: Flavor) -> Json:
    """All of a flavor that the microversion has."""
    shown: Json = {
        **brief(call, version, flavor),
        "ram": flavor.memory_mib,
        "disk": flavor.disk_gib,
        "vcpus": flavor.vcpus,
        "swap": flavor.swap_mib if flavor.swap_mib or version >= _PLAIN_SWAP else "",
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gib,
        "OS-FLV-DISABLED:disabled": flavor.disabled,
        "os-flavor-access:is_public": flavor.is_public,
        "rxtx_factor": flavor.rxtx_factor,
    }
    if version >= WITH_EXTRA_SPECS:
        shown["extra_specs"] = flavor.extra_specs
    return shown


def of_server(call: Call, version: Microversion, flavor: Flavor) -> Json:
    """A server's flavor: a reference to it, from 2.47 its values as they were at the server's creation."""
    if version < (2, 47):
        bookmark = {"rel": "bookmark", "href": call.url(f"/compute/flavors/{flavor.id}")}
        return {"id": flavor.id, "links": [bookmark]}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.memory_mib,
        "disk": flavor.disk_gib,
        "ephemeral": flavor.ephemeral_gib,
        "swap": flavor.swap_mib,
        "original_name": flavor.name,
        "extra_specs": flavor.extra_specs,
    }


def _links(call: Call, flavor: Flavor) -> list[Json]:
    return [
        {"rel": "self", "href": call.url(f"/compute/v2.1/flavors/{flavor.id}")},
        {"rel": "bookmark", "href": call.url(f"/compute/flavors/{flavor.id}")},
    ]
