"""What the commands share: settings, the database, progress and plain errors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from feedback_app.config import Settings
    from feedback_app.storage.database import Database


def version() -> str:
    """Return the version of the installed product."""
    try:
        return installed_version("otklik")
    except PackageNotFoundError:
        return "0"


def settings() -> Settings:
    """Return the settings, or end the command naming the one that cannot be understood."""
    from feedback_app import config  # noqa: PLC0415  (start-up time of --help)

    try:
        return config.load()
    except config.BadSetting as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def database(*, any_schema: bool = False) -> Iterator[Database]:
    """Open the database of the settings; end the command where its schema is missing or old."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.domain.errors import DomainError  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.storage import migrate  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.storage.database import Database  # noqa: PLC0415  (start-up time of --help)

    db = Database(settings().database_url)
    try:
        if not any_schema:
            found = migrate.current(db)
            if found is None:
                raise click.ClickException("The database is empty. Build a demo chain with: otklik demo")
            if found != migrate.newest(db):
                raise click.ClickException("The database has an older schema. Raise it with: otklik db upgrade")
        yield db
    except DomainError as error:
        raise click.ClickException(explain(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'The file'}: {error.strerror}") from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database refused: {getattr(error, 'orig', error)}") from error
    finally:
        db.close()


def explain(error: Exception) -> str:
    """Return a domain error in words for the terminal."""
    from feedback_app.domain.errors import DomainError  # noqa: PLC0415  (start-up time of --help)

    if not isinstance(error, DomainError):
        return str(error)
    words = {
        "unknown_store": "There is no such store",
        "unknown_region": "There is no such region",
        "unknown_touchpoint": "There is no such touchpoint",
        "unknown_role": "There is no such role",
        "email_taken": "There is a user with this e-mail address already",
        "scope_needed": "This role needs at least one --store or --region",
        "unknown_format": "The file's ending must be one of",
        "missing_column": "The file has no column {column}. It has: {found}",
        "missing_value": "is empty",
        "not_utf8": "The file cannot be read: it is not UTF-8 text. Save it as CSV UTF-8 and import it again",
        "in_future": "lies in the future",
        "unreadable_file": "The file cannot be read",
        "file_too_large": "The file is too large; the limit in MiB is",
        "holds_real_chain": "The database holds a real chain; the demo was not built and nothing was changed",
        "wrong_type": "cannot be read",
        "out_of_scale": "is outside the scale",
        "bad_time": "is no time that can be read; write 2026-03-31 or 2026-03-31T14:05",
        "unknown_language": "must be ru, be or en",
        "too_long": "is too long",
    }.get(error.code, error.code)
    if "{" in words:
        return words.format(**error.params)
    values = ", ".join(str(value) for value in error.params.values())
    return f"{words}: {values}" if values else words


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on the error stream; quiet where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True) as bar:
        yield bar.update
