"""A host of one PF with 64 VFs and its agent, for measuring what the agent does.

Its /sys and /proc are files, and what netlink tells and is told of VFs goes through the kernel's octets; each request
is counted. What the simulation itself costs, where it makes files of what has changed, is kept apart.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import process_time

from fairlead.agent.loop import Agent
from fairlead.hoststate.desired import DesiredFamily, DesiredState, DesiredVf
from fairlead.hoststate.report import Report
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link, Route
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
HOST = HostId("00000000-0000-4000-8000-0000000000f1")
PF = Nic("ens1f0", PciAddress("0000:3b:00.0"), MacAddress("3c:fd:fe:00:00:01"), 0, total_vfs=VFS)
IMAGE = b"a disk"


class Asked(Enum):
    """What a request is for."""

    VFS = "dumps of VFs"
    """A PF with its VFs, where it has any."""
    SET_VF = "messages that set a VF"
    LINK = "questions about one device"
    LINKS = "lists of devices"
    ADDRESSES = "lists of addresses"
    ROUTES = "lists of routes"


class CountedNetlink(SimNetlink):
    """Netlink of the machine: VFs are read from, and written as, what the kernel's messages hold; it is counted."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.asked: Counter[Asked] = Counter()
        self.on_set_vf: Callable[[], None] = lambda: None

    def links(self) -> tuple[Link, ...]:
        """All network devices."""
        self.asked[Asked.LINKS] += 1
        return super().links()

    def link(self, index: int) -> tuple[Link, Mapping[int, VfSettings]]:
        """One device with its VFs."""
        link, vfs = super().link(index)
        self.asked[Asked.VFS if vfs else Asked.LINK] += 1
        told = (write_vf_info(vf, settings, APPLIED)[4:] for vf, settings in vfs.items())
        return link, dict(found for info in told if (found := read_vf_info(info)))

    def plain_link(self, index: int) -> Link:
        """One device without its VFs."""
        self.asked[Asked.LINK] += 1
        return super().plain_link(index)

    def addresses(self) -> tuple[tuple[int, str], ...]:
        """The host's own."""
        self.asked[Asked.ADDRESSES] += 1
        return super().addresses()

    def routes(self) -> tuple[Route, ...]:
        """The host's own."""
        self.asked[Asked.ROUTES] += 1
        return super().routes()

    def set_vf(self, index: int, vf: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """Up to the first field that is refused."""
        write_vf_info(vf, settings, fields)
        self.asked[Asked.SET_VF] += 1
        super().set_vf(index, vf, settings, fields)
        self.on_set_vf()


class TimedTree(Tree):
    """Knows how much CPU time its own files have cost: a kernel makes its own."""

    seconds = 0.0

    def renew(self) -> None:
        """Make the files what the machine is now."""
        before = process_time()
        super().renew()
        self.seconds += process_time() - before


class ToldOnce:
    """agent.boundary.Control that has one document, and takes every report. Who asks for a newer one waits."""

    def __init__(self, desired: DesiredState) -> None:
        self.desired = desired
        self.last: Report | None = None
        self.is_over = Event()
        self.on_heard: Callable[[], None] = lambda: None

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        """The document, if it is new."""
        if generation == self.desired.generation:
            self.is_over.wait(wait_seconds)
            return Assignment(None)
        return Assignment(self.desired)

    def report(self, report: Report) -> Receipt:
        """Keep it."""
        self.last = report
        self.on_heard()
        return self._receipt()

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        """All is as before."""
        self.on_heard()
        return self._receipt()

    def answer(self, question_id: str, text: str) -> None:
        """Nobody asked."""

    def image(self, image_id: ImageId) -> AbstractContextManager[Iterator[bytes]]:
        """There is one."""
        return nullcontext(iter((IMAGE,)))

    def _receipt(self) -> Receipt:
        return Receipt(self.desired.generation, self.last.serial if self.last else 0, is_taken=True)


@contextmanager
def host_folder() -> Iterator[Path]:
    """Where a host's files lie for a while: in memory where there is such a place, as /sys, /proc and /run do."""
    memory = Path("/dev/shm")  # noqa: S108 - what is made there has a name of its own
    with TemporaryDirectory(prefix="fairlead-bench-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


class AgentHost:
    """The host, its agent, and what it is told. `hypervisor` makes that of the machine."""

    def __init__(self, root: Path, hypervisor: Callable[[Machine], SimHypervisor] = SimHypervisor) -> None:
        nodes = (NumaNode(0, 0, tuple(range(16)), 64 * GIB),)
        self.machine = Machine(Hardware((PF,), (), HostCapacity(16, 64 * GIB, 1024, nodes)))
        self.tree = TimedTree(self.machine, root)
        self.tree.renew()
        self.wire, self.clock = CountedNetlink(self.machine), SimClock()
        kernel = LinuxKernel(self.wire, root, root, Reserve(cpus=0, memory_mib=0), write=self.tree.write)
        host = SimHost(
            "h1",
            self.machine,
            kernel,
            SimLldpad(self.machine),
            hypervisor(self.machine),
            SimDisks(self.clock),
            MemorySlots(),
            self.clock,
        )
        self.control = ToldOnce(DesiredState(HOST, 1))
        self.agent: Agent = host.agent(HOST, self.control)

    def tell(self, desired: DesiredState) -> None:
        """A new document, and what comes of it."""
        self.control.desired = desired
        self.agent.poll(0)
        self.agent.tick()


def desired(generation: int, vfs: int) -> DesiredState:
    """64 VFs, of which the first so many have owners."""
    return DesiredState(
        host_id=HOST,
        generation=generation,
        families=(DesiredFamily(PF.key, VFS, None),),
        vfs=tuple(map(wished_vf, range(vfs))),
    )


def wished_vf(index: int) -> DesiredVf:
    """VF `index` of the PF, a port's."""
    return DesiredVf(
        device_id=device_id(HOST, vf_key(PF.key, index)),
        pf=PF.key,
        index=index,
        server_id=server(index),
        port_id=port(index),
        settings=settings(index),
    )


def settings(index: int) -> VfSettings:
    """Those of that VF's port."""
    return replace(BASELINE, mac=MacAddress(f"fa:16:3e:00:00:{index:02x}"), vlan=100 + index)


def server(number: int) -> ServerId:
    """The id of a server."""
    return ServerId(f"5e000000-0000-4000-8000-{number:012d}")


def port(number: int) -> PortId:
    """The id of that server's port: its beginning is in its tap's name."""
    return PortId(f"{number:08d}-0000-4000-8000-000000000000")
