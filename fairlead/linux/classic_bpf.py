"""Classic BPF: a program that reads one frame, from its Ethernet header on, and ends with a number.

A program is put together of pieces. A piece jumps forward alone, and no further than to its own end, so that pieces in
a row are a piece. What reads behind the frame's end ends the program with 0, which is `DROP`.

Sources: Documentation/networking/filter.rst; include/uapi/linux/{filter,bpf_common}.h; net/core/filter.c
(bpf_check_classic).
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network

_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _LOAD_X, _STORE, _ALU, _JUMP, _END, _MOVE = 0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x07
_SIZES = {4: 0x00, 2: 0x08, 1: 0x10}
_AT, _AT_X, _FROM_MEMORY, _IPV4_LENGTH = 0x20, 0x40, 0x60, 0xA0
_ALWAYS, _IF_EQUAL, _IF_ANY_BIT = 0x00, 0x10, 0x40
_PLUS, _PLUS_X, _AND, _SHIFT_LEFT = 0x00, 0x08, 0x50, 0x60
_X_TO_A = 0x80
_WORD = 4
_WHOLE = 0xFFFFFFFF
_TAG_PRESENT = 0xFFFFF030
"""SKF_AD_OFF and SKF_AD_VLAN_TAG_PRESENT."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """As struct sock_filter has it. A jump skips so many instructions if what it asks is so, and so many if not."""

    code: int
    skip: int = 0
    skip_not: int = 0
    value: int = 0


Piece = tuple[Instruction, ...]

PASS: Piece = (Instruction(_END, value=0xFFFFFFFF),)
DROP: Piece = (Instruction(_END),)

X_IS_IPV4_LENGTH: Piece = (Instruction(_LOAD_X | _SIZES[1] | _IPV4_LENGTH, value=14),)
"""Of the IPv4 header behind the Ethernet header."""

IS_TAGGED: Piece = (Instruction(_LOAD | _AT, value=_TAG_PRESENT),)
"""A is 1 for a frame that came with a VLAN tag, which the kernel has taken out of it, else 0."""


def encode(program: Piece) -> bytes:
    """As the kernel takes it."""
    return b"".join(_INSTRUCTION.pack(one.code, one.skip, one.skip_not, one.value) for one in program)


def decode(octets: bytes) -> Piece:
    """The program of these octets; without what is no whole instruction at their end."""
    whole = len(octets) - len(octets) % _INSTRUCTION.size
    return tuple(Instruction(*fields) for fields in _INSTRUCTION.iter_unpack(octets[:whole]))


def load(octets: int, offset: int) -> Piece:
    """A is the number of so many octets there."""
    return (Instruction(_LOAD | _SIZES[octets] | _AT, value=offset),)


def load_from_x(octets: int, offset: int) -> Piece:
    """A is the number of so many octets that far behind X."""
    return (Instruction(_LOAD | _SIZES[octets] | _AT_X, value=offset),)


def x_is(offset: int) -> Piece:
    """X is the offset."""
    return (Instruction(_LOAD_X, value=offset),)


def require(value: int) -> Piece:
    """Drop the frame unless A is that."""
    return (Instruction(_JUMP | _IF_EQUAL, 1, 0, value), *DROP)


def refuse(*values: int) -> Piece:
    """Drop the frame if A is one of these."""
    return tuple(one for value in values for one in (Instruction(_JUMP | _IF_EQUAL, 0, 1, value), *DROP))


def when(value: int, piece: Piece) -> Piece:
    """The piece, if A is that."""
    return (Instruction(_JUMP | _IF_EQUAL, 1, 0, value), _jump(len(piece)), *piece)


def when_either(value: int, other: int, before: Piece, piece: Piece) -> Piece:
    """The piece, if A is one of these; with the other, what is before it as well."""
    return (
        Instruction(_JUMP | _IF_EQUAL, 2, 0, other),
        Instruction(_JUMP | _IF_EQUAL, 1 + len(before), 0, value),
        _jump(len(before) + len(piece)),
        *before,
        *piece,
    )


def pass_if(mask: int) -> Piece:
    """Let the frame pass if A has a bit of the mask."""
    return (Instruction(_JUMP | _IF_ANY_BIT, 0, 1, mask), *PASS)


def require_one_of(networks: Iterable[Network], word: Piece) -> Piece:
    """Drop the frame unless an address of it, whose first word the piece loads, is in one of the networks."""
    (first,) = word
    otherwise = DROP
    for network in sorted(networks, reverse=True):
        otherwise = (*_words(network, first), _jump(len(otherwise)), *otherwise)
    return otherwise


def networks_asked(program: Piece, *places: tuple[Piece, int]) -> Iterator[tuple[bytes, int]]:
    """Address and length of each network that the program asks for in addresses at these places: what loads the first
    word, and how many words there are.
    """
    counts = {word: count for (word,), count in places}
    start = 0
    while start < len(program):
        words, end = _words_asked(program, start, counts.get(program[start], 0))
        if words:
            address = b"".join(value.to_bytes(_WORD, "big") for value, _ in words)
            yield address, sum(mask.bit_count() for _, mask in words)
        start = end


def walk(kinds: Iterable[int], fragment: int, depth: int) -> Piece:
    """With A the kind of the IPv6 header at X: go over extension headers of these kinds and a first fragment's, as many
    as `depth`, to the first of another kind. More are dropped; a fragment that is not the first one passes.

    RFC 8200, 4.
    """
    extensions = tuple(kinds)
    rest = refuse(*extensions, fragment)
    for _ in range(depth):
        rest = _over_one(extensions, fragment, rest)
    return rest


def _over_one(extensions: tuple[int, ...], fragment: int, rest: Piece) -> Piece:
    kind = (*load_from_x(1, 0), Instruction(_STORE))
    go_on = (Instruction(_MOVE), Instruction(_LOAD | _FROM_MEMORY))
    over_extension = (
        *kind,
        *load_from_x(1, 1),
        Instruction(_ALU | _PLUS, value=1),
        Instruction(_ALU | _SHIFT_LEFT, value=3),
        Instruction(_ALU | _PLUS_X),
        *go_on,
    )
    over_fragment = (
        *load_from_x(2, 2),
        *pass_if(0xFFF8),
        *kind,
        Instruction(_MOVE | _X_TO_A),
        Instruction(_ALU | _PLUS, value=8),
        *go_on,
        _jump(len(over_extension)),
    )
    count = len(extensions)
    questions = (
        Instruction(_JUMP | _IF_EQUAL, count + 1, 0, fragment),
        *(
            Instruction(_JUMP | _IF_EQUAL, count - number + len(over_fragment), 0, kind_of)
            for number, kind_of in enumerate(extensions)
        ),
        _jump(len(over_fragment) + len(over_extension) + len(rest)),
    )
    return (*questions, *over_fragment, *over_extension, *rest)


def _words(network: Network, first: Instruction) -> Piece:
    """Go on behind the jump that follows this as soon as a word is another. All words are asked for, those that may be
    anything too, so that it reads back.
    """
    values, masks = network.network_address.packed, network.netmask.packed
    asked: Piece = ()
    for offset in reversed(range(0, len(values), _WORD)):
        mask, value = (int.from_bytes(octets[offset : offset + _WORD], "big") for octets in (masks, values))
        cut = () if mask == _WHOLE else (Instruction(_ALU | _AND, value=mask),)
        word = Instruction(first.code, value=first.value + offset)
        asked = (word, *cut, Instruction(_JUMP | _IF_EQUAL, 0, len(asked) + 1, value), *asked)
    return asked


def _words_asked(program: Piece, start: int, count: int) -> tuple[list[tuple[int, int]], int]:
    """Value and mask of so many words, and where what asks for them ends; none where something else is there."""
    words: list[tuple[int, int]] = []
    place = start
    for _ in range(count):
        cut, compared = (program[place + 1 : place + 3] + DROP * 2)[:2]
        has_cut = cut.code == _ALU | _AND
        last = compared if has_cut else cut
        if last.code != _JUMP | _IF_EQUAL:
            return [], start + 1
        words.append((last.value, cut.value if has_cut else _WHOLE))
        place += 3 if has_cut else 2
    return words, max(place, start + 1)


def _jump(count: int) -> Instruction:
    return Instruction(_JUMP | _ALWAYS, value=count)
