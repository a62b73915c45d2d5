"""802.1Qbh: the agent associates VFs of igb PFs, to which qbhsim gives what such a NIC's driver has."""

from dataclasses import dataclass
from functools import partial
from typing import cast
from uuid import UUID

from fairlead.model.association import (
    BAD_STATE,
    ERROR,
    IN_PROGRESS,
    INSUFFICIENT_RESOURCES,
    INVALID,
    SUCCESS,
    answer,
)
from lab import expect, office, qbhsim
from lab.bed import Lab
from lab.guests import BASELINE, Guest, Place, Vf, places, vf_at, vf_now
from lab.handed import handed, noting
from lab.machine.arguments import PFS
from lab.phase import Phase
from lab.phases.inventory import INVENTORY
from lab.site import Site

FINANCE_VLAN, HR_VLAN = 100, 200
SHIMMED = f"shim=pfa,pfb map=finance:{FINANCE_VLAN},hr:{HR_VLAN}"
_CAPABILITY = "802.1qbh"
_PENDING_MS, _FOR_EVER_MS = 1500, 3_600_000
# An answer that the switch forgot is missed at the agent's next look.
_REPAIR_SECONDS = 60.0
_MODULE_SECONDS, _BACK_SECONDS = 60.0, 120.0


@dataclass(frozen=True, slots=True)
class Member:
    """A server with one VF in that profile, or a macvtap on one; `vlan` is the one that the switch has for it."""

    name: str
    profile: str
    vlan: int
    vnic_type: str = "direct"

    def create(self, site: Site) -> None:
        """Ask for it."""
        site.do(
            f"server create {self.name} --flavor near --image guest "
            f"--nic network={office.NAME},vnic-type={self.vnic_type},port-profile={self.profile}"
        )


_ADA, _BOB, _EVE = (
    Member("ada", "finance", FINANCE_VLAN),
    Member("bob", "finance", FINANCE_VLAN, "macvtap"),
    Member("eve", "hr", HR_VLAN),
)
_CREW = (_ADA, _BOB, _EVE)
_STRANGER = Member("stranger", "unheard-of", 0)


def declare_office(lab: Lab) -> None:
    """A network whose VLANs are the switch's, and profiles, unless they are there. Returns when the agent has told
    that its PFs associate VFs.
    """
    site = lab.site
    office.offer(site)
    for name in {member.profile for member in (_ADA, _EVE, _STRANGER)}:
        if not site.try_to(f"port-profile show {name}").stdout.strip():
            site.do(f"port-profile create {name} --kind 802.1Qbh --profile-id {name}")
    pfs = {place.pf for place in places(lab.host).values()}

    def are_known() -> bool:
        able = {device["name"] for device in site.devices() if _CAPABILITY in str(device["capabilities"])}
        return pfs <= able

    site.wait_for("the agent to find that its PFs associate VFs", are_known)


def _show(lab: Lab) -> None:
    with qbhsim.loaded(lab.host, SHIMMED):
        declare_office(lab)
        _refusals(lab)
        _success(lab)
        _traffic(lab)
        _move(lab)
        _loss(lab)
        _reload(lab)
        _end(lab)


def _refusals(lab: Lab) -> None:
    """A profile that the switch does not know, each other answer that the kernel has a name for, one that it has none
    for, and none at all.
    """
    _refused(lab, _STRANGER, answer(INVALID).words)
    for response in (BAD_STATE, INSUFFICIENT_RESOURCES, ERROR, ERROR + 1):
        qbhsim.turn(lab.host, response=response)
        _refused(lab, _ADA, answer(response).words)
    qbhsim.turn(lab.host, response=SUCCESS, pending_ms=_FOR_EVER_MS)
    _refused(lab, _ADA, answer(IN_PROGRESS).words)
    qbhsim.turn(lab.host, pending_ms=0)


def _refused(lab: Lab, member: Member, words: str) -> None:
    host, site = lab.host, lab.site
    qbhsim.clear_log(host)
    member.create(site)
    site.wait_for(f"the refusal: {words}", lambda: (site.server(member.name) or {}).get("status") == "ERROR")
    server = site.server(member.name) or {}
    fault = str(server["fault"])
    expect.true(
        "the fault tells what the switch said, and of which profile",
        words in fault and member.profile in fault,
        fault,
    )
    expect.equal("domains", host.virsh("list --all --name").output.split(), [])
    site.wait_for("everything to be taken back", partial(_is_taken_back, lab))
    asked = qbhsim.asked(host)
    expect.equal("the first request", asked[0].request, qbhsim.ASSOCIATE)
    expect.equal("VFs that were asked for", {(one.pf, one.vf) for one in asked}, {(asked[0].pf, asked[0].vf)})
    site.do(f"server delete {member.name} --wait")
    site.audit()
    lab.progress.say(f"    {fault[:300]}")


def _is_taken_back(lab: Lab) -> bool:
    """Between two tries: the agent asks again, with the VF set for it."""
    asked = qbhsim.asked(lab.host)
    links = lab.host.links()
    vfs = [vf_at(place, links) for place in places(lab.host).values()]
    return asked[-1].request == qbhsim.DISASSOCIATE and set(vfs) == {BASELINE}


def _success(lab: Lab) -> None:
    """The switch takes its time for each."""
    host, site = lab.host, lab.site
    qbhsim.clear_log(host)
    qbhsim.turn(host, pending_ms=_PENDING_MS)
    for member in _CREW:
        member.create(site)
    for member in _CREW:
        site.wait_for(f"server {member.name}", partial(site.is_active, member.name), 180)
    qbhsim.turn(host, pending_ms=0)
    asked = {(one.pf, one.vf): one for one in qbhsim.asked(host)}
    expect.equal("VFs that were asked for", len(asked), len(_CREW))
    for member in _CREW:
        guest, port = Guest(site, member.name), site.port_of(member.name)
        place = guest.place()
        one = asked[place.pf, place.index]
        expect.equal("sizes of name, port and host, in octets", one.sizes, (40, 16, 16))
        expect.equal(
            f"what was asked for {member.name}",
            (one.request, one.errno, one.profile),
            (qbhsim.ASSOCIATE, 0, member.profile),
        )
        expect.equal(f"whom it was asked for, {member.name}", one.instance, UUID(str(port["id"])).hex)
        expect.equal(
            f"the VF of {member.name} before its QEMU was", guest.vf_before_start(), _vf(site, member)
        )
    expect.equal("hosts that asked", len({one.host for one in asked.values()}), 1)
    site.audit()


def _traffic(lab: Lab) -> None:
    """The VLANs are the switch's: nobody sees them but the wire."""
    site = lab.site
    ada, bob, eve = (Guest(site, member.name) for member in _CREW)
    for guest in (ada, bob, eve):
        guest.wait_until_ready()
    mark = lab.wire.mark()
    expect.true("ada reaches bob, of her profile", ada.reaches(_address(site, _BOB)))
    expect.true("ada does not reach eve", not ada.reaches(_address(site, _EVE)))
    expect.true("eve does not reach bob", not eve.reaches(_address(site, _BOB)))
    frames = list(lab.wire.frames(mark))
    for member in _CREW:
        mac = site.port_of(member.name)["mac_address"]
        expect.equal(
            f"VLANs of {member.name}'s frames",
            {one.vlan for one in frames if one.source == mac},
            {member.vlan},
        )
    lab.progress.say(f"    {len(frames)} frames on the wire")


def _move(lab: Lab) -> None:
    """A running guest's port gets another profile, and with it another tag on the wire; then its own again."""
    site = lab.site
    ada, port, pid = Guest(site, _ADA.name), site.port_of(_ADA.name), Guest(site, _ADA.name).pid
    for member, other in ((_EVE, _BOB), (_BOB, _EVE)):
        qbhsim.clear_log(lab.host)
        site.do(f"port set {port['id']} --port-profile {member.profile}")
        site.wait_for(f"{member.profile} to be asked for", partial(_is_asked_for, lab, member.profile))
        site.wait_for("the port to be ACTIVE", lambda: site.port_of(_ADA.name)["status"] == "ACTIVE")
        mark = lab.wire.mark()
        _ = ada.output("ip neigh flush dev eth0")
        expect.true(
            f"ada, now of {member.profile}, reaches {member.name}", ada.reaches(_address(site, member))
        )
        expect.true(f"and not {other.name}", not ada.reaches(_address(site, other)))
        tags = {one.vlan for one in lab.wire.frames(mark) if one.source == port["mac_address"]}
        expect.equal("VLANs of ada's frames", tags, {member.vlan})
    expect.equal("her QEMU", ada.pid, pid)


def _is_asked_for(lab: Lab, profile: str) -> bool:
    asked = qbhsim.asked(lab.host)
    return any((one.request, one.errno, one.profile) == (qbhsim.ASSOCIATE, 0, profile) for one in asked)


def _loss(lab: Lab) -> None:
    """The switch starts anew and tells nobody; then it does while a PF is down."""
    host, pf = lab.host, Guest(lab.site, _ADA.name).place().pf
    pids = _pids(lab)
    for way, before in ("a switch that forgets", "true"), ("a PF that flaps", f"ip link set {pf} down"):
        qbhsim.clear_log(host)
        host.must(before)
        qbhsim.forget(host)
        host.must(f"ip link set {pf} up")
        _is_repaired(lab, way, _REPAIR_SECONDS)
    expect.equal("QEMU's processes", _pids(lab), pids)


def _reload(lab: Lab) -> None:
    """The PFs' driver goes and comes back with no association: each guest runs on, and has its VF again once that has
    its MAC and is associated.
    """
    host = lab.host
    pids, places_before = _pids(lab), _places(lab)
    addresses = {place: address for address, place in places(host).items()}
    with noting(host):
        qbhsim.unload(host)
        for command in ("rmmod igb", "modprobe igb"):
            host.must(command, timeout_seconds=_MODULE_SECONDS)
        named = " && ".join(f"ip link show {pf.name}" for pf in PFS)
        host.wait_for("the PFs' names", 30, lambda: host.run(named).code == 0)
        qbhsim.load(host, SHIMMED)
        _is_repaired(lab, "its driver came back", _BACK_SECONDS)
    expect.equal("QEMU's processes", _pids(lab), pids)
    expect.equal("their VFs", _places(lab), places_before)
    for member, place in zip(_CREW, places_before, strict=True):
        if member.vnic_type == "direct":
            seen = handed(host, addresses[place], place)
            expect.equal(f"the VF of {member.name} when it was handed over", seen.vf, _vf(lab.site, member))
            told = [
                (one.request, one.profile)
                for one in seen.asked
                if (one.pf, one.vf) == (place.pf, place.index)
            ]
            expect.equal("what was asked for it last", told[-1:], [(qbhsim.ASSOCIATE, member.profile)])


def _is_repaired(lab: Lab, after: str, seconds: float) -> None:
    """Each VF is associated anew, and its guest as it was."""
    site = lab.site
    site.wait_for(f"each VF to be associated after {after}", partial(_are_associated, lab), seconds)
    for member in _CREW:
        site.wait_for(f"{member.name} after {after}", partial(_is_back, site, member), seconds)
    ada = Guest(site, _ADA.name)
    site.wait_for(f"ada to reach bob after {after}", lambda: ada.reaches(_address(site, _BOB)), seconds)


def _places(lab: Lab) -> list[Place]:
    return [Guest(lab.site, member.name).place() for member in _CREW]


def _pids(lab: Lab) -> list[int]:
    return [Guest(lab.site, member.name).pid for member in _CREW]


def _are_associated(lab: Lab) -> bool:
    """Of what was asked for since the log was cleared the last is each member's association, for its port."""
    last = {(one.pf, one.vf): one for one in qbhsim.asked(lab.host)}
    kept = {
        (one.instance, one.profile)
        for one in last.values()
        if (one.request, one.errno) == (qbhsim.ASSOCIATE, 0)
    }
    return kept == {(UUID(str(lab.site.port_of(member.name)["id"])).hex, member.profile) for member in _CREW}


def _is_back(site: Site, member: Member) -> bool:
    """Its server may have been in ERROR, which is not for ever."""
    statuses = (site.server(member.name) or {}).get("status"), site.port_of(member.name)["status"]
    return statuses == ("ACTIVE", "ACTIVE")


def _end(lab: Lab) -> None:
    host, site = lab.host, lab.site
    held = {(place.pf, place.index) for place in (Guest(site, member.name).place() for member in _CREW)}
    qbhsim.clear_log(host)
    site.do(f"server delete {' '.join(member.name for member in _CREW)} --wait")
    ended = {(one.pf, one.vf) for one in qbhsim.asked(host) if one.request == qbhsim.DISASSOCIATE}
    expect.equal("VFs whose association was ended", ended, held)
    for place in places(host).values():
        expect.equal(f"{place} in the end", vf_now(host, place), BASELINE)
    site.audit()


def _vf(site: Site, member: Member) -> Vf:
    return Vf(
        str(site.port_of(member.name)["mac_address"]), None, 0, BASELINE.spoof_check, BASELINE.trust, 0, 0
    )


def _address(site: Site, member: Member) -> str:
    addresses = cast("list[dict[str, str]]", site.port_of(member.name)["fixed_ips"])
    return addresses[0]["ip_address"]


QBH = Phase(
    "qbh", "802.1Qbh on igb: each answer of the switch, silence, finance and hr apart, an association lost and ended",
    _show, limit_seconds=420, needs=(INVENTORY,),
)  # fmt: skip
