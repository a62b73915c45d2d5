"""What Alembic runs: the migrations, in the transaction that store.migrate has begun."""

from alembic import context

from fairlead.store.schema import SCHEMA

context.configure(connection=context.config.attributes["connection"], target_metadata=SCHEMA)
context.run_migrations()
