"""What a server needs, with equal requests counted together; and which families could serve each of them."""

import operator
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.request import TRUSTED_TAG, PciRequest, ServerRequest
from fairlead.placement.boundary import FamilyView

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Demand:
    """Equal requests of one server: `sample` is any of them, `count` how many there are, `asked_by` for people."""

    sample: PciRequest
    requests: tuple[PciRequest, ...]
    count: int
    asked_by: str


@dataclass(frozen=True, slots=True)
class Need:
    """A server's request, taken apart once for all hosts that it is tried on."""

    request: ServerRequest
    demands: tuple[Demand, ...]
    cells: int
    cell_vcpus: int
    cell_memory_mib: int


_same = operator.attrgetter(
    "kind",
    "vendor",
    "product",
    "physical_network",
    "tags",
    "trusted",
    "capabilities",
    "numa_policy",
    "egress_kbps",
    "link_layer",
    "keeps",
    "mac_taken",
    "is_host_driven",
)


def need_of(request: ServerRequest) -> Need:
    """The request with its demands, in the order in which they are first asked for."""
    groups: dict[object, list[PciRequest]] = {}
    for wanted in request.pci:
        groups.setdefault((_same(wanted), wanted.port_id is None), []).append(wanted)
    cells = request.cell_count
    return Need(
        request=request,
        demands=tuple(map(_demand, groups.values())),
        cells=cells,
        cell_vcpus=request.vcpus // max(cells, 1),
        cell_memory_mib=request.memory_mib // max(cells, 1),
    )


def is_of_kind(sample: PciRequest, family: FamilyView) -> bool:
    """Whether the family has devices of the kind asked for."""
    return (family.kind is DeviceKind.PCI) is (sample.kind is DeviceKind.PCI)


def is_on_network(sample: PciRequest, family: FamilyView) -> bool:
    """Whether the family is on the physical network asked for, if one is."""
    return sample.physical_network in (None, family.physical_network)


def has_link_layer(sample: PciRequest, family: FamilyView) -> bool:
    """Whether the family speaks what is asked for: InfiniBand serves no port of Ethernet, and the reverse."""
    wanted = sample.link_layer
    return wanted is None or (wanted is LinkLayer.INFINIBAND) is (family.link_layer is LinkLayer.INFINIBAND)


def is_like(sample: PciRequest, family: FamilyView) -> bool:
    """Whether vendor, product (of the VF, where a VF is asked for) and tags are as asked for."""
    is_vf = sample.kind is DeviceKind.VF
    vendor, product = (family.vf_vendor, family.vf_product) if is_vf else (family.vendor, family.product)
    has_tags = not sample.tags or set(sample.tags) <= set(family.tags)
    return has_tags and _matches(sample.vendor, vendor) and _matches(sample.product, product)


def has_trust(sample: PciRequest, family: FamilyView) -> bool:
    """Whether the family may serve the request as far as trust goes: who asks for trust needs the tag."""
    return not sample.trusted or TRUSTED_TAG in family.tags


def lacking(sample: PciRequest, family: FamilyView) -> tuple[str, ...]:
    """Of the capabilities asked for, those that the family's PF does not have."""
    return tuple(name for name in sample.capabilities if name not in family.capabilities)


def serves(sample: PciRequest, family: FamilyView) -> bool:
    """Whether the family's devices are what is asked for, free or not."""
    if (kept := sample.keeps) is not None:
        return bool(kept.family_id == family.family_id)
    return (
        is_of_kind(sample, family)
        and is_on_network(sample, family)
        and has_link_layer(sample, family)
        and is_like(sample, family)
        and has_trust(sample, family)
        and not lacking(sample, family)
    )


def free_vfs(sample: PciRequest, family: FamilyView) -> int:
    """Which of the family's VFs are free for the request: one mask for vfio, another for a driver of the host."""
    return vfs_for_driver(family) if sample.is_host_driven else family.free_vfs


def vfs_for_driver(family: FamilyView) -> int:
    """Which VFs are free for a driver of the host."""
    return family.free_vfs & ~family.share.passed_only_vfs | family.share.host_only_vfs


def free_devices(demand: Demand, family: FamilyView, bridged: Collection[str | None]) -> int:
    """How many of the family's devices are free for the demand, NUMA and bandwidth aside.

    A PF or NIC that the same server's ordinary vNICs leave through is not given whole, nor is one whose MAC another
    port has.
    """
    if demand.sample.kind is DeviceKind.VF:
        return free_vfs(demand.sample, family).bit_count()
    is_in_use = family.is_uplink and family.physical_network in bridged
    return int(family.is_free and not is_in_use and family.family_id not in demand.sample.mac_taken)


def _demand(group: list[PciRequest]) -> Demand:
    names = list(dict.fromkeys(wanted.asked_by for wanted in group))
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Demand(group[0], tuple(group), len(group), ", ".join(names[:_NAMED]) + rest)


def _matches(globs: tuple[str, ...], text: str) -> bool:
    return not globs or any(fnmatchcase(text, glob) for glob in globs)
