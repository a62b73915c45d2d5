"""What of a port's DHCP options a guest can be told without DHCP."""

import pytest

from fairlead.model.dhcp_option import DhcpOption, ToldOptions, check, told
from fairlead.model.errors import InvalidValue
from fairlead.model.network import HostRoute


@pytest.mark.parametrize(
    "option",
    [
        DhcpOption("mtu", "67"),
        DhcpOption("26", "jumbo"),
        DhcpOption("dns-server", "2001:db8::1"),
        DhcpOption("dns-server", "10.0.0.1", 6),
        DhcpOption("dns-server", ","),
        DhcpOption("router", "2001:db8::1"),
        DhcpOption("121", "10.0.0.0/8"),
        DhcpOption("classless-static-route", "10.0.0.1/8,10.0.0.1"),
        DhcpOption("classless-static-route", "2001:db8::/64,10.0.0.1"),
        DhcpOption("domain-search", "example..org"),
    ],
)
def test_a_value_that_could_not_be_told_is_refused(option: DhcpOption) -> None:
    with pytest.raises(InvalidValue, match="extra_dhcp_opts"):
        check(option)


@pytest.mark.parametrize(
    "option",
    [
        DhcpOption("bootfile-name", "anything at all"),
        DhcpOption("mtu", "jumbo", 6),
        DhcpOption("26", "what 26 is in DHCPv6", 6),
        DhcpOption("router", ""),
        DhcpOption("classless-static-route", ""),
        DhcpOption("domain-name", "a-b.example.org."),
        DhcpOption("24", "example.org", 6),
    ],
)
def test_what_only_dhcp_can_say_may_be_anything(option: DhcpOption) -> None:
    check(option)


def test_each_version_tells_its_own() -> None:
    options = (
        DhcpOption("3", "10.0.0.1"),
        DhcpOption("domain-name", "example.org"),
        DhcpOption("119", "example.net"),
        DhcpOption("121", "10.0.0.0/8,10.0.0.2"),
        DhcpOption("23", "2001:db8::1", 6),
    )
    routes = (HostRoute("10.0.0.0/8", "10.0.0.2"),)
    assert told(options, 4) == ToldOptions(router="10.0.0.1", routes=routes, search=("example.net",))
    assert told(options, 6) == ToldOptions(dns_servers=("2001:db8::1",))
    assert told((), 4) == ToldOptions()
