"""A flavor that is not public is there for those who have access to it, and for nobody else."""

import pytest

from tests.api_stand import COMPUTE, NEWEST, stand
from tests.people import builtin, person, project

FLAVORS = f"{COMPUTE}/flavors"


@pytest.fixture
def fairlead(database_url, tmp_path):
    with stand(database_url, tmp_path, builtin) as made:
        yield made


@pytest.fixture
def secret(fairlead):
    """A private flavor; its id."""
    body = {"name": "secret", "ram": 64, "vcpus": 1, "disk": 0, "os-flavor-access:is_public": False}
    return fairlead.http.post(FLAVORS, json={"flavor": body}).raise_for_status().json()["flavor"]["id"]


def allow(fairlead, flavor_id, project_id, action="addTenantAccess"):
    body = {action: {"tenant": project_id}}
    return fairlead.http.post(f"{FLAVORS}/{flavor_id}/action", json=body)


def names(http, **query):
    return {flavor["name"] for flavor in http.get(FLAVORS, params=query).json()["flavors"]}


def test_who_has_no_access_learns_nothing(fairlead, secret):
    anna = person(fairlead, "anna", project(fairlead, "east"), "member")
    missing = anna.http.get(f"{FLAVORS}/nothing").json()["itemNotFound"]["message"]
    hidden = anna.http.get(f"{FLAVORS}/{secret}")
    assert hidden.status_code == 404
    assert hidden.json()["itemNotFound"]["message"] == missing.replace("nothing", secret)
    assert anna.http.get(f"{FLAVORS}/{secret}/os-extra_specs").status_code == 404
    for query in ({}, {"is_public": "None"}, {"is_public": "false"}):
        assert "secret" not in names(anna.http, **query)
    body = {"name": "x", "flavorRef": secret, "imageRef": fairlead.image(), "networks": "none"}
    answer = anna.http.post(f"{COMPUTE}/servers", json={"server": body}, headers=NEWEST)
    assert answer.status_code == 400
    assert "flavor" in answer.json()["badRequest"]["message"]


def test_access_is_given_and_taken(fairlead, secret):
    anna = person(fairlead, "anna", project(fairlead, "east"), "member")
    given = allow(fairlead, secret, anna.project_id).json()["flavor_access"]
    assert given == [{"flavor_id": secret, "tenant_id": anna.project_id}]
    assert anna.http.get(f"{FLAVORS}/{secret}").status_code == 200
    assert "secret" in names(anna.http)
    assert allow(fairlead, secret, anna.project_id).status_code == 409
    assert allow(fairlead, secret, anna.project_id, "removeTenantAccess").json()["flavor_access"] == []
    assert anna.http.get(f"{FLAVORS}/{secret}").status_code == 404
    assert allow(fairlead, secret, anna.project_id, "removeTenantAccess").status_code == 404


def test_only_operators_say_who(fairlead, secret):
    anna = person(fairlead, "anna", project(fairlead, "east"), "member")
    allow(fairlead, secret, anna.project_id)
    body = {"addTenantAccess": {"tenant": "other"}}
    assert anna.http.post(f"{FLAVORS}/{secret}/action", json=body).status_code == 403
    assert anna.http.get(f"{FLAVORS}/{secret}/os-flavor-access").status_code == 403


def test_a_public_flavor_has_no_list(fairlead):
    assert fairlead.http.get(f"{FLAVORS}/{fairlead.flavor()}/os-flavor-access").status_code == 404
    assert allow(fairlead, fairlead.flavor(), "x").status_code == 409
