"""The multicast groups that a port's addresses need."""

from fairlead.model.ids import SubnetId
from fairlead.model.multicast import ALL_HOSTS, ALL_NODES, needed_groups
from fairlead.model.pci import MacAddress
from fairlead.model.port import FixedIp
from tests import rows

MAC = MacAddress("fa:16:3e:ab:cd:ef")
OF_THE_MAC = "33:33:ff:ab:cd:ef"


def own(*addresses: str) -> tuple[FixedIp, ...]:
    return tuple(FixedIp(SubnetId("subnet"), address) for address in addresses)


def test_all_hosts_all_nodes_and_the_one_by_which_its_link_local_address_is_asked_for():
    assert needed_groups(rows.port(mac=MAC)) == (ALL_HOSTS, ALL_NODES, OF_THE_MAC)
    assert needed_groups(rows.port(mac=MAC, fixed_ips=())) == (ALL_HOSTS, ALL_NODES, OF_THE_MAC)


def test_that_of_each_ipv6_address_of_its_own():
    port = rows.port(mac=MAC, fixed_ips=own("10.0.0.5", "fd00::5", "2001:db8::12:3456"))
    assert set(needed_groups(port)) - {ALL_HOSTS, ALL_NODES, OF_THE_MAC} == {
        "33:33:ff:00:00:05",
        "33:33:ff:12:34:56",
    }


def test_that_of_each_single_address_that_it_is_allowed_besides():
    """Of a whole prefix nobody can name them."""
    allowed = ("10.1.0.7", "fd00::a", "fd00::b/128", "fd00:1::/64")
    assert set(needed_groups(rows.port(mac=MAC, allowed_addresses=allowed))) - {
        ALL_HOSTS,
        ALL_NODES,
        OF_THE_MAC,
    } == {"33:33:ff:00:00:0a", "33:33:ff:00:00:0b"}


def test_addresses_with_the_same_end_have_one():
    """As the one that SLAAC makes of the MAC and the link-local one."""
    port = rows.port(mac=MAC, fixed_ips=own("2001:db8::f816:3eff:feab:cdef"))
    assert needed_groups(port) == (ALL_HOSTS, ALL_NODES, OF_THE_MAC)
