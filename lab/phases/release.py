"""What is left after a server: a clean VF for the next one, and in the end nothing."""

from fairlead.hoststate.desired import BRIDGE_PREFIX, TAP_PREFIX
from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, Guest, places, vf_now
from lab.machine.host import Host
from lab.phase import Phase
from lab.phases.guests import CREW, FIRST, GUESTS, OTHER, Member
from lab.site import BLUE_VLAN, Site

# The CPUs and VFs that the other one leaves are the only ones free on its NUMA node, so the next one gets its VF.
NEXT = Member("next", "--network blue --vnic-type direct", BLUE_VLAN)
# Stop the guest; remove it; scrub its VF: each agent's first step is the one that the last one left.
_LAST_STEPS = 3


def _show_reuse(lab: Lab) -> None:
    host, site = lab.host, lab.site
    guest = Guest(site, OTHER.name)
    place, address = guest.place(), guest.pci_address()
    site.do(f"server delete {OTHER.name} --wait")
    expect.equal("the deleted server's VF", vf_now(host, place), BASELINE)
    expect.true("its domain is gone", guest.domain not in host.virsh("list --all --name").output)
    NEXT.boot(site)
    site.wait_for("the next server", lambda: site.is_active(NEXT.name), 120)
    heir = Guest(site, NEXT.name)
    expect.equal("the next server's VF", heir.pci_address(), address)
    expect.equal("that VF before its QEMU was", heir.vf_before_start(), NEXT.wanted(site))
    site.audit()


def _show_end(lab: Lab) -> None:
    """The first one goes with an agent that dies after each step, the others at once."""
    host, site = lab.host, lab.site
    others = [member.name for member in (*CREW, NEXT) if member is not FIRST and site.server(member.name)]
    site.do(f"server delete {' '.join(others)} --wait")
    place = Guest(site, FIRST.name).place()
    site.agent.kill()
    for death in range(_LAST_STEPS):
        site.agent.start(die_after_step=1)
        if death == 0:
            site.do(f"server delete {FIRST.name}")
        site.agent.wait_for_its_end()
    expect.equal("the VF after the scrub, with its agent dead", vf_now(host, place), BASELINE)
    site.agent.start()
    site.wait_for("the server's end", lambda: site.server(FIRST.name) is None)
    _nothing_left(host, site)


def _nothing_left(host: Host, site: Site) -> None:
    for place in places(host).values():
        expect.equal(f"{place} in the end", vf_now(host, place), BASELINE)
    expect.equal("domains", host.virsh("list --all --name").output.split(), [])
    ours = [
        link["ifname"] for link in host.links() if str(link["ifname"]).startswith((BRIDGE_PREFIX, TAP_PREFIX))
    ]
    expect.equal("bridges and taps", ours, [])
    statuses = {device["status"] for device in site.devices() if device["kind"] == "vf"}
    expect.equal("VFs in control", statuses, {"AVAILABLE"})
    site.audit()


REUSE = Phase(
    "reuse", "a deleted server's VF is at its baseline, and serves another port on another VLAN",
    _show_reuse, limit_seconds=180, needs=(GUESTS,),
)  # fmt: skip
END = Phase(
    "end", "all servers go, one with the agent killed after each step: every VF is clean and free, nothing is left",
    _show_end, limit_seconds=150, needs=(GUESTS,),
)  # fmt: skip
