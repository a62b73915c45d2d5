"""CPUs, memory and disk of a host, less what it keeps."""

from pathlib import Path

from fairlead.linux.capacity import Reserve, parse_cpu_list, read_capacity
from fairlead.model.numa import NumaNode
from tests.machine_tree import igb_machine


def test_the_host_keeps_its_reserve_from_the_first_node(tmp_path: Path):
    igb_machine(tmp_path)
    found = read_capacity(tmp_path, tmp_path / "not/yet/there", Reserve(cpus=1, memory_mib=1024))
    assert (found.vcpus, found.memory_mib) == (3, 7168)
    assert found.numa == (NumaNode(0, 0, (0, 1), 3072), NumaNode(1, 0, (2, 3), 4096))
    assert found.disk_gib > 0


def test_a_cpu_that_is_offline_is_not_there(tmp_path: Path):
    tree = igb_machine(tmp_path)
    tree.write("sys/devices/system/cpu/online", "0-2")
    found = read_capacity(tmp_path, tmp_path, Reserve(memory_mib=0))
    assert found.vcpus == 3
    assert found.numa[1].cpus == (2,)


def test_cpu_lists_are_ranges_and_single_numbers():
    assert parse_cpu_list("0-3,8,10-11") == (0, 1, 2, 3, 8, 10, 11)
    assert parse_cpu_list("") == ()
