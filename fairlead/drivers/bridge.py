"""Linux bridge: an ordinary vNIC is a tap on the VLAN-filtering bridge of its physical network."""

from collections.abc import Mapping

from fairlead.drivers.base import Bound, BoundPort
from fairlead.drivers.names import bridge_name, tap_name
from fairlead.hoststate.desired import FLAT_VLAN
from fairlead.hoststate.settings import Settings, TapSettings
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.guest_sources import guest_sources
from fairlead.model.pci import LinkLayer
from fairlead.model.port import Port, VnicType
from fairlead.model.port_profile import PortProfileKind
from fairlead.model.port_settings import PortSettings
from fairlead.model.vf import LinkState, VlanProtocol

_PROFILE_FIELDS: Mapping[VnicType, frozenset[str]] = {
    VnicType.NORMAL: frozenset({"spoof_check", "link_state", "mtu", "max_rate_mbps"})
}


class Bridge:
    """Binds normal ports to taps."""

    vif_type = VifType.BRIDGE
    vnic_types = frozenset({VnicType.NORMAL})
    link_layers = frozenset({LinkLayer.ETHERNET})
    profile_kinds = frozenset({PortProfileKind.ETHERNET})
    profile_fields = _PROFILE_FIELDS

    def bind(self, bound: BoundPort) -> Bound:
        """See Driver.bind."""
        _refuse_the_impossible(bound)
        details = {
            "port_filter": "False",
            "connectivity": "l2",
            "bridge_name": bridge_name(bound.network.physical_network),
            "bound_drivers": self.vif_type.value,
        }
        return Bound(self.vif_type, details)

    def settings(self, bound: BoundPort) -> Settings:
        """See Driver.settings. A tap's link follows no uplink: it is up or down."""
        _refuse_the_impossible(bound)
        asked = bound.in_force
        tap = TapSettings(
            name=tap_name(bound.port.id),
            bridge=bridge_name(bound.network.physical_network),
            vlan=bound.network.vlan,
            mtu=asked.mtu,
            max_rate_kbps=asked.max_kbps,
            spoof_check=asked.spoof_check,
            sources=guest_sources(bound.port) if asked.spoof_check else (),
            is_up=asked.link_state is not LinkState.DISABLE,
        )
        return Settings(tap=tap)


def _refuse_the_impossible(bound: BoundPort) -> None:
    if bound.network.vlan == FLAT_VLAN:
        raise Conflict(
            "cannot_bind",
            f"Port {bound.port.id} is an ordinary vNIC on VLAN {FLAT_VLAN}, which the bridges of hosts need for frames "
            "without a tag: make it a direct port, or take a network of another VLAN.",
        )
    if wish := _impossible_wish(bound.port, bound.in_force):
        raise Conflict(
            "cannot_bind",
            f"Port {bound.port.id} asks for {wish}, which an ordinary vNIC cannot give: make it a direct port.",
        )


def _impossible_wish(port: Port, asked: PortSettings) -> str:
    if asked.vlan_priority:
        return f"VLAN priority {asked.vlan_priority}"
    if asked.trusted:
        return "a trusted device"
    if port.alias:
        return f"a device of alias {port.alias}"
    if asked.min_kbps:
        return f"a promise of {asked.min_kbps} kbit/s"
    if asked.vlan_protocol is VlanProtocol.DOT1AD:
        return "a tag of 802.1ad"
    if asked.allowed_vlans is not None:
        return "a trunk of VLANs"
    return ""
