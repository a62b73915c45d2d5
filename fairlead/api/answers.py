"""Answers in the forms that all dialects share."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from starlette.responses import Response

_ENCODER = msgspec.json.Encoder()


def document(
    body: object,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """A JSON answer: dicts, lists, text, numbers, dataclasses."""
    return Response(_ENCODER.encode(body), status, headers, media_type)


def empty(status: int = 204, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without a body."""
    return Response(None, status, headers)


def timestamp(at: datetime) -> str:
    """A UTC time in whole seconds, as the OpenStack APIs write it."""
    # Half of what strftime takes: lists write thousands of them.
    return f"{at.isoformat()[:19]}Z"
