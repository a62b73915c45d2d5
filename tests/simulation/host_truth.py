"""Control's rows beside the machine itself: at a quiet moment they say the same."""

from collections.abc import Iterator, Mapping

from fairlead.control.assignments import desired_of
from fairlead.control.boundary import Tx
from fairlead.control.offering import offers
from fairlead.hoststate.observed import GuestState
from fairlead.model.binding import Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import DeviceId
from fairlead.model.pci import DeviceKind
from fairlead.model.server import Power, Server, ServerStatus
from fairlead.model.vf import VfSettings, baseline_of, differences
from fairlead.sim.machine import Machine
from tests.simulation.fleet import Place, Site

_STATES = {
    ServerStatus.ACTIVE: GuestState.RUNNING,
    ServerStatus.PAUSED: GuestState.PAUSED,
    ServerStatus.SUSPENDED: GuestState.SAVED,
}


def lies(site: Site) -> list[str]:
    """What control says of hosts and is not so."""
    return [lie for place in site.places for lie in site.engine.run(lambda tx, place=place: _lies(tx, place))]


def _lies(tx: Tx, place: Place) -> list[str]:
    devices = {device.id: device for device in tx.devices.find(host_id=place.host_id)}
    whole = {row.device_id for row in tx.allocations.find(host_id=place.host_id)}
    found = [
        lie
        for device in devices.values()
        for lie in _of_device(place, device, is_offered=device.family_id not in whole)
    ]
    found.extend(_of_groups(tx, place, devices))
    document = desired_of(tx, tx.hosts.lock(place.host_id))
    wanted = {vf.device_id: vf.settings for vf in document.vfs}
    ending = tx.bindings.find(host_id=place.host_id, wiring=Wiring.UNWIRING)
    leaving = frozenset(binding.device_id for binding in ending if binding.device_id is not None)
    ungiven = frozenset(_ungiven(tx, place, devices))
    # An operator may call a server active that lacks a card: that its device is MISSING stays told.
    away = {device.id for device in devices.values() if device.status is DeviceStatus.MISSING}
    for server in tx.servers.find(host_id=place.host_id):
        rows = tx.allocations.find(server_id=server.id, host_id=place.host_id)
        aside = server.resize.aside if server.resize else ()
        held = [devices[row.device_id] for row in rows if row.device_id not in {*aside, *ungiven, *away}]
        said = f"server {server.id}, {server.status.value}: "
        found.extend(said + lie for lie in _of_server(place, server, held, wanted, leaving))
    return found


def _ungiven(tx: Tx, place: Place, devices: Mapping[DeviceId, Device]) -> Iterator[DeviceId]:
    """What running guests could not be given: their ports say so, and their servers stay what they are."""
    live = place.host.machine.users()
    for binding in tx.bindings.find(host_id=place.host_id, wiring=Wiring.FAILED):
        if binding.device_id is not None and devices[binding.device_id].pci_address not in live:
            yield binding.device_id


def _of_device(place: Place, device: Device, *, is_offered: bool) -> Iterator[str]:
    """A VF of a PF that somebody holds is not offered, and about to be taken away."""
    machine, said = place.host.machine, f"{device.key}, {device.status.value}: "
    if is_there(place.host.machine, device) is (device.status is DeviceStatus.MISSING):
        yield f"{said}{device.pci_address} is there, or is not"
    if device.status is not DeviceStatus.AVAILABLE or device.policy_id is None or not is_offered:
        return
    user = machine.users().get(device.pci_address)
    if user is not None:
        yield f"{said}{user.name} has it"
    if device.pci_address in machine.traces:
        yield f"{said}not reset since {machine.traces[device.pci_address]} had it"
    at = machine.vf_at(device.pci_address)
    if at is not None and differences(baseline_of(at[0].nic.link_layer), at[0].vfs[at[1]]):
        yield f"{said}{at[0].vfs[at[1]]}"


def _of_groups(tx: Tx, place: Place, devices: Mapping[DeviceId, Device]) -> Iterator[str]:
    """What is offered is in no IOMMU group that vfio has given to a guest; and no group is two guests'. Of one that is
    the host's driver's, by what is held there for a macvtap, a stranger may have just that: control does not see it.
    """
    machine = place.host.machine
    users: dict[int, set[str]] = {}
    for address, domain in machine.passed_through().items():
        users.setdefault(machine.hardware.iommu_group(address), set()).add(domain.name)
    rows = tx.allocations.find(host_id=place.host_id, is_host_driven=True)
    driven = {machine.hardware.iommu_group(devices[row.device_id].pci_address) for row in rows}
    strangers = {name for name, domain in machine.domains.items() if domain.server_id is None}
    for device_id, offer in offers(tx, tuple(devices.values())).items():
        device = devices[device_id]
        group = machine.hardware.iommu_group(device.pci_address)
        names = users.get(group, set()) - (strangers if group in driven else set())
        if offer.is_offered and names:
            yield f"{device.key} is offered, and its IOMMU group is that of {names}"
    yield from (f"IOMMU group {group} is that of {names}" for group, names in users.items() if len(names) > 1)


def is_there(machine: Machine, device: Device) -> bool:
    """The very device at that very address: where one was, another may be by now."""
    pf = machine.pf_at(device.pci_address)
    at = machine.vf_at(device.pci_address)
    match device.kind:
        case DeviceKind.PF:
            return pf is not None and pf.nic.key == device.key
        case DeviceKind.VF:
            return at is not None and (at[0].nic.key, at[1]) == (device.pf, device.vf_index)
        case DeviceKind.PCI:
            return machine.present(device.pci_address)


def _of_server(
    place: Place,
    server: Server,
    held: list[Device],
    wanted: Mapping[DeviceId, VfSettings],
    leaving: frozenset[DeviceId],
) -> Iterator[str]:
    """What it is to let go of it has only while it is paused, if nobody took it from it."""
    domain = place.host.machine.domains.get(f"fl-{server.id}")
    if server.status is ServerStatus.SHUTOFF and domain is not None and domain.is_up:
        yield "its guest is up"
    is_told_to_wait = server.fault is not None and server.fault.code == "held_back"
    is_resized = server.status is ServerStatus.VERIFY_RESIZE and server.power is Power.RUNNING
    state = GuestState.RUNNING if is_resized else _STATES.get(server.status)
    if state is None or is_told_to_wait:
        return
    if domain is None or domain.state is not state:
        yield f"its guest is {domain}"
        return
    has = {address for address, user in place.host.machine.users().items() if user is domain}
    own = {device.pci_address for device in held}
    kept = {device.pci_address for device in held if device.id not in leaving}
    # What a paused guest has lost below a macvtap it gets once it goes on.
    if domain.is_up and not (has <= own and (kept <= has or state is GuestState.PAUSED)):
        yield f"its guest has {has}, and {held} are its own"
    for device in held:
        at = place.host.machine.vf_at(device.pci_address)
        if device.id in leaving:
            # Nothing is free that a stranger has, and its port waits with it.
            user = place.host.machine.users().get(device.pci_address)
            is_strangers = user is not None and user.server_id is None
            if not is_strangers and state is not GuestState.PAUSED:
                yield f"{device.key} is still its own"
        elif device.kind is not DeviceKind.VF:
            continue
        elif at is None or (at[0].nic.key, at[1]) != (device.pf, device.vf_index):
            yield f"{device.key} is not at {device.pci_address}"
        elif differences(wanted[device.id], at[0].vfs[at[1]]):
            yield f"{device.key} has {at[0].vfs[at[1]]}, not {wanted[device.id]}"
