"""What a handler of /v1 takes and answers, as its annotations say it.

mypy holds the handler to them, requests are read by them, answers are made of them, and the OpenAPI document describes
them: so none of the four can come apart from the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Annotated, Generic, TypeVar, get_args, get_origin, get_type_hints

from starlette.responses import Response

from fairlead.api.native import forms
from fairlead.api.native.queries import Query
from fairlead.api.routes import BODY_LIMIT
from fairlead.model.error_codes import Code
from fairlead.wire import codec

T = TypeVar("T")
Handler = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What an agent tells, still unread: its handler looks at the credential first. An older control passes over what a
    newer agent adds.
    """

    kind: type[T]
    body: bytes

    def read(self) -> T:
        """The document; raises InvalidValue for a body that is none."""
        return codec.decode(self.kind, self.body)


@dataclass(frozen=True, slots=True)
class Under:
    """Beside the type of a form: the body is an object with that one key, and the form is its value."""

    key: str


@dataclass(frozen=True, slots=True)
class AtMost:
    """Beside the type of a body: how many bytes it may have."""

    size: int


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brings: a document of `kind`, below the key `under` where there is one. The handler gets what
    `read` makes of its bytes. Beside another type it says from what document that is made.
    """

    kind: type
    read: Callable[[bytes], object]
    under: str | None = None
    limit: int = BODY_LIMIT
    is_open: bool = False
    """Whether a key that is not known says nothing; else it is refused."""


@dataclass(frozen=True, slots=True)
class Octets:
    """Beside the type of an answer that is no JSON: what it is."""

    media_type: str


class Refused:
    """Beside the type of an answer: the codes with which it is refused as things are now."""

    def __init__(self, *codes: Code) -> None:
        self.codes = codes


@dataclass(frozen=True, slots=True)
class Signature:
    """`named` are the parts of the path that the handler gets as text after the Call, in their order. Then come the
    parameters of the `query` and the `body`, None where it takes none. `answer` None: it is empty. `refused` are
    the codes with which it refuses beside those that every endpoint has.
    """

    named: tuple[str, ...]
    query: type[Query] | None
    body: Body | None
    answer: type | Octets | None
    refused: tuple[Code, ...]


@cache
def signature_of(handler: Handler) -> Signature:
    """What the handler says of itself; raises TypeError where that is not enough."""
    hints = get_type_hints(handler, include_extras=True)
    _, *names = signature(handler).parameters
    if missing := {*names, "return"} - hints.keys():
        raise TypeError(f"{handler.__qualname__} does not say the type of {', '.join(sorted(missing))}.")
    named = tuple(name for name in names if hints[name] is str)
    queries = [hints[name] for name in names if _is_query(hints[name])]
    bodies = [_body(hints[name]) for name in names if name not in named and not _is_query(hints[name])]
    if len(queries) > 1 or len(bodies) > 1:
        raise TypeError(f"{handler.__qualname__} takes more than a query and a body.")
    return Signature(
        named,
        queries[0] if queries else None,
        bodies[0] if bodies else None,
        _answer(hints["return"]),
        _refused(hints["return"]),
    )


def _is_query(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Query)


def _body(hint: object) -> Body:
    kind, notes = _noted(hint)
    for note in notes:
        if isinstance(note, Body):
            return note
    limit = next((note.size for note in notes if isinstance(note, AtMost)), BODY_LIMIT)
    if get_origin(kind) is Told:
        (told,) = get_args(kind)
        return Body(told, lambda body: Told(told, body), limit=limit, is_open=True)
    if not isinstance(kind, type):
        raise TypeError(f"{hint} is no type of a body.")
    under = next((note.key for note in notes if isinstance(note, Under)), None)
    return Body(kind, lambda body: forms.read(kind, body, under), under, limit)


def _answer(hint: object) -> type | Octets | None:
    kind, notes = _noted(hint)
    for note in notes:
        if isinstance(note, Octets):
            return note
    if kind is type(None):
        return None
    if not isinstance(kind, type) or issubclass(kind, Response):
        raise TypeError(f"{hint} does not say what the answer is made of.")
    return kind


def _refused(hint: object) -> tuple[Code, ...]:
    _, notes = _noted(hint)
    return tuple(code for note in notes if isinstance(note, Refused) for code in note.codes)


def _noted(hint: object) -> tuple[object, tuple[object, ...]]:
    """A type, and what stands beside it."""
    if get_origin(hint) is Annotated:
        kind, *notes = get_args(hint)
        return kind, tuple(notes)
    return hint, ()
