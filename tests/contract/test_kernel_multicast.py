"""Macvtaps and multicast on the kernel that runs the tests: RtNetlink, on a veth that stands in for a VF."""

import json
import socket
from collections.abc import Iterator
from errno import EOPNOTSUPP

import pytest

from fairlead.linux.netlink import Link, NetlinkRefusal
from fairlead.linux.rtnetlink import RtNetlink
from fairlead.model.multicast import ALL_HOSTS, ALL_NODES, Group
from tests.network_namespace import ip, private_network, said

NAME = "fltap-0f0f0f0f"
SOLICITED, OTHER = Group("33:33:ff:00:00:01"), Group("33:33:ff:00:00:02")
BROADCAST = "ff:ff:ff:ff:ff:ff"
_ETHERTYPE = 0x88B5  # for local experiments (IEEE 802)
_SECONDS = 10.0


@pytest.fixture
def netlink() -> Iterator[RtNetlink]:
    """With a macvtap on `vf0`, at the other end of which is `wire0`."""
    with private_network():
        own = RtNetlink()
        ip("link add vf0 type veth peer name wire0")
        for name in ("vf0", "wire0"):
            ip(f"link set {name} up")
        try:
            own.make_macvtap(NAME, socket.if_nametoindex("vf0"))
        except NetlinkRefusal as refusal:
            if refusal.errno != EOPNOTSUPP:
                raise
            pytest.skip("this kernel has no macvtaps (CONFIG_MACVTAP)")
        yield own
        own.close()


def index() -> int:
    return socket.if_nametoindex(NAME)


def seen(netlink: RtNetlink) -> Link:
    return next(link for link in netlink.links() if link.name == NAME)


def asked_for(what: str) -> int:
    """How often the device below is asked to be `promiscuity` or `allmulti`."""
    (link,) = json.loads(said("ip -j -d link show vf0"))
    return int(link[what])


def passed(*destinations: str) -> list[str]:
    """Which of them come through the macvtap, of frames that come from the wire."""
    kind = socket.htons(_ETHERTYPE)
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, kind) as guest,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire,
    ):
        guest.bind((NAME, _ETHERTYPE))
        guest.settimeout(_SECONDS)
        wire.bind(("wire0", 0))
        for destination in (*destinations, BROADCAST):
            octets = bytes.fromhex(destination.replace(":", ""))
            wire.send(octets + b"\2\0\0\0\0\1" + _ETHERTYPE.to_bytes(2) + bytes(46))
        found: list[str] = []
        while not found or found[-1] != BROADCAST:
            found.append(guest.recv(2048)[:6].hex(":"))
        return found[:-1]


def test_it_asks_what_it_is_on_for_no_frames_of_others(netlink: RtNetlink) -> None:
    netlink.set_link(index(), up=True)
    assert seen(netlink).is_passthru
    assert asked_for("promiscuity") == 0


def test_one_that_does_is_none_of_ours(netlink: RtNetlink) -> None:
    netlink.delete_link(index())
    ip(f"link add link vf0 name {NAME} type macvtap mode passthru")
    netlink.set_link(index(), up=True)
    assert not seen(netlink).is_passthru
    assert asked_for("promiscuity") == 1


def test_of_multicast_it_passes_the_groups_that_it_joined(netlink: RtNetlink) -> None:
    netlink.join_group(index(), SOLICITED)
    netlink.set_link(index(), up=True)
    assert passed(OTHER, SOLICITED) == [SOLICITED]
    netlink.join_group(index(), OTHER)
    assert passed(OTHER, SOLICITED) == [OTHER, SOLICITED]


def test_groups_read_back_and_are_those_of_what_it_is_on_too(netlink: RtNetlink) -> None:
    wanted = {ALL_HOSTS, ALL_NODES, SOLICITED}
    for _ in range(2):
        for group in wanted:
            netlink.join_group(index(), group)
        netlink.set_link(index(), up=True)
        for name in (NAME, "vf0"):
            assert wanted <= set(netlink.groups(socket.if_nametoindex(name)))
    ip(f"link set {NAME} down")
    ip(f"link set {NAME} up")
    assert wanted <= set(netlink.groups(index()))


def test_a_group_that_somebody_takes_away_is_seen_gone(netlink: RtNetlink) -> None:
    netlink.join_group(index(), SOLICITED)
    said(f"bridge fdb del {SOLICITED} dev {NAME} self")
    assert SOLICITED not in netlink.groups(index())


def test_one_that_is_gone_has_no_groups(netlink: RtNetlink) -> None:
    gone = index()
    netlink.delete_link(gone)
    assert netlink.groups(gone) == ()


def test_all_groups_are_asked_of_what_it_is_on_and_no_longer(netlink: RtNetlink) -> None:
    netlink.set_link(index(), up=True, allmulti=True)
    assert (seen(netlink).is_allmulti, asked_for("allmulti")) == (True, 1)
    assert passed(OTHER) == [OTHER]
    netlink.set_link(index(), up=True)
    assert seen(netlink).is_allmulti
    netlink.set_link(index(), up=True, allmulti=False)
    assert (seen(netlink).is_allmulti, asked_for("allmulti")) == (False, 0)
    assert passed(OTHER) == []
