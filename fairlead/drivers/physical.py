"""A whole PF: the guest has the NIC port itself, with its own MAC and all VLANs that the switch lets it have.

Nobody stands between the guest and the wire, so nothing can be set but what the guest sets itself. Sources of what
clients read: Neutron's sriovnicswitch driver for vif_details, Nova's PF profile for binding:profile. What that means
for MAC and VLAN: docs/decisions/0019.
"""

from collections.abc import Mapping

from fairlead.drivers.base import Bound, BoundPort
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.network import Network
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import ALL_VLANS, PortProfileKind
from fairlead.model.port_settings import PortSettings
from fairlead.model.vf import LinkState, VlanProtocol

DEVICE_MAC = "device_mac_address"
"""Key of binding:profile: the MAC of the PF, which is the port's while it is bound."""

_PROFILE_FIELDS: Mapping[VnicType, frozenset[str]] = {
    VnicType.DIRECT_PHYSICAL: frozenset({"trust", "spoof_check", "mtu", "min_rate_mbps", "allowed_vlans"})
}


class Physical:
    """Binds direct-physical ports to PFs, and to NICs without SR-IOV."""

    vif_type = VifType.HOSTDEV_PHYSICAL
    vnic_types = frozenset({VnicType.DIRECT_PHYSICAL})
    link_layers = frozenset({LinkLayer.ETHERNET})
    profile_kinds = frozenset({PortProfileKind.ETHERNET})
    profile_fields = _PROFILE_FIELDS

    def bind(self, bound: BoundPort) -> Bound:
        """See Driver.bind."""
        device = bound.device
        if device is None or device.mac is None:
            raise Conflict(
                "cannot_bind",
                f"Port {bound.port.id} is direct-physical and no PF with a MAC of its own is held for it.",
            )
        _refuse_the_impossible(bound)
        profile = {
            "pci_vendor_info": f"{device.vendor}:{device.product}",
            "pci_slot": device.pci_address,
            "physical_network": bound.network.physical_network,
            DEVICE_MAC: device.mac,
        }
        details = {
            "port_filter": "False",
            "connectivity": "l2",
            "vlan": str(bound.network.vlan or 0),
            "bound_drivers": self.vif_type.value,
        }
        return Bound(self.vif_type, details, profile)

    def settings(self, bound: BoundPort) -> Settings:
        """See Driver.settings. The host is told nothing: it has no say over the NIC while a guest has it."""
        _refuse_the_impossible(bound)
        return Settings()


def _refuse_the_impossible(bound: BoundPort) -> None:
    if why := _why_not(bound.network, bound.in_force):
        raise Conflict(
            "cannot_bind",
            f"Port {bound.port.name or bound.port.id} is direct-physical, its guest has the whole device, and {why}.",
        )


def _why_not(network: Network, asked: PortSettings) -> str:
    """What cannot be done to a device that its guest rules, and what would help; "" where it can serve the port."""
    if network.vlan is not None and not asked.trusted:
        return (
            f"nobody keeps that to VLAN {network.vlan} of network {network.name or network.id}: set trusted on the "
            "port, which an operator does, or take a flat network or a direct port"
        )
    if asked.spoof_check:
        return "nobody checks from what addresses it sends: take off port security and spoof_check"
    if asked.max_kbps is not None:
        return f"nothing caps what it sends at {asked.max_kbps} kbit/s: take a direct port for that"
    if asked.vlan_priority:
        return f"nobody gives its frames VLAN priority {asked.vlan_priority}: its guest tags them itself"
    if asked.vlan_protocol is VlanProtocol.DOT1AD:
        return "nobody gives its frames a tag of 802.1ad: its guest tags them itself"
    if asked.allowed_vlans not in (None, ALL_VLANS):
        return f"nobody keeps it to some VLANs: allow {ALL_VLANS[0]}"
    if asked.link_state is not LinkState.AUTO:
        forced = "down" if asked.link_state is LinkState.DISABLE else "up"
        return f"its link is that of the wire, and cannot be held {forced}"
    return ""
