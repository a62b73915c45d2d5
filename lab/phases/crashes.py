"""The agent dies between any two steps of a boot, and the next one goes on."""

from dataclasses import dataclass

from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, Guest, places, vf_now
from lab.phase import Phase
from lab.phases.guests import FIRST, offer_rate
from lab.phases.inventory import INVENTORY
from lab.site import AGENT_STATE


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far a boot has got, by what is on the host."""

    configured_vfs: int
    images: int
    is_defined: bool
    is_running: bool


# A boot is: configure the VF, fetch the kernel, fetch the ramdisk, define, start. A configured VF is not configured
# again, so the second agent's first step is the boot's second one, and so on.
_DIES_AFTER = (
    (1, _Reached(1, 0, is_defined=False, is_running=False)),
    (1, _Reached(1, 1, is_defined=False, is_running=False)),
    (2, _Reached(1, 2, is_defined=False, is_running=False)),
    (3, _Reached(1, 2, is_defined=True, is_running=False)),
    (4, _Reached(1, 2, is_defined=True, is_running=True)),
)


def _show(lab: Lab) -> None:
    site = lab.site
    offer_rate(site)
    site.agent.kill()
    for number, (steps, wanted) in enumerate(_DIES_AFTER):
        site.agent.start(die_after_step=steps)
        if number == 0:
            FIRST.boot(site)
        site.agent.wait_for_its_end()
        expect.equal(f"the host after the agent's death {number + 1}", _reached(lab), wanted)
        lab.progress.say(f"    death {number + 1}: {wanted}")
    site.agent.start()
    site.wait_for("the server that survived its agents", lambda: site.is_active(FIRST.name))
    guest = Guest(site, FIRST.name)
    expect.equal("its VF", vf_now(lab.host, guest.place()), FIRST.wanted(site))
    held = {device["pci_address"]: device["status"] for device in site.devices() if device["kind"] == "vf"}
    expect.equal(
        "devices held", [vf for vf, status in held.items() if status != "AVAILABLE"], [guest.pci_address()]
    )
    expect.equal("domains", lab.host.virsh("list --all --name").output.split(), [guest.domain])
    site.audit()


def _reached(lab: Lab) -> _Reached:
    host = lab.host
    configured = sum(vf_now(host, place) != BASELINE for place in places(host).values())
    images = host.run(f"ls {AGENT_STATE}/images 2> /dev/null").output.split()
    defined = host.virsh("list --all --name").output.split()
    running = host.virsh("list --name").output.split()
    return _Reached(configured, len(images), bool(defined), bool(running))


CRASHES = Phase(
    "crashes", "the agent is killed after each step of a boot in turn; the guest runs, nothing is lost or held twice",
    _show, limit_seconds=300, needs=(INVENTORY,),
)  # fmt: skip
