"""InfiniBand: a VF of a host channel adapter, with a GUID of its own, in a partition of the fabric.

The VF has no MAC and no VLAN: it is told its GUID, and where its driver has a word for it its partition; the subnet
manager holds it to that in any case. It enters the guest as a plain hostdev. Sources of what clients read: the driver
mlnx_infiniband of networking-mlnx for vif_details, Nova's VF profile for binding:profile.
"""

from fairlead.drivers.base import NO_FIELDS, Bound, BoundPort
from fairlead.drivers.held_vf import vf_profile
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.infiniband import TAKES_PARTITIONS, Guid, guid_of_mac
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import PortProfileKind
from fairlead.model.port_settings import PortSettings
from fairlead.model.vf import VfSettings


class Infiniband:
    """Binds direct ports to VFs of InfiniBand PFs."""

    vif_type = VifType.IB_HOSTDEV
    vnic_types = frozenset({VnicType.DIRECT})
    link_layers = frozenset({LinkLayer.INFINIBAND})
    profile_kinds = frozenset({PortProfileKind.INFINIBAND, PortProfileKind.ETHERNET})
    profile_fields = NO_FIELDS

    def bind(self, bound: BoundPort) -> Bound:
        """See Driver.bind."""
        _refuse_the_impossible(bound)
        details = {
            "port_filter": "False",
            "physical_network": bound.network.physical_network,
            "bound_drivers": self.vif_type.value,
        }
        return Bound(self.vif_type, details, vf_profile(bound) | {"guid": guid_of(bound)})

    def settings(self, bound: BoundPort) -> Settings:
        """See Driver.settings."""
        _refuse_the_impossible(bound)
        asked, guid = bound.in_force, guid_of(bound)
        takes_partitions = bound.pf is not None and TAKES_PARTITIONS in bound.pf.capabilities
        return Settings(
            vf=VfSettings(
                link_state=asked.link_state,
                port_guid=guid,
                node_guid=guid,
                partition_key=asked.partition if takes_partitions else None,
            )
        )


def guid_of(bound: BoundPort) -> Guid:
    """The port's own."""
    return bound.port.guid or guid_of_mac(bound.port.mac)


def _refuse_the_impossible(bound: BoundPort) -> None:
    if wish := _impossible_wish(bound.in_force):
        raise Conflict(
            "cannot_bind",
            f"Port {bound.port.id} asks for {wish}, and no VF of InfiniBand can be told such a thing: take it off the "
            "port, its QoS policy or its network's.",
        )


def _impossible_wish(asked: PortSettings) -> str:
    """What an InfiniBand driver has no operation for, in netlink or in sysfs (ipoib_netdev_ops_pf); "" nothing."""
    if asked.trusted:
        return "a trusted device"
    if asked.vlan_priority:
        return f"VLAN priority {asked.vlan_priority}"
    if asked.min_kbps:
        return f"a promise of {asked.min_kbps} kbit/s"
    return f"a cap of {asked.max_kbps} kbit/s" if asked.max_kbps is not None else ""
