"""The version documents at /compute and /compute/v2.1. Clients read which microversions there are from them."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import FIRST, LAST, text

_UPDATED = "2013-07-23T11:33:21Z"
"""When Nova declared v2.1; clients show it."""


def show_versions(call: Call) -> Response:
    """GET /compute/."""
    return document({"versions": [_version(call)]})


def show_version(call: Call) -> Response:
    """GET /compute/v2.1/."""
    media = {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}
    return document({"version": {**_version(call), "media-types": [media]}})


def _version(call: Call) -> dict[str, object]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": text(LAST),
        "min_version": text(FIRST),
        "updated": _UPDATED,
        "links": [{"rel": "self", "href": call.url("/compute/v2.1/")}],
    }
