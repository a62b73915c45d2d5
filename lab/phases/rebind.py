"""A PF under running guests loses its driver, leaves the bus and is renamed: what they have meanwhile, and then."""

from dataclasses import dataclass
from functools import partial

from lab import expect
from lab.bed import Lab
from lab.guests import Guest, Place, places, vf_now
from lab.handed import handed, noting
from lab.machine.arguments import PFS, LabPf
from lab.machine.host import Host
from lab.phase import Phase
from lab.phases.guests import FIRST, SECOND, Member, address_of, offer_rate
from lab.phases.inventory import INVENTORY

_AWAY_SECONDS, _BACK_SECONDS = 90.0, 120.0
_OTHER_NAME, _FOREIGN_VLAN = "lan7", 999
_PAIR = (FIRST, SECOND)


@dataclass(frozen=True, slots=True)
class _Loss:
    """How a PF goes and comes back, as shell commands of its PCI address, and what its host says meanwhile."""

    says: str
    lose: str
    regain: str
    hold: str | None


_LOSSES = (
    _Loss("its driver lets it go", "echo {0} > /sys/bus/pci/drivers/igb/unbind",
          "echo {0} > /sys/bus/pci/drivers/igb/bind", "no driver has it"),
    _Loss("it leaves the bus", "echo 1 > /sys/bus/pci/devices/{0}/remove", "echo 1 > /sys/bus/pci/rescan", None),
)  # fmt: skip


def have_pair(lab: Lab) -> None:
    """Two guests with a VF each that reach each other; those of an earlier phase, where there are any."""
    site = lab.site
    offer_rate(site)
    for member in _PAIR:
        if site.server(member.name) is None:
            member.boot(site)
    for member in _PAIR:
        site.wait_for(f"server {member.name}", partial(site.is_active, member.name), 180)
    for member in _PAIR:
        Guest(site, member.name).wait_until_ready()
    expect.true("they reach each other", Guest(site, FIRST.name).reaches(address_of(site, SECOND)))


def _show(lab: Lab) -> None:
    have_pair(lab)
    with noting(lab.host):
        for loss in _LOSSES:
            _show_loss(lab, loss)
    _show_rename(lab)
    lab.site.audit()


def _show_loss(lab: Lab, loss: _Loss) -> None:
    """The guest runs on without; its server says so, and has the same VF again, set before it is handed over."""
    host, site, guest = lab.host, lab.site, Guest(lab.site, FIRST.name)
    pid, place, address = guest.pid, guest.place(), guest.pci_address()
    seen, gone = guest.console.count("driver=igbvf"), guest.console.count("GUEST gone")
    pf = next(pf for pf in PFS if pf.name == place.pf)
    bus = host.must(f"basename $(readlink /sys/class/net/{pf.name}/device)").strip()
    # It returns once the guest has let go.
    host.channel.start(["sh", "-c", loss.lose.format(bus)], log="/run/lab/loss.log")
    host.wait_for(
        "its VFs to go", _AWAY_SECONDS, lambda: pf.name not in {one.pf for one in places(host).values()}
    )
    host.wait_for("the guest to see it go", 30, lambda: guest.console.count("GUEST gone") > gone)
    site.wait_for("its server to say so", lambda: (site.server(FIRST.name) or {}).get("status") == "ERROR")
    lab.progress.say(f"    {loss.says}: {(site.server(FIRST.name) or {}).get('fault')}")
    expect.equal("devices in its domain", guest.definition().findall("devices/hostdev"), [])
    if loss.hold is not None:
        holds = str(site.do("host show compute-1")["holds"])
        expect.true("the host says what is the matter", loss.hold in holds, holds)
    host.must(loss.regain.format(bus))
    _name(host, pf, bus)
    site.wait_for("its server to be ACTIVE again", partial(_is_up, lab, FIRST), _BACK_SECONDS)
    expect.equal("its VF", (guest.place(), guest.pci_address()), (place, address))
    expect.equal("that VF now", vf_now(host, place), FIRST.wanted(site))
    expect.equal("it as it was when it was handed over", handed(host, address, place).vf, FIRST.wanted(site))
    host.wait_for("the guest to see it", 60, lambda: guest.console.count("driver=igbvf") > seen)
    expect.equal("its QEMU", guest.pid, pid)
    expect.true("it reaches the other one again", guest.reaches(address_of(site, SECOND)))


def _show_rename(lab: Lab) -> None:
    """Under its new name the PF is looked after as before."""
    host, site = lab.host, lab.site
    place, told = Guest(site, FIRST.name).place(), len(site.events("drift_repaired"))
    host.must(f"ip link set {place.pf} name {_OTHER_NAME}")
    host.must(f"ip link set {_OTHER_NAME} vf {place.index} vlan {_FOREIGN_VLAN}")
    site.wait_for("the event of its repair", lambda: len(site.events("drift_repaired")) > told)
    renamed = Place(_OTHER_NAME, place.index)
    expect.equal("the VF of the renamed PF", vf_now(host, renamed), FIRST.wanted(site))
    host.must(f"ip link set {_OTHER_NAME} name {place.pf}")
    expect.true("its server is ACTIVE", site.is_active(FIRST.name))


def _is_up(lab: Lab, member: Member) -> bool:
    """It was in ERROR before, which is not for ever."""
    return (lab.site.server(member.name) or {}).get("status") == "ACTIVE"


def _name(host: Host, pf: LabPf, bus: str) -> None:
    """As udev's rules would: the kernel calls it eth0, or whatever is free."""
    found = host.wait_for("its network device", 30, partial(_network_device, host, bus))
    if found != pf.name:
        host.run(f"ip link set {found} name {pf.name}")
    host.must(f"test -e /sys/class/net/{pf.name}")


def _network_device(host: Host, bus: str) -> str | None:
    return host.run(f"ls /sys/bus/pci/devices/{bus}/net 2> /dev/null").output.strip() or None


REBIND = Phase(
    "rebind", "a PF loses its driver, leaves the bus, is renamed: its guest runs on, and has its VF again, set first",
    _show, limit_seconds=420, needs=(INVENTORY,),
)  # fmt: skip
