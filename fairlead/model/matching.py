"""Which device policy a device has. Pure globs over rows.

A glob is shell-style and case-sensitive (`fnmatch`): canonical text is lower case, names are as given.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.policy import DeviceMatch, DevicePolicy


def matches_any(globs: tuple[str, ...], *texts: str | None) -> bool:
    """Whether one of the texts matches one of the globs; no globs at all match everything."""
    return not globs or any(text is not None and fnmatchcase(text, glob) for glob in globs for text in texts)


def matches(match: DeviceMatch, host: Host, device: Device) -> bool:
    """Whether every key of the match that says something says yes. A host is known by name and by id."""
    return (
        matches_any(match.hosts, host.name, host.id)
        and all(matches_any((glob,), host.labels.get(label)) for label, glob in match.host_labels.items())
        and matches_any(match.vendor, device.vendor)
        and matches_any(match.product, device.product)
        and matches_any(match.name, device.name)
        and matches_any(match.mac, device.mac)
        and matches_any(match.address, device.pci_address)
        and matches_any(match.kernel_driver, device.kernel_driver)
    )


def is_meant(policy: DevicePolicy, host: Host, device: Device) -> bool:
    """Whether the policy means this PF or plain device. A host's way to the outside is meant by nobody."""
    return not device.is_management and is_matched(policy, host, device)


def is_matched(policy: DevicePolicy, host: Host, device: Device) -> bool:
    """Whether the policy's words fit this PF or plain device, though it may be one that nobody is given."""
    return (
        device.kind is not DeviceKind.VF
        and (device.kind is DeviceKind.PCI or _is_infiniband(device) is _is_infiniband(policy))
        and matches(policy.match, host, device)
        and not any(matches(excluded, host, device) for excluded in policy.exclude)
    )


def _is_infiniband(thing: Device | DevicePolicy) -> bool:
    return thing.link_layer is LinkLayer.INFINIBAND


def policy_for(policies: Iterable[DevicePolicy], host: Host, device: Device) -> DevicePolicy | None:
    """The policy that a PF or plain device has: the highest priority, then the first name; None: none."""
    meant = [policy for policy in policies if is_meant(policy, host, device)]
    return min(meant, key=lambda policy: (-policy.priority, policy.name), default=None)


def families(devices: Iterable[Device]) -> dict[DeviceId, tuple[Device, ...]]:
    """Devices by family: the PF (or plain device) first, then its VFs in order of index."""
    grouped: dict[DeviceId, list[Device]] = {}
    for device in sorted(devices, key=lambda d: -1 if d.vf_index is None else d.vf_index):
        grouped.setdefault(device.family_id, []).append(device)
    return {family: tuple(members) for family, members in grouped.items()}
