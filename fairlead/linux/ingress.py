"""What may come in at a device: a rate and sources, on its ingress queueing discipline.

Sources: net/sched/{cls_api,sch_ingress}.c; include/uapi/linux/{pkt_sched,rtnetlink}.h. Trap: a dump of filters has one
of handle 0 for each priority, which is no filter.
"""

import errno
import socket
import struct

from fairlead.linux import message as nl
from fairlead.linux import police, source_filter
from fairlead.linux.netlink import Ingress, NetlinkRefusal
from fairlead.linux.source_filter import SourceFilter

_NEW_QDISC = 36
_NEW_FILTER, _DELETE_FILTER, _GET_FILTER = 44, 45, 46
_HEADER = struct.Struct("=BxxxiIII")
_PARENT, _HANDLE = 0xFFFFFFF1, 0xFFFF0000
_KIND = 1


def read_ingress(channel: nl.Channel, index: int) -> Ingress:
    """What may come in at the device now. Raises NetlinkRefusal."""
    rates, filters = _read(channel, index)
    return Ingress(next(iter(rates), None), source_filter.sources_of(frozenset(filters)))


def set_ingress(channel: nl.Channel, index: int, wanted: Ingress) -> None:
    """Make it so. What drops the rest comes first and goes first. Raises NetlinkRefusal."""
    rates, present = _read(channel, index)
    filters = source_filter.filters_of(wanted.sources)
    if not filters and wanted.rate_kbps is None and not rates and not present:
        return
    _request_unless(channel, errno.EEXIST, _NEW_QDISC, _qdisc(index))
    if rates != [wanted.rate_kbps]:
        # A matchall filter cannot be replaced (EEXIST).
        for rate in rates:
            channel.request(_DELETE_FILTER, police.filter_body(index, rate))
        if wanted.rate_kbps is not None:
            channel.request(
                _NEW_FILTER, police.filter_body(index, wanted.rate_kbps), nl.CREATE | nl.EXCLUSIVE
            )
    for new in sorted(filters - present.keys(), reverse=True, key=_drops):
        channel.request(_NEW_FILTER, source_filter.filter_body(index, new), nl.CREATE | nl.EXCLUSIVE)
    for old in sorted(present.keys() - filters, reverse=True, key=_drops):
        channel.request(_DELETE_FILTER, source_filter.filter_header(index, old, present[old]))


def _drops(found: SourceFilter) -> bool:
    return found.is_drop


def _read(channel: nl.Channel, index: int) -> tuple[list[int], dict[SourceFilter, int]]:
    """The rates, one at most, and the filters of sources by their handles."""
    header = _HEADER.pack(socket.AF_UNSPEC, index, 0, _HANDLE, 0)
    answers = channel.request(_GET_FILTER, header, nl.DUMP)
    rates = [rate for answer in answers if (rate := police.read_rate(answer)) is not None]
    return rates, dict(
        found for answer in answers if (found := source_filter.read_filter(answer)) is not None
    )


def _qdisc(index: int) -> bytes:
    header = _HEADER.pack(socket.AF_UNSPEC, index, _HANDLE, _PARENT, 0)
    return header + nl.string(_KIND, "ingress")


def _request_unless(channel: nl.Channel, accepted: int, kind: int, body: bytes) -> None:
    try:
        channel.request(kind, body, nl.CREATE | nl.EXCLUSIVE)
    except NetlinkRefusal as refusal:
        if refusal.errno != accepted:
            raise
