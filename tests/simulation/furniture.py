"""What a site has before its days: an image, flavors, device policies, networks, and port profiles."""

import hashlib
from dataclasses import dataclass

from fairlead.control import aliases, flavors, networks, policies, port_profiles, subnets
from fairlead.control.boundary import Tx
from fairlead.model.ids import ImageId, NetworkId, PolicyId, PortProfileId, ProjectId
from fairlead.model.network import SegmentKind
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.policy import DeviceMatch
from fairlead.model.port_profile import (
    ALL_VLANS,
    EthernetSettings,
    InfinibandSettings,
    PortProfileSettings,
    QbgSettings,
    QbhSettings,
    VlanRange,
)
from fairlead.model.server import Flavor, Image, ImageStatus
from fairlead.model.vf import VlanProtocol

PROJECT = ProjectId("5a17e000-0000-4000-8000-000000000001")
IMAGE_BYTES = b"a disk of few words"
FABRIC = "fabric"
AT_A_SWITCH = "physnet2"
"""Its NICs are at switches that speak 802.1Qbh."""
VF_ALIAS, FABRIC_ALIAS, NIC_ALIAS = "vf", "hca", "nic"


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a network is; `vlan` None: flat, and on the fabric in its default partition."""

    physical_network: str
    vlan: int | None

    @property
    def is_fabric(self) -> bool:
        """Whether it is one of InfiniBand."""
        return self.physical_network == FABRIC


NETWORKS = {
    "blue": Segment("physnet1", 100),
    "red": Segment(AT_A_SWITCH, 200),
    "plain": Segment("physnet1", None),
    "bare": Segment(AT_A_SWITCH, None),
    "members": Segment(FABRIC, 5),
    "everybody": Segment(FABRIC, None),
}

PROFILES: dict[str, PortProfileSettings] = {
    "silent": EthernetSettings(),
    "capped": EthernetSettings(max_rate_mbps=500),
    "marked": EthernetSettings(vlan_priority=3),
    "double": EthernetSettings(vlan_protocol=VlanProtocol.DOT1AD),
    "trunk": EthernetSettings(allowed_vlans=ALL_VLANS),
    "finance": QbhSettings("finance"),
    "station": QbgSettings(11, 7, 2),
    "partition": InfinibandSettings(9),
    "impossible": EthernetSettings(allowed_vlans=(VlanRange(5, 6),)),
}
"""The last one no NIC can make true."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """Networks and profiles by the names above."""

    image_id: ImageId
    flavors: tuple[Flavor, ...]
    """A small one and a big one, and between them those with devices."""
    policies: tuple[PolicyId, ...]
    networks: dict[str, NetworkId]
    profiles: dict[str, PortProfileId]


def furnish(tx: Tx) -> Furniture:
    """All of it, in an empty database."""
    image_id = _image(tx)
    made_flavors = _flavors(tx)
    made_policies = tuple(_policy(tx, number) for number in (1, 2))
    _other_policies(tx)
    made_networks = {
        name: _network(tx, number, name, segment) for number, (name, segment) in enumerate(NETWORKS.items())
    }
    profiles = {
        name: port_profiles.create(tx, port_profiles.NewPortProfile(PROJECT, name, settings)).id
        for name, settings in PROFILES.items()
    }
    return Furniture(image_id, made_flavors, made_policies, made_networks, profiles)


def _image(tx: Tx) -> ImageId:
    image_id = ImageId(tx.new_id())
    tx.images.add(
        Image(
            image_id,
            PROJECT,
            "disk",
            ImageStatus.ACTIVE,
            "qcow2",
            "bare",
            tx.now,
            tx.now,
            size=len(IMAGE_BYTES),
            sha512=hashlib.sha512(IMAGE_BYTES).hexdigest(),
            visibility="public",
        )
    )
    return image_id


def _flavors(tx: Tx) -> tuple[Flavor, ...]:
    aliases.create(tx, aliases.NewAlias("gpu", DeviceKind.PCI, vendor=("10de",)))
    aliases.create(tx, aliases.NewAlias(NIC_ALIAS, DeviceKind.PF))
    aliases.create(tx, aliases.NewAlias(VF_ALIAS, DeviceKind.VF, vendor=("8086",)))
    aliases.create(tx, aliases.NewAlias(FABRIC_ALIAS, DeviceKind.VF, physical_network=FABRIC))
    wanted = (
        flavors.NewFlavor("small", 1, 512, 1),
        *(
            flavors.NewFlavor(name, 2, 1024, 1, extra_specs={"pci_passthrough:alias": f"{name}:1"})
            for name in ("gpu", NIC_ALIAS, VF_ALIAS)
        ),
        flavors.NewFlavor("big", 2, 2048, 2),
    )
    return tuple(flavors.create(tx, new) for new in wanted)


def _policy(tx: Tx, number: int) -> PolicyId:
    match = DeviceMatch(name=(f"ens{number}f0",))
    new = policies.NewPolicy(
        f"policy{number}", match, num_vfs=4, physical_network=f"physnet{number}", tags=("trusted",)
    )
    return policies.create(tx, new).id


def _other_policies(tx: Tx) -> None:
    fabric = policies.NewPolicy(
        FABRIC,
        DeviceMatch(name=("ibs*",)),
        num_vfs=3,
        physical_network=FABRIC,
        link_layer=LinkLayer.INFINIBAND,
    )
    policies.create(tx, fabric)
    policies.create(tx, policies.NewPolicy("gpus", DeviceMatch(vendor=("10de",))))


def _network(tx: Tx, number: int, name: str, segment: Segment) -> NetworkId:
    made = networks.create(
        tx,
        networks.NewNetwork(
            PROJECT,
            name,
            kind=SegmentKind.FLAT if segment.vlan is None else SegmentKind.VLAN,
            physical_network=segment.physical_network,
            vlan=segment.vlan,
        ),
    ).network
    subnets.create(tx, subnets.NewSubnet(PROJECT, made.id, f"10.0.{number}.0/24", 4))
    return made.id
