"""What running guests are given and asked for: never a device that is not as its port says, none taken unasked."""

from collections.abc import Iterable

from fairlead.agent.hands import Hands, pf_here
from fairlead.agent.vsi_steps import check_vsis
from fairlead.guestxml.guest import device_xml
from fairlead.hoststate.desired import DesiredHostdev, DesiredNic, DesiredVf
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.macvtap import DesiredMacvtap, is_as_wanted
from fairlead.hoststate.steps import AttachNic, DetachNic
from fairlead.model.errors import Failure, Fault
from fairlead.model.vf import differences

_GIVING, _GIVING_MACVTAP = "Giving its device to", "Giving its macvtap to"


def attach_device(step: AttachNic, hands: Hands, lookup: Lookup) -> None:
    """The running guest has the device. Raises Fault where it is away, or not (any more) as wanted."""
    device = step.device
    vsis = [vsi for vsi in lookup.vsis_of(step.server_id) if vsi.port_id == device.port_id]
    if not isinstance(device, DesiredHostdev):
        _check_below(step, device, hands, lookup)
        check_vsis(vsis, hands, lookup, _GIVING_MACVTAP)
        hands.hypervisor.attach(step.server_id, device_xml(device))
        return
    address = lookup.address(device)
    if address is None:
        raise Fault(missing(step.server_id, device.key))
    if device.pf is not None and device.vf_index is not None:
        owner = lookup.owners.get((device.pf, device.vf_index))
        if owner is None or owner.server_id != step.server_id:
            raise Fault(missing(step.server_id, device.key))
        check_vf(owner, hands, lookup, _GIVING)
        hands.ledger.mark_opened(frozenset({(owner.pf, owner.index)}))
    check_vsis(vsis, hands, lookup, _GIVING)
    hands.hypervisor.attach(step.server_id, device_xml(device, address))


def detach_device(step: DetachNic, hands: Hands, lookup: Lookup) -> None:
    """The running guest has let go of it, and the host has it back. Raises Fault `not_released`."""
    seen = lookup.guests.get(step.server_id)
    name = lookup.name_in(seen, step.device) if seen else None
    if name is not None:
        hands.hypervisor.detach(step.server_id, name)


def _check_below(step: AttachNic, device: DesiredNic, hands: Hands, lookup: Lookup) -> None:
    """A tap is nobody's but its guest's; below a macvtap is a VF."""
    for macvtap in lookup.macvtaps_of(step.server_id):
        if macvtap.name != device.tap:
            continue
        owner = lookup.owners.get((macvtap.lower.pf, macvtap.lower.vf_index))
        if owner is not None:
            check_vf(owner, hands, lookup, _GIVING_MACVTAP)
        check_macvtaps((macvtap,), hands, _GIVING_MACVTAP)


def check_vf(vf: DesiredVf, hands: Hands, lookup: Lookup, doing: str) -> None:
    """Read a VF of a guest once more: since it was configured an image may have come for minutes, or a stop may have
    reset it. A guest never gets a device that is not as its port says.
    """
    pf, name, ledger = pf_here(lookup, vf.pf), (vf.pf, vf.index), hands.ledger
    is_opened = name in ledger.opened_vfs() or name in ledger.given_vfs()
    if not (is_opened or hands.kernel.is_sealed(pf, vf.index)):
        raise Fault(_not_as_wanted(vf, doing, "was somebody else's for a while"))
    if left := differences(vf.settings, hands.kernel.read_vf(pf, vf.index)):
        raise Fault(_not_as_wanted(vf, doing, f"has lost {', '.join(left)}"))


def _not_as_wanted(vf: DesiredVf, doing: str, what: str) -> Failure:
    return Failure(
        "not_as_wanted",
        doing,
        f"guest {vf.server_id}",
        f"VF {vf.index} of {vf.pf} {what} since it was configured",
        "It is configured and given again; does something else change this NIC?",
    )


def check_macvtaps(wanted: Iterable[DesiredMacvtap], hands: Hands, doing: str) -> None:
    """As `check_vf`, of macvtaps and what the host's drivers made of the VFs below: one look for all of them."""
    listed = tuple(wanted)
    seen = {each.name: each for each in hands.kernel.observe().macvtaps} if listed else {}
    for macvtap in listed:
        if not is_as_wanted(macvtap, seen.get(macvtap.name)):
            raise Fault(
                Failure(
                    "not_as_wanted",
                    doing,
                    f"guest {macvtap.server_id}",
                    f"macvtap {macvtap.name}, or the network device below, is not as it was made",
                    "It is made and given again; does something else change it, such as NetworkManager?",
                )
            )


def missing(server_id: str, key: str) -> Failure:
    """The failure that a device of the guest is away."""
    return Failure(
        "device_missing",
        _GIVING,
        f"guest {server_id}",
        f"device {key} is not on this host",
        "Was the card taken out? `fairlead device list` shows what the host has.",
    )
