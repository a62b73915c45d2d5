"""Who reaches whom, and how their frames look on the wire."""

from lab import expect
from lab.bed import Lab
from lab.guests import Guest
from lab.phase import Phase
from lab.phases.guests import CREW, FIRST, GUESTS, OTHER, PLAIN, PRIORITY, SECOND, address_of
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
    expect.true("plain, on the bridge, reaches second's VF", guests[PLAIN].reaches(address_of(site, SECOND)))
    expect.true("first does not reach other", not guests[FIRST].reaches(address_of(site, OTHER)))
    expect.true("other does not reach second", not guests[OTHER].reaches(address_of(site, SECOND)))
    _tags(lab, mark)


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
