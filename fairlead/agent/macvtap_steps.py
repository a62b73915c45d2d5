"""Makes a macvtap. It has the VF below for its guest as a pass-through has: dirty from the first touch to the scrub."""

from fairlead.agent.hands import Hands
from fairlead.hoststate.observed import ObservedPf
from fairlead.hoststate.report import HostEvent
from fairlead.hoststate.steps import MakeMacvtap
from fairlead.model.errors import Failure, Fault
from fairlead.model.vf_drivers import vf_driver


def make_macvtap(step: MakeMacvtap, hands: Hands, pf: ObservedPf) -> HostEvent | None:
    """Fail closed: nothing is touched where it is not known which driver of the host makes a network device of the
    VF. An event where it was there and not as wanted.
    """
    wanted = step.macvtap
    driver = vf_driver(pf.kernel_driver)
    if driver is None:
        raise Fault(_unknown(step, pf))
    hands.ledger.mark_dirty(wanted.lower.pf, wanted.lower.vf_index)
    hands.kernel.make_macvtap(wanted, pf, driver)
    if not step.is_repair:
        return None
    message = (
        f"macvtap {wanted.name}, or the network device below, was changed behind our back and is set again"
    )
    return hands.event("drift_repaired", wanted.port_id, message, wanted.server_id)


def _unknown(step: MakeMacvtap, pf: ObservedPf) -> Failure:
    return Failure(
        "vf_driver_unknown",
        "Making macvtap",
        f"{step.macvtap.name} on a VF of {pf.name or 'the PF'} ({pf.pci_address})",
        f"which driver its VFs need is not known: the PF has {pf.kernel_driver or 'none'}",
        "Give the port vnic_type direct, or ask for another kind of device.",
    )
