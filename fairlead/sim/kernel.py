"""The agent's kernel boundary over a simulated machine, in memory: fast, for thousands of simulated days."""

import errno
from collections.abc import Callable, Collection, Iterator, Mapping

from fairlead.agent.boundary import KernelView
from fairlead.hoststate.desired import DesiredBridge, DesiredTap
from fairlead.hoststate.macvtap import DesiredMacvtap, ObservedMacvtap, is_the_one
from fairlead.hoststate.observed import (
    ObservedBridge,
    ObservedPci,
    ObservedPf,
    ObservedTap,
    ObservedVf,
)
from fairlead.linux.association import Associations
from fairlead.linux.faults import Act, refusal, vf_subject
from fairlead.model.device import QBH_CAPABILITY
from fairlead.model.diagnostics import NicCounters
from fairlead.model.errors import Failure, Fault
from fairlead.model.infiniband import TAKES_PARTITIONS
from fairlead.model.pci import STAND_INS, MacAddress, PciAddress
from fairlead.model.vf import VfSettings
from fairlead.sim import vfio
from fairlead.sim.machine import Machine, PfState
from fairlead.sim.netlink import SimNetlink, host_addresses, link_index
from fairlead.sim.switch import LostTime


class SimKernel:
    """agent.boundary.Kernel. Outlives agents, as a kernel does."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._associations = Associations(SimNetlink(machine), LostTime(machine.before_call))
        self.bridges: dict[str, tuple[DesiredBridge, PfState, int]] = {}
        """Each with its uplink, and which of that's network devices is on it: a later one is not."""
        self.taps: dict[str, DesiredTap] = {}
        self.macvtaps: dict[str, DesiredMacvtap] = {}
        self._let_in: dict[tuple[str, MacAddress], tuple[str, PfState, int]] = {}
        """What uplinks let in, by bridge: in which boot, and which of its network devices."""

    def observe(self) -> KernelView:
        """Everything that is plugged in."""
        machine = self._machine
        machine.called("observe")
        users = frozenset(machine.users())
        return KernelView(
            boot_id=machine.boot_id,
            capacity=machine.hardware.capacity,
            pfs=tuple(_pf(pf, machine) for pf in machine.pfs.values() if pf.is_present),
            pcis=tuple(
                ObservedPci(
                    device.key,
                    device.pci_address,
                    device.vendor,
                    device.product,
                    "vfio-pci" if device.pci_address in users else device.kernel_driver,
                    device.numa_node,
                    machine.hardware.iommu_group(device.pci_address),
                )
                for device in machine.hardware.plain
            ),
            bridges=tuple(self._bridges()),
            taps=tuple(_tap(tap) for name, tap in self.taps.items() if name in machine.virtual_links),
            macvtaps=tuple(
                _macvtap(machine, macvtap)
                for name, macvtap in self.macvtaps.items()
                if name in machine.virtual_links
            ),
            told_vfs=frozenset(
                machine.pfs[key].nic.vf_address(index)
                for (key, index), device in machine.links.vfs.items()
                if device.is_told
            ),
        )

    def own_vfs(self, addresses: frozenset[PciAddress]) -> None:
        """Kept."""
        self._machine.ours = addresses

    def read_vf(self, pf: ObservedPf, index: int) -> VfSettings:
        """One VF as it is now."""
        self._machine.called("read_vf")
        self._vf("Reading VF", pf, index)
        try:
            return self._machine.tell_vfs(pf.key)[index]
        except OSError as error:
            raise refusal(Act.READ_VF, vf_subject(pf, index), error) from error

    def vf_counters(self, pf: ObservedPf) -> Mapping[int, NicCounters]:
        """A simulated guest sends nothing, which is counted."""
        self._machine.called("count")
        return {vf: NicCounters(0, 0, 0, 0) for vf in self._pf("Reading VFs of", pf).vfs}

    def link_counters(self, name: str) -> NicCounters | None:
        """As above."""
        return NicCounters(0, 0, 0, 0) if name in self._machine.virtual_links else None

    def set_vf(self, pf: ObservedPf, index: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """Field by field, in the kernel's order; then what the switch says."""
        self._machine.called("set_vf")
        self._vf("Setting VF", pf, index)
        link, is_asked = link_index(self._machine, pf.key), "association" in fields
        try:
            self._answered("Setting VF", pf, lambda: self._machine.write_vf(pf.key, index, settings, fields))
        except Fault:
            if is_asked:
                self._associations.take_back(link, index)
            raise
        if is_asked:
            self._associations.settle(link, pf, index, settings.association)

    def reset_vf(self, pf: ObservedPf, index: int) -> None:
        """A reset clears what the guest did, not what the PF's driver was told."""
        self._machine.called("reset_vf")
        state = self._vf("Resetting VF", pf, index)
        vfio.check_unheld(self._machine, Act.SEAL, state, [index])
        address = state.nic.vf_address(index)
        self._machine.links.seal((pf.key, index))
        self._machine.reset(address)
        self._machine.host_addresses.pop(address, None)

    def sealed_vfs(self, addresses: Collection[PciAddress]) -> frozenset[PciAddress]:
        """As they are now."""
        sealed = (self._machine.pfs[key].nic.vf_address(index) for key, index in self._machine.links.seals)
        return frozenset(sealed).intersection(addresses)

    def is_sealed(self, pf: ObservedPf, index: int) -> bool:
        """As it is now."""
        return (pf.key, index) in self._machine.links.seals

    def reset_device(self, address: PciAddress) -> None:
        """A PF that its driver has back began anew with that."""
        self._machine.called("reset_device")
        if not self._machine.present(address):
            raise Fault(Failure("device_missing", "Resetting", address, "there is no such device"))
        plain = {device.pci_address: device for device in self._machine.hardware.plain}
        if address in plain and not plain[address].has_reset and plain[address].kernel_driver in STAND_INS:
            raise Fault(Failure("reset_missing", "Resetting", address, "it has no reset"))
        self._machine.reset(address)

    def set_num_vfs(self, pf: ObservedPf, num_vfs: int) -> None:
        """Through 0 where VFs are there."""
        self._machine.called("set_num_vfs")
        state = self._pf("Setting the number of VFs of", pf)
        vfio.check_unheld(self._machine, Act.SET_NUM_VFS, state, state.vfs)
        if state.vfs and num_vfs:
            self._answered("Removing VFs of", pf, lambda: self._machine.set_num_vfs(pf.key, 0))
            self._machine.before_call("set_num_vfs")
        self._answered("Making VFs of", pf, lambda: self._machine.set_num_vfs(pf.key, num_vfs))
        for index in state.vfs:
            self._machine.links.seal((pf.key, index))

    def set_up(self, pf: ObservedPf, mtu: int | None) -> None:
        """Up, with the MTU."""
        self._machine.called("set_up")
        state = self._pf("Bringing up", pf)
        state.is_up = True
        state.mtu = mtu if mtu is not None else state.mtu

    def make_bridge(self, bridge: DesiredBridge, uplink: ObservedPf) -> None:
        """Made or repaired."""
        self._machine.called("make_bridge")
        state = self._pf("Making a bridge on", uplink)
        self.bridges[bridge.name] = (bridge, state, state.births)
        self._machine.links.make(bridge.name)
        self._forget_unused(bridge.name)

    def remove_bridge(self, name: str) -> None:
        """Gone, with every tap taken off it."""
        self._machine.called("remove_bridge")
        self._machine.virtual_links.discard(name)
        self._forget_unused(name)

    def make_tap(self, tap: DesiredTap) -> None:
        """Made or repaired, on its bridge."""
        self._machine.called("make_tap")
        if tap.bridge not in self._machine.virtual_links:
            raise Fault(Failure("kernel_refused", "Making tap", tap.name, f"there is no bridge {tap.bridge}"))
        self.taps[tap.name] = tap
        self._machine.links.make(tap.name)
        _, uplink, birth = self.bridges[tap.bridge]
        self._let_in[tap.bridge, tap.mac] = (self._machine.boot_id, uplink, birth)

    def remove_tap(self, name: str) -> None:
        """Gone."""
        self._machine.called("remove_tap")
        self._machine.virtual_links.discard(name)
        if name in self.taps and self.taps[name].bridge in self._machine.virtual_links:
            self._forget_unused(self.taps[name].bridge)

    def make_macvtap(
        self, macvtap: DesiredMacvtap, pf: ObservedPf, vf_driver: str, *, is_repair: bool
    ) -> bool:
        """Made or repaired. A VF's device has the MAC that the PF told it when its driver took it."""
        machine, name = self._machine, macvtap.name
        machine.called("make_macvtap")
        state = self._vf("Making macvtap", pf, macvtap.lower.vf_index)
        there = self.macvtaps.get(name) if name in machine.virtual_links else None
        if not is_the_one(macvtap, _macvtap(machine, there) if there else None):
            if is_repair:
                raise Fault(
                    Failure("macvtap_missing", "Making macvtap", name, "its guest has another one open")
                )
            machine.virtual_links.discard(name)
        vfio.check_unheld(machine, Act.GIVE_VF, state, [macvtap.lower.vf_index])
        vf, told = (state.nic.key, macvtap.lower.vf_index), state.vfs[macvtap.lower.vf_index].mac
        if vfio.is_in_use(machine, state.nic.vf_address(vf[1])):
            raise Fault(Failure("kernel_refused", "Making macvtap", name, "EBUSY: Device or resource busy"))
        device = machine.links.give(vf, vf_driver, told)
        if device.mac != macvtap.mac:
            was_there = name in machine.links.on(vf)
            machine.links.take(vf)
            if was_there:
                return False
            device = machine.links.give(vf, vf_driver, told)
        if device.mac != macvtap.mac:
            raise Fault(Failure("kernel_refused", "Making macvtap", name, "EADDRNOTAVAIL"))
        device.mtu, device.is_up, device.is_told = macvtap.mtu, True, True
        device.address = None
        machine.host_addresses.pop(state.nic.vf_address(macvtap.lower.vf_index), None)
        machine.links.make(name, vf)
        machine.links.hear(name, macvtap.groups, allmulti=macvtap.all_groups)
        self.macvtaps[name] = macvtap
        return True

    def remove_macvtap(self, name: str) -> None:
        """Gone."""
        self._machine.called("remove_macvtap")
        self._machine.virtual_links.discard(name)

    def _pf(self, doing: str, pf: ObservedPf) -> PfState:
        state = self._machine.pfs.get(pf.key)
        if state is None or not state.is_present:
            raise Fault(Failure("kernel_refused", doing, str(pf.name), "ENODEV: No such device"))
        if state.nic.pci_address in self._machine.users():
            raise Fault(
                Failure("link_missing", doing, state.nic.name, "it has no network device: vfio-pci has it")
            )
        if not state.has_driver:
            raise Fault(Failure("link_missing", doing, state.nic.name, "it has no network device"))
        if state.nic.is_management:
            self._machine.mishaps.append(f"{doing} {state.nic.name}, which carries the default route")
        return state

    def _bridges(self) -> Iterator[ObservedBridge]:
        for name in sorted({*self.bridges, *(bridge for bridge, _ in self._let_in)}):
            unused = self._unused(name)
            if name in self._machine.virtual_links:
                bridge, uplink, birth = self.bridges[name]
                uplinks = _uplinks(uplink, birth)
                yield ObservedBridge(
                    name, is_up=True, filters_vlans=True, mtu=bridge.mtu, uplinks=uplinks, unused_macs=unused
                )
            elif unused:
                yield ObservedBridge(name, is_up=False, filters_vlans=False, mtu=None, unused_macs=unused)

    def _unused(self, bridge: str) -> tuple[MacAddress, ...]:
        links, boot_id = self._machine.virtual_links, self._machine.boot_id
        taps = [tap for name, tap in self.taps.items() if {name, bridge} <= links and tap.bridge == bridge]
        used = {tap.mac for tap in taps}
        left = (
            mac
            for (name, mac), (boot, uplink, birth) in self._let_in.items()
            if (name, boot, birth) == (bridge, boot_id, uplink.births) and mac not in used
        )
        return tuple(sorted(left))

    def _forget_unused(self, bridge: str) -> None:
        for mac in self._unused(bridge):
            del self._let_in[bridge, mac]

    def _vf(self, doing: str, pf: ObservedPf, index: int) -> PfState:
        state = self._pf(doing, pf)
        if index not in state.vfs:
            raise Fault(Failure("device_missing", doing, f"{index} of {pf.name}", "there is no such VF"))
        return state

    def _answered(self, doing: str, pf: ObservedPf, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            code = "partition_missing" if error.errno == errno.ENOENT else "kernel_refused"
            raise Fault(Failure(code, doing, str(pf.name), str(error.strerror))) from error


def _told(pf: PfState, machine: Machine) -> dict[int, VfSettings]:
    """None of a driver that breaks off: see LinuxKernel.observe."""
    try:
        return machine.tell_vfs(pf.nic.key)
    except OSError:
        return {}


def _capabilities(pf: PfState, told: Mapping[int, VfSettings]) -> tuple[str, ...]:
    found = [QBH_CAPABILITY] if pf.nic.takes_associations and told else []
    return (*found, TAKES_PARTITIONS) if pf.nic.has_files and told else tuple(found)


def _pf(pf: PfState, machine: Machine) -> ObservedPf:
    told = _told(pf, machine)
    nic, users = pf.nic, frozenset(machine.users())
    driver = nic.kernel_driver if pf.has_driver else None
    return ObservedPf(
        key=nic.key,
        name=nic.name if machine.has_network_device(pf) else None,
        pci_address=nic.pci_address,
        vendor=nic.vendor,
        product=nic.product,
        kernel_driver="vfio-pci" if nic.pci_address in users else driver,
        numa_node=nic.numa_node,
        iommu_group=machine.hardware.iommu_group(nic.pci_address),
        link_layer=nic.link_layer,
        mac=nic.mac if nic.guid is None else None,
        is_up=pf.is_up,
        link_up=pf.link_up,
        speed_mbps=nic.speed_mbps if pf.link_up else None,
        mtu=pf.mtu,
        total_vfs=nic.total_vfs,
        num_vfs=len(pf.vfs),
        serial=None,
        capabilities=_capabilities(pf, told),
        is_management=nic.is_management,
        vfs=tuple(_vf(pf, index, settings, machine) for index, settings in told.items()),
        host_use=_use(host_addresses(machine), nic.pci_address),
    )


def _uplinks(pf: PfState, birth: int) -> tuple[str, ...]:
    return (pf.nic.name,) if pf.births == birth else ()


def _vf(pf: PfState, index: int, settings: VfSettings, machine: Machine) -> ObservedVf:
    address, device = pf.nic.vf_address(index), machine.links.vfs.get((pf.nic.key, index))
    users, used = machine.passed_through(), host_addresses(machine)
    return ObservedVf(
        index=index,
        pci_address=address,
        vendor=pf.nic.vendor,
        product=pf.nic.vf_product,
        kernel_driver="vfio-pci" if address in users else device.driver if device else None,
        numa_node=pf.nic.numa_node,
        iommu_group=machine.hardware.iommu_group(address),
        settings=settings,
        host_use=_use(used, address),
    )


def _use(used: Mapping[PciAddress, str], address: PciAddress) -> str:
    found = used.get(address)
    return f"has address {found}" if found else ""


def _macvtap(machine: Machine, macvtap: DesiredMacvtap) -> ObservedMacvtap:
    vf = machine.links.below.get(macvtap.name)
    device = machine.links.vfs.get(vf) if vf else None
    return ObservedMacvtap(
        name=macvtap.name,
        lower=macvtap.lower,
        is_passthru=True,
        mac=macvtap.mac if device is None or device.mac == macvtap.mac else None,
        mtu=min(macvtap.mtu, device.mtu) if device else macvtap.mtu,
        is_up=device is None or device.is_up,
        port_id=macvtap.port_id,
        groups=tuple(sorted(machine.links.groups.get(macvtap.name, ()))),
        all_groups=macvtap.name in machine.links.allmulti,
    )


def _tap(tap: DesiredTap) -> ObservedTap:
    return ObservedTap(
        name=tap.name,
        bridge=tap.bridge,
        mac=tap.mac,
        vlan=tap.vlan,
        mtu=tap.mtu,
        is_up=tap.is_up,
        max_rate_kbps=tap.max_rate_kbps,
        spoof_check=tap.spoof_check,
        port_id=tap.port_id,
        sources=tap.sources,
    )
