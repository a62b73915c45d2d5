"""The compute host loses its power under running guests: VFs are there and set again before any guest starts."""

from functools import partial

from lab import expect
from lab.bed import Lab
from lab.errors import PhaseFailed
from lab.guests import Guest, places, vf_now
from lab.phase import Phase
from lab.phases.guests import CREW, Member, address_of
from lab.phases.inventory import INVENTORY
from lab.phases.rebind import have_pair

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_BACK_SECONDS = 300.0


def _show(lab: Lab) -> None:
    """Nobody but the agent brings anything back: it is started when the host would start its unit."""
    have_pair(lab)
    host, site = lab.host, lab.site
    crew = [member for member in CREW if site.server(member.name) is not None]
    before, boots = host.read(_BOOT_ID), {one: _boots(lab, one.name) for one in crew}
    host.reboot()
    expect.true("the host booted", host.read(_BOOT_ID) not in {None, before})
    expect.equal("VFs before the agent runs", places(host), {})
    expect.equal("guests before the agent runs", host.virsh("list --name").output.split(), [])
    site.agent.start()
    for member in crew:
        site.wait_for(f"server {member.name}", partial(_is_back, lab, member.name), _BACK_SECONDS)
        if member.vlan is not None:
            guest, wanted = Guest(site, member.name), member.wanted(site)
            expect.equal(f"the VF of {member.name} before its QEMU was", guest.vf_before_start(), wanted)
            expect.equal(f"the VF of {member.name} now", vf_now(host, guest.place()), wanted)
    for member in crew:
        host.wait_for(f"{member.name} to boot", 180, partial(_has_booted, lab, member, boots[member]))
    first, second = crew[0], crew[1]
    expect.true("they reach each other", Guest(site, first.name).reaches(address_of(site, second)))
    site.audit()


def _is_back(lab: Lab, name: str) -> bool:
    """That control was told of a guest which runs in this boot."""
    guest = Guest(lab.site, name)
    try:
        is_running = lab.host.read(f"/proc/{guest.pid}/status") is not None
    except PhaseFailed:
        return False
    return is_running and (lab.site.server(name) or {}).get("status") == "ACTIVE"


def _has_booted(lab: Lab, member: Member, before: int) -> bool:
    return _boots(lab, member.name) > before


def _boots(lab: Lab, name: str) -> int:
    """How often its guest was ready."""
    return Guest(lab.site, name).console.count("GUEST ready")


BOOT = Phase(
    "boot", "the host loses its power: VFs are made and set before any guest starts, and the agent alone starts them",
    _show, limit_seconds=600, needs=(INVENTORY,),
)  # fmt: skip
