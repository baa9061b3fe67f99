"""Run by alembic: migrates over the connection that ``schema.bring_up_to_date`` hands in."""

from alembic import context

from fashiontui.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
