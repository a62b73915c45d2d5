"""Networks and QoS policies between projects, as their people see them over HTTP."""

import pytest

from tests.api_stand import COMPUTE, NEWEST, stand
from tests.people import builtin, person, project

V2 = "/network/v2.0"


@pytest.fixture
def site(tmp_path):
    """A stand with people, a host, and a network that is the operator's."""
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path, builtin) as opened:
        opened.add_host(1)
        opened.policy("data", "ens1f0", "physnet1")
        opened.network("blue", "physnet1", 100)
        yield opened


@pytest.fixture
def anna(site):
    return person(site, "anna", project(site, "east"), "member")


@pytest.fixture
def bert(site):
    return person(site, "bert", project(site, "west"), "member")


def names(person, collection="networks", query=""):
    answer = person.http.get(f"{V2}/{collection}{query}").raise_for_status().json()
    return [each["name"] for each in answer[collection.rpartition("/")[2]]]


def share(by, object_id, target, kind="network", status=201):
    body = {
        "object_type": kind,
        "object_id": object_id,
        "target_tenant": target,
        "action": "access_as_shared",
    }
    answer = by.http.post(f"{V2}/rbac-policies", json={"rbac_policy": body})
    assert answer.status_code == status, answer.text
    return answer.json()


def network_id(site):
    return site.http.get(f"{V2}/networks?name=blue").json()["networks"][0]["id"]


def test_nobody_opens_what_may_be_sent_on_a_network_of_others(site, anna):
    """An ordinary vNIC without an address may send from any, which is for who may switch port security off."""
    blue = network_id(site)
    share(site, blue, anna.project_id)
    port = (
        anna.http.post(f"{V2}/ports", json={"port": {"network_id": blue}}).raise_for_status().json()["port"]
    )
    bare = {"network_id": blue, "fixed_ips": []}
    assert anna.http.put(f"{V2}/ports/{port['id']}", json={"port": {"fixed_ips": []}}).status_code == 403
    assert anna.http.post(f"{V2}/ports", json={"port": bare}).status_code == 403
    assert anna.http.get(f"{V2}/ports/{port['id']}").json()["port"]["fixed_ips"] == port["fixed_ips"]
    direct = {**bare, "binding:vnic_type": "direct"}
    assert anna.http.post(f"{V2}/ports", json={"port": direct}).status_code == 201
    whole = {"binding:vnic_type": "direct-physical"}
    assert anna.http.put(f"{V2}/ports/{port['id']}", json={"port": whole}).status_code == 403
    site.http.put(f"{V2}/ports/{port['id']}", json={"port": {"fixed_ips": []}}).raise_for_status()


def test_a_project_boots_on_a_network_once_it_is_shared_with_it(site, anna, bert):
    blue = network_id(site)
    wish = {"name": "web", "flavorRef": site.flavor(), "imageRef": site.image()}
    nic = {**wish, "networks": [{"uuid": blue}]}
    assert names(anna) == []
    refused = anna.http.post(f"{COMPUTE}/servers", json={"server": nic}, headers=NEWEST)
    assert refused.status_code == 400
    share(site, blue, anna.project_id)
    assert (names(anna), names(bert)) == (["blue"], [])
    assert names(anna, query="?shared=true") == ["blue"]
    assert len(anna.http.get(f"{V2}/subnets").json()["subnets"]) == 1
    images = site.http.get("/image/v2/images").json()["images"]
    site.http.patch(
        f"/image/v2/images/{images[0]['id']}",
        content='[{"op": "replace", "path": "/visibility", "value": "public"}]',
        headers={"content-type": "application/openstack-images-v2.1-json-patch"},
    ).raise_for_status()
    booted = anna.http.post(f"{COMPUTE}/servers", json={"server": nic}, headers=NEWEST)
    assert booted.status_code == 202, booted.text
    (port,) = anna.http.get(f"{V2}/ports").json()["ports"]
    assert (port["project_id"], port["network_id"]) == (anna.project_id, blue)
    assert bert.http.get(f"{V2}/ports").json()["ports"] == []
    assert bert.http.get(f"{V2}/ports/{port['id']}").status_code == 404


def test_nobody_shares_what_is_anothers_nor_with_everybody(site, anna, bert):
    policy = {"policy": {"name": "gold", "project_id": anna.project_id}}
    own = site.http.post(f"{V2}/qos/policies", json=policy).json()["policy"]["id"]
    assert share(bert, own, bert.project_id, "qos_policy", 404)["NeutronError"]["type"] == "QosPolicyNotFound"
    assert share(anna, own, "*", "qos_policy", 403)["NeutronError"]["type"] == "PolicyNotAuthorized"
    made = share(anna, own, bert.project_id, "qos_policy")["rbac_policy"]
    assert names(bert, "qos/policies") == ["gold"]
    path = f"{V2}/rbac-policies/{made['id']}"
    assert bert.http.get(path).status_code == 404
    assert bert.http.delete(path).status_code == 404
    everybody = {"rbac_policy": {"target_tenant": "*"}}
    assert anna.http.put(path, json=everybody).status_code == 403
    assert anna.http.delete(path).status_code == 204
    assert names(bert, "qos/policies") == []


def test_what_is_hidden_is_not_told_by_filters(site, anna):
    share(site, network_id(site), anna.project_id)
    (shown,) = anna.http.get(f"{V2}/networks").json()["networks"]
    assert not [name for name in shown if name.startswith("provider:")]
    assert names(anna, query="?provider:physical_network=physnet1") == []
    assert names(anna, query="?provider:segmentation_id=100") == []
    assert names(site, query="?provider:physical_network=physnet1") == ["blue"]
