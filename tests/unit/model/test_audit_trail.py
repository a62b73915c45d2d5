"""What a record says of what was written, and the ids by which records are in order of time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from fairlead.model.audit_trail import (
    Deed,
    Did,
    Doer,
    Outcome,
    Resource,
    ResourceKind,
    Write,
    done,
    found_by,
    is_change,
    refused,
)
from fairlead.model.time_ids import earliest_id, time_ordered_id

AT = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)


def resources_of(*writes: Write, named: Resource | None = None) -> list[tuple[str, str, str]]:
    deed = Deed(Doer("u"), "an_action", named)
    found = done(deed, writes, AT, str(uuid4())).resources
    return [(each.kind.value, each.id, each.did.value) for each in found if each.did]


def test_a_thing_is_named_once_for_all_that_was_done_to_it() -> None:
    assert resources_of(
        ("port", "p", Did.CREATED), ("port", "p", Did.CHANGED), ("port", "q", Did.CHANGED)
    ) == [
        ("port", "p", "created"),
        ("port", "q", "changed"),
    ]
    assert resources_of(("port", "p", Did.CHANGED), ("port", "p", Did.DELETED)) == [("port", "p", "deleted")]
    assert resources_of(("port", "p", Did.CREATED), ("port", "p", Did.DELETED)) == []


def test_what_control_writes_by_itself_is_nobodys_deed() -> None:
    writes: list[Write] = [
        ("server", "s", Did.CHANGED),
        ("host", "h", Did.CHANGED),
        ("device", "d", Did.CHANGED),
        ("allocation", "d", Did.DELETED),
    ]

    assert resources_of(*writes) == [("server", "s", "changed")]
    named = Resource(ResourceKind.HOST, "host1")
    assert resources_of(*writes, named=named) == [("server", "s", "changed"), ("host", "h", "changed")]
    assert resources_of(("host", "h", Did.CREATED)) == [("host", "h", "created")]


def test_what_belongs_to_a_thing_changes_it() -> None:
    named = Resource(ResourceKind.PORT, "p")

    assert resources_of(("binding", "p/h", Did.CREATED), named=named) == [("port", "p", "changed")]


def test_asking_a_host_is_no_change() -> None:
    assert not is_change([("question", "q", Did.CREATED)])
    assert not is_change([])
    assert is_change([("token", "t", Did.CREATED)])


@pytest.mark.parametrize(("status", "outcome"), [(409, Outcome.REFUSED), (500, Outcome.FAILED)])
def test_a_refusal_did_nothing_and_says_so(status: int, outcome: Outcome) -> None:
    named = Resource(ResourceKind.PORT, "x" * 1000)

    record = refused(Deed(Doer("u"), "update_port", named), status, "bound", 3, AT, str(uuid4()))

    assert (record.outcome, record.status, record.code, record.times) == (outcome, status, "bound", 3)
    assert record.resources == (Resource(ResourceKind.PORT, "x" * 255),)


def test_a_thing_of_several_parts_is_found_by_each() -> None:
    record = done(
        Deed(Doer("u"), "grant"), [("role assignment", "anna/east/member", Did.CREATED)], AT, str(uuid4())
    )

    keys = {each.resource_id for each in found_by(record)}

    assert keys == {"anna", "east", "member", "anna/east/member"}


def test_ids_have_the_order_of_time() -> None:
    times = [AT + timedelta(microseconds=number) for number in range(2000)]

    ids = [time_ordered_id(at, str(uuid4())) for at in times]

    assert ids == sorted(ids)
    assert all(earliest_id(at) <= made for at, made in zip(times, ids, strict=True))
    assert all(made < earliest_id(at) for at, made in zip(times[1:], ids, strict=False))
    assert {UUID(made).version for made in ids} == {7}
    assert (
        earliest_id(datetime(1, 1, 1, tzinfo=UTC))
        < earliest_id(AT)
        < earliest_id(datetime.max.replace(tzinfo=UTC))
    )
