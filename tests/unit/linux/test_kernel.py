"""What LinuxKernel makes of sysfs and netlink together."""

import errno
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairlead.hoststate.desired import DesiredBridge
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.netlink import Link, Route
from fairlead.model.association import Association
from fairlead.model.errors import Fault
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.vf import BASELINE, VfSettings, VlanProtocol
from tests.machine_tree import Tree, igb_machine
from tests.memory_netlink import MemoryNetlink

PERMANENT = MacAddress("a0:36:9f:00:00:01")
LOCAL = MacAddress("02:00:00:00:00:01")
SRIOV = "sys/bus/pci/devices/0000:01:00.0/sriov"


@dataclass(frozen=True, slots=True)
class Host:
    """The lab's card, its netlink, and the kernel's adapter over both."""

    tree: Tree
    netlink: MemoryNetlink
    kernel: LinuxKernel

    def pf(self) -> ObservedPf:
        (pf,) = self.kernel.observe().pfs
        return pf

    def read(self, name: str) -> str:
        return (self.tree.root / f"{SRIOV}_{name}").read_text().strip()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    netlink = MemoryNetlink(
        devices={2: Link(2, "pfa", LOCAL, PERMANENT, mtu=1500, is_up=True, carrier=True)},
        vfs={2: {0: BASELINE, 1: BASELINE}},
    )
    return Host(igb_machine(tmp_path), netlink, LinuxKernel(netlink, tmp_path, tmp_path, Reserve()))


def pass_through(host: Host) -> None:
    """As libvirt does with a PF: vfio-pci has it, its network device is gone."""
    folder = host.tree.root / "sys/bus/pci/devices/0000:01:00.0"
    host.tree.link("sys/bus/pci/devices/0000:01:00.0/driver", "../../../../bus/pci/drivers/vfio-pci")
    for attribute in (folder / "net/pfa").iterdir():
        attribute.unlink()
    (folder / "net/pfa").rmdir()
    del host.netlink.devices[2]


def test_a_pf_is_called_by_its_permanent_mac_whatever_it_has_now(host: Host):
    assert (host.pf().key, host.pf().mac) == (f"mac:{PERMANENT}", PERMANENT)


def test_a_pf_that_is_passed_through_keeps_its_key_and_has_no_name(host: Host):
    before = host.pf()
    pass_through(host)
    after = host.pf()
    assert (after.key, after.mac) == (before.key, before.mac)
    assert (after.name, after.kernel_driver, after.is_up, after.link_up) == (None, "vfio-pci", False, None)


def test_that_holds_for_an_agent_that_was_started_again(host: Host):
    before = host.pf()
    pass_through(host)
    fresh = LinuxKernel(host.netlink, host.tree.root, host.tree.root, Reserve())
    assert fresh.observe().pfs[0].key == before.key


def test_a_vf_of_which_netlink_tells_nothing_is_not_reported(host: Host):
    del host.netlink.vfs[2][1]
    assert [vf.index for vf in host.pf().vfs] == [0]
    assert host.pf().num_vfs == 2


def test_a_pf_whose_driver_let_go_while_it_was_read_has_no_vfs(host: Host):
    del host.netlink.devices[2]
    assert (host.pf().name, host.pf().vfs) == (None, ())


def test_capabilities_are_what_the_driver_reports(host: Host):
    assert host.pf().capabilities == ("sriov", "spoof_check", "trust")
    host.netlink.vfs[2][0] = replace(BASELINE, trust=None)
    assert host.pf().capabilities == ("sriov", "spoof_check")


def test_a_driver_without_associations_is_named(host: Host):
    host.netlink.refused["association"] = errno.EOPNOTSUPP
    profile = Association(
        "finance", "00010000-0000-4000-8000-000000000004", "00000000-0000-4000-8000-0000000000f1"
    )
    with pytest.raises(Fault) as caught:
        host.kernel.set_vf(host.pf(), 0, VfSettings(association=profile), ("association",))
    failure = caught.value.failure
    assert failure.answer.startswith("EOPNOTSUPP")
    assert failure.hint.startswith("The PF's driver igb has no 802.1Qbh")


def test_the_nic_of_the_default_route_is_the_management_nic(host: Host):
    assert not host.pf().is_management
    host.netlink.default_routes = (2,)
    assert host.pf().is_management


def test_it_stays_so_until_the_host_boots(host: Host):
    host.netlink.default_routes = (2,)
    assert host.pf().is_management
    host.netlink.default_routes = ()
    again = LinuxKernel(host.netlink, host.tree.root, host.tree.root, Reserve())
    assert again.observe().pfs[0].is_management
    host.tree.write("proc/sys/kernel/random/boot_id", "another")
    assert not again.observe().pfs[0].is_management


def test_a_vf_that_had_the_default_route_is_the_hosts_until_it_boots(host: Host):
    address = host.pf().vfs[0].pci_address
    host.tree.write(f"sys/bus/pci/devices/{address}/net/vf0/ifindex", "55")
    host.netlink.devices[55] = Link(55, "vf0")
    host.netlink.default_routes = (55,)
    assert "route" in host.pf().vfs[0].host_use
    host.netlink.default_routes = ()
    assert host.pf().vfs[0].host_use == "has had the default route since the host booted"
    host.tree.write("proc/sys/kernel/random/boot_id", "another")
    assert host.pf().vfs[0].host_use == ""


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"boot\nnonsense\n\xc3\xa9"])
def test_what_was_kept_of_it_and_is_garbage_counts_as_nothing(host: Host, content: bytes):
    host.tree.write("run/fairlead/management", "")
    (host.tree.root / "run/fairlead/management").write_bytes(content)
    assert not host.pf().is_management
    host.netlink.default_routes = (2,)
    assert host.pf().is_management


def test_what_cannot_be_kept_of_it_is_told(host: Host):
    host.netlink.default_routes = (2,)
    (host.tree.root / "run/fairlead/management.new").mkdir(parents=True)
    with pytest.raises(Fault, match=r"Keeping the management NICs in .*EISDIR.*Is there room"):
        host.pf()


def test_it_stays_so_under_another_name(host: Host):
    host.netlink.default_routes = (2,)
    assert host.pf().is_management
    host.netlink.default_routes = ()
    (net,) = (host.tree.root / f"sys/bus/pci/devices/{host.pf().pci_address}/net").iterdir()
    net.rename(net.with_name("uplink0"))
    assert host.pf().name == "uplink0"
    assert host.pf().is_management


@pytest.mark.parametrize(
    ("addresses", "routes", "use"),
    [
        ((), (), ""),
        (((2, "10.0.0.5/24"),), (), "has address 10.0.0.5/24"),
        (((9, "10.0.0.5/24"),), (), "is below bond0, which has address 10.0.0.5/24"),
        ((), (Route(2, "10.9.0.0/16"),), "has a route to 10.9.0.0/16"),
    ],
)
def test_what_the_host_does_with_a_pf_is_told(host: Host, addresses, routes, use):
    host.netlink.devices[9] = Link(9, "bond0", kind="bond")
    host.tree.link("sys/class/net/bond0/lower_pfa", "../pfa")
    host.netlink.own_addresses, host.netlink.other_routes = addresses, routes
    assert (host.pf().host_use, host.pf().is_management) == (use, False)


@pytest.mark.parametrize(("upper", "use"), [("flbr-0a1b2c3d", ""), ("pfa.7", "is below pfa.7")])
def test_a_pf_below_a_device_of_others_is_used(host: Host, upper, use):
    host.tree.link(f"sys/class/net/pfa/upper_{upper}", f"../{upper}")
    assert host.pf().host_use == use


def test_it_is_found_below_a_vlan_on_a_bond_in_a_bridge(host: Host):
    host.netlink.devices[9] = Link(9, "br-mgmt", kind="bridge")
    host.netlink.default_routes = (9,)
    for upper, lower in (("br-mgmt", "bond0.7"), ("bond0.7", "bond0"), ("bond0", "pfa")):
        host.tree.link(f"sys/class/net/{upper}/lower_{lower}", f"../{lower}")
    assert host.pf().is_management


def test_vfs_are_made_through_zero_and_without_drivers(host: Host):
    host.kernel.set_num_vfs(host.pf(), 4)
    assert (host.read("numvfs"), host.read("drivers_autoprobe")) == ("4", "0")


def test_a_count_that_is_there_is_left_alone(host: Host):
    host.kernel.set_num_vfs(host.pf(), 2)
    assert host.read("drivers_autoprobe") == "1"


def test_a_card_without_sriov_says_what_would_help(host: Host):
    for name in ("totalvfs", "numvfs", "drivers_autoprobe"):
        (host.tree.root / f"{SRIOV}_{name}").unlink()
    with pytest.raises(Fault) as caught:
        host.kernel.set_num_vfs(host.pf(), 4)
    assert "ENOENT" in caught.value.failure.answer
    assert "firmware" in caught.value.failure.hint
    assert not (host.tree.root / f"{SRIOV}_numvfs").exists()


@pytest.mark.parametrize(
    ("refused", "number", "named"),
    [
        ("trust", errno.EOPNOTSUPP, "trust True"),
        ("max_rate_mbps", errno.EINVAL, "max_rate_mbps 500"),
        ("vlan_protocol", errno.EPROTONOSUPPORT, "vlan_protocol 802.1ad"),
        ("mac", errno.EADDRNOTAVAIL, "mac fa:16:3e:00:00:01"),
    ],
)
def test_of_several_fields_the_refused_one_is_named(host: Host, refused: str, number: int, named: str):
    host.netlink.refused[refused] = number
    wanted = VfSettings(
        mac=MacAddress("fa:16:3e:00:00:01"), vlan_protocol=VlanProtocol.DOT1AD, trust=True, max_rate_mbps=500
    )
    fields = ("mac", "vlan_protocol", "trust", "max_rate_mbps")
    with pytest.raises(Fault) as caught:
        host.kernel.set_vf(host.pf(), 1, wanted, fields)
    assert caught.value.failure.subject == f"1 of pfa (0000:01:00.0), {named}"
    assert errno.errorcode[number].replace("ENOTSUP", "EOPNOTSUPP") in caught.value.failure.answer


def test_a_reset_goes_to_the_vf_and_not_to_another(host: Host):
    host.kernel.reset_vf(host.pf(), 1)
    devices = host.tree.root / "sys/bus/pci/devices"
    assert (devices / "0000:01:10.2/reset").read_text() == "1"
    assert (devices / "0000:01:10.0/reset").read_text() == "\n"


def test_a_vf_without_reset_is_left_to_the_scrub_of_its_settings(host: Host):
    (host.tree.root / "sys/bus/pci/devices/0000:01:10.2/reset").unlink()
    host.kernel.reset_vf(host.pf(), 1)


def test_looking_writes_nothing_to_the_kernel(host: Host):
    host.kernel.observe()
    assert host.netlink.changes == 0


def drops_carrier(host: Host, tmp_path: Path) -> LinuxKernel:
    """The kernel over an igb: a write to sriov_numvfs takes the link down."""

    def write(attribute: Path, value: str) -> None:
        attribute.write_text(value)
        host.netlink.devices[2] = replace(host.netlink.devices[2], carrier=False)

    return LinuxKernel(host.netlink, tmp_path, tmp_path, Reserve(), write)


def test_a_carrier_that_a_new_vf_count_takes_away_is_waited_for(host: Host, tmp_path: Path):
    up = host.netlink.devices[2]
    host.netlink.coming = [replace(up, carrier=False), up]
    pf, host.netlink.vf_reads = host.pf(), 0
    drops_carrier(host, tmp_path).set_num_vfs(pf, 4)
    assert (host.netlink.waits, host.netlink.vf_reads) == (2, 0)
    assert host.pf().link_up


def test_a_carrier_that_does_not_come_back_is_waited_for_once(host: Host, tmp_path: Path):
    drops_carrier(host, tmp_path).set_num_vfs(host.pf(), 4)
    assert host.netlink.waits == 1
    assert host.pf().link_up is False


def test_no_carrier_is_waited_for_that_was_not_there(host: Host, tmp_path: Path):
    host.netlink.devices[2] = replace(host.netlink.devices[2], carrier=False)
    drops_carrier(host, tmp_path).set_num_vfs(host.pf(), 4)
    host.kernel.set_up(host.pf(), 9000)
    assert host.netlink.waits == 0


def test_a_new_mtu_waits_for_the_carrier_it_takes_away(host: Host):
    up = replace(host.netlink.devices[2], mtu=9000)
    host.netlink.drops_on_mtu = True
    host.netlink.coming = [up]
    host.kernel.set_up(host.pf(), 9000)
    assert (host.netlink.waits, host.pf().link_up, host.pf().mtu) == (1, True, 9000)


def test_a_plain_device_is_reset_only_where_no_driver_of_the_host_has_it(host: Host):
    gpu = host.tree.function("0000:5e:00.0", class_code=0x030200, device="10de:20b5", driver=None)
    busy = host.tree.function("0000:5f:00.0", class_code=0x030200, device="10de:20b5", driver="nvidia")
    for folder in (gpu, busy):
        host.tree.write(f"{folder}/reset", "")
    host.kernel.reset_device(PciAddress("0000:5e:00.0"))
    host.kernel.reset_device(PciAddress("0000:5f:00.0"))
    assert [(host.tree.root / folder / "reset").read_text().strip() for folder in (gpu, busy)] == ["1", ""]
    with pytest.raises(Fault, match="no such PCI device"):
        host.kernel.reset_device(PciAddress("0000:60:00.0"))


@pytest.mark.parametrize("driver", [None, "vfio-pci"])
def test_a_device_without_a_reset_of_its_own_counts_as_reset_only_once_a_driver_of_the_host_has_it(
    host: Host, driver: str | None
):
    folder = host.tree.function("0000:5e:00.0", class_code=0x030000, device="10de:1eb8", driver=driver)
    with pytest.raises(Fault, match="no way to reset it alone") as caught:
        host.kernel.reset_device(PciAddress("0000:5e:00.0"))
    assert caught.value.failure.code == "reset_missing"
    assert "FLReset" in caught.value.failure.hint
    host.tree.link(f"{folder}/driver", "../../../../bus/pci/drivers/nouveau")
    host.kernel.reset_device(PciAddress("0000:5e:00.0"))


def test_a_driver_that_is_busy_is_asked_again_for_what_it_has_not_taken(host: Host):
    host.netlink.busy = 2
    wanted = VfSettings(mac=LOCAL, vlan=100, trust=True)

    host.kernel.set_vf(host.pf(), 0, wanted, ("mac", "vlan", "trust"))

    assert host.kernel.read_vf(host.pf(), 0).vlan == 100
    assert host.netlink.sent == [("mac", "vlan", "trust"), ("vlan", "trust"), ("trust",)]


def test_a_driver_that_stays_busy_is_not_waited_for(host: Host):
    host.netlink.busy = 10**9

    with pytest.raises(Fault, match=r"EAGAIN: .* busy with a reset"):
        host.kernel.set_vf(host.pf(), 0, VfSettings(mac=LOCAL, vlan=100), ("mac", "vlan"))


def test_a_driver_that_does_not_tell_of_a_vf_that_is_there_is_asked_again(host: Host):
    pf = host.pf()
    host.netlink.busy, host.netlink.is_silent = 3, True

    assert host.kernel.read_vf(pf, 1) == BASELINE
    assert host.netlink.waits == 3


def test_a_vf_that_is_gone_is_not_waited_for(host: Host):
    pf = host.pf()
    (host.tree.root / "sys/bus/pci/devices/0000:01:00.0/virtfn1").unlink()
    del host.netlink.vfs[2][1]

    with pytest.raises(Fault, match="not there any more"):
        host.kernel.read_vf(pf, 1)
    assert host.netlink.waits == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EINVAL, "kernel_refused"),
        (errno.EOPNOTSUPP, "kernel_refused"),
        (errno.EPERM, "kernel_refused"),
        (errno.EBUSY, "kernel_busy"),
        (errno.ENOMEM, "kernel_busy"),
        (errno.ETIMEDOUT, "kernel_busy"),
    ],
)
def test_what_a_driver_may_take_at_another_time_is_no_refusal(host: Host, number: int, code: str):
    host.netlink.refused = {"vlan": number}
    with pytest.raises(Fault) as caught:
        host.kernel.set_vf(host.pf(), 0, VfSettings(vlan=100), ("vlan",))
    assert caught.value.failure.code == code


def test_of_two_pfs_that_swap_names_after_the_look_the_one_that_was_meant_is_on_the_bridge(host: Host):
    host.tree.net(host.tree.function("0000:01:00.1"), "pfb", 3)
    host.netlink.devices[3] = Link(3, "pfb", MacAddress("a0:36:9f:00:00:02"), mtu=1500)
    pf, _ = host.kernel.observe().pfs
    for address, name, new in (
        ("0000:01:00.0", "pfa", "own"),
        ("0000:01:00.1", "pfb", "pfa"),
        ("0000:01:00.0", "own", "pfb"),
    ):
        host.tree.rename(address, name, new)
    host.netlink.devices |= {
        2: replace(host.netlink.devices[2], name="pfb"),
        3: replace(host.netlink.devices[3], name="pfa"),
    }
    host.kernel.make_bridge(DesiredBridge("flbr-0a1b2c3d", "physnet1", pf.key, None), pf)
    assert host.netlink.devices[2].master is not None
    assert host.netlink.devices[3].master is None


def test_a_name_that_changes_in_the_middle_of_a_look_makes_no_other_uplink(host: Host):
    host.kernel.make_bridge(DesiredBridge("flbr-0a1b2c3d", "physnet1", host.pf().key, None), host.pf())
    host.netlink.devices[2] = replace(host.netlink.devices[2], name="later0")
    seen = host.kernel.observe()
    assert seen.bridges[0].uplinks == (seen.pfs[0].name,)


def test_the_uplink_of_a_bridge_that_has_no_network_device_any_more_is_told(host: Host):
    pf = host.pf()
    pass_through(host)
    with pytest.raises(Fault, match="has no network device") as caught:
        host.kernel.make_bridge(DesiredBridge("flbr-0a1b2c3d", "physnet1", pf.key, None), pf)
    assert caught.value.failure.code == "uplink_missing"
    assert not [link for link in host.netlink.devices.values() if link.name.startswith("flbr-")]
