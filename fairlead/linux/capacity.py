"""What a host has for guests: CPUs, memory and disk, by NUMA node.

Sources: Documentation/ABI/stable/sysfs-devices-node, Documentation/ABI/testing/sysfs-devices-system-cpu,
proc_meminfo(5).
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from fairlead.linux.sysfs import integer, text
from fairlead.model.host import HostCapacity
from fairlead.model.numa import NumaNode

_NODE = re.compile(r"node(\d+)")
_KIB = re.compile(r"MemTotal:\s+(\d+) kB")


@dataclass(frozen=True, slots=True)
class Reserve:
    """What the host keeps for itself. `cpus` are counted, not named; memory is taken from the first node."""

    cpus: int = 0
    memory_mib: int = 1024


def read_capacity(root: Path, guests: Path, reserve: Reserve) -> HostCapacity:
    """CPUs that are online, memory, and the size of the file system that guests' disks are on."""
    online = parse_cpu_list(text(root / "sys/devices/system/cpu/online") or "")
    nodes = _nodes(root, online)
    memory_mib = _memory_mib(text(root / "proc/meminfo"))
    return HostCapacity(
        vcpus=max(len(online) - reserve.cpus, 0),
        memory_mib=max(memory_mib - reserve.memory_mib, 0),
        disk_gib=_disk_gib(guests),
        numa=_without_reserve(nodes, reserve),
    )


def parse_cpu_list(value: str) -> tuple[int, ...]:
    """`0-3,8` as 0, 1, 2, 3, 8 (Documentation/core-api/cpu_hotplug.rst)."""
    found: list[int] = []
    for part in filter(None, value.split(",")):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return tuple(found)


def _nodes(root: Path, online: tuple[int, ...]) -> tuple[NumaNode, ...]:
    found = []
    for folder in (root / "sys/devices/system/node").glob("node*"):
        match = _NODE.fullmatch(folder.name)
        if match is None:
            continue
        cpus = tuple(cpu for cpu in parse_cpu_list(text(folder / "cpulist") or "") if cpu in online)
        socket = _socket(root, cpus[0]) if cpus else None
        found.append(NumaNode(int(match[1]), socket, cpus, _memory_mib(text(folder / "meminfo"))))
    return tuple(sorted(found, key=lambda node: node.node))


def _socket(root: Path, cpu: int) -> int | None:
    package = integer(root / f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id")
    return package if package is not None and package >= 0 else None


def _without_reserve(nodes: tuple[NumaNode, ...], reserve: Reserve) -> tuple[NumaNode, ...]:
    if not nodes:
        return ()
    first, *others = nodes
    kept = max(first.memory_mib - reserve.memory_mib, 0)
    return (NumaNode(first.node, first.socket, first.cpus, kept), *others)


def _memory_mib(meminfo: str | None) -> int:
    match = _KIB.search(meminfo or "")
    return int(match[1]) // 1024 if match else 0


def _disk_gib(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).total // 2**30
