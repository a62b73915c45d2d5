"""What a guest may say: a program that lets its frames pass if they come from its own MAC and addresses, and play
neither its router nor its DHCP server.

- Each frame: from the guest's MAC; without a VLAN tag, where there are addresses.
- ARP: of Ethernet and IPv4, and its sender has the guest's MAC and one of its addresses.
- RARP: the same, as a question; QEMU announces a guest by it after a migration.
- IPv4: from one of its addresses; UDP neither from a DHCP server's port nor to a DHCP client's.
- IPv6: from one of its addresses; UDP likewise; no router advertisement, no redirect, and a neighbour advertisement of
  one of its addresses alone.
- Other protocols: none, where there are addresses; else nobody has said which are its own, and all do.

IPv6 extension headers are gone over. A fragment that is not the first one passes: it does not say what it is of, and
is nothing without the first one.

Sources: RFC 826, 903, 791, 8200 (4), 2131 (4.1), 8415 (7.2), 4861 (4).
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from fairlead.linux.classic_bpf import (
    DROP,
    IS_TAGGED,
    PASS,
    X_IS_IPV4_LENGTH,
    Piece,
    load,
    load_from_x,
    networks_asked,
    pass_if,
    refuse,
    require,
    require_one_of,
    walk,
    when,
    when_either,
    x_is,
)
from fairlead.model.pci import MacAddress

_SOURCE_MAC, _ETHERTYPE = 6, 12
_IPV4, _ARP, _RARP, _IPV6 = 0x0800, 0x0806, 0x8035, 0x86DD
_VLAN_TAGS = (0x8100, 0x88A8)
_ARP_KINDS, _ARP_LENGTHS, _ARP_DEED, _ARP_MAC, _ARP_ADDRESS = 14, 18, 20, 22, 28
_ETHERNET_AND_IPV4, _SIX_AND_FOUR, _ASK_BACKWARDS = 0x00010800, 0x0604, 3
_FRAGMENT, _IPV4_PROTOCOL, _IPV4_SOURCE, _NOT_FIRST = 20, 23, 26, 0x1FFF
_NEXT_HEADER, _IPV6_SOURCE, _BEHIND_IPV6 = 20, 22, 54
_EXTENSIONS, _FRAGMENT_HEADER, _MOST_HEADERS = (0, 43, 60), 44, 6
_UDP, _ICMPV6 = 17, 58
_ROUTER_ADVERTISEMENT, _NEIGHBOUR_ADVERTISEMENT, _REDIRECT, _TARGET = 134, 136, 137, 8
_DHCP_SERVER, _DHCP_CLIENT = 67, 68
_DHCPV6_SERVER, _DHCPV6_CLIENT = 547, 546
_MAC_HEAD, _MAC_TAIL = 1, 4
"""Where a program has the two parts of the MAC."""


def guest_program(mac: MacAddress, prefixes: Iterable[str]) -> Piece:
    """Of a guest with that MAC and these addresses; none: any address."""
    networks = [ip_network(prefix) for prefix in set(prefixes)]
    ipv4 = [network for network in networks if isinstance(network, IPv4Network)]
    ipv6 = [network for network in networks if isinstance(network, IPv6Network)]
    asks = bool(networks)
    arp = _arp(mac, require_one_of(ipv4, load(4, _ARP_ADDRESS)) if asks else ())
    source = require_one_of(ipv4, load(4, _IPV4_SOURCE)) if asks else ()
    source6 = require_one_of(ipv6, load(4, _IPV6_SOURCE)) if asks else ()
    target = require_one_of(ipv6, load_from_x(4, _TARGET)) if asks else ()
    return (
        *_require_mac(mac, _SOURCE_MAC),
        *((*IS_TAGGED, *require(0)) if asks else ()),
        *load(2, _ETHERTYPE),
        *when_either(_ARP, _RARP, (*load(2, _ARP_DEED), *require(_ASK_BACKWARDS)), arp),
        *when(_IPV4, (*source, *_ipv4())),
        *when(_IPV6, (*source6, *_ipv6(target))),
        *(DROP if asks else (*refuse(*_VLAN_TAGS), *PASS)),
    )


def read_program(program: Piece) -> tuple[MacAddress, tuple[str, ...]] | None:
    """Whose it is: MAC and addresses, in order; None for a program that is not just theirs."""
    if len(program) <= _MAC_TAIL:
        return None
    octets = (program[_MAC_HEAD].value << 32 | program[_MAC_TAIL].value).to_bytes(8, "big")[2:]
    asked = networks_asked(program, (load(4, _IPV4_SOURCE), 1), (load(4, _IPV6_SOURCE), 4))
    prefixes = {str(ip_network((address, length), strict=False)) for address, length in asked}
    mac = MacAddress(octets.hex(":"))
    return (mac, tuple(sorted(prefixes))) if program == guest_program(mac, prefixes) else None


def _require_mac(mac: MacAddress, offset: int) -> Piece:
    octets = bytes.fromhex(mac.replace(":", ""))
    head, tail = int.from_bytes(octets[:2], "big"), int.from_bytes(octets[2:], "big")
    return (*load(2, offset), *require(head), *load(4, offset + 2), *require(tail))


def _arp(mac: MacAddress, sender: Piece) -> Piece:
    kinds = (
        *load(4, _ARP_KINDS),
        *require(_ETHERNET_AND_IPV4),
        *load(2, _ARP_LENGTHS),
        *require(_SIX_AND_FOUR),
    )
    return (*kinds, *_require_mac(mac, _ARP_MAC), *sender, *PASS)


def _ipv4() -> Piece:
    ports = (
        *load(2, _FRAGMENT),
        *pass_if(_NOT_FIRST),
        *X_IS_IPV4_LENGTH,
        *load_from_x(2, 14),
        *refuse(_DHCP_SERVER),
        *load_from_x(2, 16),
        *refuse(_DHCP_CLIENT),
        *PASS,
    )
    return (*load(1, _IPV4_PROTOCOL), *when(_UDP, ports), *PASS)


def _ipv6(target: Piece) -> Piece:
    ports = (
        *load_from_x(2, 0),
        *refuse(_DHCPV6_SERVER),
        *load_from_x(2, 2),
        *refuse(_DHCPV6_CLIENT),
        *PASS,
    )
    roles = (
        *load_from_x(1, 0),
        *refuse(_ROUTER_ADVERTISEMENT, _REDIRECT),
        *when(_NEIGHBOUR_ADVERTISEMENT, (*target, *PASS)),
        *PASS,
    )
    walked = walk(_EXTENSIONS, _FRAGMENT_HEADER, _MOST_HEADERS)
    return (
        *x_is(_BEHIND_IPV6),
        *load(1, _NEXT_HEADER),
        *walked,
        *when(_UDP, ports),
        *when(_ICMPV6, roles),
        *PASS,
    )
