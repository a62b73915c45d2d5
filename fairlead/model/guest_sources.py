"""The addresses that a guest may send from."""

from ipaddress import IPv6Address, ip_interface, ip_network

from fairlead.model.pci import MacAddress
from fairlead.model.port import Port

_NO_ADDRESS_YET = ("0.0.0.0/32", "::/128")
"""Of a guest that asks for an address, or whether one is free (RFC 2131, 5227, 4862)."""


def guest_sources(port: Port) -> tuple[str, ...]:
    """As prefixes, in order: the port's addresses and those that it is allowed besides, the IPv6 address that its MAC
    makes on every link (RFC 4291, appendix A), and none. Empty for a port without any address: nobody has said which
    ones are its own, so no address is false.
    """
    own = [f"{ip_network(ip.ip_address)}" for ip in port.fixed_ips]
    allowed = [f"{ip_interface(address).network}" for address in port.allowed_addresses]
    if not own and not allowed:
        return ()
    return tuple(sorted({*own, *allowed, *_NO_ADDRESS_YET, f"{link_local(port.mac)}/128"}))


def link_local(mac: MacAddress) -> IPv6Address:
    """The link-local address that the MAC makes: fe80:: and its octets with ff:fe in the middle, bit 1 turned."""
    octets = bytes.fromhex(mac.replace(":", ""))
    interface = bytes((octets[0] ^ 2,)) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return IPv6Address(b"\xfe\x80" + bytes(6) + interface)
