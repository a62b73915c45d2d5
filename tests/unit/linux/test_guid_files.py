"""InfiniBand VFs by files and over netlink, on declared hosts of mlx4 and mlx5: LinuxKernel whole."""

import errno
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.attribute import write_attribute
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link
from fairlead.model.errors import Fault
from fairlead.model.infiniband import Guid, Membership, PartitionKey
from fairlead.model.pci import LinkLayer
from fairlead.model.vf import INFINIBAND_BASELINE, LinkState, VfSettings, differences
from tests.infiniband_tree import MLX4_HCA, PF_FOLDER, VFS, mlx4_machine, mlx5_machine
from tests.machine_tree import Tree
from tests.memory_netlink import MemoryNetlink

PF_GUID = Guid("00:02:c9:03:00:a1:b2:c3")
GUID = Guid("0a:16:3e:00:00:12:34:56")
OWN = VfSettings(link_state=LinkState.AUTO, port_guid=GUID, node_guid=GUID)
IN_10 = replace(OWN, partition_key=PartitionKey(0x10, Membership.FULL))
ALL = ("link_state", "port_guid", "node_guid")


@dataclass(frozen=True, slots=True)
class Host:
    """An InfiniBand card, its netlink, the kernel's adapter over both, and what was written to files, in order."""

    tree: Tree
    netlink: MemoryNetlink
    kernel: LinuxKernel
    written: list[tuple[str, str]]

    def pf(self) -> ObservedPf:
        (pf,) = self.kernel.observe().pfs
        return pf

    def set(self, index: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        self.kernel.set_vf(self.pf(), index, settings, fields)

    def seen(self, index: int) -> VfSettings:
        return self.kernel.read_vf(self.pf(), index)


def host(tree: Tree, told: dict[int, VfSettings]) -> Host:
    netlink = MemoryNetlink({2: Link(2, "ib0", is_up=True, carrier=True, guid=PF_GUID)}, {2: told})
    written: list[tuple[str, str]] = []

    def write(attribute: Path, value: str) -> None:
        written.append((str(attribute.relative_to(tree.root)), value))
        write_attribute(attribute, value)

    return Host(tree, netlink, LinuxKernel(netlink, tree.root, tree.root, Reserve(), write), written)


@pytest.fixture
def mlx4(tmp_path: Path) -> Host:
    """Its IPoIB device has no operations for VFs: netlink tells of none."""
    return host(mlx4_machine(tmp_path), {})


@pytest.fixture
def mlx5(tmp_path: Path) -> Host:
    return host(mlx5_machine(tmp_path), dict.fromkeys(range(2), INFINIBAND_BASELINE))


@pytest.fixture
def mlx5_with_files(tmp_path: Path) -> Host:
    return host(mlx5_machine(tmp_path, has_files=True), {0: VfSettings(link_state=LinkState.DISABLE)})


def test_a_pf_of_infiniband_is_known_by_its_ports_guid_and_has_no_mac(mlx5: Host):
    pf = mlx5.pf()
    assert (pf.key, pf.mac, pf.link_layer) == (f"guid:{PF_GUID}", None, LinkLayer.INFINIBAND)
    assert [vf.settings for vf in pf.vfs] == [INFINIBAND_BASELINE] * 2


def test_only_where_the_host_sets_partitions_it_says_so(tmp_path: Path):
    assert host(mlx4_machine(tmp_path / "a"), {}).pf().capabilities == ("sriov", "partitions")
    assert host(mlx5_machine(tmp_path / "b"), {}).pf().capabilities == ("sriov",)


def test_mlx5_is_told_over_netlink(mlx5: Host):
    mlx5.set(1, OWN, ALL)
    assert (mlx5.seen(0), mlx5.seen(1)) == (INFINIBAND_BASELINE, OWN)
    assert mlx5.written == []


def test_mlx5_of_mlnx_ofed_is_told_by_its_files(mlx5_with_files: Host):
    mlx5_with_files.set(1, OWN, ALL)
    folder = f"{PF_FOLDER}/sriov/1"
    assert mlx5_with_files.written == [
        (f"{folder}/port", GUID),
        (f"{folder}/node", GUID),
        (f"{folder}/policy", "Follow"),
    ]
    assert mlx5_with_files.seen(1) == OWN
    assert mlx5_with_files.netlink.changes == 0


def test_it_is_nobodys_again_with_the_guid_of_nobody_and_its_policy_down(mlx5_with_files: Host):
    mlx5_with_files.set(1, OWN, ALL)
    mlx5_with_files.written.clear()
    mlx5_with_files.set(1, INFINIBAND_BASELINE, ALL)
    assert [value for _, value in mlx5_with_files.written] == [":".join(["ff"] * 8)] * 2 + ["Down"]
    assert mlx5_with_files.seen(1) == INFINIBAND_BASELINE


def test_mlx4_has_one_guid_for_a_vf_and_is_told_the_place_of_its_partition(mlx4: Host):
    mlx4.set(1, IN_10, ("port_guid", "node_guid", "partition_key"))
    of_vf = f"{MLX4_HCA}/iov/{VFS[1]}/ports/2/pkey_idx"
    assert mlx4.written == [
        (f"{MLX4_HCA}/iov/ports/2/admin_guids/2", "0a163e0000123456"),
        (f"{of_vf}/1", "0"),
        (f"{of_vf}/0", "1"),
    ]
    assert differences(IN_10, mlx4.seen(1)) == ()


def test_a_guid_that_mlx4_prints_without_its_zeros_is_read_whole(mlx4: Host):
    """drivers/infiniband/hw/mlx4/sysfs.c prints it with %llx."""
    mlx4.tree.write(f"{MLX4_HCA}/iov/ports/2/admin_guids/1", "a163e0000123456")
    assert mlx4.seen(0).port_guid == mlx4.seen(0).node_guid == GUID


def test_a_vf_of_mlx4_is_as_its_driver_made_it_in_the_default_partition(mlx4: Host):
    assert mlx4.seen(0).partition_key == PartitionKey(0x7FFF, Membership.FULL)
    assert differences(INFINIBAND_BASELINE, mlx4.seen(0)) == ("partition_key",)


def test_scrubbed_it_is_in_none_and_its_link_which_cannot_be_told_is_not_asked_for(mlx4: Host):
    mlx4.set(1, IN_10, ("port_guid", "node_guid", "partition_key"))
    mlx4.set(1, INFINIBAND_BASELINE, differences(INFINIBAND_BASELINE, mlx4.seen(1)))
    assert mlx4.written[-2:] == [
        (f"{MLX4_HCA}/iov/ports/2/admin_guids/2", "f" * 16),
        (f"{MLX4_HCA}/iov/{VFS[1]}/ports/2/pkey_idx/0", "none"),
    ]
    assert differences(INFINIBAND_BASELINE, mlx4.seen(1)) == ()


@pytest.mark.parametrize(
    "wanted", [PartitionKey(0x30, Membership.FULL), PartitionKey(0x20, Membership.FULL)], ids=str
)
def test_a_partition_that_the_pf_is_not_in_or_only_by_half_is_refused_with_those_it_has(
    mlx4: Host, wanted: PartitionKey
):
    with pytest.raises(Fault, match="not in partition") as refused:
        mlx4.set(1, replace(OWN, partition_key=wanted), ("partition_key",))
    failure = refused.value.failure
    assert failure.code == "partition_missing"
    assert failure.answer.endswith("its table has 0xffff, 0x8010, 0x0020")
    assert "subnet manager" in failure.hint
    assert mlx4.written == []


def test_what_a_driver_refuses_is_told_with_its_field(mlx5_with_files: Host):
    (mlx5_with_files.tree.root / PF_FOLDER / "sriov/1/policy").unlink()
    with pytest.raises(Fault, match="link_state auto") as refused:
        mlx5_with_files.set(1, OWN, ALL)
    assert refused.value.failure.answer.startswith(errno.errorcode[errno.ENOENT])


def test_the_vf_operations_that_infiniband_has_not_are_netlinks_to_refuse(mlx4: Host):
    with pytest.raises(Fault, match="link_state disable"):
        mlx4.set(1, VfSettings(link_state=LinkState.DISABLE), ("link_state",))
