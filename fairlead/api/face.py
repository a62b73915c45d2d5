"""A face: one dialect of the API."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from fairlead.api.problems import Renderer
from fairlead.api.routes import Table


def unstamped(request: Request, response: Response) -> None:
    """Nothing is added to the answers of a dialect that needs nothing added."""


@dataclass(frozen=True, slots=True)
class Face:
    """Everything below `prefix` (one path segment, such as `/network`): its routes, how it words a refusal, and
    what it adds to every answer (`stamp`), refusals among them.
    """

    prefix: str
    table: Table
    render: Renderer
    stamp: Callable[[Request, Response], None] = unstamped
