"""A guest's whole domain.

Source: libvirt's formatdomain.html; the element order follows its schema, so that a diff against
`virsh dumpxml` reads well.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from fairlead.guestxml.cpu import add_cpu, add_pinning, add_vcpus
from fairlead.guestxml.interface import hostdev, tap_interface
from fairlead.guestxml.machine import Chipset, GuestFiles, Machine
from fairlead.hoststate.desired import DesiredGuest, DesiredHostdev, DesiredNic, GuestDevice, NicKind
from fairlead.model.ids import DeviceId, ServerId
from fairlead.model.numa import NumaNode
from fairlead.model.pci import PciAddress

NAMESPACE = "https://fairlead.dev/domain/1"
"""Of our metadata: a domain that carries it is ours, any other is foreign."""
SPARE_ROOT_PORTS = 8
"""How many devices a guest can be given while it runs, beside what it started with (docs/decisions/0014)."""
_RNGS = 1
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def domain_name(server_id: ServerId) -> str:
    """The name of a server's domain."""
    return f"fl-{server_id}"


def domain_xml(
    guest: DesiredGuest,
    spec: str,
    *,
    files: GuestFiles,
    addresses: Mapping[DeviceId, PciAddress],
    nodes: tuple[NumaNode, ...],
    machine: Machine,
) -> str:
    """The domain that libvirt is given. `addresses` has each of the guest's devices (KeyError otherwise);
    `nodes` are the host's NUMA nodes; `spec` goes into the metadata, see hoststate.spec.
    """
    domain = Element("domain", type=machine.domain_type.value)
    _add_identity(domain, guest, spec)
    SubElement(domain, "memory", unit="MiB").text = str(guest.memory_mib)
    add_vcpus(domain, guest)
    add_pinning(domain, guest.cells, {node.node: node for node in nodes})
    _add_boot(domain, guest, files, machine)
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")
    add_cpu(domain, guest, machine)
    SubElement(domain, "clock", offset="utc")
    for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
        SubElement(domain, event).text = action
    _add_devices(domain, guest, files, addresses, machine)
    indent(domain)
    return tostring(domain, encoding="unicode") + "\n"


def device_xml(device: GuestDevice, address: PciAddress | None = None) -> str:
    """One device, as it stands in its guest's domain: what a running guest is given. `address`: where a device that
    is passed through is today (ValueError without).
    """
    match device:
        case DesiredHostdev() if address is not None:
            element = hostdev(address, device.port_id)
        case DesiredNic(tap=str(tap)):
            element = tap_interface(device, tap)
        case _:
            raise ValueError(f"{device} does not say which device it is.")
    indent(element)
    return tostring(element, encoding="unicode") + "\n"


def _add_identity(domain: Element, guest: DesiredGuest, spec: str) -> None:
    SubElement(domain, "name").text = domain_name(guest.server_id)
    SubElement(domain, "uuid").text = guest.server_id
    SubElement(domain, "title").text = _xml_text(" ".join(guest.name.split()))
    metadata = SubElement(domain, "metadata")
    SubElement(
        metadata,
        "fairlead:guest",
        {
            "xmlns:fairlead": NAMESPACE,
            "spec": spec,
            "boot_serial": str(guest.boot_serial),
            "disk_serial": str(guest.disk_serial),
        },
    )


def _xml_text(text: str) -> str:
    """The text with a mark for each character that XML cannot have (XML 1.0, 2.2): no name keeps a guest down."""
    return _NO_XML.sub("\ufffd", text)


def _add_boot(domain: Element, guest: DesiredGuest, files: GuestFiles, machine: Machine) -> None:
    os = SubElement(domain, "os")
    SubElement(os, "type", arch="x86_64", machine=machine.chipset.value).text = "hvm"
    if files.kernel is not None:
        SubElement(os, "kernel").text = str(files.kernel)
        if files.ramdisk is not None:
            SubElement(os, "initrd").text = str(files.ramdisk)
        if guest.command_line:
            SubElement(os, "cmdline").text = _xml_text(guest.command_line)
    SubElement(os, "boot", dev="hd")


def _add_devices(
    domain: Element,
    guest: DesiredGuest,
    files: GuestFiles,
    addresses: Mapping[DeviceId, PciAddress],
    machine: Machine,
) -> None:
    devices = SubElement(domain, "devices")
    if machine.emulator is not None:
        SubElement(devices, "emulator").text = str(machine.emulator)
    _add_disks(devices, files)
    SubElement(devices, "controller", type="usb", model="none")
    if machine.chipset is Chipset.Q35:
        _add_root_ports(devices, guest, files)
    for nic in guest.nics:
        devices.append(_nic(nic, addresses))
    for device in _without_port(guest):
        devices.append(hostdev(addresses[device.device_id], None))
    _add_console(devices, files.console_log)
    # No balloon: vfio pins all of the guest's memory, there is nothing to give back.
    SubElement(devices, "memballoon", model="none")
    rng = SubElement(devices, "rng", model="virtio")
    SubElement(rng, "backend", model="random").text = "/dev/urandom"


def _add_root_ports(devices: Element, guest: DesiredGuest, files: GuestFiles) -> None:
    """One for each device, and some to plug into: PCI Express plugs nothing in but into a port of its own, and
    libvirt adds none beyond what a domain starts with (its pci-hotplug.html). PC's one bus has room anyway. All are
    numbered, from the root: libvirt takes the first of those that are not for the root itself.
    """
    disks = (files.disk is not None) + (files.config_drive is not None)
    SubElement(devices, "controller", type="pci", index="0", model="pcie-root")
    for number in range(1, disks + len(guest.devices) + _RNGS + SPARE_ROOT_PORTS + 1):
        SubElement(devices, "controller", type="pci", index=str(number), model="pcie-root-port")


def _add_disks(devices: Element, files: GuestFiles) -> None:
    """The root disk, then the config drive: on virtio too, for a small kernel sees it without AHCI or CD."""
    targets = iter(("vda", "vdb"))
    if files.disk is not None:
        disk = _disk(devices, files.disk, "qcow2", next(targets))
        SubElement(disk, "serial").text = "root"
    if files.config_drive is not None:
        disk = _disk(devices, files.config_drive, "raw", next(targets))
        SubElement(disk, "readonly")
        SubElement(disk, "serial").text = "config-drive"


def _disk(devices: Element, path: Path, kind: str, target: str) -> Element:
    disk = SubElement(devices, "disk", type="file", device="disk")
    SubElement(disk, "driver", name="qemu", type=kind)
    SubElement(disk, "source", file=str(path))
    SubElement(disk, "target", dev=target, bus="virtio")
    return disk


def _nic(nic: DesiredNic, addresses: Mapping[DeviceId, PciAddress]) -> Element:
    match nic.kind:
        case NicKind.HOSTDEV if nic.device_id is not None:
            return hostdev(addresses[nic.device_id], nic.port_id)
        case NicKind.TAP if nic.tap is not None:
            return tap_interface(nic, nic.tap)
        case _:
            raise ValueError(f"NIC {nic.port_id} is a {nic.kind.value} and does not say which.")


def _without_port(guest: DesiredGuest) -> list[DesiredHostdev]:
    """Devices that no NIC names: those of a flavor's alias."""
    named = {nic.device_id for nic in guest.nics}
    return [device for device in guest.hostdevs if device.device_id not in named]


def _add_console(devices: Element, console_log: Path) -> None:
    """A serial port that people can attach to (`virsh console`), and whose output is kept over reboots."""
    serial = SubElement(devices, "serial", type="pty")
    SubElement(serial, "log", file=str(console_log), append="on")
    SubElement(serial, "target", type="isa-serial", port="0")
