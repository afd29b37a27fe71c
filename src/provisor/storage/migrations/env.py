"""Alembic's entry, on the connection that ``run.connection`` made."""

from alembic import context

from provisor.storage.migrations import VERSION_TABLE
from provisor.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
