"""No request gets an answer of 500, and a refused one changes nothing."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import DIALECTS
from tests.integration.site import Site, open_site

N = "/network/v2.0"
PATCH = {"content-type": "application/openstack-images-v2.1-json-patch"}
IDS = ["network", "subnet", "port", "policy", "rule", "image"]

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "\0",
            "x" * 300,
            "10.0.0.0/24",
            "10.0.0.2",
            "fd00::1",
            "fe80::1%eth0",
            "0.0.0.0/0",
            "999999999999999999999999",
            "fa:16:3e:00:00:01",
            "direct",
            "macvtap",
            "vlan",
            "true",
            "null",
            "egress",
            "qcow2",
            "/name",
            "replace",
            "../../etc/passwd",
        ]
    ),
)
NUMBERS = st.one_of(
    st.integers(-2, 5000), st.sampled_from([2**31, 2**63, 2**64, 10**40, -(2**63) - 1, 0.5, 1e308])
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)

ATTRIBUTES = {
    "networks": [
        "name",
        "admin_state_up",
        "shared",
        "mtu",
        "provider:network_type",
        "provider:physical_network",
        "provider:segmentation_id",
        "qos_policy_id",
        "port_security_enabled",
        "router:external",
        "project_id",
        "tenant_id",
        "id",
    ],
    "subnets": [
        "network_id",
        "cidr",
        "ip_version",
        "gateway_ip",
        "allocation_pools",
        "dns_nameservers",
        "host_routes",
        "enable_dhcp",
        "ipv6_address_mode",
        "ipv6_ra_mode",
    ],
    "ports": [
        "network_id",
        "mac_address",
        "fixed_ips",
        "binding:vnic_type",
        "binding:profile",
        "binding:host_id",
        "device_id",
        "device_owner",
        "qos_policy_id",
        "trusted",
        "numa_affinity_policy",
        "tags",
        "security_groups",
    ],
    "qos/policies": ["name", "description", "shared", "is_default", "project_id"],
    "rules": ["max_kbps", "min_kbps", "max_burst_kbps", "direction"],
    "images": [
        "name",
        "id",
        "owner",
        "disk_format",
        "container_format",
        "min_disk",
        "min_ram",
        "visibility",
        "tags",
        "protected",
        "colour",
    ],
}
INNER = [
    "start",
    "end",
    "destination",
    "nexthop",
    "subnet_id",
    "ip_address",
    "trusted",
    "vlan_priority",
    "op",
    "path",
    "value",
    "",
]


def values() -> st.SearchStrategy[object]:
    return st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(INNER), inner, max_size=3)
        ),
        max_leaves=6,
    )


def bodies(noun: str, singular: str, plural: str) -> st.SearchStrategy[object]:
    known = st.sampled_from(ATTRIBUTES[noun])
    item = st.dictionaries(
        st.one_of(known, known, known, TEXTS), st.one_of(values(), st.sampled_from(IDS)), max_size=6
    )
    return st.one_of(
        item.map(lambda found: {singular: found}),
        item.map(lambda found: {singular: found}),
        st.lists(st.one_of(item, values()), max_size=3).map(lambda found: {plural: found}),
        values(),
    )


@pytest.fixture(scope="module", params=DIALECTS)
def made(request, tmp_path_factory) -> Iterator[tuple[Site, dict[str, str]]]:
    """A site with one thing of each kind, and their ids."""
    with ExitStack() as stack:
        url = "sqlite://"
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgres_cluster").fresh_database())
        site = stack.enter_context(open_site(url, tmp_path_factory.mktemp("hostile")))
        policy = site.post(f"{N}/qos/policies", {"policy": {"name": "p"}})["policy"]["id"]
        rule = {"bandwidth_limit_rule": {"max_kbps": 1000}}
        rule = site.post(f"{N}/qos/policies/{policy}/bandwidth_limit_rules", rule)["bandwidth_limit_rule"]
        body = {"provider:physical_network": "physnet1"}
        network = site.post(f"{N}/networks", {"network": body})["network"]["id"]
        body = {"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24"}
        subnet = site.post(f"{N}/subnets", {"subnet": body})["subnet"]["id"]
        port = site.post(f"{N}/ports", {"port": {"network_id": network}})["port"]["id"]
        image = site.post("/image/v2/images", {"disk_format": "raw", "container_format": "bare"})["id"]
        ids = (network, subnet, port, policy, rule["id"], image)
        yield site, dict(zip(IDS, ids, strict=True))


def everything(site: Site) -> list[object]:
    lists = [f"{N}/{noun}" for noun in ("networks", "subnets", "ports", "qos/policies")]
    return [site.get(path) for path in [*lists, "/image/v2/images"]]


def named(found: object, ids: dict[str, str]) -> object:
    """The body with the words of IDS made into real ids."""
    match found:
        case str():
            return ids.get(found, found)
        case list():
            return [named(item, ids) for item in found]
        case dict():
            return {key: named(value, ids) for key, value in found.items()}
        case _:
            return found


def sent(site: Site, method: str, path: str, body: object, **headers: str) -> None:
    before = everything(site)
    answer = site.request(
        method,
        path,
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json", **headers},
    )
    assert answer.status_code < 500, (method, path, body, answer.text)
    if answer.status_code >= 400:
        assert everything(site) == before, (method, path, body, answer.text)


def hostile(test):
    """Many short examples: the site's answers are the oracle, its growth does no harm."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=40, deadline=None, suppress_health_check=checks)(test)


@hostile
@given(body=bodies("networks", "network", "networks"), put=st.booleans())
def test_networks(made, body, put):
    site, ids = made
    path = f"{N}/networks/{ids['network']}" if put else f"{N}/networks"
    sent(site, "PUT" if put else "POST", path, named(body, ids))


@hostile
@given(body=bodies("subnets", "subnet", "subnets"), put=st.booleans())
def test_subnets(made, body, put):
    site, ids = made
    path = f"{N}/subnets/{ids['subnet']}" if put else f"{N}/subnets"
    sent(site, "PUT" if put else "POST", path, named(body, ids))


@hostile
@given(body=bodies("ports", "port", "ports"), put=st.booleans())
def test_ports(made, body, put):
    site, ids = made
    path = f"{N}/ports/{ids['port']}" if put else f"{N}/ports"
    sent(site, "PUT" if put else "POST", path, named(body, ids))


@hostile
@given(body=bodies("qos/policies", "policy", "policies"), put=st.booleans())
def test_policies(made, body, put):
    site, ids = made
    path = f"{N}/qos/policies/{ids['policy']}" if put else f"{N}/qos/policies"
    sent(site, "PUT" if put else "POST", path, named(body, ids))


@hostile
@given(body=bodies("rules", "bandwidth_limit_rule", "bandwidth_limit_rules"), put=st.booleans())
def test_rules(made, body, put):
    site, ids = made
    path = f"{N}/qos/policies/{ids['policy']}/bandwidth_limit_rules"
    path = f"{path}/{ids['rule']}" if put else path
    sent(site, "PUT" if put else "POST", path, named(body, ids))


@hostile
@given(
    body=st.one_of(
        bodies("images", "image", "images"),
        st.dictionaries(st.sampled_from(ATTRIBUTES["images"]), values(), max_size=5),
    ),
    patch=st.booleans(),
)
def test_images(made, body, patch):
    site, ids = made
    if patch:
        sent(site, "PATCH", f"/image/v2/images/{ids['image']}", [body], **PATCH)
    sent(site, "POST", "/image/v2/images", named(body, ids))


@hostile
@given(
    query=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "limit",
                    "marker",
                    "sort_key",
                    "sort_dir",
                    "fields",
                    "name",
                    "fixed_ips",
                    "tags",
                    "not-tags",
                    "page_reverse",
                    "device_id",
                    "status",
                    "x",
                ]
            ),
            TEXTS,
        ),
        max_size=4,
    )
)
def test_queries(made, query):
    site, _ = made
    for path in (f"{N}/ports", f"{N}/networks", "/image/v2/images", f"{N}/agents"):
        assert site.request("GET", path, params=query).status_code < 500, query


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'"\\ud800"',
        b'{"network": {"name": "\\ud800"}}',
        b'{"network": {"name": "\\u0000"}}',
        b'{"network": {"mtu": 1e999}}',
        b'{"network": {"mtu": NaN}}',
        b'{"network": {"mtu": ' + b"9" * 5000 + b"}}",
        b"[" * 100_000,
        b'{"network":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"network": {}, "network": 5}',
    ],
    ids=lambda content: content[:24].decode("latin-1"),
)
@pytest.mark.parametrize(
    "path", [f"{N}/networks", f"{N}/ports", "/image/v2/images", "/identity/v3/auth/tokens"]
)
def test_bytes_that_are_no_body(made, path, content):
    site, _ = made
    before = everything(site)
    kind = {"content-type": "application/json"}
    assert 400 <= site.request("POST", path, content=content, headers=kind).status_code < 500
    assert everything(site) == before


def test_paths_that_are_none(made):
    site, _ = made
    for path in (
        "/",
        "//",
        "/network//",
        "/network/v2.0/ports/%00",
        "/network/v2.0/ports/%ff",
        "/nowhere",
        "/network/v2.0/networks/x/tags/%00",
    ):
        assert site.request("GET", path).status_code in (200, 400, 404), path
    assert site.request("GET", f"{N}/ports?name=%00").status_code == 400
    assert site.request("GET", f"{N}/ports?name=%ff&%ff=1").status_code == 400
    assert site.request("GET", f"{N}/ports?" + "a=1&" * 2000).status_code == 400


def test_a_body_over_the_limit_is_refused(made):
    site, _ = made
    answer = site.request("POST", f"{N}/networks", content=b"x" * (3 << 20))
    assert answer.status_code == 413


def test_the_bulk_has_a_limit(made, tmp_path: Path):
    site, ids = made
    sent(site, "POST", f"{N}/ports", {"ports": [{"network_id": ids["network"]}] * 1001})
