"""Ports on their way to a host, drawn from whatever can be asked for: for Hypothesis.

A port starts plain, as the API makes one of which nothing is asked, and gets wishes: through its own attributes, its
network, its QoS policy, its port profile. So a driver is tried with what it serves and with what it must refuse.
"""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from fairlead.drivers.base import BoundPort
from fairlead.model.errors import InvalidValue
from fairlead.model.infiniband import HIGHEST_PARTITION_KEY, TAKES_PARTITIONS, Membership
from fairlead.model.network import Network, SegmentKind
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import (
    ALL_VLANS,
    HIGHEST_MANAGER_ID,
    HIGHEST_TYPE_ID,
    HIGHEST_TYPE_ID_VERSION,
    HIGHEST_VLAN,
    HIGHEST_VLAN_PRIORITY,
    LONGEST_PROFILE_ID,
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
Wish = Callable[[BoundPort], BoundPort]

_VLANS = st.sampled_from([None, 1, 100, HIGHEST_VLAN])
_MBPS = st.sampled_from([1, 10, 900, 25_000])
_OF_NETWORK: dict[LinkLayer, dict[str, object]] = {
    LinkLayer.ETHERNET: {},
    LinkLayer.INFINIBAND: {"link_layer": LinkLayer.INFINIBAND, "physical_network": "fabric"},
}
_OF_KIND: dict[PortProfileKind, st.SearchStrategy[PortProfileSettings]] = {
    PortProfileKind.ETHERNET: st.just(EthernetSettings()),
    PortProfileKind.QBH: st.builds(
        QbhSettings,
        st.sampled_from(["finance", "x", "y" * LONGEST_PROFILE_ID, "ü" * (LONGEST_PROFILE_ID // 2)]),
    ),
    PortProfileKind.QBG: st.builds(
        QbgSettings,
        st.sampled_from([1, 11, HIGHEST_MANAGER_ID]),
        st.sampled_from([0, 1193046, HIGHEST_TYPE_ID]),
        st.sampled_from([0, 2, HIGHEST_TYPE_ID_VERSION]),
        st.sampled_from([None, INSTANCE]),
    ),
    PortProfileKind.INFINIBAND: st.builds(
        InfinibandSettings,
        st.sampled_from([1, 16, HIGHEST_PARTITION_KEY]),
        st.sampled_from(Membership),
    ),
}
_PROFILE_FIELDS: dict[str, st.SearchStrategy[object]] = {
    "vlan_priority": st.integers(0, HIGHEST_VLAN_PRIORITY),
    "vlan_protocol": st.sampled_from(VlanProtocol),
    "allowed_vlans": st.sampled_from([ALL_VLANS, parse_vlans(["100", "200-299"])]),
    "trust": st.booleans(),
    "spoof_check": st.booleans(),
    "link_state": st.sampled_from(LinkState),
    "mtu": st.sampled_from([68, 1400, 1500]),
    "min_rate_mbps": _MBPS,
    "max_rate_mbps": _MBPS,
}
_PORT_FIELDS: dict[str, tuple[object, ...]] = {
    "vlan_priority": (1, 5, HIGHEST_VLAN_PRIORITY),
    "trusted": (True,),
    "port_security_enabled": (False,),
    "admin_state_up": (False,),
    "propagate_uplink_status": (False,),
    "allowed_addresses": (("10.9.0.0/24",),),
}


@st.composite
def settings_of(draw: st.DrawFn, kind: PortProfileKind) -> PortProfileSettings:
    """Of a profile of that kind, at and within the bounds of its standard; an Ethernet one says nothing yet."""
    return draw(_OF_KIND[kind])


@st.composite
def plain(draw: st.DrawFn, vnic_type: VnicType, link_layer: LinkLayer, kind: PortProfileKind) -> BoundPort:
    """A port of which nothing is asked beyond its kind of profile, with the device that such a port is given."""
    vlan = draw(st.sampled_from([None, 100]))
    # As control makes it: nobody checks what leaves a whole device.
    secured = vnic_type is not VnicType.DIRECT_PHYSICAL
    port = rows.port(vlan=vlan, vnic_type=vnic_type, port_security_enabled=secured)
    network = rows.network(vlan, name="blue", **_OF_NETWORK[link_layer])
    settings = draw(settings_of(kind))
    is_named = kind is not PortProfileKind.ETHERNET or draw(st.booleans())
    bound = BoundPort(port, network, None, profile=rows.profile(settings) if is_named else None)
    # Where the NIC's driver has no word for it, the subnet manager alone keeps the partition.
    return with_device(bound, link_layer, draw(st.sampled_from([(), (TAKES_PARTITIONS,)])))


def with_device(bound: BoundPort, link_layer: LinkLayer, capabilities: tuple[str, ...]) -> BoundPort:
    """The port with what is held for it on the host, of a PF that has these."""
    kind = device_kind(bound.port.vnic_type)
    head = rows.pf(link_layer=link_layer, capabilities=capabilities)
    if kind is None:
        return bound
    return replace(
        bound, device=rows.vf(1, link_layer=link_layer) if kind is DeviceKind.VF else head, pf=head
    )


def device_kind(vnic_type: VnicType) -> DeviceKind | None:
    """What a port of that type asks for of a host; None: nothing that is held."""
    plain_port = rows.port(vnic_type=vnic_type, port_security_enabled=False)
    asked = server_request(rows.server().flavor, (Nic(plain_port, rows.network()),), {}).pci
    return asked[0].kind if asked else None


@st.composite
def wishes(draw: st.DrawFn, kind: PortProfileKind) -> Wish:
    """One thing more that is asked of a port with a profile of that kind."""
    ways = [_of_port(), _of_network(), _of_qos()]
    ways += [_of_profile()] if kind is PortProfileKind.ETHERNET else [_other_profile(kind)]
    return draw(st.one_of(ways))


@st.composite
def _of_port(draw: st.DrawFn) -> Wish:
    name = draw(st.sampled_from(sorted(_PORT_FIELDS)))
    value = draw(st.sampled_from(_PORT_FIELDS[name]))
    return lambda bound: replace(bound, port=replace(bound.port, **{name: value}))


@st.composite
def _of_network(draw: st.DrawFn) -> Wish:
    vlan, mtu = draw(_VLANS), draw(st.sampled_from([1500, 9000]))
    is_up = draw(st.booleans())

    def made(network: Network) -> Network:
        kind = SegmentKind.FLAT if vlan is None else SegmentKind.VLAN
        return replace(network, kind=kind, vlan=vlan, mtu=mtu, admin_state_up=is_up)

    return lambda bound: replace(bound, network=made(bound.network))


@st.composite
def _of_qos(draw: st.DrawFn) -> Wish:
    cap, promise = draw(st.none() | _MBPS), draw(st.none() | _MBPS)
    qos = rows.qos(limit_kbps=cap and cap * 1000, minimum_kbps=promise and promise * 1000)
    return lambda bound: replace(bound, qos=qos)


@st.composite
def _of_profile(draw: st.DrawFn) -> Wish:
    """A field more of its Ethernet profile; one that cannot be beside the others takes their place."""
    name = draw(st.sampled_from(sorted(_PROFILE_FIELDS)))
    said = {name: draw(_PROFILE_FIELDS[name])}

    def made(bound: BoundPort) -> EthernetSettings:
        before = bound.profile.settings if bound.profile else EthernetSettings()
        try:
            return replace(before, **said)
        except InvalidValue:
            return EthernetSettings(**said)

    return lambda bound: replace(bound, profile=rows.profile(made(bound)))


@st.composite
def _other_profile(draw: st.DrawFn, kind: PortProfileKind) -> Wish:
    settings = draw(settings_of(kind))
    return lambda bound: replace(bound, profile=rows.profile(settings))
