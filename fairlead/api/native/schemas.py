"""Schemas of what /v1 takes and answers, from the types themselves (JSON Schema 2020-12, as OpenAPI 3.1 has it).

An answer has all of its fields, always. A form has those that have no default, and no others than its own. What an
agent tells may have more: a newer agent tells more than an older control knows.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from inspect import cleandoc

import msgspec

Schema = dict[str, object]

_REF = "#/components/schemas/{name}"
_NULL: Schema = {"type": "null"}


class Way(Enum):
    """Which way a document goes, and so what its schema says."""

    ANSWER = "answer"
    FORM = "form"
    TOLD = "told"


class Schemas:
    """The schemas of the types that go each way. One that goes both ways with two schemas has the name of its type as
    an answer, and that with `Input` behind it as what is taken.
    """

    def __init__(self, types: Mapping[Way, Iterable[type]]) -> None:
        made = {way: _components(tuple(types.get(way, ())), way) for way in Way}
        answers = made[Way.ANSWER]
        self.components: dict[str, Schema] = dict(answers)
        self._renamed: dict[Way, dict[str, str]] = {Way.ANSWER: {}}
        for way in (Way.FORM, Way.TOLD):
            both = [name for name in made[way] if name in answers and "properties" in answers[name]]
            names = self._renamed[way] = {name: f"{name}Input" for name in both}
            for name, schema in made[way].items():
                self._add(names.get(name, name), _pointed(schema, names))
        self.components = dict(sorted(self.components.items()))

    def of(self, kind: type, way: Way) -> Schema:
        """The schema of the type, by reference where it has a name."""
        (found,), _ = _made((kind,))
        return _pointed(found, self._renamed[way])

    def _add(self, name: str, schema: Schema) -> None:
        if self.components.setdefault(name, schema) != schema:
            raise ValueError(f"Two schemas have the name {name}.")


def parameter(kind: object) -> Schema:
    """The schema of a parameter of a query: without null, which none can be."""
    (found,), components = _made((kind,))
    choices = found.get("anyOf")
    if isinstance(choices, list) and _NULL in choices:
        (told,) = [choice for choice in choices if choice != _NULL]
        found = {**told, **{key: value for key, value in found.items() if key != "anyOf"}}
    pointed = found.pop("$ref", None)
    if isinstance(pointed, str):
        # Enums alone are named here: told in place, they need no name among the answers' types.
        found = {**components[pointed.rpartition("/")[2]], **found}
    return _cleaned({key: value for key, value in found.items() if value is not None})


def words(doc: str | None) -> str:
    """A docstring for people who see JSON: paragraphs in one line each, and null for None."""
    paragraphs = cleandoc(doc or "").split("\n\n")
    return re.sub(r"\bNone\b", "null", "\n\n".join(" ".join(each.split()) for each in paragraphs))


def _components(types: tuple[type, ...], way: Way) -> dict[str, Schema]:
    _, components = _made(types)
    return {name: _going(_cleaned(schema), way) for name, schema in components.items()}


def _made(types: tuple[object, ...]) -> tuple[tuple[Schema, ...], dict[str, Schema]]:
    return msgspec.json.schema_components(
        types, ref_template=_REF, schema_hook=lambda _: {"description": "Any value."}
    )


def _going(schema: Schema, way: Way) -> Schema:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return schema
    if way is Way.ANSWER:
        shown = {name: _without(each, "default") for name, each in properties.items()}
        return {**schema, "properties": shown, "required": list(properties)}
    return {**schema, "additionalProperties": False} if way is Way.FORM else schema


def _cleaned(schema: Schema) -> Schema:
    """Without the title, which is the name once more; the docstring in words. Our choices are texts, all of them."""
    found = _without(schema, "title")
    if "enum" in found:
        found = {"type": "string", **found}
    said = found.get("description")
    return {**found, "description": words(said)} if isinstance(said, str) else found


def _without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}


def _pointed(schema: Schema, names: Mapping[str, str]) -> Schema:
    """The schema with references to the new names."""
    return {
        key: _renamed(str(value), names) if key == "$ref" else _each(value, names)
        for key, value in schema.items()
    }


def _each(found: object, names: Mapping[str, str]) -> object:
    match found:
        case dict():
            return _pointed(found, names)
        case list():
            return [_each(each, names) for each in found]
        case _:
            return found


def _renamed(reference: str, names: Mapping[str, str]) -> str:
    head, _, name = reference.rpartition("/")
    return f"{head}/{names.get(name, name)}"
