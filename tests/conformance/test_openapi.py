"""The OpenAPI document of /v1 is sound, is what is checked in, and would not let a wrong answer pass.

That the program answers as it says is held wherever a test starts one: see tests/openapi_watch.py.
"""

import json
from dataclasses import replace

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dev.native_api import made
from fairlead.api.native.routes import face, openapi
from fairlead.model.error_codes import MEANINGS
from tests.openapi_watch import Exchange, document, endpoint_of, faults

GOOD = Exchange(
    "GET",
    "/audit",
    "",
    status=200,
    headers={"x-openstack-request-id": "req-1", "content-type": "application/json"},
    told=b'{"violations": []}',
)


def endpoints():
    return [one for methods in json.loads(openapi())["paths"].values() for one in methods.values()]


def test_the_document_is_sound():
    assert [error.message for error in OpenAPIV31SpecValidator(json.loads(openapi())).iter_errors()] == []


def test_what_is_made_of_it_is_checked_in():
    stale = [path.name for path, text in made().items() if path.read_bytes() != text]
    assert not stale, "run: make openapi"


def test_every_route_is_in_it_once():
    assert len(endpoints()) == len(face().table.routes)
    assert all(endpoint_of(route.method, route.path) for route in face().table.routes)


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda one: one["operationId"])
def test_an_endpoint_says_what_it_does_in_a_line(endpoint):
    assert 0 < len(endpoint["summary"]) < 100
    assert all(one["description"] for one in endpoint.get("parameters", ()))


def test_every_code_of_a_refusal_is_a_known_one():
    told = document()["components"]["schemas"]["ErrorCode"]["enum"]
    assert set(told) <= set(MEANINGS)


def test_names_are_those_of_types_alone():
    assert all(name.isalnum() for name in document()["components"]["schemas"])


def test_an_answer_that_is_as_it_should_be_has_no_fault():
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    "change",
    [
        {"told": b'{"violations": [], "more": 1}'},
        {"told": b'{"violations": [{"invariant": "x", "subject": "s", "message": 1}]}'},
        {"told": b"{}"},
        {"headers": {"content-type": "application/json"}},
        {"headers": {**GOOD.headers, "content-type": "text/plain"}},
        {"status": 418},
        {"status": 204},
        {"query": "colour=red"},
        {"status": 403, "told": b'{"error": {"code": "in_use", "message": "", "field": null, "hint": null}}'},
        {"path": "/nothing", "status": 404, "told": b'{"error": {"code": "not_found"}}'},
    ],
)
def test_an_answer_that_is_not_has_one(change):
    assert faults(replace(GOOD, **change))
