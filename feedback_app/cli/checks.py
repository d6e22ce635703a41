"""The doctor: what is wrong with an installation, each with its mend."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from feedback_app.cli import common

if TYPE_CHECKING:
    from feedback_app.config import Settings
    from feedback_app.storage.database import Database
    from feedback_app.storage.house import Stuck

LONG_WAIT = timedelta(days=1)
SERIOUS, ADVICE = "serious", "advice"
Finding = tuple[str, str, str]


def _settings_findings(settings: Settings, *, demo: bool) -> list[Finding]:
    found: list[Finding] = []
    if not settings.rate_limits:
        grade = ADVICE if demo else SERIOUS
        found.append((grade, "The rate limits are off.", "Remove OTKLIK_RATE_LIMITS=off."))
    host = urlsplit(settings.base_url or "").hostname
    if settings.base_url and not settings.https and host not in {"localhost", "127.0.0.1", "::1"}:
        mend = "Set OTKLIK_BASE_URL to an https address; kiosks work offline on https alone."
        found.append((SERIOUS, "The base URL is plain http.", mend))
    if not settings.base_url and not demo:
        mend = "Set OTKLIK_BASE_URL; posters and letters then carry that address, whatever a request says."
        found.append((ADVICE, "No base URL is set.", mend))
    key = settings.instance / "secret_key"
    if os.name == "posix" and key.exists() and key.stat().st_mode & 0o077:
        found.append((SERIOUS, "Others on this machine can read the secret key.", f"chmod 600 {key}"))
    if len(settings.secret_key) < 32:
        found.append((SERIOUS, "The secret key is short.", "Use 32 random characters or more."))
    if not settings.smtp_url:
        mend = "Set OTKLIK_SMTP_URL; letters wait in the outbox until then."
        found.append((ADVICE, "No mail server is set.", mend))
    return found


def _database_findings(db: Database) -> list[Finding]:
    from feedback_app.storage import migrate  # noqa: PLC0415  (start-up time of --help)

    found: list[Finding] = []
    if migrate.current(db) != migrate.newest(db):
        found.append((SERIOUS, "The database's schema is not the newest.", "otklik db upgrade"))
    return found


def _letter_findings(db: Database) -> list[Finding]:
    from feedback_app.services.clock import now  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services.letters import LETTER  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.storage import house  # noqa: PLC0415  (start-up time of --help)

    with db.engine.connect() as connection:
        failed = house.failed_jobs(connection, LETTER)
        waiting = house.waiting_jobs(connection, LETTER, now() - LONG_WAIT)
    found: list[Finding] = []
    if failed.count:
        mend = "Answer the entries from the feedback book in time; mend OTKLIK_SMTP_URL or the mail server."
        found.append((SERIOUS, _letters(failed, "given up after a week of trying"), mend))
    if waiting.count:
        mend = (
            "Mend OTKLIK_SMTP_URL or the mail server, and see that serve or worker runs; a week of trying is the end."
        )
        found.append((ADVICE, _letters(waiting, "not sent for longer than a day"), mend))
    return found


def _letters(stuck: Stuck, what: str) -> str:
    number = "1 letter was" if stuck.count == 1 else f"{stuck.count} letters were"
    return f"{number} {what} (last error: {stuck.last_error or 'never tried'})."


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Look at configuration, security and health; exit 1 on any serious finding."""
    from feedback_app.services.chain import is_demo  # noqa: PLC0415  (start-up time of --help)

    with common.database(any_schema=True) as database:
        findings = _database_findings(database)
        demo = not findings and is_demo(database)
        findings += [] if findings else _letter_findings(database)
        findings += _settings_findings(common.settings(), demo=demo)
    for grade, what, mend in findings:
        click.echo(f"{grade}: {what} Mend: {mend}")
    if any(grade == SERIOUS for grade, _, _ in findings):
        context.exit(1)
    click.echo("No serious findings.")
