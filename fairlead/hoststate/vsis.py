"""VSIs: associated before their guests start, disassociated once no guest has what they are of.

And before that is scrubbed: the bridge shall know nothing of a port whose VF is another's. Ours are those that the
agent's ledger knows; a station's other VSIs are others', and left alone. One that is lost while its guest runs is
associated again, and the guest is left running: it is the bridge that lets its frames pass or not, and a switch that
stumbles must not take servers down. What keeps it from being associated is its port's failure then.
"""

from collections.abc import Iterator

from fairlead.hoststate.desired import DesiredHostdev, DesiredVsi, GuestDevice
from fairlead.hoststate.freeing import KEEPS_RUNNING, Freeing
from fairlead.hoststate.keys import down_key
from fairlead.hoststate.likeness import is_associated
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import ObservedGuest
from fairlead.hoststate.possession import devices_of
from fairlead.hoststate.steps import AssociateVsi, Chain, DisassociateVsi
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey, PortId, ServerId
from fairlead.model.pci import PciAddress


def vsi_key(instance_id: str) -> str:
    """Key of the chain that associates or disassociates it."""
    return f"vsi/{instance_id}"


def vsis_of(lookup: Lookup, server_id: ServerId) -> tuple[DesiredVsi, ...]:
    """Those of the server's ports."""
    return tuple(vsi for vsi in lookup.desired.vsis if vsi.server_id == server_id)


def unassociated(lookup: Lookup, server_id: ServerId) -> tuple[DesiredVsi, ...]:
    """Those of the server's ports that the bridge does not have as wanted."""
    return tuple(vsi for vsi in vsis_of(lookup, server_id) if not is_associated(lookup, vsi))


def association(
    lookup: Lookup, vsi: DesiredVsi, needs: tuple[str, ...], nic: GuestDevice | None
) -> Iterator[Chain]:
    """None while the instance is another port's, or is on another VF: that goes first. `nic`: what its guest, which is
    up, has or is to be given.
    """
    seen = lookup.vsis.get(vsi.settings.instance_id)
    if vsi.pf in lookup.pfs and (seen is None or _place(seen.asked) == _place(vsi)):
        step = AssociateVsi(vsi, is_repair=nic is not None)
        yield Chain(vsi_key(vsi.settings.instance_id), (step,), vsi.server_id, needs, nic)


def removals(lookup: Lookup, free: Freeing) -> Iterator[Chain | Hold]:
    """VSIs of ours that no port wants there. Those of guests that the document does not name stay."""
    wanted = {_place(vsi) for vsi in lookup.desired.vsis}
    for seen in lookup.observed.vsis:
        asked = seen.asked
        if _place(asked) not in wanted and asked.server_id not in lookup.unnamed:
            yield _removal(lookup, asked, free)


def removal_needs(lookup: Lookup, pf: PfKey, index: int) -> tuple[str, ...]:
    """Chains that end the associations of a VF's last ports."""
    return tuple(
        vsi_key(seen.asked.settings.instance_id)
        for seen in lookup.observed.vsis
        if (seen.asked.pf, seen.asked.vf_index) == (pf, index)
    )


def nic_of(lookup: Lookup, server_id: ServerId, port_id: PortId) -> GuestDevice | None:
    """What the port is in its guest, which has it, is to have it, or is to let go of it; None where it is nothing."""
    wanted = lookup.wanted.get(server_id)
    devices = (*wanted.devices, *wanted.leaving) if wanted else ()
    return next((device for device in devices if device.port_id == port_id), None)


def _place(vsi: DesiredVsi) -> tuple[str, PortId, PfKey, int | None]:
    return vsi.settings.instance_id, vsi.port_id, vsi.pf, vsi.vf_index


def _removal(lookup: Lookup, asked: DesiredVsi, free: Freeing) -> Chain | Hold:
    """Once its guest is down, or has let go of what it is of; at once where the port stays without: it is down."""
    guest, key = lookup.guests.get(asked.server_id), vsi_key(asked.settings.instance_id)
    step = DisassociateVsi(asked)
    if guest is None or not guest.state.is_up:
        return Chain(key, (step,))
    if asked.server_id in free.goes_down:
        return Chain(key, (step,), needs=(down_key(asked.server_id),))
    nic = nic_of(lookup, asked.server_id, asked.port_id)
    if nic is not None and _is_to_stay(lookup, nic, asked):
        return Chain(key, (step,))
    name = lookup.name_in(guest, nic) if nic else _vf_in(lookup, guest, asked)
    if name is not None and free.keeps(name, asked.server_id):
        return Hold(key, "disassociate the VSI", KEEPS_RUNNING, (asked.server_id,))
    return Chain(key, (step,), needs=free.needs(name, (asked.server_id,)) if name else ())


def _is_to_stay(lookup: Lookup, nic: GuestDevice, asked: DesiredVsi) -> bool:
    if nic not in lookup.wanted[asked.server_id].devices:
        return False
    if isinstance(nic, DesiredHostdev):
        return (nic.pf, nic.vf_index) == (asked.pf, asked.vf_index)
    lower = [macvtap.lower for macvtap in lookup.desired.macvtaps if macvtap.port_id == nic.port_id]
    return all((each.pf, each.vf_index) == (asked.pf, asked.vf_index) for each in lower)


def _vf_in(lookup: Lookup, guest: ObservedGuest, asked: DesiredVsi) -> PciAddress | None:
    """The VF that it is of, where the guest has it though nothing is said of such a NIC."""
    vf = lookup.vfs.get((asked.pf, asked.vf_index)) if asked.vf_index is not None else None
    return vf.pci_address if vf is not None and vf.pci_address in devices_of(guest, lookup.below) else None
