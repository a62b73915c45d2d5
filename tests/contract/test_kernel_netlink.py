"""RtNetlink on the kernel that runs the tests, in a network namespace of its own."""

import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from fairlead.hoststate.desired import FLAT_VLAN, DesiredBridge, DesiredTap
from fairlead.hoststate.observed import ObservedTap
from fairlead.linux.bridge import Bridges
from fairlead.linux.netlink import BridgePort, ForwardingEntry, Ingress, Link, NetlinkRefusal, PortVlan, Route
from fairlead.linux.own_entries import OwnEntries
from fairlead.linux.rtnetlink import RtNetlink
from fairlead.linux.wake import LinkEvents
from fairlead.model.errors import Fault
from fairlead.model.ids import PfKey, PortId, ServerId
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE
from tests.network_namespace import ip, private_network, said

BRIDGE, TAP = "flbr-0a1b2c3d", "fltap-0f0f0f0f"
GUEST_MAC = MacAddress("fa:16:3e:00:00:01")
PORT_ID = PortId("0f0f0f0f-0000-4000-8000-000000000001")
IN_TIME = 10.0


class HostNetlink(RtNetlink):
    """With what is kept of entries that are ours."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.own = OwnEntries(root)


@pytest.fixture
def netlink(tmp_path: Path) -> Iterator[HostNetlink]:
    with private_network():
        own = HostNetlink(tmp_path)
        yield own
        own.close()


@pytest.fixture
def bridged(netlink: RtNetlink) -> RtNetlink:
    """With our bridge on the veth `up0`; skips where the kernel's bridges do not filter VLANs."""
    ip("link add up0 type veth peer name wire0")
    try:
        netlink.make_bridge(BRIDGE)
    except NetlinkRefusal as refusal:
        if refusal.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this kernel has no bridge with VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)")
    return netlink


def found(netlink: RtNetlink, name: str) -> Link:
    return next(link for link in netlink.links() if link.name == name)


def tap(**changes: object) -> DesiredTap:
    wanted = {"vlan": 100, "mtu": 1450} | changes
    return DesiredTap(
        TAP, BRIDGE, PORT_ID, ServerId("5e7e0000-0000-4000-8000-000000000001"), GUEST_MAC, **wanted
    )


def seen_tap(netlink: HostNetlink) -> ObservedTap:
    _, (seen,) = Bridges(netlink, netlink.own).observe(netlink.links())
    return seen


def made(netlink: HostNetlink, *taps: DesiredTap) -> Bridges:
    """Skips where the kernel lacks the filters of what comes in."""
    bridges = Bridges(netlink, netlink.own)
    bridges.make_bridge(DesiredBridge(BRIDGE, "physnet1", PfKey("mac:x"), None), found(netlink, "up0").index)
    try:
        for wanted in taps:
            bridges.make_tap(wanted)
    except Fault as fault:
        if "classifier" not in fault.failure.answer and "ENOENT" not in fault.failure.answer:
            raise
        pytest.skip(f"this kernel filters nothing: {fault.failure.answer}")
    return bridges


def test_links_are_as_ip_made_them(netlink: RtNetlink):
    ip("link add va type veth peer name vb")
    ip("link set va address 52:54:00:00:00:01 mtu 1400 up")
    ip("link set vb alias the-other-end")
    seen = found(netlink, "va")
    assert (seen.mac, seen.mtu, seen.is_up, seen.carrier, seen.kind) == (
        "52:54:00:00:00:01",
        1400,
        True,
        False,
        "veth",
    )
    other = found(netlink, "vb")
    assert (other.is_up, other.carrier, other.alias) == (False, None, "the-other-end")
    assert netlink.link(seen.index) == (seen, {})
    assert netlink.plain_link(seen.index) == seen


def test_a_link_is_set(netlink: RtNetlink):
    ip("link add va type veth peer name vb")
    index = found(netlink, "va").index
    netlink.set_link(index, up=True, mtu=1300, alias="mine")
    seen = found(netlink, "va")
    assert (seen.is_up, seen.mtu, seen.alias) == (True, 1300, "mine")
    netlink.set_link(index, up=False)
    assert not found(netlink, "va").is_up


def test_a_refusal_has_the_errno_and_the_kernels_words(netlink: RtNetlink):
    with pytest.raises(NetlinkRefusal) as gone:
        netlink.link(4711)
    assert gone.value.errno == errno.ENODEV
    with pytest.raises(NetlinkRefusal) as gone:
        netlink.plain_link(4711)
    assert gone.value.errno == errno.ENODEV
    ip("link add va type veth peer name vb")
    with pytest.raises(NetlinkRefusal) as small:
        netlink.set_link(found(netlink, "va").index, mtu=20)
    assert small.value.errno == errno.EINVAL
    assert small.value.strerror == "mtu less than device minimum"


def test_vfs_of_what_has_none_are_refused(netlink: RtNetlink):
    with pytest.raises(NetlinkRefusal) as caught:
        netlink.set_vf(found(netlink, "lo").index, 0, BASELINE, ("mac",))
    assert caught.value.errno == errno.EOPNOTSUPP


def test_default_routes_of_both_families_are_found(netlink: RtNetlink):
    ip("link add va type veth peer name vb")
    assert netlink.routes() == ()
    for command in (
        "addr add 192.0.2.1/24 dev va",
        "link set va up",
        "link set vb up",
        "route add default via 192.0.2.2",
        "route add 198.51.100.0/24 via 192.0.2.2",
        "-6 route add default dev vb",
    ):
        ip(command)
    va, vb = found(netlink, "va").index, found(netlink, "vb").index
    assert {(route.index, route.is_default) for route in netlink.routes()} == {
        (va, True),
        (va, False),
        (vb, True),
    }
    assert Route(va, "198.51.100.0/24") in netlink.routes()


def test_addresses_that_somebody_gave_are_found(netlink: RtNetlink):
    ip("link add va type veth peer name vb")
    for command in (
        "link set lo up",
        "link set va up",
        "link set vb up",
        "addr add 192.0.2.1/24 dev va",
        "addr add 169.254.7.7/16 scope link dev va",
        "-6 addr add 2001:db8::5/64 dev vb nodad",
    ):
        ip(command)
    va, vb = found(netlink, "va").index, found(netlink, "vb").index
    assert set(netlink.addresses()) == {(va, "192.0.2.1/24"), (vb, "2001:db8::5/64")}


def test_every_next_hop_of_a_default_route_counts(netlink: RtNetlink):
    ip("link add va type veth peer name vb")
    for name, net in (("va", "192.0.2"), ("vb", "198.51.100")):
        ip(f"addr add {net}.1/24 dev {name}")
        ip(f"link set {name} up")
    ip("route add default nexthop via 192.0.2.2 nexthop via 198.51.100.2")
    assert len([route for route in netlink.routes() if route.is_default]) == 2


def test_a_tap_stays_has_no_address_and_is_made_once(netlink: RtNetlink):
    for _ in range(2):
        netlink.make_tap(TAP)
    netlink.set_link(found(netlink, TAP).index, up=True)
    assert found(netlink, TAP).kind == "tun"
    assert "persist on" in said(f"ip -d link show {TAP}")
    assert "vnet_hdr on" in said(f"ip -d link show {TAP}")
    assert "inet6" not in said(f"ip addr show {TAP}")
    netlink.delete_link(found(netlink, TAP).index)
    assert all(link.name != TAP for link in netlink.links())


def test_many_links_are_read_whole(netlink: RtNetlink):
    for number in range(60):
        ip(f"link add long-name-{number:03d} type veth peer name peer-{number:03d}")
    assert len(netlink.links()) == 121


def test_someone_elses_change_wakes(netlink: RtNetlink):
    woken = Event()
    events = LinkEvents(woken.set)
    try:
        ip("link add va type veth peer name vb")
        assert woken.wait(IN_TIME)
        woken.clear()
        ip("link set va up")
        assert woken.wait(IN_TIME)
        woken.clear()
        ip("addr add 192.0.2.1/24 dev va")
        assert woken.wait(IN_TIME)
    finally:
        events.close()
    woken.clear()
    ip("link set va down")
    assert not woken.is_set()


def test_reading_wakes_nobody(netlink: RtNetlink):
    woken = Event()
    events = LinkEvents(woken.set)
    netlink.links()
    netlink.routes()
    netlink.addresses()
    netlink.vlans()
    events.close()
    assert not woken.is_set()


def test_a_bridge_filters_vlans_and_gives_its_ports_none(bridged: HostNetlink):
    made(bridged)
    (seen,), _ = Bridges(bridged, bridged.own).observe(bridged.links())
    assert (seen.name, seen.is_up, seen.filters_vlans, seen.uplinks) == (BRIDGE, True, True, ("up0",))
    assert bridged.vlans().get(found(bridged, "up0").index, ()) == ()
    assert found(bridged, "up0").is_up


@pytest.mark.parametrize(
    "wanted", [tap(), tap(vlan=None), tap(spoof_check=False), tap(is_up=False), tap(vlan=7, mtu=1500)]
)
def test_a_tap_reads_back_as_wanted(bridged: RtNetlink, wanted: DesiredTap):
    made(bridged, wanted, wanted)
    seen = seen_tap(bridged)
    assert (seen.bridge, seen.mac, seen.vlan, seen.mtu) == (BRIDGE, GUEST_MAC, wanted.vlan, wanted.mtu)
    assert (seen.is_up, seen.spoof_check, seen.port_id) == (wanted.is_up, wanted.spoof_check, PORT_ID)


def test_the_uplink_carries_what_the_taps_need_and_no_more(bridged: HostNetlink):
    bridges = made(bridged, tap())
    uplink = found(bridged, "up0").index
    assert bridged.vlans()[uplink] == (PortVlan(100, untagged=False),)
    bridges.make_tap(tap(vlan=None))
    assert bridged.vlans()[uplink] == (PortVlan(FLAT_VLAN, untagged=True),)
    bridges.remove_tap(TAP)
    assert bridged.vlans().get(uplink, ()) == ()
    assert [entry for entry in bridged.entries(uplink) if entry.mac == GUEST_MAC] == []


def test_what_somebody_changed_is_seen_and_repaired(bridged: HostNetlink):
    bridges = made(bridged, tap())
    index = found(bridged, TAP).index
    bridged.join(index, found(bridged, BRIDGE).index, BridgePort(learning=True, flood=True, locked=False))
    bridged.set_vlan(index, PortVlan(300, untagged=True))
    bridged.delete_entry(ForwardingEntry(index, GUEST_MAC, 100, on_bridge=True))
    seen = seen_tap(bridged)
    assert (seen.mac, seen.vlan, seen.spoof_check) == (None, 300, False)
    bridges.make_tap(tap())
    seen = seen_tap(bridged)
    assert (seen.mac, seen.vlan, seen.spoof_check) == (GUEST_MAC, 100, True)


def test_a_program_of_another_guest_is_seen_and_repaired(bridged: HostNetlink):
    bridges = made(bridged, tap())
    another = Ingress(None, (), MacAddress("fa:16:3e:00:00:02"))
    for wanted, present in ((tap(), another), (tap(), Ingress()), (tap(spoof_check=False), another)):
        bridges.make_tap(wanted)
        bridged.set_ingress(found(bridged, TAP).index, present)
        assert seen_tap(bridged).sources == ("?",)
        bridges.make_tap(wanted)
        assert seen_tap(bridged).sources == ()


def test_a_rate_reads_back(bridged: HostNetlink):
    made(bridged, tap(max_rate_kbps=10_000))
    assert seen_tap(bridged).max_rate_kbps == 10_000
    bridges = Bridges(bridged, bridged.own)
    bridges.make_tap(tap(max_rate_kbps=20_000))
    assert seen_tap(bridged).max_rate_kbps == 20_000
    bridges.make_tap(tap())
    assert seen_tap(bridged).max_rate_kbps is None


def test_sources_read_back(bridged: HostNetlink):
    few, more = ("0.0.0.0/32", "10.0.0.5/32", "fe80::1/128"), ("0.0.0.0/32", "10.1.0.0/16", "::/0")
    made(bridged, tap(sources=few, max_rate_kbps=10_000))
    assert (seen_tap(bridged).sources, seen_tap(bridged).max_rate_kbps) == (few, 10_000)
    bridges = Bridges(bridged, bridged.own)
    bridges.make_tap(tap(sources=more))
    assert (seen_tap(bridged).sources, seen_tap(bridged).max_rate_kbps) == (more, None)
    said(f"tc filter del dev {TAP} ingress prio 9")
    assert seen_tap(bridged).sources != more
    bridges.make_tap(tap(sources=more))
    assert seen_tap(bridged).sources == more
    said(f"tc filter add dev {TAP} ingress prio 4 protocol ip u32 match u32 0 0")
    assert seen_tap(bridged).sources != more
    bridges.make_tap(tap())
    assert seen_tap(bridged).sources == ()
    bridges.make_tap(tap(spoof_check=False))
    assert said(f"tc filter show dev {TAP} ingress") == ""


def test_an_entry_of_ours_goes_whoever_took_the_tap(bridged: HostNetlink):
    bridges = made(bridged, tap(spoof_check=False))
    uplink, others = found(bridged, "up0").index, MacAddress("fa:16:3e:00:00:02")
    said(f"bridge fdb add {others} dev up0 self")
    ip(f"link del {TAP}")
    (seen,), _ = Bridges(bridged, bridged.own).observe(bridged.links())
    assert seen.unused_macs == (GUEST_MAC,)
    bridges.make_bridge(DesiredBridge(BRIDGE, "physnet1", PfKey("mac:x"), None), uplink)
    (seen,), _ = Bridges(bridged, bridged.own).observe(bridged.links())
    assert seen.unused_macs == ()
    macs = {entry.mac for entry in bridged.entries(uplink) if not entry.on_bridge}
    assert GUEST_MAC not in macs
    assert others in macs


def test_removing_a_bridge_leaves_its_uplink_up(bridged: HostNetlink):
    bridges = made(bridged, tap())
    for _ in range(2):
        bridges.remove_tap(TAP)
        bridges.remove_bridge(BRIDGE)
    uplink = found(bridged, "up0")
    assert (uplink.master, uplink.is_up) == (None, True)


def test_the_vlan_that_the_bridge_needs_itself_is_refused(bridged: HostNetlink):
    with pytest.raises(Fault) as caught:
        made(bridged, tap(vlan=FLAT_VLAN))
    assert caught.value.failure.code == "vlan_reserved"


def test_no_descriptor_is_left_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    with private_network():
        RtNetlink().close()
        LinkEvents(lambda: None).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_entry_that_outlived_its_vlan_goes(bridged: HostNetlink):
    bridges = made(bridged, tap())
    index = found(bridged, TAP).index
    bridged.delete_vlan(index, 100)
    bridges.make_tap(tap(vlan=200))
    assert [entry.vlan for entry in bridged.entries(index) if entry.on_bridge] == [200]
    assert bridged.vlans()[index] == (PortVlan(200, untagged=True),)


def test_a_frame_from_the_wire_with_the_guests_mac_does_not_take_it_over(bridged: HostNetlink):
    made(bridged, tap())
    ip("link set wire0 up")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("wire0", 0))
        octets = bytes.fromhex(GUEST_MAC.replace(":", ""))
        wire.send(b"\xff" * 6 + octets + b"\x81\x00\x00\x64" + b"\x88\xb5" + bytes(60))
    assert seen_tap(bridged).mac == GUEST_MAC


def test_an_entry_that_somebody_moved_comes_back(bridged: HostNetlink):
    bridges = made(bridged, tap())
    said(f"bridge fdb replace {GUEST_MAC} dev up0 master static vlan 100")
    assert seen_tap(bridged).mac is None
    bridges.make_tap(tap())
    assert seen_tap(bridged).mac == GUEST_MAC


def test_a_change_of_a_link_ends_a_wait_for_one(netlink: RtNetlink):
    (link,) = [link for link in netlink.links() if link.name == "lo"]
    with netlink.link_changes() as changes:
        assert not changes.wait(0.01)
        netlink.set_link(link.index, up=not link.is_up)
        assert changes.wait(5)
