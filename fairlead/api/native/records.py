"""Records of the model as people see them in /v1: a view names its fields, says what each is, and so is the schema of
the answer as well.
"""

from datetime import datetime
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

Time = Annotated[datetime, Meta(tz=True)]
"""In UTC: ISO 8601 with Z."""
View = TypeVar("View", bound=Struct)


def says(what: str) -> Meta:
    """What a field is, for whoever reads the API's description; it stands beside its type."""
    return Meta(description=what)


def viewed(view: type[View], record: object, **more: object) -> View:
    """The record's fields that the view has, and `more`, which the record has not or which people see otherwise."""
    names = [name for name in view.__struct_fields__ if name not in more]
    return view(**{name: getattr(record, name) for name in names}, **more)
