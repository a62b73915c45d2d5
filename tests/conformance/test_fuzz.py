"""Whatever is sent to whichever route, the answer is no fault of ours, and a refusal changes nothing.

Requests are made of those of the conversations: a route, ids that are there, another's, or nowhere, and a body that
would do with something else in one place. FAIRLEAD_FUZZ says how many a run tries of each API.
"""

import json
import os
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api_stand import stand
from tests.conformance.answers import all_routes, check_shape, error_shape
from tests.conformance.conversation import filled, json_of
from tests.conformance.test_conversations import exchanges
from tests.conformance.world import world_in
from tests.people import builtin

EXAMPLES = int(os.environ.get("FAIRLEAD_FUZZ", "150"))
WHO = ("operator", "member", "reader", "stranger", "anonymous")
ODD_TEXTS = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "\n",
        "\u202e",
        "x" * 300,
        "0",
        "-1",
        "9" * 40,
        "٣",
        "1e9",
        "None",
        "true",
        "*",
        "(",
        "(a+)+$",
        "../../etc/passwd",
        "10.0.0.0/24",
        "10.0.0.2",
        "fd00::1",
        "fe80::1%eth0",
        "0.0.0.0/0",
        "fa:16:3e:00:00:01",
        "2026-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "in:a,b",
        "nova:host1",
        "egress",
        "direct",
        "qcow2",
        "/name",
        "replace",
    ]
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5000),
    st.sampled_from([2**31, 2**63, 2**64, 10**40, -(2**63) - 1, 0.5, 1e308]),
    ODD_TEXTS,
    st.just("x" * 70_000),
    st.text(max_size=8),
    st.sampled_from(
        ["<net>", "<sub>", "<port>", "<bound>", "<pol>", "<image>", "<server>", "<theirs>", "<host1_id>"]
    ),
)
JSON = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
IDS = (
    "net",
    "foreign_net",
    "sub",
    "port",
    "bound",
    "pol",
    "limit",
    "minimum",
    "share",
    "host1_id",
    "image",
    "liar",
)
IDS += ("profile", "group", "server", "waiting", "ours", "theirs", "member_id", "stranger_id", "elsewhere")
PLAIN = (
    "f1",
    "f7",
    "first",
    "1",
    "host1",
    "gpu",
    "east",
    "default",
    "host",
    "enable",
    "qos",
    "a",
    "fixed_ips",
)
PARAMETERS = (
    *("limit", "marker", "sort_key", "sort_dir", "sort", "page_reverse", "fields", "offset"),
    *("name", "id", "status", "tags", "not-tags", "tag", "fixed_ips", "device_id", "binding:host_id"),
    *("ip", "ip_version", "host", "binary", "kind", "physical_network", "server", "subject", "after"),
    *("project_id", "tenant_id", "user_id", "user.id", "role.id", "all_tenants", "all_projects"),
    *("is_public", "minRam", "visibility", "size_min", "member_status", "include_names", "changes-since"),
    *("hypervisor_hostname_pattern", "with_servers", "availability_zone", "locked", "colour"),
)
CONTENT_TYPES = (
    "application/json",
    "text/plain",
    "",
    "application/octet-stream",
    "application/json; charset=latin-1",
)


@dataclass(frozen=True)
class Seed:
    """A request of a conversation: its route, and a body that it had; None: it had none."""

    route: str
    body: str | None


def seeds(prefix):
    """Of every route, each body that a conversation sends it."""
    found = {
        Seed(route, exchange.body)
        for exchange, route in exchanges()
        if route and route.partition(" ")[2].startswith(prefix)
    }
    told = {seed.route for seed in found}
    found |= {
        Seed(route, None)
        for route in all_routes()
        if route.partition(" ")[2].startswith(prefix) and route not in told
    }
    return sorted(found, key=lambda seed: (seed.route, seed.body or ""))


def places(document, here=()):
    yield here
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*here, key))
    if isinstance(document, list):
        for at, value in enumerate(document):
            yield from places(value, (*here, at))


def replaced(document, path, value):
    if not path:
        return value
    head, *rest = path
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[head] = replaced(document[head], rest, value)
    return copy


@st.composite
def contents(draw, body):
    """The body, or one with something else in some place, or bytes that are none."""
    kind = draw(st.sampled_from(["as it is", "other", "other", "other", "more", "less", "bytes"]))
    if kind == "bytes" or (body is not None and not body.startswith(("{", "["))):
        return draw(st.binary(max_size=20))
    if body is None:
        return b"" if kind == "as it is" else json.dumps(draw(JSON)).encode()
    found = json_of(body)
    place = draw(st.sampled_from(list(places(found))))
    if kind == "other":
        found = replaced(found, place, draw(JSON))
    inner = found
    for step in place[:-1] if kind in ("more", "less") else ():
        inner = inner[step]
    if kind == "more" and isinstance(inner, dict):
        inner[draw(st.text(max_size=5) | st.sampled_from(["id", "project_id", "status", "name", "tags"]))] = (
            draw(JSON)
        )
    if kind == "less" and place and isinstance(inner, dict):
        del inner[place[-1]]
    return json.dumps(found).encode()


@st.composite
def requests(draw, of):
    """A seed with ids, parameters and headers."""
    seed = draw(st.sampled_from(of))
    method, _, path = seed.route.partition(" ")
    ids = st.one_of(
        st.sampled_from(IDS).map(lambda name: f"<{name}>"),
        st.sampled_from(PLAIN),
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="/?#%"), min_size=1, max_size=10
        ).map(lambda text: quote(text, safe="")),
    )
    while "{}" in path:
        path = path.replace("{}", draw(ids), 1)
    query = draw(st.lists(st.tuples(st.sampled_from(PARAMETERS), ODD_TEXTS), max_size=2))
    headers = {"content-type": draw(st.sampled_from(CONTENT_TYPES[:1] * 8 + CONTENT_TYPES))}
    headers["openstack-api-version"] = (
        f"compute {draw(st.sampled_from(['2.1', '2.47', '2.96', 'latest', '9.9', 'x']))}"
    )
    if draw(st.integers(0, 9)) == 0:
        headers["if-match"] = draw(st.sampled_from(["revision_number=0", "revision_number=9" * 9, "x"]))
    return draw(st.sampled_from(WHO)), method, path, query, headers, draw(contents(seed.body))


def check(answer, request):
    assert answer.status_code < 500, f"{request}: {answer.text}"
    assert answer.headers["x-openstack-request-id"].startswith("req-"), request
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        of_login = answer.status_code == 401 and not request[2].startswith("/v1/agents/")
        path = "/identity" if of_login else request[2]
        check_shape(error_shape(path), answer.json())


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("prefix", ["/network", "/compute", "/image", "/identity", "/v1"])
def test_no_request_makes_a_fault_and_no_refusal_a_change(prefix, database, request, tmp_path):
    if database == "sqlite":
        with stand(f"sqlite:///{tmp_path / 'fairlead.sqlite'}", tmp_path, builtin) as opened:
            fuzz(world_in(opened), prefix)
        return
    with (
        request.getfixturevalue("postgres_cluster").fresh_database() as url,
        stand(url, tmp_path, builtin) as opened,
    ):
        fuzz(world_in(opened), prefix)


def fuzz(world, prefix):
    """The world goes on changing, so an example is not tried twice."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(requests(seeds(prefix)))
    def tried(request):
        who, method, path, query, headers, content = request
        names = {**world.names, "elsewhere": "8a7e8b36-1111-4222-8333-444455556666"}
        body = filled(content.decode("latin-1"), names).encode("latin-1", "replace")
        before = world.state()
        answer = world.people.clients[who].request(
            method, filled(path, names), params=query, headers=headers, content=body
        )
        check(answer, request)
        if answer.status_code >= 400:
            after = world.state()
            assert after == before, f"{request}: {answer.status_code} {answer.text} changed " + ", ".join(
                name for name in after if after[name] != before[name]
            )

    tried()
