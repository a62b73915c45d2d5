"""Actions on a server, by who asks: the lock, states that are reset, and what a fault tells whom."""

import pytest

from tests.api_stand import COMPUTE, NEWEST, stand
from tests.people import builtin, person, project


@pytest.fixture
def site(database_url, tmp_path):
    """A stand with a host and a network that is shared."""
    with stand(database_url, tmp_path, builtin) as opened:
        opened.add_host(1)
        opened.policy("east", "ens1f*", "physnet1")
        network = opened.network("blue", "physnet1", 100)
        opened.http.put(
            f"/network/v2.0/networks/{network}", json={"network": {"shared": True}}
        ).raise_for_status()
        yield opened


@pytest.fixture
def anna(site):
    """A member of her project."""
    return person(site, "anna", project(site, "east"), "member")


@pytest.fixture
def server(site, anna):
    """Anna's server, which runs."""
    image = site.image()
    site.http.patch(
        f"/image/v2/images/{image}",
        content='[{"op": "replace", "path": "/visibility", "value": "public"}]',
        headers={"content-type": "application/openstack-images-v2.1-json-patch"},
    ).raise_for_status()
    body = {"name": "web", "flavorRef": site.flavor(), "imageRef": image, "networks": "none"}
    made = anna.http.post(f"{COMPUTE}/servers", json={"server": body}, headers=NEWEST)
    site.settle()
    return made.raise_for_status().json()["server"]["id"]


def act(http, server, action, arguments=None):
    path = f"{COMPUTE}/servers/{server}/action"
    return http.post(path, json={action: arguments}, headers=NEWEST)


def shown(http, server):
    return http.get(f"{COMPUTE}/servers/{server}", headers=NEWEST).raise_for_status().json()["server"]


def test_a_locked_server_stays_as_it_is_under_its_owners_hand(site, anna, server):
    assert act(anna.http, server, "lock", {"locked_reason": "mine"}).status_code == 202
    found = shown(anna.http, server)
    assert (found["locked"], found["locked_reason"]) == (True, "mine")
    answer = act(anna.http, server, "os-stop")
    assert answer.status_code == 409
    assert answer.json()["conflictingRequest"]["message"] == f"Instance {server} is locked"
    assert anna.http.delete(f"{COMPUTE}/servers/{server}").status_code == 409
    assert act(site.http, server, "os-stop").status_code == 202
    assert act(anna.http, server, "unlock").status_code == 202
    assert anna.http.delete(f"{COMPUTE}/servers/{server}").status_code == 204


def test_a_lock_of_the_operators_is_theirs_to_open(site, anna, server):
    assert act(site.http, server, "lock").status_code == 202
    assert act(anna.http, server, "unlock").status_code == 403
    assert act(site.http, server, "unlock").status_code == 202


def test_a_reason_of_a_lock_has_its_microversion(anna, server):
    path = f"{COMPUTE}/servers/{server}/action"
    old = {"openstack-api-version": "compute 2.72"}
    assert anna.http.post(path, json={"lock": {"locked_reason": "x"}}, headers=old).status_code == 400
    assert "locked_reason" not in anna.http.get(f"{COMPUTE}/servers/{server}", headers=old).json()["server"]


def test_an_operator_resets_a_state(site, anna, server):
    assert act(anna.http, server, "os-resetState", {"state": "error"}).status_code == 403
    assert act(site.http, server, "os-resetState", {"state": "lost"}).status_code == 400
    assert act(site.http, server, "os-resetState", {"state": "error"}).status_code == 202
    site.settle()
    assert shown(site.http, server)["status"] == "ERROR"
    assert act(site.http, server, "os-resetState", {"state": "active"}).status_code == 202
    site.settle()
    found = shown(site.http, server)
    assert (found["status"], found.get("fault")) == ("ACTIVE", None)


def test_a_hard_reboot_takes_a_server_out_of_the_error_that_an_operator_called_it(site, anna, server):
    assert act(site.http, server, "os-resetState", {"state": "error"}).status_code == 202
    site.settle()
    assert act(anna.http, server, "reboot", {"type": "HARD"}).status_code == 202
    site.settle()
    found = shown(site.http, server)
    assert (found["status"], found.get("fault")) == ("ACTIVE", None)


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("os-start", None),
        ("os-stop", None),
        ("reboot", {"type": "HARD"}),
        ("pause", None),
        ("unpause", None),
        ("suspend", None),
        ("resume", None),
        ("rebuild", {"imageRef": "11111111-0000-4000-8000-000000000001"}),
        ("lock", None),
        ("unlock", None),
        ("os-getConsoleOutput", {}),
    ],
)
def test_a_reader_does_nothing_to_a_server_and_a_stranger_sees_none(site, anna, server, action, arguments):
    before = shown(site.http, server)
    reader = person(site, "rita", anna.project_id, "reader")
    stranger = person(site, "olga", project(site, "west"), "member")
    assert act(reader.http, server, action, arguments).status_code == 403
    unseen = act(stranger.http, server, action, arguments)
    absent = act(stranger.http, server[::-1], action, arguments)
    assert unseen.status_code == absent.status_code == 404
    assert unseen.text.replace(server, "X") == absent.text.replace(server[::-1], "X")
    assert shown(site.http, server) == before


def test_a_fault_names_hosts_to_the_operator_alone(site, anna, server):
    image = shown(anna.http, server)["image"]["id"]
    flavor = {"name": "vast", "ram": 1 << 30, "vcpus": 1, "disk": 1}
    flavor_id = site.http.post(f"{COMPUTE}/flavors", json={"flavor": flavor}).json()["flavor"]["id"]
    body = {"name": "vast", "flavorRef": flavor_id, "imageRef": image, "networks": "none"}
    made = anna.http.post(f"{COMPUTE}/servers", json={"server": body}, headers=NEWEST).json()["server"]["id"]
    site.settle()
    told = shown(anna.http, made)["fault"]["message"]
    assert "host1" in shown(site.http, made)["fault"]["message"]
    assert "host1" not in str(shown(anna.http, made))
    assert told.startswith("No valid host was found")
    actions = anna.http.get(f"{COMPUTE}/servers/{made}/os-instance-actions", headers=NEWEST)
    assert "host1" not in actions.text
    request = actions.json()["instanceActions"][0]["request_id"]
    one = anna.http.get(f"{COMPUTE}/servers/{made}/os-instance-actions/{request}", headers=NEWEST)
    assert one.status_code == 200
    assert "host1" not in one.text
