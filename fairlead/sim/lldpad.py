"""A simulated host's lldpad, with a bridge at the other end of each PF's cable that says yes unless told not to."""

from collections.abc import Mapping

from fairlead.hoststate.observed import ObservedPf
from fairlead.model.errors import Failure, Fault
from fairlead.model.vsi import VsiReading, VsiSettings, VsiState
from fairlead.sim.machine import Machine, PfState


class SimLldpad:
    """agent.station.Vdp. Outlives agents; what it has is the machine's `vsis`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def read(self, pf: ObservedPf) -> Mapping[str, VsiReading] | None:
        """All that it has there: with its bridges everything is associated at once, or not at all."""
        if self._station(pf) is None:
            return None
        self._machine.called("read_vsis")
        told = self._machine.vsis.get(pf.key, {}) | self._machine.imagined.get(pf.key, {})
        return dict.fromkeys(told, VsiReading(VsiState.ASSOCIATED))

    def agrees(self, pf: ObservedPf) -> bool:
        """Wherever it has a bridge, and does not hear itself."""
        return self._station(pf) is not None and not self._machine.troubles.is_echoing

    def associate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """As the bridge says."""
        machine, subject = self._machine, f"{vsi.instance_id} on {pf.name}"
        machine.called("associate")
        if self._station(pf) is None:
            raise _fault("lldpad_refused", subject, "lldpad says ENODEV: No such device")
        held = machine.vsis.setdefault(pf.key, {})
        imagined = machine.imagined.setdefault(pf.key, {})
        if vsi.instance_id in held or vsi.instance_id in imagined:
            raise _fault("vsi_in_use", subject, "lldpad has that instance already")
        if machine.troubles.is_echoing:
            imagined[vsi.instance_id] = vsi
            machine.before_call("hear that the NIC hands frames back")
            del imagined[vsi.instance_id]
            raise _fault("vdp_echoed", subject, "the PF hears its own frames")
        if machine.troubles.is_bridge_silent:
            raise _fault("vsi_unanswered", subject, "the bridge has not answered for 20 s")
        response = machine.troubles.vdp_response
        if response is not None:
            raise _fault("vsi_refused", subject, f"the bridge answers {response.code}: {response.value}")
        held[vsi.instance_id] = vsi
        machine.before_call("hear of the association")

    def preassociate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """The same: what it keeps for a VSI it has as long as that is there."""
        self.associate(pf, vsi)

    def disassociate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """By other settings than it was associated with, it does not go."""
        machine = self._machine
        machine.called("disassociate")
        if self._station(pf) is None:
            return
        for held in (machine.vsis.get(pf.key, {}), machine.imagined.get(pf.key, {})):
            if held.get(vsi.instance_id, vsi) != vsi:
                answer = f"lldpad has it still, as {held[vsi.instance_id]}"
                raise Fault(
                    Failure("vsi_kept", "Disassociating VSI", f"{vsi.instance_id} on {pf.name}", answer)
                )
            held.pop(vsi.instance_id, None)
        machine.before_call("hear of the disassociation")

    def _station(self, pf: ObservedPf) -> PfState | None:
        state = self._machine.pfs.get(pf.key)
        if state is None or not state.is_present or self._machine.troubles.is_lldpad_away:
            return None
        return None if state.nic.pci_address in self._machine.users() else state


def _fault(code: str, subject: str, answer: str) -> Fault:
    return Fault(Failure(code, "Associating VSI", subject, answer))
