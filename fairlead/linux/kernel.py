"""The host's kernel, as the agent needs it: agent.boundary.Kernel over sysfs and rtnetlink."""

import errno
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from fairlead.agent.boundary import KernelView
from fairlead.hoststate.desired import DesiredBridge, DesiredTap
from fairlead.hoststate.macvtap import DesiredMacvtap
from fairlead.hoststate.observed import ObservedPf, ObservedVf
from fairlead.linux.association import Associations, SystemTimer, Timer, untaken
from fairlead.linux.attribute import write_attribute
from fairlead.linux.bridge import Bridges, called_as_read
from fairlead.linux.capacity import Reserve, read_capacity
from fairlead.linux.carrier import carrier_kept
from fairlead.linux.faults import Act, fault, not_a_member, pf_subject, refusal, vf_subject
from fairlead.linux.guid_files import NotAMember
from fairlead.linux.host_use import HostUse, SeenManagement, host_use
from fairlead.linux.identity import Identities, pf_key
from fairlead.linux.linkcounters import read_link_counters
from fairlead.linux.macvtap import Macvtaps, observe_macvtaps
from fairlead.linux.netlink import Link, Netlink, NetlinkRefusal
from fairlead.linux.own_entries import OwnEntries
from fairlead.linux.ownership import OwnVfs
from fairlead.linux.patience import patiently
from fairlead.linux.pci import plain_devices
from fairlead.linux.resets import Resets
from fairlead.linux.serial import read_serial
from fairlead.linux.sysfs import PciFunction, Sysfs
from fairlead.linux.vf_binding import VfBinding, told_vfs
from fairlead.linux.vfinfo import APPLIED, first_refused
from fairlead.linux.vfio import VfioUsers, open_node
from fairlead.linux.vfs import Vfs, reported
from fairlead.model.diagnostics import NicCounters
from fairlead.model.ids import PfKey
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.quirk import Deed
from fairlead.model.vf import VfSettings, differences

_GONE = (errno.ENODEV, errno.ENXIO)


class LinuxKernel:
    """Implements agent.boundary.Kernel. `guests` is where guests' disks lie, for the host's capacity. `write`
    is what a write to an attribute does, `open_vfio` what an open of vfio's nodes, where that is more than the file's:
    in a fake tree. `timer`: to wait in for what switches answer.
    """

    def __init__(
        self,
        netlink: Netlink,
        root: Path = Path("/"),
        guests: Path = Path("/var/lib/fairlead"),
        reserve: Reserve = Reserve(),  # noqa: B008
        write: Callable[[Path, str], None] | None = None,
        timer: Timer = SystemTimer(),  # noqa: B008 - it keeps nothing
        open_vfio: Callable[[Path], None] = open_node,
    ) -> None:
        self._netlink = netlink
        self._associations = Associations(netlink, timer)
        self._sysfs = Sysfs(root)
        self._guests = guests
        self._reserve = reserve
        self._write_attribute = write or write_attribute
        self._vfs = Vfs(netlink, self._sysfs, self._write_attribute)
        self._bridges = Bridges(netlink, OwnEntries(root))
        self._users = VfioUsers(self._sysfs, open_vfio)
        self._binding = VfBinding(netlink, self._sysfs, self._write_attribute, self._users)
        self._resets = Resets(self._sysfs, self._write_attribute)
        self._macvtaps = Macvtaps(netlink, self._sysfs, self._binding)
        self._identities = Identities(root / "run/fairlead/pf")
        self._management = SeenManagement(root / "run/fairlead/management")
        self._own_vfs = OwnVfs(root)
        self._serials: dict[PciAddress, str | None] = {}

    def observe(self) -> KernelView:
        """See Kernel.observe."""
        functions = self._sysfs.functions()
        try:
            links = self._netlink.links()
            used = self._used(functions, links)
            pfs = self._pfs(functions, used)
            bridges, taps = self._bridges.observe(called_as_read(links, functions))
            return KernelView(
                boot_id=self._sysfs.boot_id(),
                capacity=read_capacity(self._sysfs.root, self._guests, self._reserve),
                pfs=pfs,
                pcis=plain_devices(functions, self._sysfs.root / "sys/bus/pci/devices"),
                bridges=bridges,
                taps=taps,
                macvtaps=observe_macvtaps(self._netlink, links, functions, pfs),
                told_vfs=told_vfs(self._sysfs, pfs),
            )
        except OSError as error:
            raise refusal(Act.OBSERVE, "the host's devices", error) from error

    def own_vfs(self, addresses: frozenset[PciAddress]) -> None:
        """See Kernel.own_vfs."""
        try:
            self._own_vfs.keep(addresses)
        except OSError as error:
            raise refusal(Act.KEEP, "which VFs are ours", error) from error

    def read_vf(self, pf: ObservedPf, index: int) -> VfSettings:
        """See Kernel.read_vf."""
        subject = vf_subject(pf, index)
        function, link = self._linked(pf, Act.READ_VF, subject)

        def ask() -> VfSettings | None:
            found = self._vfs.read(function, link).get(index)
            if found is None and index in dict(self._function(pf, Act.READ_VF).virtual):
                raise NetlinkRefusal(errno.EAGAIN, "the driver does not tell of its VFs")
            return found

        try:
            found = patiently(self._netlink, pf.kernel_driver, Deed.READ_VF, ask)
        except OSError as error:
            raise refusal(Act.READ_VF, subject, error, driver=pf.kernel_driver) from error
        if found is None:
            said = "it is not there any more"
            raise fault("vf_missing", Act.READ_VF, subject, said, "Somebody changed the number of VFs.")
        return found

    def vf_counters(self, pf: ObservedPf) -> Mapping[int, NicCounters]:
        """See Kernel.vf_counters."""
        subject = f"VFs of {pf_subject(pf)}"
        try:
            return self._netlink.vf_counters(self._index(pf, Act.READ_VF, subject))
        except OSError as error:
            raise refusal(Act.READ_VF, subject, error) from error

    def link_counters(self, name: str) -> NicCounters | None:
        """See Kernel.link_counters."""
        return read_link_counters(self._sysfs.root, name)

    def set_vf(self, pf: ObservedPf, index: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """See Kernel.set_vf. The Fault names the field that was refused: the kernel goes through them in
        its own order and stops, so it is the first that is not as written. A driver that is busy is asked again, for
        what it has not taken.
        """
        subject = vf_subject(pf, index)
        function, link = self._linked(pf, Act.SET_VF, subject)
        left = fields

        def ask() -> None:
            nonlocal left
            try:
                self._vfs.tell(function, link, index, settings, left)
            except OSError:
                left = self._not_taken(function, link, index, settings, left)
                raise

        try:
            patiently(self._netlink, pf.kernel_driver, Deed.SET_VF, ask)
        except NotAMember as error:
            raise not_a_member(subject, error) from error
        except OSError as error:
            if "association" in fields:
                self._associations.take_back(link, index)
            if left[0] == "association":
                raise untaken(pf, index, settings.association, error) from error
            refused = first_refused(settings, left)
            raise refusal(Act.SET_VF, f"{subject}, {refused}", error, driver=pf.kernel_driver) from error
        if "association" in fields:
            self._associations.settle(link, pf, index, settings.association)

    def reset_vf(self, pf: ObservedPf, index: int) -> None:
        """See Kernel.reset_vf."""
        address = self._vf_address(pf, index)
        subject = vf_subject(pf, index)
        if address is None:
            raise fault("vf_missing", Act.RESET, subject, "it is not there")
        self._binding.seal(address)
        self._resets.reset_vf(address, subject)

    def sealed_vfs(self, addresses: Collection[PciAddress]) -> frozenset[PciAddress]:
        """See Kernel.sealed_vfs."""
        return frozenset(filter(self._binding.is_sealed, addresses))

    def is_sealed(self, pf: ObservedPf, index: int) -> bool:
        """See Kernel.is_sealed."""
        address = self._vf_address(pf, index)
        return address is not None and self._binding.is_sealed(address)

    def reset_device(self, address: PciAddress) -> None:
        """See Kernel.reset_device."""
        self._resets.reset_device(address)

    def set_num_vfs(self, pf: ObservedPf, num_vfs: int) -> None:
        """See Kernel.set_num_vfs. Autoprobe goes off first: no driver of the host shall take the VFs. Returns once
        a carrier that was there is back: see carrier.
        """
        folder = self._sysfs.folder(pf.pci_address)
        subject = f"{pf_subject(pf)} to {num_vfs}"
        function = self._function(pf, Act.SET_NUM_VFS)
        now, driver = function.num_vfs, function.kernel_driver
        if now == num_vfs:
            return
        for _, address in function.virtual:
            self._users.check_none(Act.SET_NUM_VFS, address)
        with carrier_kept(self._netlink, function.net.index) if function.net else nullcontext():
            if num_vfs:
                self._write(folder / "sriov_drivers_autoprobe", "0", Act.SET_NUM_VFS, subject, driver)
            if now and num_vfs:
                self._write(folder / "sriov_numvfs", "0", Act.SET_NUM_VFS, subject, driver)
            self._write(folder / "sriov_numvfs", str(num_vfs), Act.SET_NUM_VFS, subject, driver)
            self._binding.seal_new(dict(self._function(pf, Act.SET_NUM_VFS).virtual).values())

    def set_up(self, pf: ObservedPf, mtu: int | None) -> None:
        """See Kernel.set_up. Returns once a carrier that was there is back: see carrier."""
        subject = pf_subject(pf) + (f" with MTU {mtu}" if mtu is not None else "")
        link = self._index(pf, Act.SET_UP, subject)
        try:
            with carrier_kept(self._netlink, link):
                self._netlink.set_link(link, up=True, mtu=mtu)
        except OSError as error:
            raise refusal(Act.SET_UP, subject, error, driver=pf.kernel_driver) from error

    def make_bridge(self, bridge: DesiredBridge, uplink: ObservedPf) -> None:
        """See Kernel.make_bridge. The uplink is found by its PCI address now: names are swapped at will."""
        net = self._sysfs.net_device(uplink.pci_address)
        if net is None:
            said = f"its uplink {uplink.pci_address} has no network device"
            raise fault(
                "uplink_missing", Act.MAKE_BRIDGE, bridge.name, said, "Is it passed through to a guest?"
            )
        self._bridges.make_bridge(bridge, net.index)

    def remove_bridge(self, name: str) -> None:
        """See Kernel.remove_bridge."""
        self._bridges.remove_bridge(name)

    def make_tap(self, tap: DesiredTap) -> None:
        """See Kernel.make_tap."""
        self._bridges.make_tap(tap)

    def remove_tap(self, name: str) -> None:
        """See Kernel.remove_tap."""
        self._bridges.remove_tap(name)

    def make_macvtap(
        self, macvtap: DesiredMacvtap, pf: ObservedPf, vf_driver: str, *, is_repair: bool
    ) -> bool:
        """See Kernel.make_macvtap."""
        return self._macvtaps.make(macvtap, pf, vf_driver, is_repair=is_repair)

    def remove_macvtap(self, name: str) -> None:
        """See Kernel.remove_macvtap."""
        self._macvtaps.remove(name)

    def _vf_address(self, pf: ObservedPf, index: int) -> PciAddress | None:
        return dict(self._function(pf, Act.RESET).virtual).get(index)

    def _pfs(self, functions: tuple[PciFunction, ...], used: HostUse) -> tuple[ObservedPf, ...]:
        by_address = {function.address: function for function in functions}
        self._serials = {address: said for address, said in self._serials.items() if address in by_address}
        return tuple(
            self._pf(function, by_address, used)
            for function in functions
            if function.is_network and function.physical is None
        )

    def _pf(
        self,
        function: PciFunction,
        functions: Mapping[PciAddress, PciFunction],
        used: HostUse,
    ) -> ObservedPf:
        link, settings = self._link(function)
        serial = self._serial(function)
        key, mac = self._identify(function, link, serial)
        net = function.net if link is not None else None
        vfs = _observe_vfs(function, functions, self._vfs.all_of(function, settings), used)
        return ObservedPf(
            key=key,
            name=net.name if net is not None else None,
            pci_address=function.address,
            vendor=function.vendor,
            product=function.product,
            kernel_driver=function.kernel_driver,
            numa_node=function.numa_node,
            iommu_group=function.iommu_group,
            link_layer=function.link_layer,
            mac=mac,
            is_up=link is not None and link.is_up,
            link_up=link.carrier if link is not None else None,
            speed_mbps=net.speed_mbps if net is not None else None,
            mtu=link.mtu if link is not None else None,
            total_vfs=function.total_vfs,
            num_vfs=function.num_vfs,
            serial=serial,
            capabilities=(*reported(function, vfs, link), *self._vfs.capabilities(function)),
            is_management=function.address in used.management,
            host_use=used.of(function),
            vfs=vfs,
        )

    def _link(self, function: PciFunction) -> tuple[Link | None, Mapping[int, VfSettings]]:
        if function.net is None:
            return None, {}
        try:
            return self._netlink.link(function.net.index)
        except NetlinkRefusal as refused:
            if refused.errno in _GONE:
                return None, {}  # its driver let it go since sysfs was read
            if refused.errno != errno.EMSGSIZE:
                raise
        # Its driver breaks off what it tells of VFs (an ndo_get_vf_port that says so): nobody else is to suffer for it.
        return next((link for link in self._netlink.links() if link.index == function.net.index), None), {}

    def _serial(self, function: PciFunction) -> str | None:
        if function.address not in self._serials:
            self._serials[function.address] = read_serial(self._sysfs.folder(function.address))
        return self._serials[function.address]

    def _identify(
        self, function: PciFunction, link: Link | None, serial: str | None
    ) -> tuple[PfKey, MacAddress | None]:
        if link is None:
            return self._identities.recall(function) or (pf_key(function, None, serial), None)
        key = pf_key(function, link.permanent_mac, serial, link.guid)
        mac = link.permanent_mac or link.mac
        self._identities.remember(function, key, mac)
        return key, mac

    def _used(self, functions: tuple[PciFunction, ...], links: tuple[Link, ...]) -> HostUse:
        """What the host uses now, and what was management in this boot."""
        used = host_use(functions, links, self._netlink.addresses(), self._netlink.routes(), self._sysfs)
        management = self._management.with_earlier(self._sysfs.boot_id(), used.management)
        return replace(used, management=management)

    def _not_taken(
        self, function: PciFunction, link: int, vf: int, settings: VfSettings, fields: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Of those fields, in the kernel's order, what is not as written."""
        try:
            seen = self._vfs.read(function, link).get(vf)
        except OSError:
            seen = None
        found = differences(settings, seen) if seen is not None else fields
        return tuple(name for name in APPLIED if name in found and name in fields) or fields

    def _function(self, pf: ObservedPf, act: Act) -> PciFunction:
        function = self._sysfs.function(pf.pci_address)
        if function is None:
            raise fault("device_missing", act, pf_subject(pf), "there is no such PCI device any more")
        return function

    def _index(self, pf: ObservedPf, act: Act, subject: str) -> int:
        """Today's ifindex: looked up each time, for a reloaded driver makes a new one."""
        return self._linked(pf, act, subject)[1]

    def _linked(self, pf: ObservedPf, act: Act, subject: str) -> tuple[PciFunction, int]:
        function = self._function(pf, act)
        if function.net is None:
            hint = "Is the PF passed through to a guest, or its driver unloaded?"
            raise fault("link_missing", act, subject, "the PF has no network device", hint)
        return function, function.net.index

    def _write(self, attribute: Path, value: str, act: Act, subject: str, driver: str | None = None) -> None:
        try:
            self._write_attribute(attribute, value)
        except OSError as error:
            raise refusal(act, subject, error, driver=driver) from error


def _observe_vfs(
    function: PciFunction,
    functions: Mapping[PciAddress, PciFunction],
    settings: Mapping[int, VfSettings],
    used: HostUse,
) -> tuple[ObservedVf, ...]:
    """VFs whose settings netlink told. One that it does not tell of cannot be promised to anybody."""
    return tuple(
        ObservedVf(
            index=index,
            pci_address=address,
            vendor=virtual.vendor,
            product=virtual.product,
            kernel_driver=virtual.kernel_driver,
            numa_node=virtual.numa_node,
            iommu_group=virtual.iommu_group,
            settings=settings[index],
            host_use=used.of(virtual),
        )
        for index, address in function.virtual
        if index in settings and (virtual := functions.get(address)) is not None
    )
