"""What the agent needs of 802.1Qbg: the station of its host, and what is remembered of what that was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fairlead.hoststate.desired import DesiredVsi
from fairlead.hoststate.observed import ObservedPf
from fairlead.model.vsi import VsiReading, VsiSettings


class Vdp(Protocol):
    """The station of 802.1Qbg on one host: whoever speaks VDP with the bridges that its PFs are cabled to."""

    def read(self, pf: ObservedPf) -> Mapping[str, VsiReading] | None:
        """The VSIs that it has on the PF, whoever asked for them, by instance id; None where it speaks no VDP there."""
        ...

    def agrees(self, pf: ObservedPf) -> bool:
        """Whether a bridge, and no echo, has agreed with it to speak VDP there; False where that is not told. Ports are
        placed by it, and what was associated before stays as it is.
        """
        ...

    def associate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """Returns once the bridge was heard to say yes, whatever the station tells. Raises Fault: `vsi_refused` with
        the bridge's reason, `vsi_unanswered`, `vsi_unheard` where the station alone says that there was an answer,
        `vdp_echoed` where it may have answered itself, `vsi_in_use` where it has that instance already,
        `lldpad_refused` where the bridge was not asked.
        """
        ...

    def preassociate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """Returns once the bridge was heard to say that it would associate it, and keeps what that needs: the station
        has it until it is disassociated. Raises Fault as `associate` does.
        """
        ...

    def disassociate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """Returns once the station has it no more; nothing when that is so already. `vsi` is what was associated, to
        the last field: a station knows it by all of them.
        """
        ...


@dataclass(frozen=True, slots=True)
class AskedVsi:
    """A VSI that the bridge was asked for. `is_granted`: the bridge was heard to say yes, and it was not to be
    disassociated since; of any other no success that the station tells counts.
    """

    vsi: DesiredVsi
    is_granted: bool = False
