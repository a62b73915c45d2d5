"""What may come in at a device: what is there is made as wanted, and never lets more pass on the way."""

import errno
import socket
import struct
from dataclasses import dataclass, field

import pytest

from fairlead.linux import message as nl
from fairlead.linux import police
from fairlead.linux.ingress import read_ingress, set_ingress
from fairlead.linux.netlink import UNKNOWN_SOURCE, Ingress, NetlinkRefusal
from fairlead.linux.source_filter import Speaker, drop_body, is_drop, program_body, read_speaker
from fairlead.model.pci import MacAddress

TAP = 7
MAC, ANOTHER = MacAddress("fa:16:3e:00:00:01"), MacAddress("fa:16:3e:00:00:02")
FEW, MORE = ("10.0.0.5/32", "::/128"), ("10.0.0.0/8", "fd00::/64")
GUEST = Ingress(None, FEW, MAC)
WANTED = [
    Ingress(),
    Ingress(1000),
    GUEST,
    Ingress(1000, FEW, MAC),
    Ingress(2000, MORE, MAC),
    Ingress(None, FEW, ANOTHER),
    Ingress(None, (), MAC),
]
HEADER = struct.Struct("=BxxxiIII")
ALL, IPV4 = socket.htons(0x0003), socket.htons(0x0800)


def foreign(priority: int, *, kind: str = "u32", protocol: int = IPV4, handle: int = 0x80000800) -> bytes:
    """A filter without actions, which lets pass."""
    header = HEADER.pack(0, TAP, handle, 0xFFFF0000, priority << 16 | protocol)
    return header + nl.string(1, kind) + nl.nested(2)


@dataclass
class FilterTable:
    """net/sched/cls_api.c from memory, as a Channel. `seen`: the filters after each request that changed one."""

    filters: dict[tuple[int, int], bytes] = field(default_factory=dict)
    has_qdisc: bool = False
    seen: list[list[bytes]] = field(default_factory=list)

    def request(self, kind: int, body: bytes, flags: int = 0) -> list[bytes]:
        if kind == 46:
            return [answer for place in sorted(self.filters) for answer in self._told(place)]
        if kind == 36:
            self._refuse_if(self.has_qdisc, errno.EEXIST)
            self.has_qdisc = True
            return []
        self._change(kind, body, flags)
        self.seen.append(list(self.filters.values()))
        return []

    def put(self, *bodies: bytes) -> None:
        self.has_qdisc = True
        for body in bodies:
            self.filters[_priority(body), _handle(body)] = body

    def _change(self, kind: int, body: bytes, flags: int) -> None:
        priority, handle = _priority(body), _handle(body)
        there = [place for place in self.filters if place[0] == priority]
        if kind == 45:
            gone = [place for place in there if handle in (0, place[1])]
            self._refuse_if(not gone, errno.ENOENT)
            for place in gone:
                del self.filters[place]
            return
        self._refuse_if(not self.has_qdisc, errno.EINVAL)
        self._refuse_if(any(_kind(self.filters[place]) != _kind(body) for place in there), errno.EINVAL)
        replaces = (priority, handle) in self.filters
        self._refuse_if(replaces and flags & nl.EXCLUSIVE, errno.EEXIST)
        self._refuse_if(there and b"matchall" in _kind(body), errno.EEXIST)
        self.filters[priority, handle] = body

    def _told(self, place: tuple[int, int]) -> list[bytes]:
        """With the one of handle 0 that each priority has."""
        body = self.filters[place]
        return [body[:8] + bytes(4) + body[12:20] + nl.string(1, "any"), body]

    def _refuse_if(self, refused: object, number: int) -> None:
        if refused:
            raise NetlinkRefusal(number, errno.errorcode[number])


def _priority(body: bytes) -> int:
    return HEADER.unpack_from(body)[4] >> 16


def _handle(body: bytes) -> int:
    return HEADER.unpack_from(body)[2]


def _kind(body: bytes) -> tuple[bytes, int]:
    """With the protocol."""
    return dict(nl.parts(body[20:]))[1], HEADER.unpack_from(body)[4] & 0xFFFF


def made(wanted: Ingress) -> FilterTable:
    table = FilterTable()
    set_ingress(table, TAP, wanted)
    return table


@pytest.mark.parametrize("wanted", WANTED, ids=str)
@pytest.mark.parametrize("before", WANTED, ids=str)
def test_it_becomes_as_wanted_and_stays(before: Ingress, wanted: Ingress):
    table = made(before)
    set_ingress(table, TAP, wanted)
    assert read_ingress(table, TAP) == wanted
    table.seen.clear()
    set_ingress(table, TAP, wanted)
    assert table.seen == []


def test_nothing_wanted_makes_nothing():
    assert made(Ingress()).has_qdisc is False


@pytest.mark.parametrize("after", [Ingress(None, MORE, MAC), Ingress(1000, (), MAC)], ids=str)
def test_a_change_neither_stops_a_guest_nor_lets_more_pass_on_the_way(after: Ingress):
    table = made(GUEST)
    table.seen.clear()
    set_ingress(table, TAP, after)
    assert table.seen
    for filters in table.seen:
        assert any(is_drop(one) for one in filters)
        assert any(read_speaker(one) is not None for one in filters)


FOREIGN = [
    (foreign(1),),
    (foreign(2),),
    (foreign(3), foreign(3, handle=0x80000801)),
    (foreign(8, kind="flower", protocol=ALL, handle=1),),
    (foreign(2, kind="bpf", protocol=ALL, handle=2),),
    (program_body(TAP, Speaker(ANOTHER, FEW))[:20] + nl.string(1, "bpf") + nl.nested(2),),
]


@pytest.mark.parametrize("rate", [None, 1000])
@pytest.mark.parametrize("others", FOREIGN)
def test_another_ones_filter_before_the_last_is_seen_and_goes(others: tuple[bytes, ...], rate: int | None):
    wanted = Ingress(rate, FEW, MAC)
    table = made(wanted)
    for one in others:
        if _priority(one) in {1, 2} and b"bpf" not in _kind(one)[0]:
            table.filters = {
                place: body for place, body in table.filters.items() if place[0] != _priority(one)
            }
    table.put(*others)
    assert read_ingress(table, TAP).sources == (UNKNOWN_SOURCE,)
    table.seen.clear()
    set_ingress(table, TAP, wanted)
    assert read_ingress(table, TAP) == wanted
    assert all(any(is_drop(one) for one in filters) for filters in table.seen)


def test_it_goes_also_where_nothing_is_wanted():
    table = made(Ingress())
    table.put(foreign(4))
    set_ingress(table, TAP, Ingress())
    assert table.filters == {}


@pytest.mark.parametrize("lost", [2, 9])
def test_a_filter_that_is_lost_is_seen_and_comes_back(lost: int):
    table = made(GUEST)
    del table.filters[lost, 1]
    assert read_ingress(table, TAP).sources == (UNKNOWN_SOURCE,)
    set_ingress(table, TAP, GUEST)
    assert read_ingress(table, TAP) == GUEST


def test_the_last_filters_place_is_taken_back():
    table = made(GUEST)
    del table.filters[9, 1]
    table.put(foreign(9))
    assert read_ingress(table, TAP).sources == (UNKNOWN_SOURCE,)
    set_ingress(table, TAP, GUEST)
    assert read_ingress(table, TAP) == GUEST


def test_filters_behind_the_last_or_in_another_chain_are_others():
    table = made(GUEST)
    table.put(foreign(10), foreign(4) + nl.number(11, 3))
    assert read_ingress(table, TAP) == GUEST


def test_more_addresses_than_there_is_room_for_change_nothing():
    table = made(GUEST)
    table.seen.clear()
    many = tuple(f"fd00::{number:x}/128" for number in range(1, 400))
    with pytest.raises(NetlinkRefusal):
        set_ingress(table, TAP, Ingress(None, many, MAC))
    assert table.seen == []
    assert read_ingress(table, TAP) == GUEST


def test_the_rate_comes_first():
    table = made(Ingress(1000, FEW, MAC))
    bodies = [table.filters[place] for place in sorted(table.filters)]
    assert bodies == [police.filter_body(TAP, 1000), program_body(TAP, Speaker(MAC, FEW)), drop_body(TAP)]
