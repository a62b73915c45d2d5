"""Frames as guests send them, octet by octet."""

import struct
from ipaddress import ip_address

BROADCAST = "ff:ff:ff:ff:ff:ff"
IPV4, ARP, RARP, IPV6 = 0x0800, 0x0806, 0x8035, 0x86DD
TCP, UDP, ICMPV6 = 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60


def frame(source: str, ethertype: int, payload: bytes) -> bytes:
    """To everybody, and no shorter than Ethernet wants it."""
    octets = (_mac(BROADCAST), _mac(source), struct.pack("!H", ethertype), payload)
    return b"".join(octets).ljust(60, b"\0")


def arp(mac: str, address: str, *, deed: int = 1, kinds: int = 0x00010800, lengths: int = 0x0604) -> bytes:
    """Whose sender has that MAC and address."""
    head = struct.pack("!IHH", kinds, lengths, deed)
    return head + _mac(mac) + ip_address(address).packed + bytes(6) + ip_address("10.0.0.9").packed


def ipv4(source: str, protocol: int, payload: bytes, *, fragment: int = 0, options: bytes = b"") -> bytes:
    """A packet; `fragment`: the flags and the offset."""
    length = 20 + len(options)
    head = struct.pack(
        "!BBHHHBBH", 0x40 | length // 4, 0, length + len(payload), 1, fragment, 64, protocol, 0
    )
    return head + ip_address(source).packed + ip_address("10.0.0.9").packed + options + payload


def ipv6(source: str, header: int, payload: bytes) -> bytes:
    """A packet whose first header behind IPv6's is of that kind."""
    head = struct.pack("!IHBB", 0x60000000, len(payload), header, 255)
    return head + ip_address(source).packed + ip_address("ff02::1").packed + payload


def udp(source: int, destination: int) -> bytes:
    """A datagram of nothing."""
    return struct.pack("!HHHH", source, destination, 8, 0)


def icmpv6(kind: int, target: str = "::") -> bytes:
    """A message with a target where neighbour discovery has it."""
    return struct.pack("!BBHI", kind, 0, 0, 0) + ip_address(target).packed


def extension(following: int, octets: int = 8) -> bytes:
    """An extension header of so many octets, a multiple of 8."""
    return struct.pack("!BB", following, octets // 8 - 1) + bytes(octets - 2)


def fragment(following: int, offset: int = 0, *, reserved: int = 0) -> bytes:
    """A fragment header of a fragment that more follow; the offset in units of 8 octets."""
    return struct.pack("!BBHI", following, reserved, offset << 3 | 1, 1)


def _mac(written: str) -> bytes:
    return bytes.fromhex(written.replace(":", ""))
