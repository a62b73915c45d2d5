"""What phases show of a tap on a bridge: its rate, on the wire, and what somebody changes of it by hand."""

import json
from functools import partial
from typing import cast

from lab import expect
from lab.bed import Lab
from lab.frames import IPV4, UDP, frame, ipv4, udp
from lab.guests import Guest
from lab.machine.host import Host
from lab.phases.guests import PLAIN, SECOND, address_of
from lab.site import BLUE_VLAN, Site
from lab.tap_voice import TapVoice, voice_at

_POLICY, _RATE_MBPS = "narrow", 1
_OCTETS_PER_MBIT = 125_000
# What may come at once before the rate counts (docs/concepts/mechanisms/bridge.md).
_BURST_OCTETS = 1 << 17
_FRAMES, _PAYLOAD = 600, bytes(986)
# The kernel counts a frame when it takes it in, which may be a little after it was sent.
_GRACE = 1.5
_MTU, _FOREIGN_MTU, _FOREIGN_VLAN = 1500, 1400, 999
_LARGEST_PING = _MTU - 28


def tap_of(site: Site, server: str) -> str:
    """The name of the tap of a server's one port."""
    return f"fltap-{cast('str', site.port_of(server)['id'])[:8]}"


def filters_of(host: Host, tap: str) -> str:
    """The filters of what comes in at the tap, as tc tells of them."""
    return host.must(f"tc -j filter show dev {tap} ingress")


def show_rate(lab: Lab) -> None:
    """A running guest's tap gets a rate: of what comes in at it no more is on the wire than that lets pass. Without the
    rate all is.
    """
    site, tap = lab.site, tap_of(lab.site, PLAIN.name)
    mac, own = str(site.port_of(PLAIN.name)["mac_address"]), address_of(site, PLAIN)
    many = frame(mac, IPV4, ipv4(own, UDP, udp(9, 9) + _PAYLOAD))
    last = frame(mac, IPV4, ipv4(own, UDP, udp(9, 10)))
    site.do(f"qos create {_POLICY} --max-mbps {_RATE_MBPS}")
    site.do(f"port set {PLAIN.name} --qos-policy {_POLICY}")
    site.wait_for("the tap to have its rate", lambda: "police" in filters_of(lab.host, tap))
    with voice_at(lab.host, tap) as voice:
        passed, seconds = _pass(lab, voice, many, last)
        most = int((_BURST_OCTETS + seconds * _GRACE * _RATE_MBPS * _OCTETS_PER_MBIT) / len(many))
        expect.true(f"of {_FRAMES} frames in {seconds:.2f} s {most} pass at most", 0 < passed <= most, passed)
        expect.true("most are held back", passed < _FRAMES / 2, passed)
        site.do(f"port set {PLAIN.name} --no-qos-policy")
        site.wait_for("the rate to be gone", lambda: "police" not in filters_of(lab.host, tap))
        expect.equal("frames that pass without it", _pass(lab, voice, many, last)[0], _FRAMES)
    site.do(f"qos delete {_POLICY}")
    lab.progress.say(f"    {passed} of {_FRAMES} frames in {seconds:.2f} s passed at {_RATE_MBPS} Mbit/s")


def _pass(lab: Lab, voice: TapVoice, many: bytes, last: bytes) -> tuple[int, float]:
    """How many of the frames are on the wire, and for how many seconds they were sent: all that pass are there before
    another one that was sent after them.
    """
    mark = lab.wire.mark()
    seconds = voice.say([many], _FRAMES)

    def heard(octets: bytes) -> int:
        return sum(seen.payload == octets[14:] for seen in lab.wire.frames(mark))

    def has_last() -> bool:
        voice.say([last])
        return heard(last) > 0

    lab.site.wait_for("the last frame on the wire", has_last)
    return heard(many), seconds


def show_tap_drift(lab: Lab) -> None:
    """Somebody changes MTU and VLAN of a tap: both come back, that is told, and its guest reaches others in frames of
    full size.
    """
    site, tap = lab.site, tap_of(lab.site, PLAIN.name)
    wanted = (_MTU, [{"vlan": BLUE_VLAN, "flags": ["PVID", "Egress Untagged"]}])
    expect.equal("MTU and VLANs of the tap", _settings(lab, tap), wanted)
    for change, found in (
        (f"ip link set {tap} mtu {_FOREIGN_MTU}", f"mtu was {_FOREIGN_MTU}"),
        (f"bridge vlan add dev {tap} vid {_FOREIGN_VLAN} pvid untagged", "vlan was"),
    ):
        lab.host.must(change)
        site.wait_for(f"the event of `{change}`", partial(_is_told, site, found))
        expect.equal("MTU and VLANs of the tap afterwards", _settings(lab, tap), wanted)
    guest, ping = Guest(site, PLAIN.name), f"ping -c 1 -W 2 -s {_LARGEST_PING} {address_of(site, SECOND)}"
    expect.equal("the guest's MTU", guest.output("cat /sys/class/net/eth0/mtu"), [str(_MTU)])
    site.wait_for("it to reach second in frames of full size", lambda: guest.runs(ping))


def _is_told(site: Site, found: str) -> bool:
    return any(found in str(event["message"]) for event in site.events("tap_set"))


def _settings(lab: Lab, tap: str) -> tuple[int, object]:
    (link,) = json.loads(lab.host.must(f"ip -j link show {tap}"))
    (port,) = json.loads(lab.host.must(f"bridge -j vlan show dev {tap}"))
    return link["mtu"], port["vlans"]
