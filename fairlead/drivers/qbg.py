"""802.1Qbg: the bridge at the other end of the cable knows the port as a VSI, by a type that its manager keeps.

The NIC is told what hw_veb tells it: the bridge takes frames of that MAC and VLAN alone, and says what they may do.
Source of what clients read: Nova's set_vif_host_backend_802qbg_config (nova/virt/libvirt/designer.py) for vif_details.
"""

from dataclasses import replace

from fairlead.drivers.base import NO_FIELDS, Bound, BoundPort
from fairlead.drivers.hw_veb import HwVeb
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.pci import LinkLayer
from fairlead.model.port_profile import PortProfileKind, QbgSettings
from fairlead.model.vf import LinkState
from fairlead.model.vsi import VsiSettings

_ON_VF = HwVeb()


class Qbg:
    """Binds direct and macvtap ports with an 802.1Qbg profile to VFs."""

    vif_type = VifType.QBG
    vnic_types = HwVeb.vnic_types
    link_layers = frozenset({LinkLayer.ETHERNET})
    profile_kinds = frozenset({PortProfileKind.QBG})
    profile_fields = NO_FIELDS

    def bind(self, bound: BoundPort) -> Bound:
        """See Driver.bind."""
        vsi, on_vf = _vsi(bound), _ON_VF.bind(bound)
        told = {
            "managerid": str(vsi.manager_id),
            "typeid": str(vsi.type_id),
            "typeidversion": str(vsi.type_id_version),
            "instanceid": vsi.instance_id,
            "bound_drivers": self.vif_type.value,
        }
        return Bound(self.vif_type, on_vf.vif_details | told, on_vf.profile)

    def settings(self, bound: BoundPort) -> Settings:
        """See Driver.settings. A port that is down is not associated."""
        vsi = _vsi(bound)
        is_up = bound.in_force.link_state is not LinkState.DISABLE
        return replace(_ON_VF.settings(bound), vsi=vsi if is_up else None)


def _vsi(bound: BoundPort) -> VsiSettings:
    said = bound.in_force.beyond_ethernet
    if not isinstance(said, QbgSettings):
        raise Conflict("cannot_bind", f"Port {bound.port.id} has no port profile of kind 802.1Qbg.")
    return VsiSettings(
        instance_id=said.instance_id or bound.port.id,
        manager_id=said.manager_id,
        type_id=said.type_id,
        type_id_version=said.type_id_version,
        mac=bound.port.mac,
        vlan=bound.network.vlan,
    )
