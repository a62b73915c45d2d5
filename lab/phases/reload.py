"""The PFs' driver goes under running guests and comes back: what that takes from them they get again."""

from functools import partial

from lab import expect
from lab.bed import Lab
from lab.guests import Guest, places, vf_now
from lab.phase import Phase
from lab.phases.guests import CREW, FIRST, GUESTS, PLAIN, SECOND, address_of

_UNLOAD_SECONDS, _BACK_SECONDS = 60.0, 120.0


def _show(lab: Lab) -> None:
    """With the driver go all VFs; the guests let go of theirs and run on."""
    host, site = lab.host, lab.site
    guests = {member: Guest(site, member.name) for member in CREW}
    holders = [member for member in CREW if member.vlan is not None]
    for guest in guests.values():
        guest.wait_until_ready()
    before = {member: (guest.pid, guest.boots) for member, guest in guests.items()}
    places_before = {member: guests[member].place() for member in holders}
    gone = {member: _losses(guests[member]) for member in holders}
    _ = host.must("rmmod igb", timeout_seconds=_UNLOAD_SECONDS)
    expect.equal("VFs without the driver", places(host), {})
    for member in holders:
        guests[member].wait_for("to see its NIC go", 30, partial(_has_lost, guests[member], gone[member]))
    host.must("modprobe igb", timeout_seconds=_UNLOAD_SECONDS)
    for member in CREW:
        site.wait_for(
            f"the port of {member.name} to be ACTIVE", partial(_is_wired, lab, member.name), _BACK_SECONDS
        )
    for member in holders:
        place = guests[member].place()
        expect.equal(
            f"the VF of {member.name}",
            (place, vf_now(host, place)),
            (places_before[member], member.wanted(site)),
        )
    expect.equal("QEMUs and boots", {one: (guest.pid, guest.boots) for one, guest in guests.items()}, before)
    for one, other in ((FIRST, SECOND), (PLAIN, SECOND), (FIRST, PLAIN)):
        expect.true(f"{one.name} reaches {other.name} again", guests[one].reaches(address_of(site, other)))
    site.audit()


def _losses(guest: Guest) -> int:
    return guest.console.count("GUEST gone nic=")


def _has_lost(guest: Guest, before: int) -> bool:
    return _losses(guest) > before


def _is_wired(lab: Lab, name: str) -> bool:
    """A guest that has its VF again had none for a while."""
    port, guest = lab.site.port_of(name), Guest(lab.site, name)
    has_vf = bool(guest.definition().findall("devices/hostdev")) or port["binding:vnic_type"] == "normal"
    return has_vf and port["status"] == "ACTIVE"


RELOAD = Phase(
    "reload", "the PFs' driver goes and comes back under running guests: they get the same VFs again, and run on",
    _show, limit_seconds=240, needs=(GUESTS,),
)  # fmt: skip
