"""What only a host, or whoever comes first, can know: it fails closed, and its server's fault has the reason.

No guest has run, and the VF is as nobody's. The list of what is refused at once is test_bad_inputs.py.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fairlead.model.device import DeviceStatus
from fairlead.model.pci import DeviceKind
from fairlead.model.vf import BASELINE
from fairlead.sim.hardware import Hardware, two_socket_server
from tests.api_stand import COMPUTE, NEWEST, Stand, stand
from tests.people import builtin, person, project
from tests.scene import V2, Scene, at_once, booted, port_of

MAC = "fa:16:3e:00:aa:01"

# What only the host can know


def igb_server(number: int) -> Hardware:
    """Two ports of an 82576: no 802.1ad, no least rate, no link state (drivers/net/ethernet/intel/igb/igb_main.c)."""
    made = two_socket_server(number)
    igb = {
        "product": "10c9",
        "vf_product": "10ca",
        "kernel_driver": "igb",
        "speed_mbps": 1000,
        "total_vfs": 7,
    }
    nics = (nic if nic.is_management else replace(nic, **igb) for nic in made.nics)
    return replace(made, nics=tuple(nics))


@pytest.fixture
def small(tmp_path) -> Iterator[Scene]:
    """A host with one NIC on the network, an igb."""
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path, builtin) as made:
        made.add_host(1, igb_server)
        made.policy("data", "ens1f0", "physnet1", num_vfs=7)
        found = Scene(made, person(made, "anna", project(made, "east"), "member"))
        found.ids |= {"flavor": made.flavor(), "image": made.image()}
        found.ids["blue"] = made.network("blue", "physnet1", 100)
        yield found
        assert made.hosts["host1"].machine.mishaps == []


NICS_LACK: dict[str, tuple[dict[str, object], str]] = {
    "802.1ad": ({"vlan_protocol": "802.1ad"}, "802.1ad"),
    "a least rate": ({"min_rate_mbps": 100}, "min-rate"),
    "a link that is held up": ({"link_state": "enable"}, "link-state"),
    "a link that is held down": ({"link_state": "disable"}, "link-state"),
}
"""What is known of the driver: the capability that placement asks for."""


@pytest.mark.parametrize("name", NICS_LACK)
def test_a_port_is_not_placed_on_a_nic_whose_driver_lacks_it(small, name):
    settings, capability = NICS_LACK[name]
    small.make("wish", "port_profile", kind="ethernet", **settings)
    server = booted(small, "web", vnic_type="direct", port_profile="@wish")
    assert server["status"] == "ERROR"
    assert f"capability {capability}" in server["fault"]["message"]
    assert small.stand.hosts["host1"].hypervisor.starts == []
    assert small.stand.engine.look(lambda tx: tx.allocations.find()) == ()
    # It is the wish that cannot be, and not the NIC.
    assert booted(small, "other", vnic_type="direct")["status"] == "ACTIVE"


def test_what_the_nics_driver_refuses_fails_closed_in_its_words(small):
    small.make("wish", "port_profile", kind="ethernet", max_rate_mbps=2000)
    server = booted(small, "web", vnic_type="direct", port_profile="@wish")
    fault = server["fault"]["message"]
    assert server["status"] == "ERROR"
    assert "EINVAL" in fault, fault
    assert "max_rate" in fault, fault
    assert port_of(small, "web")["status"] == "ERROR"
    host = small.stand.hosts["host1"]
    assert host.hypervisor.starts == []
    assert all(vf == BASELINE for pf in host.machine.pfs.values() for vf in pf.vfs.values())
    assert booted(small, "other", vnic_type="direct")["status"] == "ACTIVE"
    small.ask("DELETE", f"servers/{small.ids['web']}")
    small.stand.settle()
    held = small.stand.engine.look(lambda tx: tx.devices.find(status=DeviceStatus.ALLOCATED))
    assert len(held) == 1


def whole(**more: object) -> dict[str, object]:
    return {"vnic_type": "direct-physical", **more}


@pytest.fixture
def trusted(small: Scene) -> Scene:
    """The same, of a device policy whose devices may be trusted."""
    trust_all(small.stand)
    return small


def trust_all(stand: Stand) -> None:
    """The one device policy says so of its devices."""
    (policy,) = stand.http.get("/v1/policies").json()["policies"]
    changed = stand.http.patch(f"/v1/policies/{policy['id']}", json={"policy": {"tags": ["trusted"]}})
    assert changed.status_code == 200, changed.text
    stand.settle()


def test_a_pf_is_not_given_whole_while_a_vf_of_it_is_held(trusted):
    assert booted(trusted, "web", vnic_type="direct")["status"] == "ACTIVE"
    server = booted(trusted, "router", **whole(trusted=True))
    assert server["status"] == "ERROR"
    assert "web" in server["fault"]["message"], server["fault"]
    (held,) = trusted.stand.engine.look(lambda tx: tx.allocations.find())
    assert held.server_id == trusted.ids["web"]
    assert len(trusted.stand.hosts["host1"].hypervisor.starts) == 1


def test_a_vf_is_not_given_while_its_pf_is_held_whole(trusted):
    assert booted(trusted, "router", **whole(trusted=True))["status"] == "ACTIVE"
    server = booted(trusted, "web", vnic_type="direct")
    assert server["status"] == "ERROR"
    assert "router" in server["fault"]["message"], server["fault"]
    (held,) = trusted.stand.engine.look(lambda tx: tx.allocations.find())
    assert held.server_id == trusted.ids["router"]


def test_an_alias_gives_no_pf_whole_while_a_vf_of_it_is_held(trusted):
    made = trusted.stand
    assert booted(trusted, "web", vnic_type="direct")["status"] == "ACTIVE"
    alias = {"name": "nic", "kind": "pf", "physical_network": "physnet1"}
    made.http.post("/v1/aliases", json={"alias": alias}).raise_for_status()
    flavor = {"name": "router", "vcpus": 1, "ram": 512, "disk": 1}
    flavor_id = made.http.post(f"{COMPUTE}/flavors", json={"flavor": flavor}).json()["flavor"]["id"]
    specs = {"extra_specs": {"pci_passthrough:alias": "nic:1"}}
    made.http.post(f"{COMPUTE}/flavors/{flavor_id}/os-extra_specs", json=specs).raise_for_status()
    trusted.ids["flavor"] = flavor_id
    server = booted(trusted, "router")
    assert server["status"] == "ERROR"
    assert "web" in server["fault"]["message"], server["fault"]


def test_trust_is_given_by_no_device_that_its_policy_does_not_trust(small):
    server = booted(small, "web", vnic_type="direct", trusted=True)
    assert server["status"] == "ERROR"
    assert "trusted" in server["fault"]["message"], server["fault"]
    assert small.stand.engine.look(lambda tx: tx.allocations.find()) == ()


NO_HOST = {
    "a profile of a switch that no NIC is at": ({"kind": "802.1Qbh", "profile_id": "finance"}, "802.1qbh"),
}


@pytest.mark.parametrize("name", NO_HOST)
def test_what_no_host_has_is_said_host_by_host(small, name):
    settings, words = NO_HOST[name]
    small.make("wish", "port_profile", **settings)
    server = booted(small, "web", vnic_type="direct", port_profile="@wish")
    assert server["status"] == "ERROR"
    assert "host1" in server["fault"]["message"], server["fault"]
    assert words in server["fault"]["message"], server["fault"]
    assert small.stand.engine.look(lambda tx: tx.allocations.find()) == ()


# Two at once


@pytest.fixture
def busy(database_url, tmp_path) -> Iterator[Stand]:
    """A Fairlead with a network, on each database."""
    with stand(database_url, tmp_path) as made:
        made.add_host(1)
        made.policy("data", "ens1f0", "physnet1")
        made.network("blue", "physnet1", 100)
        yield made


def network_id(stand: Stand) -> str:
    return str(stand.http.get(f"{V2}/networks").json()["networks"][0]["id"])


def test_of_ports_with_one_mac_that_are_made_at_once_one_is(busy):
    body = {"port": {"network_id": network_id(busy), "mac_address": MAC}}
    answers = at_once(busy, 8, lambda client, _: client.post(f"{V2}/ports", json=body))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {answer.json()["NeutronError"]["type"] for answer in answers if answer.status_code == 409} == {
        "MacAddressInUse"
    }
    assert len(busy.http.get(f"{V2}/ports?mac_address={MAC}").json()["ports"]) == 1


def test_of_ports_that_become_of_one_mac_at_once_one_does(busy):
    where = {"port": {"network_id": network_id(busy)}}
    ids = [busy.http.post(f"{V2}/ports", json=where).json()["port"]["id"] for _ in range(6)]
    change = {"port": {"mac_address": MAC}}
    answers = at_once(busy, 6, lambda client, number: client.put(f"{V2}/ports/{ids[number]}", json=change))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert len(busy.http.get(f"{V2}/ports?mac_address={MAC}").json()["ports"]) == 1


def test_of_whole_pf_and_vf_of_it_that_are_asked_for_at_once_one_is_given(busy):
    wish = {"flavorRef": busy.flavor(), "imageRef": busy.image()}
    nics = [
        {"uuid": network_id(busy), "vnic_type": "direct"},
        {"uuid": network_id(busy), "vnic_type": "direct-physical", "trusted": True},
    ]
    trust_all(busy)
    bodies = [{"server": {"name": f"s{n}", "networks": [nics[n % 2]], **wish}} for n in range(4)]
    answers = at_once(
        busy, 4, lambda client, n: client.post(f"{COMPUTE}/servers", json=bodies[n], headers=NEWEST)
    )
    assert {answer.status_code for answer in answers} == {202}
    busy.settle()
    held = busy.engine.look(lambda tx: tx.allocations.find())
    kinds = {busy.engine.look(lambda tx, key=a.device_id: tx.devices.fetch(key)).kind for a in held}
    assert len(kinds) == 1, held
    assert len(held) == (1 if kinds == {DeviceKind.PF} else 2)


def test_a_change_that_the_nics_driver_lacks_is_refused_with_the_port(small):
    small.make("wish", "port_profile", kind="ethernet")
    assert booted(small, "web", vnic_type="direct", port_profile="@wish")["status"] == "ACTIVE"
    for settings, _ in NICS_LACK.values():
        refused = small.ask("PUT", "port-profiles/@wish", {"port_profile": settings})
        assert refused.status_code == 409
        assert port_of(small, "web")["id"] in refused.text
    small.stand.settle()
    assert port_of(small, "web")["status"] == "ACTIVE"


def test_a_change_that_the_nics_driver_refuses_is_its_ports_failure_until_it_is_taken_back(small):
    small.make("wish", "port_profile", kind="ethernet")
    assert booted(small, "web", vnic_type="direct", port_profile="@wish")["status"] == "ACTIVE"
    path = "port-profiles/@wish"
    assert small.ask("PUT", path, {"port_profile": {"max_rate_mbps": 2000}}).status_code == 200
    small.stand.settle()
    server = small.stand.server(small.ids["web"])
    assert (server["status"], port_of(small, "web")["status"]) == ("ACTIVE", "ERROR")
    told = small.stand.http.get("/v1/events").json()["events"]
    failed = [each["message"] for each in told if each["is_failure"]]
    assert failed
    assert all("EINVAL" in said and "Setting max_rate" in said for said in failed), failed
    assert small.ask("PUT", path, {"port_profile": {"max_rate_mbps": None}}).status_code == 200
    small.stand.settle()
    assert port_of(small, "web")["status"] == "ACTIVE"
    assert len(small.stand.hosts["host1"].hypervisor.starts) == 1
