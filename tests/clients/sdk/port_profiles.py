"""Port profiles, a noun that openstacksdk has not: by a resource of a program's own, as its extensions are written."""

import openstack
from openstack import exceptions, resource


class PortProfile(resource.Resource):
    """What docs/reference/network-api.md says of it."""

    resource_key = "port_profile"
    resources_key = "port_profiles"
    base_path = "/port-profiles"
    allow_create = allow_fetch = allow_commit = allow_delete = allow_list = True
    _allow_unknown_attrs_in_body = True
    _query_mapping = resource.QueryParameters("name", "kind", "sort_key", "sort_dir")

    kind = resource.Body("kind")
    vlan_priority = resource.Body("vlan_priority", type=int)
    max_rate_mbps = resource.Body("max_rate_mbps", type=int)
    profile_id = resource.Body("profile_id")


conn = openstack.connect(cloud="fairlead")
network = conn.network
assert network.find_extension("fairlead-port-profiles").name == "Port profiles"

gold = PortProfile.new(name="gold", kind="ethernet", vlan_priority=5, max_rate_mbps=900).create(network)
PortProfile.new(name="finance", kind="802.1Qbh", profile_id="finance").create(network)
assert (gold.kind, gold.vlan_priority) == ("ethernet", 5)
# A page is one profile here; the generator asks for the next one by itself.
names = [found.name for found in PortProfile.list(network, limit=1, sort_key="name", sort_dir="desc")]
assert names == ["gold", "finance"]
assert [found.name for found in PortProfile.list(network, kind="802.1Qbh")] == ["finance"]

blue = network.create_network(
    name="blue",
    provider_network_type="vlan",
    provider_physical_network="physnet1",
    provider_segmentation_id=1200,
)
shown = network.put(f"/networks/{blue.id}", json={"network": {"port_profile_id": gold.id}}).json()["network"]
assert shown["port_profile_id"] == gold.id
wanted = {"network_id": blue.id, "name": "p0", "binding:vnic_type": "direct"}
port = network.post("/ports", json={"port": wanted}).json()["port"]
assert (port["port_profile_id"], port["network_port_profile_id"]) == (None, gold.id)

gold.max_rate_mbps = 1000
gold.commit(network)
assert PortProfile.new(id=gold.id).fetch(network).max_rate_mbps == 1000
gold.vlan_priority = 8
answers = []
for refused in (gold.commit, gold.delete):
    try:
        refused(network)
    except exceptions.HttpException as refusal:
        answers.append(refusal.response.status_code)
assert answers == [400, 409], answers

network.delete_port(port["id"])
network.delete_network(blue)
for found in list(PortProfile.list(network)):
    found.delete(network)
