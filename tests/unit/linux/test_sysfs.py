"""What the readers make of a sysfs tree, whole, partial and strange."""

from pathlib import Path

import pytest

from fairlead.linux.pci import is_offered, plain_devices
from fairlead.linux.sysfs import Sysfs
from fairlead.model.pci import LinkLayer, PciAddress
from tests.machine_tree import Tree, igb_machine

PF = PciAddress("0000:01:00.0")


def test_a_pf_knows_its_vfs_its_driver_and_its_place(tmp_path: Path):
    igb_machine(tmp_path)
    function = Sysfs(tmp_path).function(PF)
    assert function is not None
    assert (function.vendor, function.product, function.kernel_driver) == ("8086", "10c9", "igb")
    assert (function.numa_node, function.iommu_group) == (1, 12)
    assert (function.total_vfs, function.num_vfs) == (7, 2)
    assert function.virtual == ((0, "0000:01:10.0"), (1, "0000:01:10.2"))
    assert function.net is not None
    assert (function.net.name, function.net.index, function.net.speed_mbps) == ("pfa", 2, 1000)


def test_vfs_are_sorted_by_number_not_by_text(tmp_path: Path):
    tree = Tree(tmp_path)
    pf = tree.function("0000:01:00.0")
    for index in (10, 2, 0):
        tree.virtual(pf, index, f"0000:01:{16 + index // 8:02x}.{index % 8}")
    function = Sysfs(tmp_path).function(PF)
    assert function is not None
    assert [index for index, _ in function.virtual] == [0, 2, 10]


def test_a_vf_knows_its_pf(tmp_path: Path):
    igb_machine(tmp_path)
    function = Sysfs(tmp_path).function(PciAddress("0000:01:10.2"))
    assert function is not None
    assert function.physical == PF
    assert function.kernel_driver is None


def test_functions_come_in_address_order_and_odd_names_are_passed_over(tmp_path: Path):
    tree = igb_machine(tmp_path)
    tree.write("sys/bus/pci/devices/uevent", "")
    assert [function.address for function in Sysfs(tmp_path).functions()] == [
        "0000:01:00.0",
        "0000:01:10.0",
        "0000:01:10.2",
    ]


def test_a_machine_without_pci_has_no_functions(tmp_path: Path):
    assert Sysfs(tmp_path).functions() == ()


@pytest.mark.parametrize("speed", ["-1", "", "unknown"])
def test_a_speed_that_the_driver_does_not_know_is_none(tmp_path: Path, speed: str):
    tree = Tree(tmp_path)
    tree.net(tree.function("0000:01:00.0"), "pfa", 2, speed=speed)
    function = Sysfs(tmp_path).function(PF)
    assert function is not None
    assert function.net is not None
    assert function.net.speed_mbps is None


def test_numa_node_minus_one_is_unknown(tmp_path: Path):
    tree = Tree(tmp_path)
    tree.write(f"{tree.function('0000:01:00.0')}/numa_node", "-1")
    function = Sysfs(tmp_path).function(PF)
    assert function is not None
    assert function.numa_node is None


def test_the_link_layer_is_read_from_the_class_while_no_network_driver_has_it(tmp_path: Path):
    Tree(tmp_path).function("0000:01:00.0", class_code=0x020700, driver="vfio-pci")
    function = Sysfs(tmp_path).function(PF)
    assert function is not None
    assert function.link_layer is LinkLayer.INFINIBAND


def test_a_virtio_nic_has_its_network_device_one_level_down(tmp_path: Path):
    tree = Tree(tmp_path)
    folder = tree.function("0000:00:03.0", device="1af4:1041", driver="virtio-pci")
    tree.net(f"{folder}/virtio2", "eth0", 2)
    function = Sysfs(tmp_path).function(PciAddress("0000:00:03.0"))
    assert function is not None
    assert function.net is not None
    assert function.net.name == "eth0"


@pytest.mark.parametrize(
    ("class_code", "driver", "offered"),
    [
        (0x030200, "nvidia", True),
        (0x0B4000, "qat_4xxx", True),
        (0x120000, None, True),
        (0x010802, "nvme", False),
        (0x010802, "vfio-pci", True),
        (0x0C0330, "xhci_hcd", False),
        (0x0C0330, None, True),
        (0x0C0500, None, False),
        (0x020000, None, False),
        (0x060400, "pcieport", False),
        (0x080600, None, False),
        (0xFFFF00, "virtio-pci", False),
    ],
)
def test_what_the_host_lives_on_is_not_offered(
    tmp_path: Path, class_code: int, driver: str | None, *, offered: bool
):
    Tree(tmp_path).function("0000:5e:00.0", class_code=class_code, device="10de:20b5", driver=driver)
    found = plain_devices(Sysfs(tmp_path).functions(), tmp_path / "sys/bus/pci/devices")
    assert bool(found) is offered


def test_the_display_that_the_machine_booted_on_is_not_offered(tmp_path: Path):
    Tree(tmp_path).function("0000:5e:00.0", class_code=0x030000)
    function = Sysfs(tmp_path).functions()[0]
    assert not is_offered(function, is_boot_display=True)


def test_a_pf_in_switchdev_mode_is_not_called_as_a_representor_of_its_vf(tmp_path: Path):
    tree = Tree(tmp_path)
    pf = tree.function("0000:01:00.0", driver="mlx5_core")
    for name, index, port in (
        ("enp1s0f0_0", 7, "pf0vf0"),
        ("enp1s0f0_sf1", 8, "c1pf0sf1"),
        ("enp1s0f0np0", 2, "p0"),
    ):
        tree.net(pf, name, index)
        tree.write(f"{pf}/net/{name}/phys_port_name", port)

    (function,) = Sysfs(tmp_path).functions()

    assert function.net is not None
    assert (function.net.name, function.net.index) == ("enp1s0f0np0", 2)
