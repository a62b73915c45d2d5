"""Linux bridge: an ordinary vNIC is a tap on the VLAN-filtering bridge of its physical network."""

from hashlib import sha256

from fairlead.drivers.base import Bound, BoundPort, TapSettings
from fairlead.hoststate.desired import BRIDGE_PREFIX, TAP_PREFIX
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId
from fairlead.model.pci import LinkLayer
from fairlead.model.port import Port, VnicType
from fairlead.model.qos import egress_limit_kbps, egress_minimum_kbps


class Bridge:
    """Binds normal ports to taps."""

    vif_type = VifType.BRIDGE
    vnic_types = frozenset({VnicType.NORMAL})
    link_layers = frozenset({LinkLayer.ETHERNET})

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

    def settings(self, bound: BoundPort) -> TapSettings:
        """See Driver.settings."""
        _refuse_the_impossible(bound)
        port = bound.port
        return TapSettings(
            name=tap_name(port.id),
            bridge=bridge_name(bound.network.physical_network),
            vlan=bound.network.vlan,
            mtu=bound.network.mtu,
            max_rate_kbps=egress_limit_kbps(bound.qos),
            spoof_check=port.port_security_enabled,
            is_up=port.admin_state_up,
        )


def bridge_name(physical_network: str) -> str:
    """The bridge's name on every host: within IFNAMSIZ whatever the physical network is called."""
    return f"{BRIDGE_PREFIX}{sha256(physical_network.encode()).hexdigest()[:8]}"


def tap_name(port_id: PortId) -> str:
    """The name of a port's tap."""
    return f"{TAP_PREFIX}{port_id[:8]}"


def _refuse_the_impossible(bound: BoundPort) -> None:
    port = bound.port
    if wish := _impossible_wish(port, egress_minimum_kbps(bound.qos)):
        raise Conflict(
            "cannot_bind",
            f"Port {port.id} asks for {wish}, which an ordinary vNIC cannot give: make it a direct port.",
        )


def _impossible_wish(port: Port, promised_kbps: int | None) -> str:
    if port.vlan_priority:
        return f"VLAN priority {port.vlan_priority}"
    if port.trusted:
        return "a trusted device"
    if port.alias:
        return f"a device of alias {port.alias}"
    if promised_kbps:
        return f"a promise of {promised_kbps} kbit/s"
    return ""
