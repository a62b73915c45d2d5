"""Rows that the database refuses to have changed, for no reason that control knows of."""

import sqlalchemy as sa

_TABLES = frozenset({"servers", "ports", "bindings", "devices", "allocations"})


def refuse(url: str, table: str, column: str, value: str) -> None:
    """Rows of the table with that value are neither changed nor removed from now on."""
    assert table in _TABLES
    where = f"OLD.{column} = '{value}'"
    if url.startswith("sqlite"):
        _run(
            url,
            *(
                f"CREATE TRIGGER refuse_{verb} BEFORE {verb} ON {table} WHEN {where} "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
                for verb in ("UPDATE", "DELETE")
            ),
        )
        return
    _run(
        url,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'foreign_key_violation'; END $$",
        f"CREATE TRIGGER refuse_both BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW WHEN ({where}) "
        "EXECUTE FUNCTION refuse()",
    )


def refuse_no_more(url: str) -> None:
    """What `refuse` did is undone."""
    if url.startswith("sqlite"):
        _run(url, "DROP TRIGGER refuse_UPDATE", "DROP TRIGGER refuse_DELETE")
    else:
        _run(url, "DROP FUNCTION refuse() CASCADE")


def refer_to_port(url: str, port_id: str) -> None:
    """Somebody else's row names the port, which cannot go then."""
    table = "CREATE TABLE strangers (port_id TEXT REFERENCES ports (id) ON DELETE RESTRICT)"
    _run(url, table, sa.text("INSERT INTO strangers VALUES (:port_id)").bindparams(port_id=port_id))


def _run(url: str, *statements: str | sa.TextClause) -> None:
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg")
    )
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)
    engine.dispose()
