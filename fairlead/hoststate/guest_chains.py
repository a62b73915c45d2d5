"""What each guest, its VFs and its taps need before it starts, and while it runs."""

from collections.abc import Iterator

from fairlead.hoststate.attachments import attach_key
from fairlead.hoststate.desired import DesiredGuest, DesiredHostdev, DesiredVf, GuestDevice
from fairlead.hoststate.halting import halts
from fairlead.hoststate.keys import bridge_key, down_key, family_key, image_key
from fairlead.hoststate.likeness import is_bridged, is_configured, is_tapped, missing_devices
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import GuestState, ObservedGuest
from fairlead.hoststate.obstacles import Ahead, obstacles, whole_pfs
from fairlead.hoststate.spec import spec_of
from fairlead.hoststate.steps import (
    AttachNic,
    Chain,
    ConfigureVf,
    DefineGuest,
    KeepDisk,
    MakeTap,
    RestoreDisk,
    StartGuest,
    Step,
)
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.server import Power


def guest_chains(
    lookup: Lookup, goes_down: frozenset[ServerId], remade: frozenset[PfKey], family_keys: frozenset[str]
) -> tuple[tuple[Chain, ...], tuple[Hold, ...]]:
    """What brings each wanted guest, its VFs and its taps to what they should be.

    `remade`: PFs whose VFs are made anew in this plan. `family_keys`: chains of PFs in this plan, which a
    guest that has a VF there, or the PF itself, needs first.
    """
    ahead = Ahead(goes_down, remade, family_keys)
    chains: list[Chain] = []
    holds: list[Hold] = []
    for server_id in _servers(lookup):
        found = tuple(_chains(lookup, server_id, ahead))
        held = tuple(obstacles(lookup, server_id, ahead)) if found else ()
        holds.extend(held)
        chains.extend(() if held else found)
    return tuple(chains), tuple(holds)


def _servers(lookup: Lookup) -> tuple[ServerId, ...]:
    named = [guest.server_id for guest in lookup.desired.guests]
    named += [vf.server_id for vf in lookup.desired.vfs] + [tap.server_id for tap in lookup.desired.taps]
    return tuple(dict.fromkeys(named))


def _chains(lookup: Lookup, server_id: ServerId, ahead: Ahead) -> Iterator[Chain]:
    wanted, seen = lookup.wanted.get(server_id), lookup.guests.get(server_id)
    stays_up = seen is not None and seen.state.is_up and server_id not in ahead.goes_down
    vfs = [vf for vf in lookup.vfs_of(server_id) if vf.pf in ahead.remade or not is_configured(lookup, vf)]
    configure = [_configure(vf, is_repair=_user(lookup, vf) == server_id and stays_up) for vf in vfs]
    taps = [tap for tap in lookup.taps_of(server_id) if not is_tapped(lookup, tap)]
    if wanted is None or stays_up:
        is_to_stay = wanted is not None and wanted.power is not Power.SUSPENDED
        missing = _attachable(lookup, wanted, ahead) if wanted and is_to_stay else ()
        settings: tuple[ConfigureVf | MakeTap, ...] = (*configure, *map(MakeTap, taps))
        yield from _live_chains(lookup, server_id, settings, missing, ahead)
        lacking = {_subject(device) for device in (missing_devices(lookup, wanted) if wanted else ())}
        yield from halts(lookup, wanted, seen, is_sound={*map(_subject, settings)} <= lacking)
        yield from _redefinition(lookup, wanted, seen) if wanted and seen else ()
        return
    is_complete = not any(vf.pf in ahead.remade for vf in vfs)
    ascent = _ascent(lookup, wanted, seen, ahead.goes_down) if is_complete else ()
    steps = (*configure, *map(MakeTap, taps), *ascent)
    images = map(image_key, wanted.images) if ascent else ()
    if steps:
        yield Chain(f"guest/{server_id}", steps, server_id, (*_needs(lookup, wanted, ahead), *images))


def _configure(vf: DesiredVf, *, is_repair: bool) -> ConfigureVf:
    return ConfigureVf(vf.device_id, vf.pf, vf.index, vf.port_id, vf.settings, is_repair)


def _user(lookup: Lookup, vf: DesiredVf | ConfigureVf) -> ServerId | None:
    """Who of our guests has the VF now."""
    seen = lookup.vfs.get((vf.pf, vf.index))
    return lookup.users.get(seen.pci_address) if seen else None


def _attachable(lookup: Lookup, wanted: DesiredGuest, ahead: Ahead) -> tuple[GuestDevice, ...]:
    """What its guest runs without and can be given now: not a device that is away, or that is made anew."""
    return tuple(
        device
        for device in missing_devices(lookup, wanted)
        if not isinstance(device, DesiredHostdev)
        or (lookup.address(device) is not None and device.pf not in ahead.remade)
    )


def _live_chains(
    lookup: Lookup,
    server_id: ServerId,
    settings: tuple[ConfigureVf | MakeTap, ...],
    missing: tuple[GuestDevice, ...],
    ahead: Ahead,
) -> Iterator[Chain]:
    """One chain each: in a guest that runs, one VF that cannot be repaired, or given, must not stop the others. What
    the guest has is set again in place; what it lacks is set, read back, and then given to it.
    """
    lacking = {_subject(device) for device in missing}
    by_subject = {_subject(step): step for step in settings}
    for step in settings:
        if _subject(step) not in lacking:
            yield Chain(f"repair/{_place(step)}", (step,), server_id, _live_needs(lookup, step, ahead))
    for device in missing:
        own = by_subject.get(_subject(device))
        steps: tuple[Step, ...] = (own,) if own else ()
        needs = _live_needs(lookup, own or device, ahead)
        yield Chain(attach_key(device), (*steps, AttachNic(server_id, device)), server_id, needs)


def _subject(what: ConfigureVf | MakeTap | GuestDevice) -> str | None:
    """What a step sets and a guest is given: a device, or a tap."""
    match what:
        case ConfigureVf() | DesiredHostdev():
            return what.device_id
        case MakeTap():
            return what.tap.name
        case _:
            return what.tap


def _place(step: ConfigureVf | MakeTap) -> str:
    return step.tap.name if isinstance(step, MakeTap) else f"{step.pf}/{step.index}"


def _live_needs(lookup: Lookup, what: ConfigureVf | MakeTap | GuestDevice, ahead: Ahead) -> tuple[str, ...]:
    """A device that is still in another guest waits until that is down, one of a PF that is prepared anew for that,
    a tap for its bridge.
    """
    match what:
        case ConfigureVf():
            return (*_downs({_user(lookup, what)}, ahead), *_family_needs(what.pf, ahead))
        case MakeTap():
            return _bridges_to_make(lookup, {what.tap.bridge})
        case DesiredHostdev():
            users = {lookup.users.get(address) for address in (lookup.address(what),) if address}
            return (*_downs(users, ahead), *_family_needs(what.pf or PfKey(what.key), ahead))
        case _:
            return ()


def _family_needs(pf: PfKey, ahead: Ahead) -> tuple[str, ...]:
    return tuple(sorted({family_key(pf)} & ahead.family_keys))


def _redefinition(lookup: Lookup, wanted: DesiredGuest, seen: ObservedGuest) -> Iterator[Chain]:
    """The domain of a guest that runs on is written anew for its next boot, whoever boots it. Not while a device of
    it is away: nobody knows where it will be. Nor on another disk: its own would go; nor before a copy of its disk is
    kept or given back, for which it goes down.
    """
    addresses = lookup.addresses(wanted)
    spec = spec_of(wanted, addresses)
    is_its_disk = seen.disk_serial == wanted.disk_serial and not _disk_of(wanted, seen)
    if is_its_disk and seen.spec != spec and len(addresses) == len(wanted.hostdevs):
        needs = tuple(map(image_key, wanted.images))
        yield Chain(f"define/{wanted.server_id}", (DefineGuest(wanted, spec),), wanted.server_id, needs)


def _ascent(
    lookup: Lookup, wanted: DesiredGuest, seen: ObservedGuest | None, goes_down: frozenset[ServerId]
) -> tuple[Step, ...]:
    """Define and start; define alone where it is to stay down and its domain is missing or outdated.

    A guest that is down with the wanted serial went down by itself and stays down. Where a PF makes its VFs
    anew, their addresses are not known yet, so a guest that has one starts with the next plan.
    """
    if seen is not None and seen.state is GuestState.SAVED and seen.server_id not in goes_down:
        # As it was defined when it was saved: on another domain its memory would make no sense.
        goes_on = StartGuest(wanted.server_id, is_paused=wanted.power is Power.PAUSED)
        return (goes_on,) if wanted.power.is_up else ()
    spec = spec_of(wanted, lookup.addresses(wanted))
    starts = wanted.power.is_up and (seen is None or seen.boot_serial != wanted.boot_serial)
    disk = _disk_of(wanted, seen)
    if not (starts or disk) and seen is not None and seen.spec == spec:
        return ()
    start = StartGuest(wanted.server_id, is_paused=wanted.power is Power.PAUSED)
    return (*disk, DefineGuest(wanted, spec), *((start,) if starts else ()))


def _disk_of(wanted: DesiredGuest, seen: ObservedGuest | None) -> tuple[Step, ...]:
    """Before its disk grows it is kept as it is; before it is started as it was, it has that again."""
    kept = seen.kept_disks if seen else ()
    if wanted.restores_disk in kept:
        return (RestoreDisk(wanted.server_id, wanted.disk_serial, wanted.restores_disk),)
    if wanted.keeps_disk and wanted.keeps_disk not in kept:
        return (KeepDisk(wanted.server_id, wanted.disk_serial, wanted.keeps_disk),)
    return ()


def _needs(lookup: Lookup, wanted: DesiredGuest, ahead: Ahead) -> tuple[str, ...]:
    """Itself down, whoever has its devices down, its PFs prepared, its bridges made."""
    users = {lookup.users.get(address) for address in lookup.addresses(wanted).values()} | {wanted.server_id}
    pfs = (*(vf.pf for vf in lookup.vfs_of(wanted.server_id)), *whole_pfs(wanted))
    families = {family_key(pf) for pf in pfs} & ahead.family_keys
    bridges = _bridges_to_make(lookup, {tap.bridge for tap in lookup.taps_of(wanted.server_id)})
    return (*_downs(users, ahead), *sorted(families), *bridges)


def _downs(users: set[ServerId | None], ahead: Ahead) -> tuple[str, ...]:
    return tuple(sorted(down_key(user) for user in users if user is not None and user in ahead.goes_down))


def _bridges_to_make(lookup: Lookup, names: set[str]) -> tuple[str, ...]:
    return tuple(
        bridge_key(bridge.name)
        for bridge in lookup.desired.bridges
        if bridge.name in names and not is_bridged(lookup, bridge)
    )
