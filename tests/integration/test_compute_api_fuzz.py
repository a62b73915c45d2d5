"""Whatever is sent to /compute and /v1, the answer is no fault of ours: below 500, and an error in its dialect."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api_stand import COMPUTE, stand

EXAMPLES = 120
ODD = st.sampled_from(
    [
        None,
        "",
        " ",
        "\x00",
        "\ud800",
        "x" * 300,
        "\u202e",
        0,
        -1,
        2**31,
        2**63,
        10**30,
        1e308,
        True,
        [],
        {},
        [[]],
        "none",
    ]
)
JSON = st.recursive(
    ODD | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
SERVER = {
    "name": "web",
    "flavorRef": "FLAVOR",
    "imageRef": "IMAGE",
    "networks": [
        {"uuid": "NETWORK", "fixed_ip": "10.0.0.9", "vnic_type": "direct", "max_mbps": 5, "tag": "t"}
    ],
    "metadata": {"a": "b"},
    "tags": ["x"],
    "user_data": "aGk=",
    "availability_zone": "nova:host1",
    "min_count": 1,
    "block_device_mapping_v2": [
        {"uuid": "IMAGE", "source_type": "image", "destination_type": "local", "boot_index": 0}
    ],
}
POLICY = {
    "name": "east",
    "match": {"name": ["ens*"], "host_labels": {"rack": "a"}},
    "exclude": [{"mac": ["52:*"]}],
    "num_vfs": 8,
    "tags": ["t"],
    "mtu": 9000,
    "egress_mbps": 100,
    "priority": 3,
}
FLAVOR = {"name": "f", "ram": 512, "vcpus": 1, "disk": 0, "id": "f1", "rxtx_factor": 1.0, "description": "d"}
REQUESTS = [
    ("POST", f"{COMPUTE}/servers", {"server": SERVER}),
    ("PUT", f"{COMPUTE}/servers/SERVER", {"server": {"name": "n", "hostname": "h", "description": "d"}}),
    ("POST", f"{COMPUTE}/servers/SERVER/action", {"reboot": {"type": "HARD"}}),
    ("POST", f"{COMPUTE}/servers/SERVER/action", {"os-stop": None}),
    ("POST", f"{COMPUTE}/servers/SERVER/metadata", {"metadata": {"a": "b"}}),
    ("PUT", f"{COMPUTE}/servers/SERVER/metadata/a", {"meta": {"a": "b"}}),
    ("PUT", f"{COMPUTE}/servers/SERVER/tags", {"tags": ["a", "b"]}),
    ("POST", f"{COMPUTE}/flavors", {"flavor": FLAVOR}),
    ("PUT", f"{COMPUTE}/flavors/FLAVOR", {"flavor": {"description": "d"}}),
    (
        "POST",
        f"{COMPUTE}/flavors/FLAVOR/os-extra_specs",
        {"extra_specs": {"hw:numa_nodes": "2", "own:key": "v"}},
    ),
    (
        "PUT",
        f"{COMPUTE}/os-services/HOST",
        {"status": "disabled", "disabled_reason": "r", "forced_down": False},
    ),
    ("POST", "/v1/hosts", {"name": "h9", "labels": {"rack": "a"}}),
    ("PATCH", "/v1/hosts/host1", {"labels": {"rack": "a"}, "admin": "disabled", "admin_reason": "r"}),
    ("POST", "/v1/policies", {"policy": POLICY}),
    ("POST", "/v1/policies/try", {"policy": POLICY}),
    ("PATCH", "/v1/policies/first", {"policy": POLICY}),
    (
        "POST",
        "/v1/aliases",
        {"alias": {"name": "a1", "kind": "vf", "vendor": ["8086"], "numa_policy": "required"}},
    ),
    ("PATCH", "/v1/aliases/first", {"alias": {"kind": "pf", "tags": ["t"], "physical_network": None}}),
    ("POST", "/v1/explain", {"server": SERVER}),
    ("POST", "/v1/agents/enrol", {"token": "a.b", "hostname": "h", "agent_version": "1"}),
    ("PUT", "/v1/agents/HOST/report", {"host_id": "HOST", "generation": 1, "serial": 1, "observed": {}}),
]
LISTS = {
    f"{COMPUTE}/servers/detail": (
        "limit",
        "marker",
        "name",
        "status",
        "changes-since",
        "sort_key",
        "sort_dir",
        "ip",
        "tags",
    ),
    f"{COMPUTE}/flavors/detail": ("limit", "marker", "minRam", "is_public", "sort_key", "sort_dir"),
    f"{COMPUTE}/os-hypervisors": ("limit", "marker", "with_servers", "hypervisor_hostname_pattern"),
    f"{COMPUTE}/servers/SERVER/os-instance-actions": ("limit", "marker"),
    "/v1/devices": ("host", "kind", "status", "physical_network", "server"),
    "/v1/events": ("server", "subject", "after", "limit"),
}
NOTHING_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fairlead(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("fuzz")
    if request.param == "sqlite":
        with stand(f"sqlite:///{directory / 'fairlead.sqlite'}", directory) as made:
            yield made
        return
    with request.getfixturevalue("postgres_cluster").fresh_database() as url, stand(url, directory) as made:
        yield made


@pytest.fixture(scope="module")
def names(fairlead):
    """What the words in capitals stand for."""
    fairlead.add_host(1)
    fairlead.policy("first", "ens1f*", "physnet1")
    fairlead.http.post("/v1/aliases", json={"alias": {"name": "first"}}).raise_for_status()
    return {
        "SERVER": fairlead.boot("first", "none"),
        "NETWORK": fairlead.network("blue", "physnet1", 100),
        "FLAVOR": fairlead.flavor(),
        "IMAGE": fairlead.image(),
        "HOST": fairlead.http.get("/v1/hosts/host1").json()["host"]["id"],
    }


def named(text, names):
    for word, value in names.items():
        text = text.replace(word, value)
    return text


def paths(document, here=()):
    yield here
    if isinstance(document, dict):
        for key, value in document.items():
            yield from paths(value, (*here, key))
    if isinstance(document, list):
        for at, value in enumerate(document):
            yield from paths(value, (*here, at))


def replaced(document, path, value):
    if not path:
        return value
    head, *rest = path
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[head] = replaced(document[head], rest, value)
    return copy


@st.composite
def mutants(draw):
    """A request that would do, with something else in one place."""
    method, path, body = draw(st.sampled_from(REQUESTS))
    place = draw(st.sampled_from(list(paths(body))))
    value = draw(JSON)
    if draw(st.booleans()) and isinstance(body, dict):
        return method, path, {**body, draw(st.text(max_size=5)): value}
    return method, path, replaced(body, place, value)


def check(answer):
    assert answer.status_code < 500, (
        f"{answer.request.method} {answer.request.url} {answer.request.content}: {answer.text}"
    )
    assert answer.headers["x-openstack-request-id"]
    if answer.status_code >= 400:
        [error] = answer.json().values()
        assert error["message"]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=NOTHING_SLOW)
@given(mutants(), st.sampled_from(["2.1", "2.47", "2.96", "latest", "9.9", "x"]))
def test_no_body_makes_a_fault(fairlead, names, mutant, version):
    method, path, body = mutant
    content = named(json.dumps(body), names)
    headers = {"openstack-api-version": f"compute {version}", "content-type": "application/json"}
    check(fairlead.http.request(method, named(path, names), content=content, headers=headers))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=NOTHING_SLOW)
@given(st.sampled_from(sorted(LISTS)), st.data())
def test_no_query_makes_a_fault(fairlead, names, path, data):
    words = st.sampled_from(
        ["", "1", "-1", "x", "\x00", "9" * 30, "(", ".*", "2026-01-01T00:00:00Z", "a,b", "None", "٣"]
    )
    query = data.draw(
        st.lists(st.tuples(st.sampled_from(LISTS[path]), words | st.text(max_size=6)), max_size=3)
    )
    check(fairlead.http.get(named(path, names), params=query))


@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=NOTHING_SLOW)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.sampled_from(
        sorted(
            {
                path.replace("SERVER", "{}").replace("FLAVOR", "{}").replace("HOST", "{}")
                for _, path, _ in REQUESTS
            }
        )
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/?#"), min_size=1, max_size=10),
    st.binary(max_size=20),
)
def test_no_path_makes_a_fault(fairlead, names, method, path, word, content):
    path, kind = path.replace("{}", quote(word, safe="")), {"content-type": "application/json"}
    check(fairlead.http.request(method, path, content=content, headers=kind))
