"""What is asked of the kernel over rtnetlink in the compute host, seen by the kernel's own monitor (nlmon) and tcpdump.

Formats: tcpdump.org/linktypes/LINKTYPE_NETLINK.html; include/uapi/linux/{netlink,rtnetlink,if_link}.h.
"""

import base64
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from lab.machine.host import Host

_CAPTURE = "/run/lab/netlink.pcap"
_FILE_HEADER, _RECORD, _COOKED = 24, struct.Struct("=IIII"), 16
_MESSAGE, _LINK, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=HH")
_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_REQUEST, _DUMP = 0x1, 0x300
_VFINFO_LIST, _EXT_MASK, _FILTER_VF = 22, 29, 0x1
_TYPE_MASK = 0x3FFF


class Kind(Enum):
    """The agent sets with SETLINK; ip(8) sets a VF with NEWLINK, and so can be told from it."""

    DUMP = "dump"
    GET = "get"
    SET = "set"
    NEW = "new"
    DELETE = "delete"


_WRITTEN = {_NEWLINK: Kind.NEW, _DELLINK: Kind.DELETE, _SETLINK: Kind.SET}


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A request about network devices. `index` 0: all of them. `with_vfs`: it asks for, or sets, VFs. `at`: when the
    kernel saw it, in seconds of its clock.
    """

    at: float
    kind: Kind
    family: int
    index: int
    with_vfs: bool


@dataclass(frozen=True, slots=True)
class Packet:
    """What one process sent to the kernel or to another process, or was sent by the kernel: whole messages. `at`: when,
    in seconds of the kernel's clock.
    """

    at: float
    octets: bytes


@contextmanager
def watched(host: Host) -> Iterator[list[LinkRequest]]:
    """Fills the list with the requests made inside the block, when it is over."""
    found: list[LinkRequest] = []
    with recorded(host) as packets:
        yield found
    for packet in packets:
        found += _link_requests(packet.at, packet.octets)


@contextmanager
def recorded(host: Host) -> Iterator[list[Packet]]:
    """Fills the list with all that went over rtnetlink inside the block, when it is over."""
    host.must(
        "modprobe nlmon; [ -e /sys/class/net/nlmon0 ] || ip link add nlmon0 type nlmon; ip link set nlmon0 up"
    )
    host.must(f"rm -f {_CAPTURE}")
    # Immediate, for what is still in the kernel's buffer when tcpdump ends is lost.
    pid = host.channel.start(
        ["tcpdump", "-i", "nlmon0", "-s", "4096", "--immediate-mode", "-U", "-w", _CAPTURE],
        log="/run/lab/tcpdump.log",
    )
    host.wait_for("tcpdump", 20, lambda: "listening" in (host.read("/run/lab/tcpdump.log") or ""))
    host.must("rm /run/lab/tcpdump.log")
    found: list[Packet] = []
    try:
        yield found
    finally:
        host.run(f"kill -INT {pid}")
        host.wait_for("tcpdump's end", 20, lambda: host.read(f"/proc/{pid}/cmdline") in (None, ""))
        found += _packets(base64.b64decode(host.must(f"base64 -w0 {_CAPTURE}")))


def _packets(capture: bytes) -> Iterator[Packet]:
    at = _FILE_HEADER
    while at + _RECORD.size <= len(capture):
        seconds, microseconds, captured, _ = _RECORD.unpack_from(capture, at)
        start = at + _RECORD.size
        at = start + captured
        yield Packet(seconds + microseconds / 1e6, capture[start + _COOKED : at])


def _link_requests(seen_at: float, messages: bytes) -> Iterator[LinkRequest]:
    at = 0
    while at + _MESSAGE.size <= len(messages):
        length, kind, flags, _, _ = _MESSAGE.unpack_from(messages, at)
        body = messages[at + _MESSAGE.size : at + length]
        if kind in (_GETLINK, *_WRITTEN) and flags & _REQUEST and len(body) >= _LINK.size:
            yield _link_request(seen_at, kind, flags, body)
        at += max(length + (-length % 4), _MESSAGE.size)


def _link_request(seen_at: float, kind: int, flags: int, body: bytes) -> LinkRequest:
    family, _, index, _, _ = _LINK.unpack_from(body)
    attributes = dict(_attributes(body[_LINK.size :]))
    mask = attributes.get(_EXT_MASK, b"\0\0\0\0")
    asks_for_vfs = bool(struct.unpack_from("=I", mask)[0] & _FILTER_VF)
    if kind != _GETLINK:
        return LinkRequest(seen_at, _WRITTEN[kind], family, index, _VFINFO_LIST in attributes)
    asked = Kind.DUMP if flags & _DUMP == _DUMP else Kind.GET
    return LinkRequest(seen_at, asked, family, index, asks_for_vfs)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        yield kind & _TYPE_MASK, data[at + _ATTRIBUTE.size : at + length]
        at += max(length + (-length % 4), _ATTRIBUTE.size)
