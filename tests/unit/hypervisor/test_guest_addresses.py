"""A guest finds its devices where they were, whatever comes and goes beside them."""

# ruff: noqa: S314 - the XML is written here

from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.hypervisor.guest_addresses import device_with_address, nic_places, with_addresses
from fairlead.model.ids import PortId

Buses = dict[str, int | None]

_DEVICES = {
    "disk": "<disk type='file' device='disk'><target dev='vda' bus='virtio'/>{}</disk>",
    "rng": "<rng model='virtio'>{}</rng>",
    "gpu": "<hostdev type='pci'><source><address bus='0x41' slot='0x00' function='0x0'/></source>{}</hostdev>",
    "vf": "<hostdev type='pci'><source><address bus='0x41' slot='0x10' function='0x1'/></source>"
    "<alias name='ua-vf'/>{}</hostdev>",
    "tap": "<interface type='ethernet'><alias name='ua-tap'/>{}</interface>",
    "late": "<interface type='ethernet'><alias name='ua-late'/>{}</interface>",
}
_ON_BUS = "<address type='pci' domain='0x0000' bus='0x{:02x}' slot='0x00' function='0x0'/>"


def controller(index: int, model: str = "pcie-root-port") -> str:
    """As libvirt writes them: eight in a slot, of which the first says that there are more."""
    slot, function = divmod(index - 1, 8)
    more = " multifunction='on'" if function == 0 else ""
    where = f"<address type='pci' domain='0x0000' bus='0x00' slot='0x{slot + 2:02x}' function='0x{function}'{more}/>"
    return f"<controller type='pci' index='{index}' model='{model}'>{where}</controller>"


def domain(buses: Buses, ports: int = 7, machine: str = "pc-q35-7.2") -> str:
    """As libvirt writes one. A device on bus None has no address yet."""
    root_ports = "".join(map(controller, range(1, ports + 1)))
    devices = "".join(
        _DEVICES[name].format("" if bus is None else _ON_BUS.format(bus)) for name, bus in buses.items()
    )
    return f"<domain><os><type machine='{machine}'>hvm</type></os><devices>{root_ports}{devices}</devices></domain>"


def buses(xml: str) -> Buses:
    """The opposite."""
    devices = fromstring(xml).find("devices")
    assert devices is not None
    empty = {name: fromstring(text.format("")) for name, text in _DEVICES.items()}
    return {
        next(name for name, other in empty.items() if _is_same(device, other)): _bus(device)
        for device in devices
        if device.tag != "controller"
    }


def _bus(device: Element) -> int | None:
    address = device.find("address")
    return int(address.get("bus", ""), 16) if address is not None else None


def _is_same(device: Element, other: Element) -> bool:
    mine, theirs = device.find("alias"), other.find("alias")
    return (
        device.tag == other.tag
        and (mine is None) == (theirs is None)
        and (mine is None or theirs is None or mine.attrib == theirs.attrib)
    )


def ports(xml: str) -> list[int]:
    """The buses that the domain has."""
    return [int(port.get("index", "")) for port in fromstring(xml).iterfind("devices/controller")]


def test_what_goes_moves_nothing() -> None:
    old = domain({"tap": 1, "late": 2, "disk": 3, "gpu": 4, "vf": 5, "rng": 6})
    new = with_addresses(domain({"late": None, "disk": None, "gpu": None, "vf": None, "rng": None}), old, old)
    assert buses(new) == {"late": 2, "disk": 3, "gpu": 4, "vf": 5, "rng": 6}


def test_what_comes_is_left_to_libvirt() -> None:
    new = with_addresses(domain({"tap": None, "late": None, "disk": None}), domain({"late": 1, "disk": 2}))
    assert buses(new) == {"tap": None, "late": 1, "disk": 2}


def test_where_the_guest_that_is_up_has_it_counts_before_what_is_stored() -> None:
    live, stored = domain({"disk": 1, "vf": 4}), domain({"tap": 4, "disk": 1, "vf": 2})
    new = with_addresses(domain({"tap": None, "disk": None, "vf": None}), live, stored)
    assert buses(new) == {"tap": None, "disk": 1, "vf": 4}


def test_controllers_stay_to_the_letter() -> None:
    """That a slot has more functions is said at its first, and libvirt starts no guest where it is not."""
    old = domain({"tap": 10}, ports=10)
    bare = fromstring(domain({"tap": None}, ports=10))
    for port in bare.iterfind("devices/controller"):
        port.remove(port[0])
    assert addresses(with_addresses(tostring(bare, encoding="unicode"), old)) == addresses(old)


def addresses(xml: str) -> list[dict[str, str]]:
    return [address.attrib for address in fromstring(xml).iterfind("devices/controller/address")]


def test_no_device_stays_on_a_bus_that_is_of_another_kind() -> None:
    """A device of conventional PCI is on a bridge that libvirt adds behind all root ports."""
    bridge = controller(8, "pcie-to-pci-bridge")
    old = domain({"gpu": 8}, ports=7).replace("<devices>", f"<devices>{bridge}")
    assert buses(with_addresses(domain({"gpu": None}, ports=8), old)) == {"gpu": None}


def test_what_has_an_address_of_another_kind_gets_none_on_pci() -> None:
    on_scsi = domain({"disk": None}).replace("</disk>", "<address type='drive' bus='0'/></disk>")
    kept = fromstring(with_addresses(on_scsi, domain({"disk": 3})))
    assert [each.get("type") for each in kept.iterfind("devices/disk/address")] == ["drive"]


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (domain({"tap": 1}), 5),
        (domain({"tap": 5}), None),
        (domain({"tap": 1}, ports=4), None),
        (domain({"tap": 1}, ports=4).replace("</devices>", controller(5, "pci-bridge") + "</devices>"), None),
    ],
)
def test_a_running_guest_gets_a_nic_where_its_next_boot_has_it(live: str, expected: int | None) -> None:
    late = _DEVICES["late"].format("")
    given_ = device_with_address(late, live, domain({"tap": 1, "late": 5}))
    assert _bus(fromstring(given_)) == expected


def test_what_its_next_boot_has_not_yet_libvirt_chooses_a_place_for() -> None:
    late = _DEVICES["late"].format("")
    assert device_with_address(late, domain({"tap": 1}), domain({"tap": 1})) == late


def test_the_nics_of_ports_are_where_the_domain_says() -> None:
    assert nic_places(domain({"tap": 3, "gpu": 4, "vf": 5, "late": None})) == {
        PortId("tap"): "0000:03:00.0",
        PortId("vf"): "0000:05:00.0",
    }


def test_a_domain_has_the_ports_that_its_devices_are_on() -> None:
    new = with_addresses(domain({"late": None}, ports=3), domain({"tap": 1, "late": 6}, ports=9))
    assert (buses(new), ports(new)) == ({"late": 6}, [1, 2, 3, 4, 5, 6])


def test_another_chipset_has_other_addresses() -> None:
    new = domain({"tap": None}, machine="pc")
    assert with_addresses(new, domain({"tap": 3})) == new


def test_a_new_guest_is_left_to_libvirt() -> None:
    assert with_addresses(domain({"tap": None})) == domain({"tap": None})


_BUSES = st.dictionaries(st.sampled_from(sorted(_DEVICES)), st.none() | st.integers(1, 9))


@given(_BUSES, st.lists(_BUSES, min_size=1, max_size=2), st.integers(1, 9))
def test_no_two_are_at_one_place_and_nothing_is_lost(new: Buses, before: list[Buses], count: int) -> None:
    fresh, old = domain(dict.fromkeys(new), count), [domain(each, 9) for each in before]
    kept = with_addresses(fresh, *old)
    places = [bus for bus in buses(kept).values() if bus is not None]
    assert buses(kept).keys() == new.keys()
    assert len(places) == len(set(places))
    assert set(places) <= set(ports(kept))
    assert with_addresses(kept, *old) == kept
