"""Guests that halt in memory or on disk and go on, and one that is made anew, as libvirt and they themselves say."""

from typing import cast

from lab import expect
from lab.bed import Lab
from lab.guests import READY_SECONDS, Guest, vf_now
from lab.phase import Phase
from lab.phases.guests import FIRST, GUESTS, SECOND, address_of
from lab.site import Site

_PAUSED, _RUNNING, _SAVED = "paused", "running", "saved"
_READY = "GUEST ready"


def _show(lab: Lab) -> None:
    first, second = (Guest(lab.site, member.name) for member in (FIRST, SECOND))
    for guest in (first, second):
        guest.wait_until_ready()
    _show_numbers(lab, first)
    _show_pause(lab, first, second)
    _show_suspend(lab, first, second)
    _show_rebuild(lab, first, second)
    lab.site.audit()


def _show_numbers(lab: Lab, first: Guest) -> None:
    """What its vCPUs have used lies between what libvirt says before and after."""
    before = _vcpu_nanoseconds(lab, first)
    told = lab.site.do(f"server diagnostics {first.name}")
    between = [int(one["time"]) for one in cast("list[dict[str, int]]", told["cpu_details"])]
    after = _vcpu_nanoseconds(lab, first)
    expect.true(
        "its vCPU's time", len(between) == 1 and before <= between[0] <= after, (before, between, after)
    )
    nics = cast("list[dict[str, object]]", told["nic_details"])
    expect.equal("MACs of its NICs", [one["mac_address"] for one in nics], [_mac(lab.site)])


def _show_pause(lab: Lab, first: Guest, second: Guest) -> None:
    """It keeps its process, its VF and its place, and says nothing."""
    site, pid, place = lab.site, first.pid, first.place()
    site.do(f"server pause {first.name} --wait")
    expect.equal("the domain", _state(lab, first), _PAUSED)
    expect.equal("its VF", vf_now(lab.host, place), FIRST.wanted(site))
    expect.true("nobody reaches it", not second.reaches(address_of(site, FIRST)))
    site.do(f"server unpause {first.name} --wait")
    expect.equal("the domain", _state(lab, first), _RUNNING)
    expect.true("it is reached again", second.reaches(address_of(site, FIRST)))
    expect.equal("its QEMU and boots", (first.pid, first.boots), (pid, 1))


def _show_suspend(lab: Lab, first: Guest, second: Guest) -> None:
    """It lets go of its VF, which stays set for it, and is a file; then it goes on, and has the VF again."""
    site, place, mac = lab.site, first.place(), _mac(lab.site)
    met = first.nics().count((mac, "igbvf"))
    site.do(f"server suspend {first.name} --wait")
    listed = lab.host.virsh("list --all --managed-save").output
    expect.true("libvirt has its memory saved", _SAVED in _line_of(first, listed), listed)
    expect.equal("QEMUs of it", lab.host.read(f"/run/libvirt/qemu/{first.domain}.pid"), None)
    expect.equal("the VF that waits for it", vf_now(lab.host, place), FIRST.wanted(site))
    site.do(f"server resume {first.name} --wait")
    expect.equal("the domain", _state(lab, first), _RUNNING)
    expect.equal("its VF", (first.place(), vf_now(lab.host, place)), (place, FIRST.wanted(site)))
    first.wait_for("to meet its NIC again", 60, lambda: first.nics().count((mac, "igbvf")) > met)
    expect.true("it is reached again", second.reaches(address_of(site, FIRST)))
    expect.equal("its boots", first.boots, 1)


def _show_rebuild(lab: Lab, first: Guest, second: Guest) -> None:
    """Its guest starts from nothing, with the VF and the addresses that it had."""
    site, before = lab.site, (first.place(), _mac(lab.site), address_of(lab.site, FIRST))
    pid, ready = first.pid, first.console.count(_READY)
    site.do(f"server rebuild {first.name} --wait")
    first.wait_for("to boot again", READY_SECONDS, lambda: first.console.count(_READY) > ready)
    expect.true("its QEMU is another", first.pid != pid)
    expect.equal("VF, MAC and address", (first.place(), _mac(site), address_of(site, FIRST)), before)
    expect.equal("its VF before its new QEMU was", first.vf_before_start(), FIRST.wanted(site))
    expect.true("it is reached again", second.reaches(address_of(site, FIRST)))


def _state(lab: Lab, guest: Guest) -> str:
    return lab.host.virsh(f"domstate {guest.domain}").output.strip()


def _line_of(guest: Guest, listed: str) -> str:
    return next((line for line in listed.splitlines() if guest.domain in line), "")


def _vcpu_nanoseconds(lab: Lab, guest: Guest) -> int:
    told = lab.host.virsh(f"domstats --vcpu {guest.domain}").output
    return next(int(line.partition("=")[2]) for line in told.splitlines() if "vcpu.0.time=" in line)


def _mac(site: Site) -> str:
    return str(site.port_of(FIRST.name)["mac_address"])


POWER = Phase(
    "power", "a guest is paused, saved with its VF taken out, goes on each time where it was, and is made anew",
    _show, limit_seconds=240, needs=(GUESTS,),
)  # fmt: skip
