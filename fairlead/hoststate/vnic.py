"""A vNIC as its host sees it: what a port has there, how it is set, and what it has counted."""

from dataclasses import dataclass

from fairlead.hoststate.macvtap import ObservedMacvtap
from fairlead.hoststate.observed import ObservedTap, ObservedVsi
from fairlead.model.count import Count
from fairlead.model.diagnostics import NicCounters
from fairlead.model.errors import Failure
from fairlead.model.ids import PfKey, PortId, ServerId
from fairlead.model.pci import MacAddress
from fairlead.model.vf import VfSettings
from fairlead.model.vsi import VdpResponse, VsiState


@dataclass(frozen=True, slots=True)
class SeenVsi:
    """A VSI as it was asked for, under the names that it is wished by, on which PF and VF; `vf_index` None: on none.
    `state`: what the station tells of it; `response`: why its bridge refused it, while that is told.
    """

    instance_id: str
    manager_id: Count
    type_id: Count
    type_id_version: Count
    mac: MacAddress
    vlan: Count | None
    pf: PfKey
    vf_index: Count | None
    state: VsiState
    response: VdpResponse | None


def seen_vsi(vsi: ObservedVsi) -> SeenVsi:
    """The VSI, flat."""
    asked, settings = vsi.asked, vsi.asked.settings
    return SeenVsi(
        instance_id=settings.instance_id,
        manager_id=settings.manager_id,
        type_id=settings.type_id,
        type_id_version=settings.type_id_version,
        mac=settings.mac,
        vlan=settings.vlan,
        pf=asked.pf,
        vf_index=asked.vf_index,
        state=vsi.reading.state,
        response=vsi.reading.response,
    )


@dataclass(frozen=True, slots=True)
class VnicSight:
    """`device`: the PCI address of what is passed through, or the name of the network device on the host. `pf`: the
    name of the PF that it is on, or leaves through; None: the kernel's driver does not have that. `settings`: of its
    VF, None where it has none; so `tap`, `macvtap` and `vsi`, which agents of before do not tell. `is_wired`: all of
    them are as the port needs them, and its guest runs with it; `differs` names what is not
    (hoststate.likeness.port_differences). `link_up` None: nobody says. `counters` None: nobody counts.
    """

    port_id: PortId
    server_id: ServerId
    device: str
    pf: str | None
    is_wired: bool
    settings: VfSettings | None = None
    link_up: bool | None = None
    counters: NicCounters | None = None
    tap: ObservedTap | None = None
    macvtap: ObservedMacvtap | None = None
    vsi: SeenVsi | None = None
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VnicsAnswer:
    """A host's answer: its vNICs, or why it does not tell."""

    found: tuple[VnicSight, ...] = ()
    failure: Failure | None = None
