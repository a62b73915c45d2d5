"""Macvtaps on VFs of igb, driven by igbvf on the compute host: made before the guest, renewed under it, gone after."""

import json
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address
from typing import cast

from lab import expect, udev
from lab.bed import Lab
from lab.errors import PhaseFailed
from lab.guests import BASELINE, Guest, Place, places, vf_now
from lab.machine.host import Host
from lab.netlink_trace import Kind, watched
from lab.phase import Phase
from lab.phases.guests import Member, address_of
from lab.phases.inventory import INVENTORY
from lab.site import BLUE_VLAN, GREEN_VLAN, Site

_ADA = Member("ada", "--network blue --vnic-type macvtap --vlan-priority 5", BLUE_VLAN, 5)
_BOB = Member("bob", "--network blue --vnic-type direct", BLUE_VLAN)
_EVE = Member("eve", "--network green --vnic-type macvtap --trusted", GREEN_VLAN, trust=True)
_MORE = Member("more", "--network blue --vnic-type macvtap", BLUE_VLAN)
_CREW = (_ADA, _BOB, _EVE)
_DRIVER, _MTU, _FOREIGN_VLAN, _FOREIGN_MTU = "igbvf", 1500, 999, 1400
_REPAIR_SECONDS = 60.0
_ALL_HOSTS, _ALL_NODES, _LINK_SCOPE = "01:00:5e:00:00:01", "33:33:00:00:00:01", "20"
_MARKS = frozenset({
    "FAIRLEAD=1", "NM_UNMANAGED=1", "ID_NET_LINK_FILE=/etc/systemd/network/10-fairlead.link",
})  # fmt: skip
_MOST_DEATHS = 4
"""The guest is stopped, removed; the macvtap is deleted; the VF is scrubbed. Two of these may fall together."""


@dataclass(frozen=True, slots=True)
class _Macvtap:
    """As ip(8) and sysfs have it. `below` is the network device that it is on, `place` the VF that this is of. Up where
    both are: the kernel leaves a macvtap up whose device goes down.
    """

    name: str
    index: int
    mac: str
    mtu: int
    mode: str
    is_up: bool
    below: str
    place: Place


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far a delete has got, by what is on the host."""

    is_running: bool
    is_defined: bool
    has_macvtap: bool
    is_clean: bool


def _show(lab: Lab) -> None:
    _boot(lab)
    _unmanaged(lab)
    _traffic(lab)
    _multicast(lab)
    _drift(lab)
    _renewal(lab)
    _attachment(lab)
    _end(lab)


def _boot(lab: Lab) -> None:
    """Each VF is as its port says before its QEMU is; libvirt opens what the agent made, and changes nothing of it."""
    host, site = lab.host, lab.site
    for member in _CREW:
        member.boot(site)
    for member in _CREW:
        site.wait_for(f"server {member.name}", partial(site.is_active, member.name), 240)
    for member in (_ADA, _EVE):
        guest, seen = Guest(site, member.name), _macvtap(host, _name(site, member.name))
        mac = str(site.port_of(member.name)["mac_address"])
        expect.equal(f"the VF of {member.name} now", vf_now(host, seen.place), member.wanted(site))
        expect.equal(
            f"the VF of {member.name} before its QEMU was",
            guest.vf_before_start(),
            member.vf(mac),
        )
        expect.equal(
            f"the macvtap of {member.name}", (seen.mac, seen.mtu, seen.mode, seen.is_up),
            (mac, _MTU, "passthru", True),
        )  # fmt: skip
        expect.equal(f"the driver below {member.name}", _driver(host, seen.place), _DRIVER)
        expect.true(f"QEMU of {member.name} has /dev/tap{seen.index}", _has_open(host, guest, seen))
        expect.equal("devices passed through to it", guest.definition().findall("devices/hostdev"), [])
    site.audit()


def _unmanaged(lab: Lab) -> None:
    """To udev the macvtap and the VF's network device are Fairlead's, and network managers go by it; the PF is not."""
    host, seen = lab.host, _macvtap(lab.host, _name(lab.site, _ADA.name))
    udev.install(host)
    for name in (seen.name, seen.below):
        expect.equal(f"what udev makes of {name}", _MARKS & udev.kept_of(host, name), _MARKS)
    expect.equal(f"what it makes of {seen.place.pf}", _MARKS & udev.kept_of(host, seen.place.pf), frozenset())


def _traffic(lab: Lab) -> None:
    """Its guest sees a virtio NIC, reaches the VF of its VLAN, no other's, and the wire has its tag and priority."""
    site = lab.site
    ada, bob, eve = (Guest(site, member.name) for member in _CREW)
    for guest in (ada, bob, eve):
        guest.wait_until_ready()
    mac = str(site.port_of(_ADA.name)["mac_address"])
    expect.equal("NICs that ada sees", ada.nics(), [(mac, "virtio_net")])
    mark = lab.wire.mark()
    expect.true("ada reaches bob's VF", ada.reaches(address_of(site, _BOB)))
    expect.true("bob reaches ada's macvtap", bob.reaches(address_of(site, _ADA)))
    expect.true("ada does not reach eve", not ada.reaches(address_of(site, _EVE)))
    expect.true("eve does not reach bob", not eve.reaches(address_of(site, _BOB)))
    frames = list(lab.wire.frames(mark))
    for member in _CREW:
        own = site.port_of(member.name)["mac_address"]
        tags = {(frame.vlan, frame.priority) for frame in frames if frame.source == own}
        expect.equal(f"tags of {member.name}'s frames on the wire", tags, {(member.vlan, member.priority)})
    lab.progress.say(f"    {len(frames)} frames on the wire")


def _multicast(lab: Lab) -> None:
    """Bob asks ada's link-local address for its MAC, through a VF that nobody trusts: its macvtap has that address's
    group, without which nothing comes, and has it again though the agent was away when somebody took it. A trusted
    one takes in all groups; no VF is promiscuous.
    """
    host, site = lab.host, lab.site
    ada, bob = Guest(site, _ADA.name), Guest(site, _BOB.name)
    seen, mac = _macvtap(host, _name(site, _ADA.name)), str(site.port_of(_ADA.name)["mac_address"])
    asked_by = f"33:33:ff:{mac[9:]}"
    for name in (seen.name, seen.below):
        missing = {_ALL_HOSTS, _ALL_NODES, asked_by} - _groups(host, name)
        expect.equal(f"groups that {name} lacks", missing, set())
    address = _link_local(ada)
    expect.true(f"bob reaches ada as {address}", bob.reaches(f"{address}%eth0"))
    expect.true("ada reaches bob as well", ada.reaches(f"{_link_local(bob)}%eth0"))
    site.agent.kill()
    host.must(f"bridge fdb del {asked_by} dev {seen.name} self")
    for guest in (ada, bob):  # what ada asks of bob would tell bob its MAC
        expect.true(f"{guest.name} forgets its neighbours", guest.runs("ip neigh flush dev eth0"))
    expect.true("without its group bob does not reach it", not bob.reaches(f"{address}%eth0"))
    site.agent.start()
    site.wait_for("its group again", lambda: asked_by in _groups(host, seen.name), _REPAIR_SECONDS)
    site.wait_for("bob to reach it again", lambda: bob.reaches(f"{address}%eth0"), _REPAIR_SECONDS)
    for member, takes_all in ((_ADA, False), (_EVE, True)):
        found = _macvtap(host, _name(site, member.name))
        expect.equal(f"whether {member.name}'s takes in all groups", _has_flag(host, found.name), takes_all)
        below = json.loads(host.must(f"ip -j -d link show {found.below}"))[0]
        told = (below["promiscuity"], below["allmulti"])
        expect.equal(f"promiscuity and all groups below {member.name}", told, (0, int(takes_all)))


def _groups(host: Host, name: str) -> set[str]:
    """Multicast groups that a network device takes in."""
    return {entry["mac"] for entry in json.loads(host.must(f"bridge -j fdb show dev {name}") or "[]")}


def _has_flag(host: Host, name: str) -> bool:
    return "ALLMULTI" in json.loads(host.must(f"ip -j link show {name}"))[0]["flags"]


def _link_local(guest: Guest) -> str:
    """The one of its first NIC, as its kernel made it."""
    listed = [line.split() for line in guest.output("cat /proc/net/if_inet6")]
    (octets,) = [octets for octets, _, _, scope, _, nic in listed if (scope, nic) == (_LINK_SCOPE, "eth0")]
    return str(IPv6Address(bytes.fromhex(octets)))


def _drift(lab: Lab) -> None:
    """Somebody changes the VF through its PF, then its network device: both are set again, in place."""
    host, site = lab.host, lab.site
    seen, pid = _macvtap(host, _name(site, _ADA.name)), Guest(site, _ADA.name).pid
    told = len(site.events("drift_repaired"))
    host.must(f"ip link set {seen.place.pf} vf {seen.place.index} vlan {_FOREIGN_VLAN}")
    site.wait_for("the VF's repair", lambda: len(site.events("drift_repaired")) > told, _REPAIR_SECONDS)
    expect.equal("the VF after its repair", vf_now(host, seen.place), _ADA.wanted(site))
    for change in (f"mtu {_FOREIGN_MTU}", "down"):
        host.must(f"ip link set {seen.below} {change}")
        site.wait_for(
            f"the repair of `{change}`",
            lambda: _macvtap(host, seen.name) == seen and _mtu(host, seen.below) == _MTU,
            _REPAIR_SECONDS,
        )
    expect.equal("its QEMU", Guest(site, _ADA.name).pid, pid)
    ada, bob = Guest(site, _ADA.name), address_of(site, _BOB)
    site.wait_for("ada to reach bob still", lambda: ada.reaches(bob), _REPAIR_SECONDS)


def _renewal(lab: Lab) -> None:
    """The VF is unbound from its driver, and the macvtap gone: the guest gets another one, and runs on."""
    host, site = lab.host, lab.site
    guest, seen = Guest(site, _ADA.name), _macvtap(host, _name(site, _ADA.name))
    pid, address = guest.pid, _address(host, seen.place)
    host.must(f"echo {address} > /sys/bus/pci/devices/{address}/driver/unbind")

    def is_renewed() -> bool:
        fresh = _find(host, seen.name)
        return fresh is not None and fresh.index != seen.index and _has_open(host, guest, fresh)

    site.wait_for("the guest to have a new one", is_renewed, _REPAIR_SECONDS)
    site.wait_for("the server", partial(site.is_active, _ADA.name))
    expect.equal("its QEMU", guest.pid, pid)
    expect.equal("its VF", vf_now(host, seen.place), _ADA.wanted(site))
    host.wait_for("ada to reach bob again", _REPAIR_SECONDS, lambda: guest.reaches(address_of(site, _BOB)))
    site.audit()


def _attachment(lab: Lab) -> None:
    """A second one comes to the running guest and goes: nothing of it is left on its VF."""
    host, site = lab.host, lab.site
    site.do(f"server delete {_BOB.name} {_EVE.name} --wait")
    guest = Guest(site, _ADA.name)
    pid = guest.pid
    site.do(f"port create {_MORE.name} {_MORE.port}")
    site.do(f"server attach {_ADA.name} --nic port={_MORE.name} --wait")
    port = dict(site.do(f"port show {_MORE.name}"))
    seen, mac = _macvtap(host, _tap(str(port["id"]))), str(port["mac_address"])
    expect.equal("the VF below the second", vf_now(host, seen.place), _MORE.vf(mac))
    host.wait_for("the guest to see it", 60, lambda: (mac, "virtio_net") in guest.nics())
    site.do(f"server detach {_ADA.name} {_MORE.name} --wait")
    expect.equal("the second macvtap", _find(host, seen.name), None)
    _is_nobodys(host, seen.place)
    expect.equal("its QEMU", guest.pid, pid)
    expect.equal("interfaces of its domain", len(guest.definition().findall("devices/interface")), 1)
    site.do(f"port delete {_MORE.name}")
    site.audit()


def _end(lab: Lab) -> None:
    """The agent is killed after each step of the delete until the VF is clean: the guest is down before its macvtap
    goes, and that is gone before the VF is scrubbed.
    """
    host, site = lab.host, lab.site
    seen = _macvtap(host, _name(site, _ADA.name))
    with watched(host) as requests:
        _die_until_clean(lab, seen)
    deleted = [at for at, one in enumerate(requests) if one.kind is Kind.DELETE and one.index == seen.index]
    scrubbed = [at for at, one in enumerate(requests) if one.kind is Kind.SET and one.with_vfs]
    expect.true("its macvtap was deleted, and its VF set", deleted and scrubbed, requests)
    expect.true("the macvtap goes before the scrub", deleted[0] < scrubbed[0], (deleted, scrubbed))
    site.agent.start()
    site.wait_for("the server to go", lambda: site.server(_ADA.name) is None)
    links = json.loads(host.must("ip -j link show"))
    expect.equal("taps", [link["ifname"] for link in links if link["ifname"].startswith("fltap-")], [])
    for place in places(host).values():
        _is_nobodys(host, place)
    for member in (_ADA, _BOB, _EVE):
        site.do(f"port delete {member.name}")
    site.audit()


def _die_until_clean(lab: Lab, seen: _Macvtap) -> None:
    host, site = lab.host, lab.site
    site.agent.kill()
    deaths: list[_Reached] = []
    while len(deaths) < _MOST_DEATHS and not (deaths and deaths[-1].is_clean):
        site.agent.start(die_after_step=1)
        if not deaths:
            site.do(f"server delete {_ADA.name}")
        site.agent.wait_for_its_end()
        deaths.append(reached := _reached(host, seen))
        lab.progress.say(f"    death {len(deaths)}: {reached}")
        expect.true(
            "the guest is down before its macvtap goes", reached.has_macvtap or not reached.is_running
        )
    expect.true("the VF is clean", deaths[-1].is_clean, deaths)


def _reached(host: Host, seen: _Macvtap) -> _Reached:
    is_clean = vf_now(host, seen.place) == BASELINE and not _driver(host, seen.place)
    running, defined = (host.virsh(f"list {kind} --name").output.split() for kind in ("", "--all"))
    return _Reached(bool(running), bool(defined), _find(host, seen.name) is not None, is_clean)


def _is_nobodys(host: Host, place: Place) -> None:
    expect.equal(f"{place} afterwards", vf_now(host, place), BASELINE)
    expect.equal(f"the driver of {place} afterwards", _driver(host, place), "")


def _name(site: Site, server: str) -> str:
    return _tap(str(site.port_of(server)["id"]))


def _tap(port_id: str) -> str:
    return f"fltap-{port_id[:8]}"


def _macvtap(host: Host, name: str) -> _Macvtap:
    found = _find(host, name)
    if found is None:
        raise PhaseFailed(f"there is no macvtap {name}")
    return found


def _find(host: Host, name: str) -> _Macvtap | None:
    # Where a link goes while they are listed, ip may tell nothing at all.
    told = host.must("ip -j -d link show")
    links = {link["ifname"]: link for link in json.loads(told or "[]")}
    link = links.get(name)
    if link is None or link["linkinfo"]["info_kind"] != "macvtap":
        return None
    below = cast("str", link["link"])
    device = host.must(f"readlink /sys/class/net/{below}/device").strip().rpartition("/")[2]
    return _Macvtap(
        name, link["ifindex"], link["address"], link["mtu"], link["linkinfo"]["info_data"]["mode"],
        all(each in links and "UP" in links[each]["flags"] for each in (name, below)), below, places(host)[device],
    )  # fmt: skip


def _address(host: Host, place: Place) -> str:
    return next(address for address, at in places(host).items() if at == place)


def _driver(host: Host, place: Place) -> str:
    return (
        host.run(f"readlink /sys/bus/pci/devices/{_address(host, place)}/driver")
        .output.strip()
        .rpartition("/")[2]
    )


def _mtu(host: Host, name: str) -> int:
    return int(host.must(f"cat /sys/class/net/{name}/mtu"))


def _has_open(host: Host, guest: Guest, seen: _Macvtap) -> bool:
    return f"/dev/tap{seen.index}" in host.run(f"readlink /proc/{guest.pid}/fd/*").output.split()


MACVTAP = Phase(
    "macvtap", "macvtaps on VFs: set before QEMU opens them, traffic, drift, one that is dead renewed, attach, end",
    _show, limit_seconds=480, needs=(INVENTORY,),
)  # fmt: skip
