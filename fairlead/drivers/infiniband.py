"""InfiniBand: a VF of a host channel adapter, with a GUID of its own, in a partition of the fabric.

The VF has no MAC and no VLAN: it is told its GUID, and where its driver has a word for it its partition; the subnet
manager holds it to that in any case. It enters the guest as a plain hostdev. Sources of what clients read: the driver
mlnx_infiniband of networking-mlnx for vif_details, Nova's VF profile for binding:profile.
"""

from fairlead.drivers.base import Bound, BoundPort
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.infiniband import TAKES_PARTITIONS, Guid, guid_of_mac
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import PortProfileKind
from fairlead.model.vf import VfSettings


class Infiniband:
    """Binds direct ports to VFs of InfiniBand PFs."""

    vif_type = VifType.IB_HOSTDEV
    vnic_types = frozenset({VnicType.DIRECT})
    link_layers = frozenset({LinkLayer.INFINIBAND})
    profile_kinds = frozenset({PortProfileKind.INFINIBAND, PortProfileKind.ETHERNET})

    def bind(self, bound: BoundPort) -> Bound:
        """See Driver.bind."""
        device, pf = bound.device, bound.pf
        if device is None or pf is None:
            raise Conflict("cannot_bind", f"Port {bound.port.id} is direct and no VF is held for it.")
        _refuse_the_impossible(bound)
        profile = {
            "pci_vendor_info": f"{device.vendor}:{device.product}",
            "pci_slot": device.pci_address,
            "physical_network": bound.network.physical_network,
            "vf_num": str(device.vf_index),
            "guid": guid_of(bound),
        }
        if pf.serial is not None:
            profile["card_serial_number"] = pf.serial
        details = {
            "port_filter": "False",
            "physical_network": bound.network.physical_network,
            "bound_drivers": self.vif_type.value,
        }
        return Bound(self.vif_type, details, profile)

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
    """No InfiniBand driver has an operation for a VF's rate, in netlink or in sysfs (ipoib_netdev_ops_pf)."""
    port, asked = bound.port, bound.in_force
    rate = asked.min_kbps or asked.max_kbps
    if rate:
        wish = f"a promise of {rate}" if asked.min_kbps else f"at most {rate}"
        raise Conflict(
            "cannot_bind",
            f"Port {port.id} asks for {wish} kbit/s by its QoS policy, and no VF of InfiniBand can be told a rate: "
            "take the policy off the port and its network.",
        )
