"""A vNIC as /v1 shows it: where it is and whose, what its host is told of it, and what is there."""

from typing import Annotated

from msgspec import Struct

from fairlead.api.native.records import says
from fairlead.control.vnics import Vnic
from fairlead.hoststate.macvtap import ObservedMacvtap
from fairlead.hoststate.observed import ObservedTap
from fairlead.hoststate.settings import Settings
from fairlead.hoststate.vnic import SeenVsi, VnicSight
from fairlead.model.binding import VifType, Wiring
from fairlead.model.diagnostics import NicCounters
from fairlead.model.ids import DeviceId, HostId, NetworkId, PortId, ServerId
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.port import PortStatus, VnicType
from fairlead.model.vf import VfSettings


class SeenSettings(Struct, frozen=True, kw_only=True):
    """What was seen of a vNIC, part by part as it is wanted; a part that is null: it has none, or none was seen."""

    vf: Annotated[
        VfSettings | None,
        says(
            "The settings of its VF. `association`: what its 802.1Qbh switch was asked for last, and its answer."
        ),
    ] = None
    tap: Annotated[
        ObservedTap | None,
        says(
            "Its tap. `sources` with `?` in it: the filter of what its guest may send is not as Fairlead makes it."
        ),
    ] = None
    vsi: Annotated[
        SeenVsi | None,
        says("Its VSI of 802.1Qbg, as it was asked for, and what the station tells of its bridge's answer."),
    ] = None
    macvtap: Annotated[ObservedMacvtap | None, says("Its macvtap.")] = None


class VnicView(Struct, frozen=True, kw_only=True):
    """A port on the host that it is bound to."""

    port_id: PortId
    port_name: str
    mac: MacAddress
    vnic_type: VnicType
    vif_type: VifType
    network_id: NetworkId
    network_name: str
    physical_network: str
    vlan: Annotated[int | None, says("The network's VLAN; null: it has none.")]
    server_id: ServerId | None
    server_name: str | None
    tag: Annotated[
        str | None,
        says(
            "What it is for, as its guest reads on its config drive from its next boot on; null: nothing is said."
        ),
    ]
    host_id: HostId
    host_name: str
    pf_name: Annotated[
        str | None,
        says("The network device of the PF that it has, is on, or leaves through, where it is known."),
    ]
    device_id: Annotated[DeviceId | None, says("The VF or PF that it has; null: none.")]
    pci_address: Annotated[PciAddress | None, says("Of that VF or PF.")]
    vf_index: Annotated[int | None, says("Which of its PF's VFs it has; null: none.")]
    device: Annotated[
        str | None,
        says(
            "What its guest has on the host: a PCI address or a network device's name; null: nobody has told."
        ),
    ]
    status: PortStatus
    wiring: Annotated[Wiring, says("How far its host has got with it, as last reported.")]
    failure: Annotated[str, says('Why it is not wired, in words; "": it is, or nobody knows of a reason.')]
    wanted: Annotated[
        Settings | None,
        says("What its host is told of it; null: port, profile and QoS policy contradict now."),
    ]
    seen: Annotated[
        SeenSettings,
        says(
            "What there is of it, as its host tells now; else the settings of its VF alone, as last reported."
        ),
    ]
    is_told: Annotated[
        bool, says("Whether its host has told of it just now. What follows is null where not.")
    ]
    is_wired: Annotated[
        bool | None,
        says(
            "Whether all that the port needs is as wanted: VF, PF, tap, macvtap, VSI, and that its guest, "
            "if that is up, has it."
        ),
    ]
    differs: Annotated[
        list[str] | None,
        says(
            "Names of what is not as wanted, as `vf.vlan` or `tap.mtu`; a part alone, as `tap`: it is not there; "
            "`guest`: that runs without it."
        ),
    ]
    link_up: Annotated[bool | None, says("Whether its guest has a link; null: nobody says.")]
    counters: Annotated[
        NicCounters | None, says("What its guest has received and sent; null: nobody counts it.")
    ]


def vnic_view(vnic: Vnic, sight: VnicSight | None) -> VnicView:
    """The vNIC, with what its host tells of it now, if it does."""
    port, network, device, pf = vnic.nic.port, vnic.nic.network, vnic.device, vnic.pf
    return VnicView(
        port_id=port.id,
        port_name=port.name,
        mac=port.mac,
        vnic_type=port.vnic_type,
        vif_type=vnic.binding.vif_type,
        network_id=network.id,
        network_name=network.name,
        physical_network=network.physical_network,
        vlan=network.vlan,
        server_id=vnic.server.id if vnic.server else None,
        server_name=vnic.server.name if vnic.server else None,
        tag=vnic.server.nic_tags.get(port.id) if vnic.server else None,
        host_id=vnic.host.id,
        host_name=vnic.host.name,
        pf_name=(sight.pf if sight else None) or (pf.name if pf else None),
        device_id=device.id if device else None,
        pci_address=device.pci_address if device else None,
        vf_index=device.vf_index if device else None,
        device=sight.device if sight else None,
        status=vnic.status,
        wiring=vnic.binding.wiring,
        failure=str(vnic.binding.failure or ""),
        wanted=vnic.told,
        seen=_seen(sight) if sight else SeenSettings(vf=device.seen if device else None),
        is_told=sight is not None,
        is_wired=sight.is_wired if sight else None,
        differs=list(sight.differs) if sight else None,
        link_up=sight.link_up if sight else None,
        counters=sight.counters if sight else None,
    )


def _seen(sight: VnicSight) -> SeenSettings:
    return SeenSettings(vf=sight.settings, tap=sight.tap, vsi=sight.vsi, macvtap=sight.macvtap)
