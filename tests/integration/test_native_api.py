"""/v1: hosts and their agents, devices, policies, aliases, explain, events, audit."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.agent.boundary import ControlAway
from tests.api_stand import stand


@pytest.fixture
def fairlead(database_url, tmp_path):
    with stand(database_url, tmp_path) as made:
        yield made


def test_a_host_is_made_shown_changed_and_forgotten_by_name_or_id(fairlead):
    made = fairlead.http.post("/v1/hosts", json={"name": "h1", "labels": {"rack": "a"}})
    host = made.json()["host"]
    assert made.status_code == 201
    assert fairlead.http.get(f"/v1/hosts/{host['id']}").json() == fairlead.http.get("/v1/hosts/h1").json()
    assert "token" not in host
    assert "credential" not in host

    changed = fairlead.http.patch("/v1/hosts/h1", json={"admin": "disabled", "admin_reason": "new disks"})
    assert changed.json()["host"]["why_not"] == "it is disabled: new disks"

    assert fairlead.http.delete("/v1/hosts/h1").status_code == 204
    assert fairlead.http.get("/v1/hosts/h1").status_code == 404


def test_a_wrong_key_is_named_with_those_that_are_known(fairlead):
    answer = fairlead.http.post("/v1/policies", json={"policy": {"name": "p", "match": {"nmae": ["e*"]}}})
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert "'nmae'" in error["message"]
    assert "kernel_driver" in error["message"]


def test_an_agent_enrols_once_and_reaches_its_own_host_alone(fairlead):
    first, second = fairlead.add_host(1), fairlead.add_host(2)
    other = fairlead.http.get(f"/v1/hosts/{second}").json()["host"]["id"]
    own = fairlead.links[first]
    assert own.assignment(0, 0).desired is not None

    headers = dict(own._http.headers)  # noqa: SLF001 - the credential is shown once, to the link
    stranger = fairlead.http.get(f"/v1/agents/{other}/assignment", headers=headers)
    assert stranger.status_code == 401
    assert stranger.json()["error"]["code"] == "bad_credential"
    assert fairlead.http.get(f"/v1/agents/{other}/assignment").status_code == 401
    assert fairlead.http.put(f"/v1/agents/{other}/report", json={}).status_code == 401


def test_a_policy_can_be_tried_and_then_makes_vfs(fairlead):
    host = fairlead.add_host(1)
    draft = {"name": "east", "match": {"name": ["ens1f0"]}, "num_vfs": 8, "physical_network": "physnet1"}
    trial = fairlead.http.post("/v1/policies/try", json={"policy": draft}).json()["families"]
    assert [(f["host_name"], f["effect"], f["num_vfs"], f["wanted_vfs"]) for f in trial] == [
        (host, "takes", 0, 8)
    ]
    assert fairlead.http.get("/v1/policies").json() == {"policies": []}

    fairlead.policy("east", "ens1f0", "physnet1")
    query = {"host": host, "kind": "vf", "physical_network": "physnet1", "status": "available"}
    vfs = fairlead.http.get("/v1/devices", params=query).json()["devices"]
    assert [vf["vf_index"] for vf in vfs] == list(range(8))
    assert {vf["pf_name"] for vf in vfs} == {"ens1f0"}
    assert vfs[0]["seen"]["trust"] is False


def test_devices_say_who_holds_them_and_explain_names_them(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f0", "physnet1", num_vfs=1)
    fairlead.network("blue", "physnet1", 100)
    nics = [{"network": "blue", "vnic_type": "direct"}]
    server_id = fairlead.boot("web", nics)
    fairlead.settle()
    [held] = fairlead.http.get("/v1/devices", params={"server": server_id}).json()["devices"]
    assert held["server_name"] == "web"
    assert held["seen"]["vlan"] == 100
    assert held["status"] == "ALLOCATED"

    asked = {"name": "db", "flavorRef": fairlead.flavor(), "networks": nics}
    answer = fairlead.http.post("/v1/explain", json={"server": asked}).json()["explanation"]
    assert answer["fitting"] == []
    [host] = answer["hosts"]
    assert any("server web" in holder for reason in host["reasons"] for holder in reason["holders"])
    assert (
        fairlead.http.get(f"/v1/servers/{server_id}/explain").json()["explanation"]["host"]["host_name"]
        == "host1"
    )


def test_events_come_after_the_one_that_was_seen(fairlead):
    server_id = fairlead.boot("web", "none")
    events = fairlead.http.get("/v1/events", params={"server": server_id}).json()["events"]
    assert events[0]["kind"] == "server_created"
    query = {"server": server_id, "after": events[-1]["id"]}
    assert fairlead.http.get("/v1/events", params=query).json() == {"events": []}
    fairlead.http.delete(f"/compute/v2.1/servers/{server_id}").raise_for_status()
    newer = fairlead.http.get("/v1/events", params={**query, "wait": "20"}).json()["events"]
    assert [event["kind"] for event in newer] == ["server_deleted"]


def test_the_audit_finds_nothing_wrong(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f0", "physnet1")
    fairlead.network("blue", "physnet1", 100)
    fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}, {"network": "blue"}])
    fairlead.settle()
    assert fairlead.http.get("/v1/audit").json() == {"violations": []}
    assert fairlead.http.get("/v1/health").json()["status"] == "ok"


def test_a_poll_that_waits_is_answered_by_the_change_it_waits_for(fairlead):
    host = fairlead.add_host(1)
    link = fairlead.links[host]
    known = link.assignment(0, 0).desired.generation
    assert link.assignment(known, 0.05).desired is None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(link.assignment, known, 20)
        draft = {"name": "east", "match": {"name": ["ens1f0"]}, "num_vfs": 2}
        fairlead.http.post("/v1/policies", json={"policy": draft}).raise_for_status()
        desired = waiting.result(timeout=20).desired
    assert desired.generation > known
    assert [family.num_vfs for family in desired.families] == [2]


def test_an_agent_gets_the_images_of_its_guests_and_no_others(fairlead):
    link = fairlead.links[fairlead.add_host(1)]
    server_id = fairlead.boot("web", "none")
    other = fairlead.image("other")
    fairlead.settle()
    image_id = fairlead.server(server_id)["image"]["id"]
    with link.image(image_id) as chunks:
        assert b"".join(chunks) == b"a disk"
    with pytest.raises(ControlAway, match="404"), link.image(other):
        pass


def test_an_answer_is_taken_from_the_host_that_was_asked_alone(fairlead):
    first, second = fairlead.add_host(1), fairlead.add_host(2)
    server_id = fairlead.boot("web", "none", host=first)
    fairlead.settle()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(fairlead.http.get, f"/v1/servers/{server_id}/console")
        generation = fairlead.http.get(f"/v1/hosts/{first}").json()["host"]["generation"]
        [question] = fairlead.links[first].assignment(generation, 20).questions
        with pytest.raises(ControlAway, match="404"):
            fairlead.links[second].answer(question.id, "forged")
        fairlead.links[first].answer(question.id, "login:")
        assert asking.result(timeout=20).json() == {"output": "login:"}


def test_a_used_token_enrols_nobody(fairlead):
    fairlead.add_host(1)
    token = fairlead.http.post("/v1/hosts/host1/token").json()["token"]
    enrolment = {"token": token, "hostname": "h", "agent_version": "1"}
    assert fairlead.http.post("/v1/agents/enrol", json=enrolment).json()["host_name"] == "host1"
    again = fairlead.http.post("/v1/agents/enrol", json=enrolment)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "bad_token")


def test_a_host_is_forgotten_by_force_only_while_it_is_silent(fairlead):
    name = fairlead.add_host(1)
    assert fairlead.http.delete(f"/v1/hosts/{name}?force=perhaps").status_code == 400
    alive = fairlead.http.delete(f"/v1/hosts/{name}?force=true")
    assert (alive.status_code, alive.json()["error"]["code"]) == (409, "wrong_state")
    fairlead.http.post("/v1/hosts", json={"name": "never-came"})
    assert fairlead.http.delete("/v1/hosts/never-came?force=true").status_code == 204
