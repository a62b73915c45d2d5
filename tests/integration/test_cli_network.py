"""Changing and sharing networks, subnets, ports and QoS policies, as people type it."""

import subprocess
import sys

import pytest

from tests.api_stand import stand

V2 = "/network/v2.0"


@pytest.fixture
def fairlead(tmp_path):
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path) as made:
        made.network("blue", "physnet1", 100)
        yield made


def typed(fairlead, words, *, fails=False):
    """What the command printed, or what it said when it is to fail."""
    command = [sys.executable, "-m", "fairlead", "--url", fairlead.url, *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode != 0) is fails, done.stderr
    return done.stderr if fails else done.stdout


def only(fairlead, collection):
    (records,) = fairlead.http.get(f"{V2}/{collection}").raise_for_status().json().values()
    (record,) = records
    return record


def test_networks_and_subnets_are_changed(fairlead):
    typed(fairlead, "network set blue --name red --mtu 9000 --no-port-security --down")
    network = only(fairlead, "networks")
    assert (network["name"], network["mtu"]) == ("red", 9000)
    assert (network["port_security_enabled"], network["admin_state_up"]) == (False, False)
    typed(fairlead, "subnet set 10.0.0.0/24 --gateway none --dns 9.9.9.9 --pool 10.0.0.9-10.0.0.20")
    subnet = only(fairlead, "subnets")
    assert (subnet["gateway_ip"], subnet["dns_nameservers"]) == (None, ["9.9.9.9"])
    assert subnet["allocation_pools"] == [{"start": "10.0.0.9", "end": "10.0.0.20"}]


def test_a_port_is_changed(fairlead):
    typed(fairlead, "qos create gold --max-mbps 500")
    typed(fairlead, "port create p --network blue --vnic-type direct --trusted")
    typed(
        fairlead,
        "port set p --vlan-priority 3 --qos-policy gold --always-up --fixed-ip 10.0.0.7",
    )
    port = only(fairlead, "ports")
    assert port["binding:profile"] == {"trusted": True, "vlan_priority": 3}
    assert (port["propagate_uplink_status"], port["fixed_ips"][0]["ip_address"]) == (False, "10.0.0.7")
    assert port["qos_policy_id"] == only(fairlead, "qos/policies")["id"]
    typed(fairlead, "port set p --not-trusted --no-qos-policy")
    port = only(fairlead, "ports")
    assert (port["binding:profile"], port["qos_policy_id"]) == ({"vlan_priority": 3}, None)
    assert "Nothing to set" in typed(fairlead, "port set p", fails=True)


def test_rates_go_up_and_down_together(fairlead):
    typed(fairlead, "qos create gold --max-mbps 500 --min-mbps 100")
    for most, least in ((2000, 1000), (50, 10), (0, 20), (30, 0)):
        said = typed(fairlead, f"qos set gold --max-mbps {most} --min-mbps {least}")
        assert (f"max {most} Mbit/s" in said) is (most > 0)
        assert (f"min {least} Mbit/s" in said) is (least > 0)


def test_a_network_is_shared_and_unshared(fairlead):
    typed(fairlead, "network share blue")
    typed(fairlead, "network share blue --project theirs")
    assert only(fairlead, "networks")["shared"] is True
    typed(fairlead, "network unshare blue")
    assert only(fairlead, "rbac-policies")["target_tenant"] == "theirs"
    assert only(fairlead, "networks")["shared"] is False
