"""Hosts with InfiniBand, declared as their drivers lay out sysfs: ConnectX-3 (mlx4) and ConnectX-4 and later (mlx5)."""

from pathlib import Path

from tests.machine_tree import Tree

INFINIBAND_CLASS = 0x020700
ARPHRD_INFINIBAND = 32
PF = "0000:81:00.0"
VFS = ("0000:81:00.1", "0000:81:00.2")
PF_FOLDER = f"sys/bus/pci/devices/{PF}"
MLX4_HCA = f"{PF_FOLDER}/infiniband/mlx4_0"
PF_TABLE = ("0xffff", "0x8010", "0x0020", "0x0000")
"""The PF's partition keys: full in the default one and in 0x10, limited in 0x20, and a place that is empty."""


def mlx5_machine(root: Path, *, has_files: bool = False) -> Tree:
    """A PF `ib0` (ifindex 2) with two VFs by mlx5_core; `has_files`: by MLNX_OFED's, which has GUIDs in sysfs."""
    tree = _machine(root, "15b3:101b", "mlx5_core")
    if has_files:
        for index in range(len(VFS)):
            folder = f"{PF_FOLDER}/sriov/{index}"
            tree.write(f"{folder}/node", "00:00:00:00:00:00:00:00")
            tree.write(f"{folder}/port", "00:00:00:00:00:00:00:00")
            tree.write(f"{folder}/policy", "Down")
    return tree


def mlx4_machine(root: Path) -> Tree:
    """A PF `ib0` (ifindex 2) with two VFs by mlx4_core, on the second port of its HCA."""
    tree = _machine(root, "15b3:1003", "mlx4_core")
    tree.write(f"{PF_FOLDER}/net/ib0/dev_port", "1")
    for place, key in enumerate(PF_TABLE):
        tree.write(f"{MLX4_HCA}/ports/2/pkeys/{place}", key)
    for index, address in enumerate(VFS):
        tree.write(f"{MLX4_HCA}/iov/ports/2/admin_guids/{index + 1}", "0")
        of_vf = f"{MLX4_HCA}/iov/{address}/ports/2"
        tree.write(f"{of_vf}/gid_idx/0", str(index + 1))
        tree.write(f"{of_vf}/pkey_idx/0", "0")
        tree.write(f"{of_vf}/pkey_idx/1", "none")
    return tree


def _machine(root: Path, device: str, driver: str) -> Tree:
    tree = Tree(root)
    pf = tree.function(PF, class_code=INFINIBAND_CLASS, device=device, driver=driver)
    tree.net(pf, "ib0", 2, speed="100000", arphrd=ARPHRD_INFINIBAND)
    tree.write(f"{pf}/sriov_totalvfs", "8")
    tree.write(f"{pf}/sriov_numvfs", str(len(VFS)))
    for index, address in enumerate(VFS):
        tree.virtual(pf, index, address)
    tree.write("proc/sys/kernel/random/boot_id", "6f0e6d8a-7b3f-4d83-9a4f-0b5a0a6a7a11")
    tree.write("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB")
    tree.write("sys/devices/system/cpu/online", "0-1")
    tree.write("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0")
    tree.write("sys/devices/system/cpu/cpu1/topology/physical_package_id", "0")
    return tree
