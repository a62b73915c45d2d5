"""Attributes of ports over HTTP that are taken as Neutron takes them, and those that are refused."""

import pytest

from tests.integration.test_network_api import V2, error, network, port, subnet

PAIRS = "allowed_address_pairs"


def test_addresses_besides_go_with_the_ports_mac(site):
    made = network(site)
    held = port(site, made["id"], **{PAIRS: [{"ip_address": "10.0.0.9"}, {"ip_address": "fd00::/64"}]})
    mac = held["mac_address"]
    assert held[PAIRS] == [
        {"ip_address": "10.0.0.9", "mac_address": mac},
        {"ip_address": "fd00::/64", "mac_address": mac},
    ]
    path = f"{V2}/ports/{held['id']}"
    again = {"port": {PAIRS: [{"ip_address": "10.0.0.10", "mac_address": mac.upper()}]}}
    assert site.put(path, again)["port"][PAIRS] == [{"ip_address": "10.0.0.10", "mac_address": mac}]
    moved = site.put(path, {"port": {"mac_address": "fa:16:3e:00:00:01"}})["port"]
    assert moved[PAIRS] == [{"ip_address": "10.0.0.10", "mac_address": "fa:16:3e:00:00:01"}]
    assert site.put(path, {"port": {PAIRS: []}})["port"][PAIRS] == []


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([{"ip_address": "10.0.0.9", "mac_address": "fa:16:3e:00:00:02"}], "only that pass"),
        ([{"ip_address": "10.0.0.300"}], "a valid IP address"),
        ([{"ip_address": "10.0.0.1/24"}], "without host bits"),
        ([{"ip_address": "10.0.0.1"}, {"ip_address": "10.0.0.1"}], "duplicate address pair"),
        ([{"ip_address": f"10.0.0.{n}"} for n in range(11)], "exceeds the maximum 10"),
        ([{}], "ip_address"),
    ],
)
def test_pairs_that_nothing_could_honour(site, pairs, reason):
    body = {"network_id": network(site)["id"], PAIRS: pairs}
    kind, message = error(site.post(f"{V2}/ports", {"port": body}, 400))
    assert kind == "HTTPBadRequest"
    assert reason in message


def test_pairs_want_port_security(site):
    made = network(site)
    body = {"network_id": made["id"], PAIRS: [{"ip_address": "10.0.0.9"}], "port_security_enabled": False}
    assert error(site.post(f"{V2}/ports", {"port": body}, 409))[0] == "AddressPairAndPortSecurityRequired"
    held = port(site, made["id"], **{PAIRS: [{"ip_address": "10.0.0.9"}]})
    off = {"port": {"port_security_enabled": False}}
    assert error(site.put(f"{V2}/ports/{held['id']}", off, 409))[0] == "AddressPairAndPortSecurityRequired"


def test_a_link_may_be_up_whatever_its_uplink_is(site):
    made = network(site)
    assert port(site, made["id"])["propagate_uplink_status"] is True
    held = port(site, made["id"], propagate_uplink_status=False)
    assert held["propagate_uplink_status"] is False
    path = f"{V2}/ports/{held['id']}"
    changed = site.put(path, {"port": {"propagate_uplink_status": True}})["port"]
    assert changed["propagate_uplink_status"] is True
    ids = [p["id"] for p in site.get(f"{V2}/ports?propagate_uplink_status=false")["ports"]]
    assert ids == []


@pytest.mark.parametrize("name", ["dns_name", "hints", "device_profile", "hardware_offload_type"])
def test_attributes_of_extensions_that_are_not_served_are_unknown(site, name):
    body = {"network_id": network(site)["id"], name: ""}
    _, message = error(site.post(f"{V2}/ports", {"port": body}, 400))
    assert message == f"Unrecognized attribute(s) '{name}'"


def test_there_are_no_security_groups_and_no_dhcp(site):
    made = network(site)
    assert port(site, made["id"], security_groups=[], extra_dhcp_opts=[])["security_groups"] == []
    for name, value in (("security_groups", ["s"]), ("extra_dhcp_opts", [{"opt_name": "mtu"}])):
        body = {"network_id": made["id"], name: value}
        assert name in error(site.post(f"{V2}/ports", {"port": body}, 400))[1]


def test_tags_are_added_to_those_there_are(site):
    path = f"{V2}/networks/{network(site)['id']}/tags"
    assert site.post(path, {"tags": ["a", "b"]}, 200) == {"tags": ["a", "b"]}
    assert site.post(path, {"tags": ["b", "c"]}, 200) == {"tags": ["a", "b", "c"]}
    site.post(path, {"tags": [""]}, 400)


def test_how_many_addresses_are_free(site):
    made, empty = network(site), network(site)
    four = subnet(site, made["id"])
    six = subnet(site, made["id"], "fd00::/64")
    port(site, made["id"])
    path = f"{V2}/network-ip-availabilities"
    found = site.get(f"{path}/{made['id']}")["network_ip_availability"]
    pools = {s["subnet_id"]: (s["total_ips"], s["used_ips"]) for s in found["subnet_ip_availability"]}
    assert pools == {four["id"]: (253, 1), six["id"]: (2**64 - 2, 1)}
    assert (found["total_ips"], found["used_ips"]) == (2**64 + 251, 2)
    everything = site.get(path)["network_ip_availabilities"]
    assert [each["network_id"] for each in everything] == [made["id"], empty["id"]]
    (only,) = site.get(f"{path}?network_id={made['id']}&ip_version=4")["network_ip_availabilities"]
    assert only["total_ips"] == 253
    assert error(site.get(f"{path}/nowhere", 404))[0] == "NetworkNotFound"


def test_agents_are_hosts_that_take_servers_or_do_not(site):
    token = site.post("/v1/hosts", {"name": "h1"})["token"]
    enrolment = {"token": token, "hostname": "h1", "agent_version": "1"}
    site.post("/v1/agents/enrol", enrolment, 200)
    (agent,) = site.get(f"{V2}/agents")["agents"]
    path = f"{V2}/agents/{agent['id']}"
    down = {"agent": {"admin_state_up": False, "description": "to be repaired"}}
    changed = site.put(path, down)["agent"]
    assert (changed["admin_state_up"], changed["description"]) == (False, "to be repaired")
    assert site.get("/v1/hosts/h1")["host"]["admin"] == "disabled"
    assert "host" in error(site.put(path, {"agent": {"host": "h2"}}, 400))[1]
    assert site.put(path, {"agent": {"admin_state_up": True}})["agent"]["admin_state_up"] is True
    site.delete(path)
    assert site.get(f"{V2}/agents")["agents"] == []
    assert site.get("/v1/hosts")["hosts"] == []
