"""What each guest, its VFs and its taps need before it starts, and while it runs."""

from collections.abc import Iterator

from fairlead.hoststate.attachments import attach_key
from fairlead.hoststate.desired import DesiredGuest, DesiredHostdev, DesiredVf, DesiredVsi, GuestDevice
from fairlead.hoststate.halting import halts
from fairlead.hoststate.keys import bridge_key, down_key, family_key, image_key
from fairlead.hoststate.likeness import has_traces, is_bridged, is_configured, is_tapped, missing_devices
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.macvtap_chains import dead_macvtaps, macvtap_chains, unset_macvtaps
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
    ScrubVf,
    StartGuest,
    Step,
)
from fairlead.hoststate.vsis import association, nic_of, unassociated
from fairlead.hoststate.whole_devices import is_empty
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.pci import DeviceKind
from fairlead.model.server import Power


def guest_chains(
    lookup: Lookup, goes_down: frozenset[ServerId], remade: frozenset[PfKey], family_keys: frozenset[str]
) -> tuple[tuple[Chain, ...], tuple[Hold, ...]]:
    """What brings each wanted guest, its VFs and its taps to what they should be.

    `remade`: PFs whose VFs are made anew in this plan. `family_keys`: chains of PFs in this plan, which a
    guest that has a VF there needs first.
    """
    ahead = Ahead(goes_down, remade, family_keys)
    chains: list[Chain] = []
    holds: list[Hold] = []
    for server_id in _servers(lookup):
        planned = tuple(_chains(lookup, server_id, ahead))
        barred = tuple(obstacles(lookup, server_id, ahead)) if planned else ()
        holds.extend(barred or (item for item in planned if isinstance(item, Hold)))
        chains.extend(() if barred else (item for item in planned if isinstance(item, Chain)))
    return tuple(chains), tuple(holds)


def _servers(lookup: Lookup) -> tuple[ServerId, ...]:
    named = [guest.server_id for guest in lookup.desired.guests]
    named += [vf.server_id for vf in lookup.desired.vfs] + [tap.server_id for tap in lookup.desired.taps]
    named += [macvtap.server_id for macvtap in lookup.desired.macvtaps]
    return tuple(dict.fromkeys(named))


def _chains(lookup: Lookup, server_id: ServerId, ahead: Ahead) -> Iterator[Chain | Hold]:
    """First what the guest stands on, one chain for each VF and tap: one that cannot be set must not stop the others.
    It is started, or given something, by a later plan, made when all of that was read back as wanted.
    """
    wanted, seen = lookup.wanted.get(server_id), lookup.guests.get(server_id)
    stays_up = seen is not None and seen.state.is_up and server_id not in ahead.goes_down
    vfs = [vf for vf in lookup.vfs_of(server_id) if vf.pf in ahead.remade or not is_configured(lookup, vf)]
    taps = [tap for tap in lookup.taps_of(server_id) if not is_tapped(lookup, tap)]
    vsis = unassociated(lookup, server_id)
    lacking = {_name(device): device for device in (missing_devices(lookup, wanted) if wanted else ())}
    nics = {_name(device): device for device in (wanted.devices if wanted and stays_up else ())}
    given_as = {macvtap.port_id: macvtap.name for macvtap in lookup.macvtaps_of(server_id)}
    names = {vf: given_as.get(vf.port_id, vf.device_id) if vf.port_id else vf.device_id for vf in vfs}
    for vf in vfs:
        yield _setting(lookup, vf, nics.get(names[vf]), ahead, stays_up=stays_up)
    for tap in taps:
        needs = _bridges_to_make(lookup, {tap.bridge})
        yield Chain(f"set/{tap.name}", (MakeTap(tap),), server_id, needs, nics.get(tap.name))
    yield from macvtap_chains(lookup, server_id, ahead, nics)
    for vsi in vsis:
        nic = nic_of(lookup, server_id, vsi.port_id) if stays_up else None
        yield from association(lookup, vsi, _family_needs(vsi.pf, ahead), nic)
    unset = {*names.values(), *(tap.name for tap in taps), *_names(lookup, vsis)}
    unset |= {macvtap.name for macvtap in unset_macvtaps(lookup, server_id)}
    if wanted is not None and seen is not None and stays_up:
        if wanted.power is not Power.SUSPENDED:
            for device in (device for name, device in lacking.items() if name not in unset):
                yield from _gift(lookup, server_id, device, ahead)
        dead = dead_macvtaps(lookup, server_id, ahead.goes_down)
        yield from halts(lookup, wanted, seen, is_sound=unset - dead <= lacking.keys())
        yield from _redefinition(lookup, wanted, seen)
    elif (
        wanted is not None
        and not (unset or vsis)
        and all(is_empty(lookup, pf) for pf in whole_pfs(wanted))
        and (steps := _ascent(lookup, wanted, seen, ahead.goes_down))
    ):
        needs = (*_needs(lookup, wanted, ahead), *map(image_key, wanted.images))
        starts = any(isinstance(step, StartGuest) for step in steps)
        waits = tuple(_withheld(vf) for vf in lookup.vfs_of(server_id) if vf.is_withheld and starts)
        yield from waits or (Chain(f"guest/{server_id}", steps, server_id, needs),)


def _setting(
    lookup: Lookup, vf: DesiredVf, nic: GuestDevice | None, ahead: Ahead, *, stays_up: bool
) -> Chain:
    """Whoever has the VF is down before it is set, and its PF prepared. One that is made anew or scrubbed is set by the
    next plan, which has seen it; this one tells its server if that cannot be done. One that is not seen now, where a
    driver is silent for a moment, counts as its running owner's: who has it is not known, and it must not be scrubbed.
    """
    user = _user(lookup, vf)
    is_repair = stays_up and (user == vf.server_id or (vf.pf, vf.index) not in lookup.vfs)
    step: Step = ConfigureVf(vf.device_id, vf.pf, vf.index, vf.port_id, vf.settings, is_repair)
    if has_traces(lookup, vf):
        step = ScrubVf(vf.pf, vf.index)
    steps = () if vf.pf in ahead.remade else (step,)
    needs = (*_downs({user}, ahead), *_family_needs(vf.pf, ahead))
    return Chain(f"set/{vf.pf}/{vf.index}", steps, vf.server_id, needs, nic)


def _user(lookup: Lookup, vf: DesiredVf) -> ServerId | None:
    """Who of our guests has the VF now."""
    seen = lookup.vfs.get((vf.pf, vf.index))
    return lookup.users.get(seen.pci_address) if seen else None


def _gift(lookup: Lookup, server_id: ServerId, device: GuestDevice, ahead: Ahead) -> Iterator[Chain | Hold]:
    waits = [vf for vf in lookup.vfs_of(server_id) if vf.is_withheld and vf.port_id == device.port_id]
    if waits:
        yield from map(_withheld, waits)
    elif _is_ready(lookup, device):
        yield _attach(lookup, server_id, device, ahead)


def _withheld(vf: DesiredVf) -> Hold:
    """It is set and read back, and its fabric does not know it yet."""
    what = f"give the device to server {vf.server_id}"
    why = f"its fabric's subnet manager has not been told yet which partition GUID {vf.settings.port_guid} is in"
    if key := vf.settings.partition_key:
        # mlx4: all VFs of a PF are in a partition as its port is (control.fabrics).
        why = (
            f"its PF's port is no {key.membership.value} member of partition 0x{key.key:04x} yet: the fabric's subnet "
            "manager has not been told yet, or another guest on that PF has the partition in the other way, full or "
            "limited, and has it first"
        )
    return Hold(f"{vf.pf}/vf{vf.index}", what, why, server_id=vf.server_id)


def _attach(lookup: Lookup, server_id: ServerId, device: GuestDevice, ahead: Ahead) -> Chain:
    """What its guest runs without and can be given now."""
    needs: tuple[str, ...] = ()
    if isinstance(device, DesiredHostdev):
        users = {lookup.users.get(address) for address in (lookup.address(device),) if address}
        needs = (*_downs(users, ahead), *(_family_needs(device.pf, ahead) if device.pf else ()))
    return Chain(attach_key(device), (AttachNic(server_id, device),), server_id, needs, device)


def _name(device: GuestDevice) -> str | None:
    """What a guest is given, as the document calls it: a device, or a tap."""
    return device.device_id if isinstance(device, DesiredHostdev) else device.tap


def _names(lookup: Lookup, vsis: tuple[DesiredVsi, ...]) -> Iterator[str]:
    for vsi in vsis:
        nic = nic_of(lookup, vsi.server_id, vsi.port_id)
        yield from (name,) if nic and (name := _name(nic)) else ()


def _is_ready(lookup: Lookup, device: GuestDevice) -> bool:
    """Whether it can be given: a tap is; a device is where it is here, and a PF where none of its VFs is left."""
    if not isinstance(device, DesiredHostdev):
        return True
    is_clear = device.kind is not DeviceKind.PF or is_empty(lookup, PfKey(device.key))
    return is_clear and lookup.address(device) is not None


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
    """Itself down, whoever has its devices down, the PFs of its VFs prepared, its bridges made."""
    users = {lookup.users.get(address) for address in lookup.addresses(wanted).values()} | {wanted.server_id}
    families = {family_key(vf.pf) for vf in lookup.vfs_of(wanted.server_id)} & ahead.family_keys
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
