"""Endpoints of /v1: what a handler's annotations say is what it is given, and what its route is."""

from enum import Enum
from typing import Annotated

import pytest
from msgspec import Meta, Struct
from starlette.responses import Response

from fairlead.api.native import queries
from fairlead.api.native.endpoint import Endpoint, Who
from fairlead.api.native.queries import Query
from fairlead.api.native.routes import ENDPOINTS
from fairlead.api.native.signature import AtMost, Octets, Refused, Told, Under, signature_of
from fairlead.api.routes import Live, Route
from fairlead.model.errors import InvalidValue


class Colour(Enum):
    RED = "red"
    BLUE = "BLUE"


class Wanted(Query, kw_only=True):
    name: str | None = None
    colour: Colour | None = None
    lines: Annotated[int, Meta(ge=1, le=9)] | None = None
    wait: Annotated[float, Meta(ge=0)] = 0.0
    force: bool = False


class Form(Struct):
    size: int


class Shown(Struct):
    size: int


def change(call, host: str, query: Wanted, form: Annotated[Form, Under("thing")]) -> Shown:
    return Shown(form.size)


async def tell(
    call, host: str, told: Annotated[Told[Form], AtMost(5)]
) -> Annotated[None, Refused("in_use", "stale")]:
    told.read()


async def send(call) -> Annotated[Response, Octets("image/png")]:
    return Response()


def test_a_handler_says_what_it_takes_and_answers():
    says = signature_of(change)
    assert (says.named, says.query, says.answer, says.refused) == (("host",), Wanted, Shown, ())
    assert (says.body.kind, says.body.under) == (Form, "thing")
    assert says.body.read(b'{"thing": {"size": 3}}') == Form(3)


def test_what_an_agent_tells_is_read_when_its_handler_asks():
    says = signature_of(tell)
    assert (says.body.kind, says.body.limit, says.answer) == (Form, 5, None)
    assert says.refused == ("in_use", "stale")
    told = says.body.read(b"no JSON")
    with pytest.raises(InvalidValue):
        told.read()


def test_an_answer_that_is_no_json_says_what_it_is():
    assert signature_of(send).answer == Octets("image/png")


def unsaid(call, host) -> None: ...
def unanswered(call): ...
def two_bodies(call, one: Form, other: Form) -> None: ...
def some_response(call) -> Response: ...


@pytest.mark.parametrize("handler", [unsaid, unanswered, two_bodies, some_response])
def test_a_handler_that_does_not_say_it_is_no_endpoint(handler):
    with pytest.raises(TypeError):
        Endpoint("GET", "/things/{host}", handler, "v1:health", "x").route()


def test_a_handler_takes_what_its_path_names():
    with pytest.raises(TypeError):
        Endpoint("PUT", "/things", change, "v1:health", "x").route()


def test_an_endpoint_is_a_route_of_its_handlers_kind():
    plain = Endpoint("PATCH", "/things/{host}", change, "v1:health", "x").route()
    live = Endpoint("PUT", "/things/{host}", tell, "v1:health", "y", Who.AGENT).route()
    assert (type(plain), plain.path, plain.is_for_agents) == (Route, "/things/{}", False)
    assert (type(live), live.is_for_agents) == (Live, True)


def test_ids_are_those_of_one_endpoint_each():
    ids = [endpoint.id for endpoint in ENDPOINTS]
    assert len(ids) == len(set(ids))


def test_a_query_is_read_by_its_types():
    found = queries.read(
        Wanted,
        [("name", "null"), ("colour", "blue"), ("lines", "9"), ("wait", "1.5"), ("force", "TRUE")],
        is_strict=True,
    )
    assert found == Wanted(name="null", colour=Colour.BLUE, lines=9, wait=1.5, force=True)
    assert queries.read(Wanted, [("name", "")], is_strict=True) == Wanted(name="")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("colour", "green", "one of red, BLUE"),
        ("lines", "0", "a whole number of at least 1 and at most 9"),
        ("lines", "null", "a whole number"),
        ("lines", "٣", "a whole number"),
        ("lines", "", "a whole number"),
        ("lines", "9" * 5000, "a whole number"),
        ("wait", "nan", "a number of at least 0"),
        ("wait", "-1", "a number of at least 0"),
        ("force", "perhaps", "true or false"),
        ("colours", "red", "a parameter here: name, colour, lines, wait, force"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_the_rule_said(name, text, said):
    with pytest.raises(InvalidValue, match=said):
        queries.read(Wanted, [(name, text)], is_strict=True)


def test_what_stands_there_twice_is_refused():
    with pytest.raises(InvalidValue, match="twice"):
        queries.read(Wanted, [("name", "a"), ("name", "b")], is_strict=True)


def test_an_agent_may_say_what_its_control_does_not_know():
    given = [("colours", "red"), ("name", "a"), ("name", "b")]
    assert queries.read(Wanted, given, is_strict=False) == Wanted(name="a")
