"""Networks, subnets, ports and QoS policies by the proxy `conn.network`: pages, filters, tags, changes."""

import openstack
from openstack import exceptions

conn = openstack.connect(cloud="fairlead")
network = conn.network

blue = network.create_network(
    name="blue",
    provider_network_type="vlan",
    provider_physical_network="physnet1",
    provider_segmentation_id=1100,
)
assert (blue.provider_segmentation_id, blue.status, blue.mtu) == (1100, "ACTIVE", 1500)
subnet = network.create_subnet(network_id=blue.id, name="blue4", ip_version=4, cidr="10.110.0.0/24")
assert subnet.gateway_ip == "10.110.0.1"
assert network.find_network("blue").subnet_ids == [subnet.id]
assert network.find_network("nowhere") is None

# A policy with both rules, on a port with all that a VF may be told.
gold = network.create_qos_policy(name="gold")
limit = network.create_qos_bandwidth_limit_rule(gold, max_kbps=1_000_000, direction="egress")
network.create_qos_minimum_bandwidth_rule(gold, min_kbps=100_000, direction="egress")
network.update_qos_bandwidth_limit_rule(limit, gold, max_kbps=2_000_000)
assert network.get_qos_bandwidth_limit_rule(limit, gold).max_kbps == 2_000_000
assert len(network.get_qos_policy(gold).rules) == 2
assert {rule.type for rule in network.qos_rule_types()} == {"bandwidth_limit", "minimum_bandwidth"}

port = network.create_port(
    network_id=blue.id,
    name="p0",
    binding_vnic_type="direct",
    binding_profile={"trusted": True, "vlan_priority": 5},
    qos_policy_id=gold.id,
    fixed_ips=[{"subnet_id": subnet.id, "ip_address": "10.110.0.10"}],
    is_port_security_enabled=False,
)
assert port.binding_profile == {"trusted": True, "vlan_priority": 5}
assert (port.binding_vif_type, port.is_port_security_enabled) == ("unbound", False)

# A page is two ports here; the generator asks for the next one by itself.
network.create_ports([{"network_id": blue.id, "name": f"p{number}"} for number in range(1, 6)])
names = [found.name for found in network.ports(limit=2, sort_key="name", sort_dir="desc")]
assert names == ["p5", "p4", "p3", "p2", "p1", "p0"]
assert [found.name for found in network.ports(**{"binding:vnic_type": "direct"})] == ["p0"]
assert [found.name for found in network.ports(fixed_ips="ip_address=10.110.0.10")] == ["p0"]
assert [found.name for found in network.ports(name="p3", network_id=blue.id)] == ["p3"]
assert list(network.ports(status="ACTIVE")) == []

# Tags and changes; a change that comes too late is refused by its revision.
network.set_tags(port, ["front", "db"])
assert [found.name for found in network.ports(tags="db,front")] == ["p0"]
seen = network.get_port(port.id).revision_number
assert network.update_port(port, name="first", description="of all").revision_number > seen
try:
    network.update_port(port.id, if_revision=seen, name="late")
except exceptions.PreconditionFailedException:
    pass
else:
    raise AssertionError("a change of what was changed meanwhile was taken")
network.update_port(port.id, qos_policy_id=None, binding_profile={})
assert network.get_port(port).binding_profile == {}
network.update_subnet(subnet, dns_nameservers=["10.110.0.53"], name="blue-four")
assert network.get_subnet(subnet).dns_nameservers == ["10.110.0.53"]

rbac = network.create_rbac_policy(
    object_type="network", object_id=blue.id, action="access_as_shared", target_project_id="*"
)
assert network.get_network(blue).is_shared
network.delete_rbac_policy(rbac)

assert {agent.host for agent in network.agents()} == {"host1", "host2", "host3"}
assert all(agent.is_alive for agent in network.agents(agent_type="NIC Switch agent"))
[free] = network.network_ip_availabilities(network_name="blue")
assert (free.total_ips, free.used_ips) == (253, 6)
assert network.find_extension("qos").alias == "qos"
assert {zone.name for zone in network.availability_zones()} == {"nova"}

answer = "taken"
try:
    network.delete_network(blue)
except exceptions.ConflictException as refused:
    answer = str(refused)
assert "port" in answer, answer
for found in network.ports(network_id=blue.id):
    network.delete_port(found)
network.delete_network(blue)
network.delete_qos_policy(gold)
assert network.find_network("blue") is None
