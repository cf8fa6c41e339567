"""How Alembic runs a migration: on the connection that `migrate` hands it."""

from alembic import context

from quickshop.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
