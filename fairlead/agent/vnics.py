"""Which vNICs are here: what the document gives ports on this host, as it is now, with what it has counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fairlead.agent.boundary import Kernel, KernelView
from fairlead.agent.hands import Hands
from fairlead.hoststate.desired import DesiredGuest, DesiredNic, DesiredState, DesiredTap, DesiredVf
from fairlead.hoststate.likeness import is_tap_like
from fairlead.hoststate.macvtap import DesiredMacvtap, ObservedMacvtap, is_as_wanted
from fairlead.hoststate.observed import ObservedPf, ObservedTap, ObservedVf
from fairlead.model.diagnostics import NicCounters
from fairlead.model.errors import Fault
from fairlead.model.ids import PfKey, PortId
from fairlead.model.pci import DeviceKind
from fairlead.model.vf import LinkState, differences
from fairlead.model.vnic import VnicsAnswer, VnicSight


def vnics(hands: Hands) -> VnicsAnswer:
    """Those of all guests of the document, in its order; why there are none, when the host says no. Costs one look
    at the kernel, and one dump more for each PF whose VFs ports have.
    """
    desired = hands.ledger.accepted()
    if desired is None:
        return VnicsAnswer()
    try:
        host = _host(hands.kernel, desired, hands.kernel.observe())
        return VnicsAnswer(tuple(_sights(host, desired)))
    except Fault as fault:
        return VnicsAnswer(failure=fault.failure)


@dataclass(frozen=True, slots=True)
class _Host:
    """The document and the kernel side by side. `counted`: what each VF of a PF in use has counted."""

    kernel: Kernel
    wanted_vfs: Mapping[PortId, DesiredVf]
    wanted_taps: Mapping[PortId, DesiredTap]
    wanted_macvtaps: Mapping[PortId, DesiredMacvtap]
    pfs: Mapping[PfKey, ObservedPf]
    vfs: Mapping[tuple[PfKey, int], ObservedVf]
    taps: Mapping[str, ObservedTap]
    macvtaps: Mapping[str, ObservedMacvtap]
    uplinks: Mapping[str, str]
    counted: Mapping[PfKey, Mapping[int, NicCounters]]


def _host(kernel: Kernel, desired: DesiredState, seen: KernelView) -> _Host:
    wanted = {vf.port_id: vf for vf in desired.vfs if vf.port_id is not None}
    used = {vf.pf for vf in wanted.values()}
    return _Host(
        kernel=kernel,
        wanted_vfs=wanted,
        wanted_taps={tap.port_id: tap for tap in desired.taps},
        wanted_macvtaps={macvtap.port_id: macvtap for macvtap in desired.macvtaps},
        pfs={pf.key: pf for pf in seen.pfs},
        vfs={(pf.key, vf.index): vf for pf in seen.pfs for vf in pf.vfs},
        taps={tap.name: tap for tap in seen.taps},
        macvtaps={macvtap.name: macvtap for macvtap in seen.macvtaps},
        uplinks={bridge.name: uplink for bridge in seen.bridges for uplink in bridge.uplinks},
        counted={pf.key: _counted(kernel, pf) for pf in seen.pfs if pf.key in used and pf.name is not None},
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
            if (vf := host.wanted_vfs.get(nic.port_id)) is not None:
                sight, macvtap = _vf_sight(host, guest, vf), host.wanted_macvtaps.get(nic.port_id)
                yield sight if macvtap is None else _macvtap_sight(host, macvtap, sight)
            elif (tap := host.wanted_taps.get(nic.port_id)) is not None:
                yield _tap_sight(host, guest, tap)
            else:
                yield from _whole_sights(host, guest, nic)


def _vf_sight(host: _Host, guest: DesiredGuest, wanted: DesiredVf) -> VnicSight:
    pf, seen = host.pfs.get(wanted.pf), host.vfs.get((wanted.pf, wanted.index))
    return VnicSight(
        port_id=wanted.port_id or PortId(""),
        server_id=guest.server_id,
        device=seen.pci_address if seen else f"{wanted.pf}/vf{wanted.index}",
        pf=pf.name if pf else None,
        settings=seen.settings if seen else None,
        is_wired=seen is not None and not differences(wanted.settings, seen.settings),
        link_up=_link_of(pf, seen) if pf and seen else None,
        counters=host.counted.get(wanted.pf, {}).get(wanted.index),
    )


def _macvtap_sight(host: _Host, wanted: DesiredMacvtap, below: VnicSight) -> VnicSight:
    """By the macvtap's name, and with what went through that; the rest is its VF's."""
    seen = host.macvtaps.get(wanted.name)
    return replace(
        below,
        device=wanted.name,
        is_wired=below.is_wired and is_as_wanted(wanted, seen),
        link_up=below.link_up if seen else None,
        counters=host.kernel.link_counters(wanted.name) if seen else None,
    )


def _link_of(pf: ObservedPf, vf: ObservedVf) -> bool | None:
    """Forced up or down, or as its PF's."""
    forced = {LinkState.ENABLE: True, LinkState.DISABLE: False}
    return forced.get(vf.settings.link_state or LinkState.AUTO, pf.link_up)


def _tap_sight(host: _Host, guest: DesiredGuest, wanted: DesiredTap) -> VnicSight:
    seen = host.taps.get(wanted.name)
    return VnicSight(
        port_id=wanted.port_id,
        server_id=guest.server_id,
        device=wanted.name,
        pf=host.uplinks.get(wanted.bridge),
        settings=None,
        is_wired=seen is not None and is_tap_like(wanted, seen),
        link_up=seen.is_up if seen else None,
        counters=host.kernel.link_counters(wanted.name) if seen else None,
    )


def _whole_sights(host: _Host, guest: DesiredGuest, nic: DesiredNic) -> Iterator[VnicSight]:
    """A PF that the guest has itself: its driver is the guest's, and nobody here counts."""
    for hostdev in guest.hostdevs:
        if hostdev.port_id == nic.port_id and hostdev.kind is DeviceKind.PF:
            pf = host.pfs.get(PfKey(hostdev.key))
            yield VnicSight(
                port_id=nic.port_id,
                server_id=guest.server_id,
                device=pf.pci_address if pf else hostdev.key,
                pf=pf.name if pf else None,
                settings=None,
                is_wired=pf is not None,
                link_up=None,
                counters=None,
            )
