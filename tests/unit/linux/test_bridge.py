"""What an uplink lets in for guests on its bridge: our entries go with the last tap that needs them, others' stay."""

from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.hoststate.desired import DesiredBridge, DesiredTap
from fairlead.hoststate.observed import ObservedBridge
from fairlead.linux.bridge import Bridges
from fairlead.linux.netlink import ForwardingEntry, Link
from fairlead.linux.own_entries import OwnEntries
from fairlead.model.ids import PfKey, PortId, ServerId
from fairlead.model.pci import MacAddress
from tests.memory_netlink import MemoryNetlink

BRIDGE, UPLINK, OTHER_UPLINK = "flbr-0a1b2c3d", 2, 3
MAC, SECOND, OTHERS = (MacAddress(f"fa:16:3e:00:00:0{number}") for number in (1, 2, 9))


def tap(number: int, mac: MacAddress = MAC) -> DesiredTap:
    port, server = (
        PortId(f"0f0f0f0f-0000-4000-8000-00000000000{number}"),
        ServerId("5e7e0000-0000-4000-8000-000000000001"),
    )
    return DesiredTap(f"fltap-0f0f0f0{number}", BRIDGE, port, server, mac, vlan=100, mtu=1500)


class Host:
    """A host with two NICs, on the first of which somebody has an entry."""

    def __init__(self, root: Path) -> None:
        links = [
            Link(UPLINK, "ens1f0", mtu=1500, is_up=True),
            Link(OTHER_UPLINK, "ens1f1", mtu=1500, is_up=True),
        ]
        self.netlink = MemoryNetlink({link.index: link for link in links})
        self.own = OwnEntries(root)
        self.netlink.add_entry(own_filter(OTHERS))
        self.make_bridge()

    @property
    def bridges(self) -> Bridges:
        """Of an agent that has just begun."""
        return Bridges(self.netlink, self.own)

    def make_bridge(self, uplink: int = UPLINK) -> None:
        self.bridges.make_bridge(DesiredBridge(BRIDGE, "physnet1", PfKey("mac:x"), None), uplink)

    def seen(self) -> ObservedBridge:
        (bridge,), _ = self.bridges.observe(self.netlink.links())
        return bridge

    def let_in(self, index: int = UPLINK) -> set[MacAddress]:
        return {entry.mac for entry in self.netlink.entries(index) if not entry.on_bridge}

    def take(self, name: str) -> None:
        """By another hand."""
        self.netlink.delete_link(next(link.index for link in self.netlink.links() if link.name == name))


def own_filter(mac: MacAddress) -> ForwardingEntry:
    return ForwardingEntry(UPLINK, mac, None, on_bridge=False)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_it_lets_in_what_its_taps_need(host: Host):
    host.bridges.make_tap(tap(1))
    host.bridges.make_tap(tap(2, SECOND))
    assert host.let_in() == {OTHERS, MAC, SECOND}
    assert host.seen().unused_macs == ()
    host.bridges.remove_tap(tap(1).name)
    assert host.let_in() == {OTHERS, SECOND}
    host.bridges.remove_bridge(BRIDGE)
    assert host.let_in() == {OTHERS}
    assert host.bridges.observe(host.netlink.links())[0] == ()


def test_an_entry_whose_tap_somebody_took_is_seen_and_goes(host: Host):
    host.bridges.make_tap(tap(1))
    host.take(tap(1).name)
    assert host.seen().unused_macs == (MAC,)
    host.make_bridge()
    assert host.let_in() == {OTHERS}
    assert host.seen().unused_macs == ()


def test_a_mac_that_moved_to_another_tap_stays(host: Host):
    host.bridges.make_tap(tap(1))
    host.take(tap(1).name)
    host.bridges.make_tap(tap(2))
    host.bridges.remove_tap(tap(1).name)
    assert host.let_in() == {OTHERS, MAC}
    assert host.seen().unused_macs == ()


def test_the_same_entry_of_somebody_else_stays(host: Host):
    host.netlink.add_entry(own_filter(MAC))
    host.bridges.make_tap(tap(1))
    host.bridges.remove_tap(tap(1).name)
    assert host.let_in() == {OTHERS, MAC}


def test_an_old_mac_of_a_tap_goes(host: Host):
    host.bridges.make_tap(tap(1))
    host.bridges.make_tap(tap(1, SECOND))
    assert host.let_in() == {OTHERS, SECOND}


def test_an_uplink_that_is_one_no_more_lets_in_none(host: Host):
    host.bridges.make_tap(tap(1))
    host.make_bridge(OTHER_UPLINK)
    assert (host.let_in(), host.let_in(OTHER_UPLINK)) == ({OTHERS}, {MAC})
    assert host.seen().unused_macs == ()


def test_a_bridge_that_somebody_took_is_seen_while_an_entry_is_left(host: Host):
    host.bridges.make_tap(tap(1))
    host.take(tap(1).name)
    host.take(BRIDGE)
    seen = host.seen()
    assert (seen.name, seen.is_up, seen.uplinks, seen.unused_macs) == (BRIDGE, False, (), (MAC,))
    host.bridges.remove_bridge(BRIDGE)
    assert host.let_in() == {OTHERS}
    assert host.bridges.observe(host.netlink.links()) == ((), ())


def test_what_was_kept_of_a_device_that_is_gone_is_forgotten(host: Host):
    host.bridges.make_tap(tap(1))
    host.bridges.remove_bridge(BRIDGE)
    host.netlink.devices[9] = replace(host.netlink.devices.pop(UPLINK), index=9)
    host.own.keep(BRIDGE, UPLINK, MAC)
    host.bridges.remove_bridge(BRIDGE)
    assert host.own.bridges() == frozenset()


def test_an_agent_that_died_before_it_made_the_entry_takes_none(host: Host):
    host.own.keep(BRIDGE, UPLINK, MAC)
    assert host.seen().unused_macs == (MAC,)
    host.make_bridge()
    assert host.let_in() == {OTHERS}
    assert host.seen().unused_macs == ()
