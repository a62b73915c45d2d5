"""Makes a macvtap. It has the VF below for its guest as a pass-through has: dirty from the first touch to the scrub."""

from fairlead.agent.hands import Hands, pf_here
from fairlead.agent.unused import check_unused
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.macvtap import is_set
from fairlead.hoststate.observed import ObservedPf
from fairlead.hoststate.report import HostEvent
from fairlead.hoststate.steps import MakeMacvtap
from fairlead.model.errors import Failure, Fault
from fairlead.model.vf_drivers import vf_driver

_MAKING = "Making macvtap"


def make_macvtap(step: MakeMacvtap, hands: Hands, lookup: Lookup) -> HostEvent | None:
    """Fail closed: nothing is touched where it is not known which driver of the host makes a network device of the VF,
    nor where anybody has the VF by now, but for who has this very macvtap: the VF would be taken from vfio-pci under
    a guest that runs. An event where it was there and not as wanted.
    """
    wanted = step.macvtap
    pf, index = pf_here(lookup, wanted.lower.pf), wanted.lower.vf_index
    driver = vf_driver(pf.kernel_driver)
    if driver is None:
        raise Fault(_unknown(step, pf))
    addresses = [vf.pci_address for vf in pf.vfs if vf.index == index]
    others = {name: address for name, address in lookup.below.items() if name != wanted.name}
    check_unused(hands, _MAKING, wanted.name, addresses, others)
    _check_own(step, hands, pf)
    hands.ledger.mark_given(frozenset({(pf.key, index)}))
    stands = hands.kernel.make_macvtap(wanted, pf, driver, is_repair=step.is_repair)
    return _event(step, hands, lookup, stands=stands) if step.is_repair else None


def _check_own(step: MakeMacvtap, hands: Hands, pf: ObservedPf) -> None:
    """Somebody may have had the VF, and be gone, since the look: its seal is broken then, and no macvtap is on it.
    A repair makes nothing where the macvtap is not there.
    """
    lower, ledger = step.macvtap.lower, hands.ledger
    name = (lower.pf, lower.vf_index)
    if step.is_repair or hands.kernel.is_sealed(pf, lower.vf_index):
        return
    if name in ledger.given_vfs():
        is_own = any(seen.lower == lower for seen in hands.kernel.observe().macvtaps)
    else:
        is_own = name in ledger.opened_vfs()
    if not is_own:
        raise Fault(
            Failure(
                "not_as_wanted",
                _MAKING,
                step.macvtap.name,
                f"VF {lower.vf_index} of {lower.pf} was somebody else's for a while since it was configured",
                "It is scrubbed and given again; does something else use this NIC?",
            )
        )


def _event(step: MakeMacvtap, hands: Hands, lookup: Lookup, *, stands: bool) -> HostEvent:
    """What groups it shall hear changes with its port, so that it did not says nothing of anybody."""
    wanted, what = step.macvtap, f"macvtap {step.macvtap.name}, or the network device below,"
    seen = lookup.macvtaps.get(wanted.name)
    if stands and seen is not None and is_set(wanted, seen):
        heard = (
            "all multicast groups" if wanted.all_groups else f"multicast groups {', '.join(wanted.groups)}"
        )
        kind, message = "macvtap_changed", f"macvtap {wanted.name} hears {heard} now, as its port says"
    elif stands:
        kind, message = "drift_repaired", f"{what} was changed behind our back and is set again"
    else:
        kind = "macvtap_dropped"
        message = f"{what} had another MAC, and the VF's driver must read it anew: its guest gets a new one"
    return hands.event(kind, wanted.port_id, message, wanted.server_id)


def _unknown(step: MakeMacvtap, pf: ObservedPf) -> Failure:
    return Failure(
        "vf_driver_unknown",
        _MAKING,
        f"{step.macvtap.name} on a VF of {pf.name or 'the PF'} ({pf.pci_address})",
        f"which driver its VFs need is not known: the PF has {pf.kernel_driver or 'none'}",
        "Give the port vnic_type direct, or ask for another kind of device.",
    )
