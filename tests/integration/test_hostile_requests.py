"""Bytes that are no body, paths that are none: no answer of 500, and a refused one changes nothing (more of that in
tests/conformance/test_fuzz.py).
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import DIALECTS
from tests.integration.site import Site, open_site

N = "/network/v2.0"
IDS = ["network", "subnet", "port", "policy", "rule", "image"]


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
