"""The audit trail on both databases: a record goes with its change, and is found again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from fairlead.api.waiters import Waiters
from fairlead.control.audit_trail import PIECE, RefusedDeed, Retention, forget, note
from fairlead.control.boundary import Tx
from fairlead.control.engine import Engine
from fairlead.model.audit_trail import (
    AuditRecord,
    Deed,
    Did,
    Doer,
    Outcome,
    Resource,
    ResourceKind,
    TrailFilter,
    TrailPage,
    done,
)
from fairlead.model.errors import Conflict, NotAllowed
from fairlead.model.identity import CredentialKind, Role
from fairlead.store.audit_rows import LOOKED_AT
from fairlead.store.engine import SqlDatabase, open_database
from tests.contract import store_rows as make

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANNA = Doer(
    "anna-id", "anna", "east", (Role.MEMBER, Role.READER), CredentialKind.TOKEN, "cred", "192.0.2.7", "req-1"
)


@pytest.fixture
def database(database_url: str) -> Iterator[SqlDatabase]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def engine(database: SqlDatabase) -> Engine:
    return Engine(database, Waiters())


def trail(engine: Engine, limit: int = 100, **wanted: object) -> tuple[AuditRecord, ...]:
    return engine.look(lambda tx: tx.audit_trail.page(TrailFilter(**wanted), limit)).records  # type: ignore[arg-type]


def make_group(tx: Tx) -> str:
    tx.on_behalf_of = Deed(ANNA, "create_group", attributes=("name",))
    group = make.server_group()
    tx.server_groups.add(group)
    return group.id


def make_group_in_vain(tx: Tx) -> None:
    with tx.savepoint():
        make_group(tx)
        raise ZeroDivisionError


def test_what_a_savepoint_undid_is_in_no_record(engine: Engine) -> None:
    def make_one_of_two(tx: Tx) -> str:
        with pytest.raises(ZeroDivisionError):
            make_group_in_vain(tx)
        return make_group(tx)

    made = engine.run(make_one_of_two)
    (record,) = trail(engine)
    assert [resource.id for resource in record.resources] == [made]


def test_a_change_has_its_record(engine: Engine) -> None:
    group_id = engine.run(make_group)

    [record] = trail(engine)

    assert record.resources == (Resource(ResourceKind.SERVER_GROUP, group_id, Did.CREATED),)
    assert (record.user_id, record.user_name, record.project_id, record.roles) == (
        "anna-id",
        "anna",
        "east",
        (Role.MEMBER, Role.READER),
    )
    assert (record.credential, record.application_credential_id) == (CredentialKind.TOKEN, "cred")
    assert (record.remote_address, record.request_id, record.action) == (
        "192.0.2.7",
        "req-1",
        "create_group",
    )
    assert (record.outcome, record.status, record.code, record.times) == (Outcome.DONE, None, "", 1)
    assert record.attributes == ("name",)
    assert abs(datetime.now(UTC) - record.at) < timedelta(minutes=1)


def test_what_is_undone_has_no_record(engine: Engine) -> None:
    def refused_at_the_end(tx: Tx) -> None:
        make_group(tx)
        raise NotAllowed("not so")

    def refused_by_the_database(tx: Tx) -> None:
        tx.on_behalf_of = Deed(ANNA, "create_network")
        network = make.network()
        tx.networks.add(network)
        tx.networks.add(network)

    for work, refusal in ((refused_at_the_end, NotAllowed), (refused_by_the_database, Conflict)):
        with pytest.raises(refusal):
            engine.run(work)

    assert trail(engine) == ()
    assert engine.look(lambda tx: tx.server_groups.find()) == ()


def test_what_is_tried_again_has_one_record(engine: Engine) -> None:
    tries = []

    def stale_at_first(tx: Tx) -> str:
        group_id = make_group(tx)
        tries.append(group_id)
        if len(tries) < 3:
            raise Conflict("stale", "once more")
        return group_id

    group_id = engine.run(stale_at_first)

    [record] = trail(engine)
    assert [resource.id for resource in record.resources] == [group_id]


def test_nobody_and_nothing_have_no_record(engine: Engine) -> None:
    def nobody(tx: Tx) -> None:
        tx.networks.add(make.network())

    def nothing(tx: Tx) -> None:
        tx.on_behalf_of = Deed(ANNA, "update_network", Resource(ResourceKind.NETWORK, "n"))
        tx.networks.find()
        tx.networks.remove("one that there is not")

    engine.run(nobody)
    engine.run(nothing)

    assert trail(engine) == ()


def test_many_at_once_have_a_record_each(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: engine.run(make_group), range(40)))

    records = trail(engine)

    assert {resource.id for record in records for resource in record.resources} == made
    assert len(records) == len({record.id for record in records}) == 40


def test_a_bulk_is_one_record_of_all(engine: Engine) -> None:
    def bulk(tx: Tx) -> list[str]:
        return [make_group(tx) for _ in range(1000)]

    made = engine.run(bulk)

    [record] = trail(engine)
    assert [resource.id for resource in record.resources] == made
    assert trail(engine, resource_id=made[500]) == (record,)


def put(engine: Engine, *records: AuditRecord) -> None:
    def add(tx: Tx) -> None:
        for record in records:
            tx.audit_trail.add(record)

    engine.run(add)


def record_at(seconds: int, **fields: object) -> AuditRecord:
    writes = [("port", f"p{seconds}", Did.CREATED)]
    made = done(Deed(ANNA, "create_port"), writes, AT + timedelta(seconds=seconds), str(uuid4()))
    return replace(made, **fields)  # type: ignore[arg-type]


def test_records_are_found_by_what_they_say(engine: Engine) -> None:
    plain = record_at(0)
    others = record_at(1, user_id="otto-id", user_name="otto", project_id="west", request_id="req-2")
    refused = record_at(2, action="delete_port", outcome=Outcome.REFUSED, status=409, code="in_use")
    granted = record_at(
        3, resources=(Resource(ResourceKind.ROLE_ASSIGNMENT, "otto-id/west/member", Did.CREATED),)
    )
    put(engine, plain, others, refused, granted)

    def found(**wanted: object) -> list[int]:
        every = (plain, others, refused, granted)
        return [every.index(record) for record in trail(engine, **wanted)]

    assert found() == [3, 2, 1, 0]
    assert found(user_id="otto-id") == found(user_name="otto") == found(project_id="west") == [1]
    assert found(request_id="req-2") == found(resource_id="p1") == [1]
    assert found(action="delete_port") == found(outcome=Outcome.REFUSED) == found(code="in_use") == [2]
    assert found(resource_kind=ResourceKind.ROLE_ASSIGNMENT) == found(resource_id="otto-id") == [3]
    assert found(resource_id="otto-id", resource_kind=ResourceKind.PORT) == []
    assert found(since=AT + timedelta(seconds=1), until=AT + timedelta(seconds=3)) == [2, 1]
    assert found(before=refused.id, user_name="anna", action="create_port") == [0]


def test_pages_have_everything_once_though_each_looks_at_few(engine: Engine) -> None:
    rare = record_at(0, action="rare")
    put(engine, rare, *(record_at(second) for second in range(1, LOOKED_AT + 20)))

    def page_before(before: str | None, limit: int, **wanted: object) -> TrailPage:
        sought = TrailFilter(before=before, **wanted)  # type: ignore[arg-type]
        return engine.look(lambda tx: tx.audit_trail.page(sought, limit))

    def pages(limit: int, **wanted: object) -> Iterator[tuple[AuditRecord, ...]]:
        before = None
        while True:
            page = page_before(before, limit, **wanted)
            yield page.records
            before = page.marker
            if before is None:
                return

    assert list(pages(10, action="rare")) == [(), (rare,)]
    every = [record.id for page in pages(1000) for record in page]
    assert every == sorted(set(every), reverse=True)
    assert len(every) == LOOKED_AT + 20


def test_what_is_old_or_too_much_is_forgotten(engine: Engine) -> None:
    now = datetime.now(UTC)
    old = [now - timedelta(days=31, seconds=number) for number in range(PIECE + 1)]
    new = [now - timedelta(seconds=number) for number in range(10)]
    put(engine, *(record_at(0, **placed(at)) for at in (*old, *new)))

    assert forget(engine, Retention(days=30, most=1000)) == 0
    assert len(trail(engine, 1000)) == 10
    assert forget(engine, Retention(days=30, most=4)) == 6
    assert [record.at for record in trail(engine)] == new[:4]
    assert forget(engine, Retention(days=30, most=4)) == 0
    assert trail(engine, resource_id="p0") == trail(engine)


def placed(at: datetime) -> dict[str, object]:
    made = done(Deed(ANNA, "x"), [], at, str(uuid4()))
    return {"id": made.id, "at": at}


def test_refusals_are_noted_in_a_transaction_of_their_own(engine: Engine) -> None:
    deed = Deed(ANNA, "delete_port", Resource(ResourceKind.PORT, "p"))

    engine.run(lambda tx: note(tx, [RefusedDeed(deed, 409, "bound"), RefusedDeed(deed, 500, "fault", 3)]))

    assert {
        (each.outcome, each.status, each.code, each.times) for each in trail(engine, resource_id="p")
    } == {
        (Outcome.REFUSED, 409, "bound", 1),
        (Outcome.FAILED, 500, "fault", 3),
    }
