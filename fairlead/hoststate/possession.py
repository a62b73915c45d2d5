"""Which devices of the host a guest has: those passed through to it, and the VFs below its macvtaps."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from fairlead.hoststate.macvtap import ObservedMacvtap
from fairlead.hoststate.observed import ObservedGuest, ObservedPf, ObservedState
from fairlead.model.ids import PfKey
from fairlead.model.pci import PciAddress


class Holder(Protocol):
    """A guest, by what its domain names."""

    @property
    def hostdevs(self) -> tuple[PciAddress, ...]:
        """Devices passed through to it."""
        ...

    @property
    def taps(self) -> tuple[str, ...]:
        """Its taps and macvtaps."""
        ...


class Sight(Protocol):
    """What was seen of a host's PFs and macvtaps, in one pass."""

    @property
    def pfs(self) -> tuple[ObservedPf, ...]:
        """With their VFs."""
        ...

    @property
    def macvtaps(self) -> tuple[ObservedMacvtap, ...]:
        """Those of ours."""
        ...


def vfs_below(seen: Sight) -> dict[str, PciAddress]:
    """By name of a macvtap, the PCI address of the VF that it is on; those on another device are left out."""
    vfs: dict[tuple[PfKey, int | None], PciAddress] = {
        (pf.key, vf.index): vf.pci_address for pf in seen.pfs for vf in pf.vfs
    }
    places = ((each.name, each.lower) for each in seen.macvtaps if each.lower is not None)
    return {name: vfs[at.pf, at.vf_index] for name, at in places if (at.pf, at.vf_index) in vfs}


def devices_of(guest: Holder, below: Mapping[str, PciAddress]) -> tuple[PciAddress, ...]:
    """What its domain names, itself or by a macvtap."""
    return (*guest.hostdevs, *(below[tap] for tap in guest.taps if tap in below))


def guests_with_all_devices(observed: ObservedState) -> tuple[ObservedGuest, ...]:
    """The guests, each with the VFs below its macvtaps among its devices."""
    below = vfs_below(observed)
    return tuple(replace(guest, hostdevs=devices_of(guest, below)) for guest in observed.guests)
