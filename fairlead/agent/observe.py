"""One pass over the host: kernel, libvirt, disks and ledger joined to an observed state."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from fairlead.agent.boundary import (
    Disks,
    Domain,
    Hypervisor,
    HypervisorView,
    Kernel,
    KernelView,
)
from fairlead.agent.ledger import Ledger, Started
from fairlead.agent.station import Vdp
from fairlead.agent.vsi_steps import ask_stations, observed_vsis, read_stations, with_station
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.observed import GuestState, ObservedGuest, ObservedPci, ObservedPf, ObservedState
from fairlead.hoststate.possession import devices_of, vfs_below
from fairlead.model.device import MACVTAP_CAPABILITY
from fairlead.model.errors import Fault
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.pci import STAND_INS, PciAddress
from fairlead.model.vf import differences
from fairlead.model.vf_drivers import vf_driver

_IMAGE_REST = timedelta(days=1)
"""How long a cached image stays after its last use: who boots one server a day need not fetch each time."""


def observe(
    kernel: Kernel,
    vdp: Vdp,
    hypervisor: Hypervisor,
    disks: Disks,
    ledger: Ledger,
    in_flight: frozenset[ServerId] = frozenset(),
) -> ObservedState:
    """What is true now. What the ledger has missed (a crash between an act and its entry) it is told here, but
    for guests that a chain in flight works on: that makes its entries itself, of newer things than were read.
    """
    seen, guests = kernel.observe(), hypervisor.observe()
    by_others = _note_starts(ledger, hypervisor, seen, guests, in_flight)
    _note_dirt(kernel, ledger, seen, guests, in_flight)
    whole = ledger.dirty_devices()
    stations = ask_stations(vdp, seen.pfs)
    given = ledger.given_vfs()
    read = (_without_use_of_ours(pf, given, seen.told_vfs) for pf in seen.pfs)
    pfs = tuple(_with_vf_driver(with_station(pf, stations)) for pf in read)
    return ObservedState(
        boot_id=seen.boot_id,
        capacity=seen.capacity,
        pfs=tuple(replace(_with_dirt(pf, ledger), is_dirty=pf.key in whole) for pf in pfs),
        pcis=tuple(replace(pci, is_dirty=pci.key in whole) for pci in seen.pcis),
        bridges=seen.bridges,
        taps=seen.taps,
        macvtaps=seen.macvtaps,
        guests=_guests(guests, disks, ledger.started(), seen.boot_id, by_others),
        foreign_hostdevs=guests.foreign_hostdevs,
        vsis=observed_vsis(ledger, stations),
        idle_images=disks.idle_images(_boot_files(guests), _IMAGE_REST),
    )


def glance(kernel: Kernel, vdp: Vdp, ledger: Ledger, guests: tuple[ObservedGuest, ...]) -> ObservedState:
    """What is true now of the devices that guests have, for who looks on and does nothing: the ledger is told nothing.
    libvirt and the disks are not asked, for who scrapes metrics does so often: `guests` as they were last seen.
    """
    seen, asked = kernel.observe(), {entry.vsi.pf for entry in ledger.vsis()}
    stations = read_stations(vdp, (pf for pf in seen.pfs if pf.key in asked))
    return ObservedState(
        boot_id=seen.boot_id,
        capacity=seen.capacity,
        pfs=tuple(_with_dirt(pf, ledger) for pf in seen.pfs),
        bridges=seen.bridges,
        taps=seen.taps,
        macvtaps=seen.macvtaps,
        guests=guests,
        vsis=observed_vsis(ledger, stations),
    )


def _with_vf_driver(pf: ObservedPf) -> ObservedPf:
    if not pf.total_vfs or vf_driver(pf.kernel_driver) is None:
        return pf
    return replace(pf, capabilities=(*pf.capabilities, MACVTAP_CAPABILITY))


def _without_use_of_ours(
    pf: ObservedPf, given: frozenset[tuple[PfKey, int]], told: frozenset[PciAddress]
) -> ObservedPf:
    """The network device of a VF that we gave to its driver is ours, and an address on it (NetworkManager, a DHCP
    client, an operator) a stray one: were it the host's use, the VF could be scrubbed never more. That the ledger says
    so is not enough, for the VF may be another of the same number since: those were told no driver.
    """
    strays = {
        vf.index
        for vf in pf.vfs
        if vf.host_use
        and (pf.key, vf.index) in given
        and vf.pci_address in told
        and vf.kernel_driver == vf_driver(pf.kernel_driver)
    }
    if not strays:
        return pf
    return replace(pf, vfs=tuple(replace(vf, host_use="") if vf.index in strays else vf for vf in pf.vfs))


def _note_dirt(
    kernel: Kernel,
    ledger: Ledger,
    seen: KernelView,
    guests: HypervisorView,
    in_flight: frozenset[ServerId],
) -> None:
    """Whatever somebody has had. A plain device that a driver of the host has is the host's, which may be at work with
    it and has set it up for itself.
    """
    if ledger.is_new():
        found = frozenset((pf.key, index) for pf in seen.pfs for index in range(pf.num_vfs))
        below = (each.lower for each in seen.macvtaps if each.lower is not None and each.port_id)
        ledger.mark_found(found, frozenset((lower.pf, lower.vf_index) for lower in below))
    desired = ledger.accepted()
    unsealed = _unsealed(kernel, ledger, seen)
    had = unsealed.union(_used_vfs(seen, guests))
    if not had <= ledger.dirty_vfs():
        ledger.mark_found(had, frozenset())
    opened = _opened_by_another(ledger, seen, guests, unsealed, in_flight)
    borrowed = opened.union(_borrowed(desired, seen, guests))
    if not borrowed <= ledger.borrowed_vfs():
        ledger.mark_borrowed(borrowed)
    free = frozenset(pci.key for pci in seen.pcis if pci.kernel_driver in STAND_INS)
    taken = frozenset(pci.key for pci in seen.pcis) - free
    ledger.meet_devices(free.intersection(desired.pcis if desired else ()), taken)
    named = _whole_devices(seen, guests, desired)
    if not named <= ledger.dirty_devices():
        ledger.mark_devices_dirty(named)


def _note_starts(
    ledger: Ledger,
    hypervisor: Hypervisor,
    seen: KernelView,
    guests: HypervisorView,
    in_flight: frozenset[ServerId],
) -> frozenset[ServerId]:
    """Enter the starts of guests that are up. Those of another hand that may not run on: what we start is entered
    before, and marked after, so what is not was not ours, and goes on only if its devices are its own, and as wanted. A
    new ledger takes what it finds for ours. A VF that cannot be read now says nothing, for or against.
    """
    known, desired = ledger.started(), ledger.accepted()
    up = {domain.server_id for domain in guests.domains if domain.state.is_up}
    for server_id in sorted(known.keys() - up - in_flight):
        if known[server_id].boot_id == seen.boot_id and not known[server_id].is_down:
            ledger.mark_started(server_id, replace(known[server_id], is_down=True))
    by_others = set[ServerId]()
    for domain in guests.domains:
        started = Started(domain.boot_serial, seen.boot_id)
        entry = known.get(domain.server_id)
        is_known = entry == started and domain.is_marked
        if not domain.state.is_up or is_known or domain.server_id in in_flight:
            continue
        is_ours = ledger.is_new() or entry == replace(started, is_done=False)
        is_good = is_ours or _is_as_wanted(domain, desired, seen)
        if is_ours:
            ledger.mark_started(domain.server_id, replace(started, is_done=False))
        if is_good:
            _enter(ledger, hypervisor, domain, started)
        elif is_good is False:
            by_others.add(domain.server_id)
    return frozenset(by_others)


def _enter(ledger: Ledger, hypervisor: Hypervisor, domain: Domain, started: Started) -> None:
    """Where libvirt is too busy with it to mark it, the next look does it, by what is entered of it before."""
    with suppress(Fault):
        hypervisor.mark_start(domain.server_id, domain.start_number)
        ledger.mark_started(domain.server_id, started)


def _is_as_wanted(domain: Domain, desired: DesiredState | None, seen: KernelView) -> bool | None:
    """Whether a guest that is up has its server's devices alone, and its VFs are as their ports say. What is given to
    nobody yet (a withheld VF) is not its own either. None: that cannot be known now.
    """
    if desired is None:
        return None
    has, read = (
        set(devices_of(domain, vfs_below(seen))),
        {(pf.key, vf.index): vf for pf in seen.pfs for vf in pf.vfs},
    )
    owned = [vf for vf in desired.vfs if vf.server_id == domain.server_id]
    found = [(vf, read[vf.pf, vf.index]) for vf in owned if (vf.pf, vf.index) in read]
    if any(differences(vf.settings, at.settings) for vf, at in found) or _has_anothers_tap(domain, desired):
        return False
    below = {(macvtap.lower.pf, macvtap.lower.vf_index) for macvtap in desired.macvtaps}
    if any(at.pci_address in domain.hostdevs for vf, at in found if (vf.pf, vf.index) in below):
        return False  # it has passed through what a macvtap of it is to be on
    given = {at.pci_address for vf, at in found if not vf.is_withheld}
    strangers = has - given - _whole_of(domain.server_id, desired, seen)
    if len(found) == len(owned):
        return not strangers
    return False if strangers.intersection(vf.pci_address for vf in read.values()) else None


def _has_anothers_tap(domain: Domain, desired: DesiredState) -> bool:
    """A port takes its tap's name along, from one server to the next."""
    owners = {tap.name: tap.server_id for tap in desired.taps}
    owners |= {macvtap.name: macvtap.server_id for macvtap in desired.macvtaps}
    return any(owners.get(name, domain.server_id) != domain.server_id for name in domain.taps)


def _whole_of(server_id: ServerId, desired: DesiredState, seen: KernelView) -> set[PciAddress]:
    """Addresses of the PFs and plain devices that the server is to have."""
    guests = (guest for guest in desired.guests if guest.server_id == server_id)
    keys = {hostdev.key for guest in guests for hostdev in guest.hostdevs}
    devices: tuple[ObservedPf | ObservedPci, ...] = (*seen.pfs, *seen.pcis)
    return {device.pci_address for device in devices if device.key in keys}


def _used_vfs(seen: KernelView, guests: HypervisorView) -> Iterator[tuple[PfKey, int]]:
    """VFs that guests which are up have, be they ours or not, and those that the host itself uses. A guest that another
    hand started may have one that is not its own any more.
    """
    below = vfs_below(seen)
    up = [domain for domain in guests.domains if domain.state.is_up]
    used = {*guests.foreign_hostdevs, *(address for domain in up for address in devices_of(domain, below))}
    return ((pf.key, vf.index) for pf in seen.pfs for vf in pf.vfs if vf.host_use or vf.pci_address in used)


def _unsealed(kernel: Kernel, ledger: Ledger, seen: KernelView) -> frozenset[tuple[PfKey, int]]:
    """VFs of ours that somebody has, or has had since their scrub: be it between two looks, and gone by now. Those of
    which the seal says nothing new count as such, and it is not read: see Kernel.sealed_vfs. One that its owner may
    have, and that no driver has, may bear it still.
    """
    desired = ledger.accepted()
    families, owned = (desired.families, desired.vfs) if desired else ((), ())
    ours = {family.pf for family in families if not family.is_given_whole}
    pfs = [pf for pf in seen.pfs if pf.key in ours and not pf.is_management]
    addresses = {(pf.key, vf.index): vf.pci_address for pf in pfs for vf in pf.vfs}
    idle = {(pf.key, vf.index) for pf in pfs for vf in pf.vfs if vf.kernel_driver is None}
    told = ledger.borrowed_vfs() | ((ledger.opened_vfs() | ledger.given_vfs()) - idle)
    known = ledger.dirty_vfs() - ({(vf.pf, vf.index) for vf in owned} - told)
    asked = {name: at for name, at in addresses.items() if name not in known}
    sealed = kernel.sealed_vfs(asked.values())
    broken = {name for name, at in asked.items() if at not in sealed}
    return frozenset(
        broken | (known & addresses.keys() & ledger.dirty_vfs())
    )  # a scrub may have ended meanwhile


def _opened_by_another(
    ledger: Ledger,
    seen: KernelView,
    guests: HypervisorView,
    unsealed: frozenset[tuple[PfKey, int]],
    in_flight: frozenset[ServerId],
) -> frozenset[tuple[PfKey, int]]:
    """Of VFs that have an owner, those that were its own alone bear the seal until its guest has them. That it has them
    now is entered here: who starts it by hand enters nothing. One that bears it still was not opened by a start that
    libvirt refused. One that was given to its driver has the macvtap on it instead, which goes with whoever takes it;
    that of a chain in flight is still to come.
    """
    desired, users = ledger.accepted(), _users(seen, guests)
    owners = {(vf.pf, vf.index): vf.server_id for vf in desired.vfs} if desired else {}
    addresses = {(pf.key, vf.index): vf.pci_address for pf in seen.pfs for vf in pf.vfs}
    held = {name for name in unsealed & owners.keys() if users.get(addresses[name]) == owners[name]}
    opened, tapped = ledger.opened_vfs(), set(vfs_below(seen).values())
    in_hand = {name for name, owner in owners.items() if owner in in_flight}
    sealed = (opened & owners.keys() & addresses.keys()) - unsealed - in_hand
    if sealed or not held <= opened:
        ledger.mark_opened(frozenset(held), sealed)
    given = ledger.given_vfs()
    own = {name for name in given if name in in_hand or addresses.get(name) in tapped} | (opened - given)
    return (unsealed & owners.keys()) - held - own


def _users(seen: KernelView, guests: HypervisorView) -> dict[PciAddress, ServerId]:
    """Which guest of ours has a device now."""
    below = vfs_below(seen)
    up = [domain for domain in guests.domains if domain.state.is_up]
    return {address: domain.server_id for domain in up for address in devices_of(domain, below)}


def _borrowed(
    desired: DesiredState | None, seen: KernelView, guests: HypervisorView
) -> Iterator[tuple[PfKey, int]]:
    """VFs that are one server's by the document, and that another guest or a domain of others has."""
    owners = {(vf.pf, vf.index): vf.server_id for vf in desired.vfs} if desired else {}
    users = _users(seen, guests)
    for pf in seen.pfs:
        for vf in pf.vfs:
            owner, user = owners.get((pf.key, vf.index)), users.get(vf.pci_address)
            is_by_another = vf.pci_address in guests.foreign_hostdevs or user not in {None, owner}
            if owner is not None and is_by_another:
                yield pf.key, vf.index


def _whole_devices(seen: KernelView, guests: HypervisorView, desired: DesiredState | None) -> frozenset[str]:
    """Keys of the PFs and plain devices that domains of ours name, up or down; of those that domains of others name,
    the ones that a policy matches: what is not ours to offer is not ours to reset.
    """
    keys: dict[PciAddress, str] = {pf.pci_address: pf.key for pf in seen.pfs}
    keys |= {pci.pci_address: pci.key for pci in seen.pcis}
    offered = {family.pf for family in desired.families}.union(desired.pcis) if desired else set[str]()
    ours = (address for domain in guests.domains for address in domain.hostdevs)
    others = (address for address in guests.foreign_hostdevs if keys.get(address) in offered)
    return frozenset(keys[address] for address in (*ours, *others) if address in keys)


def _boot_files(guests: HypervisorView) -> frozenset[str]:
    return frozenset(name for domain in guests.domains for name in domain.boot_files)


def _with_dirt(pf: ObservedPf, ledger: Ledger) -> ObservedPf:
    dirty, borrowed = ledger.dirty_vfs(), ledger.borrowed_vfs()
    names = [(pf.key, vf.index) for vf in pf.vfs]
    if dirty.isdisjoint(names) and borrowed.isdisjoint(names):
        return pf
    marked = (
        replace(vf, is_dirty=name in dirty, is_borrowed=name in borrowed)
        for vf, name in zip(pf.vfs, names, strict=True)
    )
    return replace(pf, vfs=tuple(marked))


def _guests(
    view: HypervisorView,
    disks: Disks,
    started: dict[ServerId, Started],
    boot_id: str,
    by_others: frozenset[ServerId],
) -> tuple[ObservedGuest, ...]:
    """Domains, and guests of which only files are left: those are stopped, made of nothing."""
    domains = {domain.server_id: domain for domain in view.domains}
    with_files, kept = disks.guests(), disks.kept()
    bare = (Domain(server, GuestState.STOPPED, "", 0) for server in with_files if server not in domains)
    done = {server: last for server, last in started.items() if last.is_done and last.boot_id == boot_id}
    entered = {server: last.boot_serial for server, last in done.items()}
    entered |= {domain.server_id: domain.boot_serial for domain in view.domains if domain.state.is_up}
    # What was saved is of the boot that its domain tells, be it that the host booted since.
    entered |= {d.server_id: d.boot_serial for d in view.domains if d.state is GuestState.SAVED}
    entered |= dict.fromkeys(by_others, 0)
    return tuple(
        _guest(domain, entered.get(domain.server_id, 0), kept.get(domain.server_id, ()))
        for domain in (*view.domains, *bare)
    )


def _guest(domain: Domain, serial: int, kept_disks: tuple[str, ...]) -> ObservedGuest:
    return ObservedGuest(
        server_id=domain.server_id,
        state=domain.state,
        spec=domain.spec,
        boot_serial=serial,
        hostdevs=domain.hostdevs,
        reason=domain.reason,
        taps=domain.taps,
        disk_serial=domain.disk_serial,
        kept_disks=kept_disks,
    )
