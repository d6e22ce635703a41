"""What the commands share: settings, the database, progress and plain errors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

import click

from feedback_app.cli.words import WORDS

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


def _open(url: str) -> Database:
    """Return the database of a URL, or end the command; no word of a library is passed on, as it may quote the URL."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415  (start-up time of --help)
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.storage.database import Database  # noqa: PLC0415  (start-up time of --help)

    try:
        if "@" not in (make_url(url).host or ""):  # an @ in a password makes its end a part of the host
            return Database(url)
    except ImportError:
        raise click.ClickException(
            "The library for PostgreSQL, which OTKLIK_DATABASE_URL names, is not installed. "
            "Install it with: pip install -c constraints.txt -e '.[postgresql]'"
        ) from None
    except (SQLAlchemyError, ValueError):
        pass
    raise click.ClickException(
        "OTKLIK_DATABASE_URL cannot be read. Write sqlite:////path/otklik.db or "
        "postgresql+psycopg://user:password@host:5432/name; in the password write @ as %40 and % as %25."
    )


@contextmanager
def database(*, any_schema: bool = False) -> Iterator[Database]:
    """Open the database of the settings; end the command where its schema is missing or old."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  (start-up time of --help)

    from feedback_app.domain.errors import DomainError  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import own_aspects, register  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.storage import migrate  # noqa: PLC0415  (start-up time of --help)

    settings_now = settings()
    db = _open(settings_now.database_url)
    own_aspects.use(db, settings_now.instance)
    register.use(db, settings_now.register_key, settings_now.instance)
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
    from feedback_app.domain.errors import DomainError, Invalid  # noqa: PLC0415  (start-up time of --help)

    if isinstance(error, Invalid):
        return "; ".join(f"{problem.field or 'input'}: {explain(problem)}" for problem in error.problems)
    if not isinstance(error, DomainError):
        return str(error)
    words = WORDS.get(error.code, error.code)
    if "{" in words:
        return words.format(**error.params)
    values = ", ".join(str(value) for value in error.params.values())
    return f"{words}: {values}" if values else words


def moment(_context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """Return the time that an option names, in UTC, or end the command; to be used as its callback."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("write 2026-03-31 or 2026-03-31T14:05", param=parameter) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on the error stream; quiet where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True) as bar:
        yield bar.update
