"""JSON bodies as values: what is not JSON, or not of the shape that is asked for, is a Refusal."""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from enum import Enum, EnumType
from typing import TypeVar, get_args

import msgspec

from fairlead.model.errors import Refusal

T = TypeVar("T")
Form = TypeVar("Form", bound=msgspec.Struct)

_ERROR = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value (?P<given>.*)", re.DOTALL)
_SHOWN = 120


class MalformedBody(Refusal):
    """The body cannot be read at all."""

    code = "malformed_body"


class InvalidField(Refusal):
    """A field of the body has the wrong type or range; the message says which and why."""

    code = "invalid_value"


def parse(body: bytes) -> object:
    """The JSON document; raises MalformedBody for what is not JSON or has text that no database can keep."""
    try:
        found: object = msgspec.json.decode(body)
    except RecursionError:
        raise MalformedBody("The body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None
    if b"\\u0000" in body and _has_nul(found):
        raise MalformedBody("The body has text with a NUL character, which cannot be stored.")
    return found


def shape(form: type[Form], document: object) -> Form:
    """The document as a form; text that says a number or boolean is taken for one, as OpenStack's clients
    expect. Raises InvalidField that names the field.
    """
    try:
        return msgspec.convert(document, form, strict=False)
    except msgspec.ValidationError as error:
        found = _ERROR.fullmatch(str(error))
        path, reason = (found["path"], found["reason"]) if found else (None, str(error))
        where = f" for {path}" if path else ""
        message = f"Invalid input{where}. Reason: {_reason(form, path or '', reason)}."
        raise InvalidField(message, field=path or None) from None


def built(
    make: Callable[..., T], form: msgspec.Struct, *, without: AbstractSet[str] = frozenset(), **more: object
) -> T:
    """What `make` makes of the form's fields, which have the names and types of its parameters, and of `more`.
    `without` are fields that it does not take.
    """
    given = {name: value for name, value in msgspec.structs.asdict(form).items() if name not in without}
    return make(**{**given, **more})


def _reason(form: type[msgspec.Struct], path: str, reason: str) -> str:
    """As msgspec says it, but with the choices where one was missed."""
    found = _ENUM.fullmatch(reason)
    if found is None:
        return reason.replace("`", "'")[:_SHOWN]
    types = [field.type for field in msgspec.structs.fields(form) if field.encode_name == path]
    kinds = [kind for kind in (*types, *get_args(types[0] if types else None)) if isinstance(kind, EnumType)]
    members: list[Enum] = [member for kind in kinds[:1] for member in list[Enum](kind)]
    choices = ", ".join(str(member.value) for member in members)
    return f"{found['given'][:_SHOWN]} is not one of {choices}" if choices else reason


def _has_nul(found: object) -> bool:
    match found:
        case str():
            return "\0" in found
        case list():
            return any(_has_nul(item) for item in found)
        case dict():
            return any(_has_nul(key) or _has_nul(value) for key, value in found.items())
        case _:
            return False
