"""The database behind control's boundary: SQLite and PostgreSQL through SQLAlchemy Core.

Entry point: `engine.open_database(url)`, which brings the schema up to date and gives control's `Database`.
A noun of the model is declared once (`tables/`, by `noun.declare`); columns, statements and the way back to
a frozen dataclass follow from its annotations. SQLAlchemy declares the tables and writes the SQL, once for
each shape of statement; the text is then run by the database's own driver (docs/decisions/0005-store.md has the
measurements). `constraints` is the one place that turns a violated constraint into a refusal. `image_files`
keeps the data of images. May import control, agent, wire and the pure core; no other adapter.

Traps: a write that the database refused ends its transaction, on SQLite as on PostgreSQL. On SQLite all
transactions of the process are run one after the other. A changed declaration needs a migration.
"""
