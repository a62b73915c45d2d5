"""PFs and plain devices that guests are given whole: a PF is emptied of its VFs before, all are reset after."""

from collections.abc import Iterator

from fairlead.hoststate.freeing import KEEPS_RUNNING, Freeing
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import ObservedPci, ObservedPf
from fairlead.hoststate.steps import Chain, ResetDevice, SetNumVfs
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey

_EMPTY = "take its VFs away, to give it whole"
UNTOLD = "VFs that are not told about now"
"""Who has one is not known then: its driver tells netlink nothing while it is busy (i40e: EAGAIN), or somebody took it
off the bus.
"""


def is_empty(lookup: Lookup, pf: PfKey) -> bool:
    """Whether the PF was seen without VFs, told about or not: only then a guest is given it."""
    seen = lookup.pfs.get(pf)
    return seen is None or not seen.num_vfs


def emptied(lookup: Lookup) -> Iterator[SetNumVfs | Hold]:
    """PFs that a guest is to have and that still have VFs: their driver would take those down with it, or leave
    them without a PF. A VF that somebody has is in the way.
    """
    for family in lookup.desired.families:
        pf = lookup.pfs.get(family.pf)
        if not family.is_given_whole or pf is None or pf.name is None or not pf.num_vfs or pf.is_management:
            continue
        owner = lookup.whole.get(pf.key)
        users = [str(lookup.users[vf.pci_address]) for vf in pf.vfs if vf.pci_address in lookup.users]
        addresses = (pf.pci_address, *(vf.pci_address for vf in pf.vfs))
        others = [lookup.foreign[address] for address in addresses if address in lookup.foreign]
        used = next((use for use in (pf.host_use, *(vf.host_use for vf in pf.vfs)) if use), "")
        if len(pf.vfs) < pf.num_vfs:
            yield Hold(pf.pci_address, _EMPTY, f"it has {UNTOLD}", server_id=owner)
        elif used:
            yield Hold(pf.pci_address, _EMPTY, f"the host uses it: it {used}", server_id=owner)
        elif users or others:
            why = f"{'a guest' if users else others[0]} has one of them"
            yield Hold(pf.pci_address, _EMPTY, why, tuple(users), owner)
        else:
            yield SetNumVfs(pf.key, 0)


def resets(lookup: Lookup, free: Freeing) -> Iterator[Chain | Hold]:
    """PFs and plain devices that a guest of ours had and that nobody owns."""
    devices: tuple[ObservedPf | ObservedPci, ...] = (*lookup.observed.pfs, *lookup.observed.pcis)
    for device in devices:
        if not device.is_dirty or device.key in lookup.whole or device.pci_address in lookup.foreign:
            continue
        user = lookup.users.get(device.pci_address)
        if user is not None and free.keeps(device.pci_address, user):
            yield Hold(device.pci_address, "reset the device", KEEPS_RUNNING, (user,))
            continue
        needs = free.needs(device.pci_address, lookup.named_by(device.pci_address))
        yield Chain(f"reset/{device.key}", (ResetDevice(device.key, device.pci_address),), needs=needs)
