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
    on another chipset or controller, stays without an address, for libvirt to give it one.
    """
    domain = fromstring(xml)  # noqa: S314 - guestxml wrote it
    earlier = [old for old in map(fromstring, before) if _is_q35(old) is _is_q35(domain)]
    devices = domain.find("devices")
    if devices is None or not earlier:
        return xml
    names = set(map(_name, devices))
    known = [(name, address, old) for old in earlier for name, address in _addresses(old)]
    highest = max((_place(address).bus for name, address, _ in known if name in names), default=0)
    _bring_controllers(devices, earlier, highest)
    unplaced = {name: each for each in devices if each.find("address") is None and (name := _name(each))}
    taken = {_place(address) for each in devices if (address := _address(each)) is not None}
    for name, address, old in known:
        place = _place(address)
        if name in unplaced and place not in taken and _bus(old, place) == _bus(domain, place):
            unplaced.pop(name).append(address)
            taken.add(place)
    return tostring(domain, encoding="unicode") + "\n"


def device_with_address(xml: str, live: str, stored: str) -> str:
    """A device to be given to a running guest: where the next boot will have it, if the guest has a free place there;
    else as it came, for libvirt to choose.
    """
    device, now, later = fromstring(xml), fromstring(live), fromstring(stored)  # noqa: S314 - guestxml, then libvirt
    address = dict(_addresses(later)).get(_name(device) or ())
    if address is None or device.find("address") is not None:
        return xml
    place = _place(address)
    is_taken = place in {_place(other) for other in now.iterfind("devices/*/address[@type='pci']")}
    if is_taken or _bus(now, place) is None or _bus(now, place) != _bus(later, place):
        return xml
    device.append(address)
    return tostring(device, encoding="unicode") + "\n"


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


def _bus(domain: Element, place: _Place) -> str | None:
    """What the bus of that place is on, a root port or a bridge; None: there is no such bus."""
    controller = domain.find(f"devices/controller[@type='pci'][@index='{place.bus}']")
    return controller.get("model", "") if controller is not None else None


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
