"""Settings that change while the guest runs: they reach its VF, or nobody, and the guest goes on."""

from collections.abc import Callable
from dataclasses import replace

from lab import expect
from lab.bed import Lab
from lab.guests import Guest, Vf, vf_now
from lab.machine.arguments import HOSTNAME, PFS
from lab.phase import Phase
from lab.phases.guests import CAP_MBPS, FIRST, GUESTS, SECOND, address_of
from lab.phases.taps import show_rate
from lab.site import BLUE_VLAN, Site

_PROFILE = "gold"
_LOWER_CAP_MBPS = 150
_PRIORITY, _CHANGED_PRIORITY = 3, 6
_RATE_MBPS, _CHANGED_RATE_MBPS = 300, 250
_AT_ONCE_SECONDS = 30.0
_MTU, _LOWER_MTU = 1500, 1400
_NO_RATE_MBPS = 5000  # over the link's speed: igb says EINVAL, and no table
# What no VF of igb can be told, by the capability that its row in the table takes from it.
_NEVER = {"--link-state enable": "link-state", "--vlan-protocol 802.1ad": "802.1ad"}


def _show(lab: Lab) -> None:
    site = lab.site
    first, second = (Guest(site, member.name) for member in (FIRST, SECOND))
    for guest in (first, second):
        guest.wait_until_ready()
    before = [(guest.pid, guest.boots) for guest in (first, second)]
    _show_cap(lab, first)
    _show_profile(lab, second)
    _show_priority(lab, second)
    _show_what_stands(lab, second)
    _show_what_the_driver_refuses(lab, second)
    _undo(lab, second)
    show_rate(lab)
    _show_lowered_mtu(lab)
    expect.equal("their QEMUs and boots", [(guest.pid, guest.boots) for guest in (first, second)], before)
    expect.true("second reaches first", second.reaches(address_of(site, FIRST)))
    site.audit()


def _show_cap(lab: Lab, first: Guest) -> None:
    """A QoS policy's; a promise is what a device was claimed for, so that stands."""
    site, wanted = lab.site, FIRST.wanted(lab.site)
    site.do(f"qos set capped --max-mbps {_LOWER_CAP_MBPS}")
    _becomes(lab, first, replace(wanted, max_rate_mbps=_LOWER_CAP_MBPS))
    _refused(site, "qos set capped --min-mbps 10", FIRST.name, "minimum bandwidth")
    site.do(f"qos set capped --max-mbps {CAP_MBPS}")
    _becomes(lab, first, wanted)


def _show_profile(lab: Lab, second: Guest) -> None:
    """One that the port gets while it is in use, and that changes."""
    site, wanted = lab.site, SECOND.wanted(lab.site)
    site.do(
        f"port-profile create {_PROFILE} --vlan-priority {_PRIORITY} --max-mbps {_RATE_MBPS} --no-spoof-check"
    )
    site.do(f"port set {SECOND.name} --port-profile {_PROFILE}")
    _becomes(lab, second, replace(wanted, priority=_PRIORITY, max_rate_mbps=_RATE_MBPS))
    # From here on the profile alone says it.
    site.do(f"port set {SECOND.name} --port-security")
    for is_checked in (True, False):
        site.do(f"port-profile set {_PROFILE} --{'' if is_checked else 'no-'}spoof-check")
        _becomes(
            lab, second, replace(wanted, priority=_PRIORITY, max_rate_mbps=_RATE_MBPS, spoof_check=is_checked)
        )


def _show_priority(lab: Lab, second: Guest) -> None:
    """The wire has it, in the frames by which the guest looks for somebody."""
    site = lab.site
    site.do(
        f"port-profile set {_PROFILE} --vlan-priority {_CHANGED_PRIORITY} --max-mbps {_CHANGED_RATE_MBPS}"
    )
    _becomes(lab, second, _changed(site))
    mark, mac = lab.wire.mark(), site.port_of(SECOND.name)["mac_address"]
    _ = second.output("ip neigh flush dev eth0")
    expect.true("second reaches first", second.reaches(address_of(site, FIRST)))
    tags = {(frame.vlan, frame.priority) for frame in lab.wire.frames(mark) if frame.source == mac}
    expect.equal("tags of second's frames on the wire", tags, {(BLUE_VLAN, _CHANGED_PRIORITY)})


def _show_what_stands(lab: Lab, second: Guest) -> None:
    """What a device was claimed for, and what its network or mechanism rules out: refused, with the ports named."""
    site = lab.site
    for change, why in (
        ("--trust", "trust cannot go on"),
        ("--min-mbps 10", "minimum bandwidth"),
        ("--unset vlan-priority --allowed-vlans 100,200-299", "trunk"),
        *((change, f"igb has no {capability}") for change, capability in _NEVER.items()),
    ):
        _refused(site, f"port-profile set {_PROFILE} {change}", SECOND.name, why)
    expect.equal("its VF after what was refused", vf_now(lab.host, second.place()), _changed(site))


def _show_what_the_driver_refuses(lab: Lab, second: Guest) -> None:
    """Of what it alone knows, the port says so in its words: the guest runs on with the VF as it was, and as ACTIVE."""
    site = lab.site
    site.do(f"port-profile set {_PROFILE} --vlan-priority {_PRIORITY} --max-mbps {_NO_RATE_MBPS}")
    _wait(lab, "the port in ERROR", lambda: _status(site) == "ERROR")
    server = site.server(SECOND.name) or {}
    fault = str(site.events("port_failed")[-1]["message"])
    expect.true("the event of the port tells the kernel's answer", "Invalid argument" in fault, fault)
    expect.equal("its server's status", server.get("status"), "ACTIVE")
    expect.equal("its VF", vf_now(lab.host, second.place()), _changed(site))
    expect.true("second still reaches first", second.reaches(address_of(site, FIRST)))
    site.do(
        f"port-profile set {_PROFILE} --vlan-priority {_CHANGED_PRIORITY} --max-mbps {_CHANGED_RATE_MBPS}"
    )
    _becomes(lab, second, _changed(site))
    lab.progress.say(f"    {fault[:300]}")


def _undo(lab: Lab, second: Guest) -> None:
    site = lab.site
    site.do(f"port set {SECOND.name} --no-port-profile --no-port-security")
    _becomes(lab, second, SECOND.wanted(site))
    site.do(f"port-profile delete {_PROFILE}")


def _show_lowered_mtu(lab: Lab) -> None:
    """Who has a VF of a PF, or a vNIC on its bridge, would lose frames: what the policy wants is held, and named."""
    site, wanted = lab.site, f"to {_LOWER_MTU}"
    site.do(f"policy set lab --mtu {_LOWER_MTU}")
    _wait(lab, "the host to say that this is held", lambda: _holds(site).count(wanted) == len(PFS))
    expect.true("it says why", "would lose larger frames" in _holds(site), _holds(site))
    mtus = {str(lab.host.links(pf.name)[0]["mtu"]) for pf in PFS}
    expect.equal("MTU of the PFs", mtus, {str(_MTU)})
    site.do(f"policy set lab --mtu {_MTU}")
    _wait(lab, "nothing to be held", lambda: wanted not in _holds(site))


def _holds(site: Site) -> str:
    return str(site.do(f"host show {HOSTNAME}")["holds"])


def _changed(site: Site) -> Vf:
    return replace(SECOND.wanted(site), priority=_CHANGED_PRIORITY, max_rate_mbps=_CHANGED_RATE_MBPS)


def _becomes(lab: Lab, guest: Guest, wanted: Vf) -> None:
    place = guest.place()
    _wait(lab, f"{place} to be {wanted}", lambda: vf_now(lab.host, place) == wanted)
    _wait(
        lab,
        f"the port of {guest.name} to be ACTIVE",
        lambda: lab.site.port_of(guest.name)["status"] == "ACTIVE",
    )


def _refused(site: Site, typed: str, *words: str) -> None:
    done = site.try_to(typed)
    expect.true(f"`{typed}` is refused", done.exit_code != 0, done.stdout)
    for word in words:
        expect.true(f"the refusal says '{word}'", word in done.stderr, done.stderr)


def _status(site: Site) -> object:
    return site.port_of(SECOND.name)["status"]


def _wait(lab: Lab, what: str, look: Callable[[], bool]) -> None:
    lab.site.wait_for(what, look, _AT_ONCE_SECONDS)


LIVE = Phase(
    "live", "changed rates, priorities and checks reach a running guest's VF; what cannot change says so, and whose",
    _show, limit_seconds=180, needs=(GUESTS,),
)  # fmt: skip
