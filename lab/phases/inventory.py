"""What the agent makes of an untouched host."""

from collections import Counter

from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, places, vf_now
from lab.machine.arguments import MANAGEMENT_NIC, PFS
from lab.phase import Phase
from lab.phases.hardware import HARDWARE
from lab.site import PHYSICAL_NETWORK, VFS_OF_A_PF, Site


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


INVENTORY = Phase(
    "inventory", "the agent enrols, finds the PFs and makes their VFs; the management NIC is never offered",
    _show, limit_seconds=180, needs=(HARDWARE,),
)  # fmt: skip
