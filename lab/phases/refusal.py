"""A setting that a NIC cannot do fails its port, and nothing of it stays."""

from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, places, vf_now
from lab.phase import Phase
from lab.phases.inventory import INVENTORY


def _show(lab: Lab) -> None:
    """Igb has no minimum rate: its driver answers EINVAL."""
    host, site = lab.host, lab.site
    site.do("qos create promised --min-mbps 100")
    site.do(
        "server create refused --flavor near --image guest --nic network=blue,vnic-type=direct,qos-policy=promised"
    )
    site.wait_for("the refusal", lambda: (site.server("refused") or {}).get("status") == "ERROR")
    server = site.server("refused") or {}
    fault = str(server.get("fault"))
    expect.true("the fault tells the setting", "min_rate_mbps 100" in fault, fault)
    expect.true(
        "the fault tells the kernel's answer", "Invalid argument" in fault or "EINVAL" in fault, fault
    )
    expect.true("the guest was not started", str(server["id"]) not in host.virsh("list --all --uuid").output)
    for place in places(host).values():
        expect.equal(f"{place} after the refusal", vf_now(host, place), BASELINE)
    site.do("server delete refused --wait")
    free = [device["status"] for device in site.devices() if device["kind"] == "vf"]
    expect.equal("VFs after the refused server is deleted", set(free), {"AVAILABLE"})
    site.audit()
    lab.progress.say(f"    {fault[:300]}")


REFUSAL = Phase(
    "refusal", "a setting that the NIC refuses fails its port with the driver's answer; no guest starts, no VF has it",
    _show, limit_seconds=90, needs=(INVENTORY,),
)  # fmt: skip
