"""The switch at a simulated machine's NICs, as far as it answers for 802.1Qbh; and what shall go wrong with it."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fairlead.model.association import IN_PROGRESS, INVALID, SUCCESS, Association, AssociationRequest
from fairlead.model.ids import PfKey

_VfName = tuple[PfKey, int]


@dataclass(slots=True)
class Switch:
    """`answer`: what it says to each association; to the end of one it says yes. `looks`: how many times it is looked
    before the answer is there. `is_silent`: it never is. `unknown`: names of profiles that it does not have.
    `set_errno`: what drivers say to each request, in place of asking. `get_errno`: what they say to whoever reads: the
    kernel leaves the VF out then, but breaks off at EMSGSIZE.
    """

    answer: int = SUCCESS
    looks: int = 0
    is_silent: bool = False
    unknown: frozenset[str] = frozenset()
    set_errno: int | None = None
    get_errno: int | None = None
    due: dict[_VfName, int] = field(default_factory=dict)
    """How many more looks an answer takes, by VF."""

    def ask(self, vf: _VfName, held: Association | None, wanted: Association | None) -> Association | None:
        """What is told of the VF right after the request. Raises OSError where the driver says no to it."""
        if self.set_errno is not None:
            raise OSError(self.set_errno, errno.errorcode[self.set_errno])
        self.due[vf] = self.looks
        asked = wanted
        if wanted is None and held is not None:
            asked = replace(held, request=AssociationRequest.DISASSOCIATE)
        under_way = asked and replace(asked, response=IN_PROGRESS)
        return under_way if self.looks or self.is_silent else self._answered(under_way)

    def look(self, vf: _VfName, seen: Association | None) -> Association | None:
        """What is told of the VF to whoever looks now."""
        if seen is None or not seen.is_under_way or self.is_silent:
            return seen
        left = self.due.get(vf, 0)
        self.due[vf] = max(left - 1, 0)
        return seen if left else self._answered(seen)

    def _answered(self, asked: Association | None) -> Association | None:
        if asked is None or asked.request is AssociationRequest.DISASSOCIATE:
            return None
        return replace(asked, response=INVALID if asked.profile_id in self.unknown else self.answer)


class LostTime:
    """linux.association.Timer: pauses take no time, but for whoever asks how late it is. `before_pause`: what is called
    before each.
    """

    def __init__(self, before_pause: Callable[[str], None]) -> None:
        self._before_pause = before_pause
        self._seconds = 0.0

    def monotonic(self) -> float:
        """What has been waited."""
        return self._seconds

    def pause(self, seconds: float) -> None:
        """At once."""
        self._before_pause("wait for the switch")
        self._seconds += seconds
