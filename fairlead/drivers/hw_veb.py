"""Hardware VEB: the NIC's own embedded bridge switches between its VFs and the wire (Ethernet).

The VF gets the port's MAC and, on a VLAN network, a port VLAN that the guest does not see. A direct port's guest has
the VF itself; a macvtap port's has a macvtap on it, in mode passthru, and the VF stays the host's. Sources of what
clients read: Neutron's sriovnicswitch driver for vif_details.
"""

from collections.abc import Mapping

from fairlead.drivers.base import Bound, BoundPort
from fairlead.drivers.held_vf import macvtap_on_vf, vf_profile
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import ALL_FIELDS, ALL_VLANS, PortProfileKind
from fairlead.model.qos import mbps
from fairlead.model.vf import VfSettings

_PROFILE_FIELDS: Mapping[VnicType, frozenset[str]] = {
    VnicType.DIRECT: ALL_FIELDS,
    VnicType.MACVTAP: ALL_FIELDS - {"allowed_vlans"},
}


class HwVeb:
    """Binds direct and macvtap ports to VFs of Ethernet PFs."""

    vif_type = VifType.HW_VEB
    vnic_types = frozenset({VnicType.DIRECT, VnicType.MACVTAP})
    link_layers = frozenset({LinkLayer.ETHERNET})
    profile_kinds = frozenset({PortProfileKind.ETHERNET})
    profile_fields = _PROFILE_FIELDS

    def bind(self, bound: BoundPort) -> Bound:
        """See Driver.bind."""
        _refuse_the_impossible(bound)
        details = {
            "port_filter": "False",
            "connectivity": "l2",
            "vlan": str(bound.network.vlan or 0),
            "bound_drivers": self.vif_type.value,
        }
        return Bound(self.vif_type, details, vf_profile(bound))

    def settings(self, bound: BoundPort) -> Settings:
        """See Driver.settings."""
        _refuse_the_impossible(bound)
        asked = bound.in_force
        vf = VfSettings(
            mac=bound.port.mac,
            vlan=bound.network.vlan,
            vlan_priority=asked.vlan_priority,
            vlan_protocol=asked.vlan_protocol,
            spoof_check=asked.spoof_check,
            trust=asked.trusted,
            link_state=asked.link_state,
            min_rate_mbps=mbps(asked.min_kbps),
            max_rate_mbps=mbps(asked.max_kbps or 0),
        )
        return Settings(vf=vf, macvtap=macvtap_on_vf(bound))


def _refuse_the_impossible(bound: BoundPort) -> None:
    """The priority is a part of the port VLAN's tag (IFLA_VF_VLAN), the kernel wants min <= max, and it has no way to
    tell a VF a list of VLANs: one without a port VLAN takes all tags.
    """
    port, asked = bound.port, bound.in_force
    if asked.vlan_priority and bound.network.vlan is None:
        raise Conflict(
            "cannot_bind",
            f"Port {port.id} asks for VLAN priority {asked.vlan_priority}, but network "
            f"{bound.network.name or bound.network.id} is flat: frames without a tag have no priority.",
        )
    if asked.allowed_vlans is not None and port.vnic_type is VnicType.MACVTAP:
        raise Conflict(
            "cannot_bind",
            f"Port {port.id} is a trunk by its port profile and of vNIC type macvtap: the host's driver of the VF lets "
            "in frames of those VLANs alone that the host has on it. Make it a direct port.",
        )
    if asked.allowed_vlans not in (None, ALL_VLANS):
        raise Conflict(
            "cannot_bind",
            f"Port {port.id} is a trunk of some VLANs by its port profile, and a NIC's embedded bridge can hold a VF "
            f"to one VLAN or let all pass: allow {ALL_VLANS[0]}, or give the port a network of one VLAN.",
        )
    least, most = asked.min_kbps, asked.max_kbps
    if least and most and mbps(least) > mbps(most):
        raise Conflict(
            "cannot_bind",
            f"The QoS policy of port {port.id} promises {least} kbit/s and caps it at {most} kbit/s: the "
            "promise must not be above the cap.",
        )
