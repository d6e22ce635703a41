"""The doctor: what is wrong with an installation, each with its mend."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from feedback_app.cli import common

if TYPE_CHECKING:
    from feedback_app.cli.certificates import Pair, Shelf
    from feedback_app.config import Settings
    from feedback_app.storage.database import Database
    from feedback_app.storage.house import Stuck

LONG_WAIT = timedelta(days=1)
SOON_DAYS, TOO_SOON_DAYS = 21, 7
"""Renewals come 30 days before the end: so few days left mean that none came."""
ROOT_SOON_DAYS = 90
GUIDE = "docs/tls.md"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SERIOUS, ADVICE = "serious", "advice"
Finding = tuple[str, str, str]


def _settings_findings(settings: Settings, *, demo: bool) -> list[Finding]:
    found: list[Finding] = []
    if not settings.rate_limits:
        grade = ADVICE if demo else SERIOUS
        found.append((grade, "The rate limits are off.", "Remove OTKLIK_RATE_LIMITS=off."))
    host = urlsplit(settings.base_url or "").hostname
    if settings.base_url and not settings.https and host not in LOOPBACK:
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


def _https_findings(settings: Settings) -> list[Finding]:
    """Return what keeps kiosks from working offline: browsers allow it over https, or on the same machine, alone."""
    from feedback_app.cli.certificates import Shelf  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.cli.serving import served_with  # noqa: PLC0415  (start-up time of --help)

    own = Shelf(settings.instance / "tls")
    served = served_with(settings.instance)
    found = _root_findings(own)
    if served is not None:
        found += _pair_findings(*served, own, settings)
        if settings.base_url and not settings.https:
            mend = "Set OTKLIK_BASE_URL to the https address."
            found.append((SERIOUS, "The base URL is plain http, but serve was started with a certificate.", mend))
    elif own.certificate.exists():
        mend = f"Serve with --tls-cert {own.certificate} --tls-key {own.key}"
        found.append((ADVICE, "There is a certificate that serve was not started with.", mend))
    elif not settings.base_url:
        mend = f"Make a certificate with: otklik tls create --host …, or put a proxy with https in front ({GUIDE})."
        found.append((ADVICE, "There is no https: kiosks work offline on this machine alone.", mend))
    elif settings.https and not settings.trusted_proxies:
        mend = (
            "Behind a proxy set OTKLIK_TRUSTED_PROXIES=1, else all customers count as one address; without one serve "
        )
        mend += f"with --tls-cert and --tls-key ({GUIDE})."
        found.append((ADVICE, "The base URL is https, but there is neither a certificate nor a trusted proxy.", mend))
    return found


def _root_findings(own: Shelf) -> list[Finding]:
    from feedback_app.cli import certificates  # noqa: PLC0415  (start-up time of --help)

    found: list[Finding] = []
    if not own.root.exists():
        return found
    try:
        ends = certificates.read_certificate(own.root).not_valid_after_utc
        exposed = own.root_key.exists() and certificates.readable_by_others(own.root_key)
    except (certificates.BadCertificate, OSError) as error:
        return [(SERIOUS, f"The root cannot be read: {error}", "otklik tls create --new-root --host …")]
    if exposed:
        found.append((SERIOUS, "Others on this machine can read the root's key.", f"chmod 600 {own.root_key}"))
    if ends - datetime.now(UTC) < timedelta(days=ROOT_SOON_DAYS):
        mend = "Make a new one with: otklik tls create --new-root --host …, and install it on every tablet before."
        found.append((ADVICE, f"The root that the tablets trust ends on {certificates.day(ends)}.", mend))
    return found


def _pair_findings(certificate: Path, key: Path, own: Shelf, settings: Settings) -> list[Finding]:
    from feedback_app.cli import certificates  # noqa: PLC0415  (start-up time of --help)

    renew = (
        "otklik tls renew" if own.is_for(certificate) else "Renew it where it came from; serve takes it over itself."
    )
    try:
        pair = certificates.read_pair(certificate, key)
        host = urlsplit(settings.base_url or "").hostname
        doubts = certificates.doubts(pair, key, [host] if host else [], datetime.now(UTC))
    except (certificates.BadCertificate, OSError) as error:
        return [(SERIOUS, f"The certificate cannot be served anew: {error}", renew)]
    return [(SERIOUS, doubt.what, doubt.mend or renew) for doubt in doubts] + _time_findings(pair, renew)


def _time_findings(pair: Pair, renew: str) -> list[Finding]:
    left = pair.days_left(datetime.now(UTC))
    if not 0 <= left < SOON_DAYS:
        return []
    grade = SERIOUS if left < TOO_SOON_DAYS else ADVICE
    return [(grade, f"The certificate ends in {left} days and was not renewed.", renew)]


def _kiosk_findings(db: Database) -> list[Finding]:
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.domain.fleet import State  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import fleet  # noqa: PLC0415  (start-up time of --help)

    states = [state for kiosk in fleet.kiosks(db, SYSTEM) for state in kiosk.states]
    found: list[Finding] = []
    for state, what in ((State.SILENT, "silent"), (State.FULL, "full of answers that they cannot deliver")):
        if number := states.count(state):
            counted = "1 kiosk is" if number == 1 else f"{number} kiosks are"
            found.append((ADVICE, f"{counted} {what}.", "See the kiosks' page, and look after them in the shop."))
    return found


def _model_findings(db: Database) -> list[Finding]:
    from feedback_app.services import own_model  # noqa: PLC0415  (start-up time of --help)

    with db.engine.connect() as connection:
        model = own_model.in_use(connection)
    if model is None or model.fits:
        return []
    what = f"The chain's own sentiment model, version {model.version}, was fitted on older weights and is not used."
    return [(ADVICE, what, "otklik train")]


def _register_findings(db: Database, settings: Settings) -> list[Finding]:
    """Return what keeps the register from being proven: a key for all to read, anchors that cannot be written."""
    from feedback_app.services import register  # noqa: PLC0415  (start-up time of --help)

    folder = settings.instance / register.FOLDER
    key = folder / "key"
    found: list[Finding] = []
    if os.name == "posix" and key.exists() and key.stat().st_mode & 0o077:
        found.append((SERIOUS, "Others on this machine can read the register's key.", f"chmod 600 {key}"))
    if len(settings.register_key) < 32:
        found.append(
            (SERIOUS, "The register's key is short.", "Before the first entry use 32 random characters or more.")
        )
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        found.append(
            (SERIOUS, f"The register's anchors cannot be written into {folder}.", f"chown and chmod 700 {folder}")
        )
    for store, links in register.behind(db):
        what = (
            f"The anchor of store {store} lacks the last {links} links."
            if links
            else f"The anchor of store {store} is missing."
        )
        mend = f"See that {folder} can be written and the disk is not full; look with: otklik book verify"
        found.append((SERIOUS, what, mend))
    return found


def _database_findings(db: Database) -> list[Finding]:
    from feedback_app.storage import migrate  # noqa: PLC0415  (start-up time of --help)

    found: list[Finding] = []
    if migrate.current(db) != migrate.newest(db):
        found.append((SERIOUS, "The database's schema is not the newest.", "otklik db upgrade"))
    return found


def _mapping_findings(db: Database) -> list[Finding]:
    from feedback_app.services import own_aspects  # noqa: PLC0415  (start-up time of --help)

    mend = "Mend the line, then run: otklik rescore. Until then comments are located by what was read before."
    return [
        (SERIOUS, f"The chain's own mapping cannot be read: {one.path}: {one.reason}.", mend)
        for one in own_aspects.wrong(db)
    ]


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
        if not findings:
            findings = [*_letter_findings(database), *_kiosk_findings(database), *_model_findings(database)]
            findings += _register_findings(database, common.settings())
        findings += _mapping_findings(database)
        findings += _settings_findings(common.settings(), demo=demo)
        findings += _https_findings(common.settings())
    for grade, what, mend in findings:
        click.echo(f"{grade}: {what} Mend: {mend}")
    if any(grade == SERIOUS for grade, _, _ in findings):
        context.exit(1)
    click.echo("No serious findings.")
