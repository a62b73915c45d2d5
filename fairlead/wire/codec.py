"""Values to JSON bytes and back, checked against their types."""

from typing import TypeVar

import msgspec

from fairlead.model.errors import InvalidValue

T = TypeVar("T")


def encode(value: object) -> bytes:
    """UTF-8 JSON with keys in field order: equal values give equal bytes."""
    return msgspec.json.encode(value, order="deterministic")


def decode(kind: type[T], data: bytes) -> T:
    """The value; raises InvalidValue that names the field and the rule, for anything that is not a `kind`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidValue("body", data[:80].decode(errors="replace"), f"valid: {error}") from None
