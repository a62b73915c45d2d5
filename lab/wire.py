"""The wire between the PFs, as QEMU saw it: frames out of a pcap file, read by nobody else's code.

Traffic between two VFs of one PF never leaves that NIC, and so is not here; broadcasts are.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FILE_HEADER = 24
_RECORD = struct.Struct("=IIII")
_ADDRESSES = 12
_VLAN_TAGS = (0x8100, 0x88A8)


@dataclass(frozen=True, slots=True)
class Frame:
    """One Ethernet frame; vlan and priority are None where it carries no tag, payload begins after the EtherType."""

    destination: str
    source: str
    vlan: int | None
    priority: int | None
    ethertype: int
    payload: bytes


class Wire:
    """The capture of one run of the compute host; it grows while that runs."""

    def __init__(self, capture: Path) -> None:
        self._capture = capture

    def mark(self) -> int:
        """Where the capture ends now, for `frames` to begin there later."""
        return max(_FILE_HEADER, self._capture.stat().st_size)

    def frames(self, since: int = _FILE_HEADER) -> Iterator[Frame]:
        """The whole frames that were captured after the mark, oldest first."""
        data = self._capture.read_bytes()
        while since + _RECORD.size <= len(data):
            _, _, captured, _ = _RECORD.unpack_from(data, since)
            start = since + _RECORD.size
            since = start + captured
            if since <= len(data):
                yield _frame(data[start:since])


def _frame(octets: bytes) -> Frame:
    (ethertype,) = struct.unpack_from("!H", octets, _ADDRESSES)
    vlan = priority = None
    rest = octets[_ADDRESSES + 2 :]
    if ethertype in _VLAN_TAGS:
        tag, ethertype = struct.unpack_from("!HH", rest)
        vlan, priority, rest = tag & 0xFFF, tag >> 13, rest[4:]
    return Frame(octets[:6].hex(":"), octets[6:_ADDRESSES].hex(":"), vlan, priority, ethertype, rest)
