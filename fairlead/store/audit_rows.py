"""control.boundary.AuditTrail over its two tables: the records, and by which ids each is found."""

from collections.abc import Callable
from typing import cast

import sqlalchemy as sa

from fairlead.model.audit_trail import AuditedResource, AuditRecord, TrailFilter, TrailPage, found_by
from fairlead.model.errors import Conflict
from fairlead.model.time_ids import earliest_id
from fairlead.store import columns, constraints
from fairlead.store.constraints import Verb
from fairlead.store.dialect import Diagnosis
from fairlead.store.rows import Mapped
from fairlead.store.session import Session

LOOKED_AT = 5000
"""Records, for one page: a few milliseconds."""
_INDEXED = ("user_id", "project_id", "request_id")
_COMPARED = ("user_name", "action", "outcome", "code")
_NAMING = ("resource_id", "kind")


class AuditRows:
    """The trail, in one transaction."""

    __slots__ = ("_found_by", "_records", "_session")

    def __init__(
        self, session: Session, records: Mapped[AuditRecord], found_by: Mapped[AuditedResource]
    ) -> None:
        self._session = session
        self._records = records
        self._found_by = found_by

    def add(self, record: AuditRecord) -> None:
        """Append the record, and in one statement by what it is found, be it one thing or a thousand."""
        parameters = self._records.carrier.parameters(record)
        self._session.change(self._records.statements.insert, parameters, _refused)
        named = found_by(record)
        if named:
            self._session.change(self._kept("name", self._naming), self._named(record.id, named), _refused)

    def page(self, wanted: TrailFilter, limit: int) -> TrailPage:
        """The newest records that are wanted."""
        parameters = self._parameters(wanted)
        names = tuple(sorted(parameters))
        text = self._kept(f"page {names}", lambda: self._page(names))
        rows = self._session.rows(text, {**parameters, "most": limit})
        records = tuple(map(self._records.carrier.row, rows))
        if len(records) == limit:
            return TrailPage(records, records[-1].id if records else None)
        last = self._kept(f"last {names}", lambda: self._last(names))
        return TrailPage(records, self._id(last, parameters))

    def beyond(self, newest: int) -> str | None:
        """The id of the newest record that is not one of the `newest` newest."""
        return self._id(self._kept("beyond", self._beyond), {"newest": newest})

    def forget(self, before: str, most: int) -> int:
        """Delete the oldest; what they are found by goes with them."""
        return self._session.change(
            self._kept("forget", self._forgetting), {"before": before, "most": most}, _refused
        )

    def _named(self, record_id: str, named: tuple[AuditedResource, ...]) -> dict[str, object]:
        pairs = [(each.resource_id, each.kind.value) for each in named]
        if self._dialect == "postgresql":
            ids, kinds = zip(*pairs, strict=True)
            return {"record_id": record_id, "resource_id": list(ids), "kind": list(kinds)}
        return {"record_id": record_id, "pairs": columns.many(list(pairs), self._dialect)}

    @property
    def _dialect(self) -> str:
        return self._records.dialect

    def _kept(self, key: str, write: Callable[[], sa.ClauseElement]) -> str:
        return self._records.statements.kept(("trail", key), write)

    def _id(self, statement: str, parameters: dict[str, object]) -> str | None:
        found = self._session.rows(statement, parameters)
        return cast("str", found[0][0]) if found else None

    def _parameters(self, wanted: TrailFilter) -> dict[str, object]:
        given = {name: getattr(wanted, name) for name in (*_INDEXED, *_COMPARED, "resource_id")}
        written = {
            "since": wanted.since and earliest_id(wanted.since),
            "until": wanted.until and earliest_id(wanted.until),
            "before": wanted.before,
            "kind": wanted.resource_kind and wanted.resource_kind.value,
            **given,
            "outcome": wanted.outcome and wanted.outcome.value,
        }
        return {name: value for name, value in written.items() if value is not None}

    def _newest(self, names: tuple[str, ...]) -> sa.Select[tuple[object, ...]]:
        """The newest records by what there are indexes for, so that as many as are looked at are found at once."""
        records, found_by = self._records.noun.table, self._found_by.noun.table
        asked, key = sa.select(records), records.c.id
        if "resource_id" in names:
            key = found_by.c.record_id
            asked = asked.join(found_by, key == records.c.id)
            asked = asked.where(found_by.c.resource_id == sa.bindparam("resource_id"))
        bounds = {"since": key.__ge__, "until": key.__lt__, "before": key.__lt__}
        asked = asked.where(*(bounds[name](sa.bindparam(name)) for name in bounds if name in names))
        asked = asked.where(*(records.c[name] == sa.bindparam(name) for name in _INDEXED if name in names))
        return asked.order_by(key.desc())

    def _page(self, names: tuple[str, ...]) -> sa.ClauseElement:
        looked_at = _limited(self._newest(names), sa.literal_column(str(LOOKED_AT))).subquery()
        asked = sa.select(looked_at).where(
            *(looked_at.c[name] == sa.bindparam(name) for name in _COMPARED if name in names)
        )
        if "kind" in names:
            found_by = self._found_by.noun.table
            is_found = found_by.c.record_id == looked_at.c.id
            asked = asked.where(sa.exists().where(is_found, found_by.c.kind == sa.bindparam("kind")))
        return _limited(asked.order_by(looked_at.c.id.desc()), sa.bindparam("most"))

    def _last(self, names: tuple[str, ...]) -> sa.ClauseElement:
        """The last record that was looked at, if there may be more behind it."""
        newest = self._newest(names).with_only_columns(self._records.noun.table.c.id)
        return newest.limit(sa.literal_column("1")).offset(sa.literal_column(str(LOOKED_AT - 1)))

    def _beyond(self) -> sa.ClauseElement:
        records = self._records.noun.table
        newest = sa.select(records.c.id).order_by(records.c.id.desc())
        return newest.limit(sa.literal_column("1")).offset(sa.bindparam("newest"))

    def _forgetting(self) -> sa.ClauseElement:
        records = self._records.noun.table
        older = sa.select(records.c.id).where(records.c.id < sa.bindparam("before")).order_by(records.c.id)
        return sa.delete(records).where(records.c.id.in_(_limited(older, sa.bindparam("most"))))

    def _naming(self) -> sa.ClauseElement:
        """A row for each resource: two arrays side by side, or SQLite's list of pairs."""
        table = self._found_by.noun.table
        record_id = sa.bindparam("record_id", type_=table.c.record_id.type)
        if self._dialect == "postgresql":
            arrays = (sa.bindparam(name, type_=sa.ARRAY(sa.Text())) for name in _NAMING)
            named = sa.func.unnest(*arrays).table_valued(*_NAMING).render_derived()
            rows = sa.select(record_id, *(named.c[name] for name in _NAMING))
        else:
            pair = sa.func.json_each(sa.bindparam("pairs")).table_valued("value").c.value
            rows = sa.select(
                record_id, *(pair.op("->>")(sa.literal_column(str(at))) for at in range(len(_NAMING)))
            )
        return sa.insert(table).from_select(["record_id", *_NAMING], rows)


def _limited(
    asked: sa.Select[tuple[object, ...]], most: sa.ColumnElement[int]
) -> sa.Select[tuple[object, ...]]:
    # SQLAlchemy gives SQLite an OFFSET with each LIMIT, and would make it a parameter.
    return asked.limit(most).offset(sa.literal_column("0"))


def _refused(found: Diagnosis) -> Conflict:
    return constraints.reference(Verb.ADD, "audit record", "", found.table)
