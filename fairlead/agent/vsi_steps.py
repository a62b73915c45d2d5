"""VSIs of 802.1Qbg: what is seen of those that this agent asked for, and the steps on them.

Whatever the bridge may have been asked for is in the ledger before, and until the station has it no more: so a crash
between any two calls leaves an entry that the next look meets. That the bridge said yes is entered once it was heard;
a station that tells of a success by itself is believed by nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID, uuid5

from fairlead.agent.hands import Hands, pf_here
from fairlead.agent.ledger import Ledger
from fairlead.agent.station import AskedVsi, Vdp
from fairlead.hoststate.desired import DesiredVsi
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import ObservedPf, ObservedVsi
from fairlead.hoststate.report import HostEvent
from fairlead.hoststate.steps import AssociateVsi, DisassociateVsi
from fairlead.model.device import QBG_CAPABILITY
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import PfKey
from fairlead.model.pci import LinkLayer
from fairlead.model.vsi import ABSENT, VsiReading, VsiState

VsiStep = AssociateVsi | DisassociateVsi
_UNKNOWN = VsiReading(VsiState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class StationView:
    """A station as one look found it, on one PF. `vsis` None: it did not tell."""

    vsis: Mapping[str, VsiReading] | None = None
    is_agreed: bool = False


Stations = Mapping[PfKey, StationView]
"""By PF. Those without a station are left out."""


def ask_stations(vdp: Vdp, pfs: Iterable[ObservedPf]) -> Stations:
    """One look at each PF, with whether a bridge has agreed there."""
    known = {pf.key: pf for pf in pfs}
    return {
        key: replace(view, is_agreed=view.vsis is not None and vdp.agrees(known[key]))
        for key, view in read_stations(vdp, known.values()).items()
    }


def read_stations(vdp: Vdp, pfs: Iterable[ObservedPf]) -> Stations:
    """What the station has on each PF. One that does not answer costs one wait, for all PFs have the same."""
    found: dict[PfKey, StationView] = {}
    is_silent = False
    for pf in pfs:
        if pf.link_layer is not LinkLayer.ETHERNET or pf.name is None:
            continue
        if is_silent:
            found[pf.key] = StationView()
            continue
        try:
            vsis = vdp.read(pf)
        except Fault:
            found[pf.key], is_silent = StationView(), True
        else:
            found |= {pf.key: StationView(vsis)} if vsis is not None else {}
    return found


def with_station(pf: ObservedPf, stations: Stations) -> ObservedPf:
    """The PF with what follows from its having one: ports may be placed there once a bridge has agreed with it."""
    station = stations.get(pf.key)
    if station is None or not station.is_agreed:
        return pf
    return replace(pf, capabilities=(*pf.capabilities, QBG_CAPABILITY))


def observed_vsis(ledger: Ledger, stations: Stations) -> tuple[ObservedVsi, ...]:
    """Those in the ledger. Without a station there is no association: what it had went with it."""
    return tuple(ObservedVsi(asked.vsi, _reading(asked, stations)) for asked in ledger.vsis())


def act(step: VsiStep, hands: Hands, lookup: Lookup) -> HostEvent:
    """Do it; what people want to know of it. Raises Fault when the bridge or the station says no."""
    match step:
        case AssociateVsi():
            return _associate(step, hands, lookup)
        case DisassociateVsi():
            _disassociate(step.vsi, hands, lookup)
            return _told(step.vsi, hands, lookup, "vsi_disassociated", "is not associated any more")
        case _:
            assert_never(step)


def check_vsis(wanted: Iterable[DesiredVsi], hands: Hands, lookup: Lookup, doing: str) -> None:
    """Ask once more: since they were seen associated an image may have come for minutes."""
    granted = {asked.vsi for asked in hands.ledger.vsis() if asked.is_granted}
    for vsi in wanted:
        held = hands.vdp.read(pf_here(lookup, vsi.pf)) or {}
        state = held.get(vsi.settings.instance_id, ABSENT).state
        if vsi not in granted or state is not VsiState.ASSOCIATED:
            raise Fault(
                Failure(
                    "not_as_wanted",
                    doing,
                    f"guest {vsi.server_id}",
                    f"VSI {vsi.settings.instance_id} is {state.value} now, and the bridge's yes was before",
                    "It is associated again, and the guest started, or given its NIC, then.",
                )
            )


def _associate(step: AssociateVsi, hands: Hands, lookup: Lookup) -> HostEvent:
    """An instance that is its port's own id can be nobody else's: what the station has of it is of a lost ledger."""
    vsi, pf = step.vsi, pf_here(lookup, step.vsi.pf)
    instance = vsi.settings.instance_id
    before = next((each for each in hands.ledger.vsis() if each.vsi.settings.instance_id == instance), None)
    if before is not None:
        if step.is_repair and before.is_granted and before.vsi != vsi:
            _ask_first(vsi, hands, lookup)
        _disassociate(before.vsi, hands, lookup)
    elif instance == vsi.port_id and instance in (hands.vdp.read(pf) or {}):
        _disassociate(vsi, hands, lookup)
    hands.ledger.mark_vsi(AskedVsi(vsi))
    hands.vdp.associate(pf, vsi.settings)
    hands.ledger.mark_vsi(AskedVsi(vsi, is_granted=True))
    deed = "is associated again, and its guest ran on" if step.is_repair else "is associated"
    return _told(vsi, hands, lookup, "vsi_associated", deed)


def _ask_first(vsi: DesiredVsi, hands: Hands, lookup: Lookup) -> None:
    """What a running guest's port is to be associated with from now on takes the place of what it has once the bridge
    would take it, and not before. It is asked so for another instance, since a station may have one in one way only.
    """
    own = vsi.settings.instance_id
    asked = replace(vsi, settings=replace(vsi.settings, instance_id=str(uuid5(UUID(own), "asked first"))))
    hands.ledger.mark_vsi(AskedVsi(asked))
    try:
        hands.vdp.preassociate(pf_here(lookup, vsi.pf), asked.settings)
    except Fault as fault:
        hint = f"{fault.failure.hint} Its guest runs on with the association that it had.".lstrip()
        raise Fault(replace(fault.failure, hint=hint)) from fault
    finally:
        _disassociate(asked, hands, lookup)


def _disassociate(vsi: DesiredVsi, hands: Hands, lookup: Lookup) -> None:
    """A PF that is not there any more took its station's VSIs with it."""
    hands.ledger.mark_vsi(AskedVsi(vsi))
    pf = lookup.pfs.get(vsi.pf)
    if pf is not None:
        hands.vdp.disassociate(pf, vsi.settings)
    hands.ledger.forget_vsi(vsi.settings.instance_id)


def _reading(asked: AskedVsi, stations: Stations) -> VsiReading:
    pf, instance = asked.vsi.pf, asked.vsi.settings.instance_id
    if pf not in stations:
        return ABSENT
    held = stations[pf].vsis
    reading = _UNKNOWN if held is None else held.get(instance, ABSENT)
    is_trusted = asked.is_granted or reading.state is not VsiState.ASSOCIATED
    return reading if is_trusted else _UNKNOWN


def _told(vsi: DesiredVsi, hands: Hands, lookup: Lookup, kind: str, deed: str) -> HostEvent:
    pf = lookup.pfs.get(vsi.pf)
    place = f"{pf.name or 'the PF'} ({pf.pci_address})" if pf else f"PF {vsi.pf}"
    message = f"VSI {vsi.settings.instance_id} on {place} {deed}."
    return hands.event(kind, vsi.port_id, message, vsi.server_id)
