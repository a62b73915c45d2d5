"""What may come in at a device: a rate and a guest's frames, on its ingress queueing discipline.

Our filters have the priorities 1 (rate), 2 and 9 (what a guest may say). Another one's of these, or between them, would
let pass what ours do not, so it counts as a change of ours, and goes.

Sources: net/sched/{cls_api,sch_ingress}.c; include/uapi/linux/{pkt_sched,rtnetlink}.h. Trap: a dump of filters has one
of handle 0 for each priority, which is no filter.
"""

import errno
import socket
import struct
from dataclasses import dataclass, field

from fairlead.linux import message as nl
from fairlead.linux import police
from fairlead.linux.netlink import UNKNOWN_SOURCE, Ingress, NetlinkRefusal
from fairlead.linux.source_filter import (
    DROP_PRIORITY,
    PROGRAM_PRIORITY,
    Speaker,
    drop_body,
    is_drop,
    program_body,
    read_speaker,
)

_NEW_QDISC = 36
_NEW_FILTER, _DELETE_FILTER, _GET_FILTER = 44, 45, 46
_HEADER = struct.Struct("=BxxxiIII")
_PARENT, _HANDLE = 0xFFFFFFF1, 0xFFFF0000
_KIND, _CHAIN = 1, 11
_RATE = 1


@dataclass(slots=True)
class _Seen:
    """The filters of our priorities. `places`: where the kernel has any, as it names the place, by priority. `foreign`:
    the priorities of what is not as ours are.
    """

    rate_kbps: int | None = None
    speaker: Speaker | None = None
    drops: bool = False
    places: dict[int, int] = field(default_factory=dict)
    foreign: set[int] = field(default_factory=set)

    @property
    def ingress(self) -> Ingress:
        """What they let in. Filters that are not just what some addresses make, because somebody has changed them, are
        told as a source that nobody asks for.
        """
        if self.foreign or self.drops != (self.speaker is not None):
            return Ingress(self.rate_kbps, (UNKNOWN_SOURCE,))
        if self.speaker is None:
            return Ingress(self.rate_kbps)
        return Ingress(self.rate_kbps, self.speaker.prefixes, self.speaker.mac)


def read_ingress(channel: nl.Channel, index: int) -> Ingress:
    """What may come in at the device now. Raises NetlinkRefusal."""
    return _read(channel, index).ingress


def set_ingress(channel: nl.Channel, index: int, wanted: Ingress) -> None:
    """Make it so. What drops the rest comes first and goes first. Raises NetlinkRefusal."""
    seen = _read(channel, index)
    if seen.ingress == wanted:
        return
    _make_qdisc(channel, index)
    if seen.rate_kbps != wanted.rate_kbps or _RATE in seen.foreign:
        # A matchall filter cannot be replaced (EEXIST).
        _clear(channel, index, seen, _RATE)
        if wanted.rate_kbps is not None:
            _make(channel, police.filter_body(index, wanted.rate_kbps))
    if wanted.mac is None:
        for priority in sorted(seen.places.keys() - {_RATE}, reverse=True):
            _clear(channel, index, seen, priority)
    else:
        _let_speak(channel, index, seen, Speaker(wanted.mac, wanted.sources))


def _let_speak(channel: nl.Channel, index: int, seen: _Seen, speaker: Speaker) -> None:
    """Nobody but that one. The program takes the place of the one that is there, with no moment between them."""
    body = program_body(index, speaker)
    if not seen.drops:
        _clear(channel, index, seen, DROP_PRIORITY)
        _make(channel, drop_body(index))
    ours = {_RATE, DROP_PRIORITY}
    if seen.speaker and PROGRAM_PRIORITY not in seen.foreign:
        ours.add(PROGRAM_PRIORITY)
    for priority in sorted(seen.places.keys() - ours):
        _clear(channel, index, seen, priority)
    if seen.speaker != speaker or PROGRAM_PRIORITY not in ours:
        channel.request(_NEW_FILTER, body, nl.CREATE)


def _read(channel: nl.Channel, index: int) -> _Seen:
    header = _HEADER.pack(socket.AF_UNSPEC, index, 0, _HANDLE, 0)
    seen = _Seen()
    for answer in channel.request(_GET_FILTER, header, nl.DUMP):
        _, _, handle, _, info = _HEADER.unpack_from(answer)
        priority = info >> 16
        if not _RATE <= priority <= DROP_PRIORITY or _chain(answer):
            continue
        seen.places[priority] = info
        if handle and not _take(seen, priority, answer):
            seen.foreign.add(priority)
    return seen


def _take(seen: _Seen, priority: int, answer: bytes) -> bool:
    """Whether it is one of ours, which is then among what was seen."""
    if priority == _RATE:
        seen.rate_kbps = police.read_rate(answer)
        return seen.rate_kbps is not None
    if priority == PROGRAM_PRIORITY and (speaker := read_speaker(answer)):
        seen.speaker = speaker
        return True
    if priority == DROP_PRIORITY and is_drop(answer):
        seen.drops = True
        return True
    return False


def _chain(answer: bytes) -> int:
    """Filters of others than the first, 0, are met only by those that one of it sends there."""
    return int.from_bytes(dict(nl.parts(answer[_HEADER.size :])).get(_CHAIN, b""), "little")


def _make(channel: nl.Channel, body: bytes) -> None:
    channel.request(_NEW_FILTER, body, nl.CREATE | nl.EXCLUSIVE)


def _clear(channel: nl.Channel, index: int, seen: _Seen, priority: int) -> None:
    """All that has the priority goes, whoever made it."""
    if priority in seen.places:
        header = _HEADER.pack(socket.AF_UNSPEC, index, 0, _HANDLE, seen.places[priority])
        channel.request(_DELETE_FILTER, header)


def _make_qdisc(channel: nl.Channel, index: int) -> None:
    header = _HEADER.pack(socket.AF_UNSPEC, index, _HANDLE, _PARENT, 0)
    try:
        channel.request(_NEW_QDISC, header + nl.string(_KIND, "ingress"), nl.CREATE | nl.EXCLUSIVE)
    except NetlinkRefusal as refusal:
        if refusal.errno != errno.EEXIST:
            raise
