"""Bringing a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from feedback_app.storage.database import Database


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["engine"] = db.engine
    return config


def upgrade(db: Database, revision: str = "head") -> None:
    """Migrate to the newest schema, or to a revision."""
    command.upgrade(_config(db), revision)


def current(db: Database) -> str | None:
    """Return the schema's revision; None for an empty database."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest(db: Database) -> str | None:
    """Return the revision that this program needs."""
    return ScriptDirectory.from_config(_config(db)).get_current_head()
