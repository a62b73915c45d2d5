"""Refusals as HTTP answers: one renderer for each dialect.

A `Problem` is what all of them start from. Sources of the forms: Neutron `{"NeutronError": {...}}` and its type
names, Nova's fault names, Glance's `{"message"}`, Keystone's `{"error"}`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from fairlead.api.absent import instead_of
from fairlead.api.answers import document
from fairlead.api.bodies import InvalidField, MalformedBody
from fairlead.model.error_codes import Code
from fairlead.model.errors import (
    Conflict,
    InvalidValue,
    NotAllowed,
    NotFound,
    NoValidHost,
    QuotaExceeded,
    Refusal,
    TooLarge,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """Why a request got no answer. `noun` is what was not found or is in the way; "" where that says nothing."""

    status: int
    code: Code
    message: str
    noun: str = ""
    field: str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


_CONFLICT = 409
Renderer = Callable[[Problem], Response]

_STATUS: dict[type[Refusal], int] = {
    InvalidValue: 400,
    InvalidField: 400,
    MalformedBody: 400,
    NoValidHost: 400,
    NotFound: 404,
    Conflict: 409,
    NotAllowed: 403,
    QuotaExceeded: 403,
    TooLarge: 413,
}
_STATUS_OF_CODE: dict[Code, int] = {"revision": 412}
"""412: what If-Match named is no longer so."""


def status_of(code: Code) -> int:
    """The status of a refusal with that code that comes of how things are: 409 where no class has it for itself."""
    known = {kind.code: status for kind, status in _STATUS.items() if kind is not Conflict}
    return _STATUS_OF_CODE.get(code) or known.get(code, _CONFLICT)


class Unserved(Refusal):
    """Something that a dialect refuses with a status of its own, such as 406 for a microversion."""

    def __init__(
        self, status: int, code: Code, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.headers = headers or {}


def problem_of(refusal: Refusal) -> Problem:
    """The problem that a refusal is over HTTP."""
    if isinstance(refusal, Unserved):
        return Problem(refusal.status, refusal.code, refusal.message, headers=refusal.headers)
    status = _STATUS_OF_CODE.get(refusal.code) or next(
        (status for kind, status in _STATUS.items() if isinstance(refusal, kind)), 400
    )
    noun = refusal.kind if isinstance(refusal, NotFound) else (refusal.field or "")
    return Problem(status, refusal.code, refusal.message, noun, refusal.field)


def no_such_path(path: str) -> Problem:
    """404 for a path that no route serves."""
    return Problem(404, "no_such_path", f"The resource could not be found. {instead_of(path)}", field=path)


def wrong_method(method: str, allowed: tuple[str, ...]) -> Problem:
    """405, with the methods that the path serves."""
    message = f"The method {method} is not allowed for this resource."
    return Problem(405, "wrong_method", message, headers={"Allow": ", ".join(allowed)})


def fault(request_id: str) -> Problem:
    """500: the reason is in the log under the request id."""
    message = (
        f"Request Failed: internal server error while processing your request. (Request-ID: {request_id})"
    )
    return Problem(500, "fault", message)


_NEUTRON_TYPES = {
    "mac_in_use": "MacAddressInUse",
    "guid_in_use": "GuidInUse",
    "ip_in_use": "IpAddressInUse",
    "vlan_in_use": "VlanIdInUse",
    "flat_in_use": "FlatNetworkInUse",
    "gateway_in_pool": "GatewayConflictWithAllocationPools",
    "bound": "PortBound",
    "binding_exists": "PortBindingAlreadyExists",
    "binding_active": "PortBindingAlreadyActive",
    "cannot_bind": "PortBindingError",
    "pairs_without_security": "AddressPairAndPortSecurityRequired",
    "share_exists": "DuplicateRbacPolicy",
    "sharing_in_use": "InvalidSharedSetting",
    "default_exists": "QoSPolicyDefaultAlreadyExists",
    "no_addresses": "IpAddressGenerationFailure",
    "malformed_body": "HTTPBadRequest",
    "no_such_path": "HTTPNotFound",
    "wrong_method": "HTTPMethodNotAllowed",
    "too_large": "HTTPRequestEntityTooLarge",
    "not_allowed": "PolicyNotAuthorized",
    "quota_exceeded": "OverQuota",
    "revision": "RevisionNumberConstraintFailed",
    "stale": "RetryRequest",
    "invalid_value": "HTTPBadRequest",
    "identity_unavailable": "ServiceUnavailable",
    "fault": "HTTPInternalServerError",
}


def neutron(problem: Problem) -> Response:
    """`{"NeutronError": {"type", "message", "detail"}}`; types as in neutron_lib.exceptions."""
    noun = "".join(word.capitalize() for word in problem.noun.replace("_", " ").split())
    match problem.code:
        case "not_found":
            kind = f"{noun}NotFound"
        case "in_use":
            kind = f"{noun}InUse"
        case "rule_conflict":
            kind = "QoSRulesConflict"
        case code:
            kind = _NEUTRON_TYPES.get(code, "Conflict" if problem.status == _CONFLICT else "BadRequest")
    if problem.code == QuotaExceeded.code:
        words = f"Quota exceeded for resources: ['{problem.field}']."
        error = {"type": "OverQuota", "message": words, "detail": ""}
        return document({"NeutronError": error}, _CONFLICT, problem.headers)
    message = f"(rule:{problem.field}) is disallowed by policy" if _is_by_rule(problem) else problem.message
    error = {"type": kind, "message": message, "detail": ""}
    return document({"NeutronError": error}, problem.status, problem.headers)


def _is_by_rule(problem: Problem) -> bool:
    """Whether it is a refusal by a rule of fairlead/access: `field` is the action then."""
    return problem.code == NotAllowed.code and problem.field is not None


_NOVA_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}


def nova(problem: Problem) -> Response:
    """`{"badRequest": {"code", "message"}}`; the names are of nova.api.openstack.wsgi.Fault."""
    name = _NOVA_NAMES.get(problem.status, "computeFault")
    body = {name: {"code": problem.status, "message": problem.message}}
    return document(body, problem.status, problem.headers)


def glance(problem: Problem) -> Response:
    """`{"message", "code", "title"}`, the JSON form of the error that Glance gives."""
    body = {"message": problem.message, "code": str(problem.status), "title": problem.code}
    return document(body, problem.status, problem.headers)


class IdentityError(Struct, frozen=True):
    """Why a request got no answer, in the words of Keystone: `code` is the status."""

    code: int
    message: str
    title: str


class IdentityRefusal(Struct, frozen=True):
    """A refusal in the form of Keystone."""

    error: IdentityError


def keystone(problem: Problem) -> Response:
    """A refusal in the form of Keystone."""
    error = IdentityError(problem.status, problem.message, HTTPStatus(problem.status).phrase)
    return document(IdentityRefusal(error), problem.status, problem.headers)


def unauthorized(problem: Problem) -> Response:
    """401 in any dialect: it is not the service that refuses, but what stands in front of it (keystonemiddleware)."""
    return keystone(problem)


class NativeError(Struct, frozen=True):
    """Why a request got no answer. `code` never changes its meaning; `message` says what was wrong with what, and what
    would do.
    """

    code: Code
    message: str
    field: Annotated[str | None, Meta(description="The key that was wrong; null: no single one was.")] = None
    hint: Annotated[str | None, Meta(description="What would help; null: the message says it.")] = None


class NativeRefusal(Struct, frozen=True):
    """A refusal of /v1."""

    error: NativeError


def native(problem: Problem) -> Response:
    """A refusal of /v1."""
    error = NativeError(problem.code, problem.message, problem.field)
    return document(NativeRefusal(error), problem.status, problem.headers)
