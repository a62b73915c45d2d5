"""`fairlead audit-trail` as an operator types it."""

import json
import subprocess
import sys

import pytest

from tests.api_stand import stand

_LIMIT = 60


@pytest.fixture
def fairlead(tmp_path):
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path) as made:
        made.policy("east", "ens1f0", "physnet1")
        made.network("blue", "physnet1", 100)
        made.http.delete("/network/v2.0/networks/none")
        yield made


def _command(url, *words):
    return [sys.executable, "-m", "fairlead", "--url", url, *words]


def _typed(url, *words, fails=False):
    done = subprocess.run(_command(url, *words), capture_output=True, text=True, timeout=_LIMIT, check=False)
    assert (done.returncode != 0) is fails, done.stderr
    return done.stderr if fails else done.stdout


def _actions(fairlead, *words):
    return [record["action"] for record in json.loads(_typed(fairlead.url, "--json", "audit-trail", *words))]


def test_the_newest_is_the_last_line(fairlead):
    lines = _typed(fairlead.url, "audit-trail").splitlines()

    assert lines[0].split() == ["At", "Who", "From", "What", "On", "Outcome"]
    assert "operator" in lines[2]
    assert "127.0.0.1" in lines[2]
    assert lines[2].rstrip().endswith("done")
    assert "v1:policies:write" in lines[2]
    assert "delete_network" in lines[-1]
    assert lines[-1].rstrip().endswith("refused (404 not_found)")


def test_what_is_asked_for_is_shown_alone(fairlead):
    assert _actions(fairlead) == ["v1:policies:write", "create_network", "create_subnet", "delete_network"]
    assert _actions(fairlead, "--limit", "2") == ["create_subnet", "delete_network"]
    assert _actions(fairlead, "--kind", "network", "--outcome", "done") == ["create_network"]
    assert _actions(fairlead, "--user", "operator", "--action", "create_subnet", "--since", "1h") == [
        "create_subnet"
    ]
    assert _actions(fairlead, "--code", "not_found", "--resource", "none") == ["delete_network"]
    assert (
        _actions(fairlead, "--user", "0fa1e1ead00000000000000000000002", "--until", "2026-01-01T00:00:00Z")
        == []
    )
    assert _actions(fairlead, "--project", "operator", "--kind", "subnet") == ["create_subnet"]
    assert "a time such as" in _typed(fairlead.url, "audit-trail", "--since", "yesterday", fails=True)


def test_more_than_a_page_is_shown_whole(fairlead):
    for number in range(3):
        fairlead.http.put(f"/network/v2.0/networks/{number}", json={"network": {}})
    network = fairlead.http.get("/network/v2.0/networks").json()["networks"][0]["id"]
    ports = [{"network_id": network}] * 7
    fairlead.http.post("/network/v2.0/ports", json={"ports": ports}).raise_for_status()

    assert "and 2 more" in _typed(fairlead.url, "audit-trail", "--limit", "1")


def test_what_comes_is_followed_a_line_each(fairlead):
    command = _command(fairlead.url, "--json", "audit-trail", "--follow", "--limit", "1")
    following = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert json.loads(following.stdout.readline())["action"] == "delete_network"
        for name in ("tiny", "small"):
            fairlead.http.delete(f"/compute/v2.1/flavors/{name}")
        told = [json.loads(following.stdout.readline()) for _ in range(2)]
    finally:
        following.terminate()
        following.communicate(timeout=_LIMIT)

    assert [record["resources"][0]["id"] for record in told] == ["tiny", "small"]
