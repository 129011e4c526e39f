"""How Alembic reaches the database: through the connection and the transaction it is handed, never by an own one."""

from alembic import context
from sqlmodel import SQLModel

from storage import models
from storage.schema import VERSION_TABLE

assert models.Post.metadata is SQLModel.metadata  # the tables are known only once their module is loaded

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
