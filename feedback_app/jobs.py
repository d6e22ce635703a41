"""The runner of the outbox and its clock: what was written with its cause is done at least once."""

from __future__ import annotations

import hashlib
import logging
import math
import smtplib
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from flask_babel import force_locale, gettext

from feedback_app.config import LOOPBACK, Settings
from feedback_app.edge.languages import day
from feedback_app.services.clock import now
from feedback_app.services.letters import LETTER
from feedback_app.storage import house
from feedback_app.storage.database import Database

TICK_SECONDS = 2
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=7)
"""A letter tells of a legal deadline: it outlives a mail outage of some days."""
SMTP_TIMEOUT = 20
PORTS = {"smtp": 25, "smtps": 465}

Handler = Callable[[Mapping[str, Any]], None]
log = logging.getLogger(__name__)


class NotEncrypted(smtplib.SMTPException):
    """The mail server offers no encryption, and a password may not go to it in plain text."""


def wait_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many attempts: twice as long each time, up to an hour; None to give up.

    What counts is the time spent on trying, so that a letter is not given up because Otklik itself stood still.
    """
    doublings = int(math.log2(LONGEST_RETRY / FIRST_RETRY)) + 1
    waits = [min(FIRST_RETRY * 2 ** min(tried, doublings), LONGEST_RETRY) for tried in range(attempts)]
    return None if sum(waits[:-1], timedelta()) >= GIVE_UP_AFTER else waits[-1]


def kind_of(error: Exception) -> str:
    """Return an error as it is kept: its class, with the code of a mail server's reply.

    Never its words: they may hold an address, or a piece of a password.
    """
    code: object = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next((code for code, _ in error.recipients.values()), None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


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


def _connect(address: SplitResult) -> smtplib.SMTP:
    host, port = address.hostname or "", address.port or PORTS[address.scheme]
    if address.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=SMTP_TIMEOUT, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=SMTP_TIMEOUT)


def _encrypt(server: smtplib.SMTP) -> None:
    """Turn encryption on where the server offers it and it is not on yet."""
    server.ehlo()
    if not isinstance(server.sock, ssl.SSLSocket) and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())


def _log_in(server: smtplib.SMTP, address: SplitResult) -> None:
    if not isinstance(server.sock, ssl.SSLSocket) and address.hostname not in LOOPBACK:
        raise NotEncrypted("the mail server offers no encryption: the password was not sent")
    server.login(unquote(address.username or ""), unquote(address.password or ""))


def send(settings: Settings, letter: EmailMessage) -> None:
    """Send a letter over the SMTP server of the settings; raises NotEncrypted and what SMTP raises."""
    address = urlsplit(settings.smtp_url or "")
    with _connect(address) as server:
        _encrypt(server)
        if address.username:
            _log_in(server, address)
        server.send_message(letter)


class Runner:
    """Takes due jobs under a lease, one by one, and does them; a failure is tried again later and later."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._db: Database = app.extensions["otklik"]
        self._settings = settings
        self._scheduler: BackgroundScheduler | None = None
        self._ending = threading.Event()
        self.handlers: dict[str, Handler] = {}
        if settings.smtp_url:
            self.handlers[LETTER] = self._send_letter

    def _send_letter(self, job: Mapping[str, Any]) -> None:
        send(self._settings, write_letter(self._app, self._settings, job))

    def run_due(self, moment: datetime | None = None) -> int:
        """Do what is due when this begins, and return how many jobs were done."""
        begin, done = moment or now(), 0
        while not self._ending.is_set() and (job := self._take(moment or now(), begin)):
            done += self._do(job, moment)
        return done

    def _take(self, start: datetime, due_by: datetime) -> dict[str, Any] | None:
        """Lease one job alone: a lease over many would end while the first of them are slow."""
        kinds = list(self.handlers)
        if not kinds:
            return None
        return self._db.write(lambda connection: house.lease_job(connection, start, kinds, due_by))

    def _do(self, job: Mapping[str, Any], moment: datetime | None) -> bool:
        try:
            self.handlers[job["kind"]](job)
        except Exception as error:
            log.warning("job %s failed, attempt %s: %s", job["id"], job["attempts"], kind_of(error))
            self._later(job, moment or now(), error)
            return False
        self._db.write(lambda connection: house.finish_job(connection, job, now()))
        return True

    def _later(self, job: Mapping[str, Any], moment: datetime, error: Exception) -> None:
        wait = wait_after(job["attempts"])
        due = None if wait is None else moment + wait
        self._db.write(lambda connection: house.retry_job(connection, job, due, moment, kind_of(error)))

    def _tick(self) -> None:
        try:
            self.run_due()
        except Exception:
            log.exception("the outbox could not be read")

    def start(self) -> None:
        """Run the outbox every two seconds in a thread of its own."""
        self._ending.clear()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(self._tick, "interval", seconds=TICK_SECONDS, max_instances=1, coalesce=True)
        self._scheduler.start()

    def stop(self) -> None:
        """End the clock after the job in hand."""
        self._ending.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
