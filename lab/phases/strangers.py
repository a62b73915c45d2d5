"""A domain that comes and goes while nobody of ours looks: nothing of it is left for anybody."""

from lab import expect
from lab.bed import Lab
from lab.errors import PhaseFailed
from lab.guests import BASELINE, places, vf_now
from lab.machine.host import Host
from lab.phase import Phase
from lab.phases.inventory import INVENTORY

_START_SECONDS = 60
_SEAL = "fairlead-sealed"
_HOSTDEV = """
<hostdev mode='subsystem' type='pci' managed='yes'>
  <source><address type='pci' domain='0x%s' bus='0x%s' slot='0x%s' function='0x%s'/></source></hostdev>
"""
_DOMAIN = """
<domain type='kvm'><name>theirs</name><memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>%s</devices></domain>
"""


def _show(lab: Lab) -> None:
    host, site = lab.host, lab.site
    free = _free(host)
    expect.true("there are VFs that are nobody's, and bear the seal", free)
    taken, told_before = free[0], len(site.events("vf_scrubbed"))
    site.agent.kill()
    host.write("/run/lab/theirs.xml", _DOMAIN % _hostdev(taken))
    _virsh(host, "create --paused /run/lab/theirs.xml")
    _virsh(host, "destroy theirs")
    expect.equal("what the VF is told once the stranger is gone", _told(host, taken), "(null)")
    site.agent.start()
    site.wait_for("the scrub", lambda: len(site.events("vf_scrubbed")) > told_before)
    expect.equal("what the VF is told after its scrub", _told(host, taken), _SEAL)
    expect.equal("the VF after its scrub", vf_now(host, places(host)[taken]), BASELINE)
    expect.equal("scrubs", len(site.events("vf_scrubbed")) - told_before, 1)
    expect.equal("VFs that bear the seal", _free(host), free)
    site.audit()


def _free(host: Host) -> list[str]:
    return sorted(vf for vf in places(host) if _told(host, vf) == _SEAL)


def _told(host: Host, vf: str) -> str:
    return (host.read(f"/sys/bus/pci/devices/{vf}/driver_override") or "").strip()


def _hostdev(vf: str) -> str:
    return _HOSTDEV % tuple(vf.replace(".", ":").split(":"))


def _virsh(host: Host, command: str) -> None:
    done = host.virsh(command, timeout_seconds=_START_SECONDS)
    if done.code != 0:
        raise PhaseFailed(f"virsh {command} ended with {done.code}: {done.output}")


STRANGERS = Phase(
    "strangers", "VFs that are nobody's bear a seal; the one that a domain of others had while the agent was dead is"
    " scrubbed, and no other", _show, limit_seconds=120, needs=(INVENTORY,),
)  # fmt: skip
