"""Bindings of a port over HTTP, with real agents on simulated hosts."""

import pytest

from tests.api_stand import stand

V2 = "/network/v2.0"


@pytest.fixture
def fairlead(tmp_path):
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path) as made:
        made.add_host(1)
        made.policy("data", "ens1f0", "physnet1")
        made.network("blue", "physnet1", 100)
        yield made


@pytest.fixture
def path(fairlead):
    """The bindings of the port of a server that runs on host1, with host2 beside."""
    fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}])
    fairlead.settle()
    fairlead.add_host(2)
    (port,) = fairlead.http.get(f"{V2}/ports").json()["ports"]
    return f"{V2}/ports/{port['id']}/bindings"


def refused(answer, status):
    assert answer.status_code == status, answer.text
    error = answer.json()["NeutronError"]
    return error["type"], error["message"]


def test_a_binding_waits_and_is_withdrawn(fairlead, path):
    http = fairlead.http
    (active,) = http.get(path).json()["bindings"]
    assert (active["host"], active["status"], active["vif_type"]) == ("host1", "ACTIVE", "hw_veb")
    made = http.post(path, json={"binding": {"host": "host2", "vnic_type": "direct", "profile": {}}})
    assert made.status_code == 201
    waiting = made.json()["binding"]
    assert (waiting["host"], waiting["status"], waiting["vnic_type"]) == ("host2", "INACTIVE", "direct")
    assert waiting["profile"]["physical_network"] == "physnet1"
    assert waiting["vif_details"]["vlan"] == "100"
    fairlead.settle()
    assert http.get(f"{path}/host2").json()["binding"] == waiting
    assert [b["host"] for b in http.get(f"{path}?status=INACTIVE").json()["bindings"]] == ["host2"]
    held = http.get("/v1/devices?status=claimed").json()["devices"]
    assert [device["host_name"] for device in held] == ["host2"]
    assert http.delete(f"{path}/host2").status_code == 204
    assert refused(http.get(f"{path}/host2"), 404)[0] == "PortBindingNotFound"
    fairlead.settle()
    assert http.get("/v1/devices?status=claimed").json()["devices"] == []
    assert http.get("/v1/audit").json()["violations"] == []


def test_what_is_refused(fairlead, path):
    http = fairlead.http

    def post(**binding):
        return http.post(path, json={"binding": binding})

    assert refused(post(host="host1"), 409)[0] == "PortBindingAlreadyExists"
    assert refused(post(host="nowhere"), 404)[0] == "HostNotFound"
    assert "'host' not specified" in refused(post(), 400)[1]
    assert refused(post(host="host2", vnic_type="normal"), 409)[0] == "PortBound"
    assert refused(post(host="host2", profile={"trusted": True}), 409)[0] == "PortBound"
    assert refused(http.put(f"{path}/host1/activate"), 409)[0] == "PortBindingAlreadyActive"
    assert refused(http.put(f"{path}/host2/activate"), 404)[0] == "PortBindingNotFound"
    assert refused(http.delete(f"{path}/host1"), 409)[0] == "PortBindingInUse"
    http.patch("/v1/hosts/host2", json={"admin": "disabled"}).raise_for_status()
    kind, message = refused(post(host="host2"), 409)
    assert (kind, "host2" in message, "disabled" in message) == ("PortBindingError", True, True)
    http.patch("/v1/hosts/host2", json={"admin": "enabled"}).raise_for_status()
    assert post(host="host2").status_code == 201
    kind, message = refused(http.put(f"{path}/host2/activate"), 409)
    assert "does not move it" in message


def test_a_put_may_say_what_is_so(fairlead, path):
    (active,) = fairlead.http.get(path).json()["bindings"]
    body = {"binding": {"vnic_type": "direct", "profile": active["profile"]}}
    answer = fairlead.http.put(f"{path}/host1", json=body)
    assert answer.json()["binding"] == active


def test_a_port_that_no_server_has_is_bound_nowhere(fairlead):
    (network,) = fairlead.http.get(f"{V2}/networks").json()["networks"]
    made = fairlead.http.post(f"{V2}/ports", json={"port": {"network_id": network["id"]}}).json()["port"]
    path = f"{V2}/ports/{made['id']}/bindings"
    assert fairlead.http.get(path).json()["bindings"] == []
    kind, _ = refused(fairlead.http.post(path, json={"binding": {"host": "host1"}}), 400)
    assert kind == "HTTPBadRequest"
