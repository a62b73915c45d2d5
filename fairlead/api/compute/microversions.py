"""Microversions of the compute API: which one a request asks for, and how answers say which one they are in.

Sources: nova.api.openstack.api_version_request; the guideline for both headers is
https://specs.openstack.org/openstack/api-wg/guidelines/microversion_specification.html.
"""

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fairlead.api.call import Call
from fairlead.api.problems import Unserved
from fairlead.api.routes import Handler
from fairlead.model.errors import InvalidValue

Microversion = tuple[int, int]

FIRST: Microversion = (2, 1)
LAST: Microversion = (2, 96)
_HEADER = "OpenStack-API-Version"
_OLD_HEADER = "X-OpenStack-Nova-API-Version"
_TEXT = re.compile(r"([1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")

VersionedHandler = Callable[..., Response]
"""A plain handler that gets the Call, the Microversion, and the path's arguments."""


def text(version: Microversion) -> str:
    """Such as 2.96."""
    return f"{version[0]}.{version[1]}"


def asked_version(request: Request) -> Microversion:
    """The microversion of the request, the first one when it names none. Raises InvalidValue for what is no
    version, Unserved 406 for one that is not offered.
    """
    asked = _asked_text(request)
    if asked is None:
        return FIRST
    if asked.lower() == "latest":
        return LAST
    found = _TEXT.fullmatch(asked)
    if found is None:
        raise InvalidValue(_HEADER, asked, "a version such as compute 2.96")
    version = (int(found[1]), int(found[2]))
    if not FIRST <= version <= LAST:
        raise Unserved(
            406,
            "not_acceptable",
            f"Version {asked} is not supported by the API. Minimum is {text(FIRST)} and maximum is {text(LAST)}.",
        )
    return version


def versioned(handler: VersionedHandler, since: Microversion = FIRST, until: Microversion = LAST) -> Handler:
    """The handler as a route's: called with the microversion, and not there outside of since..until."""

    def served(call: Call, *arguments: str) -> Response:
        version = asked_version(call.request)
        check_served(version, since, until)
        return handler(call, version, *arguments)

    return served


def check_served(version: Microversion, since: Microversion, until: Microversion = LAST) -> None:
    """Raises Unserved 404, as for a path that is not there, unless the version is within since..until."""
    if not since <= version <= until:
        raise Unserved(404, "no_such_path", f"The resource could not be found in version {text(version)}.")


def stamp(request: Request, response: Response) -> None:
    """Both headers say the version of the answer, and caches that it varies with them."""
    try:
        version = asked_version(request)
    except (InvalidValue, Unserved):
        version = FIRST
    response.headers[_HEADER] = f"compute {text(version)}"
    response.headers[_OLD_HEADER] = text(version)
    response.headers["Vary"] = f"{_HEADER}, {_OLD_HEADER}"


def _asked_text(request: Request) -> str | None:
    """The new header names a version for each service, comma between; the old one has the bare version."""
    for header in request.headers.getlist(_HEADER):
        for item in header.split(","):
            words = item.split()
            if len(words) == 2 and words[0].lower() == "compute":  # noqa: PLR2004 - service and version
                return words[1]
    return request.headers.get(_OLD_HEADER)
