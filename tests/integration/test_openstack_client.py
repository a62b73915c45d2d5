"""The `openstack` client that people have, against a fleet of simulated hosts: one conversation, without Keystone."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

CLIENT = Path(__file__).parents[2] / ".venv-openstack/bin/openstack"
CLOUDS = """
clouds:
  fairlead:
    auth_type: none
    identity_api_version: 3
    auth: {{endpoint: "{url}/identity"}}
    network_endpoint_override: {url}/network
    compute_endpoint_override: {url}/compute/v2.1
    image_endpoint_override: {url}/image
"""
START_SECONDS = 60
CALL_SECONDS = 60

pytestmark = pytest.mark.skipif(
    not CLIENT.exists(), reason="`make test` builds .venv-openstack; it is not there"
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """The URL of `fairlead up --sim 3` in a process of its own."""
    state = tmp_path_factory.mktemp("fleet")
    command = [
        sys.executable,
        "-m",
        "fairlead",
        "up",
        "--sim",
        "3",
        "--listen",
        "127.0.0.1:0",
        "--state",
        str(state),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ready = re.match(r"ready (http\S+)", process.stdout.readline())
        assert ready, "fairlead up did not say that it is ready"
        yield ready[1]
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)
        process.stdout.close()


@pytest.fixture(scope="module")
def openstack(fleet, tmp_path_factory):
    """Runs one command of the client; what it printed, as JSON where it prints a record."""
    directory = tmp_path_factory.mktemp("client")
    clouds = directory / "clouds.yaml"
    clouds.write_text(CLOUDS.format(url=fleet))
    surroundings = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

    def run(*words, shows=True):
        done = subprocess.run(
            [str(CLIENT), "--os-cloud", "fairlead", *words, *(["-f", "json"] if shows else [])],
            env={**surroundings, "OS_CLIENT_CONFIG_FILE": str(clouds), "HOME": str(directory)},
            capture_output=True,
            text=True,
            check=False,
            timeout=CALL_SECONDS,
        )
        assert done.returncode == 0, f"openstack {' '.join(words)}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if shows else done.stdout

    return run


def test_a_server_with_a_direct_port_and_an_alias_comes_and_goes(fleet, openstack, tmp_path):
    disk = tmp_path / "disk.raw"
    disk.write_bytes(os.urandom(1 << 16))
    alias = {"name": "a1", "kind": "vf", "physical_network": "physnet2"}
    httpx.post(f"{fleet}/v1/aliases", json={"alias": alias}, trust_env=False).raise_for_status()

    provider = ["--provider-network-type", "vlan", "--provider-physical-network", "physnet1"]
    network = openstack("network", "create", *provider, "--provider-segment", "100", "n1")
    assert network["provider:segmentation_id"] == 100
    openstack("subnet", "create", "--network", "n1", "--subnet-range", "10.0.0.0/24", "s1")
    port = openstack("port", "create", "--vnic-type", "direct", "--network", "n1", "p1")
    assert (port["binding_vif_type"], port["status"]) == ("unbound", "DOWN")
    formats = ["--disk-format", "raw", "--container-format", "bare"]
    assert openstack("image", "create", *formats, "--file", str(disk), "cirros")["name"] == "cirros"
    size = ["--ram", "512", "--vcpus", "1", "--disk", "1"]
    openstack("flavor", "create", *size, "--property", "pci_passthrough:alias=a1:1", "f1")

    words = ["--flavor", "f1", "--image", "cirros", "--port", "p1", "--wait"]
    server = openstack("server", "create", *words, "sv1")
    assert server["status"] == "ACTIVE"
    [listed] = openstack("server", "list")
    assert (listed["Name"], listed["Status"], listed["Networks"]) == ("sv1", "ACTIVE", {"n1": ["10.0.0.2"]})
    shown = openstack("server", "show", "sv1")
    host = shown["OS-EXT-SRV-ATTR:host"]
    assert host in {"host1", "host2", "host3"}

    bound = openstack("port", "show", "p1")
    assert (bound["status"], bound["binding_host_id"], bound["binding_vif_type"]) == (
        "ACTIVE",
        host,
        "hw_veb",
    )
    assert bound["binding_vif_details"]["vlan"] == "100"
    assert bound["device_id"] == shown["id"]
    assert bound["device_owner"].startswith("compute:")
    profile = bound["binding_profile"]
    assert profile["physical_network"] == "physnet1"
    assert re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", profile["pci_slot"])
    assert re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", profile["pci_vendor_info"])
    devices = httpx.get(f"{fleet}/v1/devices", params={"server": shown["id"]}, trust_env=False).json()[
        "devices"
    ]
    assert {device["physical_network"] for device in devices} == {"physnet1", "physnet2"}

    openstack("server", "delete", "--wait", "sv1", shows=False)
    free = openstack("port", "show", "p1")
    assert (free["status"], free["binding_vif_type"], free["device_id"]) == ("DOWN", "unbound", "")
    assert httpx.get(f"{fleet}/v1/audit", trust_env=False).json() == {"violations": []}
