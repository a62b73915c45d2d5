"""Ids that have the order of time: UUIDs of version 7.

Source: RFC 9562, 5.7; fractions of a millisecond by 6.2, method 3.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FRACTIONS = 4096
_VERSION, _VARIANT = 7, 2
_RANDOM_BITS = 62


def time_ordered_id(at: datetime, random: str) -> str:
    """The id of that time, or of 1970 where it is before, whose random bits are those of the UUID `random`. As texts,
    ids have the order of their times.
    """
    milliseconds, rest = divmod(max(0, (at - _EPOCH) // _MICROSECOND), 1000)
    fraction = rest * _FRACTIONS // 1000
    low = UUID(random).int & (1 << _RANDOM_BITS) - 1
    return str(UUID(int=milliseconds << 80 | _VERSION << 76 | fraction << 64 | _VARIANT << 62 | low))


def earliest_id(at: datetime) -> str:
    """An id that is before all of that time, and after all of earlier ones."""
    return time_ordered_id(at, str(UUID(int=0)))
