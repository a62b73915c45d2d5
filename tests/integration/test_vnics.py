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
        nics[0]["tag"] = "storage"
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
        assert vnic["wanted"]["vf"]["mac"] == vnic["seen"]["vf"]["mac"] == vnic["mac"]
        assert vnic["seen"]["vf"]["vlan"] == 100
        assert vnic["pci_address"]
        assert vnic["vf_index"] is not None
        assert vnic["pf_name"]
        assert (vnic["is_told"], vnic["counters"]) == (False, None)
    for vnic in found:
        assert vnic["tag"] == ("storage" if vnic in direct else None)
        if vnic["vnic_type"] == "macvtap":
            assert vnic["wanted"]["macvtap"]["name"].startswith("fltap-")
            assert (vnic["vif_type"], vnic["seen"]["vf"]["vlan"]) == ("hw_veb", 100)
            assert vnic["vf_index"] is not None
        if vnic["vnic_type"] == "normal":
            assert vnic["wanted"]["tap"]["vlan"] == 100
            assert (vnic["device_id"], set(vnic["seen"].values())) == (None, {None})


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
    assert seen["vf"]["vlan"] == 999
    with site.answering():
        one = site.http.get(f"/v1/vnics/{changed['port_id']}").json()["vnic"]
    assert (one["is_told"], one["is_wired"], one["seen"]["vf"]["vlan"]) == (True, False, 999)
    assert one["differs"] == ["vf.vlan"]


def ask(site, *words):
    command = [sys.executable, "-m", "fairlead", "--url", site.url, *words]
    with site.answering():
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def drifted(site):
    """A server whose tap has another MTU, whose macvtap is down, and whose VSI its bridge has lost."""
    profile = {"kind": "802.1Qbg", "manager_id": 11, "type_id": 7, "type_id_version": 2, "name": "desk"}
    made = (
        site.http.post("/network/v2.0/port-profiles", json={"port_profile": profile})
        .raise_for_status()
        .json()
    )
    network = listed(site)["vnics"][0]["network_id"]
    port = {
        "network_id": network,
        "binding:vnic_type": "direct",
        "port_profile_id": made["port_profile"]["id"],
    }
    port_id = (
        site.http.post("/network/v2.0/ports", json={"port": port}).raise_for_status().json()["port"]["id"]
    )
    nics = [{"port": port_id}, *({"network": "blue", "vnic_type": kind} for kind in ("macvtap", "normal"))]
    server = site.boot("desk", nics, availability_zone="nova:host1")
    site.settle()
    found = {vnic["vnic_type"]: vnic for vnic in listed(site, server=server)["vnics"]}
    machine, kernel = site.hosts["host1"].machine, site.hosts["host1"].kernel
    with site.answering():
        assert all(vnic["is_wired"] for vnic in listed(site, server=server, live="true")["vnics"])
    tap = found["normal"]["wanted"]["tap"]["name"]
    kernel.taps[tap] = replace(kernel.taps[tap], mtu=1400)
    machine.links.vfs[machine.links.below[found["macvtap"]["wanted"]["macvtap"]["name"]]].is_up = False
    for held in machine.vsis.values():
        held.clear()
    return server, {kind: vnic["port_id"] for kind, vnic in found.items()}


def test_taps_macvtaps_and_vsis_are_told_as_seen_beside_what_is_wanted(site, drifted):
    server, ports = drifted
    with site.answering():
        found = {vnic["port_id"]: vnic for vnic in listed(site, server=server, live="true")["vnics"]}
        shown = {port: site.http.get(f"/v1/vnics/{port}").json()["vnic"] for port in found}
    assert shown == found
    assert not any(vnic["is_wired"] for vnic in found.values())
    tap, macvtap, vsi = (found[ports[kind]] for kind in ("normal", "macvtap", "direct"))
    assert (tap["wanted"]["tap"]["mtu"], tap["seen"]["tap"]["mtu"]) == (1500, 1400)
    assert tap["differs"] == ["tap.mtu"]
    assert (tap["seen"]["vf"], tap["seen"]["vsi"]) == (None, None)
    assert macvtap["seen"]["macvtap"] == {
        "name": macvtap["wanted"]["macvtap"]["name"],
        "lower": {"pf": macvtap["seen"]["macvtap"]["lower"]["pf"], "vf_index": macvtap["vf_index"]},
        "is_passthru": True,
        "mac": macvtap["mac"],
        "mtu": 1500,
        "is_up": False,
        "port_id": macvtap["port_id"],
        "groups": macvtap["wanted"]["macvtap"]["groups"],
        "all_groups": False,
    }
    assert macvtap["differs"] == ["macvtap.is_up"]
    assert (vsi["seen"]["vsi"]["type_id"], vsi["seen"]["vsi"]["state"]) == (7, "absent")
    assert vsi["wanted"]["vsi"].items() <= vsi["seen"]["vsi"].items()
    assert vsi["differs"] == ["vsi.state"]
    assert vsi["seen"]["vf"]["mac"] == vsi["mac"]
    site.settle()
    with site.answering():
        again = listed(site, server=server, live="true")["vnics"]
    assert [(vnic["is_wired"], vnic["differs"]) for vnic in again] == [(True, [])] * 3


def test_people_see_wanted_and_seen_side_by_side(site, drifted):
    server, ports = drifted
    rows = [line.split() for line in ask(site, "vnic", "show", ports["normal"]).splitlines()]
    assert ["tap.mtu", "1500", "1400", "differs"] in rows
    assert ["tap.vlan", "100", "100"] in rows
    assert ["is_wired", "no"] in rows
    lines = ask(site, "vnic", "show", ports["direct"]).splitlines()
    assert ["vsi.state", "-", "absent", "differs"] in [line.split() for line in lines]
    table = ask(site, "vnic", "list", "--live", "--server", "desk")
    for name in ("tap.mtu", "macvtap.is_up", "vsi.state"):
        assert f"no: {name}" in table
    assert server in ask(site, "--json", "vnic", "show", ports["macvtap"])


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
    heading, _, *rows = ask(site, "vnic", "list", "--live", "--host", "host1").splitlines()
    assert heading.split()[:3] == ["Host", "PF", "Device"]
    assert len(rows) == 3
    assert all("web1" in row and "0 B" in row and "yes" in row for row in rows)
