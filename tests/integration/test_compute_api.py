"""The Nova dialect: microversions, servers, their actions and metadata, flavors, hosts."""

import base64

import pytest

from tests.api_stand import COMPUTE, NEWEST, stand


@pytest.fixture
def fairlead(database_url, tmp_path):
    with stand(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def placed(fairlead):
    """A stand with a host, a device policy on each socket, and a network."""
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f*", "physnet1")
    fairlead.network("blue", "physnet1", 100)
    return fairlead


def test_versions_are_negotiated_by_either_header(fairlead):
    root = fairlead.http.get("/compute/").json()["versions"][0]
    assert (root["version"], root["min_version"]) == ("2.96", "2.1")

    plain = fairlead.http.get(f"{COMPUTE}/flavors/detail")
    assert plain.headers["openstack-api-version"] == "compute 2.1"
    assert "OpenStack-API-Version" in plain.headers["vary"]
    assert "extra_specs" not in plain.json()["flavors"][0]

    old = fairlead.http.get(f"{COMPUTE}/flavors/detail", headers={"x-openstack-nova-api-version": "2.61"})
    assert old.headers["x-openstack-nova-api-version"] == "2.61"
    assert old.json()["flavors"][0]["extra_specs"] == {}

    refused = fairlead.http.get(f"{COMPUTE}/flavors", headers={"openstack-api-version": "compute 2.97"})
    assert refused.status_code == 406
    malformed = fairlead.http.get(f"{COMPUTE}/flavors", headers={"openstack-api-version": "compute two"})
    assert malformed.status_code == 400


def test_a_server_boots_with_a_device_and_is_shown_as_nova_shows_it(placed):
    nics = [{"network": "blue", "vnic_type": "direct", "max_mbps": 200, "tag": "data"}]
    user_data = base64.b64encode(b"#cloud-config").decode()
    server_id = placed.boot(
        "web", nics, user_data=user_data, metadata={"a": "b"}, tags=["x"], description="d"
    )
    building = placed.server(server_id)
    assert (building["status"], building["OS-EXT-STS:task_state"]) == ("BUILD", "scheduling")

    placed.settle()
    server = placed.server(server_id)
    assert server["status"] == "ACTIVE"
    assert server["OS-EXT-STS:power_state"] == 1
    assert server["OS-EXT-SRV-ATTR:host"] == "host1"
    assert server["flavor"]["original_name"] == "tiny"
    [address] = server["addresses"]["blue"]
    assert address["OS-EXT-IPS-MAC:mac_addr"].startswith("fa:16:3e")
    assert server["OS-EXT-SRV-ATTR:user_data"] == user_data
    assert (server["metadata"], server["tags"], server["description"]) == ({"a": "b"}, ["x"], "d")

    oldest = placed.server(server_id, "2.1")
    assert set(oldest["flavor"]) == {"id", "links"}
    assert not {"description", "tags", "locked", "host_status"} & set(oldest)

    [nic] = placed.http.get(f"{COMPUTE}/servers/{server_id}/os-interface", headers=NEWEST).json()[
        "interfaceAttachments"
    ]
    assert (nic["port_state"], nic["tag"]) == ("ACTIVE", "data")


def test_a_server_that_fits_nowhere_ends_in_error_with_the_reasons(placed):
    server_id = placed.boot("greedy", [{"network": "blue", "vnic_type": "direct", "trusted": True}])
    placed.settle()
    server = placed.server(server_id)
    assert server["status"] == "ERROR"
    assert "trusted" in server["fault"]["message"]
    assert server["fault"]["code"] == 500


def test_stop_start_reboot_and_delete(placed):
    server_id = placed.boot("web", [{"network": "blue", "vnic_type": "direct"}])
    placed.settle()
    path = f"{COMPUTE}/servers/{server_id}/action"
    refused = placed.http.post(path, json={"os-start": None})
    assert refused.status_code == 409
    assert "conflictingRequest" in refused.json()

    assert placed.http.post(path, json={"os-stop": None}).status_code == 202
    assert placed.server(server_id)["OS-EXT-STS:task_state"] == "powering-off"
    placed.settle()
    assert placed.server(server_id)["status"] == "SHUTOFF"
    placed.http.post(path, json={"os-start": None}).raise_for_status()
    placed.settle()
    assert placed.server(server_id)["status"] == "ACTIVE"
    for kind in ("SOFT", "HARD"):
        assert placed.http.post(path, json={"reboot": {"type": kind}}).status_code == 202
        placed.settle()
        assert placed.server(server_id)["status"] == "ACTIVE"
    assert placed.http.post(path, json={"reboot": {"type": "GENTLE"}}).status_code == 400
    assert placed.http.post(path, json={"dance": None}).status_code == 400

    assert placed.http.delete(f"{COMPUTE}/servers/{server_id}").status_code == 204
    going = placed.server(server_id)
    assert (going["status"], going["OS-EXT-STS:task_state"]) == ("ACTIVE", "deleting")
    placed.settle()
    assert placed.http.get(f"{COMPUTE}/servers/{server_id}").status_code == 404
    assert placed.http.get("/v1/audit").json() == {"violations": []}

    asked = placed.http.get(f"{COMPUTE}/servers/{server_id}/os-instance-actions").json()["instanceActions"]
    assert [action["action"] for action in asked] == ["delete", "reboot", "reboot", "start", "stop", "create"]


def test_microversions_decide_what_a_boot_may_say(fairlead):
    body = {"name": "web", "flavorRef": fairlead.flavor(), "imageRef": fairlead.image()}

    def status(version, **more):
        headers = {"openstack-api-version": f"compute {version}"}
        answer = fairlead.http.post(f"{COMPUTE}/servers", json={"server": {**body, **more}}, headers=headers)
        return answer.status_code, answer.json()

    assert status("2.1")[0] == 202
    refused, error = status("2.37")
    assert (refused, "networks" in error["badRequest"]["message"]) == (400, True)
    assert status("2.37", networks="none")[0] == 202
    assert status("2.36", networks="none")[0] == 400
    assert status("2.18", description="d")[0] == 400
    assert status("2.96", networks="none", host="nowhere")[0] == 400
    assert status("2.96", networks="auto")[0] == 400
    refused, error = status("2.96", networks="none", key_name="mine")
    assert (refused, "key_name" in error["badRequest"]["message"]) == (400, True)
    refused, error = status("2.96", networks=[{"uuid": "nowhere"}])
    assert (refused, "network" in error["badRequest"]["message"]) == (400, True)
    image = {"uuid": body["imageRef"], "source_type": "image", "destination_type": "local", "boot_index": 0}
    assert status("2.96", networks="none", block_device_mapping_v2=[image])[0] == 202
    volume = {**image, "destination_type": "volume", "volume_size": 1}
    assert status("2.96", networks="none", block_device_mapping_v2=[volume])[0] == 400


def test_servers_are_listed_filtered_and_paged(fairlead):
    ids = [fairlead.boot(name, "none", tags=[name]) for name in ("web-1", "web-2", "db-1")]

    def names(path="", **query):
        answer = fairlead.http.get(f"{COMPUTE}/servers{path}", params=query, headers=NEWEST)
        assert answer.status_code == 200, answer.text
        return [server["name"] for server in answer.json()["servers"]]

    assert names() == ["db-1", "web-2", "web-1"]
    assert names("/detail", name="^web", deleted="False") == ["web-2", "web-1"]
    assert names(status="BUILD", sort_key="display_name", sort_dir="asc") == ["db-1", "web-1", "web-2"]
    assert names(**{"tags-any": "web-1,db-1", "not-tags": "db-1"}) == ["web-1"]
    assert names(host="nowhere") == []
    page = fairlead.http.get(f"{COMPUTE}/servers", params={"limit": 2}).json()
    assert [server["id"] for server in page["servers"]] == ids[:0:-1]
    rest = fairlead.http.get(page["servers_links"][0]["href"]).json()
    assert [server["id"] for server in rest["servers"]] == ids[:1]
    for wrong in ({"limit": "-1"}, {"marker": "x"}, {"name": "("}, {"name": r"(a)\1"}, {"sort_key": "x"}):
        assert fairlead.http.get(f"{COMPUTE}/servers", params=wrong).status_code == 400
    assert (
        fairlead.http.get(f"{COMPUTE}/servers", params={"colour": "red"}, headers=NEWEST).status_code == 400
    )


def test_pages_lead_through_all_that_is_asked_for(fairlead):
    ids = [fairlead.boot(f"{'web' if number % 4 else 'db'}-{number}", "none") for number in range(9)]

    def pages(**query):
        url, found = f"{COMPUTE}/servers", []
        while url:
            answer = fairlead.http.get(url, params=query).raise_for_status().json()
            found.append([server["id"] for server in answer["servers"]])
            url, query = next((link["href"] for link in answer.get("servers_links", ())), None), None
        return found

    newest = ids[::-1]
    assert pages(limit=4) == [newest[:4], newest[4:8], newest[8:]]
    assert pages(limit=3) == [newest[:3], newest[3:6], newest[6:]]
    assert pages(limit=2, name="^db") == [[ids[8], ids[4]], [ids[0]]]
    assert pages(limit=1, name="db-0") == [[ids[0]]]
    assert pages(limit=5, sort_dir="asc") == [ids[:5], ids[5:]]
    assert pages(limit=0) == [[]]


def test_a_page_begins_behind_a_server_that_is_not_asked_for_any_more(fairlead):
    first, second = (fairlead.boot(name, "none") for name in ("first", "second"))
    page = {"marker": second, "name": "first"}
    answer = fairlead.http.get(f"{COMPUTE}/servers", params=page).raise_for_status().json()
    assert [server["id"] for server in answer["servers"]] == [first]


def test_servers_are_listed_by_what_they_have(placed):
    server_id = placed.boot("web", [{"network": "blue"}])
    placed.settle()
    placed.boot("other", "none")
    server = placed.server(server_id)
    host = {"host": "host1", "node": server["OS-EXT-SRV-ATTR:hypervisor_hostname"]}
    has = {"uuid": server_id, "status": "active", "vm_state": "ACTIVE", "power_state": "1", **host}

    def listed(**query):
        answer = placed.http.get(f"{COMPUTE}/servers", params=query, headers=NEWEST).raise_for_status()
        return [found["id"] for found in answer.json()["servers"]]

    for name, value in has.items():
        assert listed(**{name: value}) == [server_id], name
        assert listed(**{name: "unknown"}) == [], name
    assert listed(status=["ACTIVE", "PAUSED"]) == [server_id]
    assert listed(uuid=[server_id, "another"]) == []
    same = {"hostname": "web", "image": server["image"]["id"], "user_id": server["user_id"]}
    for name, value in {**same, "tenant_id": server["tenant_id"], "key_name": ""}.items():
        assert server_id in listed(**{name: value}), name
        assert listed(**{name: "unknown"}) == [], name
    assert listed(project_id="another") == listed(project_id="another", all_tenants=1) == []


def test_several_servers_are_booted_together_or_not_at_all(fairlead):
    fairlead.boot("web", "none", min_count=1, max_count=3)
    names = [server["name"] for server in fairlead.http.get(f"{COMPUTE}/servers").json()["servers"]]
    assert sorted(names) == ["web-1", "web-2", "web-3"]


def test_metadata_tags_and_names_change(fairlead):
    server = f"{COMPUTE}/servers/{fairlead.boot('web', 'none')}"
    assert (
        fairlead.http.post(f"{server}/metadata", json={"metadata": {"a": "1", "b": "2"}}).status_code == 200
    )
    assert fairlead.http.put(f"{server}/metadata/a", json={"meta": {"a": "3"}}).json() == {"meta": {"a": "3"}}
    assert fairlead.http.delete(f"{server}/metadata/b").status_code == 204
    assert fairlead.http.delete(f"{server}/metadata/b").status_code == 404
    assert fairlead.http.get(f"{server}/metadata").json() == {"metadata": {"a": "3"}}

    assert fairlead.http.get(f"{server}/tags").status_code == 404
    assert fairlead.http.put(f"{server}/tags/red", headers=NEWEST).status_code == 201
    assert fairlead.http.put(f"{server}/tags/red", headers=NEWEST).status_code == 204
    assert fairlead.http.get(f"{server}/tags", headers=NEWEST).json() == {"tags": ["red"]}
    assert fairlead.http.delete(f"{server}/tags/blue", headers=NEWEST).status_code == 404
    assert fairlead.http.delete(f"{server}/tags", headers=NEWEST).status_code == 204

    changed = fairlead.http.put(server, json={"server": {"name": "new", "description": "d"}}, headers=NEWEST)
    assert (changed.json()["server"]["name"], changed.json()["server"]["description"]) == ("new", "d")
    assert fairlead.http.put(server, json={"server": {"colour": "red"}}).status_code == 400


def test_flavors_come_and_go_with_their_extra_specs(fairlead):
    fairlead.http.post("/v1/aliases", json={"alias": {"name": "a1"}}).raise_for_status()
    body = {"name": "f1", "ram": "512", "vcpus": 1, "disk": 1, "id": None, "swap": 0}
    made = fairlead.http.post(f"{COMPUTE}/flavors", json={"flavor": body}, headers=NEWEST).json()["flavor"]
    flavor = f"{COMPUTE}/flavors/{made['id']}"
    assert fairlead.http.post(f"{COMPUTE}/flavors", json={"flavor": body}).status_code == 409
    specs = {"extra_specs": {"pci_passthrough:alias": "a1:2"}}
    assert fairlead.http.post(f"{flavor}/os-extra_specs", json=specs).json() == specs
    unknown = fairlead.http.post(
        f"{flavor}/os-extra_specs", json={"extra_specs": {"hw:cpu_policy": "dedicated"}}
    )
    assert unknown.status_code == 400
    assert "hw:cpu_policy" in unknown.json()["badRequest"]["message"]
    assert fairlead.http.get(flavor, headers=NEWEST).json()["flavor"]["extra_specs"] == specs["extra_specs"]
    assert fairlead.http.get(f"{COMPUTE}/flavors/f1").status_code == 404
    assert fairlead.http.delete(f"{flavor}/os-extra_specs/pci_passthrough:alias").status_code == 200
    assert fairlead.http.delete(flavor).status_code == 202
    assert fairlead.http.get(flavor).status_code == 404


def test_the_console_is_asked_of_the_host(placed):
    server_id = placed.boot("web", "none")
    path = f"{COMPUTE}/servers/{server_id}/action"
    assert placed.http.post(path, json={"os-getConsoleOutput": {}}).status_code == 409
    placed.settle()
    with placed.answering():
        answer = placed.http.post(path, json={"os-getConsoleOutput": {"length": "5"}})
        assert answer.status_code == 200
        assert isinstance(answer.json()["output"], str)
        domain = placed.http.get(f"/v1/servers/{server_id}/domain").json()["domain"]
        assert f"fl-{server_id}" in domain


def test_hosts_are_hypervisors_and_services(placed):
    [hypervisor] = placed.http.get(f"{COMPUTE}/os-hypervisors/detail", headers=NEWEST).json()["hypervisors"]
    assert (hypervisor["hypervisor_hostname"], hypervisor["state"]) == ("host1", "up")
    assert "vcpus" not in hypervisor
    old = placed.http.get(
        f"{COMPUTE}/os-hypervisors/{hypervisor['id']}", headers={"x-openstack-nova-api-version": "2.53"}
    )
    assert old.json()["hypervisor"]["vcpus"] > 0
    service = f"{COMPUTE}/os-services/{hypervisor['id']}"
    disabled = placed.http.put(service, json={"status": "disabled", "disabled_reason": "r"}, headers=NEWEST)
    assert disabled.json()["service"]["status"] == "disabled"
    [listed] = placed.http.get(f"{COMPUTE}/os-services", params={"host": "host1"}).json()["services"]
    assert (listed["status"], listed["disabled_reason"]) == ("disabled", "r")
    zones = placed.http.get(f"{COMPUTE}/os-availability-zone/detail").json()["availabilityZoneInfo"]
    assert list(zones[0]["hosts"]) == ["host1"]


def test_what_is_absent_answers_as_an_absent_extension(fairlead):
    for path in ("os-floating-ips", "os-volumes_boot", "servers/x/os-volume_attachments"):
        assert fairlead.http.get(f"{COMPUTE}/{path}", headers=NEWEST).status_code == 404
    assert fairlead.http.get(f"{COMPUTE}/os-keypairs").json() == {"keypairs": []}
    assert fairlead.http.get(f"{COMPUTE}/limits").json()["limits"]["absolute"]["maxTotalInstances"] == -1
    assert fairlead.http.get(f"{COMPUTE}/os-quota-sets/p").json()["quota_set"]["instances"] == -1
