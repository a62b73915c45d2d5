"""What the agent makes of an untouched host, and what it costs."""

from collections import Counter

from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, places, vf_now
from lab.machine.arguments import MANAGEMENT_NIC, PFS
from lab.netlink_trace import Kind, watched
from lab.phase import Phase
from lab.phases.hardware import HARDWARE
from lab.site import PHYSICAL_NETWORK, VFS_OF_A_PF, Site

_MOST_MIB = 60
_WAKES = 3
# The agent passes within milliseconds of an event, which is not told outside when there is nothing to do.
_PASS_SECONDS = 1.5


def _show(lab: Lab) -> None:
    host, site = lab.host, lab.site
    site.enrol()
    known = {device["name"]: device for device in site.devices() if device["kind"] == "pf"}
    expect.equal("the NICs in the inventory", set(known), {MANAGEMENT_NIC, *(pf.name for pf in PFS)})
    for pf in PFS:
        expect.equal(f"NUMA node of {pf.name}", known[pf.name]["numa_node"], pf.numa_node)
    site.prepare(lab.image)
    _no_management(site)
    by_pf = Counter(place.pf for place in places(host).values())
    expect.equal("VFs of each PF in sysfs", by_pf, {pf.name: VFS_OF_A_PF for pf in PFS})
    for place in places(host).values():
        expect.equal(f"an untouched VF, {place}", vf_now(host, place), BASELINE)


def _no_management(site: Site) -> None:
    """Even a policy that names it and a flavor that asks for it do not get the NIC with the default route."""
    site.do(f"policy create everything --pf '*' --physical-network {PHYSICAL_NETWORK}")
    site.do("alias create any-nic --kind pf --vendor 1af4")
    site.do("flavor create whole-nic --memory-mib 64 --alias any-nic")
    explained = site.session.post("/v1/explain", _boot(site, "whole-nic"))["explanation"]
    expect.true("no server gets the management NIC", "is managed here" in str(explained), explained)
    expect.equal("hosts that could give it", isinstance(explained, dict) and explained["fitting"], [])
    (nic,) = [device for device in site.devices() if device["name"] == MANAGEMENT_NIC]
    expect.equal("the management NIC's physical network", nic["physical_network"], None)
    site.do("policy delete everything")


def _boot(site: Site, flavor: str) -> dict[str, object]:
    identity = site.do(f"flavor show {flavor}")["id"]
    return {"server": {"name": "explain", "flavorRef": identity, "networks": "none"}}


def _show_costs(lab: Lab) -> None:
    host, agent = lab.host, lab.site.agent
    status = host.read(f"/proc/{agent.pid}/status") or ""
    (resident,) = [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS")]
    expect.true(
        f"the agent's resident memory is below {_MOST_MIB} MiB", resident < _MOST_MIB, f"({resident} MiB)"
    )
    with watched(host) as requests:
        for number in range(_WAKES):
            host.must(f"ip link set nlmon0 alias wake-{number}; sleep {_PASS_SECONDS}")
    passes = sum(request.kind is Kind.DUMP and request.family == 0 for request in requests)
    expect.true(f"each of {_WAKES} events caused a pass", passes >= _WAKES, f"({passes} passes)")
    indexes = {link["ifindex"] for link in host.links() if link["ifname"] in {pf.name for pf in PFS}}
    for index in indexes:
        asked = sum(
            request.kind is Kind.GET and request.with_vfs and request.index == index for request in requests
        )
        expect.equal(f"requests for the VFs of network device {index} in {passes} passes", asked, passes)
    expect.equal("things set by passes with nothing to do", [r for r in requests if r.kind is Kind.SET], [])
    lab.progress.say(f"    {resident} MiB resident; {passes} passes, one request for each PF and pass")


INVENTORY = Phase(
    "inventory", "the agent enrols, finds the PFs and makes their VFs; the management NIC is never offered",
    _show, limit_seconds=180, needs=(HARDWARE,),
)  # fmt: skip
COSTS = Phase(
    "costs", f"the agent stays below {_MOST_MIB} MiB and asks the kernel once for each PF and pass",
    _show_costs, limit_seconds=90, needs=(INVENTORY,),
)  # fmt: skip
