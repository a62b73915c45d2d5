"""Addresses are given once each, in order, and at the same cost in a /64 as in a /28."""

from collections.abc import Iterator

import pytest

from fairlead.control import networks, ports, subnets
from fairlead.control.addresses import WantedAddress
from fairlead.control.boundary import Tx
from fairlead.control.networks import NewNetwork
from fairlead.control.port_changes import PortChanges, update
from fairlead.control.ports import NewPort
from fairlead.control.subnets import NewSubnet, SubnetChanges
from fairlead.model.errors import Conflict, InvalidValue, NotFound, Refusal
from fairlead.model.ids import NetworkId, PortId, ProjectId, SubnetId
from fairlead.model.network import AddressRange
from fairlead.model.pci import MacAddress
from fairlead.store.engine import open_database

PROJECT = ProjectId("project")
MAC = MacAddress("fa:16:3e:00:00:01")


class Lan:
    """A network to have addresses on."""

    def __init__(self) -> None:
        self.database = open_database("sqlite://")
        with self.database.transaction() as tx:
            new = NewNetwork(PROJECT, physical_network="physnet1")
            self.network_id: NetworkId = networks.create(tx, new).network.id

    def subnet(self, cidr: str, **more) -> SubnetId:
        with self.database.transaction() as tx:
            new = NewSubnet(PROJECT, self.network_id, cidr, 6 if ":" in cidr else 4, **more)
            return subnets.create(tx, new).id

    def port(self, *wanted: WantedAddress, auto: bool = False, **more) -> tuple[PortId, list[str]]:
        with self.database.transaction() as tx:
            new = NewPort(PROJECT, self.network_id, fixed_ips=None if auto else wanted, **more)
            port = ports.create(tx, new).port
            return port.id, [ip.ip_address for ip in port.fixed_ips]

    def auto(self) -> list[str]:
        return self.port(auto=True)[1]

    def refused(self, *wanted: WantedAddress) -> Refusal:
        with pytest.raises(Refusal) as refused:
            self.port(*wanted)
        return refused.value

    def delete(self, port_id: PortId) -> None:
        with self.database.transaction() as tx:
            ports.delete(tx, port_id)


@pytest.fixture
def lan() -> Iterator[Lan]:
    made = Lan()
    yield made
    made.database.close()


def test_addresses_go_on_behind_the_last_one_given(lan):
    lan.subnet("10.0.0.0/24")
    first, addresses = lan.port(auto=True)
    assert addresses == ["10.0.0.2"]
    assert lan.auto() == ["10.0.0.3"]
    lan.delete(first)
    assert lan.auto() == ["10.0.0.4"]


def test_past_the_end_the_lowest_free_address_comes_first(lan):
    lan.subnet("10.0.0.0/29")
    held = [lan.port(auto=True) for _ in range(5)]
    assert [addresses[0] for _, addresses in held] == [f"10.0.0.{n}" for n in range(2, 7)]
    lan.delete(held[3][0])
    lan.delete(held[1][0])
    assert lan.auto() == ["10.0.0.3"]
    assert lan.auto() == ["10.0.0.5"]
    with pytest.raises(Conflict) as refused:
        lan.auto()
    assert refused.value.code == "no_addresses"


def test_addresses_that_were_asked_for_are_stepped_over(lan):
    sub = lan.subnet("10.0.0.0/24")
    for number in range(2, 40):
        lan.port(WantedAddress(sub, f"10.0.0.{number}"))
    assert lan.auto() == ["10.0.0.40"]


def test_a_64_costs_what_a_28_does(lan):
    lan.subnet("fd00::/64")
    assert [lan.auto() for _ in range(3)] == [["fd00::2"], ["fd00::3"], ["fd00::4"]]


def test_pools_are_used_one_after_the_other(lan):
    pools = (AddressRange("10.0.0.10", "10.0.0.11"), AddressRange("10.0.0.20", "10.0.0.20"))
    lan.subnet("10.0.0.0/24", pools=pools)
    assert [lan.auto()[0] for _ in range(3)] == ["10.0.0.10", "10.0.0.11", "10.0.0.20"]


def test_the_next_subnet_of_the_version_serves_when_one_is_full(lan):
    lan.subnet("10.0.0.0/30")
    lan.subnet("10.1.0.0/30")
    assert [lan.auto() for _ in range(2)] == [["10.0.0.2"], ["10.1.0.2"]]


def test_guests_that_make_their_own_address_get_that_one(lan):
    lan.subnet("10.0.0.0/24")
    six = lan.subnet("fd00::/64", ipv6_address_mode="slaac", ipv6_ra_mode="slaac")
    _, addresses = lan.port(auto=True, mac=MAC)
    assert sorted(addresses) == ["10.0.0.2", "fd00::f816:3eff:fe00:1"]
    assert isinstance(lan.refused(WantedAddress(six, "fd00::9")), InvalidValue)


def test_wishes_are_answered_in_their_order(lan):
    four, six = lan.subnet("10.0.0.0/24"), lan.subnet("fd00::/64")
    _, addresses = lan.port(
        WantedAddress(six), WantedAddress(four), WantedAddress(ip_address="10.0.0.2"), WantedAddress(four)
    )
    assert addresses == ["fd00::2", "10.0.0.3", "10.0.0.2", "10.0.0.4"]


def test_wishes_that_cannot_be_answered(lan):
    four = lan.subnet("10.0.0.0/24")
    lan.port(WantedAddress(four, "10.0.0.9"))
    assert lan.refused(WantedAddress(four, "10.0.0.9")).code == "ip_in_use"
    assert isinstance(lan.refused(WantedAddress(SubnetId("nowhere"))), NotFound)
    for wanted in (
        (WantedAddress(),),
        (WantedAddress(four, "10.0.1.9"),),
        (WantedAddress(four, "10.0.0.255"),),
        (WantedAddress(ip_address="192.0.2.1"),),
        (WantedAddress(ip_address="x"),),
        (WantedAddress(four, "10.0.0.5"), WantedAddress(ip_address="10.0.0.5")),
        (WantedAddress(four),) * 33,
    ):
        assert isinstance(lan.refused(*wanted), InvalidValue), wanted
    assert lan.auto() == ["10.0.0.2"]


def test_a_change_keeps_the_addresses_that_still_answer(lan):
    four, six = lan.subnet("10.0.0.0/24"), lan.subnet("fd00::/64")
    port_id, _ = lan.port(auto=True)

    def change(*wanted: WantedAddress) -> list[str]:
        with lan.database.transaction() as tx:
            port = update(tx, port_id, PortChanges(), wanted).port
            return [ip.ip_address for ip in port.fixed_ips]

    assert change(WantedAddress(six), WantedAddress(four)) == ["fd00::2", "10.0.0.2"]
    assert change(WantedAddress(four, "10.0.0.2")) == ["10.0.0.2"]
    assert change(WantedAddress(four), WantedAddress(four)) == ["10.0.0.2", "10.0.0.3"]
    assert change() == []
    assert lan.auto() == ["10.0.0.4", "fd00::3"]


def test_new_pools_begin_at_their_start(lan):
    four = lan.subnet("10.0.0.0/24")
    lan.auto()
    with lan.database.transaction() as tx:
        subnets.update(tx, four, SubnetChanges(pools=(AddressRange("10.0.0.50", "10.0.0.60"),)))
    assert lan.auto() == ["10.0.0.50"]


def test_a_generated_mac_that_is_taken_is_tried_again(lan):
    with lan.database.transaction() as tx:
        ports.create(tx, NewPort(PROJECT, lan.network_id, mac=MAC))
    with pytest.raises(Conflict) as refused, lan.database.transaction() as tx:
        ports.create(_with_id_ending(tx, "000001"), NewPort(PROJECT, lan.network_id))
    assert refused.value.code == "stale"


def _with_id_ending(tx: Tx, tail: str) -> Tx:
    """The same transaction, whose next ids end so."""
    tx._new_id = lambda: f"00000000-0000-4000-8000-000000{tail}"  # type: ignore[attr-defined]  # noqa: SLF001
    return tx
