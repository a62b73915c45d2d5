"""A PF keeps its name, whatever address and driver it has."""

from pathlib import Path

from fairlead.linux.identity import Identities, pf_key
from fairlead.linux.sysfs import PciFunction, Sysfs
from fairlead.model.ids import PfKey
from fairlead.model.pci import MacAddress, PciAddress
from tests.machine_tree import Tree

MAC = MacAddress("a0:36:9f:00:00:01")


def pf(root: Path, *, net: bool = True, device: str = "8086:10c9") -> PciFunction:
    tree = Tree(root)
    folder = tree.function("0000:01:00.1", device=device)
    if net:
        tree.net(folder, "pfa", 2)
    function = Sysfs(root).function(PciAddress("0000:01:00.1"))
    assert function is not None
    return function


def test_the_permanent_mac_comes_first(tmp_path: Path):
    assert pf_key(pf(tmp_path), MAC, "77") == "mac:a0:36:9f:00:00:01"


def test_then_switch_and_port_then_serial_and_function_then_the_address(tmp_path: Path):
    bare = pf(tmp_path)
    assert pf_key(bare, None, "77") == "serial:77/1"
    assert pf_key(bare, None, None) == "address:0000:01:00.1"
    tree = Tree(tmp_path)
    tree.write("sys/bus/pci/devices/0000:01:00.1/net/pfa/phys_switch_id", "a0369f")
    tree.write("sys/bus/pci/devices/0000:01:00.1/net/pfa/phys_port_name", "p1")
    assert pf_key(pf(tmp_path), None, "77") == "switch:a0369f/p1"


def test_a_pf_that_is_passed_through_is_still_called_what_it_was(tmp_path: Path):
    identities = Identities(tmp_path / "run/fairlead/pf")
    identities.remember(pf(tmp_path / "before"), PfKey("mac:x"), MAC)
    assert identities.recall(pf(tmp_path / "after", net=False)) == ("mac:x", MAC)


def test_another_card_at_the_same_address_is_not(tmp_path: Path):
    identities = Identities(tmp_path / "run/fairlead/pf")
    identities.remember(pf(tmp_path / "before"), PfKey("mac:x"), MAC)
    assert identities.recall(pf(tmp_path / "after", net=False, device="15b3:101d")) is None


def test_one_that_was_never_seen_is_not_known(tmp_path: Path):
    assert Identities(tmp_path / "none").recall(pf(tmp_path)) is None
