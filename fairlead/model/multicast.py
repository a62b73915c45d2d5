"""The multicast groups that a vNIC needs for its addresses, as they are on Ethernet.

Sources: RFC 1112, 6.4; RFC 2464, 7; RFC 4291, 2.7.1; RFC 4861, 7.2.1.
"""

from ipaddress import IPv6Address, IPv6Network, ip_interface
from typing import NewType

from fairlead.model.guest_sources import link_local
from fairlead.model.port import Port

Group = NewType("Group", str)
"""Of a multicast group, six octets, lower case, colons; the first one is odd."""

ALL_HOSTS, ALL_NODES = Group("01:00:5e:00:00:01"), Group("33:33:00:00:00:01")
"""224.0.0.1, to which IGMP's queries go, and ff02::1, to which router advertisements do."""


def needed_groups(port: Port) -> tuple[Group, ...]:
    """In order: those of all hosts, and for each IPv6 address the one by which others ask for its MAC: the port's own
    addresses, single ones that it is allowed besides, and the link-local one that its MAC makes.
    """
    named = (*(ip.ip_address for ip in port.fixed_ips), *port.allowed_addresses)
    networks = (ip_interface(address).network for address in named)
    single = (it.network_address for it in networks if isinstance(it, IPv6Network) and it.num_addresses == 1)
    asked_for = map(_solicited_node, (link_local(port.mac), *single))
    return tuple(sorted({ALL_HOSTS, ALL_NODES, *asked_for}))


def _solicited_node(address: IPv6Address) -> Group:
    """ff02::1:ff00:0 and the address's last 24 bits, on Ethernet."""
    return Group(f"33:33:ff:{address.packed[-3:].hex(':')}")
