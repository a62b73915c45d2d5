"""A libvirt in memory: it reads the XML that guestxml writes, and refuses what libvirt refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

from fairlead.agent.boundary import Domain, HypervisorView
from fairlead.guestxml.guest import NAMESPACE, domain_name
from fairlead.hoststate.observed import GuestState
from fairlead.hypervisor.domain_document import boot_files
from fairlead.hypervisor.faults import not_released
from fairlead.hypervisor.guest_addresses import nic_places, with_addresses
from fairlead.model.diagnostics import DiskDiagnostics, GuestStatistics, NicCounters
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import PortId, ServerId
from fairlead.model.pci import PciAddress
from fairlead.model.vf import VfSettings
from fairlead.sim import vfio
from fairlead.sim.domain import DomainState
from fairlead.sim.machine import Machine


@dataclass(frozen=True, slots=True)
class Start:
    """What a guest found when it was started: its VFs' settings by address, and which of its devices were not
    reset since another guest had them. For tests to judge.
    """

    server_id: ServerId
    boot_serial: int
    vfs: dict[PciAddress, VfSettings]
    traces: dict[PciAddress, str]


OnStart = Callable[[DomainState, dict[PciAddress, str]], None]
"""Called with a guest that has just got its devices, and with those of them that were not reset since another
domain had them, each with that one's name.
"""


OnAttach = Callable[[DomainState, tuple[PciAddress, ...], tuple[str, ...], dict[PciAddress, str]], None]
"""Called before a running guest gets these devices and taps; traces as at a start."""


def ignore_attach(
    domain: DomainState,
    hostdevs: tuple[PciAddress, ...],
    taps: tuple[str, ...],
    traces: dict[PciAddress, str],
) -> None:
    """When something is attached nothing is looked at, but in tests."""


def ignore_start(domain: DomainState, traces: dict[PciAddress, str]) -> None:
    """At a start nothing is looked at, but in tests."""


class SimHypervisor:
    """agent.boundary.Hypervisor. `on_start` is called at each start, before the guest runs, `on_attach` before a
    running one gets something.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.starts: list[Start] = []
        self.on_start: OnStart = ignore_start
        self.on_attach: OnAttach = ignore_attach

    def observe(self) -> HypervisorView:
        """All domains; a running one has its live devices, one that is down what it would get."""
        self._reach("observe_guests")
        domains = self._machine.domains.values()
        return HypervisorView(
            domains=tuple(_seen(domain, domain.server_id) for domain in domains if domain.server_id),
            foreign_hostdevs=tuple(
                address for domain in domains if domain.server_id is None for address in domain.hostdevs
            ),
        )

    def define(self, domain: str) -> Mapping[PortId, PciAddress]:
        """Write or replace it; a running one keeps its devices until it stops."""
        self._reach("define")
        fresh = _parsed(domain)
        old = self._machine.domains.get(fresh.name)
        fresh.xml = _with_places(domain if old is None else with_addresses(domain, old.xml))
        if old is not None:
            fresh.state, fresh.reason = old.state, old.reason
            fresh.live_serial, fresh.live_disk_serial = old.live_serial, old.live_disk_serial
            fresh.live_hostdevs, fresh.live_taps = old.live_hostdevs, old.live_taps
            fresh.live_room, fresh.saved_taps, fresh.opened = old.live_room, old.saved_taps, old.opened
            fresh.is_by_hand, fresh.boots, fresh.marked = old.is_by_hand, old.boots, old.marked
        self._machine.domains[fresh.name] = fresh
        return nic_places(fresh.xml)

    def start(self, server_id: ServerId, *, is_paused: bool = False) -> None:
        """Run it, with devices that are there and free, on taps that are there."""
        self._reach("start")
        domain = self._domain(server_id)
        if domain.is_up:
            raise _refused(
                "Starting", domain.name, "Requested operation is not valid: domain is already running"
            )
        if domain.state is GuestState.SAVED:
            self._check_free(domain, (), domain.saved_taps, "Starting")
            domain.boot()
            self._machine.open_taps(domain)
            self._mark(domain)
            return
        self._check_free(domain, domain.hostdevs, domain.taps, "Starting")
        traces = self._give(domain, domain.hostdevs, domain.taps)
        self.on_start(domain, traces)
        domain.boot()
        self._machine.open_taps(domain)
        if is_paused:
            domain.state, domain.reason = GuestState.PAUSED, "starting up"
        self.starts.append(Start(server_id, domain.boot_serial, self._vfs(domain), traces))
        self._mark(domain)

    def mark_start(self, server_id: ServerId, number: int) -> None:
        """If it is there and up."""
        self._reach("mark_start")
        domain = self._machine.domains.get(domain_name(server_id))
        if domain is not None and domain.is_up:
            domain.marked = number

    def stop(self, server_id: ServerId, *, is_graceful: bool) -> None:
        """Down, at once."""
        self._reach("stop")
        domain = self._machine.domains.get(domain_name(server_id))
        if domain is not None and (domain.is_up or domain.state is GuestState.SAVED):
            domain.go_down(GuestState.STOPPED, "shutdown" if is_graceful else "destroyed")

    def pause(self, server_id: ServerId) -> None:
        """Halt it."""
        self._reach("pause")
        domain = self._domain(server_id)
        if domain.state is not GuestState.RUNNING:
            raise _refused("Pausing", domain.name, "Requested operation is not valid: domain is not running")
        domain.state, domain.reason = GuestState.PAUSED, "user"

    def save(self, server_id: ServerId) -> None:
        """Its memory is kept; not of one that has devices of the host."""
        self._reach("save")
        domain = self._domain(server_id)
        if not domain.is_up:
            raise _refused("Saving", domain.name, "Requested operation is not valid: domain is not running")
        if domain.live_hostdevs:
            answer = "Requested operation is not valid: domain has assigned non-USB host devices"
            raise _refused("Saving", domain.name, answer)
        domain.save()

    def resume(self, server_id: ServerId) -> None:
        """Let it go on."""
        self._reach("resume")
        domain = self._domain(server_id)
        if domain.state is not GuestState.PAUSED:
            raise _refused("Resuming", domain.name, "Requested operation is not valid: domain is not paused")
        domain.state = GuestState.RUNNING

    def attach(self, server_id: ServerId, device: str) -> None:
        """It has the device now, if that is there and free, and its guest finds it as it is."""
        self._reach("attach")
        domain = self._domain(server_id)
        if not domain.is_up:
            raise _refused(
                "Attaching to", domain.name, "Requested operation is not valid: domain is not running"
            )
        if domain.is_full:
            raise _refused("Attaching to", domain.name, "internal error: No more available PCI slots")
        hostdevs, taps = _devices(_element(f"<devices>{device}</devices>", "Attaching"), ".")
        self._check_free(domain, hostdevs, taps, "Attaching to")
        traces = self._give(domain, hostdevs, taps)
        self.on_attach(domain, hostdevs, taps, traces)
        domain.live_hostdevs += hostdevs
        domain.live_taps += taps
        self._machine.open_taps(domain)

    def detach(self, server_id: ServerId, device: str) -> None:
        """At once, unless its guest is deaf."""
        self._reach("detach")
        domain = self._domain(server_id)
        if device not in {*domain.live_hostdevs, *domain.live_taps}:
            return
        if domain.name in self._machine.troubles.deaf_guests or domain.state is not GuestState.RUNNING:
            raise Fault(not_released(server_id, device, "it did not answer within 20 s"))
        domain.live_hostdevs = tuple(address for address in domain.live_hostdevs if address != device)
        domain.live_taps = tuple(tap for tap in domain.live_taps if tap != device)
        domain.opened.pop(device, None)

    def remove(self, server_id: ServerId) -> None:
        """Undefine it."""
        self._reach("remove")
        name = domain_name(server_id)
        domain = self._machine.domains.get(name)
        if domain is not None and domain.is_up:
            self._machine.mishaps.append(f"{name} was removed while it was up")
        self._machine.domains.pop(name, None)

    def statistics(self, server_id: ServerId) -> GuestStatistics:
        """A simulated guest has done nothing, with all that it has."""
        self._reach("statistics")
        document = fromstring(self._domain(server_id).xml)  # noqa: S314 - written by guestxml in this process
        memory_kib = int(document.findtext("memory", "0")) * 1024
        disks = [target.get("dev", "") for target in document.iterfind("devices/disk/target")]
        return GuestStatistics(
            cpu_times_ns=(0,) * int(document.findtext("vcpu", "1")),
            memory_kib=memory_kib,
            used_kib=memory_kib,
            disks=tuple(DiskDiagnostics(name, 0, 0, 0, 0) for name in disks),
            taps={tap: NicCounters(0, 0, 0, 0, 0, 0, 0, 0) for tap in self._domain(server_id).live_taps},
        )

    def domain_xml(self, server_id: ServerId) -> str:
        """As it was defined."""
        self._reach("domain_xml")
        domain = self._machine.domains.get(domain_name(server_id))
        return domain.xml if domain else ""

    def _give(
        self, domain: DomainState, hostdevs: tuple[PciAddress, ...], taps: tuple[str, ...]
    ) -> dict[PciAddress, str]:
        """Which of them have traces of another domain, the VFs below macvtaps among them."""
        machine, traces = self._machine, self._machine.traces
        found, named = machine.give(domain, hostdevs), machine.links.below
        at = [named[tap] for tap in taps if tap in named]
        below = [machine.pfs[pf].nic.vf_address(index) for pf, index in at]
        found |= {vf: traces[vf] for vf in below if traces.get(vf, domain.name) != domain.name}
        traces |= dict.fromkeys(below, domain.name)
        return found

    def _mark(self, domain: DomainState) -> None:
        """Of a start of ours, which an agent may not live to mark."""
        self._machine.before_call("mark_start")
        domain.marked = domain.boots

    def _check_free(
        self, domain: DomainState, hostdevs: tuple[PciAddress, ...], taps: tuple[str, ...], doing: str
    ) -> None:
        users = self._machine.users()
        for address in hostdevs:
            if not self._machine.present(address):
                raise _refused(doing, domain.name, f"Device {address} not found: could not access config")
            if address in users:
                user = users[address]
                # A chain in flight may meet one that somebody started since it was planned: no agent sees that coming.
                if user.server_id is not None and not user.is_by_hand:
                    self._machine.mishaps.append(f"{domain.name} was started with {address} of {user.name}")
                raise _refused(doing, domain.name, f"PCI device {address} is in use by {user.name}")
        if refused := vfio.refusal(self._machine, domain, hostdevs):
            if refused.is_given_twice:
                self._machine.mishaps.append(f"{domain.name} was started with {hostdevs}: {refused.answer}")
            raise _refused(doing, domain.name, refused.answer)
        for tap in taps:
            if tap not in self._machine.virtual_links:
                raise _refused(
                    doing, domain.name, f"target managed='no' but specified dev '{tap}' is missing"
                )
            other = next((each for each in self._machine.domains.values() if tap in each.live_taps), None)
            if other is not None and other is not domain and tap in self._machine.links.below:
                raise _refused(doing, domain.name, f"cannot open macvtap tap device {tap}: Resource busy")

    def _reach(self, act: str) -> None:
        self._machine.called(act)
        if self._machine.troubles.libvirt_is_away:
            answer = "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Connection refused"
            raise _refused("Connecting to", "libvirt", answer)

    def _domain(self, server_id: ServerId) -> DomainState:
        name = domain_name(server_id)
        domain = self._machine.domains.get(name)
        if domain is None:
            raise _refused("Looking for", name, f"Domain not found: no domain with matching name '{name}'")
        return domain

    def _vfs(self, domain: DomainState) -> dict[PciAddress, VfSettings]:
        places = {address: self._machine.vf_at(address) for address in domain.hostdevs}
        return {address: place[0].vfs[place[1]] for address, place in places.items() if place}


def _seen(domain: DomainState, server_id: ServerId) -> Domain:
    return Domain(
        server_id,
        domain.state,
        domain.spec,
        domain.live_serial if domain.is_up else domain.boot_serial,
        domain.live_hostdevs if domain.is_up else domain.hostdevs,
        domain.reason,
        domain.live_taps if domain.is_up else domain.taps,
        domain.boot_files,
        domain.live_disk_serial if domain.is_up else domain.disk_serial,
        domain.boots if domain.is_up else 0,
        domain.is_up and domain.marked == domain.boots,
    )


def _element(xml: str, doing: str) -> Element:
    try:
        return fromstring(xml)  # noqa: S314 - written by guestxml in this process
    except ParseError as error:
        raise _refused(doing, "a domain", f"(domain_definition): {error}") from error


def _devices(element: Element, where: str) -> tuple[tuple[PciAddress, ...], tuple[str, ...]]:
    """Addresses of what is passed through, and names of taps."""
    return (
        tuple(map(_address, element.iterfind(f"{where}/hostdev/source/address"))),
        tuple(target.get("dev", "") for target in element.iterfind(f"{where}/interface/target")),
    )


def _parsed(xml: str) -> DomainState:
    domain = _element(xml, "Defining")
    hostdevs, taps = _devices(domain, "devices")
    server_id, name = ServerId(domain.findtext("uuid", "")), domain.findtext("name", "")
    # As the real one: a clone of a guest has its metadata and a name of its own, and is not ours.
    ours = domain.find(f"metadata/{{{NAMESPACE}}}guest") if name == domain_name(server_id) else None
    return DomainState(
        name=name,
        server_id=server_id if ours is not None else None,
        spec=ours.get("spec", "") if ours is not None else "",
        boot_serial=int(ours.get("boot_serial", "0")) if ours is not None else 0,
        hostdevs=hostdevs,
        taps=taps,
        xml=xml,
        boot_files=boot_files(domain),
        disk_serial=int(ours.get("disk_serial", "0")) if ours is not None else 0,
        room=_room(domain),
    )


def _with_places(xml: str) -> str:
    """Each device on a bus of its own, the first that is free, as on root ports."""
    domain = _element(xml, "Defining")
    devices = [
        each for each in domain.iterfind("devices/*") if each.tag in {"disk", "hostdev", "interface", "rng"}
    ]
    places = {each: each.find("address") for each in devices}
    taken = {place.get("bus") for place in places.values() if place is not None}
    free = (bus for bus in (f"0x{number:02x}" for number in count(1)) if bus not in taken)
    for device in (each for each, place in places.items() if place is None):
        SubElement(
            device, "address", type="pci", domain="0x0000", bus=next(free), slot="0x00", function="0x0"
        )
    return tostring(domain, encoding="unicode")


def _room(domain: Element) -> int | None:
    """Each device takes one port; without a root for PCI Express there is a bus, and what is on it is not counted."""
    if domain.find("devices/controller[@model='pcie-root']") is None:
        return None
    ports = domain.findall("devices/controller[@model='pcie-root-port']")
    return len(ports) - len(domain.findall("devices/disk")) - len(domain.findall("devices/rng"))


def _address(element: Element) -> PciAddress:
    domain, bus, slot, function = (
        int(element.get(part, "0"), 16) for part in ("domain", "bus", "slot", "function")
    )
    return PciAddress(f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}")


def _refused(doing: str, subject: str, answer: str) -> Fault:
    return Fault(Failure("libvirt_refused", doing, subject, answer))
