"""From what a host should be and what it is to the steps between: the order on the host, which is safety.

Guests go down, or let go, before their devices are scrubbed; PFs and bridges are ready before a guest's VFs and taps
are set; those are set and read back before the guest starts. What would disturb somebody is a hold.
Things that no document of ours names are left alone, guests among them.
"""

from collections.abc import Iterator, Mapping

from fairlead.hoststate.attachments import detachments
from fairlead.hoststate.descents import disk_drops, down_chains
from fairlead.hoststate.desired import DesiredFamily, DesiredState
from fairlead.hoststate.frame_sizes import HOST_USES, mtu_holds, settable_mtu, too_narrow
from fairlead.hoststate.freeing import KEEPS_RUNNING, Freeing
from fairlead.hoststate.guest_chains import guest_chains
from fairlead.hoststate.images import early_image_chains, image_chains
from fairlead.hoststate.keys import bridge_key, family_key, removal_key
from fairlead.hoststate.likeness import is_bridged, is_set_up, uplink_use
from fairlead.hoststate.lookup import Lookup, look_up
from fairlead.hoststate.macvtap_chains import dead_holds
from fairlead.hoststate.observed import ObservedPf, ObservedState, ObservedVf
from fairlead.hoststate.steps import (
    Chain,
    HostPlan,
    MakeBridge,
    RemoveBridge,
    RemoveImage,
    RemoveMacvtap,
    RemoveTap,
    ScrubVf,
    SetNumVfs,
    SetUpPf,
    Step,
)
from fairlead.hoststate.unnamed import kept_bridges, kept_taps, unnamed_holds
from fairlead.hoststate.vsis import removal_needs, removals
from fairlead.hoststate.whole_devices import UNTOLD, emptied, resets
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.pci import LinkLayer
from fairlead.model.vf import baseline_of, differences

_IN_USE = "the kernel would destroy VFs that are in use"


def diff(desired: DesiredState, observed: ObservedState) -> HostPlan:
    """The plan that brings the host nearer to what is desired, and why some of it must wait.

    A plan may leave work for the next one (a VF that is not there yet): done is when it is empty.
    """
    lookup = look_up(desired, observed)
    down = down_chains(lookup)
    goes_down = frozenset(chain.server_id for chain in down if chain.server_id)
    counts = (*_count_changes(lookup), *emptied(lookup))
    changes = tuple(item for item in counts if isinstance(item, SetNumVfs))
    remade = frozenset(change.pf for change in changes)
    families = tuple(_family_chains(lookup, changes))
    leaving = detachments(lookup, goes_down)
    free = Freeing(goes_down, _asked(lookup, leaving))
    taps = (*_macvtap_removals(lookup, free), *_tap_removals(lookup, free))
    vsis = tuple(removals(lookup, free))
    scrubs = (*_scrubs(lookup, free, remade), *resets(lookup, free))
    guests, guest_holds = guest_chains(lookup, goes_down, remade, frozenset(chain.key for chain in families))
    early = early_image_chains(lookup, down)
    stages = (
        early,
        (*down, *_chains(tuple(leaving.values()))),
        (*_chains(vsis), *_chains(taps), *disk_drops(lookup), *_chains(scrubs), *_image_removals(lookup)),
        (*_bridge_removals(lookup, goes_down), *families),
        tuple(_bridge_chains(lookup, frozenset(chain.key for chain in families))),
        tuple(chain for chain in image_chains(guests) if chain not in early),
        guests,
    )
    holds = (
        *unnamed_holds(lookup),
        *_holds(counts),
        *_unprepared(lookup),
        *mtu_holds(lookup),
        *too_narrow(lookup),
        *_holds(tuple(leaving.values())),
        *_holds(vsis),
        *_holds(taps),
        *dead_holds(lookup, goes_down),
        *_holds(scrubs),
        *guest_holds,
    )
    return HostPlan(tuple(stage for stage in stages if stage), holds)


def _asked(lookup: Lookup, leaving: Mapping[str, Chain | Hold]) -> dict[str, str]:
    """By name of what is let go of, the chain that asks for it; with a macvtap goes the VF below."""
    keys = {name: item.key for name, item in leaving.items() if isinstance(item, Chain)}
    return keys | {lookup.below[name]: key for name, key in keys.items() if name in lookup.below}


def _chains(found: tuple[Chain | Hold, ...]) -> Iterator[Chain]:
    return (item for item in found if isinstance(item, Chain))


def _holds(found: tuple[Chain | SetNumVfs | Hold, ...]) -> Iterator[Hold]:
    return (item for item in found if isinstance(item, Hold))


def _tap_removals(lookup: Lookup, free: Freeing) -> Iterator[Chain | Hold]:
    wanted = {tap.name for tap in lookup.desired.taps} | kept_taps(lookup).keys()
    for tap in lookup.observed.taps:
        if tap.name not in wanted:
            yield _tap_removal(lookup, RemoveTap(tap.name), free)


def _macvtap_removals(lookup: Lookup, free: Freeing) -> Iterator[Chain | Hold]:
    """Before a VF is scrubbed: nothing is on it then."""
    wanted = {macvtap.name for macvtap in lookup.desired.macvtaps} | kept_taps(lookup).keys()
    for macvtap in lookup.observed.macvtaps:
        if macvtap.name not in wanted:
            yield _tap_removal(lookup, RemoveMacvtap(macvtap.name), free)


def _tap_removal(lookup: Lookup, step: RemoveTap | RemoveMacvtap, free: Freeing) -> Chain | Hold:
    user = lookup.tap_users.get(step.name)
    if free.keeps(step.name, user):
        return Hold(step.name, "remove the tap", KEEPS_RUNNING, (user,) if user else ())
    return Chain(removal_key(step.name), (step,), needs=free.needs(step.name, (user,) if user else ()))


def _image_removals(lookup: Lookup) -> Iterator[Chain]:
    wanted = {image.sha512 for guest in lookup.desired.guests for image in guest.images}
    for step in map(RemoveImage, lookup.observed.idle_images):
        if step.sha512 not in wanted:
            yield Chain(f"cache/{step.name}", (step,))


def _bridge_removals(lookup: Lookup, goes_down: frozenset[ServerId]) -> Iterator[Chain]:
    """A bridge with a tap that a guest which keeps running has goes after that."""
    used = {
        tap.bridge for tap in lookup.observed.taps if lookup.tap_users.get(tap.name) not in goes_down | {None}
    }
    wanted = {bridge.name for bridge in lookup.desired.bridges} | kept_bridges(lookup).keys() | used
    for bridge in lookup.observed.bridges:
        if bridge.name not in wanted:
            yield Chain(bridge_key(bridge.name), (RemoveBridge(bridge.name),))


def _bridge_chains(lookup: Lookup, family_keys: frozenset[str]) -> Iterator[Chain]:
    for bridge in lookup.desired.bridges:
        if not is_bridged(lookup, bridge) and uplink_use(lookup, bridge) is None:
            needs = tuple({family_key(bridge.uplink)} & family_keys)
            yield Chain(bridge_key(bridge.name), (MakeBridge(bridge),), needs=needs)


def _scrubs(lookup: Lookup, free: Freeing, remade: frozenset[PfKey]) -> Iterator[Chain | Hold]:
    """VFs of managed PFs that nobody owns and that are not clean. VFs about to be made anew can wait."""
    for family in lookup.desired.families:
        pf = lookup.managed(family.pf)
        if pf is None or pf.key in remade:
            continue
        for vf in pf.vfs:
            if (family.pf, vf.index) not in lookup.owners and needs_scrub(vf, pf.link_layer):
                yield from _scrub(lookup, family.pf, vf, free)


def needs_scrub(vf: ObservedVf, link_layer: LinkLayer) -> bool:
    """Whether a VF without an owner still carries, or may carry, anything of its last one."""
    return vf.is_dirty or bool(differences(baseline_of(link_layer), vf.settings))


def _scrub(lookup: Lookup, pf: PfKey, vf: ObservedVf, free: Freeing) -> Iterator[Chain | Hold]:
    user = lookup.users.get(vf.pci_address)
    if vf.pci_address in lookup.foreign:
        return
    if vf.host_use:
        yield Hold(vf.pci_address, "scrub the VF", f"the host uses it: it {vf.host_use}")
        return
    if user is not None and free.keeps(vf.pci_address, user):
        yield Hold(vf.pci_address, "scrub the VF", KEEPS_RUNNING, (user,))
        return
    on_it = (removal_key(name) for name, address in lookup.below.items() if address == vf.pci_address)
    needs = free.needs(vf.pci_address, lookup.named_by(vf.pci_address))
    needs = (*needs, *removal_needs(lookup, pf, vf.index), *on_it)
    yield Chain(f"scrub/{pf}/{vf.index}", (ScrubVf(pf, vf.index),), needs=needs)


def _family_chains(lookup: Lookup, changes: tuple[SetNumVfs, ...]) -> Iterator[Chain]:
    """Up before the VF count: some drivers (bnxt_en) ignore a count while the PF is down."""
    for family in lookup.desired.families:
        pf = lookup.managed(family.pf)
        steps: list[Step] = []
        if pf is not None and pf.name is not None:
            mtu = settable_mtu(lookup, family, pf)
            steps.extend(() if is_set_up(pf, mtu) else (SetUpPf(pf.key, mtu),))
        steps.extend(change for change in changes if change.pf == family.pf)
        if steps:
            yield Chain(family_key(family.pf), tuple(steps))


def _count_changes(lookup: Lookup) -> Iterator[SetNumVfs | Hold]:
    for family in lookup.desired.families:
        pf = lookup.managed(family.pf)
        if pf and pf.name and family.num_vfs is not None:
            yield from _count_change(lookup, family, pf, family.num_vfs)


def _count_change(
    lookup: Lookup, family: DesiredFamily, pf: ObservedPf, num_vfs: int
) -> Iterator[SetNumVfs | Hold]:
    """Where VFs are gone (the host booted), those that have owners come back first, whatever is asked for."""
    owned = [vf for vf in lookup.desired.vfs if vf.pf == pf.key]
    needed = min(max((vf.index + 1 for vf in owned), default=0), pf.total_vfs)
    target = num_vfs if pf.vfs else max(num_vfs, needed)
    what = f"change from {pf.num_vfs} to {num_vfs} VFs"
    if num_vfs > pf.total_vfs:
        yield Hold(pf.pci_address, what, f"the device has at most {pf.total_vfs} VFs (sriov_totalvfs)")
        return
    if pf.host_use and target != pf.num_vfs:
        why = f"{HOST_USES}: it {pf.host_use}. Make the VFs where the host sets up the PF"
        yield Hold(pf.pci_address, what, why)
        return
    holders = _holders(lookup, family, pf)
    if target != num_vfs:
        yield Hold(pf.pci_address, what, _IN_USE, tuple(sorted({vf.server_id for vf in owned})))
    elif holders and num_vfs != pf.num_vfs:
        yield Hold(pf.pci_address, what, _IN_USE, holders)
    if target != pf.num_vfs and not holders:
        yield SetNumVfs(pf.key, target)


def _holders(lookup: Lookup, family: DesiredFamily, pf: ObservedPf) -> tuple[str, ...]:
    """Who would lose a VF: owners by control's word, guests that have one now, and domains of others. An owner
    whose VFs are not there has none to lose.
    """
    if len(pf.vfs) < pf.num_vfs:
        return (UNTOLD,)
    if not pf.vfs:
        return ()
    addresses = [vf.pci_address for vf in pf.vfs]
    owners = [vf for vf in lookup.desired.vfs if vf.pf == pf.key]
    present = {vf.server_id for vf in owners if (vf.pf, vf.index) in lookup.vfs}
    absent = {str(vf.server_id) for vf in owners if vf.server_id not in present}
    named: list[str] = [server for server in family.holders if server not in absent]
    users: list[str] = [lookup.users[address] for address in addresses if address in lookup.users]
    foreign = [f"{lookup.foreign[address]} ({address})" for address in addresses if address in lookup.foreign]
    host = [f"the host ({vf.pci_address} {vf.host_use})" for vf in pf.vfs if vf.host_use]
    return tuple(dict.fromkeys([*named, *sorted(present), *users, *foreign, *host]))


def _unprepared(lookup: Lookup) -> Iterator[Hold]:
    """PFs that a policy matches and that cannot be prepared now."""
    for family in lookup.desired.families:
        pf = lookup.pfs.get(family.pf)
        if pf is None or family.is_given_whole:
            continue
        if pf.is_management:
            yield Hold(pf.pci_address, "manage the PF", "it carries the host's default route")
        elif pf.pci_address in lookup.foreign:
            yield Hold(pf.pci_address, "manage the PF", f"{lookup.foreign[pf.pci_address]} has it")
        elif pf.name is None:
            driver = pf.kernel_driver or "no driver"
            yield Hold(pf.pci_address, "manage the PF", f"{driver} has it, not a network driver")
