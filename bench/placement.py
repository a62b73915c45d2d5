"""How long a scheduling decision takes over 10,000 hosts of 4 PFs with 16 VFs each: `python -m bench.placement`.

Prints the least, median and most milliseconds of each case; exits with 1 when a decision's median is over the
budget. Other work on the machine shows in "most", not in "least".
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from statistics import median
from time import perf_counter

from fairlead.model.host import HostCapacity
from fairlead.model.ids import DeviceId, HostId, RequestId
from fairlead.model.numa import NumaNode
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.request import PciRequest, ServerRequest
from fairlead.placement.boundary import Decision, FamilyView, HostOrder, HostView, Placed, Rejected
from fairlead.placement.place import place
from fairlead.placement.snapshot import Fleet

HOSTS = 10_000
VFS = 16
BUDGET_MS = 3.0
NODES = tuple(NumaNode(node, node, tuple(range(node * 32, node * 32 + 32)), 131_072) for node in (0, 1))
CAPACITY = HostCapacity(vcpus=64, memory_mib=262_144, disk_gib=2_000, numa=NODES)


@dataclass(frozen=True, slots=True)
class Measurement:
    """Times of one case, in milliseconds."""

    name: str
    times_ms: tuple[float, ...]
    budget_ms: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the median is over the budget, where there is one."""
        return self.budget_ms is not None and median(self.times_ms) > self.budget_ms

    def __str__(self) -> str:
        times = self.times_ms
        budget = "" if self.budget_ms is None else f"   (budget {self.budget_ms:g})"
        return f"{self.name:<62}{min(times):9.3f}{median(times):9.3f}{max(times):9.3f}{budget}"


def main() -> int:
    """Measure and print; 1 when a decision is over its budget."""
    print(f"{HOSTS:,} hosts, 4 PFs x {VFS} VFs; milliseconds{'least':>27}{'median':>9}{'most':>9}")
    found = []
    for measurement in measurements():
        print(measurement)
        found.append(measurement)
    return int(any(measurement.is_over for measurement in found))


def measurements() -> Iterator[Measurement]:
    """Every case, one after the other."""
    empty, half, full = (Fleet(views(share)) for share in (0.0, 0.5, 0.999))
    none = Fleet(views(1.0))
    for name, fleet in (
        ("an empty fleet", empty),
        ("a half-full fleet", half),
        ("an almost full fleet", full),
    ):
        yield timed(f"two ports, {name}", decide(fleet, two_ports(), Placed), budget_ms=BUDGET_MS)
    yield timed(
        "two ports with minimum bandwidth, a half-full fleet", decide(half, two_ports(1_000_000), Placed)
    )
    yield timed("two ports and 4 NUMA-near VFs, a half-full fleet", decide(half, numa_server(), Placed))
    yield timed("no ports, a half-full fleet", decide(half, ServerRequest(2, 4096, 20), Placed))
    yield timed("one host refreshed", refresh(half))
    yield timed("two ports, a full fleet: every host's reasons", decide(none, two_ports(), Rejected), runs=7)
    elsewhere = ServerRequest(2, 4096, 20, (port("a", "physnet9"),))
    yield timed("no such physical network: every host's reasons", decide(half, elsewhere, Rejected), runs=7)


def timed(
    name: str, act: Callable[[int], None], runs: int = 101, budget_ms: float | None = None
) -> Measurement:
    """Run the act so often, after two runs that do not count."""
    times = []
    for run in range(-2, runs):
        start = perf_counter()
        act(run)
        times.append((perf_counter() - start) * 1000)
    return Measurement(name, tuple(times[2:]), budget_ms)


def decide(fleet: Fleet, request: ServerRequest, expected: type[Decision]) -> Callable[[int], None]:
    """One decision, for another server each time."""

    def act(run: int) -> None:
        decision = place(fleet, request, HostOrder.PACK, seed=f"server-{run}")
        assert isinstance(decision, expected)

    return act


def refresh(fleet: Fleet) -> Callable[[int], None]:
    """One host's view taken into the snapshot."""
    known = list(fleet)

    def act(run: int) -> None:
        fleet.replace([dataclasses.replace(known[run], vcpus_used=run % 60)])

    return act


def two_ports(egress_kbps: int = 0) -> ServerRequest:
    """A server with a direct port on each of two physical networks."""
    ports = (port("a", "physnet0", egress_kbps), port("b", "physnet1", egress_kbps))
    return ServerRequest(2, 4096, 20, ports)


def numa_server() -> ServerRequest:
    """A server with two NUMA cells and six VFs."""
    more = tuple(port(f"c{number}", "physnet1") for number in range(4))
    return ServerRequest(4, 8192, 20, two_ports().pci + more, numa_nodes=2)


def port(name: str, physical_network: str, egress_kbps: int = 0) -> PciRequest:
    """The request of a direct port."""
    return PciRequest(
        RequestId(name),
        DeviceKind.VF,
        f"port {name}",
        physical_network=physical_network,
        egress_kbps=egress_kbps,
    )


def views(held_share: float) -> Iterator[HostView]:
    """The fleet's hosts, each VF held with that probability; the same ones each time."""
    random = Random(1)  # noqa: S311 - repeatable on purpose
    for number in range(HOSTS):
        families = tuple(family(number, at, held_share, random) for at in range(4))
        used = sum(view.held_vfs for view in families)
        yield HostView(
            host_id=HostId(f"host-{number}"),
            name=f"host-{number:05}",
            why_not="",
            capacity=CAPACITY,
            vcpus_used=used // 2,
            memory_mib_used=used * 1024,
            disk_gib_used=used * 5,
            numa_memory_used=(),
            numa_vcpus_used=(),
            families=families,
            bridged_networks=("physnet0", "physnet1"),
        )


def family(host: int, at: int, held_share: float, random: Random) -> FamilyView:
    """PF `at` of a host: two on each physical network, two on each NUMA node."""
    free = sum(1 << index for index in range(VFS) if random.random() >= held_share)
    return FamilyView(
        family_id=DeviceId(f"host-{host}-pf-{at}"),
        kind=DeviceKind.PF,
        label=f"ens{at}f0 (0000:{at:02x}:00.0)",
        vendor="8086",
        product="1592",
        vf_vendor="8086",
        vf_product="1889",
        link_layer=LinkLayer.ETHERNET,
        physical_network=f"physnet{at % 2}",
        tags=(),
        numa_node=at // 2,
        is_free=free.bit_count() == VFS,
        free_vfs=free,
        held_vfs=VFS - free.bit_count(),
        unclean_vfs=0,
        egress_kbps=100_000_000,
        egress_free_kbps=50_000_000,
        link_up=True,
        is_uplink=at < 2,  # noqa: PLR2004 - the first PF of each of the two networks
    )


if __name__ == "__main__":
    sys.exit(main())
