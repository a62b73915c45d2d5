"""JSON bodies as values: what is not JSON, or not of the shape that is asked for, is a Refusal."""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from enum import Enum, EnumType
from typing import TypeVar, get_args

import msgspec

from fairlead.model.error_codes import Code
from fairlead.model.errors import Refusal

T = TypeVar("T")
Form = TypeVar("Form", bound=msgspec.Struct)

_ERROR = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value (?P<given>.*)", re.DOTALL)
_SHOWN = 120

_SUSPECT = re.compile(rb"\\|\x7f|\xc2[\x80-\x9f]|\xef\xbf[\xbe\xbf]")
"""What a body has somewhere that has a character to refuse: JSON itself has control characters only as escapes."""
_TEXT = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_NAME_TEXT = re.compile("[\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_NAMES = frozenset({"name", "hostname", "key_name", "tags", "tag", "os_command_line"})
"""Fields whose text is one line wherever it is shown."""


class MalformedBody(Refusal):
    """The body cannot be read at all."""

    code: Code = "malformed_body"


class InvalidField(Refusal):
    """A field of the body has the wrong type or range; the message says which and why."""

    code: Code = "invalid_value"


def parse(body: bytes) -> object:
    """The JSON document; raises MalformedBody for what is not JSON, InvalidField for text with control characters."""
    try:
        found: object = msgspec.json.decode(body)
    except RecursionError:
        raise MalformedBody("The body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None
    if _SUSPECT.search(body):
        _check_text(found, "", "")
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


def _check_text(found: object, path: str, key: str) -> None:
    """Raises InvalidField for text that XML, and so a guest's domain, cannot have (XML 1.0, 2.2), and for a name of
    more than one line or with other control characters.
    """
    match found:
        case str():
            allowed = _NAME_TEXT if key in _NAMES else _TEXT
            if not allowed.fullmatch(found):
                message = f"Invalid input for {path or 'the body'}. Reason: it has control characters."
                raise InvalidField(message, field=path or None)
        case list():
            for number, item in enumerate(found):
                _check_text(item, f"{path}[{number}]", key)
        case dict():
            for name, value in found.items():
                _check_text(name, path, "name")
                _check_text(value, f"{path}.{name}" if path else name, name)
        case _:
            pass
