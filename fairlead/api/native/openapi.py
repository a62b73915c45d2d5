"""The OpenAPI document of /v1 (https://spec.openapis.org/oas/v3.1.1.html), of what its endpoints say of themselves."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fairlead.api.native import refusals
from fairlead.api.native.endpoint import Endpoint, Who
from fairlead.api.native.refusals import REFUSALS
from fairlead.api.native.schemas import Schema, Schemas, Way, parameter, words
from fairlead.api.native.signature import Body, Octets
from fairlead.api.routes import JSON

PREFIX = "/v1"
_ABOUT = words("""
    What OpenStack has no noun for: hosts and their agents, devices, device policies, aliases, and why things are as
    they are. JSON in, JSON out. A key or a parameter of a query that is not known is refused, and the known ones are
    named. Answers may come to have more keys; those that they have stay. Times are UTC in ISO 8601.

    Who may ask what follows the rules of `fairlead/access`: all but this document is the operator's, unless a rule file
    says otherwise. The part for agents is made for Fairlead's own agent.
""")
TAGS = {
    "hosts": "Machines that run guests.",
    "devices": "PFs, VFs and plain PCI devices, and who has them.",
    "vnics": "Ports on their hosts: what each is there, is to be, and has counted.",
    "policies": "Device policies: which NICs, how many VFs, on which physical network.",
    "aliases": "Names for kinds of device.",
    "fabrics": "Fabrics of InfiniBand whose subnet managers are told who is in which partition.",
    "offered-port-profiles": "What products have that manage port profiles.",
    "servers": "Why a server is where it is, or nowhere, and what only its host can tell.",
    "events": "What happened.",
    "audit": "What must never be.",
    "audit-trail": "Who did what, and what was refused.",
    "health": "Whether all is well.",
    "openapi": "This document.",
    "agents": "The agents of hosts, as people see them.",
    "agent": "What the agents of hosts ask and tell.",
}
_NAMED = {
    "host": "A host, by its id or name.",
    "host_id": "The id of the host whose agent asks.",
    "device_id": "A device, by its id.",
    "port_id": "A port, by its id.",
    "policy": "A device policy, by its id or name.",
    "alias": "An alias, by its name.",
    "physical_network": "A fabric, by its physical network's name.",
    "server_id": "A server, by its id.",
    "question_id": "A question, by its id.",
    "image_id": "An image, by its id.",
}
_SECURITY: dict[Who, list[Schema]] = {
    Who.PERSON: [{"token": []}, {"password": []}, {}],
    Who.AGENT: [{"credential": []}],
    Who.NEWCOMER: [],
}
_SCHEMES: Schema = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Token",
        "description": "A token of the identity API, where people log in by `builtin` or `keystone`.",
    },
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "Name and password, where people log in by `http_basic`. By `none` nobody says who he is.",
    },
    "credential": {
        "type": "http",
        "scheme": "bearer",
        "description": "What a host's agent got for its one-time token. It opens what is that host's alone.",
    },
}
_REQUEST_ID: Schema = {
    "description": "The request's id, which the log and events have too: `req-` and a UUID.",
    "schema": {"type": "string"},
}


def described(endpoints: Sequence[Endpoint]) -> Schema:
    """The document. Raises KeyError for a name in a path, or an area, that has no words here yet."""
    schemas = _schemas(endpoints)
    paths: dict[str, Schema] = {}
    for endpoint in endpoints:
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = _endpoint(endpoint, schemas)
    tags = dict.fromkeys(_tag(endpoint) for endpoint in endpoints)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Fairlead's own API",
            "version": "1",
            "summary": "Pass-through NICs for virtual machines: what OpenStack has no noun for.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The control that serves this document."}],
        "tags": [{"name": tag, "description": TAGS[tag]} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": refusals.coded(schemas.components, endpoints),
            "responses": refusals.shared(schemas),
            "headers": {"RequestId": _REQUEST_ID},
            "securitySchemes": _SCHEMES,
        },
    }


def formatted(document: Schema) -> bytes:
    """The document as a file that people read and compare line by line."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _schemas(endpoints: Iterable[Endpoint]) -> Schemas:
    types: dict[Way, dict[type, None]] = {way: {} for way in Way}
    for kind in REFUSALS:
        types[Way.ANSWER][kind] = None
    for endpoint in endpoints:
        says = endpoint.says
        if isinstance(says.answer, type):
            types[Way.ANSWER][says.answer] = None
        if says.body:
            types[_way(says.body)][says.body.kind] = None
    return Schemas(types)


def _endpoint(endpoint: Endpoint, schemas: Schemas) -> Schema:
    summary, _, more = words(endpoint.handler.__doc__).partition(". ")
    says = endpoint.says
    found: Schema = {
        "operationId": endpoint.id,
        "tags": [_tag(endpoint)],
        "summary": summary.removesuffix("."),
        **({"description": more} if more else {}),
        "parameters": list(_parameters(endpoint)),
        **({"requestBody": _body(says.body, schemas)} if says.body else {}),
        "responses": {**_good(endpoint, schemas), **refusals.of(endpoint, schemas)},
        "security": _SECURITY[endpoint.who],
    }
    return {key: value for key, value in found.items() if value != [] or key == "security"}


def _tag(endpoint: Endpoint) -> str:
    """Its area, which is the noun of its rule."""
    return endpoint.action.split(":")[1]


def _parameters(endpoint: Endpoint) -> Iterator[Schema]:
    for name in endpoint.names:
        text: Schema = {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "description": _NAMED[name], "schema": text}
    query = endpoint.says.query
    for field in msgspec.structs.fields(query) if query else ():
        schema = parameter(field.type)
        said = schema.pop("description", "")
        if field.default not in {None, msgspec.NODEFAULT}:
            schema["default"] = field.default
        yield {"name": field.encode_name, "in": "query", "description": said, "schema": schema}


def _way(body: Body) -> Way:
    return Way.TOLD if body.is_open else Way.FORM


def _body(body: Body, schemas: Schemas) -> Schema:
    schema = schemas.of(body.kind, _way(body))
    if body.under:
        schema = {
            "type": "object",
            "properties": {body.under: schema},
            "required": [body.under],
            "additionalProperties": False,
        }
    return {"required": bool(body.under) or _has_required(body.kind), "content": {JSON: {"schema": schema}}}


def _has_required(kind: type) -> bool:
    info = msgspec.inspect.type_info(kind)
    return isinstance(info, msgspec.inspect.DataclassType | msgspec.inspect.StructType) and any(
        field.required for field in info.fields
    )


def _good(endpoint: Endpoint, schemas: Schemas) -> Schema:
    match endpoint.says.answer:
        case None:
            return {"204": refusals.answer("Done.")}
        case Octets(media_type):
            schema: Schema = {} if media_type == JSON else {"type": "string", "format": "binary"}
            return {"200": refusals.answer("As it is.", {media_type: {"schema": schema}})}
        case kind:
            content: Schema = {JSON: {"schema": schemas.of(kind, Way.ANSWER)}}
            return {str(endpoint.status): refusals.answer(words(kind.__doc__), content)}
