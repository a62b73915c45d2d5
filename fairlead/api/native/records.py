"""Records of the model as documents of /v1: their own fields, and the names that people need beside ids."""

from collections.abc import Collection

import msgspec

Json = dict[str, object]


def plain(record: object, without: Collection[str] = ()) -> Json:
    """The fields of a dataclass as JSON has them: enums by value, times in ISO 8601 with Z."""
    found: Json = msgspec.to_builtins(record)
    return {name: value for name, value in found.items() if name not in without}
