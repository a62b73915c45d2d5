"""What a running guest has used, asked of its host."""

import pytest

from tests.api_stand import COMPUTE, stand
from tests.conformance.answers import check_shape, shape_of

ROUTE = "GET /compute/v2.1/servers/{}/diagnostics"


@pytest.fixture
def site(tmp_path):
    """A stand with a host, a network, and a server with a VF and a tap on it."""
    with stand("sqlite://", tmp_path) as opened:
        opened.add_host(1)
        opened.policy("east", "ens1f*", "physnet1")
        opened.network("blue", "physnet1", 100)
        nics = [{"network": "blue", "vnic_type": kind} for kind in ("direct", "normal")]
        opened.server_id = opened.boot("web", nics)
        opened.settle()
        yield opened


def asked(site, version):
    path = f"{COMPUTE}/servers/{site.server_id}/diagnostics"
    with site.answering():
        return site.http.get(path, headers={"openstack-api-version": f"compute {version}"})


@pytest.mark.parametrize("version", ["2.1", "2.47", "2.48", "2.96"])
def test_it_is_told_in_the_shape_of_its_microversion(site, version):
    answer = asked(site, version)
    assert answer.status_code == 200, answer.text
    check_shape(shape_of(ROUTE, version, is_operator=True, has_fields=False), answer.json())


def test_every_nic_is_among_them_in_the_order_of_the_guest(site):
    found = asked(site, "2.48").json()
    ports = site.http.get("/network/v2.0/ports", params={"device_id": site.server_id}).json()["ports"]
    macs = {port["binding:vnic_type"]: port["mac_address"] for port in ports}
    assert [nic["mac_address"] for nic in found["nic_details"]] == [macs["direct"], macs["normal"]]
    assert (found["num_nics"], found["num_cpus"], found["state"]) == (2, 1, "running")
    flat = asked(site, "2.1").json()
    assert {"cpu0_time", "memory", "vda_read"} <= flat.keys()
    assert len([name for name in flat if name.endswith("_rx")]) == 2


def test_a_guest_that_does_not_run_has_none(site):
    site.http.post(f"{COMPUTE}/servers/{site.server_id}/action", json={"os-stop": None}).raise_for_status()
    site.settle()
    answer = asked(site, "2.48")
    assert answer.status_code == 409
    message = answer.json()["conflictingRequest"]["message"]
    assert message == f"Cannot 'get_diagnostics' instance {site.server_id} while it is in vm_state stopped"


def test_a_host_that_says_no_is_told_of(site):
    site.hosts["host1"].machine.troubles.hanging["statistics"] = 1
    answer = asked(site, "2.48")
    assert answer.status_code == 409
    assert "tells nothing" in answer.json()["conflictingRequest"]["message"]
