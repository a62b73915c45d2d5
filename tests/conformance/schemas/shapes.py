"""Words of which the schemas of answers are made. An object has exactly what it names: one more is a fault."""

from collections.abc import Mapping

Schema = dict[str, object]

TEXT: Schema = {"type": "string"}
BOOL: Schema = {"type": "boolean"}
FALSE: Schema = {"const": False}
INT: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
NOTHING: Schema = {"type": "null"}
ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"}
HEX: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
URL: Schema = {"type": "string", "pattern": "^http://"}
TIME: Schema = {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$"}
MICROTIME: Schema = {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}$"}
EMPTY: Schema = {"type": "string", "maxLength": 0}


def one_of(*values: object) -> Schema:
    """One of these."""
    return {"enum": list(values)}


def maybe(shape: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [shape, NOTHING]}


def either(*shapes: Schema) -> Schema:
    """Any of those."""
    return {"anyOf": list(shapes)}


def many(shape: Schema) -> Schema:
    """A list of those."""
    return {"type": "array", "items": shape}


def texts() -> Schema:
    """An object whose values are texts."""
    return mapping(TEXT)


def mapping(shape: Schema) -> Schema:
    """An object with any keys and such values."""
    return {"type": "object", "additionalProperties": shape}


def thing(shapes: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these attributes and no other."""
    return {
        "type": "object",
        "properties": {**shapes, **(optional or {})},
        "required": list(shapes),
        "additionalProperties": False,
    }


def wrapped(name: str, shape: Schema) -> Schema:
    """An object with that one attribute."""
    return thing({name: shape})
