"""Which addresses may come in: what is asked is what reads back, and nothing that somebody changed looks as asked."""

import struct
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.linux import message as nl
from fairlead.linux.source_filter import (
    SourceFilter,
    filter_body,
    filters_of,
    read_filter,
    sources_of,
)

ARP, IPV4, IPV6, RARP, ALL = 0x0806, 0x0800, 0x86DD, 0x8035, 0x0003
SOURCES = ("0.0.0.0/32", "10.0.0.5/32", "10.1.0.0/16", "::/128", "fd00::5/128")


def networks(version: int) -> st.SearchStrategy[str]:
    addresses = st.ip_addresses(v=version)
    lengths = st.integers(0, 32 if version == 4 else 128)
    return st.builds(lambda a, n: str(ip_network((a, n), strict=False)), addresses, lengths)


def with_handle(body: bytes, handle: int) -> bytes:
    return body[:8] + struct.pack("=I", handle) + body[12:]


def told(filters: frozenset[SourceFilter]) -> frozenset[SourceFilter]:
    """As the kernel tells of them."""
    answers = (with_handle(filter_body(7, one), number) for number, one in enumerate(sorted(filters), 1))
    return frozenset(found[0] for answer in answers if (found := read_filter(answer)))


@given(st.sets(networks(4) | networks(6)))
def test_what_is_asked_reads_back(sources: set[str]):
    assert sources_of(told(filters_of(sources))) == tuple(sorted(sources))


def test_an_ipv4_address_may_speak_ip_and_arp_and_the_rest_is_dropped():
    assert filters_of(("10.0.0.5/32",)) == {
        SourceFilter(IPV4, "10.0.0.5/32"),
        SourceFilter(ARP, "10.0.0.5/32"),
        SourceFilter(RARP),
        SourceFilter(ALL),
    }
    assert filters_of(()) == frozenset()


@pytest.mark.parametrize("lost", sorted(filters_of(SOURCES)), ids=str)
def test_a_filter_that_is_lost_is_seen(lost: SourceFilter):
    assert sources_of(told(filters_of(SOURCES) - {lost})) != SOURCES


def test_a_filter_that_somebody_added_is_seen():
    assert sources_of(told(filters_of(SOURCES) | {SourceFilter(IPV4, "0.0.0.0/0")})) != SOURCES


def test_a_drop_that_became_something_else_is_seen():
    police = nl.nested(2, nl.nested(2, nl.nested(1, nl.string(1, "police"))))
    answer = with_handle(filter_body(7, SourceFilter(ALL)), 1)[:20] + nl.string(1, "matchall") + police
    (found, _) = read_filter(answer) or (None, 0)
    assert found is not None
    assert not found.is_drop
    assert sources_of(frozenset({*filters_of(SOURCES) - {SourceFilter(ALL)}, found})) != SOURCES


def test_filters_of_others_are_none_of_ours():
    other_priority = struct.pack("=BxxxiIII", 0, 7, 1, 0xFFFF0000, 1 << 16 | 0x0300)
    assert read_filter(other_priority + nl.string(1, "matchall")) is None
    assert read_filter(filter_body(7, SourceFilter(ALL))) is None  # handle 0: no filter


def test_the_octets_of_a_filter_are_the_kernels():
    """As tc(8) sends them for `protocol ip prio 3 flower src_ip 10.0.0.5`, flags aside."""
    body = filter_body(7, SourceFilter(IPV4, "10.0.0.5/32"))
    assert body[:20].hex() == "0000000007000000000000000000ffff08000300"
    assert body[20:32].hex() == "0b000100" + b"flower\0\0".hex()
    assert body[32:].hex() == "1c000280060008000800000008000a000a00000508000b00ffffffff"
