"""The schema's history, for Alembic. A change of a declaration in `tables/` comes with a new file in `versions`.

`dev` writes none by itself: `alembic.autogenerate.produce_migrations` over `migrate` shows what differs, and
tests/contract/test_store_schema.py fails until nothing does. A file that was released is never changed.
"""
