"""Bodies of /v1 as control's own request values: their fields are the keys, and the keys that are known are said
when another is given.
"""

from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec import inspect

from fairlead.api import bodies
from fairlead.api.bodies import InvalidField
from fairlead.model.errors import InvalidValue

T = TypeVar("T")

_LARGEST = 2**31 - 1
"""What an integer column holds."""


def read(kind: type[T], body: bytes, wrapper: str | None = None) -> T:
    """The body as a `kind`, a dataclass; with `wrapper`, the body is an object around it with that one key.

    An empty body is {}. Raises MalformedBody, and InvalidField that names the key and the rule.
    """
    found = bodies.parse(body) if body else {}
    if wrapper is not None:
        found = _unwrapped(found, wrapper)
    _check(inspect.type_info(kind), found, wrapper or "body")
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at ")
        where = path.strip("`").replace("$", wrapper or "body", 1) or wrapper or "body"
        raise InvalidField(f"Invalid input for {where}. Reason: {reason}.", field=where) from None


def _unwrapped(found: object, wrapper: str) -> object:
    if not isinstance(found, dict) or set(found) != {wrapper}:
        raise InvalidValue("body", found, f'an object {{"{wrapper}": ...}} and nothing else')
    return found[wrapper]


def _check(info: inspect.Type, found: object, path: str) -> None:
    """Raises InvalidField for a key that the type has not, or a number that no column holds, at any depth."""
    match found:
        case dict():
            known = _fields(info)
            for key, value in found.items():
                if known and key not in known:
                    names = ", ".join(known)
                    raise InvalidField(f"'{key}' is not a key of {path}. Known are: {names}.", field=path)
                _check(known.get(key, info), value, f"{path}.{key}")
        case list():
            for at, value in enumerate(found):
                _check(_item(info), value, f"{path}[{at}]")
        case str():
            choices = [
                choice for kind in _kinds(info) if isinstance(kind, inspect.EnumType) for choice in kind.cls
            ]
            if choices and found not in [choice.value for choice in choices]:
                named = ", ".join(str(choice.value) for choice in choices)
                raise InvalidValue(path, found, f"one of {named}")
        case int() if not -_LARGEST <= found <= _LARGEST:
            raise InvalidValue(path, found, f"a whole number from {-_LARGEST} to {_LARGEST}")
        case _:
            pass


def _fields(info: inspect.Type) -> dict[str, inspect.Type]:
    """The fields of the dataclass among the types that are possible here; none: any key will do."""
    found = next((kind for kind in _kinds(info) if isinstance(kind, inspect.DataclassType)), None)
    return {field.encode_name: field.type for field in found.fields} if found else {}


def _item(info: inspect.Type) -> inspect.Type:
    found = next((kind for kind in _kinds(info) if isinstance(kind, inspect.VarTupleType)), None)
    return found.item_type if found else inspect.AnyType()


def _kinds(info: inspect.Type) -> Iterator[inspect.Type]:
    yield from info.types if isinstance(info, inspect.UnionType) else (info,)
