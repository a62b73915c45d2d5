"""The application: what every answer has, whatever happens."""

import asyncio

import httpx
import pytest
import structlog
from starlette.responses import Response

from fairlead.api import problems
from fairlead.api.app import Application
from fairlead.api.call import Parts
from fairlead.api.face import Face
from fairlead.api.login.nobody import Nobody
from fairlead.api.routes import Live, Route, Table
from fairlead.api.runner import InPlace, Workers
from fairlead.api.waiters import Waiters
from fairlead.control.engine import Engine
from fairlead.model.errors import Conflict, Failure, Fault, NotAllowed, NotFound, QuotaExceeded, TooLarge
from fairlead.store.engine import open_database
from fairlead.store.image_files import ImageFiles

JSON = {"content-type": "application/json"}
REFUSALS = {
    "not-found": NotFound("QoS policy", "x"),
    "in-use": Conflict("in_use", "m", field="port"),
    "revision": Conflict("revision", "m"),
    "not-allowed": NotAllowed("m"),
    "quota": QuotaExceeded("m"),
    "too-large": TooLarge("m"),
    "own-status": problems.Unserved(406, "c", "m", {"x-own": "1"}),
    "fault": Fault(Failure("c", "doing", "subject", "answer")),
    "bug": ZeroDivisionError("a secret"),
}


def refuse(call, which):
    raise REFUSALS[which]


async def refuse_live(call, which):
    raise REFUSALS[which]


def echo(call):
    return Response(call.body, headers={"x-project": call.caller.project_id, "x-url": call.url("/p")})


@pytest.fixture(params=[InPlace, lambda: Workers(2)], ids=["in place", "in workers"])
def ask(request, tmp_path):
    """Sends one request to an application with a few routes."""
    database, waiters, runner = open_database("sqlite://"), Waiters(), request.param()
    table = Table(
        Route("POST", "/echo", echo, "v1:health", body_limit=100),
        Route("GET", "/refuse/{}", refuse, "v1:health"),
        Live("GET", "/live/{}", refuse_live, "v1:health"),
        Route("GET", "/agents/{}", refuse, "v1:agent", is_for_agents=True),
    )
    parts = Parts(Engine(database, waiters), runner, waiters, ImageFiles(tmp_path), Nobody(), None)
    app = Application(
        parts,
        tuple(Face(f"/{r.__name__}", table, r) for r in (problems.neutron, problems.nova, problems.native)),
    )

    async def send(method, path, **more):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here:1") as client:
            return await client.request(method, path, **more)

    yield lambda *words, **more: asyncio.run(send(*words, **more))
    runner.close()
    database.close()


@pytest.mark.parametrize("kind", ["refuse", "live"])
def test_refusals_have_the_status_and_words_of_the_dialect(ask, kind):
    answer = ask("GET", f"/neutron/{kind}/not-found")
    assert answer.status_code == 404
    assert answer.json()["NeutronError"]["type"] == "QosPolicyNotFound"
    assert ask("GET", f"/neutron/{kind}/in-use").json()["NeutronError"]["type"] == "PortInUse"
    assert ask("GET", f"/neutron/{kind}/revision").status_code == 412
    assert ask("GET", f"/nova/{kind}/not-allowed").json() == {"forbidden": {"code": 403, "message": "m"}}
    assert ask("GET", f"/nova/{kind}/quota").status_code == 403
    assert ask("GET", f"/native/{kind}/too-large").json()["error"]["code"] == "too_large"
    answer = ask("GET", f"/native/{kind}/own-status")
    assert (answer.status_code, answer.headers["x-own"]) == (406, "1")


@pytest.mark.parametrize("which", ["bug", "fault"])
def test_a_fault_of_ours_is_logged_under_the_request_id_and_kept_to_ourselves(ask, which):
    with structlog.testing.capture_logs() as logs:
        answer = ask("GET", f"/neutron/refuse/{which}")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    request_id = answer.headers["x-openstack-request-id"]
    assert request_id in answer.json()["NeutronError"]["message"]
    assert [log["request_id"] for log in logs] == [request_id]


def test_every_answer_has_a_request_id(ask):
    paths = ["/neutron/refuse/in-use", "/nowhere", "/", "/neutron/nowhere", "/neutron/echo"]
    ids = {ask("GET", path).headers["x-openstack-request-id"] for path in paths}
    assert len(ids) == len(paths)


def test_a_handler_gets_the_body_and_the_operator(ask):
    answer = ask("POST", "/nova/echo", content=b"hello", headers=JSON)
    assert answer.content == b"hello"
    assert len(answer.headers["x-project"]) == 32
    assert answer.headers["x-url"] == "http://here:1/p"


def test_a_body_over_the_limit_of_its_route_is_refused(ask):
    async def chunks():
        for _ in range(10):
            yield b"x" * 20

    assert ask("POST", "/nova/echo", content=b"x" * 101, headers=JSON).status_code == 413
    assert ask("POST", "/nova/echo", content=chunks(), headers=JSON).status_code == 413


def test_pages_of_other_sites_are_refused(ask):
    for origin in ("http://evil.example", "null", "http://here:2"):
        assert ask("POST", "/nova/echo", content=b"x", headers={**JSON, "origin": origin}).status_code == 403
    assert (
        ask("POST", "/nova/echo", content=b"x", headers={**JSON, "origin": "http://here:1"}).status_code
        == 200
    )


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:9696", "127.0.0.1", "127.8.0.1:1", "[::1]", "[::1]:9696", "here", "here:2"],
)
def test_names_that_mean_this_server_are_served(ask, host):
    assert ask("GET", "/nova/refuse/not-found", headers={"host": host}).status_code == 404


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9696", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.2.2:9696",
     "[::2]", "evil@127.0.0.1", "127.0.0.1:9696:1", "", "[localhost"],
)  # fmt: skip
def test_a_page_whose_name_leads_to_loopback_is_refused(ask, host):
    for headers in ({"host": host}, {"host": host, "origin": f"http://{host}"}):
        answer = ask("GET", "/nova/refuse/not-found", headers=headers)
        assert answer.status_code == 403, answer.text
        assert "127.0.0.1" in answer.json()["forbidden"]["message"]


def test_agents_show_a_credential_and_ask_under_any_name(ask):
    assert ask("GET", "/nova/agents/not-found", headers={"host": "10.0.2.2:9696"}).status_code == 404


def test_what_a_browser_sends_unasked_is_no_json(ask):
    for kind in ("text/plain", "text/plain; x=application/json", "application/x-www-form-urlencoded", ""):
        answer = ask("POST", "/nova/echo", content=b"{}", headers={"content-type": kind})
        assert (answer.status_code, list(answer.json())) == (415, ["badMediaType"])
    assert ask("POST", "/nova/echo", content=b"{}").status_code == 415
    typed = {"content-type": "Application/JSON; charset=utf-8"}
    assert ask("POST", "/nova/echo", content=b"{}", headers=typed).status_code == 200
    assert ask("POST", "/nova/echo").status_code == 200
