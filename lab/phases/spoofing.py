"""What a guest on a bridge may say it is: its own MAC and addresses, and what its port is allowed besides."""

import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address, ip_network

from fairlead.model.guest_sources import link_local
from fairlead.model.pci import parse_mac
from lab import expect
from lab.bed import Lab
from lab.frames import (
    ARP,
    DESTINATION,
    FRAGMENT,
    HOP_BY_HOP,
    ICMPV6,
    IPV4,
    IPV6,
    RARP,
    UDP,
    arp,
    extension,
    fragment,
    frame,
    icmpv6,
    ipv4,
    ipv6,
    udp,
)
from lab.guests import Guest
from lab.phase import Phase
from lab.phases.guests import GUESTS, PLAIN, SECOND, address_of
from lab.phases.taps import filters_of, tap_of
from lab.tap_voice import TapVoice, voice_at
from lab.wire import Frame

_FOREIGN_MAC = "52:54:00:66:66:66"
_SENDER, _SOURCE = slice(14, 18), slice(12, 16)
_PINGS = "-c 2 -W 2"


def _show(lab: Lab) -> None:
    site, plain, target = lab.site, Guest(lab.site, PLAIN.name), address_of(lab.site, SECOND)
    own = ip_network(f"{target}/24", strict=False)
    foreign = str(own.network_address + 200)
    for guest in (plain, Guest(site, SECOND.name)):
        guest.wait_until_ready()
    mark = lab.wire.mark()
    expect.true("plain reaches second as itself", plain.reaches(target))
    expect.true("an address may be added", plain.runs(f"ip address add {foreign}/24 dev eth0"))
    expect.true("from it plain does not reach second", not plain.runs(f"ping {_PINGS} -I {foreign} {target}"))
    expect.equal("frames on the wire that say so", _claims(lab, mark, foreign), 0)
    site.do(f"port set {PLAIN.name} --allowed-address {foreign}")
    site.wait_for("plain to reach second from it", lambda: plain.runs(f"ping {_PINGS} -I {foreign} {target}"))
    expect.true("and that is on the wire", _claims(lab, mark, foreign) > 0)
    _show_repair(lab)
    expect.true("still reaches second", plain.reaches(target))
    _show_mac(lab, plain, target)
    _show_roles(lab, foreign)
    # The ARP that passed without port security has told second another MAC of plain, until it asks anew.
    site.wait_for("plain to reach second at the end", lambda: plain.reaches(target))


def _show_repair(lab: Lab) -> None:
    """Somebody takes away what drops the rest, and lets all pass before it."""
    lab.host.must(f"tc filter del dev {_tap(lab)} ingress prio 9")
    lab.site.wait_for("what drops the rest to be there again", lambda: "gact" in _filters(lab))
    lab.host.must(f"tc filter add dev {_tap(lab)} ingress prio 4 protocol ip flower action ok")
    lab.site.wait_for("what lets all pass to be gone", lambda: "flower" not in _filters(lab))
    expect.true("the rest is dropped", "gact" in _filters(lab))


def _show_roles(lab: Lab, allowed: str) -> None:
    """It is no router, no DHCP server and nobody else's neighbour, until its port is told to be without security."""
    site = lab.site
    port = site.port_of(PLAIN.name)
    mac, own = str(port["mac_address"]), address_of(site, PLAIN)
    false, right = _false_frames(mac, own), _right_frames(mac, own, allowed)
    with voice_at(lab.host, _tap(lab)) as voice:
        expect.equal("false frames on the wire", _heard(lab, voice, false, right), set())
        site.do(f"port set {PLAIN.name} --allowed-address none")
        site.do(f"port set {PLAIN.name} --no-port-security")
        site.wait_for("the filters to be gone", lambda: "gact" not in _filters(lab))
        expect.equal("without port security", _heard(lab, voice, false, right), set(false))
        site.do(f"port set {PLAIN.name} --port-security")
        site.wait_for("the filters to be back", lambda: "gact" in _filters(lab))
        del right["ARP from an allowed address"]
        expect.equal("with it again", _heard(lab, voice, false, right), set())
    lab.progress.say(f"    {len(false)} false frames dropped, {len(right)} others on the wire")


def _heard(lab: Lab, voice: TapVoice, false: Mapping[str, bytes], right: Mapping[str, bytes]) -> set[str]:
    """Which of the false frames are on the wire, once all the others are, which were sent after them."""
    mark = lab.wire.mark()
    voice.say([*false.values(), *right.values()])

    def said(frames: Mapping[str, bytes]) -> set[str]:
        there = {(frame.source, frame.ethertype, frame.payload) for frame in lab.wire.frames(mark)}
        return {
            name
            for name, octets in frames.items()
            if (octets[6:12].hex(":"), int.from_bytes(octets[12:14], "big"), octets[14:]) in there
        }

    lab.site.wait_for("the right frames on the wire", lambda: said(right) == set(right))
    return said(false)


def _false_frames(mac: str, own: str) -> dict[str, bytes]:
    local = str(link_local(parse_mac(mac)))
    stranger = "fd00::bad"
    packets: dict[str, bytes] = {
        "a router": ipv6(local, ICMPV6, icmpv6(134)),
        "a redirect": ipv6(local, ICMPV6, icmpv6(137, stranger)),
        "another's neighbour advertisement": ipv6(local, ICMPV6, icmpv6(136, stranger)),
        "a router behind a header": ipv6(local, DESTINATION, extension(ICMPV6) + icmpv6(134)),
        "a router in a fragment": ipv6(local, FRAGMENT, fragment(ICMPV6) + icmpv6(134)),
        "a DHCPv6 server": ipv6(local, UDP, udp(547, 546)),
        "another's IPv6 address": ipv6(stranger, ICMPV6, icmpv6(128)),
    }
    return {
        **{name: frame(mac, IPV6, packet) for name, packet in packets.items()},
        "a DHCP server": frame(mac, IPV4, ipv4(own, UDP, udp(67, 68))),
        "ARP with another's MAC": frame(mac, ARP, arp(_FOREIGN_MAC, own)),
        "a RARP server": frame(mac, RARP, arp(mac, own, deed=4)),
    }


def _right_frames(mac: str, own: str, allowed: str) -> dict[str, bytes]:
    local, nowhere = str(link_local(parse_mac(mac))), str(IPv4Address(0))
    packets: dict[str, bytes] = {
        "its own neighbour advertisement": ipv6(local, ICMPV6, icmpv6(136, local)),
        "whether its address is free": ipv6("::", ICMPV6, icmpv6(135, local)),
        "a report of groups": ipv6("::", HOP_BY_HOP, extension(ICMPV6) + icmpv6(143)),
        "a question of DHCPv6": ipv6(local, UDP, udp(546, 547)),
    }
    return {
        **{name: frame(mac, IPV6, packet) for name, packet in packets.items()},
        "a question of DHCP": frame(mac, IPV4, ipv4(nowhere, UDP, udp(68, 67))),
        "a report of IPv4 groups": frame(mac, IPV4, ipv4(own, 2, bytes(8), options=b"\x94\x04\0\0")),
        "ARP": frame(mac, ARP, arp(mac, own)),
        "ARP from an allowed address": frame(mac, ARP, arp(mac, allowed)),
        "what QEMU says after a migration": frame(mac, RARP, arp(mac, nowhere, deed=3)),
    }


def _show_mac(lab: Lab, plain: Guest, target: str) -> None:
    mark, own = lab.wire.mark(), str(lab.site.port_of(PLAIN.name)["mac_address"])
    expect.true("the guest may take another MAC", plain.runs(f"ip link set eth0 address {_FOREIGN_MAC}"))
    expect.true("with it plain does not reach second", not plain.runs(f"ping {_PINGS} {target}"))
    said = [frame for frame in lab.wire.frames(mark) if frame.source == _FOREIGN_MAC]
    expect.equal("frames on the wire from that MAC", said, [])
    expect.true("its own again", plain.runs(f"ip link set eth0 address {own}"))
    expect.true("reaches second with it", plain.reaches(target))


def _claims(lab: Lab, mark: int, address: str) -> int:
    """How many frames say that they come from the address."""
    return sum(_claimed(frame) == address for frame in lab.wire.frames(mark))


def _claimed(frame: Frame) -> str | None:
    where = {ARP: _SENDER, IPV4: _SOURCE}.get(frame.ethertype)
    octets = frame.payload[where] if where else b""
    return str(ip_address(octets)) if len(octets) == struct.calcsize("=I") else None


def _filters(lab: Lab) -> str:
    return filters_of(lab.host, _tap(lab))


def _tap(lab: Lab) -> str:
    return tap_of(lab.site, PLAIN.name)


SPOOFING = Phase(
    "spoofing", "a guest on a bridge sends from its MAC, its addresses and those allowed, and plays nobody else",
    _show, limit_seconds=300, needs=(GUESTS,),
)  # fmt: skip
