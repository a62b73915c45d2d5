"""A guest's processor and memory: how many, of what model, and where on the host."""

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement

from fairlead.guestxml.machine import CpuModel, Machine
from fairlead.hoststate.desired import DesiredGuest
from fairlead.model.numa import GuestCell, NumaNode


def add_vcpus(domain: Element, guest: DesiredGuest) -> None:
    """`<vcpu>`."""
    SubElement(domain, "vcpu", placement="static").text = str(guest.vcpus)


def add_pinning(domain: Element, cells: tuple[GuestCell, ...], nodes: Mapping[int, NumaNode]) -> None:
    """`<cputune>` and `<numatune>`: each cell's vCPUs float over its host node's CPUs, its memory is there.

    Nothing for a guest without cells. A node that the host does not report is left unpinned.
    """
    if not cells:
        return
    cputune = Element("cputune")
    for vcpu, cell in _vcpus(cells):
        if cell.host_node in nodes:
            cpuset = cpu_ranges(nodes[cell.host_node].cpus)
            SubElement(cputune, "vcpupin", vcpu=str(vcpu), cpuset=cpuset)
    if len(cputune):
        domain.append(cputune)
    numatune = SubElement(domain, "numatune")
    nodeset = cpu_ranges(tuple(sorted({cell.host_node for cell in cells})))
    SubElement(numatune, "memory", mode="strict", nodeset=nodeset)
    for number, cell in enumerate(cells):
        SubElement(numatune, "memnode", cellid=str(number), mode="strict", nodeset=str(cell.host_node))


def add_cpu(domain: Element, guest: DesiredGuest, machine: Machine) -> None:
    """`<cpu>` with the guest's NUMA cells, where it has some."""
    if machine.cpu is CpuModel.HOST_PASSTHROUGH:
        cpu = SubElement(domain, "cpu", mode="host-passthrough", check="none", migratable="on")
    else:
        cpu = SubElement(domain, "cpu", mode="custom", match="exact", check="none")
        SubElement(cpu, "model", fallback="allow").text = machine.cpu.value
    if not guest.cells:
        return
    numa = SubElement(cpu, "numa")
    first = 0
    for number, cell in enumerate(guest.cells):
        cpus = cpu_ranges(tuple(range(first, first + cell.vcpus)))
        SubElement(numa, "cell", id=str(number), cpus=cpus, memory=str(cell.memory_mib), unit="MiB")
        first += cell.vcpus


def cpu_ranges(numbers: tuple[int, ...]) -> str:
    """Ascending numbers as libvirt and the kernel write sets of them: `0-3,8`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _vcpus(cells: tuple[GuestCell, ...]) -> list[tuple[int, GuestCell]]:
    return list(enumerate(cell for cell in cells for _ in range(cell.vcpus)))
