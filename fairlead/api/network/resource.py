"""The five requests that a noun of the Neutron dialect answers, by a value for each noun."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import Noun, Post, Put, expected_revision, posted, put, refuse_body
from fairlead.api.routes import Route
from fairlead.control.boundary import Tx

New = TypeVar("New")
View = TypeVar("View")
Where = dict[str, tuple[str, ...]]
"""What the database can filter by: values by column."""


@dataclass(frozen=True, slots=True)
class Resource(Generic[Post, Put, New, View]):
    """A noun that clients create, list, show, change and delete. `new` reads the form of POST; the others are one
    transaction each: of the new value, the columns, the id, and the id with the revision that If-Match names.
    """

    noun: Noun[Post, Put]
    collection: listing.Collection
    shown: Callable[[View], listing.Shown]
    new: Callable[[Call, Post], New]
    create: Callable[[Tx, New], View]
    find: Callable[[Tx, Where], Sequence[View]]
    fetch: Callable[[Tx, str], View]
    update: Callable[[Tx, str, Put, int | None], View]
    remove: Callable[[Tx, str, int | None], None]

    def routes(self, path: str) -> tuple[Route, ...]:
        """Its requests, on `path` and on each thing below it."""
        one = f"{path}/{{}}"
        return (
            Route("GET", path, self._index),
            Route("POST", path, self._create),
            Route("GET", one, self._show),
            Route("PUT", one, self._update),
            Route("DELETE", one, self._delete),
        )

    def _create(self, call: Call) -> Response:
        """One or several, all or none."""
        forms, in_bulk = posted(call, self.noun)
        wanted = [self.new(call, form) for form in forms]

        def work(tx: Tx) -> list[View]:
            return [self.create(tx, new) for new in wanted]

        made = [self.shown(view) for view in call.run(work)]
        return document({self.noun.plural: made} if in_bulk else {self.noun.singular: made[0]}, 201)

    def _index(self, call: Call) -> Response:
        where = listing.where(call, self.collection)
        found = call.run(lambda tx: self.find(tx, where))
        return listing.answer(call, self.collection, [self.shown(view) for view in found])

    def _show(self, call: Call, subject: str) -> Response:
        view = call.run(lambda tx: self.fetch(tx, subject))
        return document({self.noun.singular: listing.only_fields(call, self.shown(view))})

    def _update(self, call: Call, subject: str) -> Response:
        form, revision = put(call, self.noun), expected_revision(call)
        view = call.run(lambda tx: self.update(tx, subject, form, revision))
        return document({self.noun.singular: self.shown(view)})

    def _delete(self, call: Call, subject: str) -> Response:
        refuse_body(call)
        revision = expected_revision(call)
        call.run(lambda tx: self.remove(tx, subject, revision))
        return empty()
