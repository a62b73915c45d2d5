"""The addresses that a guest may send from."""

from fairlead.model.guest_sources import guest_sources, link_local
from fairlead.model.ids import SubnetId
from fairlead.model.pci import MacAddress
from fairlead.model.port import FixedIp
from tests import rows

MAC = MacAddress("fa:16:3e:00:00:01")
LINK_LOCAL = "fe80::f816:3eff:fe00:1/128"


def test_its_own_addresses_that_of_its_mac_and_none():
    assert guest_sources(rows.port()) == ("0.0.0.0/32", "10.0.0.11/32", "::/128", LINK_LOCAL)


def test_what_it_is_allowed_besides_as_prefixes():
    port = rows.port(
        fixed_ips=(FixedIp(SubnetId("subnet-6"), "fd00::5"),), allowed_addresses=("10.1.0.7/16", "10.0.0.9")
    )
    assert guest_sources(port) == (
        "0.0.0.0/32", "10.0.0.9/32", "10.1.0.0/16", "::/128", "fd00::5/128", LINK_LOCAL,
    )  # fmt: skip


def test_a_port_without_addresses_may_send_from_any():
    assert guest_sources(rows.port(fixed_ips=())) == ()


def test_the_address_that_a_mac_makes():
    assert str(link_local(MacAddress("00:25:96:12:34:56"))) == "fe80::225:96ff:fe12:3456"
