"""From what control has on a host to the document that its agent obeys. Pure, and in a lasting order.

Equal rows give equal documents, so an agent is never disturbed by the order in which a database answers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fairlead.hoststate.config_drive import GuestNic, config_files
from fairlead.hoststate.desired import (
    DesiredBridge,
    DesiredFamily,
    DesiredGuest,
    DesiredHostdev,
    DesiredNic,
    DesiredState,
    DesiredTap,
    DesiredVf,
    ImageRef,
    NicKind,
)
from fairlead.model.binding import Allocation, Binding, Wiring
from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, ImageId, NetworkId, PfKey, PolicyId, PortId, ServerId, SubnetId
from fairlead.model.network import Network, Subnet
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DevicePolicy
from fairlead.model.port import Port
from fairlead.model.port_settings import PortSettings
from fairlead.model.server import Image, Server, ServerStatus
from fairlead.model.uplink import uplinks
from fairlead.model.vf import BASELINE, VfSettings

PortWiring = VfSettings | DesiredTap
"""What a mechanism driver made of a bound port."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """All rows that a host's desired state follows from. `servers` are those claimed on the host, also those
    being deleted; `wirings` holds what the mechanism drivers made of each port bound to it, `in_force` what holds
    for it. `leaving` are bindings that end while their servers stay; `leaving_taps` the taps of those that have one.
    """

    host: Host
    devices: Mapping[DeviceId, Device]
    policies: Mapping[PolicyId, DevicePolicy]
    servers: Mapping[ServerId, Server]
    allocations: tuple[Allocation, ...]
    bindings: tuple[Binding, ...]
    ports: Mapping[PortId, Port]
    networks: Mapping[NetworkId, Network]
    subnets: Mapping[SubnetId, Subnet]
    images: Mapping[ImageId, Image]
    wirings: Mapping[PortId, PortWiring]
    in_force: Mapping[PortId, PortSettings]
    leaving: tuple[Binding, ...] = ()
    leaving_taps: Mapping[PortId, str] = field(default_factory=dict)


def desired_state(facts: HostFacts) -> DesiredState:
    """What the host shall look like. A server that is being deleted is among the removals: its guest goes, and
    its VFs have no owner.
    """
    taps = tuple(_taps(facts))
    return DesiredState(
        host_id=facts.host.id,
        generation=facts.host.generation,
        families=tuple(_families(facts)),
        vfs=tuple(_vfs(facts)),
        bridges=tuple(_bridges(facts, taps)),
        taps=taps,
        guests=tuple(_guest(facts, server) for server in _staying(facts)),
        removals=_removals(facts),
        pcis=tuple(sorted(device.key for device in facts.devices.values() if _is_offered_plain(device))),
    )


def _staying(facts: HostFacts) -> list[Server]:
    found = (server for server in facts.servers.values() if server.status is not ServerStatus.DELETING)
    return sorted(found, key=lambda server: server.id)


def _removals(facts: HostFacts) -> tuple[ServerId, ...]:
    """Servers that are being deleted, until their rows are gone; and what the operator wants gone."""
    staying = {server.id for server in _staying(facts)}
    return tuple(sorted({*facts.servers, *facts.host.removals} - staying))


def _is_offered_plain(device: Device) -> bool:
    return device.kind is DeviceKind.PCI and device.policy_id is not None


def _families(facts: HostFacts) -> Iterator[DesiredFamily]:
    """The PFs that a policy matches, by key. Plain devices need no preparation. One that was given whole is
    prepared again as soon as its server is to go.
    """
    staying = {server.id for server in _staying(facts)}
    heads = (d for d in facts.devices.values() if d.kind is DeviceKind.PF and d.policy_id is not None)
    for head in sorted(heads, key=lambda device: device.key):
        policy = facts.policies.get(head.policy_id) if head.policy_id is not None else None
        held = [allocation for allocation in facts.allocations if allocation.family_id == head.id]
        yield DesiredFamily(
            pf=PfKey(head.key),
            num_vfs=policy.num_vfs if policy else None,
            mtu=policy.mtu if policy else None,
            is_given_whole=any(a.device_id == head.id and a.server_id in staying for a in held),
            holders=tuple(sorted({allocation.server_id for allocation in held})),
        )


def _vfs(facts: HostFacts) -> Iterator[DesiredVf]:
    staying = {server.id for server in _staying(facts)}
    held = [(facts.devices[allocation.device_id], allocation) for allocation in _kept(facts)]
    for device, allocation in sorted(held, key=lambda pair: (pair[0].pf or "", pair[0].vf_index or 0)):
        if allocation.server_id not in staying or device.pf is None or device.vf_index is None:
            continue
        wiring = BASELINE if allocation.port_id is None else facts.wirings[allocation.port_id]
        if isinstance(wiring, VfSettings):
            yield DesiredVf(
                device_id=device.id,
                pf=device.pf,
                index=device.vf_index,
                server_id=allocation.server_id,
                port_id=allocation.port_id,
                settings=wiring,
            )


def _kept(facts: HostFacts) -> list[Allocation]:
    """What is held, and not only until it is clean."""
    leaving = {binding.port_id for binding in facts.leaving}
    return [allocation for allocation in facts.allocations if allocation.port_id not in leaving]


def _taps(facts: HostFacts) -> Iterator[DesiredTap]:
    for server in _staying(facts):
        for port_id in server.ports:
            wiring = facts.wirings.get(port_id)
            if isinstance(wiring, DesiredTap):
                yield wiring


def _bridges(facts: HostFacts, taps: tuple[DesiredTap, ...]) -> Iterator[DesiredBridge]:
    """One for each physical network that a tap is on; as large as the largest of its networks."""
    widest: dict[str, DesiredTap] = {}
    for tap in taps:
        network = facts.networks[facts.ports[tap.port_id].network_id]
        known = widest.get(network.physical_network)
        if known is None or tap.mtu > known.mtu:
            widest[network.physical_network] = tap
    ways = uplinks(facts.devices.values())
    for physical_network, tap in sorted(widest.items()):
        if physical_network in ways:
            uplink = PfKey(ways[physical_network].key)
            yield DesiredBridge(tap.bridge, physical_network, uplink, tap.mtu)


def _guest(facts: HostFacts, server: Server) -> DesiredGuest:
    bindings = _bindings(facts, server)
    nics = tuple(_guest_nic(facts, binding.port_id) for binding in bindings)
    return DesiredGuest(
        server_id=server.id,
        name=server.name,
        power=server.power,
        boot_serial=server.boot_serial,
        hard_reboot=server.hard_reboot,
        disk_serial=server.disk_serial,
        vcpus=server.flavor.vcpus,
        memory_mib=server.flavor.memory_mib,
        disk_gib=server.flavor.disk_gib,
        root=_image(facts, server.image_id) if server.image_id != server.kernel_id else None,
        kernel=_image(facts, server.kernel_id),
        ramdisk=_image(facts, server.ramdisk_id),
        command_line=server.command_line,
        cells=server.cells,
        nics=tuple(_nic(facts, binding) for binding in bindings),
        hostdevs=tuple(_hostdevs(facts, server)),
        config_files=config_files(server, nics),
        leaving_hostdevs=tuple(_leaving_hostdevs(facts, server)),
        leaving_taps=tuple(_leaving_taps(facts, server)),
        keeps_disk=_disk_name(server, is_reverting=False),
        restores_disk=_disk_name(server, is_reverting=True),
    )


def _disk_name(server: Server, *, is_reverting: bool) -> str:
    """What the disk of before its resize is called while it may go back, or while it does."""
    resize = server.resize
    return resize.migration_id if resize and server.has_disk and resize.is_reverting is is_reverting else ""


def _leaving_hostdevs(facts: HostFacts, server: Server) -> Iterator[DesiredHostdev]:
    for binding in facts.leaving:
        if binding.port_id in server.ports and binding.device_id is not None:
            yield _hostdev(facts.devices[binding.device_id], binding.port_id)


def _leaving_taps(facts: HostFacts, server: Server) -> Iterator[DesiredNic]:
    for binding in facts.leaving:
        if binding.port_id in server.ports and binding.port_id in facts.leaving_taps:
            port = facts.ports[binding.port_id]
            mtu = facts.networks[port.network_id].mtu
            yield DesiredNic(port.id, NicKind.TAP, port.mac, mtu, tap=facts.leaving_taps[port.id])


def _bindings(facts: HostFacts, server: Server) -> list[Binding]:
    """The server's bindings on this host, in NIC order."""
    here = {binding.port_id: binding for binding in facts.bindings if binding.wiring is not Wiring.UNWIRING}
    return [here[port_id] for port_id in server.ports if port_id in here]


def _guest_nic(facts: HostFacts, port_id: PortId) -> GuestNic:
    port = facts.ports[port_id]
    return GuestNic(port, facts.networks[port.network_id], facts.subnets, facts.in_force[port_id])


def _nic(facts: HostFacts, binding: Binding) -> DesiredNic:
    port, wiring = facts.ports[binding.port_id], facts.wirings.get(binding.port_id)
    is_tap = isinstance(wiring, DesiredTap)
    return DesiredNic(
        port_id=port.id,
        kind=NicKind.TAP if is_tap else NicKind.HOSTDEV,
        mac=port.mac,
        mtu=facts.in_force[port.id].mtu,
        device_id=binding.device_id,
        tap=wiring.name if isinstance(wiring, DesiredTap) else None,
    )


def _hostdevs(facts: HostFacts, server: Server) -> Iterator[DesiredHostdev]:
    """NICs in their order, then the devices of aliases by alias and number; not those that are only held for it."""
    places = {port_id: place for place, port_id in enumerate(server.ports)}
    aside = server.resize.aside if server.resize else ()
    held = [each for each in _kept(facts) if each.server_id == server.id and each.device_id not in aside]

    def place(allocation: Allocation) -> tuple[int, str, int]:
        if allocation.port_id is not None:
            return places.get(allocation.port_id, len(places)), "", 0
        alias, _, number = allocation.request_id.rpartition("-")
        return len(places), alias, int(number)

    for allocation in sorted(held, key=place):
        yield _hostdev(facts.devices[allocation.device_id], allocation.port_id)


def _hostdev(device: Device, port_id: PortId | None) -> DesiredHostdev:
    return DesiredHostdev(
        device_id=device.id,
        kind=device.kind,
        key=device.key,
        pf=device.pf,
        vf_index=device.vf_index,
        port_id=port_id,
    )


def _image(facts: HostFacts, image_id: ImageId | None) -> ImageRef | None:
    """What a guest was made of stays named after its image is gone: the host has it in its cache."""
    if image_id is None:
        return None
    image = facts.images.get(image_id)
    if image is None or image.sha512 is None:
        return ImageRef(image_id, "", 0, "")
    return ImageRef(image.id, image.sha512, image.size or 0, image.disk_format or "")
