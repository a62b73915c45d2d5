"""The made parts of docs/reference/native-api.md, out of the OpenAPI document.

A part stands between `<!-- made: KIND NAMES -->` and `<!-- end -->`: `endpoints TAG`, a table of the area's requests;
`parameters ID`, those of an endpoint's query; `fields TYPE`, what a type has, where a second type says what the fields
of the same name are; `codes`, what refusals say. What is between the parts is written by hand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

_PART = re.compile(r"(<!-- made: (?P<what>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_JSON = "application/json"
_FIT = 4
"""As many fields are told in a line."""
_GOOD = ("200", "201", "204")
_OF_ALL = ("400", "401", "403", "413", "415", "500", "503")
"""Refusals that most requests have in common, so that the table of codes is enough."""


class Schema(Struct):
    """As much of a schema as the page shows."""

    ref: str = field(default="", name="$ref")
    type: str = ""
    format: str = ""
    description: str = ""
    enum: list[str] = []
    any_of: list["Schema"] = field(default_factory=list, name="anyOf")
    all_of: list["Schema"] = field(default_factory=list, name="allOf")
    items: "Schema | None" = None
    properties: dict[str, "Schema"] = {}
    additional: "Schema | bool | None" = field(default=None, name="additionalProperties")
    required: list[str] = []
    default: Raw | UnsetType = UNSET


class Content(Struct):
    """What a body or an answer is made of."""

    schema: Schema


class Body(Struct):
    """A request's body."""

    content: dict[str, Content]


class Response(Struct):
    """An answer, or where it is described."""

    ref: str = field(default="", name="$ref")
    description: str = ""
    content: dict[str, Content] = {}


class Parameter(Struct):
    """A part of a path or a query."""

    name: str
    place: str = field(name="in")
    description: str
    schema: Schema


class Endpoint(Struct):
    """A request that there is."""

    id: str = field(name="operationId")
    tags: list[str]
    summary: str
    responses: dict[str, Response]
    description: str = ""
    parameters: list[Parameter] = []
    body: Body | None = field(default=None, name="requestBody")


class Components(Struct):
    """What has a name."""

    schemas: dict[str, Schema]
    responses: dict[str, Response]


class Document(Struct):
    """The whole."""

    paths: dict[str, dict[str, Endpoint]]
    components: Components


def filled(page: str, document: bytes) -> str:
    """The page with its parts made anew. Raises KeyError for a part that names what is not in the document."""
    shown = frozenset(re.findall(r"<!-- made: fields (\w+)", page))
    parts = Parts(msgspec.json.decode(document, type=Document), shown)

    def made(part: re.Match[str]) -> str:
        kind, *names = part["what"].split()
        return f"{part[1]}\n" + "".join(f"{line}\n" for line in parts.of(kind, names)) + f"\n{part[3]}"

    return _PART.sub(made, page)


@dataclass(frozen=True, slots=True)
class Parts:
    """Makes the parts of a page, line by line. `shown` are the types that the page has the fields of."""

    document: Document
    shown: frozenset[str]

    def of(self, kind: str, names: list[str]) -> Iterator[str]:
        """The lines of a part."""
        match kind, names:
            case "endpoints", [tag]:
                return self._endpoints(tag)
            case "parameters", [endpoint]:
                return self._parameters(endpoint)
            case "fields", [name, *like]:
                return self._fields(name, *like)
            case "codes", []:
                return self._codes()
            case _:
                raise KeyError(f"{kind} {names}")

    def _endpoints(self, tag: str) -> Iterator[str]:
        yield "| request | what it does | answer | refusals |"
        yield "| --- | --- | --- | --- |"
        for method, path, endpoint in self._all():
            if tag in endpoint.tags:
                query = "&".join(f"{one.name}=" for one in endpoint.parameters if one.place == "query")
                line = f"`{method} {path}{'?' if query else ''}{query}`"
                asked = " ".join(filter(None, (line, self._body(endpoint))))
                does = f"{endpoint.summary}. {endpoint.description}".strip()
                yield f"| {asked} | {does} | {self._answer(endpoint)} | {self._refusals(endpoint)} |"

    def _all(self) -> Iterator[tuple[str, str, Endpoint]]:
        for path, endpoints in self.document.paths.items():
            for method, endpoint in endpoints.items():
                yield method.upper(), path, endpoint

    def _body(self, endpoint: Endpoint) -> str:
        return f"`{self._shape(endpoint.body.content[_JSON].schema)}`" if endpoint.body else ""

    def _answer(self, endpoint: Endpoint) -> str:
        [(status, response)] = [(s, r) for s, r in endpoint.responses.items() if s in _GOOD]
        shapes = [self._shape(content.schema) or kind for kind, content in response.content.items()]
        return " ".join([*([status] if status != "200" else []), *(f"`{shape}`" for shape in shapes)])

    def _shape(self, schema: Schema) -> str:
        """A name where the page has what is behind it, or it is too much for a line; else what it is made of."""
        named = self.document.components.schemas[_last(schema.ref)] if schema.ref else schema
        if _last(schema.ref) in self.shown or len(named.properties) > _FIT:
            return _last(schema.ref)
        parts = [f'"{key}": {self._brief(one)}' for key, one in named.properties.items()]
        return f"{{{', '.join(parts)}}}" if parts else ""

    def _brief(self, schema: Schema) -> str:
        return f"[{self._brief(schema.items)}]" if schema.items else self._type(schema).replace("`", "")

    def _refusals(self, endpoint: Endpoint) -> str:
        told = []
        for status, response in endpoint.responses.items():
            if status not in (*_GOOD, *_OF_ALL):
                told.append(" ".join([status, *(f"`{code}`" for code in self._codes_of(response))]))
        return ", ".join(told)

    def _codes_of(self, response: Response) -> list[str]:
        found = self._response(response)
        return [
            code
            for content in found.content.values()
            for part in content.schema.all_of
            if "error" in part.properties
            for code in part.properties["error"].properties["code"].enum
        ]

    def _response(self, response: Response) -> Response:
        return self.document.components.responses[_last(response.ref)] if response.ref else response

    def _parameters(self, endpoint_id: str) -> Iterator[str]:
        [endpoint] = [found for _, _, found in self._all() if found.id == endpoint_id]
        yield "| parameter | type | what it is |"
        yield "| --- | --- | --- |"
        for one in endpoint.parameters:
            if one.place == "query":
                yield f"| `{one.name}` | {self._type(one.schema)}{_default(one.schema)} | {one.description} |"

    def _fields(self, name: str, like: str = "") -> Iterator[str]:
        schemas = self.document.components.schemas
        schema, other = schemas[name], schemas[like].properties if like else {}
        yield f"`{name}`: {' '.join(schema.description.split())}"
        yield ""
        told = {key: one.description or _said(other, key) for key, one in schema.properties.items()}
        is_told = any(told.values())
        yield "| field | type |" + " what it is |" * is_told
        yield "| --- | --- |" + " --- |" * is_told
        for key, one in schema.properties.items():
            needed = ", required" if schema.additional is False and key in schema.required else ""
            kind = f"{self._type(one)}{needed}{_default(one)}"
            yield f"| `{key}` | {kind} |" + f" {told[key]} |" * is_told

    def _type(self, schema: Schema) -> str:
        if schema.ref:
            named = self.document.components.schemas[_last(schema.ref)]
            return self._type(named) if named.enum else f"`{_last(schema.ref)}`"
        if schema.enum:
            return ", ".join(f"`{one}`" for one in schema.enum)
        if schema.any_of:
            return " or ".join(self._type(one) for one in schema.any_of)
        if schema.items:
            return f"list of {self._type(schema.items)}"
        if isinstance(schema.additional, Schema):
            return f"map of {self._type(schema.additional)}"
        return {"date-time": "time", "binary": "bytes"}.get(schema.format, schema.type or "anything")

    def _codes(self) -> Iterator[str]:
        found: dict[str, set[str]] = {"no_such_path": {"404"}, "wrong_method": {"405"}}
        for _, _, endpoint in self._all():
            for status, response in endpoint.responses.items():
                for code in self._codes_of(response):
                    found.setdefault(code, set()).add(status)
        said = dict(
            re.findall(
                r"^- `(\w+)`: (.*)$", self.document.components.schemas["ErrorCode"].description, re.MULTILINE
            )
        )
        yield "| status | code | what it says |"
        yield "| --- | --- | --- |"
        for code, statuses in sorted(found.items(), key=lambda item: (sorted(item[1]), item[0])):
            yield f"| {', '.join(sorted(statuses))} | `{code}` | {said[code]} |"


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]


def _said(properties: dict[str, Schema], key: str) -> str:
    return properties[key].description if key in properties else ""


def _default(schema: Schema) -> str:
    return "" if schema.default is UNSET else f", else `{bytes(schema.default).decode()}`"
