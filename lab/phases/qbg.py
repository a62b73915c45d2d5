"""802.1Qbg by the agent: servers on VFs whose ports the switch at the other end of the wire knows as VSIs.

lldpad speaks for one PF alone, for the wire is one port of the switch: a policy of this phase gives that PF a physical
network of its own. QEMU's igb hands the PF its own multicast back once it has VFs, so in the draft's form no guest may
start there; a traffic filter stands for a NIC that does not, and then guests do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from evb.behaviour import Accept, Behaviour, Refuse, Silent
from evb.events import What
from evb.frames import Form
from evb.responder import Responder
from evb.vdp import Message, Mode
from lab import expect
from lab.agent_code import run_agent_code
from lab.bed import Lab
from lab.guests import BASELINE, Guest, places, vf_now
from lab.machine.host import Host
from lab.phase import Phase
from lab.phases.inventory import INVENTORY
from lab.site import VFS_OF_A_PF, Site
from lab.switch import switched

_UPLINK, _VLAN, _PROFILE = "pfa", 103, "vsi-type"
_MANAGER, _TYPE, _VERSION = 11, 0x123456, 2
_SECONDS, _REPAIR_SECONDS = 120.0, 60.0
# lldpad on an emulated CPU loses a refusal that comes sooner, as it does on a real one within a millisecond.
_ANSWER_SECONDS, _LATE_SECONDS = 0.3, 2.0
# Whether a domain has devices of the host, and interfaces; and what drives the VF on the host.
_KINDS = {(True, False, "vfio-pci"): "direct", (False, True, "igbvf"): "macvtap"}
# The agent's own client, beside the agent: what it says to a switch that lets everybody in.
_CLIENT = """
import json, sys
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.lldpad import Lldpad
from fairlead.linux.rtnetlink import RtNetlink
from fairlead.model.errors import Fault
from fairlead.model.pci import MacAddress
from fairlead.model.vsi import VsiSettings
told = json.loads(sys.argv[1])
(pf,) = [pf for pf in LinuxKernel(RtNetlink()).observe().pfs if pf.name == told["uplink"]]
vsi = VsiSettings(told["instance"], 11, 7, 2, MacAddress("52:54:00:aa:bb:03"), 100)
station = Lldpad()
try:
    station.associate(pf, vsi)
except Fault as fault:
    print(fault.failure.code)
print(sorted(station.read(pf)))
station.close()
"""


def _show(lab: Lab) -> None:
    host = lab.host
    with _offered(lab.site):
        with switched(host, Form.RATIFIED, _UPLINK) as switch:
            _wait_for_station(lab.site)
            _show_no(lab, switch, "refused", Refuse(4), "VTID violation")
            _show_life(lab, switch, "associated", "direct")
            # lldpad would not speak of this instance again (evb.md).
            _show_no(lab, switch, "unheard", Silent(), "has not answered")
        with switched(host, Form.DRAFT, _UPLINK) as switch:
            _show_echo(lab, switch)
        with _without_echo(host), switched(host, Form.DRAFT, _UPLINK) as switch:
            _wait_for_station(lab.site)
            _show_no(lab, switch, "refused-draft", Refuse(4), "VTID violation")
            _show_no(lab, switch, "unheard-draft", Silent(), "did not answer")
            _show_life(lab, switch, "associated-draft", "macvtap")


@contextmanager
def _offered(site: Site) -> Iterator[None]:
    """Declare what a person would: where the switch is, what it knows, and the network."""
    site.do(
        f"policy create switched --pf {_UPLINK} --vfs {VFS_OF_A_PF} --physical-network switched --tag trusted"
        " --priority 10"
    )
    site.do(f"network create switched --physical-network switched --vlan {_VLAN}")
    site.do("subnet create switched --network switched --cidr 10.3.0.0/24 --gateway none")
    site.do(
        f"port-profile create {_PROFILE} --kind 802.1Qbg --manager-id {_MANAGER} --type-id {_TYPE}"
        f" --type-id-version {_VERSION}"
    )
    try:
        yield
    finally:
        things = ("network delete switched", f"port-profile delete {_PROFILE}", "policy delete switched")
        deleted = [site.try_to(thing) for thing in things]
    # A phase that fails tells why, and not what it left behind.
    expect.equal("what was not deleted", [done.stderr for done in deleted if done.exit_code], [])


@contextmanager
def _without_echo(host: Host) -> Iterator[None]:
    """Inside the block nothing comes in from the PF's own MAC, as on a NIC with `hwmode vepa`."""
    mac = host.must(f"cat /sys/class/net/{_UPLINK}/address").strip()
    host.must(
        f"tc qdisc add dev {_UPLINK} clsact && "
        f"tc filter add dev {_UPLINK} ingress protocol all flower src_mac {mac} action drop"
    )
    try:
        yield
    finally:
        host.must(f"tc qdisc del dev {_UPLINK} clsact")


def _wait_for_station(site: Site) -> None:
    def has_station() -> bool:
        (pf,) = [device for device in site.devices() if device["name"] == _UPLINK]
        return "802.1qbg" in str(pf["capabilities"])

    site.wait_for("the agent to see that EVB is agreed", has_station, _SECONDS)


def _boot(site: Site, name: str, vnic_type: str = "direct") -> UUID:
    """Ask for a server on a port with the profile; the VSI's instance id, which is the port's id."""
    port = site.do(f"port create {name} --network switched --vnic-type {vnic_type} --port-profile {_PROFILE}")
    site.do(f"server create {name} --flavor near --image guest --nic port={name}")
    return UUID(str(port["id"]))


def _show_no(lab: Lab, switch: Responder, name: str, behaviour: Behaviour, *reasons: str) -> None:
    """Without the switch's yes no guest starts, its port and server say why, and no VF keeps anything."""
    host, site = lab.host, lab.site
    switch.behave(behaviour, answer_seconds=_ANSWER_SECONDS)
    instance = _boot(site, name)
    site.wait_for(f"{name} to fail", lambda: (site.server(name) or {}).get("status") == "ERROR", _SECONDS)
    server = site.server(name) or {}
    fault = str(server.get("fault"))
    expect.true(f"the fault tells one of {reasons}", any(reason in fault for reason in reasons), fault)
    expect.true("the guest was not started", host.read(f"/run/lab/starts/fl-{server['id']}.json") is None)
    switch.behave(Accept(), answer_seconds=_ANSWER_SECONDS)
    _delete(site, name)
    expect.true("the switch does not have it", instance not in switch.vsis())
    _all_clean(lab)
    lab.progress.say(f"    {fault[:300]}")


def _show_echo(lab: Lab, switch: Responder) -> None:
    """Whatever the switch says: here it says yes, and before that nothing."""
    _show_no(lab, switch, "echoed", Silent(), "hears its own frames", "capability 802.1qbg")
    told: dict[str, object] = {"uplink": _UPLINK, "instance": str(uuid4())}
    said = run_agent_code(lab.host, _CLIENT, told)
    expect.equal(
        "what the agent's client says of a yes, and has then", said.splitlines()[-2:], ["vdp_echoed", "[]"]
    )


def _show_life(lab: Lab, switch: Responder, name: str, vnic_type: str) -> None:
    """The switch has it before its guest is, again after letting it go, and no more once the server is deleted."""
    host, site = lab.host, lab.site
    switch.behave(Accept(), answer_seconds=_LATE_SECONDS)
    instance = _boot(site, name, vnic_type)
    switch.wait_for("the association", lambda: bool(_asked(switch, instance)), _SECONDS)
    server = site.server(name) or {}
    hook = f"/run/lab/starts/fl-{server['id']}.json"
    expect.true("no guest before the switch has answered", host.read(hook) is None)
    site.wait_for(f"server {name}", lambda: site.is_active(name), _SECONDS)
    _is_as_its_port_says(site, switch.vsis()[instance], name)
    guest = Guest(site, name)
    expect.equal("its VF before its QEMU was", guest.vf_before_start(), vf_now(host, guest.place()))
    expect.equal("the kind of NIC that it has", _kind(host, guest), vnic_type)
    pid, told = guest.pid, len(site.events("vsi_associated"))
    _show_loss(site, switch, name, instance)
    site.wait_for("the event that tells it", lambda: len(site.events("vsi_associated")) > told)
    expect.equal("its QEMU", guest.pid, pid)
    lab.progress.say(f"    {site.events('vsi_associated')[-1]['message']}")

    _delete(site, name)
    expect.true("the switch has it no more", instance not in switch.vsis())
    expect.equal("how it went", _asked(switch, instance)[-1], Mode.DEASSOCIATE)
    _all_clean(lab)


def _show_loss(site: Site, switch: Responder, name: str, instance: UUID) -> None:
    """The switch ends it and says no from then on: the port tells, the server runs on, until the switch says yes."""
    switch.behave(Refuse(4), answer_seconds=_ANSWER_SECONDS)
    switch.deassociate(instance)
    site.wait_for("its port to tell", lambda: site.port_of(name)["status"] == "ERROR", _REPAIR_SECONDS)
    expect.true("the server runs on", site.is_active(name))
    said = str(site.events("port_failed")[-1]["message"])
    expect.true("an event says why", "VTID violation" in said, said)
    switch.behave(Accept(), answer_seconds=_ANSWER_SECONDS)
    site.wait_for("its port to be back", lambda: site.port_of(name)["status"] == "ACTIVE", _REPAIR_SECONDS)
    expect.true("the switch has it again", instance in switch.vsis())


def _is_as_its_port_says(site: Site, seen: Message, name: str) -> None:
    vsi, mac = seen.vsi, str(site.port_of(name)["mac_address"])
    expect.equal("its type", (vsi.manager[0], vsi.type_id, vsi.type_version), (_MANAGER, _TYPE, _VERSION))
    expect.equal("its filter", [(e.mac.hex(":"), e.vlan) for e in vsi.entries], [(mac, _VLAN)])
    place = Guest(site, name).place()
    vf = vf_now(site.host, place)
    expect.equal("its VF", (place.pf, vf.mac, vf.vlan), (_UPLINK, mac, _VLAN))


def _kind(host: Host, guest: Guest) -> str:
    """By what libvirt gives it, and by the driver of the VF on the host."""
    address = next(address for address, place in places(host).items() if place == guest.place())
    driver = host.must(f"basename $(readlink /sys/bus/pci/devices/{address}/driver)").strip()
    domain = guest.definition()
    given = (bool(domain.findall("devices/hostdev")), bool(domain.findall("devices/interface")), driver)
    return _KINDS.get(given, str(given))


def _asked(switch: Responder, instance: UUID) -> list[Mode]:
    told = [event.message for event in switch.events(What.ASKED) if event.message]
    return [message.mode for message in told if message.vsi.instance_id == instance]


def _delete(site: Site, name: str) -> None:
    site.do(f"server delete {name} --wait")
    site.do(f"port delete {name}")


def _all_clean(lab: Lab) -> None:
    for place in places(lab.host).values():
        expect.equal(f"{place} afterwards", vf_now(lab.host, place), BASELINE)
    free = [device["status"] for device in lab.site.devices() if device["kind"] == "vf"]
    expect.equal("VFs afterwards", set(free), {"AVAILABLE"})
    lab.site.audit()


QBG = Phase(
    "qbg",
    "servers on 802.1Qbg ports: refused, unheard, associated, lost, repaired, let go; none where lldpad hears itself",
    _show, limit_seconds=360, needs=(INVENTORY,),
)  # fmt: skip
