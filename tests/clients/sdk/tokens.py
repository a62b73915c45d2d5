"""A session with a token: the endpoints come from its catalog, and it knows who it is."""

import openstack

conn = openstack.connect(cloud="token")

assert conn.current_project.name == "operator"
assert {entry["type"] for entry in conn.service_catalog} >= {"compute", "network", "image", "identity"}
assert conn.endpoint_for("network").endswith("/network")
assert list(conn.network.networks()) == []
assert conn.get_compute_limits(conn.current_project_id).max_total_instances == -1
assert conn.get_network_quotas(conn.current_project_id).networks == -1
