"""The commands as people type them, each a process of its own, against a real control on loopback."""

import json
import os
import signal
import subprocess
import sys

import pytest

from fairlead.model.ids import ServerId
from tests.api_stand import stand

_LIMIT = 60


@pytest.fixture
def fairlead(tmp_path):
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path) as made:
        yield made


def _started(url, *words):
    command = [sys.executable, "-m", "fairlead", "--url", url, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _typed(url, *words, fails=False):
    """What the command printed: its output, or what it said on standard error when it is to fail."""
    process = _started(url, *words)
    output, said = process.communicate(timeout=_LIMIT)
    assert (process.returncode != 0) is fails, said
    return said if fails else output


def _said(url, *words):
    """What the command said on standard error, though it did what it was asked."""
    process = _started(url, *words)
    _, said = process.communicate(timeout=_LIMIT)
    assert process.returncode == 0, said
    return said


def _line_with(process, text):
    """Reads what the command says until there is a line with that text; the line."""
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"the command ended without saying '{text}'")


def _names(fairlead, path):
    (records,) = (value for value in fairlead.http.get(path).json().values() if isinstance(value, list))
    return {record["name"] for record in records}


def test_what_is_refused_halfway_leaves_nothing(fairlead):
    flavors = _names(fairlead, "/compute/v2.1/flavors")
    said = _typed(fairlead.url, "flavor", "create", "f", "--memory-mib", "64", "--alias", "nope", fails=True)
    assert "'nope' is not the name of an alias" in said
    assert _names(fairlead, "/compute/v2.1/flavors") == flavors

    _typed(fairlead.url, "network", "create", "n", "--vlan", "7", "--subnet", "nope", fails=True)
    fairlead.http.post("/v1/policies", json={"policy": {"name": "p", "physical_network": "physnet1"}})
    words = ("network", "create", "n", "--physical-network", "physnet1", "--vlan", "7", "--subnet", "nope")
    assert "'nope' is not a prefix" in _typed(fairlead.url, *words, fails=True)
    assert _names(fairlead, "/network/v2.0/networks") == set()

    _typed(fairlead.url, "qos", "create", "q", "--max-mbps", "5", "--min-mbps", "20000000", fails=True)
    assert _names(fairlead, "/network/v2.0/qos/policies") == set()


def test_an_image_whose_data_is_refused_is_taken_back(fairlead, tmp_path):
    lying = tmp_path / "lying.img"
    lying.write_bytes(b"no qcow2 at all")
    said = _typed(fairlead.url, "image", "create", "i", "--file", str(lying), "--format", "qcow2", fails=True)
    assert "{" not in said
    assert _names(fairlead, "/image/v2/images") == set()


def test_errors_of_glance_are_said_in_words(fairlead, tmp_path):
    disk = tmp_path / "disk.img"
    disk.write_bytes(b"a disk")
    words = ("image", "create", "i", "--file", str(disk), "--property", "id=3")
    assert _typed(fairlead.url, *words, fails=True) == (
        "Error: Invalid input for id. Reason: '3' is not a UUID.\n"
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("host set host1", "Nothing to set"),
        ("host set host1 --enable --disable", "contradict"),
        ("network create n --flat --vlan 3", "contradict"),
        ("network create n --vlan 4095", "1<=x<=4094"),
        ("policy set p --tag t --no-tags", "contradict"),
        ("server create s --flavor tiny", "Missing option '--image'"),
        ("server create s --flavor tiny --image ./nope.qcow2", "There is no file ./nope.qcow2"),
        ("server create s --flavor tiny --image pyproject.toml", "The file of that name: ./pyproject.toml"),
        ("qos show nope", "`fairlead qos list`"),
        ("server events nope", "There is no server 'nope'"),
        ("--url localhost:9696 host list", "http://127.0.0.1:9696"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(fairlead, typed, said):
    assert said in _typed(fairlead.url, *typed.split(), fails=True)


def test_tables_have_names_and_words(fairlead):
    fairlead.add_host(10)
    fairlead.add_host(9)
    fairlead.policy("east", "ens1f0", "physnet1")
    fairlead.network("blue", "physnet1", 100)
    fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}])
    fairlead.settle()
    _typed(fairlead.url, "qos", "create", "gold", "--max-mbps", "500")

    hosts = _typed(fairlead.url, "host", "list").splitlines()[2:]
    assert [line.split()[0] for line in hosts] == ["host9", "host10"]
    shown = _typed(fairlead.url, "host", "set", "host9", "--disable", "--reason", "new disks")
    assert "CPUs 0-7" in shown
    assert "new disks" in shown
    assert "revision" not in shown
    (port,) = _typed(fairlead.url, "port", "list").splitlines()[2:]
    assert {"blue", "web", "10.0.0.2", "ACTIVE"} <= set(port.split())
    assert "subnet_id" not in port
    assert len(port) <= 120
    assert "max 500 Mbit/s" in _typed(fairlead.url, "qos", "list")
    assert "10.0.0.0/24" in _typed(fairlead.url, "network", "list")
    assert "server web" in _typed(fairlead.url, "device", "list", "--status", "allocated")
    assert "MANAGEMENT" in _typed(fairlead.url, "device", "list", "--status", "management")
    assert "MANAGEMENT" not in _typed(fairlead.url, "device", "list", "--status", "available")
    (record,) = json.loads(_typed(fairlead.url, "--json", "port", "list"))
    assert record["fixed_ips"][0]["subnet_id"]
    for called in (record["mac_address"], record["id"][:8]):
        assert record["id"] in _typed(fairlead.url, "port", "show", called)
    assert "There is no port" in _typed(fairlead.url, "port", "show", record["id"][:7], fails=True)


def test_a_card_that_was_taken_out_is_forgotten(fairlead):
    host = fairlead.add_host(1)
    (pf,) = [device for device in _devices(fairlead) if device["name"] == "ens1f0"]
    refusal = _typed(fairlead.url, "device", "forget", "ens1f0", "--host", host, fails=True)
    assert "is not MISSING" in refusal
    fairlead.hosts[host].machine.pull(pf["key"])
    fairlead.settle()
    _typed(fairlead.url, "device", "forget", "ens1f0", "--host", host)
    assert "ens1f0" not in [device["name"] for device in _devices(fairlead)]
    assert fairlead.http.delete(f"/v1/devices/{pf['id']}").status_code == 404


def test_an_option_of_the_program_behind_the_command_is_told_its_place(fairlead):
    assert "--json goes before the command: fairlead --json ..." in _typed(
        fairlead.url, "server", "list", "--json", fails=True
    )
    assert "No such option '--jso'" in _typed(fairlead.url, "server", "list", "--jso", fails=True)


def test_a_device_that_is_not_there_or_there_often_is_said_to_be(fairlead):
    fairlead.add_host(1)
    fairlead.add_host(2)
    assert "There is no device 'nope'. `fairlead device list`" in _typed(
        fairlead.url, "device", "show", "nope", fails=True
    )
    assert "2 hosts have a device 'ens1f0'. --host says" in _typed(
        fairlead.url, "device", "show", "ens1f0", fails=True
    )


def _devices(fairlead):
    return fairlead.http.get("/v1/devices").json()["devices"]


def test_a_policy_loses_what_it_had(fairlead):
    fairlead.policy("east", "ens1f0", "physnet1", tags=["trusted"])
    shown = _typed(fairlead.url, "policy", "set", "east", "--no-tags", "--no-physical-network")
    assert "trusted" not in shown
    assert "physnet1" not in shown
    assert _typed(fairlead.url, "policy", "try", "west", "--pf", "nope") == "Nothing matches.\n"
    assert _typed(fairlead.url, "audit") == ""


def test_what_is_done_is_said_by_name(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f*", "physnet1")
    words = ("network", "create", "blue", "--physical-network", "physnt1", "--subnet", "10.0.0.0/24")
    assert "physnt1, so no host is on it yet; policies name: physnet1." in _said(fairlead.url, *words)
    assert "10.0.0.0/24" in _typed(fairlead.url, "subnet", "show", "10.0.0.0/24")
    assert _said(fairlead.url, "subnet", "delete", "10.0.0.0/24") == "Subnet 10.0.0.0/24 is gone.\n"
    assert _said(fairlead.url, "network", "delete", "blue") == "Network blue is gone.\n"
    assert _said(fairlead.url, "qos", "create", "gold", "--max-mbps", "500") == ""
    words = ("network", "create", "red", "--physical-network", "physnet1", "--subnet", "10.0.0.0/24")
    assert _said(fairlead.url, *words, "--qos-policy", "gold") == ""
    _typed(fairlead.url, "port", "create", "p1", "--network", "red", "--qos-policy", "gold")
    (p1,) = fairlead.http.get("/network/v2.0/ports").json()["ports"]
    fairlead.boot("web", [{"port": p1["id"]}])
    for words, said in (
        (
            ("network", "delete", "red"),
            "network red. There are one or more ports still in use on the network: ",
        ),
        (("subnet", "delete", "10.0.0.0/24"), "subnet 10.0.0.0/24: One or more ports have an IP allocation "),
        (("qos", "delete", "gold"), "QoS Policy gold is used by network red, "),
        (
            ("server", "create", "db", "--flavor", "tiny", "--image", "cirros", "--nic", "port=p1"),
            "still in use: ",
        ),
    ):
        refused = _typed(fairlead.url, *words, fails=True)
        assert said in refused
        assert "port p1 of server web." in refused
    vlan = json.loads(_typed(fairlead.url, "--json", "network", "show", "red"))["provider:segmentation_id"]
    words = ("network", "create", "red2", "--physical-network", "physnet1", "--vlan", str(vlan))
    assert "is in use by network red." in _typed(fairlead.url, *words, fails=True)
    refused = _typed(fairlead.url, "server", "start", "web", fails=True)
    assert refused == "Error: Cannot 'start' server web while it is BUILD, and no host has it.\n"


def test_a_server_that_fits_nowhere_is_said_to_need_another(fairlead):
    fairlead.add_host(1)
    nowhere = fairlead.network("nowhere", "physnet9", 9)
    fairlead.boot("lost", [{"uuid": nowhere, "vnic_type": "direct"}])
    fairlead.settle()
    refused = _typed(fairlead.url, "server", "start", "lost", fails=True)
    assert (
        "server lost while it is ERROR, and no host has it. Reboot it hard to have it placed once more, or"
        in refused
    )


def test_nics_are_shown_in_the_order_of_the_guest(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f0", "physnet1")
    for number, name in enumerate(("blue", "red", "green")):
        fairlead.network(name, "physnet1", 100 + number, f"10.0.{number}.0/24")
    order = ["green", "blue", "red", "blue"]
    fairlead.boot("web", [{"network": name, "vnic_type": "direct"} for name in order])
    fairlead.settle()
    shown = _typed(fairlead.url, "server", "show", "web").partition("\n\n")[2].splitlines()[2:]
    assert [line.split()[1] for line in shown] == order
    found = json.loads(_typed(fairlead.url, "--json", "server", "show", "web"))
    networks = {n["id"]: n["name"] for n in fairlead.http.get("/network/v2.0/networks").json()["networks"]}
    assert [networks[port["network_id"]] for port in found["ports"]] == order
    with fairlead.answering():
        said = _said(fairlead.url, "server", "console", "web")
    assert said == "The guest of web has written nothing to its console.\n"


def test_a_policy_says_what_it_took_and_what_it_would_be_refused_with(fairlead):
    fairlead.add_host(1)
    words = (
        "policy",
        "create",
        "east",
        "--host",
        "host*",
        "--pf",
        "ens1f*",
        "--physical-network",
        "physnet1",
    )
    assert _said(fairlead.url, *words, "--exclude", "pf=ens1f1", "--vfs", "8") == "east: 1 PF on 1 host.\n"
    shown = _typed(fairlead.url, "policy", "list")
    assert "host=host*, pf=ens1f*" in shown
    assert "not pf=ens1f1" in shown
    assert "1 PF on 1 host" in shown
    taken = _said(
        fairlead.url,
        "policy",
        "create",
        "again",
        "--pf",
        "ens1f0",
        "--physical-network",
        "elsewhere",
        "--priority",
        "1",
    )
    assert (
        "again: 1 device: comes from policy east and goes from physical network physnet1 to elsewhere."
        in taken
    )
    _typed(fairlead.url, "policy", "delete", "again")
    said = _said(fairlead.url, "policy", "create", "none", "--pf", "nope", "--exclude", "name=x,hosts=y")
    assert "It takes none: `fairlead policy try none` says why" in said

    fairlead.settle()
    fairlead.network("blue", "physnet1", 100)
    fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}])
    fairlead.settle()
    tried = _typed(fairlead.url, "policy", "try", "east", "--physical-network", "physnet2")
    refused = _typed(fairlead.url, "policy", "set", "east", "--physical-network", "physnet2", fails=True)
    assert "(web). Delete these servers first: web." in refused
    assert refused.removeprefix("Error: ") in tried


def test_a_wait_shows_only_what_is_new_and_says_when_nothing_comes(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f0", "physnet1")
    fairlead.network("blue", "physnet1", 100)
    fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}])
    fairlead.settle()

    wait = _started(fairlead.url, "server", "delete", "web", "--wait")
    assert "is asked to go" in wait.stderr.readline()
    assert "is to go" in wait.stderr.readline()
    assert "host1 last reported at" in wait.stderr.readline()
    fairlead.settle()
    _, said = wait.communicate(timeout=_LIMIT)
    assert said.endswith("Server web is gone.\n")
    assert "was created" not in said


def test_a_nic_comes_and_goes_while_its_server_runs(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f0", "physnet1")
    fairlead.network("blue", "physnet1", 100)
    fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}])
    fairlead.settle()
    nic = "network=blue,vnic-type=direct,fixed-ip=10.0.0.77,tag=storage"
    coming = _started(fairlead.url, "server", "attach", "web", "--nic", nic, "--wait")
    port_id = _line_with(coming, "is to be attached").split()[1]
    fairlead.settle()
    _, said = coming.communicate(timeout=_LIMIT)
    assert said.endswith(f"Port {port_id} is attached.\n")
    (mac,) = (
        one["mac_address"] for one in fairlead.http.get(f"/network/v2.0/ports?id={port_id}").json()["ports"]
    )
    going = _started(fairlead.url, "server", "detach", "web", mac.upper(), "--wait", "--force")
    assert "by power" in _line_with(going, "asked to reboot")
    fairlead.settle()
    _, said = going.communicate(timeout=_LIMIT)
    assert said.endswith(f"Port {port_id} is detached.\n")


def test_of_two_ports_of_one_name_the_servers_own_is_detached(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f0", "physnet1")
    fairlead.network("blue", "physnet1", 100)
    for name in ("web", "db"):
        port = ("port", "create", "nic", "--network", "blue", "--vnic-type", "direct")
        made = json.loads(_typed(fairlead.url, "--json", *port))
        fairlead.boot(name, [{"port": made["id"]}])
        fairlead.settle()
    going = _started(fairlead.url, "server", "detach", "db", "nic", "--wait")
    _line_with(going, "is to be detached")
    fairlead.settle()
    _, said = going.communicate(timeout=_LIMIT)
    assert said.endswith(f"Port {made['id']} is detached.\n")
    refused = _typed(fairlead.url, "server", "detach", "db", "nic", fails=True)
    assert "No port 'nic' is attached to server db. `fairlead server show db`" in refused
    kept = json.loads(_typed(fairlead.url, "--json", "vnic", "list"))
    assert [vnic["server_name"] for vnic in kept] == ["web"]


def test_who_asks_a_guest_again_for_a_nic_that_it_keeps_is_told_so_again(fairlead):
    fairlead.add_host(1)
    fairlead.policy("east", "ens1f0", "physnet1")
    fairlead.network("blue", "physnet1", 100)
    server_id = fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}])
    fairlead.settle()
    (port,) = fairlead.http.get("/network/v2.0/ports").json()["ports"]
    fairlead.hosts["host1"].machine.troubles.deaf_guests = frozenset({f"fl-{server_id}"})
    _said(fairlead.url, "server", "detach", "web", port["id"])
    fairlead.settle()

    said = _typed(fairlead.url, "server", "detach", "web", port["id"], "--wait", fails=True)
    assert f"Port {port['id']} is not detached yet." in said
    assert "the guest keeps it" in said
    assert "`fairlead server detach --force` reboots the server hard" in said


def test_a_reboot_is_waited_for_until_it_is_over(fairlead):
    fairlead.add_host(1)
    server_id = fairlead.boot("web", [])
    fairlead.settle()
    wait = _started(fairlead.url, "server", "reboot", "web", "--wait")
    _line_with(wait, "is to reboot softly")
    assert fairlead.server(server_id)["status"] == "REBOOT"
    fairlead.settle()
    _, said = wait.communicate(timeout=_LIMIT)
    assert "Server web has rebooted." in said
    assert said.endswith("Server web is ACTIVE.\n")


def test_a_wait_outlives_control_and_can_be_left(tmp_path):
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path) as fairlead:
        fairlead.add_host(1)
        fairlead.policy("east", "ens1f0", "physnet1")
        fairlead.network("blue", "physnet1", 100)
        fairlead.boot("web", [{"network": "blue", "vnic_type": "direct"}])
        fairlead.settle()
        wait = _started(fairlead.url, "server", "stop", "web", "--wait")
        _line_with(wait, "is to stop")
    _line_with(wait, "asking again")
    wait.send_signal(signal.SIGINT)
    _, said = wait.communicate(timeout=_LIMIT)
    assert "The server goes on; `fairlead server show web`" in said


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("host show h", ["host1"]),
        ("server create s --flavor sm", ["small"]),
        ("device list --status AL", ["allocated"]),
        ("server create s --nic vn", ["vnic-type="]),
        (
            "explain --nic network=blue,vnic-type=d",
            ["network=blue,vnic-type=direct", "network=blue,vnic-type=direct-physical"],
        ),
    ],
)
def test_a_shell_is_offered_names(fairlead, typed, offered):
    fairlead.http.post("/v1/hosts", json={"name": "host1"})
    assert _offers(fairlead.url, typed) == offered


def test_a_shell_is_offered_nothing_where_control_is_away():
    assert _offers("http://127.0.0.1:1", "host show h") == []


def _offers(url, typed):
    environment = {
        "FAIRLEAD_URL": url,
        "COMP_WORDS": f"fairlead {typed}",
        "COMP_CWORD": str(len(typed.split())),
        "_FAIRLEAD_COMPLETE": "bash_complete",
    }
    program = "from fairlead.main.entry import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_a_guest_that_control_does_not_know_is_shown_and_removed(fairlead):
    host = fairlead.hosts[fairlead.add_host(1)]
    known = fairlead.boot("web", "none")
    fairlead.settle()
    lost = ServerId("5e7e0000-0000-4000-8000-000000000001")
    host.disks.made[lost] = host.disks.made[known]
    fairlead.settle()
    assert f"fairlead host remove-guest host1 {lost}" in _typed(fairlead.url, "host", "show", "host1")
    said = _typed(fairlead.url, "host", "remove-guest", "host1", known, fails=True)
    assert "Delete the server instead" in said
    assert fairlead.http.delete(f"/v1/hosts/host1/guests/{known}").status_code == 409
    assert fairlead.http.delete("/v1/hosts/host1/guests/nobody").status_code == 404
    _typed(fairlead.url, "host", "remove-guest", "host1", lost)
    fairlead.settle()
    assert host.disks.guests() == (known,)
    assert lost not in _typed(fairlead.url, "host", "show", "host1")
