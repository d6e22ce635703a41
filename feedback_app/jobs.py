"""The runner of the outbox and its clock: what was written with its cause is done at least once."""

from __future__ import annotations

import hashlib
import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from flask_babel import force_locale, gettext
from sqlalchemy.engine import Connection

from feedback_app.config import BadSetting, Settings
from feedback_app.edge.languages import day
from feedback_app.services.clock import now
from feedback_app.services.letters import LETTER
from feedback_app.storage import house
from feedback_app.storage.database import Database

TICK_SECONDS = 2
ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=30)
SMTP_TIMEOUT = 20
PORTS = {"smtp": 25, "smtps": 465}

Handler = Callable[[Mapping[str, Any]], None]
log = logging.getLogger(__name__)


def message_id(key: str) -> str:
    """Return the Message-ID of a job: always the same, so that a letter sent twice is recognised as one."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@otklik>"


def _kind_name(kind: str) -> str:
    return {
        "complaint": gettext("complaint"),
        "claim": gettext("claim"),
        "suggestion": gettext("suggestion"),
        "thanks": gettext("thanks"),
    }.get(kind, kind)


def write_letter(app: Flask, settings: Settings, job: Mapping[str, Any]) -> EmailMessage:
    """Return the letter of a job in its reader's language."""
    payload, values = job["payload"], job["payload"]["values"]
    with app.test_request_context(), force_locale(payload["language"]):
        params = {
            "store": values["store"],
            "number": values["number"],
            "year": values["year"],
            "kind": _kind_name(values["kind"]),
            "due": day(date.fromisoformat(values["due_on"]), "long"),
        }
        letter = EmailMessage()
        letter["Subject"] = gettext("Store %(store)s: entry No. %(number)s of %(year)s waits for an answer", **params)
        body = gettext(
            "Entry No. %(number)s of %(year)s in the feedback book of store %(store)s: %(kind)s.\n"
            "It is to be answered by %(due)s.",
            **params,
        )
    address = f"\n\n{settings.base_url}/" if settings.base_url else ""
    letter["From"], letter["To"] = settings.mail_from, payload["to"]
    letter["Message-ID"] = message_id(job["key"])
    letter["Date"] = job["created_at"]
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(f"{body}{address}\n")
    return letter


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadSetting("OTKLIK_SMTP_URL must be smtp://user:password@host:port or smtps://…")
    port = parts.port or PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(parts.hostname, port, timeout=SMTP_TIMEOUT, context=context)
    server = smtplib.SMTP(parts.hostname, port, timeout=SMTP_TIMEOUT)
    if server.has_extn("starttls") or (server.ehlo() and server.has_extn("starttls")):
        server.starttls(context=context)
    return server


def send(settings: Settings, letter: EmailMessage) -> None:
    """Send a letter over the SMTP server of the settings; raises what SMTP raises."""
    parts = urlsplit(settings.smtp_url or "")
    with _connect(settings.smtp_url or "") as server:
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(letter)


class Runner:
    """Takes due jobs under a lease and does them; a failure is tried again later, each time after twice as long."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._db: Database = app.extensions["otklik"]
        self._settings = settings
        self._scheduler: BackgroundScheduler | None = None
        self.handlers: dict[str, Handler] = {}
        if settings.smtp_url:
            self.handlers[LETTER] = self._send_letter

    def _send_letter(self, job: Mapping[str, Any]) -> None:
        send(self._settings, write_letter(self._app, self._settings, job))

    def run_due(self, moment: datetime | None = None) -> int:
        """Do what is due and return how many jobs were done."""
        start = moment or now()
        if not self.handlers:
            return 0
        kinds = list(self.handlers)
        jobs = self._db.write(lambda connection: house.lease_jobs(connection, start, kinds))
        return sum(self._do(job, start) for job in jobs)

    def _do(self, job: Mapping[str, Any], start: datetime) -> bool:
        try:
            self.handlers[job["kind"]](job)
        except Exception as error:
            log.warning("job %s failed for the time %s: %s", job["id"], job["attempts"], type(error).__name__)
            self._later(job, start, error)
            return False
        self._db.write(lambda connection: house.finish_job(connection, job, now()))
        return True

    def _later(self, job: Mapping[str, Any], start: datetime, error: Exception) -> None:
        last = job["attempts"] >= ATTEMPTS
        due = None if last else start + FIRST_RETRY * 2 ** (job["attempts"] - 1)

        def work(connection: Connection) -> None:
            house.retry_job(connection, job, due, start, f"{type(error).__name__}: {error}")

        self._db.write(work)

    def _tick(self) -> None:
        try:
            self.run_due()
        except Exception:
            log.exception("the outbox could not be read")

    def start(self) -> None:
        """Run the outbox every two seconds in a thread of its own."""
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(self._tick, "interval", seconds=TICK_SECONDS, max_instances=1, coalesce=True)
        self._scheduler.start()

    def stop(self) -> None:
        """End the clock after the job in hand."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
