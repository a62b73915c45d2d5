"""That the agent says the same of an 802.1Qbh association as libvirt, but for the size of the profile's name."""

from uuid import UUID

from lab import expect, qbhsim
from lab.agent_code import said_by_agent
from lab.bed import Lab
from lab.errors import PhaseFailed
from lab.machine.host import Host
from lab.netlink_trace import recorded
from lab.netlink_words import REQUEST, SETLINK, LinkMessage, link_messages
from lab.phase import Phase
from lab.phases.hardware import HARDWARE

_PF, _PROFILE, _MAC = "pfa", "finance", "52:54:00:aa:bb:02"
_DEVICE = f"/sys/class/net/{_PF}/device"
_START_SECONDS = 60
_PORT = "VF_PORTS/VF_PORT"
# libvirt sends the name and its zero, which enic refuses since Linux 6.10.
_OURS, _LIBVIRTS = 40, len(_PROFILE) + 1
_DOMAIN = f"""
<domain type='kvm'><name>qbh</name><memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <interface type='hostdev' managed='yes'><mac address='{_MAC}'/>
      <source><address type='pci' domain='0x%s' bus='0x%s' slot='0x%s' function='0x%s'/></source>
      <virtualport type='802.1Qbh'><parameters profileid='{_PROFILE}'/></virtualport></interface>
  </devices></domain>
"""
# The agent's own LinuxKernel, with what the agent would be told of the port.
_AGENT = """
import json, sys
from dataclasses import replace
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.rtnetlink import RtNetlink
from fairlead.model.association import Association
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE
told = json.loads(sys.argv[1])
kernel = LinuxKernel(RtNetlink())
(pf,) = [pf for pf in kernel.observe().pfs if pf.name == told["pf"]]
association = Association(told["profile"], told["instance"], told["host"])
wanted = replace(BASELINE, mac=MacAddress(told["mac"]), association=association)
kernel.set_vf(pf, 0, wanted, ("mac", "association"))
kernel.set_vf(pf, 0, BASELINE, ("association",))
"""


def _show(lab: Lab) -> None:
    """For the same VF, MAC, profile, instance and host, attribute by attribute."""
    host = lab.host
    host.must(f"echo 0 > {_DEVICE}/sriov_drivers_autoprobe && echo 1 > {_DEVICE}/sriov_numvfs")
    try:
        with qbhsim.loaded(host, f"shim={_PF} strict=0"):
            libvirts = _sent_by_libvirt(host)
            ours = _sent_by_agent(host, libvirts[0])
    finally:
        host.must(f"echo 0 > {_DEVICE}/sriov_numvfs && echo 1 > {_DEVICE}/sriov_drivers_autoprobe")
    for sent, size in ((libvirts, _LIBVIRTS), (ours, _OURS)):
        expect.equal("octets of the profile's name", len(_octets(sent[0], "PROFILE")), size)
    for what, one, other in zip(("association", "its end"), ours, libvirts, strict=True):
        expect.equal(f"the agent's message for the {what}, beside libvirt's", _said(one), _said(other))
    lab.progress.say("    " + "; ".join(_said(ours[0])))


def _sent_by_libvirt(host: Host) -> list[LinkMessage]:
    address = host.must(f"basename $(readlink {_DEVICE}/virtfn0)").strip()
    host.write("/run/lab/qbh.xml", _DOMAIN % tuple(address.replace(".", ":").split(":")))
    with recorded(host) as packets:
        for command in ("create --paused /run/lab/qbh.xml", "destroy qbh"):
            done = host.virsh(command, timeout_seconds=_START_SECONDS)
            if done.code != 0:
                raise PhaseFailed(f"virsh {command} ended with {done.code}: {done.output}")
    return _requests([message for packet in packets for message in link_messages(packet.octets)])


def _sent_by_agent(host: Host, like: LinkMessage) -> list[LinkMessage]:
    told = {
        "pf": _PF, "profile": _PROFILE, "mac": _MAC, "instance": str(UUID(bytes=_octets(like, "INSTANCE_UUID"))),
        "host": str(UUID(bytes=_octets(like, "HOST_UUID"))),
    }  # fmt: skip
    return _requests(said_by_agent(host, _AGENT, told))


def _requests(messages: list[LinkMessage]) -> list[LinkMessage]:
    """The association and its end."""
    asked = [one for one in messages if one.kind == SETLINK and one.flags & REQUEST and one.has(_PORT)]
    expect.equal("requests about the VF's profile that were seen", len(asked), 2)
    return asked


def _octets(message: LinkMessage, name: str) -> bytes:
    (found,) = [one.octets for one in message.attributes if one.path == f"{_PORT}/{name}"]
    assert found is not None
    return found


def _said(message: LinkMessage) -> list[str]:
    """Its lines but the name's, which is told without what fills it up; in one order, for the kernel has none."""
    path = f"{_PORT}/PROFILE"
    named = [one.octets.rstrip(b"\0") for one in message.attributes if one.path == path and one.octets]
    others = [line for line in message.lines() if not line.startswith(path)]
    return sorted([*others, *(f"{path} = {name.decode()}" for name in named)])


LIBVIRT_QBH = Phase(
    "libvirt-qbh", "of an 802.1Qbh association the agent says what libvirt says, but the profile's name in 40 octets",
    _show, limit_seconds=120, needs=(HARDWARE,),
)  # fmt: skip
