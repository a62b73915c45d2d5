"""GUIDs of ports: which one a port has, by what its guest asks for addresses, and what a port on a network of
InfiniBand cannot be.
"""

from fairlead.control.boundary import Tx
from fairlead.model.dhcp_option import CLIENT_ID, CLIENT_ID_NAMES, DhcpOption
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.infiniband import Guid, client_id_of, guid_key, guid_of_mac
from fairlead.model.network import Network
from fairlead.model.pci import LinkLayer, MacAddress
from fairlead.model.port import Port


def guid_for(network: Network, mac: MacAddress, given: Guid | None) -> Guid | None:
    """The GUID of a port with that MAC there: the one given, else one made of the MAC; None on a network of Ethernet.
    Raises InvalidValue for one given there.
    """
    if network.link_layer is LinkLayer.INFINIBAND:
        return given or guid_of_mac(mac)
    if given is not None:
        raise InvalidValue("guid", given, f"possible on {_named(network)}, which is one of Ethernet")
    return None


def with_client_id(
    options: tuple[DhcpOption, ...], guid: Guid | None, before: Guid | None = None
) -> tuple[DhcpOption, ...]:
    """The port's DHCP options with its client id, now that it has that GUID; `before`: instead of that one. One that
    its owner wrote stays, and one that he took away does not come again.
    """
    said = DhcpOption(CLIENT_ID, client_id_of(before)) if before else None
    if guid is None or guid == before:
        return options
    told = DhcpOption(CLIENT_ID, client_id_of(guid))
    if said is not None:
        return tuple(told if option == said else option for option in options)
    has_one = any(
        option.name in CLIENT_ID_NAMES and option.ip_version == told.ip_version for option in options
    )
    return options if has_one else (*options, told)


def has_own_guid(port: Port) -> bool:
    """Whether it was given its GUID, which then stays when its MAC changes."""
    return port.guid is not None and port.guid != guid_of_mac(port.mac)


def check_free(tx: Tx, port: Port) -> None:
    """Raises Conflict `guid_in_use` for the GUID of a host's PF; that of another port is the database's to find."""
    own = tx.devices.find(key=guid_key(port.guid)) if port.guid else ()
    if own:
        raise Conflict(
            "guid_in_use",
            f"Unable to complete operation for network {port.network_id}. The GUID {port.guid} is that of the PF "
            f"{own[0].name or own[0].pci_address} of a host: give the port another.",
            field="guid",
        )


def check_settings(network: Network, *, vlan_priority: int, trusted: bool) -> None:
    """Raises InvalidValue for what no port of InfiniBand can have."""
    where = f"possible on {_named(network)}, which is one of InfiniBand"
    if vlan_priority:
        raise InvalidValue("vlan_priority", vlan_priority, f"{where}: its frames have no tag")
    if trusted:
        raise InvalidValue("trusted", trusted, f"{where}: no VF of it can be trusted with other addresses")


def _named(network: Network) -> str:
    return f"network {network.name or network.id}"
