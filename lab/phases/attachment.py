"""NICs that running guests are given and asked for."""

from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, Guest, Vf, vf_now
from lab.phase import Phase
from lab.phases.guests import CREW, GUESTS, PLAIN, Member
from lab.site import BLUE_VLAN, Site

# On the NUMA node of the plain guest one VF is free: the others have the rest.
_VF = Member("late", "--network blue --vnic-type direct --vlan-priority 3", BLUE_VLAN, priority=3)
_TAP = Member("later", "--network blue", None)


def _show_attachment(lab: Lab) -> None:
    """A VF and a tap come to the guest of the plain server, which has none but its tap, and go."""
    site, guest = lab.site, Guest(lab.site, PLAIN.name)
    guest.wait_until_ready()
    pid = guest.pid
    for member in (_VF, _TAP):
        site.do(f"port create {member.name} {member.port}")
        site.do(f"server attach {PLAIN.name} --nic port={member.name} --wait")
    place = guest.place()
    wanted = _wanted(site, _VF)
    expect.equal("the attached VF", vf_now(lab.host, place), wanted)
    _sees(lab, guest, _mac(site, _VF), "igbvf")
    _sees(lab, guest, _mac(site, _TAP), "virtio_net")
    site.audit()
    for member in (_VF, _TAP):
        site.do(f"server detach {PLAIN.name} {member.name} --wait")
    both = len((_VF, _TAP))
    lab.host.wait_for("the guest to see both go", 30, lambda: guest.console.count("GUEST gone nic=") >= both)
    expect.equal("the detached VF", vf_now(lab.host, place), BASELINE)
    expect.equal("devices in its domain", guest.definition().findall("devices/hostdev"), [])
    expect.equal("its QEMU", guest.pid, pid)
    expect.equal(
        "VFs that control holds", len(_held(site)), len([one for one in CREW if one.vlan is not None])
    )
    site.audit()
    for member in (_VF, _TAP):
        site.do(f"port delete {member.name}")


def _sees(lab: Lab, guest: Guest, mac: str, driver: str) -> None:
    lab.host.wait_for(f"the guest to see {mac}", 60, lambda: (mac, driver) in guest.nics())


def _port(site: Site, member: Member) -> dict[str, object]:
    return dict(site.do(f"port show {member.name}"))


def _mac(site: Site, member: Member) -> str:
    return str(_port(site, member)["mac_address"])


def _wanted(site: Site, member: Member) -> Vf:
    return member.vf(_mac(site, member))


def _held(site: Site) -> list[object]:
    return [device["id"] for device in site.devices() if device["status"] == "ALLOCATED"]


ATTACH = Phase(
    "attach", "a running guest gets a VF and a tap, sees both, lets go of both; the VF is scrubbed, its QEMU the same",
    _show_attachment, limit_seconds=240, needs=(GUESTS,),
)  # fmt: skip
