"""Four guests: three on VFs, one on a bridge; each as its port says, before its first instruction."""

from dataclasses import dataclass
from functools import partial
from typing import cast

from lab import expect
from lab.bed import Lab
from lab.guests import Guest, Vf, vf_now
from lab.machine.arguments import CPUS_OF_A_NODE, PFS
from lab.phase import Phase
from lab.phases.inventory import INVENTORY
from lab.site import BLUE_VLAN, GREEN_VLAN, Site

PRIORITY, CAP_MBPS = 5, 200


@dataclass(frozen=True, slots=True)
class Member:
    """A server of the crew, what its port is asked for, and what its VF must be; `vlan` None: it has no VF."""

    name: str
    port: str
    vlan: int | None
    priority: int = 0
    spoof_check: bool = True
    trust: bool = False
    max_rate_mbps: int = 0

    def boot(self, site: Site) -> None:
        """Make its port and ask for it."""
        site.do(f"port create {self.name} {self.port}")
        site.do(f"server create {self.name} --flavor near --image guest --nic port={self.name}")

    def wanted(self, site: Site) -> Vf:
        """Its VF as its port says."""
        return self.vf(str(site.port_of(self.name)["mac_address"]))

    def vf(self, mac: str) -> Vf:
        """The VF of a port with that MAC."""
        return Vf(mac, self.vlan, self.priority, self.spoof_check, self.trust, self.max_rate_mbps, 0)


FIRST = Member(
    "first", f"--network blue --vnic-type direct --vlan-priority {PRIORITY} --qos-policy capped",
    BLUE_VLAN, priority=PRIORITY, max_rate_mbps=CAP_MBPS,
)  # fmt: skip
SECOND = Member(
    "second", "--network blue --vnic-type direct --no-port-security", BLUE_VLAN, spoof_check=False
)
OTHER = Member("other", "--network green --vnic-type direct --trusted", GREEN_VLAN, trust=True)
PLAIN = Member("plain", "--network blue", None)
CREW = (FIRST, SECOND, OTHER, PLAIN)


def offer_rate(site: Site) -> None:
    """The QoS policy that the first one's port refers to; nothing when it is there."""
    if not site.try_to("qos show capped").stdout.strip():
        site.do(f"qos create capped --max-mbps {CAP_MBPS}")


def address_of(site: Site, member: Member) -> str:
    """Its one IP address."""
    addresses = cast("list[dict[str, str]]", site.port_of(member.name)["fixed_ips"])
    return addresses[0]["ip_address"]


def _show(lab: Lab) -> None:
    site = lab.site
    offer_rate(site)
    for member in CREW:
        if site.server(member.name) is None:
            member.boot(site)
    for member in CREW:
        site.wait_for(f"server {member.name}", partial(site.is_active, member.name), 180)
    for member in CREW:
        guest = Guest(site, member.name)
        expect.equal(f"domain type of {member.name}", guest.definition().get("type"), "kvm")
        if member.vlan is not None:
            wanted = member.wanted(site)
            expect.equal(f"the VF of {member.name} before its QEMU was", guest.vf_before_start(), wanted)
            expect.equal(f"the VF of {member.name} now", vf_now(lab.host, guest.place()), wanted)
            _is_near(lab, guest)
            guest.wait_until_ready()
            expect.equal(
                f"NICs of {member.name}, by its config drive", guest.places_told(), guest.places_seen()
            )
    held = [device["pci_address"] for device in site.devices() if device["status"] == "ALLOCATED"]
    given = [Guest(site, member.name).pci_address() for member in CREW if member.vlan is not None]
    expect.equal("devices that control holds", sorted(map(str, held)), sorted(given))
    site.audit()


def _is_near(lab: Lab, guest: Guest) -> None:
    """Policy `required`: its memory and vCPUs are on the NUMA node that its VF is on."""
    address = guest.pci_address()
    node = lab.host.read(f"/sys/bus/pci/devices/{address}/numa_node")
    (pf,) = [pf for pf in PFS if pf.name == guest.place().pf]
    expect.equal(f"NUMA node of {address}", node, str(pf.numa_node))
    domain = guest.definition()
    memory = [element.get("nodeset") for element in domain.findall("numatune/memnode")]
    expect.equal(f"memory of {guest.name}", memory, [node])
    first = pf.numa_node * CPUS_OF_A_NODE
    pins = [element.get("cpuset") for element in domain.findall("cputune/vcpupin")]
    expect.equal(f"vCPUs of {guest.name}", pins, [f"{first}-{first + CPUS_OF_A_NODE - 1}"])


GUESTS = Phase(
    "guests", "four KVM guests; each VF is as its port says before its guest is, on the guest's NUMA node",
    _show, limit_seconds=300, needs=(INVENTORY,),
)  # fmt: skip
