"""Networks, subnets, ports and QoS over HTTP, as the clients ask."""

from tests.integration.site import Site

V2 = "/network/v2.0"
NETWORK = {"name": "n1", "provider:physical_network": "physnet1"}


def network(site: Site, **more: object) -> dict:
    return site.post(f"{V2}/networks", {"network": {**NETWORK, **more}})["network"]


def subnet(site: Site, network_id: str, cidr: str = "10.0.0.0/24", **more: object) -> dict:
    body = {"network_id": network_id, "ip_version": 6 if ":" in cidr else 4, "cidr": cidr, **more}
    return site.post(f"{V2}/subnets", {"subnet": body})["subnet"]


def port(site: Site, network_id: str, **more: object) -> dict:
    return site.post(f"{V2}/ports", {"port": {"network_id": network_id, **more}})["port"]


def error(answer: dict) -> tuple[str, str]:
    assert set(answer["NeutronError"]) == {"type", "message", "detail"}
    return answer["NeutronError"]["type"], answer["NeutronError"]["message"]


def test_the_root_lists_the_version_and_the_collections(site):
    versions = site.get("/network")["versions"]
    assert [v["id"] for v in versions] == ["v2.0"]
    assert versions[0]["links"][0]["href"] == "http://site/network/v2.0/"
    found = site.get(f"{V2}/")["resources"]
    assert "network" in {r["name"] for r in found}
    for resource in found:
        path = resource["links"][0]["href"].partition(V2)[2]
        assert resource["collection"].replace("-", "_") in site.get(f"{V2}{path}"), resource


def test_a_vlan_network_is_made_from_text_numbers(site):
    made = network(site, **{"provider:network_type": "vlan", "provider:segmentation_id": "100"})
    assert made["provider:segmentation_id"] == 100
    assert made["status"] == "ACTIVE"
    assert made["mtu"] == 1500
    assert made["subnets"] == []
    assert site.get(f"{V2}/networks/{made['id']}")["network"] == made


def test_the_lowest_free_vlan_is_chosen(site):
    made = [network(site)["provider:segmentation_id"] for _ in range(3)]
    assert made == [2, 3, 4]


def test_a_network_without_a_known_physical_network_says_what_to_give(site):
    answer = site.post(f"{V2}/networks", {"network": {"name": "n"}}, 400)
    kind, message = error(answer)
    assert kind == "HTTPBadRequest"
    assert "provider:physical_network" in message
    assert "must be given" in message


def test_a_taken_vlan_names_its_network(site):
    first = network(site, **{"provider:segmentation_id": 7})
    body = {"network": {**NETWORK, "provider:segmentation_id": 7}}
    kind, message = error(site.post(f"{V2}/networks", body, 409))
    assert kind == "VlanIdInUse"
    assert first["name"] in message


def test_find_by_name_is_a_404_and_then_a_filter(site):
    made = network(site)
    kind, message = error(site.get(f"{V2}/networks/n1", 404))
    assert (kind, message) == ("NetworkNotFound", "Network n1 could not be found.")
    assert [n["id"] for n in site.get(f"{V2}/networks?name=n1")["networks"]] == [made["id"]]


def test_a_network_with_ports_stays_and_names_them(site):
    made = network(site)
    subnet(site, made["id"])
    held = port(site, made["id"])
    kind, message = error(site.delete(f"{V2}/networks/{made['id']}", 409))
    assert kind == "NetworkInUse"
    assert held["id"] in message
    site.delete(f"{V2}/ports/{held['id']}")
    site.delete(f"{V2}/networks/{made['id']}")
    assert site.get(f"{V2}/subnets")["subnets"] == []


def test_a_subnet_has_neutrons_defaults(site):
    made = network(site)
    four, six = subnet(site, made["id"]), subnet(site, made["id"], "fd00::/64")
    assert four["gateway_ip"] == "10.0.0.1"
    assert four["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    assert six["gateway_ip"] == "fd00::1"
    assert six["allocation_pools"] == [{"start": "fd00::2", "end": "fd00::ffff:ffff:ffff:ffff"}]
    assert site.get(f"{V2}/networks/{made['id']}")["network"]["subnets"] == [four["id"], six["id"]]


def test_overlapping_subnets_of_a_network_are_refused(site):
    made = network(site)
    subnet(site, made["id"])
    body = {"network_id": made["id"], "ip_version": 4, "cidr": "10.0.0.128/25"}
    kind, message = error(site.post(f"{V2}/subnets", {"subnet": body}, 400))
    assert kind == "HTTPBadRequest"
    assert "overlaps" in message


def test_a_gateway_in_a_pool_is_a_conflict(site):
    made = network(site)
    body = {
        "network_id": made["id"],
        "ip_version": 4,
        "cidr": "10.0.0.0/24",
        "allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.9"}],
    }
    kind, _ = error(site.post(f"{V2}/subnets", {"subnet": body}, 409))
    assert kind == "GatewayConflictWithAllocationPools"


def test_a_subnet_in_use_stays(site):
    made = network(site)
    kept = subnet(site, made["id"])
    port(site, made["id"])
    kind, _ = error(site.delete(f"{V2}/subnets/{kept['id']}", 409))
    assert kind == "SubnetInUse"


def test_a_port_has_neutrons_defaults(site):
    made = network(site)
    four, six = subnet(site, made["id"]), subnet(site, made["id"], "fd00::/64")
    got = port(site, made["id"], name="p1")
    assert got["fixed_ips"] == [
        {"subnet_id": four["id"], "ip_address": "10.0.0.2"},
        {"subnet_id": six["id"], "ip_address": "fd00::2"},
    ]
    assert got["mac_address"].startswith("fa:16:3e:")
    assert got["status"] == "DOWN"
    assert got["binding:vnic_type"] == "normal"
    assert got["binding:vif_type"] == "unbound"
    assert got["binding:host_id"] == ""
    assert got["binding:profile"] == {}
    assert got["binding:vif_details"] == {}
    assert got["port_security_enabled"] is True
    assert got["device_id"] == ""


def test_the_port_that_the_client_creates_for_a_vf(site):
    made = network(site)
    sub = subnet(site, made["id"])
    policy = site.post(f"{V2}/qos/policies", {"policy": {"name": "pol1"}})["policy"]
    got = port(
        site,
        made["id"],
        **{
            "name": "p1",
            "admin_state_up": True,
            "qos_policy_id": policy["id"],
            "fixed_ips": [{"subnet_id": sub["id"], "ip_address": "10.0.0.10"}],
            "binding:profile": {"trusted": "true", "vlan_priority": "5"},
            "binding:vnic_type": "direct",
        },
    )
    assert got["binding:profile"] == {"trusted": True, "vlan_priority": 5}
    assert got["trusted"] is True
    assert got["fixed_ips"][0]["ip_address"] == "10.0.0.10"
    got = site.put(f"{V2}/ports/{got['id']}", {"port": {"binding:profile": {}}})["port"]
    assert got["binding:profile"] == {}
    got = site.put(f"{V2}/ports/{got['id']}", {"port": {"qos_policy_id": None}})["port"]
    assert got["qos_policy_id"] is None


def test_no_fixed_ip_is_none(site):
    made = network(site)
    subnet(site, made["id"])
    assert port(site, made["id"], fixed_ips=[])["fixed_ips"] == []


def test_a_vnic_type_that_is_not_served_names_those_that_are(site):
    made = network(site)
    body = {"port": {"network_id": made["id"], "binding:vnic_type": "vdpa"}}
    kind, message = error(site.post(f"{V2}/ports", body, 400))
    assert kind == "HTTPBadRequest"
    served = "normal, direct, direct-physical, macvtap"
    assert message == f"Invalid input for binding:vnic_type. Reason: 'vdpa' is not one of {served}."


def test_a_profile_key_of_the_system_is_refused_by_name(site):
    made = network(site)
    body = {"port": {"network_id": made["id"], "binding:profile": {"pci_slot": "0000:03:10.1"}}}
    _, message = error(site.post(f"{V2}/ports", body, 400))
    assert "'pci_slot'" in message


def test_trust_needs_a_vf(site):
    made = network(site)
    body = {"port": {"network_id": made["id"], "trusted": True}}
    _, message = error(site.post(f"{V2}/ports", body, 400))
    assert "vnic_type normal" in message


def test_macs_and_addresses_are_given_once(site):
    made = network(site)
    subnet(site, made["id"])
    first = port(site, made["id"])
    body = {"port": {"network_id": made["id"], "mac_address": first["mac_address"]}}
    assert error(site.post(f"{V2}/ports", body, 409))[0] == "MacAddressInUse"
    body = {"port": {"network_id": made["id"], "fixed_ips": [{"ip_address": "10.0.0.2"}]}}
    assert error(site.post(f"{V2}/ports", body, 409))[0] == "IpAddressInUse"


def test_a_mac_that_stands_for_none_is_refused(site):
    made = network(site)
    body = {"port": {"network_id": made["id"], "mac_address": "02:fa:1d:00:00:01"}}
    _, message = error(site.post(f"{V2}/ports", body, 400))
    assert "mac_address" in message


def test_a_full_subnet_says_so(site):
    made = network(site)
    subnet(site, made["id"], "10.0.0.0/30")
    port(site, made["id"])
    kind, _ = error(site.post(f"{V2}/ports", {"port": {"network_id": made["id"]}}, 409))
    assert kind == "IpAddressGenerationFailure"


def test_bulk_is_all_or_nothing(site):
    made = network(site)
    good = {"network_id": made["id"]}
    answer = site.post(f"{V2}/ports", {"ports": [good, {**good, "tags": ["a", "b"]}]})
    assert [p["tags"] for p in answer["ports"]] == [[], ["a", "b"]]
    site.post(f"{V2}/ports", {"ports": [good, {"network_id": "nowhere"}]}, 404)
    assert len(site.get(f"{V2}/ports")["ports"]) == 2


def test_filters_repeat_combine_and_are_checked(site):
    made = network(site)
    for name in ("a", "b", "c"):
        port(site, made["id"], name=name)
    names = lambda query: [p["name"] for p in site.get(f"{V2}/ports?{query}")["ports"]]  # noqa: E731
    assert names("name=a&name=c") == ["a", "c"]
    assert names("name=a&status=ACTIVE") == []
    assert names("admin_state_up=True&sort_key=name&sort_dir=desc") == ["c", "b", "a"]
    assert names("mac_address=FA:16:3E:00:00:00") == []
    assert error(site.get(f"{V2}/ports?colour=red", 400))[0] == "HTTPBadRequest"
    assert site.get(f"{V2}/ports?fields=name&name=b") == {"ports": [{"name": "b"}]}


def test_pages_link_to_one_another(site):
    made = network(site)
    for at in range(5):
        port(site, made["id"], name=f"p{at}")
    path, seen = f"{V2}/ports?limit=2&sort_key=name", []
    while path:
        body = site.get(path)
        seen.append([p["name"] for p in body["ports"]])
        links = {link["rel"]: link["href"] for link in body.get("ports_links", [])}
        path = links.get("next", "").removeprefix("http://site")
    assert seen == [["p0", "p1"], ["p2", "p3"], ["p4"]]
    back = site.get(links["previous"].removeprefix("http://site"))["ports"]
    assert [p["name"] for p in back] == ["p2", "p3"]


def test_limits_and_markers_are_checked(site):
    _, message = error(site.get(f"{V2}/ports?limit=x", 400))
    assert message == "Limit must be an integer 0 or greater and not 'x'"
    assert error(site.get(f"{V2}/ports?marker=nowhere", 404))[0] == "PortNotFound"
    site.get(f"{V2}/ports?sort_key=fixed_ips", 400)
    site.get(f"{V2}/ports?sort_key=name&sort_dir=up", 400)
    site.get(f"{V2}/ports?sort_key=name&sort_dir=asc&sort_dir=asc", 400)


def test_fixed_ips_filter(site):
    made = network(site)
    sub = subnet(site, made["id"])
    first, _second = port(site, made["id"]), port(site, made["id"])
    ids = lambda query: [p["id"] for p in site.get(f"{V2}/ports?fixed_ips={query}")["ports"]]  # noqa: E731
    assert ids("ip_address=10.0.0.2") == [first["id"]]
    assert len(ids(f"subnet_id={sub['id']}")) == 2
    assert ids("ip_address_substr=0.0.2") == [first["id"]]


def test_revisions_grow_and_guard(site):
    made = network(site)
    path = f"{V2}/networks/{made['id']}"
    changed = site.put(path, {"network": {"name": "x"}})["network"]
    assert changed["revision_number"] == made["revision_number"] + 1
    headers = {"If-Match": f"revision_number={made['revision_number']}"}
    kind, message = error(site.put(path, {"network": {"name": "y"}}, 412, headers=headers))
    assert kind == "RevisionNumberConstraintFailed"
    assert message.startswith("Constrained to")


def test_bodies_are_refused_in_neutrons_words(site):
    made = network(site)
    path = f"{V2}/networks/{made['id']}"
    say = lambda *args: error(site._checked(site.request(*args[:2], **args[2]), 400))[1]  # noqa: E731, SLF001
    assert say("POST", f"{V2}/networks", {}) == "Resource body required"
    assert say("POST", f"{V2}/networks", {"json": {"net": {}}}) == "Unable to find 'network' in request body"
    assert say("POST", f"{V2}/networks", {"json": {"networks": []}}) == "Resources required"
    assert say("POST", f"{V2}/networks", {"json": []}) == "Body contains invalid data"
    unknown = {"json": {"network": {"colour": "red"}}}
    assert say("POST", f"{V2}/networks", unknown) == "Unrecognized attribute(s) 'colour'"
    fixed = {"json": {"network": {"id": "x"}}}
    assert say("POST", f"{V2}/networks", fixed) == "Attribute 'id' not allowed in POST"
    assert say("PUT", path, fixed) == "Cannot update read-only attribute id"
    segment = {"json": {"network": {"provider:network_type": "flat"}}}
    assert say("PUT", path, segment) == "Cannot update read-only attribute provider:network_type"
    missing = {"json": {"port": {}}}
    assert say("POST", f"{V2}/ports", missing) == (
        "Failed to parse request. Required attribute 'network_id' not specified"
    )
    wrong = {"json": {"network": {"admin_state_up": "maybe"}}}
    assert say("PUT", path, wrong).startswith("Invalid input for admin_state_up. Reason: ")
    torn = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert say("POST", f"{V2}/networks", torn).startswith("The body is not valid JSON")


def test_paths_and_methods_that_are_not_there(site):
    assert error(site.get(f"{V2}/routers", 404))[0] == "HTTPNotFound"
    answer = site.request("PATCH", f"{V2}/networks")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert error(answer.json())[0] == "HTTPMethodNotAllowed"


def test_tags(site):
    made = network(site)
    path = f"{V2}/networks/{made['id']}/tags"
    assert site.put(path, {"tags": ["red", "blue"]}) == {"tags": ["red", "blue"]}
    site.put(f"{path}/green", None, 201)
    site.get(f"{path}/green", 204)
    site.get(f"{path}/black", 404)
    site.delete(f"{path}/red")
    site.delete(f"{path}/red", 404)
    assert site.get(path) == {"tags": ["blue", "green"]}
    count = lambda query: len(site.get(f"{V2}/networks?{query}")["networks"])  # noqa: E731
    assert count("tags=blue,green") == 1
    assert count("tags=blue,black") == 0
    assert count("tags-any=blue,black") == 1
    assert count("not-tags=blue,green") == 0
    assert count("not-tags-any=black") == 1
    site.delete(path)
    assert site.get(path) == {"tags": []}


def test_qos_rules(site):
    policy = site.post(f"{V2}/qos/policies", {"policy": {"name": "pol1"}})["policy"]
    below = f"{V2}/qos/policies/{policy['id']}"
    limit = {"bandwidth_limit_rule": {"direction": "egress", "max_kbps": 1000}}
    rule = site.post(f"{below}/bandwidth_limit_rules", limit)["bandwidth_limit_rule"]
    assert rule["max_kbps"] == 1000
    assert error(site.post(f"{below}/bandwidth_limit_rules", limit, 409))[0] == "QoSRulesConflict"
    minimum = {"minimum_bandwidth_rule": {"min_kbps": 2000}}
    assert error(site.post(f"{below}/minimum_bandwidth_rules", minimum, 409))[0] == "QoSRulesConflict"
    minimum = {"minimum_bandwidth_rule": {"min_kbps": 500}}
    site.post(f"{below}/minimum_bandwidth_rules", minimum)
    shown = site.get(below)["policy"]["rules"]
    assert {r["type"] for r in shown} == {"bandwidth_limit", "minimum_bandwidth"}
    ingress = {"bandwidth_limit_rule": {"direction": "ingress", "max_kbps": 1000}}
    _, message = error(site.post(f"{below}/bandwidth_limit_rules", ingress, 400))
    assert "a VF rates only what its guest sends" in message
    alias = f"{V2}/qos/alias-bandwidth-limit-rules/{rule['id']}"
    assert (
        site.put(alias, {"bandwidth_limit_rule": {"max_kbps": 700}})["bandwidth_limit_rule"]["max_kbps"]
        == 700
    )
    site.delete(f"{below}/bandwidth_limit_rules/{rule['id']}")
    site.get(alias, 404)


def test_a_policy_in_use_stays(site):
    policy = site.post(f"{V2}/qos/policies", {"policy": {"name": "pol1"}})["policy"]
    network(site, qos_policy_id=policy["id"])
    kind, _ = error(site.delete(f"{V2}/qos/policies/{policy['id']}", 409))
    assert kind == "QosPolicyInUse"


def test_what_clients_look_up(site):
    aliases = {e["alias"] for e in site.get(f"{V2}/extensions")["extensions"]}
    assert {"binding", "qos", "provider", "standard-attr-tag"} <= aliases
    assert site.get(f"{V2}/extensions/qos")["extension"]["alias"] == "qos"
    site.get(f"{V2}/extensions/router", 404)
    assert site.get(f"{V2}/quotas/p")["quota"]["port"] == -1
    assert site.get(f"{V2}/agents")["agents"] == []
    assert error(site.get(f"{V2}/agents/a", 404))[0] == "AgentNotFound"
    assert {t["type"] for t in site.get(f"{V2}/qos/rule-types")["rule_types"]} == {
        "bandwidth_limit",
        "minimum_bandwidth",
    }
    assert site.get(f"{V2}/availability_zones")["availability_zones"][0]["name"] == "nova"
