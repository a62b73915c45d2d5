"""What a guest has used: libvirt's numbers, and those of VFs, which only the drivers of their PFs count."""

from collections.abc import Iterator

from fairlead.agent.hands import Hands
from fairlead.hoststate.desired import DesiredState, NicKind
from fairlead.model.diagnostics import Diagnostics, DiagnosticsAnswer, NicCounters, NicDiagnostics
from fairlead.model.errors import Fault
from fairlead.model.ids import DeviceId, ServerId
from fairlead.model.pci import PciAddress


def diagnose(server_id: ServerId, hands: Hands) -> DiagnosticsAnswer:
    """The guest's numbers; why there are none, when the host says no."""
    try:
        seen = hands.hypervisor.statistics(server_id)
        desired = hands.ledger.accepted()
        nics = tuple(_nics(server_id, desired, seen.taps, hands)) if desired else ()
    except Fault as fault:
        return DiagnosticsAnswer(failure=fault.failure)
    kind = hands.machine.domain_type.value
    found = Diagnostics(kind, seen.cpu_times_ns, seen.memory_kib, seen.used_kib, seen.disks, nics)
    return DiagnosticsAnswer(found)


def _nics(
    server_id: ServerId, desired: DesiredState, taps: dict[str, NicCounters], hands: Hands
) -> Iterator[NicDiagnostics]:
    """In the guest's order."""
    vfs = _vfs(server_id, desired, hands)
    for guest in desired.guests:
        for nic in guest.nics if guest.server_id == server_id else ():
            if nic.kind is NicKind.TAP and nic.tap is not None:
                yield NicDiagnostics(nic.port_id, nic.tap, taps.get(nic.tap))
            elif nic.device_id in vfs:
                address, counters = vfs[nic.device_id]
                yield NicDiagnostics(nic.port_id, address, counters)


def _vfs(
    server_id: ServerId, desired: DesiredState, hands: Hands
) -> dict[DeviceId | None, tuple[PciAddress, NicCounters | None]]:
    """Address and counters of the guest's VFs that are here."""
    wanted = [vf for vf in desired.vfs if vf.server_id == server_id]
    pfs = {pf.key: pf for pf in hands.kernel.observe().pfs} if wanted else {}
    found: dict[DeviceId | None, tuple[PciAddress, NicCounters | None]] = {}
    for vf in wanted:
        pf = pfs.get(vf.pf)
        for each in pf.vfs if pf else ():
            if pf is not None and each.index == vf.index:
                found[vf.device_id] = each.pci_address, hands.kernel.vf_counters(pf).get(vf.index)
    return found
