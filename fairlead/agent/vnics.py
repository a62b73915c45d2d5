"""Which vNICs are here: what the document gives ports on this host, as it is now, with what it has counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fairlead.agent.boundary import Kernel
from fairlead.agent.hands import Hands
from fairlead.agent.observe import glance
from fairlead.hoststate.desired import DesiredGuest, DesiredNic, DesiredState, DesiredTap, DesiredVf
from fairlead.hoststate.likeness import port_differences
from fairlead.hoststate.lookup import Lookup, look_up
from fairlead.hoststate.macvtap import DesiredMacvtap
from fairlead.hoststate.observed import ObservedGuest, ObservedPf, ObservedVf, ObservedVsi
from fairlead.hoststate.vnic import VnicsAnswer, VnicSight, seen_vsi
from fairlead.model.diagnostics import NicCounters
from fairlead.model.errors import Fault
from fairlead.model.ids import PfKey, PortId
from fairlead.model.pci import DeviceKind
from fairlead.model.vf import LinkState


def vnics(hands: Hands, guests: tuple[ObservedGuest, ...]) -> VnicsAnswer:
    """Those of all guests of the document, in its order; why there are none, when the host says no. `guests` as they
    were last seen. Costs one look at the kernel, one dump more for each PF whose VFs ports have, and one question to
    the station for each PF that has VSIs.
    """
    desired = hands.ledger.accepted()
    if desired is None:
        return VnicsAnswer()
    try:
        seen = glance(hands.kernel, hands.vdp, hands.ledger, guests)
        return VnicsAnswer(tuple(_sights(_host(hands.kernel, look_up(desired, seen)), desired)))
    except Fault as fault:
        return VnicsAnswer(failure=fault.failure)


@dataclass(frozen=True, slots=True)
class _Host:
    """The document and the host side by side. `counted`: what each VF of a PF in use has counted."""

    kernel: Kernel
    lookup: Lookup
    wanted_vfs: Mapping[PortId, DesiredVf]
    wanted_taps: Mapping[PortId, DesiredTap]
    wanted_macvtaps: Mapping[PortId, DesiredMacvtap]
    vsis: Mapping[PortId, ObservedVsi]
    uplinks: Mapping[str, str]
    counted: Mapping[PfKey, Mapping[int, NicCounters]]
    differences: Mapping[PortId, tuple[str, ...]]


def _host(kernel: Kernel, lookup: Lookup) -> _Host:
    desired = lookup.desired
    wanted = {vf.port_id: vf for vf in desired.vfs if vf.port_id is not None}
    used = {vf.pf for vf in wanted.values()}
    instances = {vsi.port_id: vsi.settings.instance_id for vsi in desired.vsis}
    return _Host(
        kernel=kernel,
        lookup=lookup,
        wanted_vfs=wanted,
        wanted_taps={tap.port_id: tap for tap in desired.taps},
        wanted_macvtaps={macvtap.port_id: macvtap for macvtap in desired.macvtaps},
        vsis={port: lookup.vsis[name] for port, name in instances.items() if name in lookup.vsis},
        uplinks={bridge.name: uplink for bridge in lookup.bridges.values() for uplink in bridge.uplinks},
        counted={
            pf.key: _counted(kernel, pf)
            for pf in lookup.pfs.values()
            if pf.key in used and pf.name is not None
        },
        differences=port_differences(lookup),
    )


def _counted(kernel: Kernel, pf: ObservedPf) -> Mapping[int, NicCounters]:
    """By VF; of a driver that tells none now, none: what else is known of its vNICs, and of others', is told."""
    try:
        return kernel.vf_counters(pf)
    except Fault:
        return {}


def _sights(host: _Host, desired: DesiredState) -> Iterator[VnicSight]:
    for guest in desired.guests:
        for nic in guest.nics:
            sight = _sight(host, guest, nic)
            if sight is not None:
                vsi = host.vsis.get(nic.port_id)
                yield sight if vsi is None else replace(sight, vsi=seen_vsi(vsi))


def _sight(host: _Host, guest: DesiredGuest, nic: DesiredNic) -> VnicSight | None:
    if (vf := host.wanted_vfs.get(nic.port_id)) is not None:
        sight, macvtap = _vf_sight(host, guest, nic, vf), host.wanted_macvtaps.get(nic.port_id)
        return sight if macvtap is None else _macvtap_sight(host, macvtap, sight)
    if (tap := host.wanted_taps.get(nic.port_id)) is not None:
        return _tap_sight(host, guest, nic, tap)
    return _whole_sight(host, guest, nic)


def _vf_sight(host: _Host, guest: DesiredGuest, nic: DesiredNic, wanted: DesiredVf) -> VnicSight:
    pf, seen = host.lookup.pfs.get(wanted.pf), host.lookup.vfs.get((wanted.pf, wanted.index))
    return VnicSight(
        port_id=nic.port_id,
        server_id=guest.server_id,
        device=seen.pci_address if seen else f"{wanted.pf}/vf{wanted.index}",
        pf=pf.name if pf else None,
        is_wired=not host.differences[nic.port_id],
        settings=seen.settings if seen else None,
        link_up=_link_of(pf, seen) if pf and seen else None,
        counters=host.counted.get(wanted.pf, {}).get(wanted.index),
        differs=host.differences[nic.port_id],
    )


def _macvtap_sight(host: _Host, wanted: DesiredMacvtap, below: VnicSight) -> VnicSight:
    """By the macvtap's name, and with what went through that; the rest is its VF's."""
    seen = host.lookup.macvtaps.get(wanted.name)
    return replace(
        below,
        device=wanted.name,
        macvtap=seen,
        link_up=below.link_up if seen else None,
        counters=host.kernel.link_counters(wanted.name) if seen else None,
    )


def _link_of(pf: ObservedPf, vf: ObservedVf) -> bool | None:
    """Forced up or down, or as its PF's."""
    forced = {LinkState.ENABLE: True, LinkState.DISABLE: False}
    return forced.get(vf.settings.link_state or LinkState.AUTO, pf.link_up)


def _tap_sight(host: _Host, guest: DesiredGuest, nic: DesiredNic, wanted: DesiredTap) -> VnicSight:
    seen = host.lookup.taps.get(wanted.name)
    return VnicSight(
        port_id=nic.port_id,
        server_id=guest.server_id,
        device=wanted.name,
        pf=host.uplinks.get(wanted.bridge),
        is_wired=not host.differences[nic.port_id],
        link_up=seen.is_up if seen else None,
        counters=host.kernel.link_counters(wanted.name) if seen else None,
        tap=seen,
        differs=host.differences[nic.port_id],
    )


def _whole_sight(host: _Host, guest: DesiredGuest, nic: DesiredNic) -> VnicSight | None:
    """A PF that the guest has itself: its driver is the guest's, and nobody here counts."""
    for hostdev in guest.hostdevs:
        if hostdev.port_id == nic.port_id and hostdev.kind is DeviceKind.PF:
            pf = host.lookup.pfs.get(PfKey(hostdev.key))
            return VnicSight(
                port_id=nic.port_id,
                server_id=guest.server_id,
                device=pf.pci_address if pf else hostdev.key,
                pf=pf.name if pf else None,
                is_wired=not host.differences[nic.port_id],
                differs=host.differences[nic.port_id],
            )
    return None
