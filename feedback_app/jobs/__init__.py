"""The runner of the outbox and its clock: what was written with its cause is done at least once."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from feedback_app.config import Settings
from feedback_app.jobs.mail import SMTP_TIMEOUT, NotEncrypted, kind_of, send
from feedback_app.jobs.wording import message_id, write_letter
from feedback_app.services import watch
from feedback_app.services.clock import now
from feedback_app.services.letters import ANSWER, LETTER
from feedback_app.storage import house
from feedback_app.storage.database import Database

__all__ = [
    "GIVE_UP_AFTER",
    "SMTP_TIMEOUT",
    "NotEncrypted",
    "Runner",
    "kind_of",
    "message_id",
    "send",
    "wait_after",
    "write_letter",
]

TICK_SECONDS = 2
WATCH_SECONDS = 900
"""How often deadlines are looked at: a reminder comes early in the store's day, whatever its time zone."""
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=7)
"""A letter tells of a legal deadline: it outlives a mail outage of some days."""

Handler = Callable[[Mapping[str, Any]], None]
log = logging.getLogger(__name__)


def wait_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many attempts: twice as long each time, up to an hour; None to give up.

    What counts is the time spent on trying, so that a letter is not given up because Otklik itself stood still.
    """
    doublings = int(math.log2(LONGEST_RETRY / FIRST_RETRY)) + 1
    waits = [min(FIRST_RETRY * 2 ** min(tried, doublings), LONGEST_RETRY) for tried in range(attempts)]
    return None if sum(waits[:-1], timedelta()) >= GIVE_UP_AFTER else waits[-1]


def _left_of(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is kept of a letter that was sent: of an answer that it was one; None to keep all."""
    payload = job["payload"]
    return {"letter": ANSWER} if payload.get("letter") == ANSWER else None


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
        left = _left_of(job)
        self._db.write(lambda connection: house.finish_job(connection, job, now(), left))
        return True

    def _later(self, job: Mapping[str, Any], moment: datetime, error: Exception) -> None:
        wait = wait_after(job["attempts"])
        due = None if wait is None else moment + wait
        self._db.write(lambda connection: house.retry_job(connection, job, due, moment, kind_of(error)))

    def watch(self, moment: datetime | None = None) -> int:
        """Look at every deadline and queue the letters that are due; return how many."""
        return watch.look(self._db, moment or now())

    def _watch(self) -> None:
        try:
            self.watch()
        except Exception:
            log.exception("the deadlines could not be looked at")

    def _tick(self) -> None:
        try:
            self.run_due()
        except Exception:
            log.exception("the outbox could not be read")

    def start(self) -> None:
        """Run the outbox every two seconds and look at the deadlines every quarter of an hour, each in a thread."""
        self._ending.clear()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(self._tick, "interval", seconds=TICK_SECONDS, max_instances=1, coalesce=True)
        begin = now() + timedelta(seconds=TICK_SECONDS)
        self._scheduler.add_job(
            self._watch, "interval", seconds=WATCH_SECONDS, next_run_time=begin, max_instances=1, coalesce=True
        )
        self._scheduler.start()

    def stop(self) -> None:
        """End the clock after the job in hand."""
        self._ending.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
