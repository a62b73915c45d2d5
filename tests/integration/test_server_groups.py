"""Server groups, aggregates and zones place servers; no race breaks a rule, and a "no" says which one it was."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.control.scheduling import Scheduler
from tests.api_stand import COMPUTE, NEWEST, stand


@pytest.fixture
def fleet(database_url, tmp_path):
    """Three hosts."""
    with stand(database_url, tmp_path) as made:
        for number in (1, 2, 3):
            made.add_host(number)
        yield made


def group(fleet, policy, **rules):
    body = {"name": "web", "policy": policy, **({"rules": rules} if rules else {})}
    answer = fleet.http.post(f"{COMPUTE}/os-server-groups", json={"server_group": body}, headers=NEWEST)
    return answer.raise_for_status().json()["server_group"]["id"]


def boot(fleet, name, group_id=None, **more):
    body = {"name": name, "flavorRef": fleet.flavor(), "imageRef": fleet.image(), "networks": "none", **more}
    hints = {"os:scheduler_hints": {"group": group_id}} if group_id else {}
    answer = fleet.http.post(f"{COMPUTE}/servers", json={"server": body, **hints}, headers=NEWEST)
    assert answer.status_code == 202, answer.text
    return answer.json()["server"]["id"]


def hosts_of(fleet, *server_ids):
    return [fleet.server(server_id)["OS-EXT-SRV-ATTR:host"] for server_id in server_ids]


def aggregate(fleet, name, *hosts, zone=None, **metadata):
    body = {"aggregate": {"name": name, "availability_zone": zone}}
    path = f"{COMPUTE}/os-aggregates"
    number = fleet.http.post(path, json=body, headers=NEWEST).raise_for_status().json()["aggregate"]["id"]
    for host in hosts:
        fleet.http.post(f"{path}/{number}/action", json={"add_host": {"host": host}}).raise_for_status()
    if metadata:
        body = {"set_metadata": {"metadata": metadata}}
        fleet.http.post(f"{path}/{number}/action", json=body).raise_for_status()
    return f"{path}/{number}"


def test_anti_affinity_keeps_servers_apart_and_says_so(fleet):
    apart = group(fleet, "anti-affinity")
    servers = [boot(fleet, f"web{number}", apart) for number in range(4)]
    fleet.settle()
    assert sorted(hosts_of(fleet, *servers[:3])) == ["host1", "host2", "host3"]
    last = fleet.server(servers[3])
    assert last["status"] == "ERROR"
    assert "server group web" in last["fault"]["message"]
    assert fleet.server(servers[0])["server_groups"] == [apart]
    shown = fleet.http.get(f"{COMPUTE}/os-server-groups/{apart}", headers=NEWEST).json()["server_group"]
    assert sorted(shown["members"]) == sorted(servers)


def test_so_many_of_a_group_may_be_on_one_host(fleet):
    pairs = group(fleet, "anti-affinity", max_server_per_host=2)
    servers = [boot(fleet, f"web{number}", pairs) for number in range(7)]
    fleet.settle()
    placed = hosts_of(fleet, *servers)
    assert sorted(str(host) for host in placed) == sorted(["host1", "host2", "host3"] * 2 + ["None"])


def test_affinity_keeps_servers_together(fleet):
    together = group(fleet, "affinity")
    servers = [boot(fleet, f"db{number}", together) for number in range(3)]
    fleet.settle()
    assert len(set(hosts_of(fleet, *servers))) == 1
    elsewhere = next(host for host in fleet.hosts if host != hosts_of(fleet, servers[0])[0])
    lost = boot(fleet, "lost", together, host=elsewhere)
    fleet.settle()
    assert fleet.server(lost)["status"] == "ERROR"


@pytest.mark.parametrize(("policy", "count"), [("soft-anti-affinity", 3), ("soft-affinity", 1)])
def test_soft_policies_are_wishes(fleet, policy, count):
    wish = group(fleet, policy)
    servers = [boot(fleet, f"web{number}", wish) for number in range(3)]
    fleet.settle()
    assert len(set(hosts_of(fleet, *servers))) == count
    more = boot(fleet, "one-more", wish)
    fleet.settle()
    assert fleet.server(more)["status"] == "ACTIVE"


def test_two_schedulers_at_once_break_no_policy(fleet):
    """Each decides on a snapshot of its own; the claim sees what the other has done."""
    apart = group(fleet, "anti-affinity")
    servers = [boot(fleet, f"web{number}", apart) for number in range(6)]
    schedulers = [Scheduler(fleet.engine) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda scheduler: scheduler.tick(), schedulers))
    fleet.settle()
    placed = [host for host in hosts_of(fleet, *servers) if host]
    assert sorted(placed) == ["host1", "host2", "host3"]


def test_a_group_that_is_not_there_or_not_ours_takes_nobody(fleet):
    body = {"name": "x", "flavorRef": fleet.flavor(), "imageRef": fleet.image(), "networks": "none"}
    for hints in ({"group": "nothing"}, {"group": 5}, {"different_host": ["x"]}):
        answer = fleet.http.post(
            f"{COMPUTE}/servers", json={"server": body, "os:scheduler_hints": hints}, headers=NEWEST
        )
        assert answer.status_code == 400, answer.text
    assert fleet.http.get(f"{COMPUTE}/servers").json()["servers"] == []


def test_members_are_counted_against_their_quota(fleet):
    project = fleet.http.get(f"{COMPUTE}/os-server-groups", params={"all_projects": "1"})
    assert project.status_code == 200
    few = group(fleet, "soft-affinity")
    owner = fleet.http.get(f"{COMPUTE}/os-server-groups/{few}", headers=NEWEST).json()["server_group"]
    quota = {"quota_set": {"server_group_members": 1, "server_groups": 1}}
    fleet.http.put(f"{COMPUTE}/os-quota-sets/{owner['project_id']}", json=quota).raise_for_status()
    boot(fleet, "first", few)
    body = {"name": "x", "flavorRef": fleet.flavor(), "imageRef": fleet.image(), "networks": "none"}
    answer = fleet.http.post(
        f"{COMPUTE}/servers", json={"server": body, "os:scheduler_hints": {"group": few}}, headers=NEWEST
    )
    assert answer.status_code == 403, answer.text
    body = {"server_group": {"name": "more", "policy": "affinity"}}
    assert fleet.http.post(f"{COMPUTE}/os-server-groups", json=body, headers=NEWEST).status_code == 403


def test_a_zone_is_where_its_servers_are(fleet):
    aggregate(fleet, "racks", "host2", zone="east")
    server = boot(fleet, "web", availability_zone="east")
    other = boot(fleet, "db", availability_zone="nova")
    fleet.settle()
    shown = fleet.server(server)
    assert (shown["OS-EXT-SRV-ATTR:host"], shown["OS-EXT-AZ:availability_zone"]) == ("host2", "east")
    assert shown["pinned_availability_zone"] == "east"
    assert fleet.server(other)["OS-EXT-SRV-ATTR:host"] in {"host1", "host3"}
    assert fleet.server(other)["OS-EXT-AZ:availability_zone"] == "nova"
    zones = fleet.http.get(f"{COMPUTE}/os-availability-zone").json()["availabilityZoneInfo"]
    assert [zone["zoneName"] for zone in zones] == ["east", "nova"]
    names = fleet.http.get("/network/v2.0/availability_zones").json()["availability_zones"]
    assert [zone["name"] for zone in names] == ["east", "nova"]


def test_a_zone_is_not_changed_under_a_server(fleet):
    path = aggregate(fleet, "racks", "host2", zone="east")
    boot(fleet, "web", availability_zone="east")
    fleet.settle()
    for action in (
        {"remove_host": {"host": "host2"}},
        {"set_metadata": {"metadata": {"availability_zone": "west"}}},
    ):
        assert fleet.http.post(f"{path}/action", json=action).status_code == 409
    assert fleet.http.put(path, json={"aggregate": {"availability_zone": "west"}}).status_code == 409
    other = aggregate(fleet, "others", zone="west")
    assert fleet.http.post(f"{other}/action", json={"add_host": {"host": "host2"}}).status_code == 409
    assert fleet.http.delete(path).status_code == 400


def test_flavors_and_projects_choose_aggregates(fleet):
    aggregate(fleet, "fast", "host3", ssd="true, nvme")
    aggregate(fleet, "kept", "host1", filter_tenant_id="somebody else")
    flavor = fleet.flavor()
    specs = {"extra_specs": {"aggregate_instance_extra_specs:ssd": "nvme"}}
    fleet.http.post(f"{COMPUTE}/flavors/{flavor}/os-extra_specs", json=specs).raise_for_status()
    fast = boot(fleet, "fast")
    fleet.settle()
    assert hosts_of(fleet, fast) == ["host3"]
    fleet.http.delete(f"{COMPUTE}/flavors/{flavor}/os-extra_specs/aggregate_instance_extra_specs:ssd")
    kept_out = boot(fleet, "kept-out", host="host1")
    fleet.settle()
    assert "kept for other projects" in fleet.server(kept_out)["fault"]["message"]


def test_a_host_that_is_forgotten_is_in_no_aggregate(fleet):
    path = aggregate(fleet, "racks", "host2", zone="east")
    fleet.http.delete("/v1/hosts/host2").raise_for_status()
    assert fleet.http.get(path).json()["aggregate"]["hosts"] == []
    assert fleet.http.delete(path).status_code == 200
