"""Messages of rtnetlink about one link, taken apart into attributes that two of them can be compared by.

Nothing of the product's is used. Formats: include/uapi/linux/{netlink,rtnetlink,if_link}.h.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

REQUEST = 0x1
GETLINK, SETLINK = 18, 19
_MESSAGE, _LINK, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=HH")
_NESTED, _TYPE_MASK = 0x8000, 0x3FFF


@dataclass(frozen=True, slots=True)
class _Nest:
    name: str
    inside: Mapping[int, "_Nest | str"]


_VF = {
    1: "MAC",
    2: "VLAN",
    3: "TX_RATE",
    4: "SPOOFCHK",
    5: "LINK_STATE",
    6: "RATE",
    9: "TRUST",
    12: "VLAN_LIST",
}
_PORT = {
    1: "VF",
    2: "PROFILE",
    3: "VSI_TYPE",
    4: "INSTANCE_UUID",
    5: "HOST_UUID",
    6: "REQUEST",
    7: "RESPONSE",
}
_LINK_ATTRIBUTES: Mapping[int, _Nest | str] = {
    3: "IFNAME",
    22: _Nest("VFINFO_LIST", {1: _Nest("VF_INFO", _VF)}),
    24: _Nest("VF_PORTS", {1: _Nest("VF_PORT", _PORT)}),
    25: _Nest("PORT_SELF", _PORT),
    29: "EXT_MASK",
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """`path` says where, by the names of the kernel's headers; `octets` is None for a nest, whose own follow it."""

    path: str
    is_marked_nested: bool
    octets: bytes | None

    def __str__(self) -> str:
        said = "{}" if self.octets is None else self.octets.hex(" ", 4) or "nothing"
        return f"{self.path}{' (nested)' if self.is_marked_nested else ''} = {said}"


@dataclass(frozen=True, slots=True)
class LinkMessage:
    """A message with a struct ifinfomsg. Its serial and port number, which are new each time, are left out."""

    kind: int
    flags: int
    header: bytes
    attributes: tuple[Attribute, ...]

    def has(self, path: str) -> bool:
        """Whether there is an attribute there."""
        return any(attribute.path == path for attribute in self.attributes)

    def lines(self) -> list[str]:
        """Everything that was said, a line each."""
        head = [f"kind = {self.kind}", f"flags = {self.flags:#x}", f"ifinfomsg = {self.header.hex(' ', 4)}"]
        return head + [str(attribute) for attribute in self.attributes]


def link_messages(octets: bytes) -> Iterator[LinkMessage]:
    """Those in one packet of netlink; others in it are passed over."""
    at = 0
    while at + _MESSAGE.size <= len(octets):
        length, kind, flags, _, _ = _MESSAGE.unpack_from(octets, at)
        body = octets[at + _MESSAGE.size : at + length]
        if kind in (GETLINK, SETLINK) and len(body) >= _LINK.size:
            found = _attributes(body[_LINK.size :], _LINK_ATTRIBUTES, "")
            yield LinkMessage(kind, flags, body[: _LINK.size], tuple(found))
        at += max(length + (-length % 4), _MESSAGE.size)


def _attributes(data: bytes, names: Mapping[int, _Nest | str], above: str) -> Iterator[Attribute]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        octets = data[at + _ATTRIBUTE.size : at + length]
        known = names.get(kind & _TYPE_MASK, str(kind & _TYPE_MASK))
        path = above + (known.name if isinstance(known, _Nest) else known)
        if isinstance(known, _Nest):
            yield Attribute(path, bool(kind & _NESTED), None)
            yield from _attributes(octets, known.inside, f"{path}/")
        else:
            yield Attribute(path, bool(kind & _NESTED), octets)
        at += max(length + (-length % 4), _ATTRIBUTE.size)
