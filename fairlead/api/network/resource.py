"""The five requests that a noun of the Neutron dialect answers, by a value for each noun."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct
from starlette.responses import Response

from fairlead.access.rules import Target
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import (
    Noun,
    Post,
    Put,
    expected_revision,
    posted,
    put,
    refuse_body,
    refuse_revision,
)
from fairlead.api.network.sight import Sight, check_named
from fairlead.api.routes import Route
from fairlead.control.boundary import Tx
from fairlead.control.subjects import Subject, refused, see
from fairlead.model.ids import ProjectId

New = TypeVar("New")
View = TypeVar("View")
Where = dict[str, tuple[str, ...]]
"""What the database can filter by: values by column."""
Names = Callable[[Struct], Iterable[tuple[Subject, str]]]
"""What a form names of other things, with the kind of each."""


def by_field(**subjects: Subject) -> Names:
    """A form whose fields of these names, where they are given, are the ids of such things."""

    def names(form: Struct) -> Iterator[tuple[Subject, str]]:
        for name, subject in subjects.items():
            key = getattr(form, name, None)
            if isinstance(key, str) and key:
                yield subject, key

    return names


def _nothing(_: Struct) -> tuple[tuple[Subject, str], ...]:
    """A form that names nothing else."""
    return ()


def _implies_nothing(_: Struct) -> AbstractSet[str]:
    """A form that asks for no more than it names."""
    return frozenset()


def _nothing_before(_call: Call, _subject: str, _form: Struct) -> None:
    """A change that nobody outside has to be asked about."""


@dataclass(frozen=True, slots=True)
class Resource(Generic[Post, Put, New, View]):
    """A noun that clients create, list, show, change and delete. `new` reads the form of POST; the others are one
    transaction each: of the new value, the columns, the id, and the id with the revision that If-Match names.
    `shown` is one as that project sees it, `target` what rules ask of one, `new_target` of one that shall be; `names`
    gives what a form names, which the caller must see; `implies` the attributes that a form asks for by another's
    value, as if it had named them. `before_update` asks outside of the transaction, and may refuse.
    """

    noun: Noun[Post, Put]
    subject: Subject
    collection: listing.Collection
    shown: Callable[[View, ProjectId], listing.Shown]
    target: Callable[[View], Target]
    new: Callable[[Call, Post], New]
    new_target: Callable[[Tx, New], Target]
    create: Callable[[Tx, New], View]
    find: Callable[[Tx, Where], Sequence[View]]
    fetch: Callable[[Tx, str], View]
    update: Callable[[Tx, str, Put, int | None], View]
    remove: Callable[[Tx, str, int | None], None]
    names: Names = _nothing
    implies: Callable[[Post | Put], AbstractSet[str]] = _implies_nothing
    before_update: Callable[[Call, str, Put], None] = _nothing_before

    def routes(self, path: str) -> tuple[Route, ...]:
        """Its requests, on `path` and on each thing below it."""
        one = f"{path}/{{}}"
        get, create, update, delete = (self._action(verb) for verb in ("get", "create", "update", "delete"))
        return (
            Route("GET", path, self._index, get),
            Route("POST", path, self._create, create),
            Route("GET", one, self._show, get, self.subject),
            Route("PUT", one, self._update, update, self.subject),
            Route("DELETE", one, self._delete, delete, self.subject),
        )

    def _action(self, verb: str) -> str:
        return f"{verb}_{self.noun.singular}"

    def _create(self, call: Call) -> Response:
        """One or several, all or none."""
        given, in_bulk = posted(call, self.noun)
        wanted = [(self.new(call, each.form), each) for each in given]
        action = self._action("create")

        def work(tx: Tx) -> list[View]:
            made = []
            for new, each in wanted:
                self._see_names(tx, call, each.form)
                target = self.new_target(tx, new)
                if not call.caller.may(action, target):
                    raise refused(action)
                check_named(call.caller, action, each.named | self.implies(each.form), target)
                made.append(self.create(tx, new))
            return made

        made = self._seen(call, call.run(work))
        return document({self.noun.plural: made} if in_bulk else {self.noun.singular: made[0]}, 201)

    def _index(self, call: Call) -> Response:
        where = listing.where(call, self.collection)
        found = call.run(lambda tx: self.find(tx, where))
        if not call.caller.may_any(self.subject.seen_by):
            found = [view for view in found if call.caller.may(self.subject.seen_by, self.target(view))]
        return listing.answer(call, self.collection, self._seen(call, found))

    def _show(self, call: Call, subject: str) -> Response:
        view = call.run(lambda tx: self.fetch(tx, subject))
        return document({self.noun.singular: listing.only_fields(call, self._seen(call, [view])[0])})

    def _update(self, call: Call, subject: str) -> Response:
        given, revision = put(call, self.noun), self._revision(call)
        self.before_update(call, subject, given.form)

        def work(tx: Tx) -> View:
            self._see_names(tx, call, given.form)
            named = given.named | self.implies(given.form)
            check_named(call.caller, self._action("update"), named, self.target(self.fetch(tx, subject)))
            return self.update(tx, subject, given.form, revision)

        return document({self.noun.singular: self._seen(call, [call.run(work)])[0]})

    def _delete(self, call: Call, subject: str) -> Response:
        refuse_body(call)
        revision = self._revision(call)
        call.run(lambda tx: self.remove(tx, subject, revision))
        return empty()

    def _revision(self, call: Call) -> int | None:
        if "revision_number" in self.noun.shown:
            return expected_revision(call)
        refuse_revision(call)
        return None

    def _seen(self, call: Call, views: Sequence[View]) -> list[listing.Shown]:
        sight, project_id = Sight.of(call.caller, self.noun.singular), call.caller.project_id
        if not sight.guarded:
            return [self.shown(view, project_id) for view in views]
        return [sight.seen(self.shown(view, project_id), self.target(view)) for view in views]

    def _see_names(self, tx: Tx, call: Call, form: Struct) -> None:
        """Raises NotFound for what the form names and the caller does not see."""
        for subject, key in self.names(form):
            see(tx, call.caller, subject, key)
