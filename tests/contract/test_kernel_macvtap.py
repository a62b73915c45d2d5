"""agent.boundary.Kernel with macvtaps on VFs: the real adapter on simulated files and netlink, and the simulator."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairlead.agent.boundary import Kernel
from fairlead.hoststate.macvtap import (
    DesiredMacvtap,
    LowerDevice,
    ObservedMacvtap,
    is_as_wanted,
    is_set,
    is_the_one,
)
from fairlead.hoststate.observed import ObservedPf
from fairlead.model.errors import Fault
from fairlead.model.ids import PortId, ServerId
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.vf import BASELINE
from fairlead.sim.by_hand import bring_stranger
from fairlead.sim.hardware import two_socket_server
from fairlead.sim.kernel import SimKernel
from fairlead.sim.machine import Machine
from fairlead.sim.tree import TreeKernel

_, NIC, _ = two_socket_server(1).nics
ALL_NODES, SOLICITED = Group("33:33:00:00:00:01"), Group("33:33:ff:00:00:01")
MAC, OTHER_MAC = MacAddress("fa:16:3e:00:00:01"), MacAddress("fa:16:3e:00:00:02")
DRIVER = "iavf"
WANTED = DesiredMacvtap(
    name="fltap-0f0f0f0f",
    lower=LowerDevice(NIC.key, 1),
    port_id=PortId("0f0f0f0f-0000-4000-8000-000000000001"),
    server_id=ServerId("5e7e0000-0000-4000-8000-000000000001"),
    mac=MAC,
    mtu=1450,
    groups=(ALL_NODES, SOLICITED),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """Two VFs, of which the second has been told MAC."""

    machine: Machine
    kernel: Kernel

    def pf(self) -> ObservedPf:
        return next(pf for pf in self.kernel.observe().pfs if pf.key == NIC.key)

    def driver(self, index: int = 1) -> str | None:
        return self.pf().vfs[index].kernel_driver

    def make(self, wanted: DesiredMacvtap = WANTED, *, is_repair: bool = False) -> bool:
        return self.kernel.make_macvtap(wanted, self.pf(), DRIVER, is_repair=is_repair)

    def seen(self, name: str = WANTED.name) -> ObservedMacvtap | None:
        return next((each for each in self.kernel.observe().macvtaps if each.name == name), None)

    def seen_now(self) -> ObservedMacvtap:
        found = self.seen()
        assert found is not None
        return found

    def tell(self, mac: MacAddress, index: int = 1) -> None:
        self.kernel.set_vf(self.pf(), index, replace(BASELINE, mac=mac), ("mac",))


@pytest.fixture(params=["tree", "sim"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    machine = Machine(two_socket_server(1))
    machine.set_num_vfs(NIC.key, 2)
    machine.pfs[NIC.key].is_up = True
    is_sim = request.param == "sim"
    made = Bench(machine, SimKernel(machine) if is_sim else TreeKernel(machine, tmp_path))
    made.tell(MAC)
    return made


def test_a_macvtap_reads_back_as_made_and_its_vf_has_a_driver_of_the_host(bench: Bench) -> None:
    assert (bench.seen(), bench.driver()) == (None, None)
    bench.make()
    assert is_as_wanted(WANTED, bench.seen())
    assert (bench.driver(0), bench.driver(1)) == (None, DRIVER)
    assert bench.pf().vfs[1].host_use == ""


def test_an_address_on_a_vf_that_was_told_its_driver_is_told_from_one_on_another(bench: Bench) -> None:
    """Also where the driver had the VF before anybody told it to."""
    bench.machine.rebind(NIC.key, 0, DRIVER)
    bench.machine.rebind(NIC.key, 1, DRIVER)
    bench.make()
    used = {NIC.vf_address(index): f"10.0.0.{index}/24" for index in range(2)}
    bench.machine.host_addresses |= used
    seen = bench.kernel.observe()
    vfs = next(pf.vfs for pf in seen.pfs if pf.key == NIC.key)
    assert [vf.host_use for vf in vfs] == ["has address 10.0.0.0/24", "has address 10.0.0.1/24"]
    assert seen.told_vfs == {NIC.vf_address(1)}
    bench.make()
    assert bench.pf().vfs[1].host_use == ""
    bench.machine.host_addresses |= used
    bench.kernel.reset_vf(bench.pf(), 1)
    assert bench.kernel.observe().told_vfs == frozenset()


def test_making_it_twice_changes_nothing(bench: Bench) -> None:
    bench.make()
    before = bench.kernel.observe()
    bench.make()
    assert bench.kernel.observe() == before


def test_it_is_repaired_in_place(bench: Bench) -> None:
    bench.make()
    device = bench.machine.links.vfs[NIC.key, 1]
    device.mtu, device.is_up = 1280, False
    assert is_the_one(WANTED, bench.seen())
    assert not is_as_wanted(WANTED, bench.seen())
    births = dict(bench.machine.links.births)
    bench.make(is_repair=True)
    assert is_as_wanted(WANTED, bench.seen())
    assert bench.machine.links.births == births


def test_groups_that_it_lost_are_joined_again_in_place(bench: Bench) -> None:
    bench.make()
    bench.machine.links.groups[WANTED.name] = frozenset({ALL_NODES})
    assert is_set(WANTED, bench.seen_now())
    assert not is_as_wanted(WANTED, bench.seen())
    bench.make(is_repair=True)
    assert is_as_wanted(WANTED, bench.seen())


def test_it_takes_in_all_groups_as_its_port_says(bench: Bench) -> None:
    bench.make()
    for wanted in (replace(WANTED, all_groups=True), WANTED):
        assert not is_as_wanted(wanted, bench.seen())
        bench.make(wanted, is_repair=True)
        assert is_as_wanted(wanted, bench.seen())


def test_groups_of_an_address_that_its_port_had_do_no_harm(bench: Bench) -> None:
    bench.make()
    wanted = replace(WANTED, groups=(ALL_NODES,))
    assert is_as_wanted(wanted, bench.seen())
    bench.make(wanted)
    assert is_as_wanted(wanted, bench.seen())


def test_a_repair_makes_none_in_the_place_of_one_that_is_gone(bench: Bench) -> None:
    """Who has that open has nothing of another one of its name."""
    bench.make()
    bench.kernel.remove_macvtap(WANTED.name)
    with pytest.raises(Fault) as caught:
        bench.make(is_repair=True)
    assert (caught.value.failure.code, bench.seen()) == ("macvtap_missing", None)


def test_nor_on_a_vf_that_was_taken_from_its_driver_and_given_back(bench: Bench) -> None:
    bench.make()
    births = dict(bench.machine.links.births)
    bench.machine.links.take((NIC.key, 1))
    with pytest.raises(Fault) as caught:
        bench.make(is_repair=True)
    assert caught.value.failure.code == "macvtap_missing"
    assert bench.machine.links.births == births


def test_nor_where_one_of_its_name_is_another_ports(bench: Bench) -> None:
    bench.make(replace(WANTED, port_id=PortId("0f0f0f0f-0000-4000-8000-000000000002")))
    with pytest.raises(Fault) as caught:
        bench.make(is_repair=True)
    assert caught.value.failure.code == "macvtap_missing"


def test_one_of_its_name_on_another_vf_is_made_anew(bench: Bench) -> None:
    bench.tell(MAC, 0)
    bench.make(replace(WANTED, lower=LowerDevice(NIC.key, 0)))
    assert not is_the_one(WANTED, bench.seen())
    bench.make()
    assert is_as_wanted(WANTED, bench.seen())


def test_a_driver_that_has_read_another_mac_gets_the_vf_anew(bench: Bench) -> None:
    """A VF's driver reads its MAC once. Under a macvtap that stays gone then: who has it open must let go first."""
    bench.make()
    bench.tell(OTHER_MAC)
    wanted = replace(WANTED, mac=OTHER_MAC)
    assert not is_as_wanted(wanted, bench.seen())
    assert not bench.make(wanted)
    assert bench.seen() is None
    assert bench.make(wanted)
    assert is_as_wanted(wanted, bench.seen())


def test_a_vf_that_was_not_told_its_mac_gets_no_macvtap(bench: Bench) -> None:
    with pytest.raises(Fault):
        bench.make(replace(WANTED, mac=OTHER_MAC))
    assert not is_as_wanted(replace(WANTED, mac=OTHER_MAC), bench.seen())


def test_a_vf_that_is_not_there_is_a_fault(bench: Bench) -> None:
    with pytest.raises(Fault):
        bench.make(replace(WANTED, lower=LowerDevice(NIC.key, 7)))


def test_removing_it_leaves_the_vf_with_its_driver_and_a_reset_takes_that(bench: Bench) -> None:
    bench.make()
    for _ in range(2):
        bench.kernel.remove_macvtap(WANTED.name)
        assert bench.seen() is None
    assert bench.driver() == DRIVER
    bench.kernel.reset_vf(bench.pf(), 1)
    assert bench.driver() is None


def test_a_vf_that_somebody_outside_libvirt_has_open_is_taken_by_nothing(bench: Bench) -> None:
    bench.machine.links.hold((NIC.key, 1))
    before = bench.pf()
    for act in (
        lambda: bench.kernel.reset_vf(before, 1),
        lambda: bench.kernel.set_num_vfs(before, 0),
        bench.make,
    ):
        with pytest.raises(Fault) as caught:
            act()
        failure = caught.value.failure
        assert (failure.code, NIC.vf_address(1) in (failure.subject, failure.answer)) == ("in_use", True)
        assert "/dev/vfio/" in failure.answer
        assert bench.pf() == before
    bench.machine.links.held.clear()
    bench.kernel.reset_vf(before, 1)
    assert bench.driver() is None


def test_the_seal_of_a_vf_goes_with_a_driver_a_guest_or_the_vf(bench: Bench) -> None:
    def sealed() -> frozenset[PciAddress]:
        return bench.kernel.sealed_vfs(vfs)

    vfs = [NIC.vf_address(index) for index in range(2)]
    bench.kernel.set_num_vfs(bench.pf(), 0)
    bench.kernel.set_num_vfs(bench.pf(), 2)
    assert sealed() == set(vfs)
    bench.kernel.set_vf(bench.pf(), 1, replace(BASELINE, mac=WANTED.mac), ("mac",))
    bench.make()
    assert sealed() == {vfs[0]}
    bring_stranger(bench.machine, "theirs", vfs[0])
    assert sealed() == frozenset()
    del bench.machine.domains["theirs"]
    assert sealed() == frozenset()
    bench.kernel.reset_vf(bench.pf(), 0)
    assert sealed() == {vfs[0]}
    bench.machine.recount(NIC.key, 2)
    assert sealed() == frozenset()


def test_a_reset_takes_what_is_on_the_vf_with_it(bench: Bench) -> None:
    bench.make()
    bench.kernel.reset_vf(bench.pf(), 1)
    assert (bench.seen(), bench.driver()) == (None, None)
