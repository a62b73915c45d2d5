"""What others do behind the agent's back: change a VF, restart libvirt."""

import json

from fairlead.hoststate.desired import BRIDGE_PREFIX, TAP_PREFIX
from lab import expect
from lab.bed import Lab
from lab.errors import PhaseFailed
from lab.guests import Guest, vf_now
from lab.netlink_trace import Kind, watched
from lab.phase import Phase
from lab.phases.guests import CREW, FIRST, GUESTS
from lab.phases.taps import show_tap_drift

_FOREIGN_VLAN = 999
_UNUSED_MAC, _OTHERS_MAC = "fa:16:3e:66:66:66", "fa:16:3e:77:77:77"
_MOST_MILLISECONDS = 1000
_TRIES = 3
# It gives its threads half a minute to end before it ends without them (virNetDaemonRun).
_LIBVIRTD_SECONDS = 60


def _show_drift(lab: Lab) -> None:
    """On an emulated CPU that others use as well a second may be short: the quickest of some repairs counts."""
    took = _repair(lab)
    for _ in range(_TRIES - 1):
        took = took if took < _MOST_MILLISECONDS else min(took, _repair(lab))
    expect.true(f"repaired within {_MOST_MILLISECONDS} ms", took < _MOST_MILLISECONDS, f"(it took {took} ms)")
    _show_unused(lab)
    show_tap_drift(lab)


def _repair(lab: Lab) -> int:
    """Change two fields of a VF and see both set again by one message; how many milliseconds it took."""
    host, site = lab.host, lab.site
    place, told_before = Guest(site, FIRST.name).place(), len(site.events("drift_repaired"))
    with watched(host) as requests:
        host.must(f"ip link set {place.pf} vf {place.index} vlan {_FOREIGN_VLAN} trust on")
        site.wait_for("the event that tells it", lambda: len(site.events("drift_repaired")) > told_before)
    expect.equal("the VF after its repair", vf_now(host, place), FIRST.wanted(site))
    changes = [request for request in requests if request.kind in (Kind.NEW, Kind.SET) and request.with_vfs]
    expect.equal(
        "messages that set VFs: the foreign one, the repair", [c.kind for c in changes], [Kind.NEW, Kind.SET]
    )
    told = str(site.events("drift_repaired")[-1]["message"])
    for found in (f"vlan was {_FOREIGN_VLAN}", "trust was True"):
        expect.true(f"the event tells '{found}'", found in told, told)
    took = round(1000 * (changes[1].at - changes[0].at))
    lab.progress.say(f"    repaired after {took} ms: {told}")
    return took


def _show_unused(lab: Lab) -> None:
    """An agent died after it had taken a tap: what it had the uplink let in goes, and what others let in stays."""
    host = lab.host
    ((uplink, index, bridge),) = [
        (name, link["ifindex"], link["master"])
        for link in host.links()
        if str(link.get("master")).startswith(BRIDGE_PREFIX)
        and not (name := str(link["ifname"])).startswith(TAP_PREFIX)
    ]

    def has(mac: str) -> bool:
        return any(entry["mac"] == mac for entry in json.loads(host.must(f"bridge -j fdb show dev {uplink}")))

    kept = f"/run/fairlead/uplinks/{bridge}"
    for mac in (_UNUSED_MAC, _OTHERS_MAC):
        host.must(f"bridge fdb add {mac} dev {uplink} self")
    expect.true("both are let in", has(_UNUSED_MAC) and has(_OTHERS_MAC))
    host.must(f"mkdir -p {kept} && touch {kept}/{index}-{_UNUSED_MAC} && ip link set nlmon0 alias unused")
    lab.site.wait_for("what no tap needs to go", lambda: not has(_UNUSED_MAC))
    expect.equal("what is kept of it", host.run(f"ls {kept} | grep {_UNUSED_MAC}").output, "")
    expect.true("what others let in stays", has(_OTHERS_MAC))
    host.must(f"bridge fdb del {_OTHERS_MAC} dev {uplink} self")


def _show_libvirt(lab: Lab) -> None:
    host, site = lab.host, lab.site
    guests = [Guest(site, member.name) for member in CREW]
    before = [guest.pid for guest in guests]
    host.must("kill $(cat /run/libvirtd.pid)")
    host.wait_for("libvirtd's end", _LIBVIRTD_SECONDS, lambda: host.run("pidof libvirtd").code != 0)
    host.must("/usr/sbin/libvirtd --daemon")
    host.wait_for_libvirt()
    expect.equal("QEMU's process ids", [guest.pid for guest in guests], before)
    for pid in before:
        expect.true(f"process {pid} runs", "qemu" in (host.read(f"/proc/{pid}/cmdline") or ""))
    for member in CREW:
        if member.vlan is not None:
            place = Guest(site, member.name).place()
            expect.equal(f"the VF of {member.name}", vf_now(host, place), member.wanted(site))
    domain = site.try_to(f"server domain {FIRST.name}")
    if "<hostdev" not in domain.stdout:
        raise PhaseFailed(f"the agent cannot reach the new libvirt: {domain.stderr}{site.agent.words}")
    site.audit()


DRIFT = Phase(
    "drift", "a VF changed behind the agent's back is repaired within a second, in one message, and an event tells it",
    _show_drift, limit_seconds=90, needs=(GUESTS,),
)  # fmt: skip
LIBVIRT = Phase(
    "libvirt", "libvirtd restarts under running guests: they run on, their VFs stay, the agent finds it again",
    _show_libvirt, limit_seconds=180, needs=(GUESTS,),
)  # fmt: skip
