"""Key pairs: whose they are, in each microversion's form, and on the way into a guest."""

import json

import pytest

from tests.api_stand import COMPUTE, stand
from tests.people import builtin, person, project

KEYS = f"{COMPUTE}/os-keypairs"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINGxqFv0Iwq772l/4rLm8WTwb0r2oTbkz3gpqbUVdYCm anna@desk"


@pytest.fixture
def site(database_url, tmp_path):
    """A stand with people."""
    with stand(database_url, tmp_path, builtin) as opened:
        yield opened


@pytest.fixture
def anna(site):
    """A member of her project."""
    return person(site, "anna", project(site, "east"), "member")


def at(version):
    return {"openstack-api-version": f"compute {version}"}


def create(http, version="2.92", **keypair):
    return http.post(KEYS, json={"keypair": keypair}, headers=at(version))


def test_a_key_that_is_brought_along(anna):
    made = create(anna.http, name="desk", public_key=ED25519, type="ssh")
    assert made.status_code == 201
    assert made.json()["keypair"] == {
        "name": "desk",
        "public_key": ED25519,
        "fingerprint": made.json()["keypair"]["fingerprint"],
        "type": "ssh",
        "user_id": anna.user_id,
    }
    assert create(anna.http, name="desk", public_key=ED25519).status_code == 409
    listed = anna.http.get(KEYS, headers=at("2.10")).json()["keypairs"]
    assert [entry["keypair"]["name"] for entry in listed] == ["desk"]
    assert set(anna.http.get(KEYS).json()["keypairs"][0]["keypair"]) == {"name", "public_key", "fingerprint"}
    shown = anna.http.get(f"{KEYS}/desk", headers=at("2.2")).json()["keypair"]
    assert shown["user_id"] == anna.user_id
    assert anna.http.delete(f"{KEYS}/desk", headers=at("2.2")).status_code == 204
    assert anna.http.get(f"{KEYS}/desk").status_code == 404


def test_a_pair_that_is_made_here_is_shown_once(anna):
    made = create(anna.http, "2.1", name="made")
    assert made.status_code == 200
    assert made.json()["keypair"]["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert made.json()["keypair"]["public_key"].startswith("ssh-rsa ")
    assert "private_key" not in anna.http.get(f"{KEYS}/made").json()["keypair"]


@pytest.mark.parametrize(
    ("version", "keypair"),
    [
        ("2.92", {"name": "k"}),
        ("2.92", {"name": "k", "public_key": "ssh-ed25519"}),
        ("2.92", {"name": "k", "public_key": ED25519.replace("ssh-ed25519", "ssh-rsa")}),
        ("2.92", {"name": "k", "public_key": ED25519[:30]}),
        ("2.92", {"name": "k", "public_key": f"{ED25519}\n{ED25519}"}),
        ("2.92", {"name": "k", "public_key": "ssh-ed25519 %%%"}),
        ("2.92", {"name": "a/b", "public_key": ED25519}),
        ("2.92", {"name": "", "public_key": ED25519}),
        ("2.92", {"name": "k", "public_key": ED25519, "type": "x509"}),
        ("2.92", {"name": "k", "public_key": ED25519, "colour": "red"}),
        ("2.1", {"name": "k", "public_key": ED25519, "type": "ssh"}),
        ("2.9", {"name": "k", "public_key": ED25519, "user_id": "x"}),
    ],
)
def test_what_is_no_key_pair_is_refused(anna, version, keypair):
    assert create(anna.http, version, **keypair).status_code == 400
    assert anna.http.get(KEYS).json()["keypairs"] == []


def test_key_pairs_are_their_users_and_an_operators(site, anna):
    bert = person(site, "bert", anna.project_id, "member")
    create(anna.http, name="desk", public_key=ED25519)
    assert bert.http.get(KEYS).json()["keypairs"] == []
    assert bert.http.get(f"{KEYS}/desk").status_code == 404
    assert bert.http.delete(f"{KEYS}/desk").status_code == 404
    assert bert.http.get(f"{KEYS}?user_id={anna.user_id}", headers=at("2.10")).status_code == 403
    assert create(bert.http, name="desk", public_key=ED25519, user_id=anna.user_id).status_code == 403
    found = site.http.get(f"{KEYS}?user_id={anna.user_id}", headers=at("2.10")).json()["keypairs"]
    assert len(found) == 1


def test_pages_of_key_pairs(anna):
    for name in "abc":
        create(anna.http, name=name, public_key=ED25519)
    page = anna.http.get(f"{KEYS}?limit=2", headers=at("2.35")).json()
    assert [entry["keypair"]["name"] for entry in page["keypairs"]] == ["a", "b"]
    after = anna.http.get(page["keypairs_links"][0]["href"], headers=at("2.35")).json()
    assert [entry["keypair"]["name"] for entry in after["keypairs"]] == ["c"]


def test_a_server_keeps_the_key_that_it_was_booted_with(site):
    site.add_host(1)
    create(site.http, name="desk", public_key=ED25519)
    server = site.boot("web", "none", key_name="desk")
    site.http.delete(f"{KEYS}/desk").raise_for_status()
    site.settle()
    assert site.server(server)["key_name"] == "desk"
    guest = site.links["host1"].assignment(0, 0).desired.guests[0]
    files = {file.path: file.content for file in guest.config_files}
    meta = json.loads(files["openstack/latest/meta_data.json"])
    assert meta["public_keys"] == {"desk": ED25519}


def test_a_key_that_is_not_ones_own_boots_nothing(site, anna):
    create(anna.http, name="desk", public_key=ED25519)
    body = {
        "name": "w",
        "flavorRef": site.flavor(),
        "imageRef": site.image(),
        "networks": "none",
        "key_name": "desk",
    }
    answer = site.http.post(f"{COMPUTE}/servers", json={"server": body}, headers=at("2.96"))
    assert answer.status_code == 400
    assert "key_name" in answer.text
