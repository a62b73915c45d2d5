"""Asks a switch for a VF's association, and waits for its answer: 802.1Qbh over rtnetlink.

The kernel takes a request at once and tells the switch's answer to whoever reads the VF; there is no event for it
(net/core/rtnetlink.c sends none for IFLA_VF_PORTS). A request that was refused, or not answered in time, is taken back.
Who reads one VF is told of all of its PF, so those who wait on one PF look together.
"""

import errno
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from threading import Lock
from typing import Protocol

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.faults import Act, fault, refusal, vf_subject
from fairlead.linux.netlink import Netlink
from fairlead.model.association import NOT_KEPT, SUCCESS, Association, answer
from fairlead.model.errors import Failure, Fault
from fairlead.model.vf import BASELINE, VfSettings

LONGEST_SECONDS = 10.0
"""How long a switch may take to answer: what libvirt waits, too."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25


class Timer(Protocol):
    """Time, to wait in."""

    def monotonic(self) -> float:
        """Seconds, never going back."""
        ...

    def pause(self, seconds: float) -> None:
        """Return after so long."""
        ...


class SystemTimer:
    """The system's."""

    def monotonic(self) -> float:
        """See Timer.monotonic."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """See Timer.pause."""
        time.sleep(seconds)


class Associations:
    """Of the VFs that a Netlink reaches."""

    def __init__(self, netlink: Netlink, timer: Timer) -> None:
        self._netlink = netlink
        self._timer = timer
        self._looks = _Looks(netlink, timer)

    def settle(self, link: int, pf: ObservedPf, index: int, wanted: Association | None) -> None:
        """Return once what was asked for is so. Raises Fault where the switch says no, or nothing in time, and takes
        the request back.
        """
        try:
            self._wait(link, pf, index, wanted)
        except Fault:
            if wanted is not None:
                self.take_back(link, index)
            raise

    def take_back(self, link: int, index: int) -> None:
        """End the VF's association, whatever it is, and as well as that goes: whether it did, the next look tells."""
        with suppress(OSError):
            self._netlink.set_vf(link, index, BASELINE, ("association",))

    def _wait(self, link: int, pf: ObservedPf, index: int, wanted: Association | None) -> None:
        seen, moment = None, self._timer.monotonic()
        for pause in self._pauses():
            moment, vf = self._read(link, pf, index, wanted, moment)
            seen = vf.association
            if seen == wanted:
                return
            if seen is not None and not seen.is_under_way:
                break
            self._timer.pause(pause)
        raise Fault(_failure(pf, index, wanted, seen))

    def _pauses(self) -> Iterator[float]:
        """Between looks, longer and longer, until the switch has had its time."""
        end, pause = self._timer.monotonic() + LONGEST_SECONDS, _FIRST_PAUSE
        while self._timer.monotonic() < end:
            yield pause
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _read(
        self, link: int, pf: ObservedPf, index: int, wanted: Association | None, moment: float
    ) -> tuple[float, VfSettings]:
        """The VF by a look that began after that moment, and when that was."""
        act, subject = _act(wanted), _subject(pf, index, wanted)
        try:
            began, vfs = self._looks.after(link, moment)
        except OSError as error:
            raise refusal(act, subject, error) from error
        if index not in vfs:
            said = f"the kernel tells of {len(vfs)} VFs, and not of this one"
            raise fault("vf_missing", act, subject, said, "Somebody changed the number of VFs.")
        return began, vfs[index]


class _Looks:
    """At all VFs of PFs, by ifindex. Thread-safe."""

    def __init__(self, netlink: Netlink, timer: Timer) -> None:
        self._netlink = netlink
        self._timer = timer
        self._lock = Lock()
        self._last: dict[int, tuple[float, Mapping[int, VfSettings]]] = {}

    def after(self, link: int, moment: float) -> tuple[float, Mapping[int, VfSettings]]:
        """What a look saw that began after that moment, be it another's, and when that was. Raises OSError."""
        with self._lock:
            last = self._last.get(link)
            if last is None or last[0] <= moment:
                last = self._last[link] = (self._timer.monotonic(), self._netlink.link(link)[1])
            return last


def untaken(pf: ObservedPf, index: int, wanted: Association | None, error: OSError) -> Fault:
    """The kernel did not even take the request."""
    hint = ""
    if error.errno == errno.EOPNOTSUPP:
        hint = (
            f"The PF's driver {pf.kernel_driver} has no 802.1Qbh: use a NIC that has, such as Cisco's VIC by enic, or "
            "a port profile of another kind."
        )
    return refusal(_act(wanted), _subject(pf, index, wanted), error, hint)


def _failure(pf: ObservedPf, index: int, wanted: Association | None, seen: Association | None) -> Failure:
    """`seen` is not what was wanted when there was no more waiting."""
    found = answer(seen.response if seen else None)
    code, words, hint = found.code, found.words, found.hint
    if seen is None or seen.is_under_way:
        words += f" within {LONGEST_SECONDS:.0f} s"
        hint = _why_silent(pf) or hint
    elif seen.response == SUCCESS:
        code, words = NOT_KEPT, f"the driver tells another one: {seen}"
        hint = "Does something else associate this VF, such as libvirt by a <virtualport>?"
    return Failure(code, _act(wanted).value, _subject(pf, index, wanted), words, hint)


def _why_silent(pf: ObservedPf) -> str:
    if not pf.is_up:
        return "The PF is down: nothing reaches the switch before it is up."
    return "The PF has no link: check the cable." if pf.link_up is False else ""


def _act(wanted: Association | None) -> Act:
    return Act.DISASSOCIATE if wanted is None else Act.ASSOCIATE


def _subject(pf: ObservedPf, index: int, wanted: Association | None) -> str:
    return vf_subject(pf, index) + (f" with {wanted}" if wanted is not None else "")
