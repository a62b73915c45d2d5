"""Logins: who gets in, as what, and what gets nobody in."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fairlead.api.login.keystone import Keystone
from fairlead.api.login.keystone_session import Service
from tests.api_stand import COMPUTE, stand
from tests.people import (
    DOMAIN,
    HASHED,
    PASSWORD,
    TOKENS,
    auth,
    builtin,
    client,
    http_basic,
    log_in,
    person,
    project,
)

NETWORKS = "/network/v2.0/networks"


@pytest.fixture
def site(database_url, tmp_path):
    """A stand whose users the database keeps."""
    with stand(database_url, tmp_path, builtin) as opened:
        yield opened


@pytest.fixture
def anna(site):
    """A member of her project."""
    return person(site, "anna", project(site, "east"), "member")


def status(http, path=NETWORKS, **headers):
    return http.get(path, headers=headers).status_code


def refused(site, document):
    answer = httpx.post(f"{site.url}{TOKENS}", json={"auth": document}, trust_env=False)
    assert answer.status_code == 401, answer.text
    return answer.json()


def test_without_a_token_only_what_is_open_is_answered(site):
    with httpx.Client(base_url=site.url, trust_env=False) as stranger:
        for path in ("/identity", "/identity/v3", "/network", "/compute", f"{COMPUTE}/", "/image"):
            assert stranger.get(path).status_code in (200, 300), path
        for path in (NETWORKS, f"{COMPUTE}/servers", "/image/v2/images", "/v1/hosts", "/identity/v3/users"):
            answer = stranger.get(path)
            assert answer.status_code == 401, path
            assert answer.json()["error"]["title"] == "Unauthorized"
            assert answer.headers["www-authenticate"].startswith("Keystone")
            assert answer.headers["x-openstack-request-id"]


@pytest.mark.parametrize(
    "token", ["", "x", "x" * 5000, "x" * 9000, "ü", "../..", "0" * 43, "gAAAA" + "a" * 180]
)
def test_a_token_that_is_none_lets_nobody_in(site, token):
    with httpx.Client(base_url=site.url, trust_env=False) as stranger:
        assert stranger.get(NETWORKS, headers={b"x-auth-token": token.encode()}).status_code == 401


def test_a_token_says_who_it_is_with_the_catalog(site, anna):
    token = log_in(site, auth("anna"))
    shown = anna.http.get(TOKENS, headers={"x-subject-token": token}).json()["token"]
    assert shown["user"]["name"] == "anna"
    assert shown["project"]["id"] == anna.project_id
    assert [role["name"] for role in shown["roles"]] == ["member", "reader"]
    assert {service["type"] for service in shown["catalog"]} == {"identity", "compute", "network", "image"}
    lasts = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < lasts <= timedelta(hours=1)


def test_what_is_wrong_of_a_login_is_not_said(site, anna):
    wrong = [
        auth("anna", "wrong"),
        auth("nobody"),
        auth("anna", project="operator"),
        auth("anna", project="nowhere"),
        auth("anna", PASSWORD + "x" * 80),
    ]
    assert len({str(refused(site, document)) for document in wrong}) == 1


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"identity": {}},
        {"identity": {"methods": []}},
        {"identity": {"methods": ["password"]}},
        {"identity": {"methods": ["oauth1"]}},
        {"identity": {"methods": ["password"], "password": {"user": {"name": 3}}}},
    ],
)
def test_a_document_that_is_none_is_a_bad_request(site, document):
    answer = httpx.post(f"{site.url}{TOKENS}", json={"auth": document}, trust_env=False)
    assert answer.status_code == 400, answer.text


def test_a_role_that_is_taken_away_acts_at_once(site, anna):
    assert status(anna.http) == 200
    member = site.http.get("/identity/v3/roles?name=member").json()["roles"][0]["id"]
    path = f"/identity/v3/projects/{anna.project_id}/users/{anna.user_id}/roles/{member}"
    assert site.http.delete(path).status_code == 204
    assert status(anna.http) == 401


@pytest.mark.parametrize("change", ["user", "project", "password", "delete"])
def test_who_is_shut_out_is_out_at_once(site, anna, change):
    user, own = f"/identity/v3/users/{anna.user_id}", f"/identity/v3/projects/{anna.project_id}"
    match change:
        case "user":
            site.http.patch(user, json={"user": {"enabled": False}}).raise_for_status()
        case "project":
            site.http.patch(own, json={"project": {"enabled": False}}).raise_for_status()
        case "password":
            site.http.patch(user, json={"user": {"password": "another"}}).raise_for_status()
        case "delete":
            site.http.delete(user).raise_for_status()
    assert status(anna.http) == 401


def test_the_projects_of_a_user_are_told_to_that_user_and_the_operator(site, anna):
    path = f"/identity/v3/users/{anna.user_id}/projects"
    bert = person(site, "bert", project(site, "west"), "member")
    for http in (anna.http, site.http):
        found = http.get(path).raise_for_status().json()["projects"]
        assert [each["name"] for each in found] == ["east"]
    assert status(bert.http, path) == 404


def test_servers_of_all_projects_are_the_operators_to_list(site, anna):
    for path in (f"{COMPUTE}/servers", f"{COMPUTE}/servers/detail"):
        assert status(site.http, f"{path}?all_tenants=1") == 200
        assert status(anna.http, f"{path}?all_tenants=1") == 403
        assert status(anna.http, f"{path}?all_tenants=0") == 200


def test_a_revoked_token_is_good_for_nothing(site, anna):
    token = log_in(site, auth("anna"))
    with client(site, token) as other:
        assert status(other) == 200
        assert other.delete(TOKENS, headers={"x-subject-token": token}).status_code == 204
        assert status(other) == 401


def test_a_token_is_shown_to_its_own_user_and_the_operator(site, anna):
    bert = person(site, "bert", anna.project_id, "member")
    token = log_in(site, auth("anna"))
    assert status(bert.http, TOKENS, **{"x-subject-token": token}) == 403
    assert status(anna.http, TOKENS, **{"x-subject-token": token}) == 200
    assert status(site.http, TOKENS, **{"x-subject-token": token}) == 200


def test_a_token_for_a_token_ends_with_it(site, anna):
    token = log_in(site, auth("anna"))
    document = {
        "identity": {"methods": ["token"], "token": {"id": token}},
        "scope": {"project": {"name": "east", "domain": DOMAIN}},
    }
    ends = [
        anna.http.get(TOKENS, headers={"x-subject-token": text}).json()["token"]["expires_at"]
        for text in (token, log_in(site, document))
    ]
    assert ends[0] == ends[1]


def test_an_unscoped_token_opens_no_project(site, anna):
    token = log_in(site, auth("anna") | {"scope": "unscoped"})
    with client(site, token) as unscoped:
        assert unscoped.get("/identity/v3/auth/projects").json()["projects"][0]["name"] == "east"
        assert status(unscoped) == 403
        assert unscoped.post(NETWORKS, json={"network": {}}).status_code == 403


def test_an_application_credential_is_its_user_with_some_roles(site, anna):
    path = f"/identity/v3/users/{anna.user_id}/application_credentials"
    made = anna.http.post(
        path, json={"application_credential": {"name": "robot", "roles": [{"name": "member"}]}}
    )
    found = made.raise_for_status().json()["application_credential"]
    document = {
        "identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": found["id"], "secret": found["secret"]},
        }
    }
    with client(site, log_in(site, document)) as robot:
        assert status(robot) == 200
        # It cannot make others of its kind, nor a token for another project.
        again = {"identity": {"methods": ["token"], "token": {"id": robot.headers["x-auth-token"]}}}
        refused(site, again)
        assert robot.post(path, json={"application_credential": {"name": "wider"}}).status_code == 403
        assert robot.delete(f"{path}/{found['id']}").status_code == 403
        assert "secret" not in anna.http.get(f"{path}/{found['id']}").json()["application_credential"]
        assert anna.http.delete(f"{path}/{found['id']}").status_code == 204
        assert status(robot) == 401
    refused(site, document)


def test_a_credential_has_no_role_that_its_user_has_not(site, anna):
    path = f"/identity/v3/users/{anna.user_id}/application_credentials"
    body = {"application_credential": {"name": "robot", "roles": [{"name": "admin"}]}}
    assert anna.http.post(path, json=body).status_code == 400


@pytest.mark.parametrize(
    "given",
    [{"expires_at": "9999-12-31T23:59:59-12:00"}, {"expires_at": "soon"}, {"project_id": "another"}],
)
def test_a_credential_is_of_a_time_and_of_the_callers_project(site, anna, given):
    path = f"/identity/v3/users/{anna.user_id}/application_credentials"
    answer = anna.http.post(path, json={"application_credential": {"name": "robot", **given}})
    assert answer.status_code == 400, answer.text


def test_who_is_in_no_project_makes_no_credential(site, anna):
    path = f"/identity/v3/users/{anna.user_id}/application_credentials"
    with client(site, log_in(site, auth("anna") | {"scope": "unscoped"})) as unscoped:
        assert unscoped.post(path, json={"application_credential": {"name": "robot"}}).status_code == 403


def test_a_token_is_revoked_by_its_user_and_the_operator(site, anna):
    service = person(site, "watcher", project(site, "west"), "service")
    token = {"x-subject-token": anna.http.headers["x-auth-token"]}
    assert status(service.http, TOKENS, **token) == 200
    assert service.http.delete(TOKENS, headers=token).status_code == 403
    assert status(anna.http) == 200
    assert site.http.delete(TOKENS, headers=token).status_code == 204
    assert status(anna.http) == 401


def test_the_own_password_is_guessed_no_faster_than_at_a_login(site, anna):
    """Whoever has got a token of hers, and not her password."""
    user = f"/identity/v3/users/{anna.user_id}"
    body = {"application_credential": {"name": "robot"}}
    found = anna.http.post(f"{user}/application_credentials", json=body).json()["application_credential"]
    site.http.patch(user, json={"user": {"password": "secret"}}).raise_for_status()
    shown = {"id": found["id"], "secret": found["secret"]}
    document = {"identity": {"methods": ["application_credential"], "application_credential": shown}}
    with client(site, log_in(site, document)) as robot:
        for guess in (*["wrong"] * 5, "secret"):
            change = {"user": {"original_password": guess, "password": "mine"}}
            assert robot.post(f"{user}/password", json=change).status_code == 403


def test_the_last_admin_stays(site):
    boss = person(site, "boss", project(site, "west"), "admin")
    assert site.http.delete(f"/identity/v3/users/{boss.user_id}").status_code == 409
    person(site, "other", boss.project_id, "admin")
    assert site.http.delete(f"/identity/v3/users/{boss.user_id}").status_code == 204


def test_a_user_changes_the_own_password_by_the_old_one(site, anna):
    path = f"/identity/v3/users/{anna.user_id}/password"
    wrong = {"user": {"original_password": "wrong", "password": "new one"}}
    assert anna.http.post(path, json=wrong).status_code == 403
    right = {"user": {"original_password": PASSWORD, "password": "new one"}}
    assert anna.http.post(path, json=right).status_code == 204
    assert status(anna.http) == 401
    log_in(site, auth("anna", "new one"))


def test_a_project_with_something_in_it_stays(site, anna):
    anna.http.post("/network/v2.0/qos/policies", json={"policy": {"name": "x"}})
    body = {"network": {"name": "n", "project_id": anna.project_id, "provider:physical_network": "p"}}
    site.http.post(NETWORKS, json=body).raise_for_status()
    assert site.http.delete(f"/identity/v3/projects/{anna.project_id}").status_code == 409


@pytest.fixture
def people(tmp_path):
    """A password file: an operator, and a reader of a project."""
    path = tmp_path / "people"
    path.write_text(f"# who may\nboss:{HASHED}\nrita:{HASHED}:east:reader\n")
    return path


def basic(name, password=PASSWORD):
    return {"authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


def test_who_guesses_keeps_out_nobody_who_comes_from_elsewhere(database_url, tmp_path, people):
    with stand(database_url, tmp_path, http_basic(people)) as site:

        def come(address):
            transport = httpx.HTTPTransport(local_address=address)
            return httpx.Client(base_url=site.url, transport=transport, trust_env=False)

        def by_token(http, password):
            return http.post(TOKENS, json={"auth": auth("boss", password)}).status_code

        with come("127.0.0.1") as here, come("127.0.0.2") as there:
            for password in (*["wrong"] * 5, PASSWORD):
                assert status(here, **basic("rita", password)) == 401
                assert by_token(here, password) == 401
            assert status(there, **basic("rita")) == 200
            assert by_token(there, PASSWORD) == 201


def test_users_of_a_file_come_with_password_or_token(database_url, tmp_path, people):
    with stand(database_url, tmp_path, http_basic(people)) as site:
        http = httpx.Client(base_url=site.url, trust_env=False)
        assert status(http) == 401
        assert http.get(NETWORKS).headers["www-authenticate"].startswith("Basic")
        for wrong in (basic("boss", "wrong"), basic("nobody"), {"authorization": "Basic %%%"}):
            assert status(http, **wrong) == 401
        assert status(http, "/v1/hosts", **basic("boss")) == 200
        assert status(http, "/v1/hosts", **basic("rita")) == 403
        assert http.post(NETWORKS, json={"network": {}}, headers=basic("rita")).status_code == 403
        token = log_in(site, auth("rita"))
        assert status(http, **{"x-auth-token": token}) == 200

        people.write_text(f"boss:{HASHED}\n")
        assert status(http, **basic("rita")) == 401
        assert status(http, **{"x-auth-token": token}) == 401

        people.write_text("boss:not a hash\n")
        assert status(http, **basic("boss")) == 200
        http.close()


def test_a_keystone_is_asked_what_a_token_stands_for(database_url, tmp_path, site, anna):
    """The Keystone is another control here, which speaks its dialect; a real one has a suite of its own."""
    person(site, "fairlead", project(site, "service"), "service")
    service = Service(f"{site.url}/identity/v3", "fairlead", PASSWORD, "service")
    now = [0.0]
    directory = tmp_path / "asking"
    directory.mkdir()
    with (
        stand("sqlite://", directory, lambda *_: Keystone(service, lambda: now[0])) as asking,
        client(asking, anna.http.headers["x-auth-token"]) as http,
    ):
        assert status(http) == 200
        assert status(http, "/v1/hosts") == 403
        assert status(http, **{"x-auth-token": "x"}) == 401
        assert asking.http.post(TOKENS, json={"auth": {}}).status_code == 404

        site.http.delete(f"/identity/v3/users/{anna.user_id}").raise_for_status()
        assert status(http) == 200
        now[0] += 61
        assert status(http) == 401


def test_while_keystone_does_not_answer_nobody_gets_in(tmp_path):
    service = Service("http://127.0.0.1:9/v3", "fairlead", PASSWORD, "service")
    with stand("sqlite://", tmp_path, lambda *_: Keystone(service)) as site, client(site, "x" * 32) as http:
        answer = http.get(NETWORKS)
        assert answer.status_code == 503
        assert "Keystone" in answer.json()["NeutronError"]["message"]
