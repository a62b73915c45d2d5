"""Quotas: set by operators, obeyed by creations, told in each dialect's words."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api_stand import COMPUTE, NEWEST, stand
from tests.people import builtin, person, project

NETWORKS = "/network/v2.0/networks"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjEvUaWGJ0tUkzZ3Jmv1Y8kC0cUMyq7yv8kmYcYyhb8 anna"


@pytest.fixture
def site(database_url, tmp_path):
    """A stand with people."""
    with stand(database_url, tmp_path, builtin) as opened:
        yield opened


@pytest.fixture
def anna(site):
    """A member of her project, who may make networks of her own."""
    return person(site, "anna", project(site, "east"), "member")


def limit(site, anna, status=200, **wanted):
    path = f"/network/v2.0/quotas/{anna.project_id}"
    answer = site.http.put(path, json={"quota": wanted})
    assert answer.status_code == status, answer.text
    return answer.json()


def network(site, anna, vlan):
    body = {"project_id": anna.project_id, "provider:physical_network": "p", "provider:segmentation_id": vlan}
    return site.http.post(NETWORKS, json={"network": body})


def test_without_a_limit_there_is_none(anna):
    shown = anna.http.get(f"/network/v2.0/quotas/{anna.project_id}").json()["quota"]
    assert shown == {"network": -1, "subnet": -1, "port": -1, "rbac_policy": -1}
    found = anna.http.get(f"{COMPUTE}/os-quota-sets/{anna.project_id}", headers=NEWEST).json()["quota_set"]
    assert found["id"] == anna.project_id
    assert {value for name, value in found.items() if name != "id"} == {-1}


def test_ports_up_to_their_number(site, anna):
    network_id = network(site, anna, 10).json()["network"]["id"]
    limit(site, anna, port=2)
    body = {"port": {"network_id": network_id}}
    assert [anna.http.post("/network/v2.0/ports", json=body).status_code for _ in range(2)] == [201, 201]
    answer = anna.http.post("/network/v2.0/ports", json=body)
    assert answer.status_code == 409
    error = answer.json()["NeutronError"]
    assert (error["type"], error["message"]) == ("OverQuota", "Quota exceeded for resources: ['port'].")
    in_bulk = anna.http.post("/network/v2.0/ports", json={"ports": [body["port"]]})
    assert in_bulk.status_code == 409
    details = anna.http.get(f"/network/v2.0/quotas/{anna.project_id}/details").json()["quota"]
    assert details["port"] == {"limit": 2, "used": 2, "reserved": 0}


def test_a_bulk_over_the_limit_makes_nothing(site, anna):
    network_id = network(site, anna, 10).json()["network"]["id"]
    limit(site, anna, port=2)
    ports = [{"network_id": network_id} for _ in range(3)]
    assert anna.http.post("/network/v2.0/ports", json={"ports": ports}).status_code == 409
    assert anna.http.get("/network/v2.0/ports").json()["ports"] == []


def test_of_many_at_once_only_so_many_get_one(site, anna):
    network_id = network(site, anna, 10).json()["network"]["id"]
    limit(site, anna, port=3)
    body = {"port": {"network_id": network_id}}
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(anna.http.post, "/network/v2.0/ports", json=body) for _ in range(12)]
        codes = sorted(each.result().status_code for each in asked)
    assert codes == [201] * 3 + [409] * 9


def test_of_many_key_pairs_at_once_only_so_many_are_made(site, anna):
    path = f"{COMPUTE}/os-quota-sets/{anna.project_id}"
    site.http.put(path, json={"quota_set": {"key_pairs": 2}}, headers=NEWEST).raise_for_status()

    def made(number):
        key = {"name": f"k{number}", "public_key": KEY}
        return anna.http.post(f"{COMPUTE}/os-keypairs", json={"keypair": key}, headers=NEWEST).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(made, range(12))) == [201] * 2 + [403] * 10


def test_a_limit_below_what_is_there_is_forced_or_refused(site, anna):
    network(site, anna, 10)
    network(site, anna, 11)
    limit(site, anna, 400, network=1)
    assert limit(site, anna, network=1, force=True)["quota"]["network"] == 1
    assert network(site, anna, 12).status_code == 409
    assert site.http.delete(f"/network/v2.0/quotas/{anna.project_id}").status_code == 204
    assert network(site, anna, 12).status_code == 201


@pytest.mark.parametrize(
    "quota", [{"port": -2}, {"port": 2**31}, {"port": "x"}, {"port": True}, {"router": 1}]
)
def test_limits_that_are_none(site, anna, quota):
    limit(site, anna, 400, **quota)
    assert site.http.get("/network/v2.0/quotas").json()["quotas"] == []


def test_servers_up_to_their_number(site, anna):
    path = (
        f"{COMPUTE}/os-quota-sets/{site.http.get('/identity/v3/auth/projects').json()['projects'][0]['id']}"
    )
    answer = site.http.put(path, json={"quota_set": {"instances": 1, "cores": "4"}}, headers=NEWEST)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["quota_set"]["instances"], answer.json()["quota_set"]["cores"]) == (1, 4)
    site.boot("one", "none")
    body = {"name": "two", "flavorRef": site.flavor(), "imageRef": site.image(), "networks": "none"}
    refused = site.http.post(f"{COMPUTE}/servers", json={"server": body}, headers=NEWEST)
    assert refused.status_code == 403
    said = "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    assert refused.json()["forbidden"]["message"] == said
    limits = site.http.get(f"{COMPUTE}/limits").json()["limits"]["absolute"]
    assert (limits["maxTotalInstances"], limits["totalInstancesUsed"]) == (1, 1)
    detail = site.http.get(f"{path}/detail", headers=NEWEST).json()["quota_set"]
    assert detail["instances"] == {"limit": 1, "in_use": 1, "reserved": 0}
    assert site.http.delete(path, headers=NEWEST).status_code == 202
    site.boot("two", "none")


def test_quotas_are_an_operators_to_set(site, anna):
    path = f"{COMPUTE}/os-quota-sets/{anna.project_id}"
    assert anna.http.put(path, json={"quota_set": {"cores": 9}}, headers=NEWEST).status_code == 403
    own = f"/network/v2.0/quotas/{anna.project_id}"
    assert anna.http.put(own, json={"quota": {"port": 9}}).status_code == 403
    assert anna.http.get("/network/v2.0/quotas/other").status_code == 404
    assert anna.http.get(f"{COMPUTE}/limits?tenant_id=other").status_code == 403
