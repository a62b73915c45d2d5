"""A device policy as /v1 shows it."""

from collections import Counter
from collections.abc import Collection
from typing import Annotated

from msgspec import Struct

from fairlead.api.native.records import Time, says, viewed
from fairlead.control.boundary import Tx
from fairlead.model.device import Device
from fairlead.model.ids import PolicyId
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.policy import DeviceMatch, DevicePolicy


class PolicyDevices(Struct, frozen=True):
    """What a device policy has now."""

    pfs: int
    pci_devices: Annotated[int, says("Plain devices.")]
    hosts: Annotated[int, says("On how many hosts they are.")]


class PolicyView(Struct, frozen=True, kw_only=True):
    """A device policy: declared once, matched on every host. Of several that match a device, the highest `priority`
    wins, then the first name.
    """

    id: PolicyId
    name: Annotated[str, says("What people call it; it stands for the id in every path.")]
    match: Annotated[DeviceMatch, says("Which PFs and plain devices are meant.")]
    created_at: Time
    updated_at: Time
    exclude: Annotated[tuple[DeviceMatch, ...], says("Devices that one of these matches are not meant.")]
    priority: int
    num_vfs: Annotated[int | None, says("How many VFs a PF has to have; null: as many as it has, 0: none.")]
    physical_network: Annotated[str | None, says("The physical network that the devices are on.")]
    tags: Annotated[tuple[str, ...], says("What aliases may ask for.")]
    mtu: Annotated[int | None, says("The largest frame of its PFs, in octets; null: it stays.")]
    egress_mbps: Annotated[int | None, says("The bandwidth that may be promised on a PF; null: its speed.")]
    link_layer: Annotated[LinkLayer, says("What its PFs and its physical network are; others are not meant.")]
    revision: Annotated[int, says("Grows with every change.")]
    has: Annotated[PolicyDevices, says("What it has now.")]


def policy_views(tx: Tx, policies: Collection[DevicePolicy]) -> list[PolicyView]:
    """Policies with how many PFs and plain devices each has now, and on how many hosts."""
    found: dict[PolicyId | None, list[Device]] = {}
    for device in tx.devices.find(policy_id=tuple(policy.id for policy in policies)) if policies else ():
        found.setdefault(device.policy_id, []).append(device)
    return [viewed(PolicyView, policy, has=_counts(found.get(policy.id, ()))) for policy in policies]


def _counts(devices: Collection[Device]) -> PolicyDevices:
    kinds = Counter(device.kind for device in devices)
    hosts = len({device.host_id for device in devices})
    return PolicyDevices(kinds[DeviceKind.PF], kinds[DeviceKind.PCI], hosts)
