"""Desired and observed state side by side: what each decision of `diff` looks up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fairlead.hoststate.desired import (
    DesiredFamily,
    DesiredGuest,
    DesiredHostdev,
    DesiredNic,
    DesiredState,
    DesiredTap,
    DesiredVf,
    DesiredVsi,
    GuestDevice,
)
from fairlead.hoststate.macvtap import DesiredMacvtap, ObservedMacvtap
from fairlead.hoststate.observed import (
    ObservedBridge,
    ObservedGuest,
    ObservedPf,
    ObservedState,
    ObservedTap,
    ObservedVf,
    ObservedVsi,
)
from fairlead.hoststate.possession import devices_of, vfs_below
from fairlead.model.ids import DeviceId, PfKey, ServerId
from fairlead.model.pci import DeviceKind, PciAddress

VfName = tuple[PfKey, int]
STRANGER = "a domain that is not Fairlead's"
"""Who has a device that a domain of others names, in words."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Both documents, indexed. `users`: which guest that the document names has a device now, by its PCI address;
    one that is not running has nothing, whatever its domain says. `foreign`: by PCI address, in words, who has
    it of whom the document says nothing: domains of others, and unnamed guests, be they up or down. `whole`: who
    owns a PF or a plain device, by its key. `unnamed`: guests of ours that the document does not name.
    Who has a macvtap on a VF has the VF: `below` has the PCI address of the VF below each.
    """

    desired: DesiredState
    observed: ObservedState
    families: Mapping[PfKey, DesiredFamily]
    owners: Mapping[VfName, DesiredVf]
    whole: Mapping[str, ServerId]
    wanted: Mapping[ServerId, DesiredGuest]
    pfs: Mapping[PfKey, ObservedPf]
    vfs: Mapping[VfName, ObservedVf]
    guests: Mapping[ServerId, ObservedGuest]
    taps: Mapping[str, ObservedTap]
    vsis: Mapping[str, ObservedVsi]
    """By instance id."""
    macvtaps: Mapping[str, ObservedMacvtap]
    below: Mapping[str, PciAddress]
    bridges: Mapping[str, ObservedBridge]
    pcis: Mapping[str, PciAddress]
    users: Mapping[PciAddress, ServerId]
    tap_users: Mapping[str, ServerId]
    """As `users`, of taps by their names."""
    foreign: Mapping[PciAddress, str]
    unnamed: Mapping[ServerId, ObservedGuest]

    def managed(self, pf: PfKey) -> ObservedPf | None:
        """The PF, if it is here and ours to configure; None otherwise."""
        family, seen = self.families.get(pf), self.pfs.get(pf)
        if family is None or seen is None or family.is_given_whole:
            return None
        if seen.is_management or seen.pci_address in self.foreign:
            return None
        return seen

    @property
    def our_vfs(self) -> frozenset[PciAddress]:
        """Addresses of the VFs that the host's network managers shall leave alone: of the PFs that are ours to
        configure, all that the host does not use itself.
        """
        pfs = (self.managed(family.pf) for family in self.desired.families)
        return frozenset(vf.pci_address for pf in pfs if pf for vf in pf.vfs if not vf.host_use)

    @property
    def host_uses(self) -> dict[PciAddress, str]:
        """What the host itself does with PFs and VFs, by PCI address."""
        seen: list[ObservedPf | ObservedVf] = [*self.pfs.values(), *self.vfs.values()]
        return {device.pci_address: device.host_use for device in seen if device.host_use}

    def address(self, hostdev: DesiredHostdev) -> PciAddress | None:
        """Where the device is today; None when it is not on this host."""
        match hostdev.kind:
            case DeviceKind.VF:
                vf = None
                if hostdev.pf is not None and hostdev.vf_index is not None:
                    vf = self.vfs.get((hostdev.pf, hostdev.vf_index))
                return vf.pci_address if vf else None
            case DeviceKind.PF:
                pf = self.pfs.get(PfKey(hostdev.key))
                return pf.pci_address if pf else None
            case DeviceKind.PCI:
                return self.pcis.get(hostdev.key)

    def vfs_of(self, server_id: ServerId) -> tuple[DesiredVf, ...]:
        """The VFs that the server owns."""
        return tuple(vf for vf in self.desired.vfs if vf.server_id == server_id)

    def taps_of(self, server_id: ServerId) -> tuple[DesiredTap, ...]:
        """The taps of its ordinary vNICs."""
        return tuple(tap for tap in self.desired.taps if tap.server_id == server_id)

    def macvtaps_of(self, server_id: ServerId) -> tuple[DesiredMacvtap, ...]:
        """Its macvtaps."""
        return tuple(macvtap for macvtap in self.desired.macvtaps if macvtap.server_id == server_id)

    def vsis_of(self, server_id: ServerId) -> tuple[DesiredVsi, ...]:
        """Those of its ports with an 802.1Qbg profile."""
        return tuple(vsi for vsi in self.desired.vsis if vsi.server_id == server_id)

    def name_in(self, guest: ObservedGuest, device: GuestDevice) -> str | None:
        """What the device is called in a guest that runs and has it: PCI address, or name of its tap; else None."""
        if not guest.state.is_up:
            return None
        if isinstance(device, DesiredNic):
            return device.tap if device.tap in guest.taps else None
        address = self.address(device)
        return address if address in guest.hostdevs else None

    def named_by(self, address: PciAddress) -> frozenset[ServerId]:
        """Guests whose domains name the device, up or down: one that is down may be started by anybody."""
        guests = self.observed.guests
        return frozenset(guest.server_id for guest in guests if address in devices_of(guest, self.below))

    def addresses(self, guest: DesiredGuest) -> dict[DeviceId, PciAddress]:
        """Where the guest's devices are today, without those that are not here."""
        found = {hostdev.device_id: self.address(hostdev) for hostdev in guest.hostdevs}
        return {device: address for device, address in found.items() if address is not None}


def look_up(desired: DesiredState, observed: ObservedState) -> Lookup:
    """Both documents, indexed."""
    unnamed = _unnamed(desired, observed)
    named = tuple(guest for guest in observed.guests if guest.server_id not in unnamed)
    below = vfs_below(observed)
    users = _users(named, below)
    return Lookup(
        desired=desired,
        observed=observed,
        families={family.pf: family for family in desired.families},
        owners={(vf.pf, vf.index): vf for vf in desired.vfs},
        whole={
            hostdev.key: guest.server_id
            for guest in desired.guests
            for hostdev in guest.hostdevs
            if hostdev.kind is not DeviceKind.VF
        },
        wanted={guest.server_id: guest for guest in desired.guests},
        pfs={pf.key: pf for pf in observed.pfs},
        vfs={(pf.key, vf.index): vf for pf in observed.pfs for vf in pf.vfs},
        guests={guest.server_id: guest for guest in observed.guests},
        taps={tap.name: tap for tap in observed.taps},
        vsis={vsi.asked.settings.instance_id: vsi for vsi in observed.vsis},
        macvtaps={macvtap.name: macvtap for macvtap in observed.macvtaps},
        below=below,
        bridges={bridge.name: bridge for bridge in observed.bridges},
        pcis={pci.key: pci.pci_address for pci in observed.pcis},
        users=users,
        tap_users={tap: guest.server_id for guest in named if guest.state.is_up for tap in guest.taps},
        foreign=_foreign(unnamed.values(), users, below) | dict.fromkeys(observed.foreign_hostdevs, STRANGER),
        unnamed=unnamed,
    )


def unnamed_guest(server_id: ServerId) -> str:
    """An unnamed guest in words."""
    return f"unnamed guest {server_id}"


def _unnamed(desired: DesiredState, observed: ObservedState) -> dict[ServerId, ObservedGuest]:
    named = {guest.server_id for guest in desired.guests} | set(desired.removals)
    return {guest.server_id: guest for guest in observed.guests if guest.server_id not in named}


def _users(guests: Iterable[ObservedGuest], below: Mapping[str, PciAddress]) -> dict[PciAddress, ServerId]:
    up = [guest for guest in guests if guest.state.is_up]
    return {address: guest.server_id for guest in up for address in devices_of(guest, below)}


def _foreign(
    unnamed: Iterable[ObservedGuest], users: Mapping[PciAddress, ServerId], below: Mapping[str, PciAddress]
) -> dict[PciAddress, str]:
    """One that is down may be started by anybody, but for what a guest that runs has anyway."""
    return {
        address: unnamed_guest(guest.server_id)
        for guest in unnamed
        for address in devices_of(guest, below)
        if guest.state.is_up or address not in users
    }
