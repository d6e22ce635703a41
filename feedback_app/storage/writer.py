"""The one writer: writes that wait at the same moment share one durable transaction."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

Result = TypeVar("Result")
WRITES = "otklik_writes"
GROUP_LIMIT = 256
SERIALIZATION_RETRIES = 5
_RETRIED_STATES = frozenset({"40001", "40P01"})

log = logging.getLogger(__name__)


@dataclass
class _Waiting:
    work: Callable[[Connection], Any]
    done: Future[Any] = field(default_factory=Future)


class GroupCommitWriter:
    """Writes of one process into SQLite: one thread, one transaction for all that wait, a savepoint for each.

    A failing write is rolled back to its savepoint and takes nothing with it; a failing commit fails all of its
    group. A caller returns only after the commit (synchronous=FULL: it is on disk).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{WRITES: True})
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in the next group and return its result after the commit; raise what it raised."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write inside a write would wait for itself")
        waiting = _Waiting(work)
        with self._starting:
            self._ensure_thread()
            self._queue.put(waiting)
        result: Result = waiting.done.result()
        return result

    def close(self) -> None:
        """Finish what waits and end the thread."""
        with self._starting:  # what is put before the end is done, what comes after begins a new thread
            thread, self._thread = self._thread, None
            if thread is None or self._pid != os.getpid():
                return
            self._queue.put(None)
        thread.join(timeout=30)

    def _ensure_thread(self) -> None:
        if self._thread is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="otklik-writer", daemon=True)
            self._thread.start()

    def _next_group(self) -> list[_Waiting | None]:
        group = [self._queue.get()]
        while len(group) < GROUP_LIMIT:
            try:
                group.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return group

    def _run(self) -> None:
        while True:
            group = self._next_group()
            waiting = [item for item in group if item is not None]
            if waiting:
                self._commit_group(waiting)
            if len(waiting) < len(group):
                return

    def _commit_group(self, group: list[_Waiting]) -> None:
        outcomes: list[tuple[_Waiting, Any, BaseException | None]] = []
        try:
            with self._engine.connect() as connection, connection.begin():
                for waiting in group:
                    outcomes.append((waiting, *self._one(connection, waiting)))
        except BaseException as failure:
            log.exception("the commit of %d writes failed", len(group))
            for waiting in group:
                waiting.done.set_exception(failure)
            return
        for waiting, result, error in outcomes:
            if error is None:
                waiting.done.set_result(result)
            else:
                waiting.done.set_exception(error)

    @staticmethod
    def _one(connection: Connection, waiting: _Waiting) -> tuple[Any, BaseException | None]:
        savepoint = connection.begin_nested()
        try:
            result = waiting.work(connection)
        except Exception as error:
            savepoint.rollback()
            return None, error
        savepoint.commit()
        return result, None


class DirectWriter:
    """Writes into PostgreSQL: a transaction each, run again where the database asks for it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in a transaction of its own; deadlocks and serialization failures are tried again."""
        for attempt in range(SERIALIZATION_RETRIES):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except OperationalError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state not in _RETRIED_STATES or attempt == SERIALIZATION_RETRIES - 1:
                    raise
                time.sleep(0.01 * 2**attempt)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Nothing waits: every write was a transaction of its own."""
