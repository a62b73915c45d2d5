"""What the agent needs of the outside: the kernel, libvirt, disks, control, a ledger, a clock.

linux, hypervisor and client implement these for real hosts, sim for simulated ones; one contract suite
runs on both. Every method raises Fault with a Failure in words for people when the host says no.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fairlead.guestxml.machine import GuestFiles as GuestFiles  # noqa: PLC0414 - Disks gives them
from fairlead.hoststate.desired import (
    DesiredBridge,
    DesiredGuest,
    DesiredTap,
    ImageRef,
)
from fairlead.hoststate.macvtap import DesiredMacvtap, ObservedMacvtap
from fairlead.hoststate.observed import (
    GuestState,
    ObservedBridge,
    ObservedPci,
    ObservedPf,
    ObservedTap,
)
from fairlead.hoststate.report import Report
from fairlead.model.diagnostics import GuestStatistics, NicCounters
from fairlead.model.host import HostCapacity
from fairlead.model.ids import ImageId, PortId, ServerId
from fairlead.model.pci import PciAddress
from fairlead.model.vf import VfSettings
from fairlead.wire.documents import Assignment, Heartbeat, Receipt


@dataclass(frozen=True, slots=True)
class KernelView:
    """One pass over sysfs and netlink."""

    boot_id: str
    capacity: HostCapacity
    pfs: tuple[ObservedPf, ...]
    pcis: tuple[ObservedPci, ...]
    bridges: tuple[ObservedBridge, ...]
    taps: tuple[ObservedTap, ...]
    macvtaps: tuple[ObservedMacvtap, ...] = ()
    told_vfs: frozenset[PciAddress] = frozenset()
    """Of the VFs that the host uses, those whose driver_override names the driver that has them. VFs that are made anew
    are told none.
    """


class Kernel(Protocol):
    """sysfs and netlink of one host."""

    def observe(self) -> KernelView:
        """Everything, with one netlink dump per PF (IFLA_EXT_MASK VF, no statistics)."""
        ...

    def read_vf(self, pf: ObservedPf, index: int) -> VfSettings:
        """One VF's settings as they are now; raises Fault when it is gone."""
        ...

    def own_vfs(self, addresses: frozenset[PciAddress]) -> None:
        """Network managers of the host leave the network devices of these VFs alone, and of no others. Raises Fault."""
        ...

    def vf_counters(self, pf: ObservedPf) -> Mapping[int, NicCounters]:
        """What each VF has received and sent, as the PF's driver counts; without those of which it counts nothing.
        Raises Fault.
        """
        ...

    def link_counters(self, name: str) -> NicCounters | None:
        """What a guest has received and sent through a tap or macvtap of ours; None when that is not there."""
        ...

    def set_vf(self, pf: ObservedPf, index: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """Write the named fields in one netlink message (RTM_SETLINK, IFLA_VFINFO_LIST); others stay."""
        ...

    def reset_vf(self, pf: ObservedPf, index: int) -> None:
        """Take it from the driver that has it, if one does, with whatever is on its network device, and seal it; then
        reset it (sysfs `reset`), where the device has that: what its owner was told lies in the PF, and is cleared
        after. Sealed first: who takes it and gives it back meanwhile breaks the seal. Raises Fault `in_use`, and
        does nothing, where somebody outside libvirt has it open through vfio; so do `set_num_vfs` and `make_macvtap`.
        """
        ...

    def sealed_vfs(self, addresses: Collection[PciAddress]) -> frozenset[PciAddress]:
        """Of these VFs, those that nobody has, nor has had since `reset_vf`, or since `set_num_vfs` made them. Asked
        apart, and of as few as may be: while a driver lets a VF go, which takes as long as somebody has it open,
        the kernel keeps waiting who asks.
        """
        ...

    def is_sealed(self, pf: ObservedPf, index: int) -> bool:
        """Whether it is one of `sealed_vfs`."""
        ...

    def reset_device(self, address: PciAddress) -> None:
        """Function-level reset of a PF or plain device, where no driver of the host has it: one that took the device
        back has begun with it anew, and would lose it by a reset from below. Raises Fault `reset_missing` where the
        device has none: it stays as its guest left it.
        """
        ...

    def set_num_vfs(self, pf: ObservedPf, num_vfs: int) -> None:
        """sriov_numvfs, through 0 where the kernel demands it, with VF driver autoprobe off; those that are made are
        sealed.
        """
        ...

    def set_up(self, pf: ObservedPf, mtu: int | None) -> None:
        """Bring the PF up; MTU in octets."""
        ...

    def make_bridge(self, bridge: DesiredBridge, uplink: ObservedPf) -> None:
        """Create or repair: VLAN filtering on, uplink on it and up."""
        ...

    def remove_bridge(self, name: str) -> None:
        """Delete it, if it is there."""
        ...

    def make_tap(self, tap: DesiredTap) -> None:
        """Create or repair: persistent, on its bridge, VLAN as access VLAN, rate, up; uplink carries it."""
        ...

    def remove_tap(self, name: str) -> None:
        """Delete it, if it is there."""
        ...

    def make_macvtap(
        self, macvtap: DesiredMacvtap, pf: ObservedPf, vf_driver: str, *, is_repair: bool
    ) -> bool:
        """Create or repair: the VF below given to that driver of the host, its network device and the macvtap with
        the MAC and MTU, both up, and its groups. A repair makes none: where the very one is not there any more, Fault
        `macvtap_missing`, for who has it open has nothing of another. Whether it stands: the VF's driver reads its MAC
        as it takes the VF, and where it must do so anew, the macvtap on it goes, and is not made again before who has
        it open has let go of it.
        """
        ...

    def remove_macvtap(self, name: str) -> None:
        """Delete it, if it is there."""
        ...


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of ours in libvirt. `spec`, `boot_serial` and `disk_serial` are what its metadata carries; `taps` the
    names of its vNICs' devices on the host.
    """

    server_id: ServerId
    state: GuestState
    spec: str
    boot_serial: int
    hostdevs: tuple[PciAddress, ...] = ()
    reason: str = ""
    taps: tuple[str, ...] = ()
    boot_files: tuple[str, ...] = ()
    """Names of the files that it boots from directly: kernel and ramdisk."""
    disk_serial: int = 0
    start_number: int = 0
    """Which start it is up by, 0 when it is down. Once libvirt itself was started anew, another may have the same."""
    is_marked: bool = False
    """Whether the start that it is up by bears the mark of `start` or `mark_start`: the next one does not."""


@dataclass(frozen=True, slots=True)
class HypervisorView:
    """All domains: ours, and the PCI devices that others' have."""

    domains: tuple[Domain, ...] = ()
    foreign_hostdevs: tuple[PciAddress, ...] = ()


class Hypervisor(Protocol):
    """libvirt of one host. `domain` arguments are XML as guestxml writes it."""

    def observe(self) -> HypervisorView:
        """All domains as they are now."""
        ...

    def define(self, domain: str) -> Mapping[PortId, PciAddress]:
        """Write or replace the domain, without starting it. It does not start with the host either: its VFs would
        not be set. What it had before keeps its PCI address in the guest; those of the NICs are answered.
        """
        ...

    def start(self, server_id: ServerId, *, is_paused: bool = False) -> None:
        """Start the defined domain; returns once it runs, or is up and halted before its first instruction. The start
        is marked.
        """
        ...

    def mark_start(self, server_id: ServerId, number: int) -> None:
        """Mark the start of that number; nothing where the domain is down by now, or up by another."""
        ...

    def stop(self, server_id: ServerId, *, is_graceful: bool) -> None:
        """Power off, after asking the guest where graceful; returns once its devices are back on the host.
        Nothing when it does not run, but that what was saved of it is gone.
        """
        ...

    def pause(self, server_id: ServerId) -> None:
        """Halt a running domain where it is; it keeps its devices."""
        ...

    def save(self, server_id: ServerId) -> None:
        """Write a running domain's memory to disk, and power it off: its next start goes on from there. Raises Fault
        for one that has a device of the host.
        """
        ...

    def resume(self, server_id: ServerId) -> None:
        """Let a paused domain go on."""
        ...

    def attach(self, server_id: ServerId, device: str) -> None:
        """Give a running guest one more device, XML as in its domain; its stored domain stays as it is. Returns once
        its live domain has the device.
        """
        ...

    def detach(self, server_id: ServerId, device: str) -> None:
        """Ask a running guest for a device: its PCI address, or the name of its tap. Returns once the live domain has
        it no more and it is back on the host; nothing when that is so already. Raises Fault `not_released` where the
        guest does not let go in time, or says no: it may still do so later.
        """
        ...

    def remove(self, server_id: ServerId) -> None:
        """Undefine it; nothing when it is not there."""
        ...

    def statistics(self, server_id: ServerId) -> GuestStatistics:
        """What a running domain has used, as far as that is told at once; raises Fault when there is none."""
        ...

    def domain_xml(self, server_id: ServerId) -> str:
        """The domain as libvirt has it now; "" when there is none."""
        ...


class Disks(Protocol):
    """Image cache, guest disks, config drives, console logs. A file of the cache is named by its image's SHA-512."""

    def has_image(self, image: ImageRef) -> bool:
        """Whether it is in the cache, whole."""
        ...

    def store_image(self, image: ImageRef, chunks: Iterator[bytes]) -> None:
        """Put it into the cache; raises Fault when size or digest differ, and keeps nothing then."""
        ...

    def idle_images(self, used: frozenset[str], rest: timedelta) -> tuple[str, ...]:
        """Names of files of the cache that nobody has used for `rest`; none while a guest's disk cannot be read.

        What is in use now counts as used now: the names in `used`, and what a guest's disk has behind it.
        """
        ...

    def remove_image(self, name: str) -> None:
        """Delete a file of the cache, if it is there."""
        ...

    def make(self, guest: DesiredGuest) -> GuestFiles:
        """Overlay on the cached root image (made once, kept over reboots, grown to its size), config drive (made anew).
        A disk of an older serial goes once the one that is asked for is made; where there is one of a newer serial this
        raises Fault `disk_is_newer` and touches nothing. A disk that is to grow is nobody's now: QEMU locks the one of
        a guest that runs.
        """
        ...

    def files(self, guest: DesiredGuest) -> GuestFiles:
        """Where `make` puts them, without making them."""
        ...

    def remove(self, server_id: ServerId) -> None:
        """Delete all files of the guest."""
        ...

    def keep(self, server_id: ServerId, disk_serial: int, name: str) -> None:
        """Copy the guest's disk of that serial under that name, whole and durable when it returns; the guest is down.
        Raises Fault where there is no such disk.
        """
        ...

    def restore(self, server_id: ServerId, disk_serial: int, name: str) -> None:
        """The copy is the disk of that serial, in place of the one there was; the guest is down. Nothing when there is
        no copy.
        """
        ...

    def drop(self, server_id: ServerId, name: str) -> None:
        """Delete the copy; nothing when there is none."""
        ...

    def kept(self) -> Mapping[ServerId, tuple[str, ...]]:
        """By guest, the names of the copies that are there; guests without one are left out."""
        ...

    def guests(self) -> tuple[ServerId, ...]:
        """Guests that have files here, whether libvirt knows them or not."""
        ...

    def console(self, server_id: ServerId, lines: int | None) -> str:
        """The last lines of its console log, "" while there is none."""
        ...


class Control(Protocol):
    """The control side, over HTTP or in one process. Raises ControlAway when it cannot be reached."""

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        """What is new since `generation`; waits up to `wait_seconds` for something."""
        ...

    def report(self, report: Report) -> Receipt:
        """Tell what was seen."""
        ...

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        """Tell that all is as the named report says."""
        ...

    def answer(self, question_id: str, text: str) -> None:
        """Answer a question."""
        ...

    def image(self, image_id: ImageId) -> AbstractContextManager[Iterator[bytes]]:
        """The image's bytes, in chunks."""
        ...


class ControlAway(Exception):
    """Control cannot be reached, or does not know us; the message says which and what would help."""


class Clock(Protocol):
    """Time, for events and back-off."""

    def now(self) -> datetime:
        """UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds, never going back."""
        ...
