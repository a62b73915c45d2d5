"""Every conversation comes out as it is written, and there is one for whatever is served."""

from pathlib import Path

import pytest

from tests.conformance.answers import all_routes, check_shape, error_shape, route_of, shape_of
from tests.conformance.conversation import Exchange, Join, Settle, check, filled, json_of, read
from tests.conformance.people import OPERATOR
from tests.conformance.records import check_records

FILES = sorted((Path(__file__).parent / "conversations").rglob("*.http"))
UNREACHED = {
    "GET /compute/v2.1/os-hypervisors/{}/uptime": "agents do not tell it",
    "PUT /network/v2.0/ports/{}/bindings/{}/activate": "no server moves to another host while it runs",
    "DELETE /v1/hosts/{}/guests/{}": "needs a guest that control does not know (tests/simulation)",
    "DELETE /v1/devices/{}": "needs a card that was taken out (tests/simulation)",
    "GET /compute/v2.1/servers/{}/diagnostics": "its host answers meanwhile (tests/integration/test_diagnostics.py)",
    "GET /v1/servers/{}/domain": "its host answers meanwhile (tests/integration/test_native_api.py)",
    "GET /v1/vnics/{}": "its host answers meanwhile (tests/integration/test_vnics.py)",
    "GET /v1/servers/{}/console": "its host answers meanwhile (tests/integration/test_native_api.py)",
}
"""Routes without a good case, and why."""
PSEUDO = {"as", "in"}
ROUTES = all_routes()


def headers_of(exchange, names):
    headers = {key: filled(value, names) for key, value in exchange.headers.items() if key not in PSEUDO}
    if "in" in exchange.headers:
        headers["openstack-api-version"] = f"compute {exchange.headers['in']}"
    if exchange.body is not None:
        headers.setdefault("content-type", "application/json")
    return headers


def say(fairlead, people, exchange):
    """Ask, and compare what is answered, and what the audit trail has of it."""
    names = people.names
    who = exchange.headers.get("as", OPERATOR)
    body = None if exchange.body is None else filled(exchange.body, names)
    path = filled(exchange.path, names)
    answer = people.clients[who].request(
        exchange.method, path, content=body, headers=headers_of(exchange, names)
    )
    assert answer.status_code == exchange.status, answer.text
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    for name, value in exchange.expected_headers.items():
        check(value, answer.headers.get(name), names, name)
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    document = answer.json() if answer.content and is_json else answer.text
    check_answer(exchange, path, who, document)
    route = route_of(exchange.method, path)
    check_records(fairlead, answer, route if route in ROUTES else None)
    if exchange.expected is not None:
        check(json_of(exchange.expected) if is_json else exchange.expected, document, names)


def check_answer(exchange, path, who, document):
    """The answer has the shape that is its due, and nothing more."""
    if exchange.method == "HEAD":
        assert document == ""
    elif exchange.status == 401:
        check_shape(error_shape("/identity"), document)
    elif exchange.status >= 400:
        check_shape(error_shape(path), document)
    else:
        route = route_of(exchange.method, path)
        version = exchange.headers.get("in", "2.1").replace("latest", "2.96")
        shape = shape_of(
            route, version, is_operator=who in (OPERATOR, "manager"), has_fields="fields=" in path
        )
        check_shape(shape, document)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_conversation(path, fairlead, people):
    """To its end, so that all that is wrong is told at once."""
    faults = []
    for exchange in read(path):
        if isinstance(exchange, Settle):
            fairlead.settle()
            continue
        if isinstance(exchange, Join):
            name = fairlead.add_host(len(fairlead.hosts) + 1)
            host_id = fairlead.http.get(f"/v1/hosts/{name}").json()["host"]["id"]
            people.names[f"{name}_id"] = host_id
            continue
        try:
            say(fairlead, people, exchange)
        except AssertionError as fault:
            where = f"{path.name}:{exchange.line} {exchange.title}: {exchange.method} {exchange.path}"
            faults.append(f"{where}\n    {fault}")
    assert not faults, "\n".join(faults)


def exchanges():
    """Every exchange of every file with the route that it is about."""
    for path in FILES:
        for exchange in read(path):
            if isinstance(exchange, Exchange):
                yield exchange, route_of(exchange.method, exchange.path)


@pytest.mark.parametrize("kind", ["good", "refused"])
def test_every_route_is_spoken_of(kind):
    is_told = {
        route for exchange, route in exchanges() if (exchange.status < 400) is (kind == "good") and route
    }
    is_free = (
        {name for name, route in all_routes().items() if route.is_open} if kind == "refused" else UNREACHED
    )
    missing = [route for route in all_routes() if route not in is_told and route not in is_free]
    assert not missing, f"no {kind} case of:\n" + "\n".join(missing)
