"""Queries of /v1 as values: a Struct names the parameters, each with its type and its default where it is not given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import msgspec
from msgspec import Struct, inspect

from fairlead.model.errors import InvalidValue


class Query(Struct, frozen=True):
    """What the query of an endpoint is a kind of; by itself one that knows no parameter."""


Asked = TypeVar("Asked", bound=Query)


def read(kind: type[Asked], given: Iterable[tuple[str, str]], *, is_strict: bool) -> Asked:
    """The query as a `kind`. Raises InvalidValue for a value that breaks a rule, and, if `is_strict`, for a parameter
    that is not known or stands there twice. A choice may be told in capital letters or small ones.
    """
    known = _parameters(kind)
    found: dict[str, object] = {}
    for name, text in given:
        if name not in known and is_strict:
            raise InvalidValue("query", name, f"a parameter here: {', '.join(known) or 'there are none'}")
        if name in found and is_strict:
            raise InvalidValue(name, text, "the only one of that name: it stands there twice")
        if name in known and name not in found:
            found[name] = _value(known[name], name, text)
    return kind(**found)


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter's type, and `told`: that of what is said, without the None for what is not."""

    type: object
    told: inspect.Type


@cache
def _parameters(kind: type[Query]) -> Mapping[str, _Parameter]:
    return {
        field.encode_name: _Parameter(field.type, _told(inspect.type_info(field.type)))
        for field in msgspec.structs.fields(kind)
    }


def _value(parameter: _Parameter, name: str, text: str) -> object:
    told = parameter.told
    if isinstance(told, inspect.EnumType):
        text = next((choice.value for choice in told.cls if choice.value.lower() == text.lower()), text)
    try:
        found: object = msgspec.convert(text, parameter.type, strict=False)
    except msgspec.ValidationError:
        found = None
    if found is None:
        raise InvalidValue(name, text, _rule(told))
    return found


def _told(info: inspect.Type) -> inspect.Type:
    match info:
        case inspect.Metadata():
            return _told(info.type)
        case inspect.UnionType():
            return next(kind for kind in map(_told, info.types) if not isinstance(kind, inspect.NoneType))
        case _:
            return info


def _rule(info: inspect.Type) -> str:
    match info:
        case inspect.EnumType():
            return f"one of {', '.join(str(choice.value) for choice in info.cls)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return f"a whole number{_bounds(info)}"
        case inspect.FloatType():
            return f"a number{_bounds(info)}"
        case inspect.DateTimeType():
            return "a time such as 2027-01-31T12:00:00Z"
        case _:
            return "a text that will do"


def _bounds(info: inspect.IntType | inspect.FloatType) -> str:
    least = "" if info.ge is None else f" of at least {info.ge:g}"
    return least if info.le is None else f"{least} and at most {info.le}"
