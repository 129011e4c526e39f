"""Runs Alembic's migrations on the connection handed over by `storage.database`; there is no configuration file."""

from alembic import context
from sqlmodel import SQLModel

import storage.models

assert storage.models.Post.metadata is SQLModel.metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
