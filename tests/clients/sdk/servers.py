"""A server with a VF by the cloud layer, which waits, and by the proxies `conn.compute` and `conn.image`."""

import base64
from pathlib import Path

import openstack

conn = openstack.connect(cloud="fairlead")
disk = Path("disk.raw")
disk.write_bytes(bytes(range(256)) * 256)

image = conn.create_image("debian", filename=str(disk), disk_format="raw", container_format="bare", wait=True)
assert (image.status, image.size) == ("active", 65536)
assert b"".join(conn.image.download_image(image, stream=True).iter_content(4096)) == disk.read_bytes()
flavor = conn.create_flavor("f1", ram=512, vcpus=1, disk=1)
conn.compute.create_flavor_extra_specs(flavor, {"hw:numa_nodes": "1"})
assert conn.compute.get_flavor(flavor, get_extra_specs=True).extra_specs == {"hw:numa_nodes": "1"}
blue = conn.create_network("blue", provider={"network_type": "vlan", "physical_network": "physnet1"})
conn.create_subnet(blue.id, cidr="10.120.0.0/24", subnet_name="blue4")
port = conn.network.create_port(
    network_id=blue.id, name="p1", binding_vnic_type="direct", binding_profile={"vlan_priority": 5}
)
conn.create_keypair(
    "laptop", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4IDDLOmBXhTRXJbvKXlzmlMmrSuOpSpZXgWDzDWPYq me"
)

server = conn.create_server(
    "web",
    image=image.id,
    flavor=flavor.id,
    nics=[{"port-id": port.id}],
    key_name="laptop",
    meta={"role": "front"},
    userdata="#!/bin/sh\n",
    auto_ip=False,
    wait=True,
    timeout=120,
)
assert (server.status, server.key_name, server.metadata) == ("ACTIVE", "laptop", {"role": "front"})
assert server.addresses["blue"][0]["addr"] == "10.120.0.2"
bound = conn.network.get_port(port.id)
assert (bound.status, bound.binding_vif_type, bound.device_id) == ("ACTIVE", "hw_veb", server.id)
assert bound.binding_host_id == server.hypervisor_hostname

compute = conn.compute
assert base64.b64decode(compute.get_server(server).user_data) == b"#!/bin/sh\n"
assert [found.name for found in compute.servers(name="we", status="ACTIVE")] == ["web"]
assert [found.name for found in compute.servers(details=False, limit=1)] == ["web"]
assert list(compute.servers(status="SHUTOFF")) == []
compute.set_server_metadata(server, colour="blue")
compute.delete_server_metadata(compute.get_server(server.id), ["role"])
assert compute.get_server_metadata(server).metadata == {"colour": "blue"}
compute.add_tag_to_server(compute.get_server(server), "prod")
assert [found.name for found in compute.servers(tags="prod")] == ["web"]
compute.update_server(server, name="front", description="the first")
assert compute.find_server("front").description == "the first"

compute.stop_server(server)
compute.wait_for_server(server, status="SHUTOFF", interval=0.1, wait=60)
compute.start_server(server)
compute.wait_for_server(server, status="ACTIVE", interval=0.1, wait=60)
compute.reboot_server(server, "HARD")
compute.wait_for_server(server, status="ACTIVE", interval=0.1, wait=60)
compute.lock_server(server, locked_reason="seen to")
assert compute.get_server(server).is_locked
compute.unlock_server(server)
assert "output" in compute.get_server_console_output(server)
assert {action.action for action in compute.server_actions(server)} >= {"create", "stop", "start", "reboot"}
[interface] = compute.server_interfaces(server)
assert (interface.port_id, interface.port_state) == (port.id, "ACTIVE")

assert {host.name for host in compute.hypervisors(details=True)} == {"host1", "host2", "host3"}
assert {service.host for service in compute.services()} == {"host1", "host2", "host3"}
assert [zone.name for zone in compute.availability_zones(details=True)] == ["nova"]
assert [pair.name for pair in compute.keypairs()] == ["laptop"]
assert compute.get_limits().absolute.total_cores_used == 1

compute.pause_server(server)
compute.wait_for_server(server, status="PAUSED", interval=0.1, wait=60)
compute.unpause_server(server)
compute.wait_for_server(server, interval=0.1, wait=60)

# Many at once, or none.
compute.create_server(
    name="many", image_id=image.id, flavor_id=flavor.id, networks="none", min_count=2, max_count=2
)
many = [compute.find_server(f"many-{number}") for number in (1, 2)]
for found in many:
    compute.wait_for_server(found, interval=0.1, wait=60)
    conn.delete_server(found.id, wait=True)
assert conn.delete_server("front", wait=True, timeout=60)
assert conn.get_server("front") is None
assert conn.network.get_port(port.id).binding_vif_type == "unbound"

conn.delete_port(port.id)
conn.delete_network(blue.id)
conn.delete_keypair("laptop")
conn.delete_image(image.id, wait=True)
conn.delete_flavor(flavor.id)
