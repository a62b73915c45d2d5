"""Ports on their way to a host, drawn from whatever can be asked for: for Hypothesis.

A port starts plain, as the API makes one of which nothing is asked, and gets wishes: through its own attributes, its
network, its QoS policy, its port profile. So a driver is tried with what it serves and with what it must refuse.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from fairlead.drivers.base import BoundPort
from fairlead.model.errors import InvalidValue
from fairlead.model.infiniband import HIGHEST_PARTITION_KEY, TAKES_PARTITIONS, Membership
from fairlead.model.network import SegmentKind
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import (
    ALL_VLANS,
    HIGHEST_MANAGER_ID,
    HIGHEST_TYPE_ID,
    HIGHEST_TYPE_ID_VERSION,
    HIGHEST_VLAN,
    HIGHEST_VLAN_PRIORITY,
    LEAST_MTU,
    LONGEST_PROFILE_ID,
    MOST_MBPS,
    EthernetSettings,
    InfinibandSettings,
    PortProfileKind,
    PortProfileSettings,
    QbgSettings,
    QbhSettings,
    parse_vlans,
)
from fairlead.model.request import Nic, server_request
from fairlead.model.vf import LinkState, VlanProtocol
from tests import rows

INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"


@dataclass(frozen=True)
class Wish:
    """One thing more that is asked of a port."""

    name: str
    grant: Callable[[BoundPort], BoundPort]

    def __repr__(self) -> str:
        return self.name


SETTINGS: dict[PortProfileKind, tuple[PortProfileSettings, ...]] = {
    PortProfileKind.ETHERNET: (EthernetSettings(),),
    PortProfileKind.QBH: tuple(
        map(QbhSettings, ("finance", "x", "y" * LONGEST_PROFILE_ID, "\u00fc" * (LONGEST_PROFILE_ID // 2)))
    ),
    PortProfileKind.QBG: (
        QbgSettings(11, 1193046, 2),
        QbgSettings(1, 0, 0, INSTANCE),
        QbgSettings(HIGHEST_MANAGER_ID, HIGHEST_TYPE_ID, HIGHEST_TYPE_ID_VERSION),
    ),
    PortProfileKind.INFINIBAND: (
        InfinibandSettings(16),
        InfinibandSettings(1, Membership.LIMITED),
        InfinibandSettings(HIGHEST_PARTITION_KEY),
    ),
}
"""Of each kind, at and within the bounds of its standard; an Ethernet one says nothing yet."""

_OF_NETWORK: dict[LinkLayer, dict[str, object]] = {
    LinkLayer.ETHERNET: {},
    LinkLayer.INFINIBAND: {"link_layer": LinkLayer.INFINIBAND, "physical_network": "fabric"},
}
_PROFILE_FIELDS: dict[str, tuple[object, ...]] = {
    "vlan_priority": (0, 5, HIGHEST_VLAN_PRIORITY),
    "vlan_protocol": tuple(VlanProtocol),
    "allowed_vlans": (ALL_VLANS, parse_vlans(["100", "200-299"])),
    "trust": (True, False),
    "spoof_check": (True, False),
    "link_state": tuple(LinkState),
    "mtu": (LEAST_MTU, 1400, 1500),
    "min_rate_mbps": (1, 900),
    "max_rate_mbps": (1, 900, MOST_MBPS),
}
_PORT_FIELDS: dict[str, tuple[object, ...]] = {
    "vlan_priority": (1, HIGHEST_VLAN_PRIORITY),
    "trusted": (True,),
    "port_security_enabled": (False,),
    "admin_state_up": (False,),
    "propagate_uplink_status": (False,),
    "allowed_addresses": (("10.9.0.0/24",),),
}
_NETWORK_FIELDS: dict[str, tuple[object, ...]] = {
    "vlan": (None, 1, 200, HIGHEST_VLAN),
    "mtu": (LEAST_MTU, 9000),
    "admin_state_up": (False,),
}
_RATES = ((1000, None), (None, 10_000), (900_000, 10_000), (10_000, 900_000))
"""Cap and promise of a QoS policy, kbit/s."""


def plain_port(
    vnic_type: VnicType,
    link_layer: LinkLayer,
    settings: PortProfileSettings,
    vlan: int | None = 100,
    capabilities: tuple[str, ...] = (),
) -> BoundPort:
    """A port of which nothing is asked beyond its profile, with the device that such a port is given."""
    # As control makes it: nobody checks what leaves a whole device.
    secured = vnic_type is not VnicType.DIRECT_PHYSICAL
    port = rows.port(vlan=vlan, vnic_type=vnic_type, port_security_enabled=secured)
    network = rows.network(vlan, name="blue", **_OF_NETWORK[link_layer])
    bound = BoundPort(port, network, None, profile=rows.profile(settings))
    kind, head = device_kind(vnic_type), rows.pf(link_layer=link_layer, capabilities=capabilities)
    if kind is None:
        return bound
    held = rows.vf(1, link_layer=link_layer) if kind is DeviceKind.VF else head
    return replace(bound, device=held, pf=head)


def device_kind(vnic_type: VnicType) -> DeviceKind | None:
    """What a port of that type asks for of a host; None: nothing that is held."""
    nic = Nic(rows.port(vnic_type=vnic_type, port_security_enabled=False), rows.network())
    asked = server_request(rows.server().flavor, (nic,), {}).pci
    return asked[0].kind if asked else None


def plain(vnic_type: VnicType, link_layer: LinkLayer, kind: PortProfileKind) -> st.SearchStrategy[BoundPort]:
    """Of a profile of that kind, on a flat or a VLAN network. Where its driver has no word for a partition, the subnet
    manager alone keeps it.
    """
    return st.builds(
        plain_port,
        st.just(vnic_type),
        st.just(link_layer),
        st.sampled_from(SETTINGS[kind]),
        st.sampled_from([None, 100]),
        st.sampled_from([(), (TAKES_PARTITIONS,)]),
    )


def all_wishes(kind: PortProfileKind) -> tuple[Wish, ...]:
    """Each that a port with a profile of that kind can have, for each value that matters."""
    of_profile = _of_profile() if kind is PortProfileKind.ETHERNET else _other_profiles(kind)
    return (*_of_port(), *_of_network(), *_of_qos(), *of_profile)


def _of_port() -> Iterator[Wish]:
    for name, value in _each(_PORT_FIELDS):

        def grant(bound: BoundPort, name: str = name, value: object = value) -> BoundPort:
            return replace(bound, port=replace(bound.port, **{name: value}))

        yield Wish(f"port {name} {value}", grant)


def _of_network() -> Iterator[Wish]:
    for name, value in _each(_NETWORK_FIELDS):

        def grant(bound: BoundPort, name: str = name, value: object = value) -> BoundPort:
            network = replace(bound.network, **{name: value})
            kind = SegmentKind.FLAT if network.vlan is None else SegmentKind.VLAN
            return replace(bound, network=replace(network, kind=kind))

        yield Wish(f"network {name} {value}", grant)


def _of_qos() -> Iterator[Wish]:
    for cap, promise in _RATES:
        qos = rows.qos(limit_kbps=cap, minimum_kbps=promise)
        yield Wish(f"at most {cap}, at least {promise}", lambda bound, qos=qos: replace(bound, qos=qos))


def _of_profile() -> Iterator[Wish]:
    """A field more of its Ethernet profile; one that cannot be beside the others takes their place."""
    for name, value in _each(_PROFILE_FIELDS):

        def grant(bound: BoundPort, name: str = name, value: object = value) -> BoundPort:
            before = bound.profile.settings if bound.profile else EthernetSettings()
            try:
                said = replace(before, **{name: value})
            except InvalidValue:
                said = EthernetSettings(**{name: value})
            return replace(bound, profile=rows.profile(said))

        yield Wish(f"profile {name} {value}", grant)


def _other_profiles(kind: PortProfileKind) -> Iterator[Wish]:
    for settings in SETTINGS[kind]:
        profile = rows.profile(settings)
        yield Wish(f"profile {settings}", lambda bound, profile=profile: replace(bound, profile=profile))


def _each(fields: dict[str, tuple[object, ...]]) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, values in fields.items() for value in values)
