"""Foreign keys, named by their columns, and who refers to a table."""

import sqlalchemy as sa


def refers(table: str, columns: str, to: str, *, deferred: bool = False) -> sa.ForeignKeyConstraint:
    """`columns` (one, or `device_id host_id`) of `table` name a row of `to`, which cannot go before.

    Deferred: checked at the commit.
    """
    own = columns.split()
    theirs = ["id", *own[1:]]
    return sa.ForeignKeyConstraint(
        own,
        [f"{to}.{column}" for column in theirs],
        name=f"fk_{table}_{'_'.join(own)}",
        ondelete=None if deferred else "RESTRICT",
        deferrable=True if deferred else None,
        initially="DEFERRED" if deferred else None,
    )


def cascades(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """`column` of `table` names a row of `to`; the row goes with it."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def referrers(table: sa.Table) -> tuple[tuple[sa.Table, sa.Column[object]], ...]:
    """The tables whose rows forbid at once that a row of this one goes, with the column that names it."""
    return tuple(
        (other, element.parent)
        for other in table.metadata.sorted_tables
        for constraint in other.foreign_key_constraints
        if constraint.referred_table is table and constraint.ondelete == "RESTRICT"
        for element in constraint.elements
        if element.column.name == "id"
    )
