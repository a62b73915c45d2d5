"""What a guest on a bridge may say it is: its own MAC and addresses, and what its port is allowed besides."""

import json
import struct
from ipaddress import ip_address, ip_network
from typing import cast

from lab import expect
from lab.bed import Lab
from lab.guests import Guest
from lab.phase import Phase
from lab.phases.guests import GUESTS, PLAIN, SECOND, address_of
from lab.wire import Frame

_FOREIGN_MAC = "52:54:00:66:66:66"
_ARP, _IPV4 = 0x0806, 0x0800
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
    site.wait_for("the filter for it", lambda: f"{foreign}" in _filters(lab))
    expect.true("allowed, it does", plain.runs(f"ping {_PINGS} -I {foreign} {target}"))
    expect.true("and that is on the wire", _claims(lab, mark, foreign) > 0)
    _show_repair(lab)
    expect.true("still reaches second", plain.reaches(target))
    _show_mac(lab, plain, target)


def _show_repair(lab: Lab) -> None:
    """Somebody takes away what drops the rest."""
    lab.host.must(f"tc filter del dev {_tap(lab)} ingress prio 9")
    lab.site.wait_for("what drops the rest to be there again", lambda: "gact" in _filters(lab))


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
    where = {_ARP: _SENDER, _IPV4: _SOURCE}.get(frame.ethertype)
    octets = frame.payload[where] if where else b""
    return str(ip_address(octets)) if len(octets) == struct.calcsize("=I") else None


def _filters(lab: Lab) -> str:
    """The filters of plain's tap, as tc tells of them."""
    listed = json.loads(lab.host.must(f"tc -j filter show dev {_tap(lab)} ingress"))
    return json.dumps(listed)


def _tap(lab: Lab) -> str:
    port = lab.site.port_of(PLAIN.name)
    return f"fltap-{cast('str', port['id'])[:8]}"


SPOOFING = Phase(
    "spoofing", "a guest on a bridge sends from its own MAC and addresses and those allowed besides, and from no other",
    _show, limit_seconds=120, needs=(GUESTS,),
)  # fmt: skip
