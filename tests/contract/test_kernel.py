"""agent.boundary.Kernel, on each thing that claims to be one: what the agent relies on holds for all."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairlead.agent.boundary import Kernel
from fairlead.hoststate.desired import DesiredBridge, DesiredTap
from fairlead.hoststate.observed import ObservedPf, ObservedTap
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link
from fairlead.model.errors import Fault
from fairlead.model.ids import PortId, ServerId
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE, VfSettings, differences
from fairlead.sim.hardware import two_socket_server
from fairlead.sim.kernel import SimKernel
from fairlead.sim.machine import Machine
from tests.machine_tree import igb_machine
from tests.memory_netlink import MemoryNetlink

PERMANENT = MacAddress("a0:36:9f:00:00:01")
PORT_MAC = MacAddress("fa:16:3e:00:00:01")


@dataclass(frozen=True, slots=True)
class Bench:
    """A kernel whose PF `key` has two VFs at their baseline and a link. `refuse` makes its driver say
    EOPNOTSUPP to a field, `rename` gives its network device another name.
    """

    kernel: Kernel
    key: str
    refuse: Callable[[str], None]
    rename: Callable[[str], None]

    def pf(self) -> ObservedPf:
        return next(pf for pf in self.kernel.observe().pfs if pf.key == self.key)

    def tap(self, name: str) -> ObservedTap | None:
        return next((tap for tap in self.kernel.observe().taps if tap.name == name), None)


def tree_bench(root: Path) -> Bench:
    """The real kernel's code on files and a netlink in memory."""
    tree = igb_machine(root)
    netlink = MemoryNetlink(
        devices={2: Link(2, "pfa", PERMANENT, PERMANENT, mtu=1500, is_up=True, carrier=True)},
        vfs={2: {0: BASELINE, 1: BASELINE}},
    )
    kernel = LinuxKernel(netlink, root, root, Reserve())

    def rename(name: str) -> None:
        tree.rename("0000:01:00.0", netlink.devices[2].name, name)
        netlink.devices[2] = replace(netlink.devices[2], name=name)

    return Bench(
        kernel, f"mac:{PERMANENT}", lambda name: netlink.refused.update({name: errno.EOPNOTSUPP}), rename
    )


def simulated_bench(root: Path) -> Bench:
    """The simulator's kernel."""
    machine = Machine(two_socket_server(1))
    key = machine.hardware.nics[1].key
    machine.set_num_vfs(key, 2)
    machine.pfs[key].is_up = True

    def refuse(name: str) -> None:
        machine.troubles.refused_fields |= {name}

    return Bench(SimKernel(machine), key, refuse, lambda name: machine.rename(key, name))


@pytest.fixture(params=[tree_bench, simulated_bench], ids=["tree", "sim"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return request.param(tmp_path)


def bridge(bench: Bench, mtu: int | None = None) -> DesiredBridge:
    return DesiredBridge("flbr-0a1b2c3d", "physnet1", bench.pf().key, mtu)


def tap(**changes: object) -> DesiredTap:
    wanted = DesiredTap(
        name="fltap-0f0f0f0f",
        bridge="flbr-0a1b2c3d",
        port_id=PortId("0f0f0f0f-0000-4000-8000-000000000001"),
        server_id=ServerId("5e7e0000-0000-4000-8000-000000000001"),
        mac=PORT_MAC,
        vlan=100,
        mtu=1450,
        max_rate_kbps=10_000,
    )
    return replace(wanted, **changes)


def facts(seen: ObservedTap | DesiredTap | None) -> tuple[object, ...] | None:
    if seen is None:
        return None
    return (
        seen.bridge,
        seen.mac,
        seen.vlan,
        seen.mtu,
        seen.is_up,
        seen.max_rate_kbps,
        seen.spoof_check,
        seen.port_id,
    )


def test_the_counters_of_a_vf_are_read_and_those_of_none_are_not_made_up(bench):
    assert 1 in bench.kernel.vf_counters(bench.pf())
    with pytest.raises(Fault):
        bench.kernel.vf_counters(replace(bench.pf(), pci_address="0000:ff:00.0", key="mac:none"))
    assert bench.kernel.link_counters("fltap-none") is None


def test_an_untouched_host_looks_the_same_twice(bench: Bench):
    assert bench.kernel.observe() == bench.kernel.observe()


def test_a_pf_tells_of_its_vfs(bench: Bench):
    pf = bench.pf()
    assert [vf.index for vf in pf.vfs] == [0, 1]
    assert pf.num_vfs == 2
    assert pf.name is not None
    assert all(not differences(BASELINE, vf.settings) for vf in pf.vfs)


def test_the_host_says_what_it_has_and_which_boot_it_is_in(bench: Bench):
    seen = bench.kernel.observe()
    assert seen.boot_id
    assert seen.capacity.vcpus > 0
    assert seen.capacity.memory_mib > 0


def test_the_fields_named_are_written_and_no_others(bench: Bench):
    wanted = VfSettings(mac=PORT_MAC, vlan=100, vlan_priority=3, trust=True, spoof_check=False)
    bench.kernel.set_vf(bench.pf(), 1, wanted, ("mac", "vlan", "vlan_priority", "trust"))
    seen = bench.kernel.read_vf(bench.pf(), 1)
    assert (seen.mac, seen.vlan, seen.vlan_priority, seen.trust) == (PORT_MAC, 100, 3, True)
    assert seen.spoof_check is True
    assert not differences(BASELINE, bench.kernel.read_vf(bench.pf(), 0))


def test_a_vf_goes_back_to_its_baseline(bench: Bench):
    wanted = VfSettings(mac=PORT_MAC, vlan=100, trust=True)
    bench.kernel.set_vf(bench.pf(), 0, wanted, ("mac", "vlan", "trust"))
    bench.kernel.reset_vf(bench.pf(), 0)
    seen = bench.kernel.read_vf(bench.pf(), 0)
    bench.kernel.set_vf(bench.pf(), 0, BASELINE, differences(BASELINE, seen))
    assert not differences(BASELINE, bench.kernel.read_vf(bench.pf(), 0))


def test_a_vf_is_sealed_from_its_reset_on(bench: Bench):
    sealed, other = (vf.pci_address for vf in bench.pf().vfs)
    assert bench.kernel.sealed_vfs([sealed, other]) == frozenset()
    bench.kernel.reset_vf(bench.pf(), 0)
    bench.kernel.set_vf(bench.pf(), 0, VfSettings(mac=PORT_MAC), ("mac",))
    assert bench.kernel.sealed_vfs([sealed, other]) == {sealed}
    assert bench.kernel.sealed_vfs([other]) == frozenset()
    assert [bench.kernel.is_sealed(bench.pf(), index) for index in (0, 1, 6)] == [True, False, False]


def test_what_is_written_is_seen_by_the_next_observation(bench: Bench):
    bench.kernel.set_vf(bench.pf(), 0, VfSettings(mac=PORT_MAC), ("mac",))
    assert bench.pf().vfs[0].settings.mac == PORT_MAC


def test_a_refused_field_is_a_fault_with_the_errno(bench: Bench):
    bench.refuse("trust")
    with pytest.raises(Fault) as caught:
        bench.kernel.set_vf(bench.pf(), 0, VfSettings(trust=True), ("trust",))
    assert caught.value.failure.code == "kernel_refused"
    assert "EOPNOTSUPP" in caught.value.failure.answer


def test_a_vf_that_is_not_there_is_a_fault(bench: Bench):
    for act in (
        lambda: bench.kernel.read_vf(bench.pf(), 6),
        lambda: bench.kernel.set_vf(bench.pf(), 6, BASELINE, ("mac",)),
        lambda: bench.kernel.reset_vf(bench.pf(), 6),
    ):
        with pytest.raises(Fault):
            act()


def test_a_pf_comes_up_with_its_mtu(bench: Bench):
    bench.kernel.set_up(bench.pf(), 9000)
    assert (bench.pf().is_up, bench.pf().mtu) == (True, 9000)
    bench.kernel.set_up(bench.pf(), None)
    assert bench.pf().mtu == 9000


def test_a_bridge_has_the_pf_that_was_meant_whatever_that_is_called_by_now(bench: Bench):
    seen = bench.pf()
    bench.rename("other0")
    bench.kernel.make_bridge(bridge(bench), seen)
    (made,) = bench.kernel.observe().bridges
    assert made.uplinks == (bench.pf().name,) == ("other0",)


def test_a_bridge_is_made_once_and_repaired(bench: Bench):
    for _ in range(2):
        bench.kernel.make_bridge(bridge(bench), bench.pf())
    (seen,) = bench.kernel.observe().bridges
    assert (seen.name, seen.is_up, seen.filters_vlans) == ("flbr-0a1b2c3d", True, True)
    assert seen.uplinks == (bench.pf().name,)


@pytest.mark.parametrize(
    "wanted",
    [
        tap(),
        tap(vlan=None, max_rate_kbps=None),
        tap(spoof_check=False),
        tap(is_up=False),
    ],
)
def test_a_tap_reads_back_as_made(bench: Bench, wanted: DesiredTap):
    bench.kernel.make_bridge(bridge(bench), bench.pf())
    for _ in range(2):
        bench.kernel.make_tap(wanted)
    assert facts(bench.tap(wanted.name)) == facts(wanted)


def test_a_tap_is_changed_in_place(bench: Bench):
    bench.kernel.make_bridge(bridge(bench), bench.pf())
    bench.kernel.make_tap(tap())
    changed = tap(
        vlan=200, mac=MacAddress("fa:16:3e:00:00:02"), mtu=1400, max_rate_kbps=None, spoof_check=False
    )
    bench.kernel.make_tap(changed)
    assert facts(bench.tap(changed.name)) == facts(changed)


def test_a_tap_without_its_bridge_is_a_fault(bench: Bench):
    with pytest.raises(Fault):
        bench.kernel.make_tap(tap())


def test_removing_what_is_there_or_not_leaves_nothing(bench: Bench):
    bench.kernel.make_bridge(bridge(bench), bench.pf())
    bench.kernel.make_tap(tap())
    for _ in range(2):
        bench.kernel.remove_tap(tap().name)
        bench.kernel.remove_bridge(bridge(bench).name)
    seen = bench.kernel.observe()
    assert (seen.taps, seen.bridges) == ((), ())
