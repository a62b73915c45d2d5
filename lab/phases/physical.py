"""A whole PF and a trunk on a VF: two guests that nobody tags for. What a PF is after its guest is gone."""

from functools import partial

from lab import expect, office, plain_device
from lab.bed import Lab
from lab.frames import ARP, IPV4
from lab.guests import BASELINE, Guest, Place, places, vf_now
from lab.machine.arguments import PFS, LabPf
from lab.machine.host import Host
from lab.phase import Phase
from lab.phases.guests import Member, address_of
from lab.phases.inventory import INVENTORY
from lab.site import VFS_OF_A_PF, Site

_TRUNK = Member("trunk", f"--network {office.NAME} --vnic-type direct --port-profile every-vlan", None)
_WHOLE = Member("whole", f"--network {office.NAME} --vnic-type direct-physical", None)
# The VLANs that both tag themselves, and one that each has alone.
_SHARED, _TRUNKS_OWN, _WHOLES_OWN = (301, 302), 303, 304
_ASKED = "10.9.3.2"
"""What the trunk asks for on its own VLAN, and whole has on its own: were the two one, it would answer."""
_MORE = ("more-1", "more-2")


def _show_physical(lab: Lab) -> None:
    """The guest has the PF itself, whose VFs went before; both reach each other, and nothing tags their frames."""
    host, site = lab.host, lab.site
    office.offer(site)
    site.do("port-profile create every-vlan --allowed-vlans 1-4094")
    # No NUMA node: a VF of the other PF than its own is offered to it later.
    site.do("flavor create anywhere --memory-mib 192")
    plain_device.offer(site)
    for member, flavor in ((_WHOLE, plain_device.FLAVOR), (_TRUNK, "anywhere")):
        site.do(f"port create {member.name} {member.port}")
        site.do(f"server create {member.name} --flavor {flavor} --image guest --nic port={member.name}")
    for member in (_WHOLE, _TRUNK):
        site.wait_for(f"server {member.name}", partial(site.is_active, member.name), 180)
    whole, trunk = (Guest(site, member.name) for member in (_WHOLE, _TRUNK))
    pf = _pf_of(whole)
    expect.equal("the driver of the PF that the guest has", _driver(host, pf), "vfio-pci")
    expect.equal("its VFs", host.read(f"{_device(pf)}/sriov_numvfs"), "0")
    expect.true("the host has no network device of it", pf.name not in _link_names(host))
    port = site.port_of(_WHOLE.name)
    expect.equal("the port's MAC", port["mac_address"], pf.mac)
    expect.equal("its VIF type", port["binding:vif_type"], "hostdev_physical")
    expect.equal("the trunk's VF before its QEMU was", trunk.vf_before_start(), _TRUNK.wanted(site))
    expect.true("the trunk's VF is of the other PF", trunk.place().pf != pf.name)
    for guest in (whole, trunk):
        guest.wait_until_ready()
    expect.equal("NICs that guest whole sees", whole.nics(), [(pf.mac, "igb")])
    plain_device.is_given(host, whole)
    mark = lab.wire.mark()
    expect.true("whole reaches trunk", whole.reaches(address_of(site, _TRUNK)))
    expect.true("trunk reaches whole", trunk.reaches(address_of(site, _WHOLE)))
    _tags(lab, mark, {None})
    site.audit()


def _show_trunk(lab: Lab) -> None:
    """Both tag their frames: what carries a VLAN that both have arrives, and the VF's own VLAN is none all the time."""
    host, site = lab.host, lab.site
    whole, trunk = (Guest(site, member.name) for member in (_WHOLE, _TRUNK))
    _tag(trunk, {**_shared(1), _TRUNKS_OWN: f"{_subnet(_TRUNKS_OWN)}.1"})
    _tag(whole, {**_shared(2), _WHOLES_OWN: _ASKED})
    mark = lab.wire.mark()
    for vlan in _SHARED:
        expect.true(f"trunk reaches whole on VLAN {vlan}", trunk.reaches(f"{_subnet(vlan)}.2"))
        expect.true(f"whole reaches trunk on VLAN {vlan}", whole.reaches(f"{_subnet(vlan)}.1"))
    expect.true("nobody answers trunk on a VLAN of its own", not trunk.reaches(_ASKED))
    _tags(lab, mark, {*_SHARED, _TRUNKS_OWN})
    _move(whole, _ASKED, _WHOLES_OWN, _TRUNKS_OWN)
    expect.true("whole does, once it is in that VLAN too", trunk.reaches(_ASKED))
    expect.equal("the trunk's VF", vf_now(host, trunk.place()), _TRUNK.wanted(site))
    site.do("port-profile create some-vlans --allowed-vlans 300-399")
    refused = site.try_to(f"port set {_TRUNK.name} --port-profile some-vlans")
    expect.true(
        "a list of VLANs, which a VF cannot be told, is refused", refused.exit_code != 0, refused.stdout
    )
    expect.true("with the port named", _TRUNK.name in refused.stderr, refused.stderr)
    expect.equal("the trunk's VF after that", vf_now(host, trunk.place()), _TRUNK.wanted(site))
    lab.progress.say(f"    {refused.stderr.strip()[:300]}")


def _tag(guest: Guest, addresses: dict[int, str]) -> None:
    """It has these addresses, each on a VLAN."""
    guest.wait_until_ready()
    _ = guest.output("modprobe 8021q")
    for vlan, address in addresses.items():
        _ = guest.output(f"vconfig add eth0 {vlan} && ip link set eth0.{vlan} up")
        _ = guest.output(f"ip address add {address}/24 dev eth0.{vlan}")


def _move(guest: Guest, address: str, old: int, new: int) -> None:
    _ = guest.output(f"vconfig rem eth0.{old}")
    _tag(guest, {new: address})


def _shared(number: int) -> dict[int, str]:
    return {vlan: f"{_subnet(vlan)}.{number}" for vlan in _SHARED}


def _show_return(lab: Lab) -> None:
    """The PF is on the host's driver again, by its name, with its VFs, and a running guest gets one of them."""
    host, site = lab.host, lab.site
    trunk, pf = Guest(site, _TRUNK.name), _pf_of(Guest(site, _WHOLE.name))
    trunk.wait_until_ready()
    site.do(f"server delete {_WHOLE.name} --wait")
    plain_device.is_nobodys(host, site)
    expect.equal("the PF's driver", _driver(host, pf), "igb")
    (link,) = host.links(pf.name)
    expect.equal("the PF's MAC", link["address"], pf.mac)
    expect.true(
        "the port has a MAC of its own again", site.do(f"port show {_WHOLE.name}")["mac_address"] != pf.mac
    )
    again = [Place(pf.name, index) for index in range(VFS_OF_A_PF)]
    site.wait_for("its VFs", lambda: set(again) <= set(places(host).values()))
    for place in again:
        expect.equal(f"{place}", vf_now(host, place), BASELINE)
    _is_served_by(lab, trunk, pf)
    site.do(f"server delete {_TRUNK.name} --wait")
    for name in (_TRUNK.name, _WHOLE.name, *_MORE):
        site.do(f"port delete {name}")
    site.audit()


def _is_served_by(lab: Lab, guest: Guest, pf: LabPf) -> None:
    """Its own PF has one VF left, so that of two more one at least is of this PF."""
    host, site = lab.host, lab.site
    site.wait_for("all VFs to be offered", lambda: _free(site) == VFS_OF_A_PF * len(PFS) - 1)
    for name in _MORE:
        site.do(f"port create {name} --network blue --vnic-type direct")
        site.do(f"server attach {guest.name} --nic port={name} --wait")
    macs = [str(site.do(f"port show {name}")["mac_address"]) for name in _MORE]
    given = [
        place for place in places(host).values() if place.pf == pf.name and vf_now(host, place).mac in macs
    ]
    expect.true(f"the guest was given VFs of {pf.name}", given)
    for place in given:
        _sees(guest, vf_now(host, place).mac)


def _sees(guest: Guest, mac: str) -> None:
    guest.wait_for(f"to see {mac}", 60, lambda: (mac, "igbvf") in guest.nics())
    guest.wait_for("to have its carrier", 60, lambda: f"mac={mac} carrier=1" in guest.console)


def _pf_of(guest: Guest) -> LabPf:
    (pf,) = [pf for pf in PFS if pf.pci_address == guest.pci_address()]
    return pf


def _device(pf: LabPf) -> str:
    return f"/sys/bus/pci/devices/{pf.pci_address}"


def _driver(host: Host, pf: LabPf) -> str:
    return host.must(f"basename $(readlink {_device(pf)}/driver)").strip()


def _link_names(host: Host) -> list[object]:
    return [link["ifname"] for link in host.links()]


def _free(site: Site) -> int:
    return len([one for one in site.devices() if one["kind"] == "vf" and one["status"] == "AVAILABLE"])


def _subnet(vlan: int) -> str:
    return f"10.9.{vlan - 300}"


def _tags(lab: Lab, mark: int, wanted: set[int | None]) -> None:
    """Of IPv4 and its ARP: IPv6 speaks of itself on every device that is up, whether anybody asks for it or not."""
    mac = lab.site.port_of(_TRUNK.name)["mac_address"]
    frames = [frame for frame in lab.wire.frames(mark) if frame.ethertype in {ARP, IPV4}]
    seen = {frame.vlan for frame in frames if frame.source == mac}
    expect.equal("VLANs of the trunk's frames on the wire", seen, wanted)


PHYSICAL = Phase(
    "physical", "a guest has a whole PF, whose VFs went before, its MAC, and a device that is no NIC; a VF reaches it",
    _show_physical, limit_seconds=240, needs=(INVENTORY,),
)  # fmt: skip
TRUNK = Phase(
    "trunk", "frames that guests tag themselves pass, over a trunk port's VF and over a whole PF; the VF has no VLAN",
    _show_trunk, limit_seconds=120, needs=(PHYSICAL,),
)  # fmt: skip
RETURN = Phase(
    "return", "a PF whose guest is gone is back on its driver, with clean VFs, and a running guest gets one of them",
    _show_return, limit_seconds=150, needs=(PHYSICAL,),
)  # fmt: skip
