"""The environment of Alembic: migrations run on the connection that `migrate` passes."""

from alembic import context

from quickshop.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
