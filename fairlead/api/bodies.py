"""JSON bodies as values: what is not JSON, or not of the shape that is asked for, is a Refusal."""

import re
from typing import TypeVar

import msgspec

from fairlead.model.errors import Refusal

T = TypeVar("T")

_PATH = re.compile(r"^(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)


class MalformedBody(Refusal):
    """The body cannot be read at all."""

    code = "malformed_body"


class InvalidField(Refusal):
    """A field of the body has the wrong type or range; the message says which and why."""

    code = "invalid_value"


def parse(body: bytes) -> object:
    """The JSON document; raises MalformedBody for what is not JSON or has text that no database can keep."""
    try:
        found = msgspec.json.decode(body)
    except RecursionError:
        raise MalformedBody("The body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None
    if b"\\u0000" in body and _has_nul(found):
        raise MalformedBody("The body has text with a NUL character, which cannot be stored.")
    return found


def shape(kind: type[T], document: object) -> T:
    """The document as a `kind`; text that says a number or boolean is taken for one, as OpenStack's clients
    expect. Raises InvalidField that names the field.
    """
    try:
        return msgspec.convert(document, kind, strict=False)
    except msgspec.ValidationError as error:
        found = _PATH.match(str(error))
        path = (found and found["path"]) or ""
        reason = (found and found["reason"]) or str(error)
        where = f" for {path}" if path else ""
        raise InvalidField(f"Invalid input{where}. Reason: {reason}.", field=path or None) from None


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


