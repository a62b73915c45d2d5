"""What its VFs cost an agent: `python -m bench.agents`.

A host of one PF with 64 VFs, each with a port. Its /sys and /proc are files, and what netlink tells and is told of
VFs goes through the kernel's octets. Measured: all of them from made to wired; one that somebody changed, from the
event to the message that repairs it; and a look at the host when nothing has happened. What guests cost is libvirt's.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from fairlead.agent.loop import LONGEST_REST_SECONDS, Agent
from fairlead.hoststate.desired import DesiredFamily, DesiredState, DesiredVf
from fairlead.hoststate.report import Report
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link
from fairlead.linux.vfinfo import APPLIED, read_vf_info, write_vf_info
from fairlead.model.host import HostCapacity
from fairlead.model.ids import HostId, ImageId, PortId, ServerId, device_id, vf_key
from fairlead.model.numa import NumaNode
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.vf import BASELINE, VfSettings
from fairlead.sim.disks import SimDisks
from fairlead.sim.fleet import MemorySlots, SimClock, SimHost
from fairlead.sim.hardware import GIB, Hardware, Nic
from fairlead.sim.hypervisor import SimHypervisor
from fairlead.sim.lldpad import SimLldpad
from fairlead.sim.machine import Machine
from fairlead.sim.netlink import SimNetlink
from fairlead.sim.tree import Tree
from fairlead.wire.documents import Assignment, Heartbeat, Receipt

VFS = 64
TIMES = 30
MOST_DUMPS, CONFIGURE_BUDGET_MS = 2, 100.0
REPAIR_BUDGET_MS = 200.0
QUIET_BUDGET_PERCENT = 0.2
_HOST = HostId("00000000-0000-4000-8000-0000000000f1")
_PF = Nic("ens1f0", PciAddress("0000:3b:00.0"), MacAddress("3c:fd:fe:00:00:01"), 0, total_vfs=VFS)


class _Wire(SimNetlink):
    """Netlink of the machine: VFs are read from, and written as, what the kernel's messages hold; it is counted."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.dumps = 0
        self.messages: list[float] = []
        """When each was sent, by `perf_counter`."""

    def link(self, index: int) -> tuple[Link, Mapping[int, VfSettings]]:
        """One device with its VFs."""
        link, vfs = super().link(index)
        self.dumps += bool(vfs)
        told = (write_vf_info(vf, settings, APPLIED)[4:] for vf, settings in vfs.items())
        return link, dict(found for info in told if (found := read_vf_info(info)))

    def set_vf(self, index: int, vf: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """Up to the first field that is refused."""
        write_vf_info(vf, settings, fields)
        self.messages.append(perf_counter())
        super().set_vf(index, vf, settings, fields)


class _Control:
    """agent.boundary.Control that has one document and takes every report."""

    def __init__(self, desired: DesiredState) -> None:
        self.desired = desired
        self.last: Report | None = None

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        """The document, if it is new."""
        return Assignment(self.desired if generation != self.desired.generation else None)

    def report(self, report: Report) -> Receipt:
        """Keep it."""
        self.last = report
        return self._receipt()

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        """All is as before."""
        return self._receipt()

    def answer(self, question_id: str, text: str) -> None:
        """Nobody asked."""

    def image(self, image_id: ImageId) -> AbstractContextManager[Iterator[bytes]]:
        """Nobody needs one."""
        raise NotImplementedError(image_id)

    def _receipt(self) -> Receipt:
        return Receipt(self.desired.generation, self.last.serial if self.last else 0, is_taken=True)


class _Bench:
    """The host, its agent, and what it is told."""

    def __init__(self, root: Path) -> None:
        nodes = (NumaNode(0, 0, tuple(range(16)), 64 * GIB),)
        self.machine = Machine(Hardware((_PF,), (), HostCapacity(16, 64 * GIB, 1024, nodes)))
        tree = Tree(self.machine, root)
        tree.renew()
        self.wire, clock = _Wire(self.machine), SimClock()
        kernel = LinuxKernel(self.wire, root, root, Reserve(cpus=0, memory_mib=0), write=tree.write)
        host = SimHost(
            "h1",
            self.machine,
            kernel,
            SimLldpad(self.machine),
            SimHypervisor(self.machine),
            SimDisks(clock),
            MemorySlots(),
            clock,
        )
        self.control = _Control(_desired(1, ()))
        self.agent: Agent = host.agent(_HOST, self.control)

    def tell(self, desired: DesiredState) -> None:
        """A new document, and what comes of it."""
        self.control.desired = desired
        self.agent.poll(0)
        self.agent.tick()


def main() -> int:
    """Measure and print; 1 when over a budget."""
    with TemporaryDirectory(prefix="fairlead-bench-") as folder:
        bench = _Bench(Path(folder))
        bench.tell(_desired(2, ()))
        dumps, messages, configured = _configure(bench)
        repaired = median(_repair(bench, number) for number in range(TIMES))
        quiet = median(_quiet(bench) for _ in range(TIMES))
    percent = 100 * quiet / (1000 * LONGEST_REST_SECONDS)
    print(f"{VFS} VFs of one PF configured: {configured:.0f} ms CPU   (budget {CONFIGURE_BUDGET_MS:g})")
    print(f"  with {dumps} dumps and {messages} messages   (budget {MOST_DUMPS} and {VFS})")
    print(f"a changed VF: {repaired:.1f} ms from the event to its repair   (budget {REPAIR_BUDGET_MS:g})")
    print(
        f"a quiet look: {quiet:.1f} ms CPU, {percent:.2f} % of a core   (budget {QUIET_BUDGET_PERCENT:g} %)"
    )
    return int(
        configured > CONFIGURE_BUDGET_MS
        or dumps > MOST_DUMPS
        or messages > VFS
        or repaired > REPAIR_BUDGET_MS
        or percent > QUIET_BUDGET_PERCENT
    )


def _configure(bench: _Bench) -> tuple[int, int, float]:
    """Dumps, messages and milliseconds of CPU from the new document to the report that all ports are wired."""
    bench.wire.dumps, before = 0, process_time()
    bench.tell(_desired(3, tuple(range(VFS))))
    took = (process_time() - before) * 1000
    assert bench.control.last is not None
    assert len(bench.control.last.wired) == VFS
    return bench.wire.dumps, len(bench.wire.messages), took


def _repair(bench: _Bench, number: int) -> float:
    vfs = bench.machine.pfs[_PF.key].vfs
    vfs[number] = replace(vfs[number], vlan=999, trust=True)
    began = perf_counter()
    bench.agent.tick()
    assert vfs[number] == _settings(number)
    return (bench.wire.messages[-1] - began) * 1000


def _quiet(bench: _Bench) -> float:
    before = process_time()
    bench.agent.tick()
    return (process_time() - before) * 1000


def _desired(generation: int, indexes: tuple[int, ...]) -> DesiredState:
    vfs = tuple(map(_vf, indexes))
    return DesiredState(
        host_id=_HOST,
        generation=generation,
        families=(DesiredFamily(_PF.key, VFS, None),),
        vfs=vfs,
    )


def _vf(index: int) -> DesiredVf:
    return DesiredVf(
        device_id=device_id(_HOST, vf_key(_PF.key, index)),
        pf=_PF.key,
        index=index,
        server_id=ServerId("5e000000-0000-4000-8000-000000000001"),
        port_id=PortId(f"00000000-0000-4000-8000-{index:012d}"),
        settings=_settings(index),
    )


def _settings(index: int) -> VfSettings:
    return replace(BASELINE, mac=MacAddress(f"fa:16:3e:00:00:{index:02x}"), vlan=100 + index)


if __name__ == "__main__":
    sys.exit(main())
