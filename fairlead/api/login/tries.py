"""Wrong passwords, counted by whose they were to be and by where they came from: who guesses shuts out themselves."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

FROM_ONE, PAUSE_SECONDS = 5, 30.0
"""Wrong ones in a row of one user from one place, and how long none is looked at after them."""
FROM_ALL, MINUTE_SECONDS = 20, 60.0
"""Wrong ones of one user from everywhere in a minute. One place has 7 in it, and so cannot use them up."""
_REMEMBERED = 1024
_ONE_SITE = 64
_LONGEST_ADDRESS = 64


class Tries:
    """What was wrong lately. Threads may ask; one notes. A user is whatever digest stands for them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._from_one: OrderedDict[tuple[bytes, str], tuple[int, float]] = OrderedDict()
        self._from_all: OrderedDict[bytes, tuple[int, float]] = OrderedDict()

    def are_spent(self, user: bytes, address: str) -> bool:
        """Whether no password for the user from there is to be looked at now."""
        now = self._clock()
        here, until = self._from_one.get((user, _place(address)), (0, now))
        if here >= FROM_ONE and now < until:
            return True
        everywhere, until = self._from_all.get(user, (0, now))
        return everywhere >= FROM_ALL and now < until

    def note_wrong(self, user: bytes, address: str) -> None:
        """Another one. The pause begins with the last one; the minute of all goes on from its first."""
        now = self._clock()
        here, _ = self._from_one.get((user, _place(address)), (0, now))
        _keep(self._from_one, (user, _place(address)), (here + 1, now + PAUSE_SECONDS))
        everywhere, until = self._from_all.get(user, (0, now))
        _keep(self._from_all, user, (everywhere + 1, until) if now < until else (1, now + MINUTE_SECONDS))

    def note_right(self, user: bytes, address: str) -> None:
        """Those from there were the user's own mistakes; those from elsewhere need not be."""
        self._from_one.pop((user, _place(address)), None)


def _keep(tries: OrderedDict[Key, tuple[int, float]], key: Key, value: tuple[int, float]) -> None:
    tries[key] = value
    tries.move_to_end(key)
    while len(tries) > _REMEMBERED:
        tries.popitem(last=False)


def _place(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one, which is the least that anybody has (RFC 6177)."""
    try:
        found = ip_address(address)
    except ValueError:
        # A unix socket has none, and a proxy may say anything.
        return address[:_LONGEST_ADDRESS]
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), _ONE_SITE), strict=False))
