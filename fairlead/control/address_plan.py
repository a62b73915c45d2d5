"""The rules of a subnet's addresses, on values alone: prefix, gateway, pools, name servers, routes, IPv6 modes.

Every function gives canonical text back and raises InvalidValue with Neutron's name of the field.
"""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from itertools import pairwise

from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.network import AddressRange, HostRoute

Address = IPv4Address | IPv6Address
Prefix = IPv4Network | IPv6Network

MOST_DNS_NAMESERVERS = 5
MOST_HOST_ROUTES = 20
MOST_POOLS = 100
_AUTO_MODES = ("slaac", "dhcpv6-stateless")
_MODES = (*_AUTO_MODES, "dhcpv6-stateful")
_EUI64_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a subnet's addresses are. `gateway` None: there is none."""

    cidr: Prefix
    gateway: str | None
    pools: tuple[AddressRange, ...]


def parse_address(field: str, text: str, version: int | None = None) -> Address:
    """The address; IPv6 zones are no part of an address here."""
    try:
        address = ip_address(text)
    except ValueError:
        raise InvalidValue(field, text, "a valid IP address") from None
    if version is not None and address.version != version:
        raise InvalidValue(field, text, f"an IPv{version} address")
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise InvalidValue(field, text, "an address without a zone")
    return address


def parse_cidr(text: str, version: int) -> Prefix:
    """The prefix; host bits, multicast, loopback and link-local are refused."""
    if "/" not in text:
        raise InvalidValue("cidr", text, f"a prefix such as {'10.0.0.0/24' if version == 4 else 'fd00::/64'}")  # noqa: PLR2004
    try:
        cidr = ip_network(text, strict=False)
    except ValueError:
        raise InvalidValue("cidr", text, "a recognized IP subnet cidr") from None
    if cidr.version != version:
        raise InvalidValue("cidr", text, f"of ip_version {version}")
    given = parse_address("cidr", text.split("/", maxsplit=1)[0], version)
    if given != cidr.network_address:
        raise InvalidValue("cidr", text, f"a recognized IP subnet cidr, '{cidr}' is recommended")
    if cidr.is_multicast or cidr.is_loopback or cidr.is_link_local or not cidr.prefixlen:
        raise InvalidValue("cidr", text, "a prefix that guests can have addresses of")
    return cidr


def usable(cidr: Prefix) -> tuple[int, int]:
    """First and last address a guest can have, as numbers: without IPv4's network and broadcast addresses
    (unless the prefix is a /31 or /32, RFC 3021) and IPv6's subnet-router anycast address (RFC 4291, 2.6.1).
    """
    first, last = int(cidr.network_address), int(cidr.broadcast_address)
    if last - first <= 1:
        return first, last
    return first + 1, last - 1 if cidr.version == 4 else last  # noqa: PLR2004


def address_at(cidr: Prefix, number: int) -> str:
    """The text of the address with that number."""
    return str(IPv4Address(number) if isinstance(cidr, IPv4Network) else IPv6Address(number))


def default_gateway(cidr: Prefix) -> str | None:
    """The first usable address; None where the prefix has only one."""
    first, last = usable(cidr)
    return address_at(cidr, first) if first < last else None


def check_gateway(text: str | None, cidr: Prefix) -> str | None:
    """The gateway: an address of the subnet, or a link-local one of IPv6."""
    if text is None:
        return None
    gateway = parse_address("gateway_ip", text, cidr.version)
    first, last = usable(cidr)
    is_link_local = gateway.version == 6 and gateway.is_link_local  # noqa: PLR2004
    if not first <= int(gateway) <= last and not is_link_local:
        raise InvalidValue("gateway_ip", text, f"an address that a machine in {cidr} can have")
    return str(gateway)


def default_pools(cidr: Prefix, gateway: str | None) -> tuple[AddressRange, ...]:
    """Every usable address but the gateway's."""
    first, last = usable(cidr)
    middle = int(ip_address(gateway)) if gateway else first - 1
    spans = ((first, last),) if not first <= middle <= last else ((first, middle - 1), (middle + 1, last))
    return tuple(
        AddressRange(address_at(cidr, start), address_at(cidr, end)) for start, end in spans if start <= end
    )


def check_pools(
    pools: tuple[AddressRange, ...], cidr: Prefix, gateway: str | None
) -> tuple[AddressRange, ...]:
    """The pools in the order of their addresses; raises Conflict `gateway_in_pool` too."""
    if len(pools) > MOST_POOLS:
        raise InvalidValue("allocation_pools", len(pools), f"at most {MOST_POOLS} pools")
    first, last = usable(cidr)
    spans = sorted(_span(pool, cidr) for pool in pools)
    for start, end in spans:
        text = f"{address_at(cidr, start)}-{address_at(cidr, end)}"
        if start > end:
            raise InvalidValue("allocation_pools", text, "a pool: it starts after its end")
        if not first <= start <= end <= last:
            raise InvalidValue("allocation_pools", text, f"within the addresses that {cidr} can give out")
        if gateway and start <= int(ip_address(gateway)) <= end:
            raise Conflict("gateway_in_pool", f"Gateway ip {gateway} conflicts with allocation pool {text}.")
    for (_, end), (start, _) in pairwise(spans):
        if start <= end:
            raise InvalidValue("allocation_pools", address_at(cidr, start), "in one pool only: two overlap")
    return tuple(AddressRange(address_at(cidr, start), address_at(cidr, end)) for start, end in spans)


def check_dns_nameservers(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The name servers in the order given."""
    if len(addresses) > MOST_DNS_NAMESERVERS:
        raise InvalidValue("dns_nameservers", len(addresses), f"at most {MOST_DNS_NAMESERVERS} addresses")
    parsed = tuple(str(parse_address("dns_nameservers", text)) for text in addresses)
    if len(set(parsed)) < len(parsed):
        raise InvalidValue("dns_nameservers", list(addresses), "a list without duplicates")
    return parsed


def check_host_routes(routes: tuple[HostRoute, ...], version: int) -> tuple[HostRoute, ...]:
    """The routes in the order given, of the subnet's IP version."""
    if len(routes) > MOST_HOST_ROUTES:
        raise InvalidValue("host_routes", len(routes), f"at most {MOST_HOST_ROUTES} routes")
    parsed = tuple(_host_route(route, version) for route in routes)
    if len(set(parsed)) < len(parsed):
        raise InvalidValue(
            "host_routes", [route.destination for route in parsed], "a list without duplicates"
        )
    return parsed


def check_ipv6_modes(cidr: Prefix, ra_mode: str | None, address_mode: str | None, *, dhcp: bool) -> None:
    """Modes are for IPv6 with DHCP on; both the same where both are given; SLAAC needs a /64 (RFC 4862)."""
    for field, mode in (("ipv6_ra_mode", ra_mode), ("ipv6_address_mode", address_mode)):
        if mode is None:
            continue
        if mode not in _MODES:
            raise InvalidValue(field, mode, f"one of {', '.join(_MODES)}")
        if cidr.version != 6 or not dhcp:  # noqa: PLR2004
            raise InvalidValue(field, mode, "possible unless ip_version is 6 and enable_dhcp true")
        if mode in _AUTO_MODES and cidr.prefixlen != _EUI64_PREFIX:
            raise InvalidValue(field, mode, f"possible unless the prefix is a /{_EUI64_PREFIX}")
    if ra_mode and address_mode and ra_mode != address_mode:
        raise InvalidValue("ipv6_ra_mode", ra_mode, f"the same as ipv6_address_mode, which is {address_mode}")


def has_auto_addresses(address_mode: str | None) -> bool:
    """Whether guests make their own addresses out of their MACs."""
    return address_mode in _AUTO_MODES


def eui64_address(cidr: Prefix, mac: str) -> str:
    """The address that a guest with that MAC makes for itself in a /64 (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes((octets[0] ^ 2,)) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return address_at(cidr, int(cidr.network_address) + int.from_bytes(identifier))


def _span(pool: AddressRange, cidr: Prefix) -> tuple[int, int]:
    start = parse_address("allocation_pools", pool.start, cidr.version)
    return int(start), int(parse_address("allocation_pools", pool.end, cidr.version))


def _host_route(route: HostRoute, version: int) -> HostRoute:
    nexthop = parse_address("host_routes", route.nexthop, version)
    try:
        destination = ip_network(route.destination)
    except ValueError:
        raise InvalidValue("host_routes", route.destination, "a destination prefix") from None
    if destination.version != version:
        raise InvalidValue("host_routes", route.destination, f"of ip_version {version}")
    return HostRoute(str(destination), str(nexthop))
