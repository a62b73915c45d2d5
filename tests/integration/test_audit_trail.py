"""Who did what, over HTTP: logins and changes, refusals without end, and no secret anywhere."""

from base64 import b64encode

import httpx
import pytest

from fairlead.api.refusals import MOST_OF_ONE
from fairlead.model.audit_trail import Did, Outcome
from fairlead.model.identity import CredentialKind, Role
from tests.api_stand import NEWEST, stand
from tests.people import HASHED, PASSWORD, TOKENS, auth, builtin, client, http_basic, log_in, person, project

NETWORKS, PORTS = "/network/v2.0/networks", "/network/v2.0/ports"
ISSUE = "identity:issue_token"


@pytest.fixture
def site(database_url, tmp_path):
    with stand(database_url, tmp_path, builtin) as opened:
        opened.policy("east", "ens1f*", "physnet1")
        yield opened


@pytest.fixture
def east(site):
    return project(site, "east")


@pytest.fixture
def anna(site, east):
    return person(site, "anna", east, "member")


def asked(site, auth_document):
    return httpx.post(f"{site.url}{TOKENS}", json={"auth": auth_document}, trust_env=False)


def made(answer, word):
    assert answer.is_success, answer.text
    return answer.json()[word]["id"]


def test_a_login_is_recorded_with_what_it_was_shown_by(site, east, anna):
    [record] = site.trail(action=ISSUE)

    assert (record.user_id, record.user_name, record.project_id) == (anna.user_id, "anna", east)
    assert (record.roles, record.credential) == ((Role.MEMBER, Role.READER), CredentialKind.PASSWORD)
    assert (record.outcome, record.remote_address) == (Outcome.DONE, "127.0.0.1")

    body = {"application_credential": {"name": "robot", "secret": "very secret"}}
    path = f"/identity/v3/users/{anna.user_id}/application_credentials"
    credential_id = made(anna.http.post(path, json=body), "application_credential")
    document = {"id": credential_id, "secret": "very secret"}
    robot = {"identity": {"methods": ["application_credential"], "application_credential": document}}
    made(client(site, log_in(site, robot)).post(NETWORKS, json={"network": {"name": "n"}}), "network")

    did, login = site.trail(2)
    assert {each.credential for each in (did, login)} == {CredentialKind.APPLICATION_CREDENTIAL}
    assert {each.application_credential_id for each in (did, login)} == {credential_id}
    [created] = site.trail(resource_id=credential_id)
    assert (created.user_name, created.credential) == ("anna", CredentialKind.TOKEN)


def test_a_wrong_login_says_whose_it_was_to_be_and_never_what_was_typed(site, anna):
    typed = "hunter2 in the wrong field"
    wrong_secret = {"id": "x", "secret": typed}
    robot = {"identity": {"methods": ["application_credential"], "application_credential": wrong_secret}}

    answers = [asked(site, each) for each in (auth("anna", typed), auth(typed, typed), robot)]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len({answer.content for answer in answers}) == 1
    credential, unknown, known = site.trail(action=ISSUE, outcome=Outcome.REFUSED)
    assert (known.user_id, known.user_name, known.credential) == (
        anna.user_id,
        "anna",
        CredentialKind.PASSWORD,
    )
    assert (unknown.user_id, unknown.user_name) == (credential.user_id, credential.user_name) == ("", "")
    assert credential.credential is CredentialKind.APPLICATION_CREDENTIAL
    assert {record.code for record in (credential, unknown, known)} == {"unauthorized"}
    assert typed not in repr(site.trail())


def test_guessing_is_counted_and_not_kept_one_by_one(site, anna):
    for number in range(MOST_OF_ONE + 15):
        assert asked(site, auth("nobody", str(number))).status_code == 401
    assert anna.http.delete(f"{NETWORKS}/x").status_code == 404

    refused = site.trail(outcome=Outcome.REFUSED)

    assert [record.user_name for record in refused] == ["anna", *[""] * MOST_OF_ONE]
    [counted] = site.refusals.take()
    assert counted.times == 15


def test_a_token_that_has_ended_is_no_refusal_of_a_look(site, anna):
    path = "/identity/v3/auth/tokens"
    anna.http.delete(path, headers={"x-subject-token": anna.http.headers["x-auth-token"]}).raise_for_status()
    [revoked] = site.trail(action="identity:revoke_token")
    assert [resource.id for resource in revoked.resources] == [anna.user_id]

    assert anna.http.get(NETWORKS).status_code == 401
    assert site.trail(outcome=Outcome.REFUSED) == ()

    assert anna.http.post(NETWORKS, json={"network": {}}).status_code == 401
    [record] = site.trail(outcome=Outcome.REFUSED)
    assert (record.user_id, record.credential, record.action) == ("", CredentialKind.TOKEN, "create_network")


def test_users_of_a_file_are_recorded_by_password(tmp_path):
    people = tmp_path / "people"
    people.write_text(f"boss:{HASHED}\n")

    def basic(password):
        return {"authorization": "Basic " + b64encode(f"boss:{password}".encode()).decode()}

    with stand(f"sqlite:///{tmp_path}/db", tmp_path, http_basic(people)) as site:
        url = f"{site.url}{NETWORKS}"
        assert httpx.get(url, headers=basic("guess"), trust_env=False).status_code == 401
        body = {"network": {"name": "n", "provider:physical_network": "physnet1"}}
        assert httpx.post(url, json=body, headers=basic(PASSWORD), trust_env=False).status_code == 201

        did, guessed = site.trail()

    assert (guessed.outcome, guessed.action, guessed.user_name) == (Outcome.REFUSED, "get_network", "boss")
    assert (did.outcome, did.user_name, did.credential) == (Outcome.DONE, "boss", CredentialKind.PASSWORD)


def test_a_bulk_is_recorded_whole_or_not_at_all(site, anna):
    network = made(anna.http.post(NETWORKS, json={"network": {"name": "n"}}), "network")
    ports = [{"network_id": network, "name": str(number)} for number in range(5)]

    bulk = anna.http.post(PORTS, json={"ports": ports})
    refused = anna.http.post(PORTS, json={"ports": [*ports, {"network_id": "none"}]})

    assert (bulk.status_code, refused.status_code) == (201, 404)
    no, yes = site.trail(action="create_port")
    assert [each.id for each in yes.resources] == [port["id"] for port in bulk.json()["ports"]]
    assert {each.did for each in yes.resources} == {Did.CREATED}
    assert (no.outcome, no.code, no.resources) == (Outcome.REFUSED, "not_found", ())
    assert no.request_id == refused.headers["x-openstack-request-id"]


def test_an_attribute_that_is_not_theirs_is_named_by_its_rule(site, anna):
    network = made(anna.http.post(NETWORKS, json={"network": {"name": "n"}}), "network")

    body = {"port": {"network_id": network, "binding:host_id": "h"}}
    assert anna.http.post(PORTS, json=body).status_code == 403
    assert anna.http.get("/v1/hosts").status_code == 403

    looked, named = site.trail(outcome=Outcome.REFUSED)
    assert (named.action, named.code) == ("create_port:binding:host_id", "not_allowed")
    assert looked.action == "v1:hosts:read"


def test_no_secret_is_in_the_trail(site, anna):
    secret = "c2VjcmV0IG9mIHRoZSBndWVzdA=="
    user = f"/identity/v3/users/{anna.user_id}"
    body = {"name": "s", "flavorRef": site.flavor(), "imageRef": site.image(), "user_data": secret}
    body |= {"networks": "none", "metadata": {"password": secret}, "adminPass": secret}
    server = made(site.http.post("/compute/v2.1/servers", json={"server": body}, headers=NEWEST), "server")
    site.http.put(f"/compute/v2.1/servers/{server}/metadata", json={"metadata": {"key": secret}})
    anna.http.post(
        f"{user}/application_credentials", json={"application_credential": {"name": "r", "secret": secret}}
    )
    changed = {"user": {"password": secret, "original_password": PASSWORD}}
    anna.http.post(f"{user}/password", json=changed).raise_for_status()
    site.http.put(f"/compute/v2.1/servers/{server}", json={"server": {secret: secret}})
    anna.http.patch(
        f"/image/v2/images/{secret * 30}", json=[{"op": "add", "path": f"/{secret}", "value": secret}]
    )

    records = site.trail()

    told = repr([record for record in records if record.resources and len(record.resources[0].id) < 200])
    assert secret not in told
    assert anna.http.headers["x-auth-token"] not in repr(records)
    assert max(len(resource.id) for record in records for resource in record.resources) == 255


def test_a_console_that_is_read_is_no_change(site, anna):
    path = f"/compute/v2.1/servers/{'0' * 8}-0000-0000-0000-{'0' * 12}/action"

    anna.http.post(path, json={"os-getConsoleOutput": {}})
    anna.http.post(path, json={"reboot": {"type": "HARD"}})

    rebooted, read = site.trail(2)
    assert (read.action, read.code) == ("os_compute_api:os-console-output", "not_found")
    assert (rebooted.action, rebooted.code) == ("os_compute_api:servers:reboot", "not_found")
