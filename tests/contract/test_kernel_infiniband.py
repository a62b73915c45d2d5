"""agent.boundary.Kernel on hosts with InfiniBand: the same of mlx4 and mlx5, declared trees and simulated machines."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairlead.agent.boundary import Kernel
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link
from fairlead.model.errors import Fault
from fairlead.model.infiniband import TAKES_PARTITIONS, Guid, Membership, PartitionKey, guid_key
from fairlead.model.pci import LinkLayer, MacAddress
from fairlead.model.vf import INFINIBAND_BASELINE, LinkState, VfSettings, differences
from fairlead.sim.hardware import infiniband_server
from fairlead.sim.kernel import SimKernel
from fairlead.sim.machine import Machine
from fairlead.sim.tree import TreeKernel
from tests.infiniband_tree import mlx4_machine, mlx5_machine
from tests.memory_netlink import MemoryNetlink

PF_GUID = Guid("00:02:c9:03:00:a1:b2:c3")
GUID = Guid("fa:16:3e:00:00:12:34:56")
OWN = VfSettings(link_state=LinkState.AUTO, port_guid=GUID, node_guid=GUID)


@dataclass(frozen=True, slots=True)
class Bench:
    """A kernel whose PF `key` has two VFs or more, and a fabric with partition 1 on its port."""

    kernel: Kernel
    key: str

    def pf(self) -> ObservedPf:
        return next(pf for pf in self.kernel.observe().pfs if pf.key == self.key)

    def wanted(self) -> VfSettings:
        """What a port in that partition needs of a VF of such a PF."""
        if TAKES_PARTITIONS not in self.pf().capabilities:
            return OWN
        return replace(OWN, partition_key=PartitionKey(1, Membership.FULL))

    def make(self, index: int, wanted: VfSettings) -> VfSettings:
        """As the agent does: what differs is written, and what is there then read back."""
        fields = differences(wanted, self.kernel.read_vf(self.pf(), index))
        self.kernel.set_vf(self.pf(), index, wanted, fields)
        return self.kernel.read_vf(self.pf(), index)


def declared(root: Path, told: dict[int, VfSettings]) -> Bench:
    netlink = MemoryNetlink({2: Link(2, "ib0", is_up=True, carrier=True, guid=PF_GUID)}, {2: told})
    return Bench(LinuxKernel(netlink, root, root, Reserve()), guid_key(PF_GUID))


def declared_mlx5(root: Path) -> Bench:
    mlx5_machine(root)
    return declared(root, dict.fromkeys(range(2), INFINIBAND_BASELINE))


def declared_ofed(root: Path) -> Bench:
    mlx5_machine(root, has_files=True)
    return declared(root, {})


def declared_mlx4(root: Path) -> Bench:
    mlx4_machine(root).write("sys/bus/pci/devices/0000:81:00.0/infiniband/mlx4_0/ports/2/pkeys/3", "0x8001")
    return declared(root, {})


def simulated(nic: str, kernel: Callable[[Machine, Path], Kernel]) -> Callable[[Path], Bench]:
    def bench(root: Path) -> Bench:
        machine = Machine(infiniband_server(1))
        key = next(each.key for each in machine.hardware.nics if each.name == nic)
        machine.set_num_vfs(key, 2)
        return Bench(kernel(machine, root), key)

    return bench


BENCHES = {
    "declared mlx5": declared_mlx5,
    "declared mlx5 with files": declared_ofed,
    "declared mlx4": declared_mlx4,
    "simulated mlx5": simulated("ibs3", lambda machine, _: SimKernel(machine)),
    "simulated mlx4": simulated("ibs4", lambda machine, _: SimKernel(machine)),
    "tree of a simulated mlx5": simulated("ibs3", TreeKernel),
    "tree of a simulated mlx4": simulated("ibs4", TreeKernel),
}


@pytest.fixture(params=BENCHES.values(), ids=BENCHES.keys())
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return request.param(tmp_path)


def test_a_pf_is_of_infiniband_with_its_vfs_and_without_a_mac(bench: Bench):
    pf = bench.pf()
    assert (pf.link_layer, pf.mac, len(pf.vfs)) == (LinkLayer.INFINIBAND, None, 2)


def test_a_vf_gets_what_its_port_needs_and_the_other_stays_nobodys(bench: Bench):
    other = bench.kernel.read_vf(bench.pf(), 0)
    assert differences(bench.wanted(), bench.make(1, bench.wanted())) == ()
    assert bench.kernel.read_vf(bench.pf(), 0) == other


def test_what_is_made_is_seen_by_the_next_look(bench: Bench):
    made = bench.make(1, bench.wanted())
    assert bench.pf().vfs[1].settings == made


def test_scrubbed_it_is_nobodys(bench: Bench):
    bench.make(1, bench.wanted())
    seen = bench.make(1, INFINIBAND_BASELINE)
    assert differences(INFINIBAND_BASELINE, seen) == ()
    assert (seen.port_guid, seen.node_guid, seen.partition_key) == (None, None, None)


def test_it_passes_from_one_port_to_the_next(bench: Bench):
    bench.make(1, bench.wanted())
    following = replace(
        bench.wanted(), port_guid=Guid("fa:16:3e:00:00:65:43:21"), node_guid=Guid("fa:16:3e:00:00:65:43:21")
    )
    assert differences(following, bench.make(1, following)) == ()


def test_a_partition_that_the_pfs_port_is_not_in_is_refused(bench: Bench):
    before = bench.kernel.read_vf(bench.pf(), 1)
    wanted = VfSettings(partition_key=PartitionKey(0x777, Membership.FULL))
    with pytest.raises(Fault):
        bench.kernel.set_vf(bench.pf(), 1, wanted, ("partition_key",))
    assert bench.kernel.read_vf(bench.pf(), 1) == before


def test_a_vf_of_ethernet_is_told_no_guid(tmp_path: Path):
    machine = Machine(infiniband_server(1))
    key = machine.hardware.nics[1].key
    machine.set_num_vfs(key, 1)
    bench = Bench(SimKernel(machine), key)
    with pytest.raises(Fault):
        bench.kernel.set_vf(bench.pf(), 0, OWN, ("port_guid",))


def test_a_vf_of_infiniband_is_told_no_mac(tmp_path: Path):
    bench = simulated("ibs3", lambda machine, _: SimKernel(machine))(tmp_path)
    with pytest.raises(Fault):
        bench.kernel.set_vf(bench.pf(), 0, VfSettings(mac=MacAddress("fa:16:3e:12:34:56")), ("mac",))
