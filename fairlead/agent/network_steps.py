"""Steps on PFs, VFs, bridges and taps: one function each."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import assert_never

from fairlead.agent.hands import Hands, pf_here
from fairlead.agent.macvtap_steps import make_macvtap
from fairlead.agent.retries import CHANGE_REFUSED
from fairlead.agent.unused import check_unused
from fairlead.hoststate.likeness import tap_differences
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import ObservedPf
from fairlead.hoststate.report import HostEvent
from fairlead.hoststate.steps import (
    ConfigureVf,
    MakeBridge,
    MakeMacvtap,
    MakeTap,
    RemoveBridge,
    RemoveMacvtap,
    RemoveTap,
    ResetDevice,
    ScrubVf,
    SetNumVfs,
    SetUpPf,
)
from fairlead.model.association import ANSWER_CODES
from fairlead.model.errors import Failure, Fault
from fairlead.model.quirk import Trait
from fairlead.model.quirks import has
from fairlead.model.vf import VfSettings, baseline_of, differences, nobodys_mac

_FIRST = (frozenset({"link_state", "min_rate_mbps", "max_rate_mbps"}), frozenset({"trust"}))
"""Of a change under a running guest: what no driver takes the VF's link away for, then what drivers refuse more often
than the rest. i40e and ice reset a VF for another MAC, VLAN or trust.
"""
_LAST = frozenset({"spoof_check"})
"""After the VLAN, as the kernel has it in one message (do_setvfinfo): NICs check senders by the VLAN that is there."""
_LASTING = frozenset({"vf_setting_refused", "vf_setting_not_kept"})
"""What a driver would answer again."""

NetworkStep = (
    ScrubVf
    | ResetDevice
    | SetNumVfs
    | SetUpPf
    | MakeBridge
    | RemoveBridge
    | ConfigureVf
    | MakeTap
    | RemoveTap
    | MakeMacvtap
    | RemoveMacvtap
)


def act(step: NetworkStep, hands: Hands, lookup: Lookup) -> HostEvent | None:
    """Do it; the event that people want to know of, if any. Raises Fault when the host says no."""
    match step:
        case ConfigureVf():
            return _configure_vf(step, hands, lookup)
        case ScrubVf():
            return _scrub_vf(step, hands, lookup)
        case ResetDevice():
            return _reset_device(step, hands, lookup)
        case SetNumVfs():
            return _set_num_vfs(step, hands, lookup)
        case SetUpPf():
            hands.kernel.set_up(pf_here(lookup, step.pf), step.mtu)
        case MakeBridge():
            hands.kernel.make_bridge(step.bridge, pf_here(lookup, step.bridge.uplink))
        case RemoveBridge():
            hands.kernel.remove_bridge(step.name)
        case MakeTap():
            return _make_tap(step, hands, lookup)
        case RemoveTap():
            hands.kernel.remove_tap(step.name)
        case MakeMacvtap():
            return make_macvtap(step, hands, lookup)
        case RemoveMacvtap():
            hands.kernel.remove_macvtap(step.name)
        case _:
            assert_never(step)
    return None


def _make_tap(step: MakeTap, hands: Hands, lookup: Lookup) -> HostEvent | None:
    """An event where a guest runs on it. Nobody keeps what its port said before, so that the tap was otherwise may be
    by hand or by a wish.
    """
    wanted, guest = step.tap, lookup.guests.get(step.tap.server_id)
    hands.kernel.make_tap(wanted)
    seen = lookup.taps.get(wanted.name)
    if seen is None or guest is None or not guest.state.is_up:
        return None
    found = ", ".join(f"{field} was {_told(value)}" for field, value in tap_differences(wanted, seen).items())
    message = f"tap {wanted.name} is set as its port says now: {found}"
    return hands.event("tap_set", wanted.port_id, message, wanted.server_id)


def _told(value: object) -> str:
    return "other addresses" if isinstance(value, tuple) else "none" if value is None else str(value)


def _configure_vf(step: ConfigureVf, hands: Hands, lookup: Lookup) -> HostEvent | None:
    """Write what differed when the host was looked at; the next look reads back. Fail closed: what was refused leaves
    nothing half-made behind. A guest that runs on it goes on with what it was verified to be before, where the new is
    refused or not kept: so that is read back at once.
    """
    pf, seen = pf_here(lookup, step.pf), lookup.vfs.get((step.pf, step.index))
    before = seen.settings if seen else hands.kernel.read_vf(pf, step.index)
    fields = _to_write(step.settings, before)
    hands.ledger.mark_dirty(step.pf, step.index)
    verified = hands.ledger.verified().get((step.pf, step.index), step.settings)
    is_change = step.is_repair and verified != step.settings
    try:
        if is_change:
            _change(hands, pf, step, fields)
        else:
            _write(hands, pf, step.index, step.settings, fields)
    except Fault as fault:
        if is_change:
            raise Fault(_set_back(hands, pf, step.index, verified, fault.failure)) from fault
        if not step.is_repair:
            _scrub_refused(step, hands, lookup)
        raise
    if not (step.is_repair and fields):
        return None
    found = ", ".join(f"{field} was {_shown(before, field)}" for field in fields)
    owner = lookup.owners.get((step.pf, step.index))
    is_set = "is set as its port says now" if is_change else "was changed behind our back and is set again"
    return hands.event(
        "vf_changed" if is_change else "drift_repaired",
        step.port_id or step.device_id,
        f"VF {step.index} of {_named(pf)} {is_set}: {found}",
        owner.server_id if owner else None,
    )


def _change(hands: Hands, pf: ObservedPf, step: ConfigureVf, fields: tuple[str, ...]) -> None:
    """Message by message, each read back before the next. What was refused last comes first: so nothing else, which
    might take the guest's link away for a moment, is written and taken back at each try.
    """
    name = (step.pf, step.index)
    left = _in_turn(fields, hands.refused.get(name, ()))
    while left:
        message, *left = left
        try:
            _write(hands, pf, step.index, step.settings, message)
            _check_kept(
                hands, pf, step.index, step.settings, later=frozenset().union(*left).difference(message)
            )
        except Fault:
            hands.refused[name] = message
            raise
    hands.refused.pop(name, None)


def _in_turn(fields: tuple[str, ...], refused: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What was refused comes first, and in its place once more: drivers pass over what they have already."""
    others = frozenset(fields).difference(*_FIRST, _LAST)
    messages = [tuple(field for field in fields if field in turn) for turn in (*_FIRST, others, _LAST)]
    return [message for message in messages if {*message} & {*refused}] + list(filter(None, messages))


def _set_back(hands: Hands, pf: ObservedPf, index: int, verified: VfSettings, refusal: Failure) -> Failure:
    """The refusal, with what its guest runs on: one whole setting, and not a part of this and a part of that."""
    try:
        _made(hands, pf, index, verified)
    except Fault as fault:
        return replace(
            refusal, hint=f"{refusal.hint} Nor could what was before be set again: {fault.failure}"
        )
    hint = f"{refusal.hint} Its guest runs on with what the port had before."
    if refusal.code not in _LASTING:
        return replace(refusal, hint=hint)
    again = "It is tried again once its port or PF is another (driver, link, VFs), and at least each hour."
    return replace(refusal, code=CHANGE_REFUSED, hint=f"{hint} {again}")


def _to_write(wanted: VfSettings, before: VfSettings) -> tuple[str, ...]:
    """What differs; and a MAC that is never told."""
    fields = differences(wanted, before)
    return fields if before.is_mac_told or "mac" in fields else ("mac", *fields)


def _write(hands: Hands, pf: ObservedPf, index: int, wanted: VfSettings, fields: tuple[str, ...]) -> None:
    if not fields:
        return
    try:
        hands.kernel.set_vf(pf, index, wanted, fields)
    except Fault as fault:
        if fault.failure.code in ANSWER_CODES:
            raise
        unlike = differences(wanted, hands.kernel.read_vf(pf, index))
        left = tuple(field for field in fields if field in unlike)
        raise Fault(_refused(fault.failure, pf, index, wanted, left or fields)) from fault


def _made(hands: Hands, pf: ObservedPf, index: int, wanted: VfSettings) -> None:
    """Write what differs and read it back, in one go."""
    _write(hands, pf, index, wanted, _to_write(wanted, hands.kernel.read_vf(pf, index)))
    _check_kept(hands, pf, index, wanted)


def _check_kept(
    hands: Hands, pf: ObservedPf, index: int, wanted: VfSettings, later: AbstractSet[str] = frozenset()
) -> None:
    """Whether it is as wanted, but for what is to be written later."""
    unlike = differences(wanted, hands.kernel.read_vf(pf, index))
    left = tuple(field for field in unlike if field not in later)
    if left:
        raise Fault(_not_kept(pf, index, wanted, left))


def _scrub_refused(step: ConfigureVf, hands: Hands, lookup: Lookup) -> None:
    """At once, as well as it goes: if it does not, the VF stays dirty in the ledger, and no guest has it."""
    try:
        _scrub_vf(ScrubVf(step.pf, step.index), hands, lookup)
    except Fault:
        return


def _scrub_vf(step: ScrubVf, hands: Hands, lookup: Lookup) -> HostEvent:
    pf = pf_here(lookup, step.pf)
    vfs = [vf.pci_address for vf in pf.vfs if vf.index == step.index]
    if not vfs:
        raise Fault(_untold(pf, step.index))
    check_unused(hands, f"Scrubbing VF {step.index} of", _named(pf), vfs, lookup.below)
    hands.kernel.reset_vf(pf, step.index)
    _clear(hands, pf, step.index)
    if not hands.kernel.is_sealed(pf, step.index):
        raise Fault(_taken(pf, step.index))
    hands.ledger.mark_clean(step.pf, step.index)
    return hands.event(
        "vf_scrubbed", f"{step.pf}/vf{step.index}", f"VF {step.index} of {_named(pf)} is clean."
    )


def _untold(pf: ObservedPf, index: int) -> Failure:
    return Failure(
        "vf_missing",
        f"Scrubbing VF {index} of",
        _named(pf),
        "it was not seen when the host was looked at last, so nobody knows who has it",
        "Its driver is silent about VFs while one of them is reset: it is tried again.",
    )


def _taken(pf: ObservedPf, index: int) -> Failure:
    return Failure(
        "vf_taken",
        "Scrubbing",
        f"VF {index} of {_named(pf)}",
        "somebody has had it since it was reset: its driver_override is not what the agent wrote there",
        "It is scrubbed again; does something else manage this NIC, such as driverctl or a device plugin?",
    )


def _clear(hands: Hands, pf: ObservedPf, index: int) -> None:
    """Nothing of an owner is left. Some drivers (bnx2x, igb of old kernels) refuse the cleared MAC address; what
    they take in its place is nobody's.
    """
    baseline = baseline_of(pf.link_layer)
    try:
        _made(hands, pf, index, baseline)
    except Fault:
        if "mac" not in differences(baseline, hands.kernel.read_vf(pf, index)):
            raise
        _made(hands, pf, index, replace(baseline, mac=nobodys_mac(pf.key, index)))


def _reset_device(step: ResetDevice, hands: Hands, lookup: Lookup) -> HostEvent:
    check_unused(hands, "Resetting", f"device {step.key}", [step.pci_address], lookup.below)
    hands.kernel.reset_device(step.pci_address)
    hands.ledger.mark_device_clean(step.key)
    return hands.event("device_reset", step.key, f"device {step.pci_address} is reset, and nobody's.")


def _set_num_vfs(step: SetNumVfs, hands: Hands, lookup: Lookup) -> HostEvent:
    pf = pf_here(lookup, step.pf)
    addresses = [vf.pci_address for vf in pf.vfs]
    check_unused(hands, f"Giving {_vfs(step.num_vfs)} to", _named(pf), addresses, lookup.below)
    hands.kernel.set_num_vfs(pf, step.num_vfs)
    return hands.event(
        "num_vfs_set", step.pf, f"{_named(pf)} has {_vfs(step.num_vfs)} now, and had {pf.num_vfs}."
    )


def not_kept(step: ConfigureVf, lookup: Lookup) -> Failure:
    """Why the VF is not as it was set, where nothing was refused."""
    pf, seen = pf_here(lookup, step.pf), lookup.vfs.get((step.pf, step.index))
    left = differences(step.settings, seen.settings) if seen else ()
    return _not_kept(pf, step.index, step.settings, left)


def _refused(
    answer: Failure, pf: ObservedPf, index: int, wanted: VfSettings, left: tuple[str, ...]
) -> Failure:
    """A driver's no, or what kept it from an answer: it is busy, or there is no memory."""
    return Failure(
        "vf_setting_refused" if answer.code == "kernel_refused" else "vf_setting_failed",
        "Setting " + ", ".join(f"{field} {_shown(wanted, field)}" for field in left),
        f"on VF {index} of {_named(pf)}",
        answer.answer,
        answer.hint or _hint(pf, left),
    )


def _not_kept(pf: ObservedPf, index: int, wanted: VfSettings, left: tuple[str, ...]) -> Failure:
    return Failure(
        "vf_setting_not_kept",
        "Setting " + ", ".join(f"{field} {_shown(wanted, field)}" for field in left),
        f"on VF {index} of {_named(pf)}",
        "the driver accepted it and reads back another value",
        _hint(pf, left),
    )


def _hint(pf: ObservedPf, left: tuple[str, ...]) -> str:
    has_rate = any(field in {"max_rate_mbps", "min_rate_mbps"} for field in left)
    if has_rate and not pf.link_up and has(pf.kernel_driver, Trait.RATE_NEEDS_LINK):
        return f"{_named(pf)} has no link, and its driver takes a rate only with one: check the cable."
    fields = ", ".join(left)
    return f"Its driver {pf.kernel_driver} may not do {fields}: ask for another kind of device, or without."


def _vfs(count: int) -> str:
    return "1 VF" if count == 1 else f"{count} VFs"


def _named(pf: ObservedPf) -> str:
    return f"{pf.name or 'the PF'} ({pf.pci_address})"


def _shown(settings: VfSettings, field: str) -> str:
    value = getattr(settings, field)
    return "none" if value is None else str(getattr(value, "value", value))
