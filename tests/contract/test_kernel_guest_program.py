"""Which frames of a guest pass: its program, run by the kernel as the filter of a socket."""

import ctypes
import errno
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.linux import message as nl
from fairlead.linux.classic_bpf import encode
from fairlead.linux.guest_program import guest_program
from fairlead.linux.netlink import NetlinkRefusal
from fairlead.linux.source_filter import Speaker, program_body, read_speaker
from fairlead.model.pci import MacAddress
from lab.frames import (
    ARP,
    DESTINATION,
    FRAGMENT,
    HOP_BY_HOP,
    ICMPV6,
    IPV4,
    IPV6,
    RARP,
    ROUTING,
    TCP,
    UDP,
    arp,
    extension,
    fragment,
    frame,
    icmpv6,
    ipv4,
    ipv6,
    udp,
)
from tests.network_namespace import ip, private_network, said

MAC, ANOTHER = MacAddress("fa:16:3e:00:00:01"), "fa:16:3e:00:00:02"
OWN, PAIR, OWN6, LOCAL, PAIR6 = "10.0.0.5", "10.1.2.3", "fd00::5", "fe80::f816:3eff:fe00:1", "fd01::77"
FOREIGN, FOREIGN6 = "10.0.0.6", "fd00::6"
NONE = str(IPv4Address(0))
SOURCES = ("0.0.0.0/32", "10.0.0.5/32", "10.1.0.0/16", "::/128", "fd00::5/128", "fd01::/64", f"{LOCAL}/128")
ADVERTISED, REDIRECTED, NEIGHBOUR = 134, 137, 136
NEW_FILTER, GET_FILTER = 44, 46
EVERY, SO_ATTACH_FILTER, WHOLE = 0x0003, 26, 65536


class Judge:
    """Says of frames whether they pass."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._here, self._there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._there.settimeout(0)
        attach(self._there, sources)

    def passes(self, octets: bytes) -> bool:
        self._here.send(octets)
        try:
            return self._there.recv(WHOLE) == octets
        except BlockingIOError:
            return False

    def close(self) -> None:
        self._here.close()
        self._there.close()


def attach(receiver: socket.socket, sources: Iterable[str]) -> None:
    octets = encode(guest_program(MAC, sources))
    program = ctypes.create_string_buffer(octets)
    told = struct.pack("HxxxxxxP", len(octets) // 8, ctypes.addressof(program))
    receiver.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, told)


@contextmanager
def judge(sources: Iterable[str] = SOURCES) -> Iterator[Judge]:
    judging = Judge(sources)
    try:
        yield judging
    finally:
        judging.close()


def v4(source: str, protocol: int = TCP, payload: bytes = bytes(20), **more: object) -> bytes:
    return frame(MAC, IPV4, ipv4(source, protocol, payload, **more))


def v6(source: str, header: int = TCP, payload: bytes = bytes(20)) -> bytes:
    return frame(MAC, IPV6, ipv6(source, header, payload))


GOOD = {
    "ARP": frame(MAC, ARP, arp(MAC, OWN)),
    "an answer of ARP": frame(MAC, ARP, arp(MAC, OWN, deed=2)),
    "ARP from an allowed address": frame(MAC, ARP, arp(MAC, PAIR)),
    "whether an IPv4 address is free": frame(MAC, ARP, arp(MAC, NONE)),
    "QEMU's announcement": frame(MAC, RARP, arp(MAC, NONE, deed=3)),
    "IPv4": v4(OWN),
    "IPv4 from an allowed address": v4(PAIR),
    "IGMP": v4(OWN, 2, options=b"\x94\x04\0\0"),
    "IGMP before there is an address": v4(NONE, 2, options=b"\x94\x04\0\0"),
    "UDP": v4(OWN, UDP, udp(40000, 53)),
    "a question of DHCP": v4(NONE, UDP, udp(68, 67)),
    "a renewal of DHCP": v4(OWN, UDP, udp(68, 67)),
    "a first fragment": v4(OWN, UDP, udp(40000, 53), fragment=0x2000),
    "a later fragment with any octets": v4(OWN, UDP, udp(67, 68), fragment=0x2001),
    "an answer of TCP from port 67": v4(OWN, TCP, udp(67, 68)),
    "IPv6": v6(OWN6),
    "IPv6 from the link-local address": v6(LOCAL),
    "IPv6 from an allowed address": v6(PAIR6),
    "UDP over IPv6": v6(OWN6, UDP, udp(40000, 53)),
    "a question of DHCPv6": v6(LOCAL, UDP, udp(546, 547)),
    "whether an IPv6 address is free": v6("::", ICMPV6, icmpv6(135, OWN6)),
    "a neighbour solicitation": v6(OWN6, ICMPV6, icmpv6(135, FOREIGN6)),
    "a router solicitation": v6("::", ICMPV6, icmpv6(133)),
    "a neighbour advertisement": v6(OWN6, ICMPV6, icmpv6(NEIGHBOUR, OWN6)),
    "one of an allowed address": v6(LOCAL, ICMPV6, icmpv6(NEIGHBOUR, PAIR6)),
    "MLD": v6(LOCAL, HOP_BY_HOP, extension(ICMPV6) + icmpv6(131)),
    "MLDv2 before there is an address": v6("::", HOP_BY_HOP, extension(ICMPV6) + icmpv6(143)),
    "an echo": v6(OWN6, ICMPV6, icmpv6(128)),
    "the first fragment of an echo": v6(OWN6, FRAGMENT, fragment(ICMPV6) + icmpv6(128)),
    "a later fragment of it": v6(OWN6, FRAGMENT, fragment(ICMPV6, 8) + icmpv6(ADVERTISED)),
    "no next header": v6(OWN6, 59, b""),
}
FALSE_ROLES = {
    "ARP with another's MAC": frame(MAC, ARP, arp(ANOTHER, OWN)),
    "a RARP server": frame(MAC, RARP, arp(MAC, OWN, deed=4)),
    "RARP with another's MAC": frame(MAC, RARP, arp(ANOTHER, NONE, deed=3)),
    "ARP of another hardware": frame(MAC, ARP, arp(MAC, OWN, kinds=0x00060800)),
    "ARP of other lengths": frame(MAC, ARP, arp(MAC, OWN, lengths=0x0804)),
    "another's MAC": frame(ANOTHER, ARP, arp(MAC, OWN)),
    "a DHCP server": v4(OWN, UDP, udp(67, 68)),
    "a DHCP server of another port": v4(OWN, UDP, udp(4011, 68)),
    "a DHCP server with options": v4(OWN, UDP, udp(67, 68), options=b"\x94\x04\0\0" * 10),
    "a DHCP server's first fragment": v4(OWN, UDP, udp(67, 68), fragment=0x2000),
    "a DHCPv6 server": v6(LOCAL, UDP, udp(547, 546)),
    "a DHCPv6 server of another port": v6(LOCAL, UDP, udp(4000, 546)),
    "a router": v6(LOCAL, ICMPV6, icmpv6(ADVERTISED)),
    "a redirect": v6(LOCAL, ICMPV6, icmpv6(REDIRECTED, OWN6)),
    "a router behind a header": v6(LOCAL, DESTINATION, extension(ICMPV6, 24) + icmpv6(ADVERTISED)),
    "a router in a fragment": v6(LOCAL, FRAGMENT, fragment(ICMPV6, reserved=9) + icmpv6(ADVERTISED)),
    "what ends before it says what it is": v6(LOCAL, DESTINATION, extension(ICMPV6, 2048)[:40]),
    "a tag within a tag": frame(MAC, 0x8100, b"\0\0" + struct.pack("!H", IPV6) + v6(OWN6)[14:]),
}
FALSE_ADDRESSES = {
    "ARP": frame(MAC, ARP, arp(MAC, FOREIGN)),
    "RARP": frame(MAC, RARP, arp(MAC, FOREIGN, deed=3)),
    "IPv4": v4(FOREIGN),
    "IPv4 in a later fragment": v4(FOREIGN, fragment=1),
    "IPv6": v6(FOREIGN6),
    "IPv6 in a later fragment": v6(FOREIGN6, FRAGMENT, fragment(TCP, 8)),
    "a neighbour advertisement of another's address": v6(OWN6, ICMPV6, icmpv6(NEIGHBOUR, FOREIGN6)),
    "the same behind a header": v6(OWN6, HOP_BY_HOP, extension(ICMPV6) + icmpv6(NEIGHBOUR, FOREIGN6)),
    "the same in a fragment": v6(OWN6, FRAGMENT, fragment(ICMPV6) + icmpv6(NEIGHBOUR, FOREIGN6)),
    "an unknown protocol": frame(MAC, 0x88B5, bytes(46)),
    "spanning tree": frame(MAC, 38, b"\x42\x42\x03" + bytes(35)),
}


@pytest.mark.parametrize("octets", GOOD.values(), ids=GOOD)
def test_what_a_guest_says_rightly_passes(octets: bytes):
    with judge() as told, judge(()) as untold:
        assert told.passes(octets)
        assert untold.passes(octets)


@pytest.mark.parametrize("octets", FALSE_ROLES.values(), ids=FALSE_ROLES)
def test_nobody_plays_another(octets: bytes):
    with judge() as told, judge(()) as untold:
        assert not told.passes(octets)
        assert not untold.passes(octets)


@pytest.mark.parametrize("octets", FALSE_ADDRESSES.values(), ids=FALSE_ADDRESSES)
def test_no_address_but_its_own_where_it_has_some(octets: bytes):
    with judge() as told, judge(()) as untold:
        assert not told.passes(octets)
        assert untold.passes(octets)


def test_one_family_alone_lets_the_other_pass_nowhere():
    with judge(("10.0.0.5/32",)) as told:
        assert told.passes(v4(OWN))
        assert not told.passes(v6(OWN6))
    with judge(("0.0.0.0/0", "::/0")) as told:
        assert told.passes(v4(FOREIGN))
        assert told.passes(v6(OWN6, ICMPV6, icmpv6(NEIGHBOUR, FOREIGN6)))
        assert not told.passes(frame(MAC, ARP, arp(ANOTHER, FOREIGN)))


def networks(version: int) -> st.SearchStrategy[str]:
    addresses = st.ip_addresses(v=version)
    lengths = st.integers(0, 32 if version == 4 else 128)
    return st.builds(lambda a, n: str(ip_network((a, n), strict=False)), addresses, lengths)


@given(st.sets(networks(4), min_size=1, max_size=6), st.data())
def test_ipv4_passes_from_within_the_prefixes_alone(prefixes: set[str], data: st.DataObject):
    source = data.draw(near(prefixes))
    with judge(prefixes) as told:
        wanted = any(ip_address(source) in ip_network(prefix) for prefix in prefixes)
        assert told.passes(v4(source)) == wanted
        assert told.passes(frame(MAC, ARP, arp(MAC, source))) == wanted


@given(st.sets(networks(6), min_size=1, max_size=6), st.data())
def test_ipv6_passes_from_within_the_prefixes_alone(prefixes: set[str], data: st.DataObject):
    source, target = data.draw(near(prefixes)), data.draw(near(prefixes))
    own = [
        any(ip_address(address) in ip_network(prefix) for prefix in prefixes) for address in (source, target)
    ]
    with judge(prefixes) as told:
        assert told.passes(v6(source)) == own[0]
        assert told.passes(v6(source, ICMPV6, icmpv6(NEIGHBOUR, target))) == all(own)


def near(prefixes: set[str]) -> st.SearchStrategy[str]:
    """An address in one of them, or one bit beside it."""
    bits = next(ip_network(prefix).max_prefixlen for prefix in prefixes)
    of = st.sampled_from(sorted(prefixes)).map(lambda prefix: int(ip_network(prefix).network_address))
    kind = type(ip_network(next(iter(prefixes))).network_address)
    one = st.builds(
        lambda first, turned: str(kind(first ^ turned)), of, st.integers(0, bits - 1).map(lambda n: 1 << n)
    )
    return one | of.map(lambda first: str(kind(first)))


HEADERS = st.sampled_from([HOP_BY_HOP, ROUTING, DESTINATION, FRAGMENT])


@given(st.lists(st.tuples(HEADERS, st.integers(1, 5)), max_size=6), st.integers(0, 255))
def test_no_header_hides_what_a_message_is(chain: list[tuple[int, int]], kind: int):
    following, payload = ICMPV6, icmpv6(kind, OWN6)
    for header, length in reversed(chain):
        own = fragment(following) if header == FRAGMENT else extension(following, 8 * length)
        following, payload = header, own + payload
    with judge() as told:
        assert told.passes(v6(LOCAL, following, payload)) == (kind not in {ADVERTISED, REDIRECTED})


def test_more_headers_than_anybody_needs_are_dropped():
    chain = b"".join([extension(DESTINATION)] * 6 + [extension(TCP)])
    with judge() as told:
        assert not told.passes(v6(OWN6, DESTINATION, chain + bytes(20)))


@given(st.binary(max_size=80))
def test_any_octets_have_an_answer(octets: bytes):
    with judge() as told:
        assert not told.passes(b"\xff" * 6 + octets.ljust(8, b"\0"))


def test_a_frame_with_a_tag_is_dropped_where_there_are_addresses():
    plain = v4(OWN)
    tagged = plain[:12] + b"\x81\x00\xe0\x00" + plain[12:]
    with private_network():
        ip("link add va type veth peer name vb")
        ip("link set va up")
        ip("link set vb up")
        assert received([tagged, plain], SOURCES) == [plain]
        # What a packet socket is told has no tag in it any more.
        assert received([tagged, plain], ()) == [plain, plain]


@contextmanager
def ingress() -> Iterator[tuple[nl.Channel, int]]:
    """Of a device of a network of its own."""
    with private_network():
        ip("link add va type veth peer name vb")
        said("tc qdisc add dev va ingress")
        channel = nl.Channel()
        try:
            yield channel, socket.if_nametoindex("va")
        finally:
            channel.close()


def test_the_kernel_tells_a_filter_as_it_was_made():
    speakers = [Speaker(MAC, SOURCES), Speaker(MAC, ()), Speaker(MacAddress(ANOTHER), SOURCES[:1])]
    with ingress() as (channel, index):
        for speaker in speakers:
            channel.request(NEW_FILTER, program_body(index, speaker), nl.CREATE)
            asked = struct.pack("=BxxxiIII", 0, index, 0, 0xFFFF0000, 0)
            answers = channel.request(GET_FILTER, asked, nl.DUMP)
            assert [found for answer in answers if (found := read_speaker(answer))] == [speaker]


@pytest.mark.parametrize(("pattern", "room"), [("10.0.{}.{}/32", 450), ("fd00::{:x}:{:x}/128", 150)])
def test_a_filter_has_room_for_so_many_addresses(pattern: str, room: int):
    """As the hint of a Fault says. The kernel would take more, and could not tell them any more."""
    addresses = sorted(pattern.format(1 + number // 200, 1 + number % 200) for number in range(room + 50))
    few = Speaker(MAC, tuple(addresses[:room]))
    with ingress() as (channel, index):
        channel.request(NEW_FILTER, program_body(index, few), nl.CREATE)
        asked = struct.pack("=BxxxiIII", 0, index, 0, 0xFFFF0000, 0)
        assert few in map(read_speaker, channel.request(GET_FILTER, asked, nl.DUMP))
    with pytest.raises(NetlinkRefusal) as refused:
        program_body(1, Speaker(MAC, tuple(addresses)))
    assert refused.value.errno == errno.ERANGE


def received(sent: Iterable[bytes], sources: Iterable[str]) -> list[bytes]:
    """Which of them pass on a link that has shown that it carries frames."""
    first, last = v4(PAIR, payload=b"first".ljust(26)), v4(PAIR, payload=b"last".ljust(26))
    with packet_socket() as there, packet_socket() as here:
        attach(there, sources)
        there.bind(("vb", EVERY))
        here.bind(("va", 0))
        there.settimeout(0.1)
        assert any(passes(here, there, first) for _ in range(100))
        for octets in (*sent, last):
            here.send(octets)
        there.settimeout(10)
        heard = list(iter(lambda: there.recv(WHOLE), last))
    return [octets for octets in heard if octets != first]


def packet_socket() -> socket.socket:
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


def passes(here: socket.socket, there: socket.socket, octets: bytes) -> bool:
    here.send(octets)
    try:
        return there.recv(WHOLE) == octets
    except TimeoutError:
        return False
