"""Which vNICs are where, as wanted and as seen: over the fleet, and asked of their hosts."""

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.api_stand import stand


@pytest.fixture
def site(database_url, tmp_path):
    """A stand with a server on each of two hosts, each with a VF, a macvtap and a tap."""
    with stand(database_url, tmp_path) as opened:
        opened.policy("east", "ens*", "physnet1")
        opened.network("blue", "physnet1", 100)
        nics = [{"network": "blue", "vnic_type": kind} for kind in ("direct", "macvtap", "normal")]
        opened.servers = {}
        for number in (1, 2):
            host = opened.add_host(number)
            opened.servers[host] = opened.boot(f"web{number}", nics, availability_zone=f"nova:{host}")
            opened.settle()
        yield opened


def listed(site, **query):
    answer = site.http.get("/v1/vnics", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_port_is_there_with_its_place_and_what_its_host_is_told(site):
    found = listed(site)["vnics"]
    assert [vnic["port_id"] for vnic in found] == sorted(vnic["port_id"] for vnic in found)
    direct = [vnic for vnic in found if vnic["vnic_type"] == "direct"]
    assert {(vnic["host_name"], vnic["server_name"]) for vnic in direct} == {
        ("host1", "web1"),
        ("host2", "web2"),
    }
    for vnic in direct:
        assert (vnic["vif_type"], vnic["status"], vnic["wiring"]) == ("hw_veb", "ACTIVE", "WIRED")
        assert vnic["wanted"]["vf"]["mac"] == vnic["seen"]["mac"] == vnic["mac"]
        assert vnic["seen"]["vlan"] == 100
        assert vnic["pci_address"]
        assert vnic["vf_index"] is not None
        assert vnic["pf_name"]
        assert (vnic["is_told"], vnic["counters"]) == (False, None)
    for vnic in found:
        if vnic["vnic_type"] == "macvtap":
            assert vnic["wanted"]["macvtap"]["name"].startswith("fltap-")
            assert (vnic["vif_type"], vnic["seen"]["vlan"]) == ("hw_veb", 100)
            assert vnic["vf_index"] is not None
        if vnic["vnic_type"] == "normal":
            assert vnic["wanted"]["tap"]["vlan"] == 100
            assert (vnic["device_id"], vnic["seen"]) == (None, None)


def test_those_of_a_host_a_server_or_a_network_page_by_page(site):
    assert {vnic["host_name"] for vnic in listed(site, host="host2")["vnics"]} == {"host2"}
    own = listed(site, server=site.servers["host1"])["vnics"]
    assert {vnic["server_name"] for vnic in own} == {"web1"}
    assert len(listed(site, network=own[0]["network_id"])["vnics"]) == 6
    assert listed(site, network="0" * 8)["vnics"] == []
    assert site.http.get("/v1/vnics", params={"host": "nowhere"}).status_code == 404
    first = listed(site, limit=3)
    rest = site.http.get(first["next"]).json()
    assert (len(first["vnics"]), len(rest["vnics"])) == (3, 3)
    assert rest["next"] is None
    assert not {v["port_id"] for v in first["vnics"]} & {v["port_id"] for v in rest["vnics"]}


def test_asked_their_hosts_tell_how_they_are_now(site):
    changed = next(v for v in listed(site, host="host1")["vnics"] if v["vf_index"] is not None)
    (pf,) = [pf for pf in site.hosts["host1"].machine.pfs.values() if pf.nic.name == changed["pf_name"]]
    pf.vfs[changed["vf_index"]] = replace(pf.vfs[changed["vf_index"]], vlan=999)
    with site.answering():
        found = listed(site, live="true")
    assert found["silent"] == []
    for vnic in found["vnics"]:
        assert vnic["is_told"]
        assert vnic["counters"]["rx_octets"] == 0
        assert vnic["link_up"] is True
        assert vnic["is_wired"] is (vnic["port_id"] != changed["port_id"])
        assert vnic["device"].startswith("0000:" if vnic["vnic_type"] == "direct" else "fltap-")
    (seen,) = [vnic["seen"] for vnic in found["vnics"] if vnic["port_id"] == changed["port_id"]]
    assert seen["vlan"] == 999
    with site.answering():
        one = site.http.get(f"/v1/vnics/{changed['port_id']}").json()["vnic"]
    assert (one["is_told"], one["is_wired"], one["seen"]["vlan"]) == (True, False, 999)


def test_counters_that_a_driver_does_not_tell_hide_nothing_else(site):
    site.hosts["host1"].machine.troubles.hanging["count"] = 99
    with site.answering():
        found = listed(site, live="true", host="host1")["vnics"]
    assert all(vnic["is_told"] and vnic["is_wired"] for vnic in found)
    assert {vnic["vnic_type"]: vnic["counters"] is None for vnic in found}["direct"]


def test_a_port_that_no_host_has_is_said_to_be_so(site):
    network = listed(site)["vnics"][0]["network_id"]
    made = site.http.post("/network/v2.0/ports", json={"port": {"network_id": network}}).json()["port"]
    answer = site.http.get(f"/v1/vnics/{made['id']}")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "wrong_state"
    assert site.http.get("/v1/vnics/nope").status_code == 404


def test_people_see_them_in_a_table(site):
    with site.answering():
        command = [
            sys.executable,
            "-m",
            "fairlead",
            "--url",
            site.url,
            "vnic",
            "list",
            "--live",
            "--host",
            "host1",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    heading, _, *rows = done.stdout.splitlines()
    assert heading.split()[:3] == ["Host", "PF", "Device"]
    assert len(rows) == 3
    assert all("web1" in row and "0 B" in row and "yes" in row for row in rows)
