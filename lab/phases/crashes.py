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


# A boot is: fetch kernel and ramdisk, side by side; configure the VF, define, start. What an agent has fetched or
# configured is not done again, so the next one's first step is what follows.
_IMAGES = 2
_DIES_AFTER = (
    (1, _Reached(1, _IMAGES, is_defined=False, is_running=False)),
    (1, _Reached(1, _IMAGES, is_defined=True, is_running=False)),
    (2, _Reached(1, _IMAGES, is_defined=True, is_running=True)),
)


def _show(lab: Lab) -> None:
    site = lab.site
    offer_rate(site)
    site.agent.kill()
    site.agent.start(die_after_step=1)
    FIRST.boot(site)
    site.agent.wait_for_its_end()
    images = _reached(lab).images
    expect.true("one image is fetched, or both", images > 0)
    nothing_else = _Reached(0, images, is_defined=False, is_running=False)
    expect.equal("the host after the agent's death 1", _reached(lab), nothing_else)
    for number, (steps, wanted) in enumerate(_DIES_AFTER, 1):
        left = _IMAGES - images if number == 1 else 0
        site.agent.start(die_after_step=left + steps)
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
    cached = host.run(f"ls {AGENT_STATE}/images 2> /dev/null").output.split()
    images = [name for name in cached if not name.endswith(".part")]
    defined = host.virsh("list --all --name").output.split()
    running = host.virsh("list --name").output.split()
    return _Reached(configured, len(images), bool(defined), bool(running))


CRASHES = Phase(
    "crashes", "the agent is killed after each step of a boot in turn; the guest runs, nothing is lost or held twice",
    _show, limit_seconds=300, needs=(INVENTORY,),
)  # fmt: skip
