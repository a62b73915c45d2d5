"""Macvtaps on declared VFs: which driver of the host gets them, how, and what is told where none does."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fairlead.hoststate.macvtap import DesiredMacvtap, LowerDevice, is_as_wanted
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link
from fairlead.linux.vf_binding import SEAL
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import PfKey, PortId, ServerId
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE
from tests.machine_tree import Tree, igb_machine
from tests.memory_netlink import MemoryNetlink

PERMANENT, MAC = MacAddress("a0:36:9f:00:00:01"), MacAddress("fa:16:3e:00:00:01")
VF, INDEX = "0000:01:10.2", 20
FOLDER = f"sys/bus/pci/devices/{VF}"
WANTED = DesiredMacvtap(
    "fltap-0f0f0f0f",
    LowerDevice(PfKey(f"mac:{PERMANENT}"), 1),
    PortId("0f0f0f0f-0"),
    ServerId("5e7e"),
    MAC,
    1500,
)


@dataclass
class Host:
    """The lab's card. `taker`: the driver that takes a VF when it is told to; `mac`: what its network device has then,
    None where it makes none. `written`: attributes by name with their values, as they were written.
    """

    tree: Tree
    netlink: MemoryNetlink
    taker: str | None = "igbvf"
    mac: MacAddress | None = MAC
    written: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kernel = LinuxKernel(self.netlink, self.tree.root, self.tree.root, Reserve(), write=self._write)

    def pf(self) -> ObservedPf:
        (pf,) = self.kernel.observe().pfs
        return pf

    def make(self) -> None:
        self.kernel.make_macvtap(WANTED, self.pf(), "igbvf", is_repair=False)

    def refused(self) -> Failure:
        with pytest.raises(Fault) as caught:
            self.make()
        return caught.value.failure

    def overridden(self) -> str:
        return (self.tree.root / FOLDER / "driver_override").read_text().strip()

    def _write(self, attribute: Path, value: str) -> None:
        self.written.append((attribute.name, value))
        if attribute.name == "driver_override":
            self.tree.write(f"{FOLDER}/driver_override", value.strip() or "(null)")
        if attribute.name == "unbind":
            (self.tree.root / FOLDER / "driver").unlink()
        if attribute.name == "drivers_probe" and self.taker is not None:
            self.tree.link(f"{FOLDER}/driver", f"../../../../bus/pci/drivers/{self.taker}")
            if self.mac is not None:
                self.tree.net(FOLDER, "vf1", INDEX)
                self.netlink.devices[INDEX] = Link(INDEX, "vf1", self.mac, mtu=1500)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    told = replace(BASELINE, mac=MAC)
    devices = {2: Link(2, "pfa", PERMANENT, PERMANENT, mtu=1500, is_up=True, carrier=True)}
    return Host(igb_machine(tmp_path), MemoryNetlink(devices=devices, vfs={2: {0: BASELINE, 1: told}}))


def test_a_vf_is_told_its_driver_before_it_is_probed(host: Host) -> None:
    host.make()
    assert host.written == [("driver_override", "igbvf"), ("drivers_probe", VF)]
    (seen,) = host.kernel.observe().macvtaps
    assert is_as_wanted(WANTED, seen)


def test_the_network_device_below_gets_no_address_of_its_own(host: Host) -> None:
    host.make()
    assert INDEX in host.netlink.addressless


def test_one_whose_device_below_has_another_mac_is_not_as_wanted(host: Host) -> None:
    host.make()
    host.netlink.devices[INDEX] = replace(host.netlink.devices[INDEX], mac=PERMANENT)
    (seen,) = host.kernel.observe().macvtaps
    assert (seen.mac, is_as_wanted(WANTED, seen)) == (None, False)


def test_a_driver_that_accepts_the_mac_and_keeps_another_takes_the_vf_anew(host: Host) -> None:
    host.mac, host.netlink.deaf = PERMANENT, frozenset({INDEX})
    host.make()
    assert [name for name, _ in host.written].count("drivers_probe") == 2
    (seen,) = host.kernel.observe().macvtaps
    assert not is_as_wanted(WANTED, seen)


def test_one_that_keeps_others_off_it_lets_it_go_first(host: Host) -> None:
    host.tree.link(f"{FOLDER}/driver", "../../../../bus/pci/drivers/vfio-pci")
    host.make()
    assert host.written[0] == ("unbind", VF)
    assert host.pf().vfs[1].kernel_driver == "igbvf"


def test_a_driver_that_is_not_loaded_is_named(host: Host) -> None:
    host.taker = None
    failure = host.refused()
    assert host.overridden() == "(null)", "modprobe would take the VF, from whoever has it by then"
    assert (failure.code, failure.hint) == ("vf_driver_missing", "Is it loaded? modprobe igbvf")
    assert host.kernel.observe().macvtaps == ()


def test_a_driver_that_makes_no_network_device_is_waited_for_and_told(host: Host) -> None:
    host.mac = None
    failure = host.refused()
    assert host.overridden() == "(null)"
    assert (failure.code, host.netlink.waits) == ("vf_driver_missing", 1)
    assert "no network device" in failure.answer


def test_a_device_of_another_kind_and_that_name_makes_way(host: Host) -> None:
    host.netlink.devices[50] = Link(50, WANTED.name, mtu=1500, kind="tun")
    host.make()
    (seen,) = host.kernel.observe().macvtaps
    assert is_as_wanted(WANTED, seen)


def test_a_macvtap_on_something_else_is_none_of_a_vf(host: Host) -> None:
    host.netlink.devices[50] = Link(50, WANTED.name, MAC, mtu=1500, kind="macvtap", lower=2, is_passthru=True)
    (seen,) = host.kernel.observe().macvtaps
    assert seen.lower is None


def test_what_is_not_ours_is_left_alone(host: Host) -> None:
    host.netlink.devices[50] = Link(50, "theirs", MAC, mtu=1500, kind="macvtap", lower=2)
    host.netlink.devices[51] = Link(51, "fltap-0f0f0f0f", mtu=1500, kind="tun")
    host.kernel.remove_macvtap("theirs")
    host.kernel.remove_macvtap("fltap-0f0f0f0f")
    assert {50, 51} <= host.netlink.devices.keys()
    assert host.kernel.observe().macvtaps == ()


def test_a_scrub_takes_the_vf_from_its_driver_and_tells_it_none(host: Host) -> None:
    host.make()
    host.written.clear()
    host.kernel.reset_vf(host.pf(), 1)
    assert host.written == [("driver_override", SEAL), ("unbind", VF), ("reset", "1")]


def test_a_scrub_of_a_vf_that_no_driver_has_lets_none_take_it_later(host: Host) -> None:
    host.make()
    (host.tree.root / FOLDER / "driver").unlink()
    host.kernel.reset_vf(host.pf(), 1)
    assert host.overridden() == SEAL


@pytest.mark.parametrize("stand_in", ["vfio-pci", "pci-stub"])
def test_a_scrub_takes_it_from_what_keeps_others_off_and_keeps_them_off_itself(
    host: Host, stand_in: str
) -> None:
    host.tree.link(f"{FOLDER}/driver", f"../../../../bus/pci/drivers/{stand_in}")
    host.tree.write(f"{FOLDER}/driver_override", stand_in)
    host.kernel.reset_vf(host.pf(), 1)
    assert host.written == [("driver_override", SEAL), ("unbind", VF), ("reset", "1")]
