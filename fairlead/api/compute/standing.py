"""Handlers of what Nova has around servers and Fairlead answers plainly: aggregates."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call


def list_aggregates(_call: Call) -> Response:
    """GET /os-aggregates: none; hosts have labels."""
    return document({"aggregates": []})
