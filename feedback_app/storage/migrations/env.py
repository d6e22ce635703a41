"""Alembic's environment: the engine comes from the program, never from a file."""

from alembic import context

from feedback_app.storage import tables  # noqa: F401  (fills the metadata)
from feedback_app.storage.database import Base
from feedback_app.storage.writer import WRITES

engine = context.config.attributes["engine"].execution_options(**{WRITES: True})

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        user_module_prefix="database.",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
