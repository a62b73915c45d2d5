"""Paths find their routes."""

import pytest
from starlette.responses import Response

from fairlead.api.routes import Route, Table


def answer(call, *arguments):
    return Response(str(arguments))


def table():
    return Table(
        Route("GET", "/", answer, "v1:health"),
        Route("GET", "/ports", answer, "v1:health"),
        Route("POST", "/ports", answer, "v1:health"),
        Route("GET", "/ports/{}", answer, "v1:health"),
        Route("GET", "/ports/detail", answer, "v1:health"),
        Route("GET", "/ports/{}/tags/{}", answer, "v1:health"),
        Route("GET", "/{}/bindings", answer, "v1:health"),
    )


@pytest.mark.parametrize(
    ("path", "route", "arguments"),
    [
        ("", "/", ()),
        ("/", "/", ()),
        ("/ports", "/ports", ()),
        ("/ports/", "/ports", ()),
        ("/ports/1", "/ports/{}", ("1",)),
        ("/ports/detail", "/ports/detail", ()),
        ("/ports/1/tags/red", "/ports/{}/tags/{}", ("1", "red")),
        ("/ports/bindings", "/ports/{}", ("bindings",)),
        ("/nets/bindings", "/{}/bindings", ("nets",)),
    ],
)
def test_a_path_leads_to_its_route(path, route, arguments):
    match = table().match("GET", path)
    assert (match.route.path, match.arguments) == (route, arguments)


@pytest.mark.parametrize("path", ["/nowhere", "/ports/1/2", "//", "/ports//", "/ports/{}/x", "/ports/1/tags"])
def test_other_paths_lead_nowhere(path):
    assert table().match("GET", path) is None


def test_a_known_path_tells_its_methods():
    match = table().match("DELETE", "/ports")
    assert (match.route, match.allowed) == (None, ("GET", "POST"))
    assert table().match("HEAD", "/ports").route.method == "GET"


def test_a_route_is_in_the_table_once():
    with pytest.raises(ValueError, match="twice"):
        Table(Route("GET", "/x", answer, "v1:health"), Route("GET", "/x/", answer, "v1:health"))
