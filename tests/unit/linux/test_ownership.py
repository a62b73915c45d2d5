"""Which VFs udev takes for ours."""

from pathlib import Path

from fairlead.linux.ownership import OURS_OF_UDEV, OwnVfs
from fairlead.model.pci import PciAddress
from tests.machine_tree import Tree

FIRST, SECOND = PciAddress("0000:01:10.0"), PciAddress("0000:01:10.2")


def kept(root: Path) -> set[str]:
    return {path.name for path in (root / OURS_OF_UDEV).iterdir()}


def test_there_is_a_file_for_each_and_for_no_other(tmp_path: Path):
    own = OwnVfs(tmp_path)
    own.keep(frozenset({FIRST, SECOND}))
    assert kept(tmp_path) == {FIRST, SECOND}

    own.keep(frozenset({SECOND}))
    assert kept(tmp_path) == {SECOND}


def test_what_an_agent_before_this_one_kept_is_no_more_than_that(tmp_path: Path):
    OwnVfs(tmp_path).keep(frozenset({FIRST}))
    OwnVfs(tmp_path).keep(frozenset({SECOND}))
    assert kept(tmp_path) == {SECOND}


def test_a_network_device_that_is_there_goes_through_the_rules_again_each_time_that_it_changes(
    tmp_path: Path,
):
    uevent = Tree(tmp_path).write(f"sys/bus/pci/devices/{FIRST}/net/eth7/uevent", "INTERFACE=eth7")
    own = OwnVfs(tmp_path)
    for addresses, written in (({FIRST}, "change"), ({FIRST, SECOND}, ""), ({SECOND}, "change")):
        uevent.write_text("")
        own.keep(frozenset(addresses))
        assert uevent.read_text() == written
