"""Where a guest sees its devices: their PCI addresses outlast the domain that is written anew. Pure.

A NIC's address is its name in most guests (systemd.net-naming-scheme: enp5s0), and libvirt gives addresses by the
order of the devices (src/qemu/qemu_domain_address.c): one NIC less would rename those after it at the next boot.
"""

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, fromstring, register_namespace, tostring

from fairlead.guestxml.guest import NAMESPACE
from fairlead.guestxml.interface import nic_alias
from fairlead.model.ids import PortId
from fairlead.model.pci import PciAddress

register_namespace("fairlead", NAMESPACE)  # for who reads what is written again
_USER_ALIAS = nic_alias(PortId(""))
_NIC = "nic"


class _Place(NamedTuple):
    domain: int
    bus: int
    slot: int
    function: int


def with_addresses(xml: str, *before: str) -> str:
    """The domain with each of its devices where the first of the domains `before` that has it has it, and the PCI
    controllers that this takes. Of two that would be at one place the first keeps it. What no domain before has, or has
    on another chipset, stays as it is: without an address, for libvirt to give it one.
    """
    domain = fromstring(xml)  # noqa: S314 - guestxml or libvirt wrote it
    earlier = [old for old in map(fromstring, before) if _is_q35(old) is _is_q35(domain)]
    devices = domain.find("devices")
    if devices is None or not earlier:
        return xml
    earlier.append(fromstring(xml))  # noqa: S314 - as above
    known, names = [each for old in earlier for each in _addresses(old)], set(map(_name, devices))
    highest = max((_place(address).bus for name, address in known if name in names), default=0)
    _bring_controllers(devices, earlier, highest)
    unplaced = {name: device for device in devices if (name := _name(device)) is not None}
    for device in unplaced.values():
        if (own := _address(device)) is not None:
            device.remove(own)
    taken = {_place(address) for device in devices if (address := _address(device)) is not None}
    for name, address in known:
        if name in unplaced and _place(address) not in taken:
            unplaced.pop(name).append(address)
            taken.add(_place(address))
    return tostring(domain, encoding="unicode") + "\n"


def nic_places(xml: str) -> dict[PortId, PciAddress]:
    """Where the guest sees the NIC of each port, as far as the domain says."""
    placed = _addresses(fromstring(xml))  # noqa: S314 - libvirt wrote it
    return {PortId(name[1]): _pci_address(address) for name, address in placed if name[0] == _NIC}


def _bring_controllers(devices: Element, earlier: list[Element], highest: int) -> None:
    """What the buses up to the highest in use are on, each numbered as its bus is."""
    here = {device.get("index") for device in devices.iterfind("controller[@type='pci']")}
    for old in earlier:
        for controller in old.iterfind("devices/controller[@type='pci']"):
            index = controller.get("index", "")
            if index not in here and int(index) <= highest:
                SubElement(devices, "controller", type="pci", index=index, model=controller.get("model", ""))
                here.add(index)


def _addresses(domain: Element) -> Iterator[tuple[tuple[str, ...], Element]]:
    for device in domain.iterfind("devices/*"):
        name, address = _name(device), _address(device)
        if name is not None and address is not None:
            yield name, address


def _name(device: Element) -> tuple[str, ...] | None:
    """What makes it the same device in another domain of its guest; None: nothing does."""
    alias, source, target = device.find("alias"), device.find("source/address"), device.find("target")
    if alias is not None and alias.get("name", "").startswith(_USER_ALIAS):
        return (_NIC, alias.get("name", "").removeprefix(_USER_ALIAS))
    match device.tag:
        case "hostdev" if source is not None:
            return ("hostdev", *(str(part) for part in _place(source)))
        case "disk" if target is not None:
            return ("disk", target.get("dev", ""))
        case "controller":
            return ("controller", *(device.get(key, "") for key in ("type", "index", "model")))
        case "rng":
            return ("rng",)
        case _:
            return None


def _address(device: Element) -> Element | None:
    return device.find("address[@type='pci']")


def _place(address: Element) -> _Place:
    return _Place(*(int(address.get(part, "0"), 0) for part in _Place._fields))


def _pci_address(address: Element) -> PciAddress:
    domain, bus, slot, function = _place(address)
    return PciAddress(f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}")


def _is_q35(domain: Element) -> bool:
    machine = domain.find("os/type")
    return machine is not None and "q35" in machine.get("machine", "")
