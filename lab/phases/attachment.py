"""NICs that running guests are given and asked for, and a guest that does not let go."""

from functools import partial

from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, Guest, Vf, vf_now
from lab.phase import Phase
from lab.phases.guests import CREW, FIRST, GUESTS, PLAIN, SECOND, Member, address_of
from lab.phases.release import NEXT, REUSE
from lab.pinging import pinging
from lab.site import BLUE_VLAN, Site

# On the NUMA node of the plain guest one VF is free: the others have the rest.
_VF = Member("late", "--network blue --vnic-type direct --vlan-priority 3", BLUE_VLAN, priority=3)
_TAP = Member("later", "--network blue", None)
_DEAF = Member("deaf", "--network blue --vnic-type direct", BLUE_VLAN)
# Whoever asks for it again gets the same answer.
_REQUESTS = 2
# Neither of the two ways in which a kernel hears that a device shall go (PCI Express' own, and ACPI's).
_NO_HOTPLUG = "pcie_ports=compat acpiphp.disable=1"


def _show_attachment(lab: Lab) -> None:
    """A VF and a tap come to the guest of the plain server, which has none but its tap, and go; it talks meanwhile, and
    so does a guest whose VF is not concerned.
    """
    site, guest, first = lab.site, Guest(lab.site, PLAIN.name), Guest(lab.site, FIRST.name)
    for one in (guest, first, Guest(site, SECOND.name)):
        one.wait_until_ready()
    pid, second = guest.pid, address_of(site, SECOND)
    with pinging(guest, second), pinging(first, second):
        _come_and_go(lab, guest)
    expect.equal("its QEMU", guest.pid, pid)
    expect.equal("its boots", guest.boots, 1)


def _come_and_go(lab: Lab, guest: Guest) -> None:
    site = lab.site
    for member in (_VF, _TAP):
        site.do(f"port create {member.name} {member.port}")
        site.do(f"server attach {PLAIN.name} --nic port={member.name} --wait")
    place = guest.place()
    wanted = _wanted(site, _VF)
    expect.equal("the attached VF", vf_now(lab.host, place), wanted)
    _sees(guest, _mac(site, _VF), "igbvf")
    _sees(guest, _mac(site, _TAP), "virtio_net")
    site.audit()
    seen = guest.addresses()
    expect.equal("NICs that the guest sees", len(seen), len((PLAIN, _VF, _TAP)))
    site.wait_for(
        "the next boot's NICs where the guest sees them", lambda: guest.addresses_at_boot() == seen, 60
    )
    for member in (_VF, _TAP):
        site.do(f"server detach {PLAIN.name} {member.name} --wait")
        del seen[f"ua-{_port(site, member)['id']}"]
        site.wait_for("those that stay there", lambda: guest.addresses_at_boot() == seen, 60)
    both = len((_VF, _TAP))
    guest.wait_for("to see both go", 30, lambda: guest.console.count("GUEST gone nic=") >= both)
    expect.equal("the detached VF", vf_now(lab.host, place), BASELINE)
    expect.equal("devices in its domain", guest.definition().findall("devices/hostdev"), [])
    expect.equal(
        "VFs that control holds", len(_held(site)), len([one for one in CREW if one.vlan is not None])
    )
    site.audit()
    for member in (_VF, _TAP):
        site.do(f"port delete {member.name}")


def _show_deafness(lab: Lab) -> None:
    """It boots in the next one's place, keeps its VF when asked for it, and loses it by force alone."""
    site, host = lab.site, lab.host
    site.do(f"server delete {NEXT.name} --wait")
    site.offer_kernel(lab.image, "deaf", str(site.do("image show ramdisk")["id"]), _NO_HOTPLUG)
    site.do(f"port create {_DEAF.name} {_DEAF.port}")
    site.do(f"server create {_DEAF.name} --flavor near --image deaf --nic port={_DEAF.name}")
    site.wait_for("the deaf server", partial(site.is_active, _DEAF.name), 120)
    guest = Guest(site, _DEAF.name)
    guest.wait_until_ready()
    place, address, wanted = guest.place(), guest.pci_address(), _wanted(site, _DEAF)
    with pinging(guest, address_of(site, SECOND)):
        for _ in range(_REQUESTS):
            done = site.try_to(f"server detach {_DEAF.name} {_DEAF.name} --wait")
            expect.true(
                "that its guest keeps the NIC is told", "the guest keeps it" in done.stderr, done.stderr
            )
            expect.true(
                "and what force costs", "--force` reboots the server hard" in done.stderr, done.stderr
            )
            expect.equal("status of its port", _port(site, _DEAF)["status"], "ERROR")
            expect.equal(
                "the VF that it keeps", (guest.pci_address(), vf_now(host, place)), (address, wanted)
            )
    expect.true("its server is active", site.is_active(_DEAF.name))
    pid = guest.pid
    site.do(f"server detach {_DEAF.name} {_DEAF.name} --force --wait")
    expect.equal("the VF that was taken from it", vf_now(host, place), BASELINE)
    site.wait_for("its guest", lambda: guest.definition().findall("devices/hostdev") == [], 120)
    expect.true("force was a boot: another QEMU", guest.pid != pid)
    site.audit()
    site.do(f"server delete {_DEAF.name} --wait")
    site.do(f"port delete {_DEAF.name}")


def _sees(guest: Guest, mac: str, driver: str) -> None:
    guest.wait_for(f"to see {mac}", 60, lambda: (mac, driver) in guest.nics())


def _port(site: Site, member: Member) -> dict[str, object]:
    return dict(site.do(f"port show {member.name}"))


def _mac(site: Site, member: Member) -> str:
    return str(_port(site, member)["mac_address"])


def _wanted(site: Site, member: Member) -> Vf:
    return member.vf(_mac(site, member))


def _held(site: Site) -> list[object]:
    return [device["id"] for device in site.devices() if device["status"] == "ALLOCATED"]


ATTACH = Phase(
    "attach", "a running guest gets a VF and a tap, at one place for boots to come, lets go of both, and loses no ping",
    _show_attachment, limit_seconds=240, needs=(GUESTS,),
)  # fmt: skip
DEAF = Phase(
    "deaf", "a guest that does not let go keeps its VF as it is, its port says so, and force is a hard reboot",
    _show_deafness, limit_seconds=300, needs=(REUSE,),
)  # fmt: skip
