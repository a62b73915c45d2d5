"""A guest's config drive, in OpenStack's layout: how its names, keys and addresses reach it.

No DHCP server can be assumed on a VF's network, so every address is told as a static one. Sources: Nova's
metadata service (meta_data.json, devices[]) and its network_data.json schema, as cloud-init reads them.
"""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network

from fairlead.hoststate.desired import ConfigFile, DesiredGuest
from fairlead.model.dhcp_option import ToldOptions, told
from fairlead.model.ids import PortId, SubnetId
from fairlead.model.infiniband import mac_of_guid
from fairlead.model.network import Network, Subnet
from fairlead.model.pci import LinkLayer, MacAddress, PciAddress
from fairlead.model.port import FixedIp, Port, VnicType
from fairlead.model.port_settings import PortSettings
from fairlead.model.server import Server

Json = dict[str, object]

_ROOT = "openstack/latest"
_META_DATA = f"{_ROOT}/meta_data.json"
_LINK_TYPES = {
    VnicType.DIRECT: "hw_veb",
    VnicType.MACVTAP: "hw_veb",
    VnicType.DIRECT_PHYSICAL: "hostdev_physical",
    VnicType.NORMAL: "bridge",
}
"""As Nova has them: the VIF types, which cloud-init takes for NICs."""


@dataclass(frozen=True, slots=True)
class GuestNic:
    """A NIC as its guest is told of it. `subnets` are those of its fixed addresses, `settings` what holds for its
    port.
    """

    port: Port
    network: Network
    subnets: Mapping[SubnetId, Subnet]
    settings: PortSettings


def config_files(server: Server, nics: tuple[GuestNic, ...]) -> tuple[ConfigFile, ...]:
    """The files of the drive, in order of path; none for a server without one."""
    if not server.config_drive:
        return ()
    files = [
        ConfigFile(_META_DATA, _text(_meta_data(server, nics))),
        ConfigFile(f"{_ROOT}/network_data.json", _text(_network_data(nics))),
        ConfigFile(f"{_ROOT}/vendor_data.json", _text(_vendor_data(nics))),
    ]
    if server.user_data:
        files.append(_user_data(server.user_data))
    return tuple(sorted(files, key=lambda file: file.path))


def placed_files(guest: DesiredGuest, places: Mapping[PortId, PciAddress]) -> tuple[ConfigFile, ...]:
    """The guest's files, with the PCI addresses at which it sees the NICs that they tell of: its host alone knows. They
    tell a NIC by its MAC; of two of one MAC, on two networks, nothing is said.
    """
    macs = Counter(nic.mac for nic in guest.nics)
    known = (nic for nic in guest.nics if nic.port_id in places and macs[nic.mac] == 1)
    of_mac = {nic.mac: places[nic.port_id] for nic in known}
    return tuple(
        replace(file, content=_placed(file.content, of_mac)) if file.path == _META_DATA else file
        for file in guest.config_files
    )


def _placed(content: str, of_mac: Mapping[MacAddress, PciAddress]) -> str:
    document = json.loads(content)
    placed = [device for device in document.get("devices", ()) if device["mac"] in of_mac]
    for device in placed:
        device |= {"bus": "pci", "address": of_mac[device["mac"]]}
    return _text(document) if placed else content


def _vendor_data(nics: tuple[GuestNic, ...]) -> Json:
    """Every DHCP option of every port as it was written: some say what no other file of the drive has a word for."""
    options = [
        {
            "port_id": nic.port.id,
            "mac": told_mac(nic.port),
            "name": option.name,
            "value": option.value,
            "ip_version": option.ip_version,
        }
        for nic in nics
        for option in nic.port.dhcp_options
    ]
    return {"fairlead": {"dhcp_options": options}} if options else {}


def _user_data(encoded: str) -> ConfigFile:
    """Often a script or YAML, but cloud-init takes gzip too: what is no text stays base64."""
    path = f"{_ROOT}/user_data"
    try:
        return ConfigFile(path, b64decode(encoded).decode())
    except UnicodeDecodeError:
        return ConfigFile(path, encoded, is_base64=True)


def _meta_data(server: Server, nics: tuple[GuestNic, ...]) -> Json:
    document: Json = {
        "uuid": server.id,
        "name": server.name,
        "hostname": server.hostname,
        "launch_index": 0,
        "project_id": server.project_id,
        "availability_zone": server.availability_zone,
        "meta": server.metadata,
        "devices": [_device(server, nic) for nic in nics if _is_told(server, nic)],
    }
    if server.key_name and server.public_key:
        document["public_keys"] = {server.key_name: server.public_key}
        document["keys"] = [{"name": server.key_name, "type": "ssh", "data": server.public_key}]
    return document


def _is_told(server: Server, nic: GuestNic) -> bool:
    return nic.port.vnic_type is not VnicType.NORMAL or nic.port.id in server.nic_tags


def _device(server: Server, nic: GuestNic) -> Json:
    """Nova's device metadata. The guest's PCI address is libvirt's choice: `placed_files` tells it."""
    tag = server.nic_tags.get(nic.port.id)
    device: Json = {
        "type": "nic",
        "bus": "none",
        "address": "none",
        "mac": told_mac(nic.port),
        "tags": [tag] if tag else [],
    }
    if nic.network.link_layer is LinkLayer.INFINIBAND:
        return device
    if nic.port.vnic_type.needs_vf:
        device["vf_trusted"] = nic.settings.trusted
    if nic.port.vnic_type is not VnicType.NORMAL and nic.network.vlan is not None:
        device["vlan"] = nic.network.vlan
    return device


def _network_data(nics: tuple[GuestNic, ...]) -> Json:
    addresses = [(nic, fixed_ip) for nic in nics for fixed_ip in nic.port.fixed_ips]
    servers = dict.fromkeys(
        dns for nic, at in addresses for dns in _dns_servers(nic, nic.subnets[at.subnet_id])
    )
    return {
        "links": [link for nic in nics for link in _links(nic)],
        "networks": [_address(number, nic, at) for number, (nic, at) in enumerate(addresses)],
        "services": [_dns(server) for server in servers],
    }


def _links(nic: GuestNic) -> Iterator[Json]:
    """The NIC, and the VLAN on it that its guest must tag itself, as cloud-init makes one."""
    mtu = told(nic.port.dhcp_options, 4).mtu or nic.settings.mtu
    yield {
        "id": _nic_id(nic),
        "vif_id": nic.port.id,
        "type": _link_type(nic),
        "mtu": mtu,
        "ethernet_mac_address": told_mac(nic.port),
    }
    if (vlan := _own_vlan(nic)) is not None:
        yield {
            "id": _link_id(nic),
            "type": "vlan",
            "mtu": mtu,
            "vlan_id": vlan,
            "vlan_link": _nic_id(nic),
            "vlan_mac_address": nic.port.mac,
        }


def _own_vlan(nic: GuestNic) -> int | None:
    """The VLAN that the guest has to tag by itself, for nobody does it for a whole device; None: none."""
    return nic.network.vlan if nic.port.vnic_type is VnicType.DIRECT_PHYSICAL else None


def _nic_id(nic: GuestNic) -> str:
    return f"tap{nic.port.id[:11]}"


def _link_type(nic: GuestNic) -> str:
    """Nova's word for what it has no better one for is "phy"."""
    return "phy" if nic.network.link_layer is LinkLayer.INFINIBAND else _LINK_TYPES[nic.port.vnic_type]


def told_mac(port: Port) -> MacAddress:
    """cloud-init knows an InfiniBand NIC by its GUID without the middle (get_ib_interface_hwaddr)."""
    return mac_of_guid(port.guid) if port.guid else port.mac


def _link_id(nic: GuestNic) -> str:
    """The link that has the NIC's addresses."""
    vlan = _own_vlan(nic)
    return _nic_id(nic) if vlan is None else f"{_nic_id(nic)}.{vlan}"


def _address(number: int, nic: GuestNic, fixed_ip: FixedIp) -> Json:
    subnet = nic.subnets[fixed_ip.subnet_id]
    options = told(nic.port.dhcp_options, subnet.ip_version)
    return {
        "id": f"network{number}",
        "type": f"ipv{subnet.ip_version}",
        "link": _link_id(nic),
        "network_id": nic.network.id,
        "ip_address": fixed_ip.ip_address,
        "netmask": str(ip_network(subnet.cidr).netmask),
        "routes": list(_routes(subnet, options)),
        "services": [_dns(server) for server in _dns_servers(nic, subnet)],
        # Not in Nova's schema of the document, but what cloud-init reads there.
        **({"dns_search": list(options.search)} if options.search else {}),
    }


def _dns_servers(nic: GuestNic, subnet: Subnet) -> tuple[str, ...]:
    wanted = told(nic.port.dhcp_options, subnet.ip_version).dns_servers
    return subnet.dns_nameservers if wanted is None else wanted


def _routes(subnet: Subnet, options: ToldOptions) -> Iterator[Json]:
    """A client that is told routes takes no router beside them (RFC 3442)."""
    gateway = None if options.routes else subnet.gateway if options.router is None else options.router
    if gateway:
        anywhere = "0.0.0.0" if subnet.ip_version == 4 else "::"  # noqa: S104, PLR2004  the default route of IPv4
        yield {"network": anywhere, "netmask": anywhere, "gateway": gateway}
    for route in subnet.host_routes if options.routes is None else options.routes:
        destination = ip_network(route.destination)
        yield {
            "network": str(destination.network_address),
            "netmask": str(destination.netmask),
            "gateway": route.nexthop,
        }


def _dns(address: str) -> Json:
    return {"type": "dns", "address": address}


def _text(document: Json) -> str:
    """Sorted keys: the same server gives the same text, and so the same guest."""
    return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
