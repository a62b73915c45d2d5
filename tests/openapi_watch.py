"""Holds a started Fairlead to the OpenAPI document of /v1: whoever asks it whatever, the answer is as that says.

An object of an answer has what its schema names and nothing more.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairlead.api.native.openapi import PREFIX
from fairlead.api.native.routes import ENDPOINTS, face, openapi

JSON = "application/json"
GOOD = 300
"""Below it are the answers to what was done."""
STRAYS = {400: "invalid_value", 403: "not_allowed", 404: "no_such_path", 405: "wrong_method"}
"""Refusals of what is no endpoint."""


@dataclass
class Exchange:
    """A request below /v1, and what was answered; status 0: nothing was."""

    method: str
    path: str
    query: str
    asked: bytes = b""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    told: bytes = b""


class Watched:
    """The application, and what was wrong with its answers below /v1, in `faults`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.faults: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(PREFIX)
        exchange = Exchange(scope["method"], path, scope["query_string"].decode("latin-1"))

        async def heard() -> Message:
            message = await receive()
            exchange.asked += message.get("body", b"")
            return message

        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                exchange.headers = {key.decode(): value.decode() for key, value in message["headers"]}
            exchange.told += message.get("body", b"")
            await send(message)

        await self._app(scope, heard, said)
        if exchange.status:
            line = f"{exchange.method} {PREFIX}{path}?{exchange.query} -> {exchange.status}"
            self.faults += [f"{line}: {fault}" for fault in faults(exchange)]


def faults(exchange: Exchange) -> list[str]:
    """What of the exchange is not as the document says."""
    found = [] if "x-openstack-request-id" in exchange.headers else ["no request id"]
    endpoint = endpoint_of(exchange.method, exchange.path)
    if endpoint is None:
        document = json.loads(exchange.told) if exchange.method != "HEAD" else None
        is_known = document is None or document["error"]["code"] == STRAYS.get(exchange.status)
        return found if is_known else [*found, f"no endpoint answers {document}"]
    response = endpoint["responses"].get(str(exchange.status))
    if response is None:
        return [*found, f"{endpoint['operationId']} has no such answer: {exchange.told[:300]!r}"]
    if exchange.method != "HEAD":
        found += _wrong_answer(endpoint, followed(response), exchange)
    return found + (_wrongly_taken(endpoint, exchange) if exchange.status < GOOD else [])


@cache
def document():
    """The document."""
    return json.loads(openapi())


@cache
def closed():
    """Its components, whose objects have what they name and nothing more."""
    found = json.loads(openapi())["components"]
    for schema in found["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return found


def endpoint_of(method, path):
    """What the document says of the endpoint that the path leads to; None: it leads to none."""
    match = face().table.match(method, path)
    if match is None or match.route is None:
        return None
    return _endpoints()[match.route.method, match.route.path]


def followed(found):
    """What a reference points to."""
    if "$ref" not in found:
        return found
    here = document()
    for step in found["$ref"].removeprefix("#/").split("/"):
        here = here[step]
    return here


def wrong(schema, value, *, is_closed=True):
    """How the value is not as the schema says; if `is_closed`, more than it names is wrong too."""
    validator = _validator(json.dumps(schema), is_closed)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


@cache
def _endpoints():
    return {
        (endpoint.method, endpoint.route().path): document()["paths"][PREFIX + endpoint.path][
            endpoint.method.lower()
        ]
        for endpoint in ENDPOINTS
    }


@cache
def _validator(schema, is_closed):
    whole = {**json.loads(schema), "components": closed() if is_closed else document()["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _wrong_answer(endpoint, response, exchange):
    content = response.get("content", {})
    media_type = exchange.headers.get("content-type", "").partition(";")[0]
    if not content:
        return [f"a body where there is none: {exchange.told[:300]!r}"] if exchange.told else []
    if media_type not in content:
        return [f"{media_type} is not of {list(content)}"]
    return wrong(content[JSON]["schema"], json.loads(exchange.told)) if media_type == JSON else []


def _wrongly_taken(endpoint, exchange):
    """What was taken is what the document says is taken. A form may take a text for a number."""
    names = {one["name"] for one in endpoint.get("parameters", ()) if one["in"] == "query"}
    strange = {name for name, _ in parse_qsl(exchange.query, keep_blank_values=True)} - names
    is_agents = "agent" in endpoint["tags"]
    found = [f"it took the parameters {strange}"] if strange and not is_agents else []
    if is_agents and "requestBody" in endpoint:
        schema = endpoint["requestBody"]["content"][JSON]["schema"]
        found += wrong(schema, json.loads(exchange.asked), is_closed=False)
    return found
