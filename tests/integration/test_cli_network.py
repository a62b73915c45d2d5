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
    typed(fairlead, "port set p --allowed-address 10.0.0.200 --allowed-address 10.9.0.0/16")
    pairs = only(fairlead, "ports")["allowed_address_pairs"]
    assert [pair["ip_address"] for pair in pairs] == ["10.0.0.200", "10.9.0.0/16"]
    typed(fairlead, "port set p --allowed-address none")
    assert only(fairlead, "ports")["allowed_address_pairs"] == []
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


def test_an_image_is_shared_accepted_and_unshared(fairlead, tmp_path):
    (tmp_path / "disk").write_bytes(b"a disk")
    typed(fairlead, f"image create debian --file {tmp_path}/disk")
    typed(fairlead, "image share debian --project theirs")
    assert "already shared" in typed(fairlead, "image share debian --project theirs", fails=True)
    (image,) = fairlead.http.get("/image/v2/images").raise_for_status().json()["images"]
    typed(fairlead, f"image accept {image['id']}")
    members = f"/image/v2/images/{image['id']}/members"
    (member,) = fairlead.http.get(members).raise_for_status().json()["members"]
    assert (member["member_id"], member["status"]) == ("theirs", "accepted")
    typed(fairlead, "image share debian --project others")
    assert "say for which" in typed(fairlead, f"image accept {image['id']}", fails=True)
    typed(fairlead, f"image accept {image['id']} --project others")
    typed(fairlead, "image unshare debian --project others")
    typed(fairlead, "image unshare debian --project theirs")
    assert fairlead.http.get(members).raise_for_status().json()["members"] == []
    assert "shared with nobody" in typed(fairlead, f"image accept {image['id']}", fails=True)


def test_a_network_is_shared_and_unshared(fairlead):
    typed(fairlead, "network share blue")
    typed(fairlead, "network share blue --project theirs")
    assert only(fairlead, "networks")["shared"] is True
    typed(fairlead, "network unshare blue")
    assert only(fairlead, "rbac-policies")["target_tenant"] == "theirs"
    assert only(fairlead, "networks")["shared"] is False


def test_port_profiles_are_made_chosen_changed_and_deleted(fairlead):
    typed(fairlead, "port-profile create gold --vlan-priority 5 --max-mbps 900 --no-spoof-check")
    typed(fairlead, "port-profile create finance --kind 802.1Qbh --profile-id finance --share")
    listed = typed(fairlead, "port-profile list")
    assert "vlan_priority=5, spoof_check=no, max_rate_mbps=900" in listed
    assert "profile_id=finance" in listed
    typed(fairlead, "network set blue --port-profile gold")
    typed(fairlead, "port create p --network blue --vnic-type direct --port-profile finance")
    gold = only(fairlead, "networks")["port_profile_id"]
    port = only(fairlead, "ports")
    assert (port["network_port_profile_id"], port["port_profile_id"] is None) == (gold, False)
    typed(fairlead, "port set p --no-port-profile")
    assert only(fairlead, "ports")["port_profile_id"] is None
    said = typed(fairlead, "port-profile set gold --max-mbps 1000 --unset vlan-priority --name silver")
    assert "vlan_priority" not in said
    assert "1000" in said
    assert "network blue" in typed(fairlead, "port-profile delete silver", fails=True)
    typed(fairlead, "network set blue --no-port-profile")
    typed(fairlead, "port-profile delete silver finance")
    assert fairlead.http.get(f"{V2}/port-profiles").json() == {"port_profiles": []}


def test_a_port_profile_is_made_and_unmade_in_the_words_of_its_options(fairlead):
    typed(fairlead, "port-profile create ours --kind infiniband --partition-key 0x7abc --membership full")
    assert only(fairlead, "port-profiles")["partition_key"] == 0x7ABC
    wrong = typed(fairlead, "port-profile create no --kind infiniband --partition-key 0xyz", fails=True)
    assert "not a number in hexadecimal" in wrong
    typed(fairlead, "port-profile delete ours")
    typed(fairlead, "port-profile create fast --min-mbps 10 --max-mbps 900")
    typed(fairlead, "port-profile set fast --unset max-mbps")
    assert only(fairlead, "port-profiles")["max_rate_mbps"] is None
    missing = typed(fairlead, "port-profile create no --kind 802.1Qbh", fails=True)
    assert "profile_id. Reason: it is missing: a port profile of kind 802.1Qbh has one." in missing
    above = typed(fairlead, "port-profile create no --min-mbps 900 --max-mbps 100", fails=True)
    assert "100 is not at least min_rate_mbps, which is 900" in above
    beyond = typed(fairlead, "port-profile create no --max-mbps 99999999999", fails=True)
    assert "99999999999 is not a number of 1 to 2147483" in beyond


def test_a_port_profile_is_a_trunk_by_a_list_of_vlans(fairlead):
    typed(fairlead, "port-profile create trunk --allowed-vlans 100,200-299")
    assert only(fairlead, "port-profiles")["allowed_vlans"] == ["100", "200-299"]
    assert "allowed_vlans" in typed(fairlead, "port-profile create bad --allowed-vlans all", fails=True)
    assert "Nothing to set" in typed(fairlead, "port-profile set trunk", fails=True)
    typed(fairlead, "port-profile share trunk --project theirs")
    assert only(fairlead, "rbac-policies")["object_type"] == "port_profile"
    typed(fairlead, "port-profile unshare trunk --project theirs")
    assert fairlead.http.get(f"{V2}/rbac-policies").json() == {"rbac_policies": []}
