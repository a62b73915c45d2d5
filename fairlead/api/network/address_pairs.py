"""`allowed_address_pairs`: addresses that a guest uses besides those of its port.

The spoof check of a VF or tap is by MAC alone, and a VF has one. So a pair of the port's own MAC holds as it is, and
one of another MAC could never hold: it is refused. Limits and words are Neutron's (neutron/extensions).
"""

from ipaddress import ip_network

from msgspec import Struct

from fairlead.api.bodies import InvalidField
from fairlead.api.network.listing import Shown
from fairlead.control.address_plan import parse_address
from fairlead.model.errors import InvalidValue
from fairlead.model.pci import MacAddress, parse_mac
from fairlead.model.port import Port

_FIELD = "allowed_address_pairs"
_MOST = 10


class PairForm(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `allowed_address_pairs`."""

    ip_address: str
    mac_address: str | None = None


def addresses(pairs: list[PairForm], mac: MacAddress | None) -> tuple[str, ...]:
    """The addresses and prefixes of the pairs of a port with that MAC; None: it will be generated. Raises
    InvalidField, InvalidValue.
    """
    if len(pairs) > _MOST:
        raise InvalidField(f"The number of allowed address pair exceeds the maximum {_MOST}.", field=_FIELD)
    for pair in pairs:
        if pair.mac_address is not None and parse_mac(pair.mac_address) != mac:
            raise InvalidField(
                f"Invalid input for {_FIELD}. Reason: {pair.mac_address[:80]} is not the port's MAC, and a VF lets "
                "only that pass. Leave mac_address out, or set port_security_enabled to false.",
                field=_FIELD,
            )
    found = tuple(_address(pair.ip_address) for pair in pairs)
    if len(set(found)) < len(found):
        raise InvalidField("Request contains duplicate address pair.", field=_FIELD)
    return found


def shown(port: Port) -> list[Shown]:
    """The pairs as clients see them."""
    return [{"ip_address": address, "mac_address": port.mac} for address in port.allowed_addresses]


def _address(text: str) -> str:
    """As given, in canonical form: an address, or a prefix with no host bits."""
    if "/" not in text:
        return str(parse_address(_FIELD, text))
    try:
        return str(ip_network(text))
    except ValueError:
        raise InvalidValue(_FIELD, text, "a prefix without host bits") from None
