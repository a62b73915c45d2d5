"""What was heard of others, remembered for a while and never more than so much of it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """Values by key, each for `seconds` of the clock; of more than `most` the oldest are forgotten."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[Value, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> Value | None:
        """The value; None where there is none, or its time is over."""
        value, until = self._kept.get(key, (None, 0.0))
        if value is not None and self._clock() >= until:
            del self._kept[key]
            return None
        return value

    def put(self, key: bytes, value: Value) -> None:
        """Remember it from now on."""
        self._kept.pop(key, None)
        self._kept[key] = value, self._clock() + self._seconds
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
