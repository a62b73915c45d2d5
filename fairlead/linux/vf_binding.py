"""Which driver of the host has a VF, told by us: for a macvtap the host itself drives it.

VFs are made with autoprobe off, and then `bind` of a driver says ENODEV (drivers/pci/pci-driver.c,
pci_device_can_probe): driver_override and drivers_probe is the way, which libvirt takes too.

Source: Documentation/ABI/testing/sysfs-bus-pci.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.faults import Act, fault, refusal
from fairlead.linux.netlink import Netlink
from fairlead.linux.sysfs import NetDevice, PciFunction, Sysfs, target, text
from fairlead.linux.vfio import VfioUsers
from fairlead.model.errors import Fault
from fairlead.model.pci import STAND_INS, PciAddress

NET_DEVICE_SECONDS = 5.0
"""iavf registers its network device after its PF has answered, some tenths of a second after the probe."""

SEAL = "fairlead-sealed"
"""A VF's `driver_override` while nobody has had it since its scrub. No driver is called so, and so none takes it. Who
gives the VF to a guest or to a driver writes another word there, and libvirt an empty one as it takes it back, be the
seal written in between (src/util/virpci.c, virPCIDeviceBindWithDriverOverride).
"""
_TOLD_NONE = frozenset({None, "", "(null)", "vfio-pci", "pci-stub", SEAL})
"""What `driver_override` reads as where no driver of the host is told to take the device; None: it has no such file."""


def told_vfs(sysfs: Sysfs, pfs: Iterable[ObservedPf]) -> frozenset[PciAddress]:
    """See KernelView.told_vfs."""
    used = (vf for pf in pfs for vf in pf.vfs if vf.host_use and vf.kernel_driver not in STAND_INS)
    return frozenset(vf.pci_address for vf in used if _told_driver(sysfs, vf.pci_address) == vf.kernel_driver)


def _told_driver(sysfs: Sysfs, address: PciAddress) -> str | None:
    return text(f"{sysfs.bus}/devices/{address}/driver_override")


class VfBinding:
    """Gives VFs to drivers of the host, and takes them. `write` writes an attribute; raises OSError. `users`: none is
    taken from who has it open through vfio.
    """

    def __init__(
        self, netlink: Netlink, sysfs: Sysfs, write: Callable[[Path, str], None], users: VfioUsers
    ) -> None:
        self._netlink = netlink
        self._sysfs = sysfs
        self._write = write
        self._users = users

    def give(self, address: PciAddress, driver: str) -> NetDevice:
        """The VF's network device, by that driver; where it has it already, it is told to, and all else stays as it is.
        Raises Fault.
        """
        function = self._function(address)
        if function.kernel_driver == driver and function.net is not None:
            if _told_driver(self._sysfs, address) != driver:
                self._told(address, driver)
            return function.net
        self._users.check_none(Act.GIVE_VF, address)
        with self._netlink.link_changes() as changes:
            if function.kernel_driver not in (None, driver):
                self._unbind(address)
            try:
                if function.kernel_driver != driver:
                    self._told(address, driver)
                    self._written(self._sysfs.bus / "drivers_probe", address, address, Act.GIVE_VF)
                return self._awaited(address, driver, changes.wait)
            except Fault:
                self._withdraw(address)
                raise

    def take(self, address: PciAddress) -> None:
        """No driver of the host has the VF any more, and none is told to: also where none has it, for one that is told
        takes it as it is loaded. One that only keeps others off stays. Raises Fault.
        """
        function = self._sysfs.function(address)
        if function is None:
            return
        if function.kernel_driver not in STAND_INS:
            self._unbind(address)
        if _told_driver(self._sysfs, address) not in _TOLD_NONE:
            self._told(address, "\n")

    def seal(self, address: PciAddress) -> None:
        """No driver has the VF any more, be it one that only keeps others off: so does the seal. Raises Fault."""
        self._users.check_none(Act.SEAL, address)
        self._told(address, SEAL, Act.SEAL)
        if self._has_driver(address):
            self._unbind(address, Act.SEAL)

    def seal_new(self, addresses: Iterable[PciAddress]) -> None:
        """VFs that were made just now, without those that somebody has by now. Of one that is not sealed nobody knows
        who has had it: the scrub seals it.
        """
        for address in addresses:
            with suppress(Fault):
                if self._has_driver(address):
                    continue
                self._told(address, SEAL, Act.SEAL)
                if self._has_driver(address):
                    self._withdraw(address)

    def is_sealed(self, address: PciAddress) -> bool:
        """As it is now. Not asked of one that a driver is about to let go of: the kernel would keep us waiting."""
        if self._has_driver(address) or self._users.has_any(address):
            return False
        return _told_driver(self._sysfs, address) == SEAL

    def _has_driver(self, address: PciAddress) -> bool:
        return target(self._sysfs.folder(address) / "driver") is not None

    def _withdraw(self, address: PciAddress) -> None:
        """What was told and did not do is not left to be done later. Where that fails, the scrub does it."""
        with suppress(Fault):
            self._told(address, "\n")

    def _awaited(self, address: PciAddress, driver: str, wait: Callable[[float], bool]) -> NetDevice:
        end = monotonic() + NET_DEVICE_SECONDS
        while True:
            function = self._function(address)
            if function.kernel_driver != driver:
                said = f"driver {driver} did not take it"
                raise fault(
                    "vf_driver_missing", Act.GIVE_VF, address, said, f"Is it loaded? modprobe {driver}"
                )
            if function.net is not None:
                return function.net
            left = end - monotonic()
            if left <= 0 or not wait(left):
                said = f"driver {driver} has made no network device of it in {NET_DEVICE_SECONDS:.0f} s"
                hint = "Is the PF up? Its mailbox does not answer else. See the kernel's log."
                raise fault("vf_driver_missing", Act.GIVE_VF, address, said, hint)

    def _function(self, address: PciAddress) -> PciFunction:
        function = self._sysfs.function(address)
        if function is None:
            raise fault("vf_missing", Act.GIVE_VF, address, "there is no such PCI device any more")
        return function

    def _unbind(self, address: PciAddress, act: Act = Act.GIVE_VF) -> None:
        self._written(self._sysfs.folder(address) / "driver/unbind", address, address, act)

    def _told(self, address: PciAddress, driver: str, act: Act = Act.GIVE_VF) -> None:
        self._written(self._sysfs.folder(address) / "driver_override", driver, address, act)

    def _written(self, attribute: Path, value: str, subject: str, act: Act) -> None:
        try:
            self._write(attribute, value)
        except OSError as error:
            raise refusal(act, subject, error) from error
