"""A guest is told where it sees its NICs, and sees them there at each boot."""

import json
from dataclasses import replace

import pytest

from fairlead.hoststate.desired import ConfigFile, DesiredGuest
from fairlead.hypervisor.guest_addresses import nic_places
from fairlead.model.ids import PortId
from fairlead.model.pci import MacAddress, PciAddress
from tests.agent_life import AgentLife
from tests.host_wishes import HostWish, ServerWish, VfWish, server

BEFORE = ServerWish(1, vfs=(VfWish(0, 3), VfWish(1, 0)), taps=1)
LESS = ServerWish(1, vfs=(VfWish(1, 0),), first_nic=1, leaving_vfs=(VfWish(0, 3),), taps=1)


class Life(AgentLife):
    """An agent whose guests have config drives that tell of all their NICs."""

    def wish(self, wish: ServerWish) -> DesiredGuest:
        self.want(HostWish(servers=(wish,)))
        document = self.control.desired
        assert document is not None
        (guest,) = (replace(guest, config_files=_files(guest)) for guest in document.guests)
        self.control.desired = replace(document, guests=(guest,))
        self.tick()
        return guest

    @property
    def places(self) -> dict[PortId, PciAddress]:
        return nic_places(self.host.machine.domains[f"fl-{server(1)}"].xml)

    @property
    def told(self) -> dict[MacAddress, tuple[str, str]]:
        (file,) = self.host.disks.config_files[server(1)]
        return {each["mac"]: (each["bus"], each["address"]) for each in json.loads(file.content)["devices"]}


def _files(guest: DesiredGuest) -> tuple[ConfigFile, ...]:
    devices = [{"type": "nic", "bus": "none", "address": "none", "mac": nic.mac} for nic in guest.nics]
    return (ConfigFile("openstack/latest/meta_data.json", json.dumps({"devices": devices})),)


@pytest.fixture
def life() -> Life:
    return Life()


def test_a_guest_is_told_where_it_sees_its_nics(life: Life) -> None:
    guest = life.wish(BEFORE)
    assert len(set(life.places.values())) == len(guest.nics)
    assert life.told == {nic.mac: ("pci", life.places[nic.port_id]) for nic in guest.nics}


def test_what_stays_is_seen_and_told_where_it_was(life: Life) -> None:
    life.wish(BEFORE)
    before = life.places
    guest = life.wish(LESS)
    assert life.places == {nic.port_id: before[nic.port_id] for nic in guest.nics}
    assert life.told == {nic.mac: ("pci", before[nic.port_id]) for nic in guest.nics}


def test_of_two_nics_of_one_mac_the_guest_is_told_nothing(life: Life) -> None:
    """A MAC is one port's in one network alone."""
    guest = life.wish(BEFORE)
    first, second, tap = guest.nics
    assert life.control.desired is not None
    twin = replace(
        guest, nics=(first, replace(second, mac=first.mac), tap), boot_serial=2, config_files=_files(guest)
    )
    life.control.desired = replace(life.control.desired, guests=(twin,), generation=9)
    life.tick()
    assert life.told[first.mac] == ("none", "none")
    assert life.told[tap.mac] == ("pci", life.places[tap.port_id])
