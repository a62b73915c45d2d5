"""Who reaches whom, and how their frames look on the wire."""

import json

from fairlead.hoststate.desired import BRIDGE_PREFIX
from lab import expect
from lab.bed import Lab
from lab.guests import Guest
from lab.machine.arguments import PFS
from lab.phase import Phase
from lab.phases.guests import CREW, FIRST, GUESTS, OTHER, PLAIN, PRIORITY, SECOND, Member, address_of
from lab.site import BLUE_VLAN, GREEN_VLAN


def _show(lab: Lab) -> None:
    site = lab.site
    guests = {member: Guest(site, member.name) for member in CREW}
    for member, guest in guests.items():
        guest.wait_until_ready()
        mac = str(site.port_of(member.name)["mac_address"])
        driver = "igbvf" if member.vlan is not None else "virtio_net"
        expect.equal(f"NICs that guest {member.name} sees", guest.nics(), [(mac, driver)])
    mark = lab.wire.mark()
    for member in (SECOND, PLAIN):
        expect.true(f"first reaches {member.name}", guests[FIRST].reaches(address_of(site, member)))
    _bridge_and_vf(lab, guests)
    expect.true("first does not reach other", not guests[FIRST].reaches(address_of(site, OTHER)))
    expect.true("other does not reach second", not guests[OTHER].reaches(address_of(site, SECOND)))
    _tags(lab, mark)


def _bridge_and_vf(lab: Lab, guests: dict[Member, Guest]) -> None:
    """The PF that the bridge leaves through has VFs of its own: its switch hands frames from one to the other."""
    site = lab.site
    uplinks = [
        link["ifname"] for link in lab.host.links() if str(link.get("master")).startswith(BRIDGE_PREFIX)
    ]
    (pf,) = [pf.name for pf in PFS if pf.name in uplinks]
    beside = [one for one in (FIRST, SECOND) if guests[one].place().pf == pf]
    expect.true(f"a VF of {pf}, which the bridge leaves through, is on the bridge's network", beside)
    for member in beside:
        expect.true(f"plain reaches {member.name}, on {pf}", guests[PLAIN].reaches(address_of(site, member)))
        expect.true(f"{member.name}, on {pf}, reaches plain", guests[member].reaches(address_of(site, PLAIN)))
    expect.true("plain reaches second", guests[PLAIN].reaches(address_of(site, SECOND)))
    mac = site.port_of(PLAIN.name)["mac_address"]
    told = json.loads(lab.host.must(f"bridge -j fdb show dev {pf}"))
    own = [one for one in told if one["mac"] == mac and "self" in one["flags"]]
    expect.true(f"{pf} has plain's MAC in its own filter", own, told)
    lab.progress.say(
        f"    bridge and VF of {pf}: plain and {', '.join(one.name for one in beside)}, both ways"
    )


def _tags(lab: Lab, mark: int) -> None:
    """Each guest's frames carry its network's tag and its port's priority; other's are its search for second."""
    frames = list(lab.wire.frames(mark))
    for member, vlan in ((FIRST, BLUE_VLAN), (SECOND, BLUE_VLAN), (OTHER, GREEN_VLAN), (PLAIN, BLUE_VLAN)):
        mac = lab.site.port_of(member.name)["mac_address"]
        tags = {(frame.vlan, frame.priority) for frame in frames if frame.source == mac}
        expect.equal(f"tags of {member.name}'s frames on the wire", tags, {(vlan, member.priority)})
    lab.progress.say(
        f"    {len(frames)} frames on the wire; first's carry VLAN {BLUE_VLAN} and priority {PRIORITY}"
    )


TRAFFIC = Phase(
    "traffic", "one VLAN reaches itself, over VFs and bridge, and no other; the wire shows tags and priority",
    _show, limit_seconds=300, needs=(GUESTS,),
)  # fmt: skip
