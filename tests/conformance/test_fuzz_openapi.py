"""Requests made of the OpenAPI document of /v1, as it says and as it forbids: what it forbids is refused, no request
makes a fault, and no refusal a change. The same requests at every run; FAIRLEAD_FUZZ sends so many others.
"""

import json
import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fairlead.api.native.routes import openapi
from tests.api_stand import INSIDE, stand
from tests.conformance.world import world_in
from tests.people import builtin

EXAMPLES = int(os.environ.get("FAIRLEAD_FUZZ", "250"))
CHECKS = [
    not_a_server_error,
    negative_data_rejection,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
PATIENT = ("show_domain", "show_console")
"""What waits for the host's answer where the server is there."""
AT_ONCE = {"wait": "0", "live": "false"}
"""What a query says so that nobody waits."""
API = schemathesis.openapi.from_dict(json.loads(openapi()))


@pytest.fixture
def world(tmp_path):
    with stand(f"sqlite:///{tmp_path / 'fairlead.sqlite'}", tmp_path, builtin) as opened:
        yield world_in(opened)


def there(world):
    """By the name in a path, what is there."""
    names = world.names
    devices = world.stand.http.get("/v1/devices").json()["devices"]
    return {
        "host": ["host1", names["host1_id"]],
        "host_id": [names["host1_id"]],
        "policy": ["east"],
        "alias": ["gpu"],
        "device_id": [device["id"] for device in devices[:3]],
        "server_id": [names["server"], names["waiting"]],
        "image_id": [names["image"]],
    }


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["said", "forbidden"]
)
def test_what_the_document_says_holds(mode, world):
    known = there(world)
    credential = world.stand.links["host1"]._http.headers["authorization"]  # noqa: SLF001 - shown once, to the link

    @settings(
        max_examples=EXAMPLES,
        derandomize="FAIRLEAD_FUZZ" not in os.environ,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(API.as_strategy(generation_mode=mode), st.data())
    def tried(case, data):
        if mode is GenerationMode.POSITIVE:
            find(case, data, known)
        before = world.state()
        answer = case.call(
            base_url=world.stand.url, headers={"x-auth-token": INSIDE, "authorization": credential}
        )
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert world.state() == before

    tried()


def find(case, data, known):
    """Names in the path stand for what is there, more often than not; and nobody waits."""
    for name in AT_ONCE.keys() & (case.query or {}):
        case.query[name] = AT_ONCE[name]
    is_patient = case.operation.definition.raw["operationId"] in PATIENT
    for name in case.path_parameters or ():
        if name in known and not is_patient and data.draw(st.integers(0, 2)):
            case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
