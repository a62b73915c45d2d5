"""Fairlead's processes as a person starts them: what they refuse, and how they end."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection

import pytest

PATIENCE_SECONDS = 60
POLL_SECONDS = 5
"""How often `openstack server create --wait` looks (osc_lib.utils.wait_for_status)."""


def fairlead(*arguments, env=None):
    return subprocess.run(
        [sys.executable, "-m", "fairlead", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, **(env or {})},
    )


@contextmanager
def up(state, *more):
    command = [
        sys.executable,
        "-m",
        "fairlead",
        "up",
        "--sim",
        "1",
        "--listen",
        "127.0.0.1:0",
        "--state",
        state,
        *more,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        found = re.search(r"ready (http\S+)", line)
        assert found, line
        yield process, found[1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_state_directory_belongs_to_one_process(tmp_path):
    with up(str(tmp_path / "state")) as (process, _):
        second = fairlead("up", "--sim", "1", "--listen", "127.0.0.1:0", "--state", str(tmp_path / "state"))

        assert second.returncode == 1
        assert f"in use by process {process.pid}" in second.stderr


def test_a_client_that_looks_every_few_seconds_keeps_its_connection(tmp_path):
    """One that is closed just as the client asks again ends the client."""
    with (
        up(str(tmp_path / "state")) as (process, url),
        closing(HTTPConnection(url.removeprefix("http://"))) as client,
    ):
        client.request("GET", "/healthz")
        client.getresponse().read()
        closed, _, _ = select.select([client.sock], [], [], 1.5 * POLL_SECONDS)
        if closed:
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"the process itself ended, with {process.wait(POLL_SECONDS)}")
        assert not closed


def test_a_fabric_is_told_by_the_process_that_has_the_setting(tmp_path):
    """Its failure is seen until it is mended; nobody forgets it meanwhile."""
    partitions = tmp_path / "partitions.conf"
    settings = ("--subnet-manager", f"fabric={partitions}", "--subnet-manager-command", "true")
    with up(str(tmp_path / "state"), *settings) as (_, url):
        shown = wait_for(lambda: fairlead("--url", url, "fabric", "list").stdout, "no such file")
        assert "fabric" in shown
        partitions.write_text("Default=0x7fff,ipoib : ALL=full ;\n")
        wait_for(lambda: fairlead("--url", url, "--json", "fabric", "show", "fabric").stdout, '"failure": ""')
        refused = fairlead("--url", url, "fabric", "forget", "fabric")
        assert refused.returncode == 1
        assert "is told by control process" in refused.stderr
        assert "partitions_failed" in fairlead("--url", url, "event").stdout


def test_the_profiles_that_a_product_has_are_those_of_its_file(tmp_path):
    listed = tmp_path / "profiles.toml"
    settings = ("--port-profile-file", str(listed))
    refused = fairlead(
        "up", "--sim", "1", "--listen", "127.0.0.1:0", "--state", str(tmp_path / "s"), *settings
    )
    assert (refused.returncode, "No such file" in refused.stderr) == (1, True), refused.stderr
    has = 'kinds = ["802.1Qbh"]\n[[port_profile]]\nkind = "802.1Qbh"\nprofile_id = '
    listed.write_text(f'{has}"finance"')
    with up(str(tmp_path / "state"), *settings) as (_, url):

        def made(profile_id):
            ask = ("port-profile", "create", profile_id, "--kind", "802.1Qbh", "--profile-id", profile_id)
            return fairlead("--url", url, *ask)

        assert made("finance").returncode == 0
        refused = made("hr")
        assert refused.returncode == 1
        assert "profile_id finance" in refused.stderr
        listed.write_text(f'{has}"hr"')
        assert made("hr").returncode == 0
        rows = [row.split() for row in fairlead("--url", url, "port-profile", "offered").stdout.splitlines()]
        assert ["802.1Qbh", "profile_id=hr", "yes", "hr"] in rows, rows
        assert ["802.1Qbh", "profile_id=finance", "no", "finance"] in rows, rows
        listed.write_text("kinds = 1")
        refused = made("hr")
        assert (refused.returncode, "has no answer" in refused.stderr) == (1, True), refused.stderr


def wait_for(ask, words):
    give_up = time.monotonic() + PATIENCE_SECONDS
    while words not in (said := ask()):
        assert time.monotonic() < give_up, said
        time.sleep(0.1)
    return said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_when_it_is_asked_to(tmp_path, how):
    with up(str(tmp_path / "state")) as (process, _):
        process.send_signal(how)

        assert process.wait(PATIENCE_SECONDS) == 0


def test_a_restarted_fleet_has_its_servers_again(tmp_path):
    state = str(tmp_path / "state")
    with up(state) as (process, url):
        made = fairlead(
            "--url", url, "network", "create", "blue", "--physical-network", "physnet1", "--vlan", "9"
        )
        process.terminate()
        process.wait(PATIENCE_SECONDS)
    with up(state) as (_, url):
        found = fairlead("--url", url, "network", "list")

        assert made.returncode == 0, made.stderr
        assert "blue" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("control", "--listen", "0.0.0.0:9696"), "listens on loopback alone"),
        (("control", "--listen", "nonsense"), "is not an address and port"),
        (("control", "--database", "mysql://x", "--listen", "127.0.0.1:0"), "is not a URL such as"),
        (("control", "--order", "sideways", "--listen", "127.0.0.1:0"), "is not one of 'pack', 'spread'"),
        (("up", "--sim", "many"), "is not a number of hosts"),
        (("agent",), "--control is missing"),
        (("--url", "http://127.0.0.1:1", "server", "list"), "Is control running there?"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(tmp_path, arguments, says):
    done = fairlead(*arguments, env={"FAIRLEAD_STATE": str(tmp_path / "state")})

    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_file_gives_settings(tmp_path):
    good = tmp_path / "good.toml"
    good.write_text('listen = "0.0.0.0:1"\n')
    assert "listens on loopback alone" in fairlead("--config", str(good), "control").stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('lisen = "127.0.0.1:1"', "has a key that is no setting: lisen. Known are: listen, "),
        ('[control]\nlisen = "127.0.0.1:1"', "has a section [control]: settings stand at its top"),
        ('listen = ["127.0.0.1:1"]', "gives listen = ['127.0.0.1:1'], which is neither a text nor a number"),
        ("sim = true", "gives sim = True, which is neither a text nor a number"),
    ],
)
def test_a_configuration_file_of_other_things_is_refused(tmp_path, text, says):
    bad = tmp_path / "bad.toml"
    bad.write_text(text + "\n")

    refused = fairlead("--config", str(bad), "control")

    assert refused.returncode != 0
    assert says in refused.stderr
