"""What a NIC's driver is known not to have keeps a port off it; what it refuses fails its port, and nothing stays."""

from lab import expect
from lab.bed import Lab
from lab.guests import BASELINE, places, vf_now
from lab.phase import Phase
from lab.phases.inventory import INVENTORY


def _show(lab: Lab) -> None:
    """Igb has no minimum rate. More than the link's speed no table says of it: its driver answers EINVAL."""
    host, site = lab.host, lab.site
    site.do("qos create promised --min-mbps 100")
    fault = str(_in_error(lab, "promised").get("fault"))
    expect.true("the fault tells the capability", "min-rate" in fault, fault)
    site.do("server delete promised --wait")
    site.do("qos create greedy --max-mbps 5000")
    server = _in_error(lab, "greedy")
    fault = str(server.get("fault"))
    expect.true("the fault tells the setting", "max_rate_mbps 5000" in fault, fault)
    expect.true(
        "the fault tells the kernel's answer", "Invalid argument" in fault or "EINVAL" in fault, fault
    )
    expect.true("the guest was not started", str(server["id"]) not in host.virsh("list --all --uuid").output)
    for place in places(host).values():
        expect.equal(f"{place} after the refusal", vf_now(host, place), BASELINE)
    site.do("server delete greedy --wait")
    free = [device["status"] for device in site.devices() if device["kind"] == "vf"]
    expect.equal("VFs after the refused server is deleted", set(free), {"AVAILABLE"})
    site.audit()
    lab.progress.say(f"    {fault[:300]}")


def _in_error(lab: Lab, qos_policy: str) -> dict[str, object]:
    """A server of the policy's name, with a port that has the policy, once it has failed."""
    site = lab.site
    nic = f"network=blue,vnic-type=direct,qos-policy={qos_policy}"
    site.do(f"server create {qos_policy} --flavor near --image guest --nic {nic}")
    site.wait_for("the refusal", lambda: (site.server(qos_policy) or {}).get("status") == "ERROR")
    return site.server(qos_policy) or {}


REFUSAL = Phase(
    "refusal", "a setting that the NIC refuses fails its port with the driver's answer; no guest starts, no VF has it",
    _show, limit_seconds=90, needs=(INVENTORY,),
)  # fmt: skip
