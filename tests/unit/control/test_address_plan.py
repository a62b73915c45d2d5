"""The rules of a subnet's addresses."""

from ipaddress import ip_network

import pytest

from fairlead.control import address_plan as plan
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.network import AddressRange, HostRoute


@pytest.mark.parametrize(
    ("cidr", "gateway", "pools"),
    [
        ("10.0.0.0/24", "10.0.0.1", [("10.0.0.2", "10.0.0.254")]),
        ("10.0.0.0/24", "10.0.0.254", [("10.0.0.1", "10.0.0.253")]),
        ("10.0.0.0/24", "10.0.0.9", [("10.0.0.1", "10.0.0.8"), ("10.0.0.10", "10.0.0.254")]),
        ("10.0.0.0/24", None, [("10.0.0.1", "10.0.0.254")]),
        ("10.0.0.0/30", "10.0.0.1", [("10.0.0.2", "10.0.0.2")]),
        ("10.0.0.0/31", "10.0.0.0", [("10.0.0.1", "10.0.0.1")]),
        ("10.0.0.7/32", None, [("10.0.0.7", "10.0.0.7")]),
        ("fd00::/64", "fd00::1", [("fd00::2", "fd00::ffff:ffff:ffff:ffff")]),
        ("fd00::/64", "fe80::1", [("fd00::1", "fd00::ffff:ffff:ffff:ffff")]),
    ],
)
def test_default_pools_are_everything_but_the_gateway(cidr, gateway, pools):
    assert [(r.start, r.end) for r in plan.default_pools(ip_network(cidr), gateway)] == pools


@pytest.mark.parametrize(
    ("cidr", "gateway"),
    [
        ("10.0.0.0/24", "10.0.0.1"),
        ("10.0.0.0/31", "10.0.0.0"),
        ("10.0.0.0/32", None),
        ("fd00::/64", "fd00::1"),
    ],
)
def test_the_default_gateway_is_the_first_address(cidr, gateway):
    assert plan.default_gateway(ip_network(cidr)) == gateway


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("10.0.0.1/24", 4),
        ("10.0.0.0", 4),
        ("10.0.0.0/33", 4),
        ("10.0.0.0/24", 6),
        ("fd00::/64", 4),
        ("0.0.0.0/0", 4),
        ("224.0.0.0/4", 4),
        ("127.0.0.0/8", 4),
        ("fe80::/64", 6),
        ("fd00::%1/64", 6),
        ("x/y", 4),
        ("/", 4),
        ("10.0.0.0/24/8", 4),
        ("", 4),
    ],
)
def test_prefixes_that_no_guest_can_live_in_are_refused(text, version):
    with pytest.raises(InvalidValue, match="cidr"):
        plan.parse_cidr(text, version)


def test_a_prefix_with_host_bits_is_told_the_right_one():
    with pytest.raises(InvalidValue, match=r"'10.0.0.0/24' is recommended"):
        plan.parse_cidr("10.0.0.1/24", 4)


@pytest.mark.parametrize("text", ["10.0.1.1", "10.0.0.0", "10.0.0.255", "fd00::1", "fe80::1", "x", ""])
def test_gateways_outside_are_refused(text):
    with pytest.raises(InvalidValue, match="gateway_ip"):
        plan.check_gateway(text, ip_network("10.0.0.0/24"))


def test_a_link_local_gateway_serves_ipv6():
    assert plan.check_gateway("FE80::1", ip_network("fd00::/64")) == "fe80::1"


def pools(*spans):
    return tuple(AddressRange(*span) for span in spans)


def test_pools_are_put_in_order():
    given = pools(("10.0.0.100", "10.0.0.200"), ("10.0.0.2", "10.0.0.9"))
    assert plan.check_pools(given, ip_network("10.0.0.0/24"), "10.0.0.1") == tuple(reversed(given))


@pytest.mark.parametrize(
    "spans",
    [
        [("10.0.0.9", "10.0.0.2")],
        [("10.0.0.0", "10.0.0.2")],
        [("10.0.0.2", "10.0.0.255")],
        [("10.0.0.2", "10.0.1.2")],
        [("10.0.0.2", "10.0.0.9"), ("10.0.0.9", "10.0.0.12")],
        [("fd00::1", "fd00::2")],
    ],
)
def test_pools_that_cannot_be_are_refused(spans):
    with pytest.raises(InvalidValue, match="allocation_pools"):
        plan.check_pools(pools(*spans), ip_network("10.0.0.0/24"), None)


def test_a_gateway_in_a_pool_is_a_conflict():
    with pytest.raises(Conflict) as refused:
        plan.check_pools(pools(("10.0.0.1", "10.0.0.9")), ip_network("10.0.0.0/24"), "10.0.0.5")
    assert refused.value.code == "gateway_in_pool"


def test_routes_and_name_servers_are_checked():
    assert plan.check_dns_nameservers(("10.0.0.53", "FD00::53")) == ("10.0.0.53", "fd00::53")
    for bad in (("x",), ("10.0.0.1", "10.0.0.1"), tuple(f"10.0.0.{n}" for n in range(6))):
        with pytest.raises(InvalidValue):
            plan.check_dns_nameservers(bad)
    assert plan.check_host_routes((HostRoute("10.1.0.0/16", "10.0.0.1"),), 4)
    for destination, nexthop in (("x", "10.0.0.1"), ("10.1.0.1/16", "10.0.0.1"), ("fd00::/64", "10.0.0.1")):
        with pytest.raises(InvalidValue):
            plan.check_host_routes((HostRoute(destination, nexthop),), 4)


def test_ipv6_modes_fit_together():
    six = ip_network("fd00::/64")
    plan.check_ipv6_modes(six, "slaac", "slaac", dhcp=True)
    for cidr, ra_mode, address_mode, dhcp in (
        (ip_network("10.0.0.0/24"), "slaac", None, True),
        (six, "slaac", "dhcpv6-stateful", True),
        (six, "slaac", None, False),
        (six, "magic", None, True),
        (ip_network("fd00::/80"), None, "slaac", True),
    ):
        with pytest.raises(InvalidValue):
            plan.check_ipv6_modes(cidr, ra_mode, address_mode, dhcp=dhcp)


def test_guests_make_the_address_of_rfc_4291():
    assert plan.eui64_address(ip_network("2001:db8::/64"), "34:56:78:9a:bc:de") == (
        "2001:db8::3656:78ff:fe9a:bcde"
    )
