"""802.1Qbh (VM-FEX): the switch keeps the port profile, and ties the VF to it when the host asks for that.

VLAN, priority, rates and filters are the switch's profile's: nothing of them is written to the VF, and a port that asks
for one is refused. Source of what clients read: Cisco's UCS Manager driver for Neutron for vif_details.
"""

from dataclasses import replace

from fairlead.drivers.base import NO_FIELDS, Bound, BoundPort
from fairlead.drivers.held_vf import macvtap_on_vf, vf_profile
from fairlead.drivers.hw_veb import HwVeb
from fairlead.hoststate.settings import Settings
from fairlead.model.association import Association
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.pci import LinkLayer
from fairlead.model.port_profile import PortProfileKind, QbhSettings
from fairlead.model.port_settings import PortSettings
from fairlead.model.vf import BASELINE, LinkState


class Qbh:
    """Binds direct and macvtap ports with an 802.1Qbh profile to VFs."""

    vif_type = VifType.QBH
    vnic_types = HwVeb.vnic_types
    link_layers = frozenset({LinkLayer.ETHERNET})
    profile_kinds = frozenset({PortProfileKind.QBH})
    profile_fields = NO_FIELDS

    def bind(self, bound: BoundPort) -> Bound:
        """See Driver.bind."""
        profile_id = _profile_id(bound)
        details = {
            "port_filter": "False",
            "connectivity": "l2",
            "profileid": profile_id,
            "bound_drivers": self.vif_type.value,
        }
        return Bound(self.vif_type, details, vf_profile(bound))

    def settings(self, bound: BoundPort) -> Settings:
        """See Driver.settings. A port that is down is not associated: without that its VF has no network."""
        profile_id = _profile_id(bound)
        # Before a host is chosen it is only asked whether this can be.
        host_id = bound.device.host_id if bound.device else ""
        is_up = bound.in_force.link_state is not LinkState.DISABLE
        association = Association(profile_id, bound.port.id, host_id) if is_up else None
        vf = replace(BASELINE, mac=bound.port.mac, association=association)
        return Settings(vf=vf, macvtap=macvtap_on_vf(bound))


def _profile_id(bound: BoundPort) -> str:
    asked = bound.in_force
    said = asked.beyond_ethernet
    if not isinstance(said, QbhSettings):
        raise Conflict("cannot_bind", f"Port {bound.port.id} has no port profile of kind 802.1Qbh.")
    if wish := _wish_of_the_switch(asked):
        raise Conflict(
            "cannot_bind",
            f"Port {bound.port.id} asks for {wish}, which is for the switch's profile {said.profile_id} to say: take "
            "it off the port, its network or its QoS policy.",
        )
    return said.profile_id


def _wish_of_the_switch(asked: PortSettings) -> str:
    """What the port itself asks for beside its profile, in words; "" nothing."""
    if asked.vlan_priority:
        return f"VLAN priority {asked.vlan_priority}"
    if asked.trusted:
        return "a trusted device"
    if not asked.spoof_check:
        return "no port security"
    if asked.link_state is LinkState.ENABLE:
        return "a link that is up whatever the PF's is"
    if asked.min_kbps:
        return f"a promise of {asked.min_kbps} kbit/s"
    return f"a cap of {asked.max_kbps} kbit/s" if asked.max_kbps is not None else ""
