"""DHCP options of a port, and which of them a guest is told in another way.

Fairlead has no DHCP server. What an option says of addresses, names and MTU, the guest's config drive says in its
place; the names are dnsmasq's, as Neutron's clients write them, or the numbers of RFC 2132, 3397, 3442 and 3646.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from fairlead.model.errors import InvalidValue
from fairlead.model.network import HostRoute

ROUTER, ROUTES, MTU, DNS, DOMAIN, SEARCH = (
    "router",
    "classless-static-route",
    "mtu",
    "dns-server",
    "domain-name",
    "domain-search",
)
CLIENT_ID = "client-id"
"""Who the client is; only a DHCP server makes something of it."""
CLIENT_ID_NAMES = frozenset({CLIENT_ID, "61"})
MAY_BE_BLANK = frozenset({ROUTER, ROUTES})
"""Options of which an empty value says that there is none (Neutron's rule)."""
_BY_NUMBER = {
    4: {"3": ROUTER, "6": DNS, "15": DOMAIN, "26": MTU, "119": SEARCH, "121": ROUTES},
    6: {"23": DNS, "24": SEARCH},
}
LEAST_MTU, MOST_MTU = 68, 65535


@dataclass(frozen=True, slots=True)
class DhcpOption:
    """An option as its port's owner wrote it; one of a name and IP version."""

    name: str
    value: str
    ip_version: int = 4


@dataclass(frozen=True, slots=True)
class ToldOptions:
    """What the options of one IP version tell a guest. None: they do not say, and what the subnet or network has holds.
    `router` "" and `routes` () say that there is none; routes leave no room for a router (RFC 3442).
    """

    mtu: int | None = None
    router: str | None = None
    routes: tuple[HostRoute, ...] | None = None
    dns_servers: tuple[str, ...] | None = None
    search: tuple[str, ...] = ()


def told(options: tuple[DhcpOption, ...], ip_version: int) -> ToldOptions:
    """What options that were checked tell the guest's addresses of that version."""
    values = {_meaning(option): option.value for option in options if option.ip_version == ip_version}
    return ToldOptions(
        mtu=int(values[MTU]) if MTU in values else None,
        router=values.get(ROUTER),
        routes=tuple(_routes(values[ROUTES])) if ROUTES in values else None,
        dns_servers=_items(values[DNS]) if DNS in values else None,
        search=_items(values.get(SEARCH) or values.get(DOMAIN, "")),
    )


def check(option: DhcpOption) -> None:
    """Raises InvalidValue for a value that could not be told. What only DHCP can say may be anything."""
    try:
        _check(option)
    except ValueError:
        wanted = _WANTED[_meaning(option)]
        raise InvalidValue("extra_dhcp_opts", option.value, f"{wanted}, as {option.name} has to be") from None


_WANTED = {
    ROUTER: "an IPv4 address or empty",
    ROUTES: "a list of destination,gateway pairs or empty",
    MTU: f"a number from {LEAST_MTU} to {MOST_MTU}",
    DNS: "a list of addresses of its IP version",
    DOMAIN: "one domain name",
    SEARCH: "a list of domain names",
}


def _check(option: DhcpOption) -> None:
    match _meaning(option):
        case "router":
            if option.value:
                _check_addresses((option.value,), option.ip_version)
        case "classless-static-route":
            for _ in _routes(option.value):
                pass
        case "mtu":
            if not option.value.isascii() or not LEAST_MTU <= int(option.value) <= MOST_MTU:
                raise ValueError
        case "dns-server":
            _check_addresses(_items(option.value), option.ip_version)
        case "domain-name" | "domain-search":
            if not all(_is_domain(item) for item in _items(option.value)):
                raise ValueError
        case _:
            pass


def _meaning(option: DhcpOption) -> str:
    """The option's name; of a number, its name where it is told. Version 6 has no router, routes and MTU."""
    known = _BY_NUMBER[option.ip_version]
    if option.name in known:
        return known[option.name]
    return option.name if option.name in known.values() else f"{option.name}, untold"


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _check_addresses(items: tuple[str, ...], ip_version: int) -> None:
    if not items or any(ip_address(item).version != ip_version for item in items):
        raise ValueError


def _routes(text: str) -> Iterator[HostRoute]:
    """Raises ValueError for what are no pairs."""
    items = _items(text)
    for destination, gateway in zip(items[::2], items[1::2], strict=True):
        _check_addresses((gateway,), 4)
        if ip_network(destination).version != 4:  # noqa: PLR2004  the option is one of IPv4
            raise ValueError
        yield HostRoute(destination, gateway)


def _is_domain(text: str) -> bool:
    return text.isascii() and all(
        label and label.replace("-", "").replace("_", "").isalnum() for label in text.rstrip(".").split(".")
    )
