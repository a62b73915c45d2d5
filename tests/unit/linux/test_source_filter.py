"""What a guest may say: what is asked is what reads back, and nothing that somebody changed looks as asked."""

import struct
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.linux import message as nl
from fairlead.linux.classic_bpf import DROP, PASS, Piece, decode, encode
from fairlead.linux.guest_program import guest_program, read_program
from fairlead.linux.source_filter import Speaker, drop_body, is_drop, program_body, read_speaker
from fairlead.model.pci import MacAddress

MAC = MacAddress("fa:16:3e:00:00:01")
SOURCES = ("0.0.0.0/32", "10.0.0.5/32", "10.1.0.0/16", "::/128", "fd00::5/128")
PROGRAM = guest_program(MAC, SOURCES)
HEADER, KIND, OPTIONS = 20, 1, 2


def networks(version: int) -> st.SearchStrategy[str]:
    addresses = st.ip_addresses(v=version)
    lengths = st.integers(0, 32 if version == 4 else 128)
    return st.builds(lambda a, n: str(ip_network((a, n), strict=False)), addresses, lengths)


def bpf(*options: bytes) -> bytes:
    return program_body(7, Speaker(MAC, ()))[:HEADER] + nl.string(KIND, "bpf") + nl.nested(OPTIONS, *options)


def with_program(program: Piece) -> bytes:
    return nl.attribute(5, encode(program))


@given(st.sets(networks(4) | networks(6)), st.binary(min_size=6, max_size=6))
def test_what_is_asked_reads_back(sources: set[str], octets: bytes):
    speaker = Speaker(MacAddress(octets.hex(":")), tuple(sorted(sources)))
    assert read_speaker(program_body(7, speaker)) == speaker


@pytest.mark.parametrize("place", range(0, len(PROGRAM), 5))
def test_a_program_with_another_instruction_is_nobodys(place: int):
    another = PASS if PROGRAM[place] not in PASS else DROP
    changed = (*PROGRAM[:place], *another, *PROGRAM[place + 1 :])
    assert read_program(changed) is None
    assert read_speaker(bpf(with_program(changed))) is None


@given(st.integers(0, len(PROGRAM) - 1), st.integers(0, 31))
def test_a_program_with_another_number_is_anothers_or_nobodys(place: int, bit: int):
    one = PROGRAM[place]
    changed = (*PROGRAM[:place], replace(one, value=one.value ^ 1 << bit), *PROGRAM[place + 1 :])
    assert read_program(changed) != (MAC, SOURCES)


@given(st.binary(max_size=200))
def test_any_octets_may_be_read(octets: bytes):
    assert read_program(decode(octets)) is None
    assert read_speaker(program_body(7, Speaker(MAC, ()))[:HEADER] + octets) is None


@pytest.mark.parametrize("more", [nl.nested(1, b""), nl.nested(2, b""), nl.number(8, 1), nl.number(9, 2)])
def test_a_program_that_does_more_is_none_of_ours(more: bytes):
    """Actions, a rate, a verdict of its own, or hardware alone."""
    assert read_speaker(bpf(with_program(PROGRAM), nl.number(9, 8))) == Speaker(MAC, SOURCES)
    assert read_speaker(bpf(with_program(PROGRAM), more)) is None


def test_a_drop_that_became_something_else_is_seen():
    assert is_drop(drop_body(7))
    police = nl.nested(2, nl.nested(2, nl.nested(1, nl.string(1, "police"))))
    assert not is_drop(drop_body(7)[:HEADER] + nl.string(KIND, "matchall") + police)
    assert not is_drop(bpf(with_program(PROGRAM)))


@pytest.mark.parametrize("changed", [struct.pack("=I", 2), struct.pack("=I", 0)])
def test_a_filter_of_another_handle_is_none_of_ours(changed: bytes):
    other = drop_body(7)[:8] + changed + drop_body(7)[12:]
    assert not is_drop(other)


def test_the_octets_of_a_filter_are_the_kernels():
    """As tc(8) sends them for `protocol all prio 2 handle 1 bpf bytecode ...`, flags aside."""
    body = program_body(7, Speaker(MAC, SOURCES))
    octets = encode(PROGRAM)
    assert body[:20].hex() == "00000000070000000100000000" + "00ffff" + "00030200"
    assert body[20:28].hex() == "08000100" + b"bpf\0".hex()
    assert body[32:40] == struct.pack("=HHHxx", 6, 4, len(PROGRAM))
    assert body[40:] == struct.pack("=HH", 4 + len(octets), 5) + octets
