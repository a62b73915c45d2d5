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


# The VF is set first. Kernel and ramdisk are fetched side by side, so the next deaths may fall on either, or on both at
# once. What follows is one chain, and each death in it leaves the host one step further. A guest is defined anew before
# it is started.
_IMAGES = 2
_LAST_DEATHS = [
    _Reached(1, _IMAGES, is_defined=False, is_running=False),
    _Reached(1, _IMAGES, is_defined=True, is_running=False),
    _Reached(1, _IMAGES, is_defined=True, is_running=True),
]


def _show(lab: Lab) -> None:
    site = lab.site
    offer_rate(site)
    site.agent.kill()
    lab.host.run(f"rm -rf {AGENT_STATE}/images")  # an earlier phase may have had them fetched
    site.agent.start(die_after_step=1)
    FIRST.boot(site)
    deaths = [_after_death(lab, 1)]
    while not deaths[-1].is_running and len(deaths) < _IMAGES + len(_LAST_DEATHS):
        site.agent.start(die_after_step=2 if deaths[-1].is_defined else 1)
        deaths.append(_after_death(lab, len(deaths) + 1))
    expect.equal("the host after each of the last deaths", deaths[-len(_LAST_DEATHS) :], _LAST_DEATHS)
    expect.true("a death at the fetching", len(deaths) > len(_LAST_DEATHS), deaths)
    for earlier in deaths[: -len(_LAST_DEATHS)]:
        nothing_else = _Reached(1, earlier.images, is_defined=False, is_running=False)
        expect.equal("the host while images are fetched", earlier, nothing_else)
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


def _after_death(lab: Lab, number: int) -> _Reached:
    lab.site.agent.wait_for_its_end()
    reached = _reached(lab)
    lab.progress.say(f"    death {number}: {reached}")
    return reached


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
