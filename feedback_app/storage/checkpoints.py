"""Moving what was committed from SQLite's log into its file, beside the writing instead of inside a commit."""

from __future__ import annotations

import logging
import threading
from contextlib import closing

from sqlalchemy.engine import Engine

EVERY_SECONDS = 0.25
LOG_PAGES = 16_000
"""The log's length, 64 MB, at which a commit moves it after all: where nobody did beside it, or not fast enough."""

log = logging.getLogger(__name__)


class Checkpointer:
    """A thread that empties the log after writes, so that no shopper waits for it; it holds up neither side."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wrote = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otklik-checkpoints", daemon=True)
        self._thread.start()

    def wrote(self) -> None:
        """Say that there is something to move."""
        self._wrote.set()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._wrote.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self._wrote.wait()
            self._wrote.clear()
            if not self._ended.is_set():
                self._move()

    def _move(self) -> None:
        try:
            # Not by way of a Connection, which would begin a transaction.
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except Exception:
            log.warning("the log could not be moved into the database file", exc_info=True)
