"""802.1Qbg as libvirt does it on this host, and that the agent's messages to lldpad are the same."""

import re
from dataclasses import dataclass
from uuid import UUID

from evb.behaviour import Accept, Refuse
from evb.events import What
from evb.frames import Form
from evb.responder import Responder
from evb.vdp import Mode
from lab import expect
from lab.agent_code import said_by_agent
from lab.bed import Lab
from lab.errors import PhaseFailed
from lab.machine.channel import Done
from lab.machine.host import Host
from lab.netlink_trace import recorded
from lab.netlink_words import REQUEST, SETLINK, LinkMessage, link_messages
from lab.phase import Phase
from lab.phases.hardware import HARDWARE
from lab.switch import switched

_UPLINK, _VLAN = "pfa", 100
_INSTANCE = UUID("09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f")
_MAC = "52:54:00:aa:bb:01"
_MANAGER, _TYPE, _VERSION = 11, 0x123456, 2
_START_SECONDS = 60
# lldpad on an emulated CPU loses a refusal that comes sooner, as it does on a real one within a millisecond.
_ANSWER_SECONDS = 0.3
_TRIES, _CLOCK_STEP_SECONDS, _SIGN = 8, 512, 1 << 31
_DOMAIN = f"""
<domain type='kvm'><name>vdp</name><memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <interface type='direct'><mac address='{_MAC}'/><source dev='%s' mode='vepa'/>
      <virtualport type='802.1Qbg'><parameters managerid='{_MANAGER}' typeid='{_TYPE}' typeidversion='{_VERSION}'
        instanceid='{_INSTANCE}'/></virtualport>
      <model type='virtio'/></interface>
  </devices></domain>
"""
# The agent's own client in the compute host, with what the agent would be told of the PF and the port.
_AGENT = """
import json, sys
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.lldpad import Lldpad
from fairlead.model.ids import PfKey
from fairlead.model.pci import LinkLayer, MacAddress, PciAddress
from fairlead.model.vsi import VsiSettings
told = json.loads(sys.argv[1])
pf = ObservedPf(
    key=PfKey("mac:x"), name=told["uplink"], pci_address=PciAddress("0000:41:00.0"), vendor="8086", product="10c9",
    kernel_driver="igb", numa_node=0, iommu_group=None, link_layer=LinkLayer.ETHERNET, mac=None, is_up=True,
    link_up=True, speed_mbps=None, mtu=1500, total_vfs=7, num_vfs=0, serial=None, capabilities=(), is_management=False,
)
vsi = VsiSettings(
    told["instance"], told["manager"], told["type"], told["version"], MacAddress(told["mac"]), told["vlan"]
)
station = Lldpad()
station.associate(pf, vsi)
station.disassociate(pf, vsi)
station.close()
"""


@dataclass(frozen=True, slots=True)
class _Sent:
    """The first of each that was seen, as lines."""

    association: list[str]
    question: list[str]
    disassociation: list[str]


def _show(lab: Lab) -> None:
    _restart_until_libvirt_can(lab.host)
    for form in Form:
        with switched(lab.host, form, _UPLINK) as bridge:
            _show_libvirt(lab.host, bridge)
            if form is Form.DRAFT:
                _show_messages(lab, bridge)


def _restart_until_libvirt_can(host: Host) -> None:
    """Half of the time libvirt (11.3) starts so that it can do no 802.1Qbg: it takes the port number of its own netlink
    socket for an error where the highest of the 32 bits is set (virNetlinkEventServiceLocalPid). libnl draws that bit
    by the clock, the same one for minutes (generate_local_port), so libvirt is started on a clock that is further on.
    """
    for number in range(1, _TRIES):
        if all(port < _SIGN for port in _ports_of_libvirt(host)):
            return
        seconds = number * _CLOCK_STEP_SECONDS
        host.must("kill -9 $(cat /run/libvirtd.pid); rm /run/libvirtd.pid")
        host.must(
            f"date -s '+{seconds} seconds' && /usr/sbin/libvirtd --daemon && date -s '-{seconds} seconds'"
        )
        host.wait_for_libvirt()
    raise PhaseFailed(f"libvirt's netlink sockets have the ports {_ports_of_libvirt(host)}")


def _ports_of_libvirt(host: Host) -> list[int]:
    """Of its rtnetlink sockets (/proc/net/netlink: protocol, port and inode are the columns 1, 2 and 9)."""
    opened = set(re.findall(r"socket:\[(\d+)\]", host.must("ls -l /proc/$(cat /run/libvirtd.pid)/fd")))
    rows = [line.split() for line in (host.read("/proc/net/netlink") or "").splitlines()[1:]]
    return [int(row[2]) for row in rows if row[1] == "0" and row[9] in opened]


def _show_libvirt(host: Host, bridge: Responder) -> None:
    """What Fairlead's users know from libvirt: fails closed, associates, repairs, lets go."""
    bridge.behave(Refuse(3), answer_seconds=_ANSWER_SECONDS)
    refused = _create(host, _UPLINK)
    expect.true("libvirt starts no guest that the bridge refuses", refused.code != 0, refused.output)
    bridge.behave(Accept(), answer_seconds=_ANSWER_SECONDS)
    _must_create(host, _UPLINK)
    _wait_until_in(bridge)
    before = len(_asked(bridge))
    bridge.deassociate(_INSTANCE)
    _wait_until_in(bridge)
    expect.equal(
        "what libvirt asked for once the bridge had ended it", _asked(bridge)[before:], [Mode.ASSOCIATE]
    )
    _destroy(host)
    bridge.wait_for("its end", lambda: _INSTANCE not in bridge.vsis())


def _show_messages(lab: Lab, bridge: Responder) -> None:
    """For the same XML, attribute by attribute: on the PF, and on a VLAN of it."""
    host = lab.host
    lower = f"{_UPLINK}.{_VLAN}"
    host.must(f"ip link add link {_UPLINK} name {lower} type vlan id {_VLAN} && ip link set {lower} up")
    try:
        for device, vlan in ((_UPLINK, None), (lower, _VLAN)):
            libvirts = _sent_by_libvirt(host, bridge, device)
            ours = _sent_by_agent(host, vlan)
            expect.equal(f"the agent's messages for {device}, beside libvirt's", ours, libvirts)
            lab.progress.say(f"    {device}: " + "; ".join(ours.association))
    finally:
        host.must(f"ip link del {lower}")


def _sent_by_libvirt(host: Host, bridge: Responder, device: str) -> _Sent:
    with recorded(host) as packets:
        _must_create(host, device)
        _destroy(host)
        bridge.wait_for("its end", lambda: _INSTANCE not in bridge.vsis())
    return _sent([message for packet in packets for message in link_messages(packet.octets)])


def _sent_by_agent(host: Host, vlan: int | None) -> _Sent:
    told = {
        "uplink": _UPLINK, "instance": str(_INSTANCE), "manager": _MANAGER, "type": _TYPE, "version": _VERSION,
        "mac": _MAC, "vlan": vlan,
    }  # fmt: skip
    return _sent(said_by_agent(host, _AGENT, told))


def _sent(messages: list[LinkMessage]) -> _Sent:
    """Only what was said to lldpad: requests about ports, and the questions that follow the first."""
    port = "VF_PORTS/VF_PORT/REQUEST"
    requests = [message for message in messages if message.kind == SETLINK and message.flags & REQUEST]
    requests = [message for message in requests if message.has(port)]
    expect.true("an association and its end were seen", len(requests) > 1, str(requests))
    index = messages.index(requests[0])
    questions = [
        message
        for message in messages[index:]
        if message.kind != SETLINK and message.header == requests[0].header and not message.has("IFNAME")
    ]
    return _Sent(requests[0].lines(), questions[0].lines(), requests[-1].lines())


def _create(host: Host, device: str) -> Done:
    host.write("/run/lab/vdp.xml", _DOMAIN % device)
    return host.virsh("create --paused /run/lab/vdp.xml", timeout_seconds=_START_SECONDS)


def _must_create(host: Host, device: str) -> None:
    done = _create(host, device)
    if done.code != 0:
        log = host.run("tail -n 5 /var/log/libvirt/libvirtd.log").output
        raise PhaseFailed(f"libvirt did not start a guest on {device}: {done.output}{log}")


def _destroy(host: Host) -> None:
    done = host.virsh("destroy vdp", timeout_seconds=_START_SECONDS)
    if done.code != 0:
        raise PhaseFailed(f"libvirt did not end the guest: {done.output}")


def _wait_until_in(bridge: Responder) -> None:
    bridge.wait_for("the association", lambda: _INSTANCE in bridge.vsis())


def _asked(bridge: Responder) -> list[Mode]:
    return [event.message.mode for event in bridge.events(What.ASKED) if event.message]


VDP = Phase(
    "vdp", "libvirt's 802.1Qbg through lldpad to a switch, in both forms; the agent's messages are libvirt's",
    _show, limit_seconds=240, needs=(HARDWARE,),
)  # fmt: skip
