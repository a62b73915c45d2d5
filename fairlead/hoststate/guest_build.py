"""What control has on a server as the guest that its host is told of."""

from collections.abc import Iterator

from fairlead.hoststate.config_drive import GuestNic, config_files, told_mac
from fairlead.hoststate.desired import DesiredGuest, DesiredHostdev, DesiredNic, ImageRef, NicKind
from fairlead.hoststate.facts import HostFacts, kept
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import Allocation, Binding, Wiring
from fairlead.model.device import Device
from fairlead.model.ids import ImageId, PortId
from fairlead.model.server import Server


def desired_guest(facts: HostFacts, server: Server) -> DesiredGuest:
    """The guest of a server that stays."""
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
        is_tapped = binding.port_id in facts.leaving_taps
        if binding.port_id in server.ports and binding.device_id is not None and not is_tapped:
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
    port, wiring = facts.ports[binding.port_id], facts.wirings.get(binding.port_id, Settings())
    return DesiredNic(
        port_id=port.id,
        kind=NicKind.TAP if wiring.tap_name else NicKind.HOSTDEV,
        mac=told_mac(port),
        mtu=facts.in_force[port.id].mtu,
        device_id=binding.device_id,
        tap=wiring.tap_name,
    )


def _hostdevs(facts: HostFacts, server: Server) -> Iterator[DesiredHostdev]:
    """NICs in their order, then the devices of aliases by alias and number; not those that are only held for it."""
    places = {port_id: place for place, port_id in enumerate(server.ports)}
    aside = server.resize.aside if server.resize else ()
    held = [
        each
        for each in kept(facts)
        if each.server_id == server.id and each.device_id not in aside and not _is_tapped(facts, each.port_id)
    ]

    def place(allocation: Allocation) -> tuple[int, str, int]:
        if allocation.port_id is not None:
            return places.get(allocation.port_id, len(places)), "", 0
        alias, _, number = allocation.request_id.rpartition("-")
        return len(places), alias, int(number)

    for allocation in sorted(held, key=place):
        yield _hostdev(facts.devices[allocation.device_id], allocation.port_id)


def _is_tapped(facts: HostFacts, port_id: PortId | None) -> bool:
    """Whether its guest has a tap or macvtap for the port, and no device."""
    return port_id is not None and facts.wirings.get(port_id, Settings()).tap_name is not None


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
