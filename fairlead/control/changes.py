"""What updates share: which fields are given, and the revision that the caller has seen."""

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import UNSET

from fairlead.model.errors import Conflict

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row")


class Revised(Protocol):
    """A row with a revision."""

    @property
    def revision(self) -> int:
        """Grows with each change."""
        ...


def check_revision(row: Revised, expected: int | None) -> None:
    """Raises Conflict `revision` unless the row is still at the revision that the caller names (None: any)."""
    if expected is not None and row.revision != expected:
        raise Conflict("revision", f"Constrained to {expected}, but current revision is {row.revision}")


def given(changes: "DataclassInstance") -> dict[str, object]:
    """The fields that say something: those that are not UNSET."""
    values = ((f.name, getattr(changes, f.name)) for f in fields(changes))
    return {name: value for name, value in values if value is not UNSET}


def applied(replace: Callable[..., Row], row: Row, changes: "DataclassInstance", **more: object) -> Row:
    """The row with the given fields of `changes`, which are fields of the row too, and with `more`.

    `replace` is dataclasses.replace: passed in, since its own signature cannot be said of every noun.
    """
    return replace(row, **{**given(changes), **more})
