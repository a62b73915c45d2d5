"""Judges every start of a guest, and what running ones are given, by the machine itself and the document obeyed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from fairlead.hoststate.desired import DesiredGuest, DesiredHostdev, DesiredState, DesiredTap, DesiredVf
from fairlead.hoststate.macvtap import DesiredMacvtap
from fairlead.model.pci import DeviceKind, PciAddress
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE, VfSettings, differences, is_nobodys
from fairlead.sim.domain import DomainState
from fairlead.sim.fleet import SimHost
from fairlead.sim.interleaved import Interleaved
from fairlead.sim.kernel import SimKernel
from fairlead.wire import codec


class StartJudge:
    """`mishaps`: what was wrong with starts. A start that had begun when a newer document came may be by the
    document before: `flights` know since when each chain was under way.
    """

    def __init__(self, host: SimHost, flights: Interleaved | None = None) -> None:
        self.mishaps: list[str] = []
        self.flights = flights
        self._host = host
        self._accepted: list[tuple[int, bytes]] = []
        self._boots: dict[str, set[str]] = {}
        """By the name of a copy of a disk, the boots since it was made: what a restored disk knows nothing of."""
        host.hypervisor.on_start = self._judge
        host.hypervisor.on_attach = self._judge_attachment
        host.slots.on_write = self._note

    def _note(self, name: str, data: bytes) -> None:
        if name == "desired":
            self._accepted.append((self.flights.turn if self.flights else 0, data))

    def _judge(self, domain: DomainState, traces: dict[PciAddress, str]) -> None:
        wrong: list[str] = ["by no document"]
        for document in self._documents():
            wrong = [*self._wrong(domain, document), *self._touched(domain, domain.hostdevs, traces)]
            if not wrong:
                self._write(domain, document)
                return
        self.mishaps.extend(f"{domain.name} was started: {what}" for what in wrong)

    def _judge_attachment(
        self,
        domain: DomainState,
        hostdevs: tuple[PciAddress, ...],
        taps: tuple[str, ...],
        traces: dict[PciAddress, str],
    ) -> None:
        wrong: list[str] = ["by no document"]
        for document in self._documents():
            wrong = [
                *self._wrong_gift(domain, hostdevs, taps, document),
                *self._touched(domain, hostdevs, traces),
            ]
            if not wrong:
                return
        self.mishaps.extend(f"{domain.name} was given {hostdevs or taps}: {what}" for what in wrong)

    def _wrong_gift(
        self,
        domain: DomainState,
        hostdevs: tuple[PciAddress, ...],
        taps: tuple[str, ...],
        document: DesiredState,
    ) -> Iterator[str]:
        guest = next((guest for guest in document.guests if guest.server_id == domain.server_id), None)
        if guest is None:
            yield "the document does not name it"
            return
        wanted = {self._address(hostdev): hostdev for hostdev in guest.hostdevs}
        owners = {(vf.pf, vf.index): vf for vf in document.vfs}
        for address in hostdevs:
            hostdev = wanted.get(address)
            if hostdev is None:
                yield "it is not its own"
            elif hostdev.pf is not None and hostdev.vf_index is not None:
                yield from self._wrong_vf(owners.get((hostdev.pf, hostdev.vf_index)), hostdev, domain)
        if taps:
            own = {name: tap for name, tap in _taps(guest, document).items() if name in taps}
            yield from () if set(own) == set(taps) else ("the tap is not its own",)
            yield from self._unready_taps(own, document)

    def _documents(self) -> Iterator[DesiredState]:
        """The newest first, then those that were in force since the step was begun."""
        since = self.flights.since if self.flights else self._turn()
        for turn, data in reversed(self._accepted):
            yield codec.decode(DesiredState, data)
            if turn <= since:
                return

    def _turn(self) -> int:
        return self.flights.turn if self.flights else 0

    def _wrong(self, domain: DomainState, document: DesiredState) -> Iterator[str]:
        guest = next((guest for guest in document.guests if guest.server_id == domain.server_id), None)
        if guest is None or guest.power is Power.STOPPED:
            yield "the document does not want it up"
            return
        if guest.boot_serial != domain.boot_serial:
            yield f"boot {domain.boot_serial}, not {guest.boot_serial}"
        wanted = {hostdev: self._address(hostdev) for hostdev in guest.hostdevs}
        if set(wanted.values()) != set(domain.hostdevs):
            yield f"with devices {domain.hostdevs}, not {set(wanted.values())}"
        owners = {(vf.pf, vf.index): vf for vf in document.vfs}
        for hostdev in wanted:
            if hostdev.pf is not None and hostdev.vf_index is not None:
                yield from self._wrong_vf(owners.get((hostdev.pf, hostdev.vf_index)), hostdev, domain)
        yield from self._wrong_vsis(guest, document)
        yield from self._wrong_taps(guest, document, domain)
        yield from self._wrong_disk(guest)
        yield from self._wrong_copies(guest)

    def _address(self, hostdev: DesiredHostdev) -> PciAddress | None:
        machine = self._host.machine
        if hostdev.kind is DeviceKind.PCI:
            places = {device.key: device.pci_address for device in machine.hardware.plain}
            return places.get(hostdev.key)
        key = hostdev.pf if hostdev.kind is DeviceKind.VF else hostdev.key
        pf = next(pf for pf in machine.pfs.values() if pf.nic.key == key)
        return pf.nic.pci_address if hostdev.vf_index is None else pf.nic.vf_address(hostdev.vf_index)

    def _wrong_vsis(self, guest: DesiredGuest, document: DesiredState) -> Iterator[str]:
        for vsi in document.vsis:
            held = self._host.machine.vsis.get(vsi.pf, {}).get(vsi.settings.instance_id)
            if vsi.server_id == guest.server_id and held != vsi.settings:
                yield f"the bridge has {held}, not {vsi.settings}"

    def _wrong_vf(
        self, owner: DesiredVf | None, hostdev: DesiredHostdev, domain: DomainState
    ) -> Iterator[str]:
        if owner is None or owner.server_id != domain.server_id:
            yield f"{hostdev.key} is not its own: {owner}"
            return
        machine = self._host.machine
        seen, told = machine.pfs[owner.pf].vfs[owner.index], machine.told.get((owner.pf, owner.index))
        if owner.is_withheld:
            yield f"{hostdev.key} is withheld from it"
        is_on_fabric = owner.settings.port_guid is not None
        if differences(owner.settings, seen) if is_on_fabric else seen != _whole(owner.settings):
            yield f"{hostdev.key} has {seen}, not {owner.settings}"
        own = (owner.settings.mac, owner.settings.port_guid)
        if told is not None and told not in own and not is_nobodys(told):
            yield f"{hostdev.key} was not scrubbed since it had {told}"

    def _wrong_copies(self, guest: DesiredGuest) -> Iterator[str]:
        """As large as it is to be; kept before it may be another; and after a return, what was kept. A guest that
        boots from a kernel alone has no disk.
        """
        if guest.root is None:
            return
        disks = self._host.disks
        disk, kept = disks.roots[guest.server_id], disks.kept().get(guest.server_id, ())
        if disk.gib != guest.disk_gib:
            yield f"with a disk of {disk.gib} GiB, not {guest.disk_gib}"
        if guest.keeps_disk and guest.keeps_disk not in kept:
            yield f"no copy {guest.keeps_disk} of its disk is kept"
        if newer := self._boots.get(guest.restores_disk, set()).intersection(disk.written):
            yield f"its disk is that of {newer}"

    def _write(self, domain: DomainState, document: DesiredState) -> None:
        """The guest boots from its disk, and writes there that it did."""
        (guest,) = (guest for guest in document.guests if guest.server_id == domain.server_id)
        if guest.root is None:
            return
        roots, word = self._host.disks.roots, f"boot {domain.boot_serial}"
        roots[guest.server_id] = replace(
            roots[guest.server_id], written=(*roots[guest.server_id].written, word)
        )
        if guest.keeps_disk:
            self._boots.setdefault(guest.keeps_disk, set()).add(word)

    def _wrong_taps(self, guest: DesiredGuest, document: DesiredState, domain: DomainState) -> Iterator[str]:
        wanted = _taps(guest, document)
        if set(wanted) != set(domain.taps):
            yield f"with taps {domain.taps}, not {set(wanted)}"
        yield from self._unready_taps(wanted, document)

    def _unready_taps(
        self, wanted: Mapping[str, DesiredTap | DesiredMacvtap], document: DesiredState
    ) -> Iterator[str]:
        kernel, machine = self._host.kernel, self._host.machine
        assert isinstance(kernel, SimKernel)
        bridges = set()
        for name, tap in wanted.items():
            made = kernel.taps if isinstance(tap, DesiredTap) else kernel.macvtaps
            seen = made.get(name) if name in machine.virtual_links else None
            if isinstance(seen, DesiredMacvtap) and isinstance(tap, DesiredMacvtap):
                seen = replace(seen, groups=tap.groups, all_groups=tap.all_groups)
            if seen != tap:
                yield f"tap {name} is {seen}, not {tap}"
            if isinstance(tap, DesiredTap):
                bridges.add(tap.bridge)
            else:
                yield from self._unheard(tap)
                yield from self._wrong_below(tap, document)
        yield from self._wrong_bridges(bridges, document)

    def _unheard(self, macvtap: DesiredMacvtap) -> Iterator[str]:
        links, name = self._host.machine.links, macvtap.name
        if missing := set(macvtap.groups) - links.groups.get(name, frozenset()):
            yield f"{name} is deaf to {missing}"
        if macvtap.all_groups is not (name in links.allmulti):
            yield f"{name} takes in all groups, or does not: {macvtap}"

    def _wrong_below(self, macvtap: DesiredMacvtap, document: DesiredState) -> Iterator[str]:
        """The VF is as its port says, and so is the network device that the host's driver made of it."""
        machine, vf = self._host.machine, (macvtap.lower.pf, macvtap.lower.vf_index)
        device = machine.links.vfs.get(vf)
        if device is None or (device.mac, device.mtu, device.is_up) != (macvtap.mac, macvtap.mtu, True):
            yield f"below {macvtap} is {device}"
        (owner,) = (each for each in document.vfs if (each.pf, each.index) == vf)
        seen, told = machine.pfs[vf[0]].vfs[vf[1]], machine.told.get(vf)
        if seen != _whole(owner.settings):
            yield f"below {macvtap.name} is {seen}, not {owner.settings}"
        if told is not None and told != owner.settings.mac and not is_nobodys(told):
            yield f"the VF below {macvtap.name} was not scrubbed since it had {told}"

    def _wrong_bridges(self, names: Collection[str], document: DesiredState) -> Iterator[str]:
        kernel = self._host.kernel
        assert isinstance(kernel, SimKernel)
        for bridge in document.bridges:
            made = kernel.bridges.get(bridge.name)
            if bridge.name in names and (made is None or made[0] != bridge):
                yield f"bridge {bridge.name} is {made}, not {bridge}"

    def _wrong_disk(self, guest: DesiredGuest) -> Iterator[str]:
        """On the disk that it was last rebuilt for, made once."""
        made = [disk for server_id, disk in self._host.disks.overlays_made if server_id == guest.server_id]
        serials = [disk.serial for disk in made]
        if serials != sorted(set(serials)):
            yield f"its disks were made for {serials}"
        if guest.root and (made[-1].serial, made[-1].sha512) != (guest.disk_serial, guest.root.sha512):
            yield f"on {made[-1]}, not on disk {guest.disk_serial} of {guest.root.sha512}"

    def _touched(
        self, domain: DomainState, hostdevs: tuple[PciAddress, ...], traces: dict[PciAddress, str]
    ) -> Iterator[str]:
        """No other domain has a device of it, and each was reset since another had it."""
        devices = set(hostdevs)
        for other in self._host.machine.domains.values():
            if other is not domain and other.is_up and devices & set(other.live_hostdevs):
                yield f"{other.name} has a device of it"
        for address, last in traces.items():
            yield f"{address} was not reset since {last} had it"


def _taps(guest: DesiredGuest, document: DesiredState) -> dict[str, DesiredTap | DesiredMacvtap]:
    """Its own, by name."""
    every: tuple[DesiredTap | DesiredMacvtap, ...] = (*document.taps, *document.macvtaps)
    return {tap.name: tap for tap in every if tap.server_id == guest.server_id}


def _whole(wanted: VfSettings) -> VfSettings:
    """With the baseline where nothing is asked for."""
    asked = {name: getattr(wanted, name) for name in VfSettings.__slots__}
    return replace(BASELINE, **{name: value for name, value in asked.items() if value is not None})
