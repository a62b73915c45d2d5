"""Projects, users and roles by the proxy `conn.identity`, and the session of who asks."""

import openstack

conn = openstack.connect(cloud="fairlead")
identity = conn.identity

west = identity.create_project(name="west", description="the west")
assert identity.find_project("west").id == west.id
identity.update_project(west, description="far")
assert identity.get_project(west).description == "far"
bert = identity.create_user(name="bert", password="a password", default_project_id=west.id)
member = identity.find_role("member")
identity.assign_project_role_to_user(west, bert, member)
assert identity.validate_user_has_project_role(west, bert, member)
[held] = identity.role_assignments(user_id=bert.id)
assert held.scope["project"]["id"] == west.id
assert [found.name for found in identity.user_projects(bert)] == ["west"]

# What is made for a project is counted there.
quotas = conn.network.update_quota(west.id, networks=1)
assert quotas.networks == 1
blue = conn.network.create_network(name="blue", project_id=west.id, provider_physical_network="physnet1")
assert conn.network.get_quota(west.id, details=True).networks["used"] == 1
conn.network.delete_network(blue)
conn.network.delete_quota(west.id)
conn.compute.update_quota_set(west.id, instances=3)
assert conn.compute.get_quota_set(west.id, usage=True).instances == 3
conn.compute.revert_quota_set(west.id)

identity.unassign_project_role_from_user(west, bert, member)
identity.delete_user(bert)
identity.delete_project(west)
assert identity.find_project("west") is None
