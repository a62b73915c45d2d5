"""How an endpoint of /v1 may be refused: by status, with the codes that there are."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import cast

from fairlead.api.native.endpoint import Endpoint, Who
from fairlead.api.native.schemas import Schema, Schemas, Way
from fairlead.api.problems import IdentityRefusal, NativeRefusal, status_of
from fairlead.api.routes import JSON
from fairlead.model.error_codes import MEANINGS, Code

REFUSALS: tuple[type, ...] = (NativeRefusal, IdentityRefusal)
"""The types of refusals."""
_Codes = tuple[Code, ...]
_SHARED: Mapping[str, tuple[int, _Codes]] = {
    "Invalid": (400, ("invalid_value",)),
    "InvalidBody": (400, ("invalid_value", "malformed_body")),
    "NotLoggedIn": (401, ("unauthorized",)),
    "BadCredential": (401, ("bad_credential",)),
    "BadToken": (401, ("bad_token",)),
    "NotAllowed": (403, ("not_allowed",)),
    "NotFound": (404, ("not_found",)),
    "Stale": (409, ("stale",)),
    "TooLarge": (413, ("too_large",)),
    "WrongMediaType": (415, ("wrong_media_type",)),
    "Fault": (500, ("fault",)),
    "IdentityUnavailable": (503, ("identity_unavailable",)),
}
"""Refusals that many endpoints have in common, by the name that they have in the document."""
_OF_NO_ENDPOINT: _Codes = ("no_such_path", "wrong_method")
_OF_CHANGES: _Codes = ("stale",)
_BY_LOGIN: Mapping[Who, tuple[tuple[int, Code], ...]] = {
    Who.PERSON: ((401, "unauthorized"), (503, "identity_unavailable")),
    Who.AGENT: ((401, "bad_credential"),),
    Who.NEWCOMER: ((401, "bad_token"),),
}


def of(endpoint: Endpoint, schemas: Schemas) -> Schema:
    """The endpoint's refusals by status; those that many have by reference."""
    found: dict[int, set[Code]] = {}
    for status, code in _may_be(endpoint):
        found.setdefault(status, set()).add(code)
    names = {known: name for name, known in _SHARED.items()}
    told: Schema = {}
    for status, codes in sorted(found.items()):
        in_order = tuple(sorted(codes))
        name = names.get((status, in_order))
        told[str(status)] = (
            {"$ref": f"#/components/responses/{name}"} if name else _response(status, in_order, schemas)
        )
    return told


def shared(schemas: Schemas) -> Schema:
    """Refusals that many endpoints have in common, by name."""
    return {name: _response(status, codes, schemas) for name, (status, codes) in sorted(_SHARED.items())}


def coded(components: Mapping[str, Schema], endpoints: Iterable[Endpoint]) -> Schema:
    """The components by name, with ErrorCode among them, to which a refusal's code points."""
    error = components["NativeError"]
    properties = cast("Schema", error["properties"])  # a Struct's schema has them
    pointing: Schema = {"code": {"$ref": "#/components/schemas/ErrorCode"}}
    found = {**components, "ErrorCode": _codes(endpoints)}
    return dict(sorted({**found, "NativeError": {**error, "properties": properties | pointing}}.items()))


def _codes(endpoints: Iterable[Endpoint]) -> Schema:
    found = {code for endpoint in endpoints for _, code in _may_be(endpoint)} - {"unauthorized"}
    told = sorted(found | {*_OF_NO_ENDPOINT})
    said = "\n".join(f"- `{code}`: {MEANINGS[code]}" for code in told)
    return {
        "type": "string",
        "enum": [*told],
        "description": f"Why, in a word that never comes to mean anything else.\n\n{said}",
    }


def answer(description: str, content: Schema | None = None, headers: Schema | None = None) -> Schema:
    """A response."""
    request_id: Schema = {"x-openstack-request-id": {"$ref": "#/components/headers/RequestId"}}
    return {
        "description": description,
        "headers": {**request_id, **(headers or {})},
        **({"content": content} if content else {}),
    }


def _may_be(endpoint: Endpoint) -> Iterator[tuple[int, Code]]:
    says = endpoint.says
    yield 400, "invalid_value"
    yield 403, "not_allowed"
    yield 500, "fault"
    yield from _BY_LOGIN[endpoint.who]
    if len(endpoint.names) > (endpoint.who is not Who.PERSON):
        # The host of an agent's path is that of its credential, or it is told nothing.
        yield 404, "not_found"
    if not endpoint.is_live:
        # Whatever comes as a body is read, and looked at, also where none is asked for.
        yield 413, "too_large"
        yield 415, "wrong_media_type"
    if says.body and not says.body.is_open:
        yield 400, "malformed_body"
    for code in (*says.refused, *(() if endpoint.method == "GET" else _OF_CHANGES)):
        yield status_of(code), code


def _response(status: int, codes: _Codes, schemas: Schemas) -> Schema:
    said = "; ".join(f"`{code}`: {MEANINGS[code]}" for code in codes) + "."
    challenge: Schema = {"WWW-Authenticate": {"description": "How to log in.", "schema": {"type": "string"}}}
    if codes == ("unauthorized",):
        schema = schemas.of(IdentityRefusal, Way.ANSWER)
    else:
        only: Schema = {"properties": {"error": {"properties": {"code": {"enum": [*codes]}}}}}
        schema = {"allOf": [schemas.of(NativeRefusal, Way.ANSWER), only]}
    return answer(said, {JSON: {"schema": schema}}, challenge if status == HTTPStatus.UNAUTHORIZED else None)
