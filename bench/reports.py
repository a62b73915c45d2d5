"""What a host that nothing happens on costs control: `python -m bench.reports`.

One host of 4 PFs x 16 VFs with 20 servers that each have a VF, on an SQLite file: control's CPU for a heartbeat and for
a whole report that says what the one before it said, each in its transaction, without HTTP and JSON.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha512
from statistics import median
from time import process_time

from fairlead.access.caller import Caller
from fairlead.agent.loop import Agent
from fairlead.control import booting, flavors, hosts, networks, policies, reports
from fairlead.control.boundary import Tx, Wake
from fairlead.control.engine import Engine
from fairlead.control.nics import BootNic
from fairlead.control.scheduling import Scheduler
from fairlead.hoststate.report import Report
from fairlead.model.host import HostCapacity
from fairlead.model.identity import Role
from fairlead.model.ids import HostId, ImageId, NetworkId, ProjectId
from fairlead.model.numa import NumaNode
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import VnicType
from fairlead.model.server import Image, ImageStatus, ServerStatus
from fairlead.sim.disks import SimDisks
from fairlead.sim.fleet import MemorySlots, SimClock, SimHost
from fairlead.sim.hardware import GIB, Hardware, Nic
from fairlead.sim.hypervisor import SimHypervisor
from fairlead.sim.in_process import InProcessLink
from fairlead.sim.kernel import SimKernel
from fairlead.sim.lldpad import SimLldpad
from fairlead.sim.machine import Machine
from fairlead.store.engine import open_database
from fairlead.wire.documents import Enrolment, Heartbeat, Receipt

SERVERS = 20
TIMES = 300
REPORT_BUDGET_MS = 5.0
HEARTBEAT_BUDGET_MS = 1.0
_DISK = b"a disk"
_BUSES = ("3b", "5e", "af", "d8")
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_CALLER = Caller(ProjectId("bench"), "bench", frozenset({Role.ADMIN, Role.MEMBER, Role.READER}))


class _NobodyWaits:
    """control.boundary.Wakes."""

    def notify(self, wakes: frozenset[Wake]) -> None:
        """Nobody does."""


class _KeptReport(InProcessLink):
    """Keeps the newest report, to be told again."""

    last: Report | None = None

    def report(self, report: Report) -> Receipt:
        """Tell what was seen."""
        self.last = report
        return super().report(report)


def main() -> int:
    """Measure and print; 1 when over a budget."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        database = open_database(f"sqlite:///{folder}/fairlead.sqlite")
        engine = Engine(database, _NobodyWaits())
        host_id, report = _busy_host(engine)
        whole = _cpu_ms(lambda: _tell(engine, host_id, report))
        beat = _cpu_ms(lambda: _beat(engine, host_id))
        database.close()
    print(f"heartbeat: {beat:.2f} ms CPU   (budget {HEARTBEAT_BUDGET_MS:g})")
    print(f"whole report without news: {whole:.2f} ms CPU   (budget {REPORT_BUDGET_MS:g})")
    return int(beat > HEARTBEAT_BUDGET_MS or whole > REPORT_BUDGET_MS)


def _tell(engine: Engine, host_id: HostId, report: Report) -> None:
    def work(tx: Tx) -> None:
        newest = tx.hosts.fetch(host_id).report_serial
        assert reports.apply(tx, host_id, replace(report, serial=newest + 1)).is_taken

    engine.run(work)


def _beat(engine: Engine, host_id: HostId) -> None:
    """The host was last heard of long ago, so that it is written."""

    def work(tx: Tx) -> None:
        host = tx.hosts.touch(tx.hosts.fetch(host_id), last_seen_at=_LONG_AGO)
        assert reports.note_heartbeat(tx, host_id, Heartbeat(host.report_serial)).is_taken

    engine.run(work)


def _cpu_ms(act: Callable[[], None]) -> float:
    """Median of many."""
    times = []
    for _ in range(TIMES):
        before = process_time()
        act()
        times.append((process_time() - before) * 1000)
    return median(times)


def _busy_host(engine: Engine) -> tuple[HostId, Report]:
    """A host whose servers all run, and its last report without events."""
    image_id, network_id = engine.run(_furnish)
    _, token = engine.run(partial(hosts.create, new=hosts.NewHost("h1"), secret="0" * 64))
    enrolment = Enrolment(token, "h1", "bench")
    host_id = engine.run(partial(hosts.enrol, enrolment=enrolment, secret="0" * 64)).host_id
    link = _KeptReport(engine, host_id, lambda _: _DISK)
    agent = _host().agent(host_id, link)
    _settle(agent)
    for number in range(SERVERS):
        engine.run(partial(_boot, number=number, image_id=image_id, network_id=network_id))
    Scheduler(engine).tick()
    _settle(agent)
    servers = engine.run(lambda tx: tx.servers.find())
    assert {server.status for server in servers} == {ServerStatus.ACTIVE}, servers[0].fault
    assert link.last is not None
    return host_id, replace(link.last, events=())


def _settle(agent: Agent) -> None:
    for _ in range(4):
        agent.poll(0)
        agent.tick()


def _host() -> SimHost:
    nics = tuple(
        Nic(
            f"ens{n}f0",
            PciAddress(f"0000:{bus}:00.0"),
            MacAddress(f"3c:fd:fe:00:00:{n:02x}"),
            n // 2,
            total_vfs=16,
        )
        for n, bus in enumerate(_BUSES)
    )
    nodes = tuple(
        NumaNode(node, node, tuple(range(node * 16, node * 16 + 16)), 64 * GIB) for node in range(2)
    )
    machine, clock = Machine(Hardware(nics, (), HostCapacity(32, 128 * GIB, 1024, nodes))), SimClock()
    return SimHost(
        "h1",
        machine,
        SimKernel(machine),
        SimLldpad(machine),
        SimHypervisor(machine),
        SimDisks(clock),
        MemorySlots(),
        clock,
    )


def _furnish(tx: Tx) -> tuple[ImageId, NetworkId]:
    flavors.seed(tx)
    image = Image(
        ImageId(tx.new_id()),
        _CALLER.project_id,
        "disk",
        ImageStatus.ACTIVE,
        "raw",
        "bare",
        tx.now,
        tx.now,
        size=len(_DISK),
        sha512=sha512(_DISK).hexdigest(),
    )
    tx.images.add(image)
    network = networks.create(tx, networks.NewNetwork(_CALLER.project_id, "net", physical_network="physnet1"))
    match = DeviceMatch(name=("ens*",))
    policies.create(tx, policies.NewPolicy("data", match, num_vfs=16, physical_network="physnet1"))
    return image.id, network.network.id


def _boot(tx: Tx, number: int, image_id: ImageId, network_id: NetworkId) -> None:
    (flavor, *_) = tx.flavors.find(name="tiny")
    nics = (BootNic(network_id, vnic_type=VnicType.DIRECT),)
    booting.boot(tx, _CALLER, booting.BootServer(f"s{number}", flavor.id, image_id, nics))


if __name__ == "__main__":
    sys.exit(main())
