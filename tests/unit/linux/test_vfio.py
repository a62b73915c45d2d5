"""VFs that somebody outside libvirt has open through vfio: they are left alone, and new ones that are taken already."""

import errno
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link
from fairlead.linux.vf_binding import SEAL
from fairlead.linux.vfio import open_node
from fairlead.model.errors import Failure, Fault
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.vf import BASELINE
from tests.machine_tree import Tree, igb_machine
from tests.memory_netlink import MemoryNetlink

PERMANENT = MacAddress("a0:36:9f:00:00:01")
VF, OTHER = PciAddress("0000:01:10.0"), PciAddress("0000:01:10.2")


@dataclass
class Host:
    """The lab's card. `answer`: the errno of each open of a group's node. `taken_late`: vfio-pci takes it as it is
    sealed.
    """

    tree: Tree
    answer: int | None = None
    taken_late: PciAddress | None = None
    opened: list[str] = field(default_factory=list)
    written: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        netlink = MemoryNetlink(
            devices={2: Link(2, "pfa", PERMANENT, PERMANENT, mtu=1500, is_up=True, carrier=True)},
            vfs={2: {0: BASELINE, 1: BASELINE}},
        )
        root = self.tree.root
        self.kernel = LinuxKernel(netlink, root, root, Reserve(), write=self._write, open_vfio=self._open)

    def pf(self) -> ObservedPf:
        (pf,) = self.kernel.observe().pfs
        return pf

    def bind(self, address: PciAddress, driver: str) -> None:
        self.tree.link(f"sys/bus/pci/devices/{address}/driver", f"../../../../bus/pci/drivers/{driver}")

    def alone(self, *addresses: PciAddress) -> None:
        """In an IOMMU group of their own."""
        for address in addresses:
            self.tree.link(f"sys/bus/pci/devices/{address}/iommu_group", "../../../../kernel/iommu_groups/13")
            self.tree.write(f"sys/kernel/iommu_groups/13/devices/{address}", "")

    def refused(self) -> Failure:
        with pytest.raises(Fault) as caught:
            self.kernel.reset_vf(self.pf(), 0)
        return caught.value.failure

    def _open(self, node: Path) -> None:
        self.opened.append(str(node.relative_to(self.tree.root)))
        if self.answer is not None:
            raise OSError(self.answer, "said the kernel")

    def _write(self, attribute: Path, value: str) -> None:
        self.written.append((attribute.parent.name, attribute.name, value))
        if attribute.name == "driver_override" and attribute.parent.name == self.taken_late:
            self.bind(self.taken_late, "vfio-pci")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(igb_machine(tmp_path))


@pytest.mark.parametrize("driver", ["vfio-pci", "mlx5_vfio_pci"])
def test_one_that_is_open_is_neither_sealed_nor_unbound_nor_reset(host: Host, driver: str) -> None:
    host.bind(VF, driver)
    host.answer = errno.EBUSY
    failure = host.refused()
    assert (failure.code, failure.doing, failure.subject) == ("in_use", "Sealing VF", VF)
    assert "/dev/vfio/12" in failure.answer
    assert host.written == []


def test_the_number_of_vfs_stays_while_one_of_them_is_open(host: Host) -> None:
    host.bind(OTHER, "vfio-pci")
    host.answer = errno.EBUSY
    with pytest.raises(Fault) as caught:
        host.kernel.set_num_vfs(host.pf(), 0)
    assert (caught.value.failure.code, host.written) == ("in_use", [])


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES])
def test_where_that_cannot_be_asked_nothing_is_done(host: Host, number: int) -> None:
    host.bind(VF, "vfio-pci")
    host.answer = number
    failure = host.refused()
    assert (failure.code, "char-vfio" in failure.hint, host.written) == ("kernel_refused", True, [])


@pytest.mark.parametrize("number", [None, errno.ENOENT, errno.ENODEV])
def test_one_that_nobody_has_open_is_scrubbed(host: Host, number: int | None) -> None:
    host.bind(VF, "vfio-pci")
    host.answer = number
    host.kernel.reset_vf(host.pf(), 0)
    assert host.opened == ["dev/vfio/12", "dev/vfio/noiommu-12"]
    assert [name for _, name, _ in host.written] == ["driver_override", "unbind", "reset"]


@pytest.mark.parametrize("driver", [None, "igbvf", "pci-stub"])
def test_vfio_is_not_asked_of_one_that_it_has_not(host: Host, driver: str | None) -> None:
    if driver is not None:
        host.bind(VF, driver)
    host.answer = errno.EBUSY
    host.kernel.reset_vf(host.pf(), 0)
    assert host.opened == []


@pytest.mark.parametrize("mates", [(), (OTHER,)])
def test_one_that_is_being_unbound_is_not_waited_for_where_it_is_alone_in_its_group(
    host: Host, mates: tuple[PciAddress, ...]
) -> None:
    host.alone(VF, *mates)
    host.tree.write(f"sys/bus/pci/devices/{VF}/driver_override", SEAL)
    assert host.kernel.sealed_vfs([VF]) == {VF}
    host.answer = errno.EBUSY
    assert host.kernel.sealed_vfs([VF]) == (frozenset({VF}) if mates else frozenset())
    if not mates:
        assert (host.refused().code, host.written) == ("in_use", [])


def test_a_node_is_opened_and_closed(tmp_path: Path) -> None:
    (tmp_path / "12").touch()
    open_node(tmp_path / "12")
    with pytest.raises(FileNotFoundError):
        open_node(tmp_path / "13")


def test_a_new_vf_that_somebody_has_by_its_turn_is_left_to_them(host: Host) -> None:
    host.bind(VF, "vfio-pci")
    host.kernel.set_num_vfs(host.pf(), 7)
    assert [write for write in host.written if write[0] == VF] == []
    assert (OTHER, "driver_override", SEAL) in host.written


def test_one_that_is_taken_while_it_is_sealed_bears_no_seal(host: Host) -> None:
    host.taken_late = OTHER
    host.kernel.set_num_vfs(host.pf(), 7)
    told = [(name, value) for address, name, value in host.written if address == OTHER]
    assert told == [("driver_override", SEAL), ("driver_override", "\n")]
