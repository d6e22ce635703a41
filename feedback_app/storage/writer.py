"""The one writer: writes that wait at the same moment share one durable transaction."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from feedback_app.storage.checkpoints import Checkpointer

Result = TypeVar("Result")
Payload = TypeVar("Payload")
Work = Callable[[Connection], Result]
Handler = Callable[[Connection, Sequence[Payload]], Sequence[Result]]
"""Writes several payloads together, in order, and returns a result for each; of one alone it must be true as well."""

WRITES = "otklik_writes"
NOTED = "otklik_noted"
"""Where a write notes, in its connection's `info`, a set of what is to be told of once it is committed."""
Told = Callable[[set[Any]], None]
GROUP_LIMIT = 256
GATHER_SECONDS = 0.001
"""How long the first of a group waits for others, where the last group had several: they are on their way again."""
CACHE_KIB = 16_384
"""The writer's page cache. With SQLite's own 2 MB a large group wrote and read its pages several times over."""
SERIALIZATION_RETRIES = 5
_RETRIED_STATES = frozenset({"40001", "40P01"})

log = logging.getLogger(__name__)


class _Waiting:
    """A write on its way: what to do, and a lock that opens when it is done."""

    __slots__ = ("_done", "_error", "_result", "handler", "payload")

    def __init__(self, handler: Handler[Any, Any], payload: Any) -> None:
        self.handler = handler
        self.payload = payload
        self._result: Any = None
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def succeed(self, result: Any) -> None:
        self._result = result
        self._error = None

    def fail(self, error: BaseException) -> None:
        self._error = error

    def tell(self) -> None:
        self._done.release()

    def wait(self) -> Any:
        self._done.acquire()
        if self._error is not None:
            raise self._error
        return self._result


_Queue = queue.SimpleQueue[_Waiting | None]


def _each_alone(connection: Connection, works: Sequence[Work[Any]]) -> list[Any]:
    return [work(connection) for work in works]


class GroupCommitWriter:
    """Writes of one process into SQLite: one thread, one transaction for all that wait at the same moment.

    A failing write is rolled back to its savepoint and takes nothing with it; a failing commit fails all of its
    group. A caller returns only after the commit (synchronous=FULL: it is on disk).
    """

    def __init__(self, engine: Engine, told: Told) -> None:
        self._engine = engine.execution_options(**{WRITES: True})
        self._told = told
        self._queue: _Queue = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._checkpointer: Checkpointer | None = None
        self._crowded = False
        self._pid = 0

    def write(self, work: Work[Result]) -> Result:
        """Run `work` in the next group and return its result after the commit; raise what it raised."""
        result: Result = self.write_batch(_each_alone, work)
        return result

    def write_batch(self, handler: Handler[Payload, Result], payload: Payload) -> Result:
        """Let `handler` write the payload, with the payloads it is given by others at this moment; like `write`."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write inside a write would wait for itself")
        waiting = _Waiting(handler, payload)
        with self._starting:
            self._ensure_thread()
            self._queue.put(waiting)
        result: Result = waiting.wait()
        return result

    def close(self) -> None:
        """Finish what waits and end the thread."""
        with self._starting:  # what is put before the end is done, what comes after begins a new thread
            thread, self._thread = self._thread, None
            if thread is None or self._pid != os.getpid():
                return
            self._queue.put(None)
            self._queue = queue.SimpleQueue()  # a thread that begins now must not take the end of this one
            checkpointer, self._checkpointer = self._checkpointer, None
        thread.join(timeout=30)
        if checkpointer is not None:
            checkpointer.close()

    def _ensure_thread(self) -> None:
        if self._thread is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._checkpointer = Checkpointer(self._engine)
            self._thread = threading.Thread(
                target=self._run, args=(self._queue, self._checkpointer), name="otklik-writer", daemon=True
            )
            self._thread.start()

    def _next_group(self, waiting: _Queue) -> list[_Waiting | None]:
        group = [waiting.get()]
        if self._crowded and waiting.empty():
            time.sleep(GATHER_SECONDS)
        while len(group) < GROUP_LIMIT:
            try:
                group.append(waiting.get_nowait())
            except queue.Empty:
                break
        self._crowded = len(group) > 1
        return group

    def _run(self, queued: _Queue, checkpointer: Checkpointer) -> None:
        kept = _Kept(self._engine)
        while True:
            group = self._next_group(queued)
            waiting = [item for item in group if item is not None]
            if waiting:
                _commit_group(kept, waiting, self._told)
                checkpointer.wrote()
            if len(waiting) < len(group):
                kept.close()
                return


class _Kept:
    """The writer's own connection: it stays open, with a cache that holds the pages which every write touches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def get(self) -> Connection:
        """Return the connection, opened where it is not."""
        if self._connection is None:
            self._connection = self._engine.connect()
            driver = self._connection.connection.dbapi_connection
            assert driver is not None
            # Not by way of the Connection, which would begin a transaction.
            driver.cursor().execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return self._connection

    def close(self) -> None:
        """Close the connection and its cache; the next group gets another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.detach()  # the pool's others are small
            connection.close()


def _commit_group(kept: _Kept, group: list[_Waiting], told: Told) -> None:
    try:
        connection = kept.get()
        connection.info.pop(NOTED, None)
        _commit(connection, _calls(group))
        told(connection.info.pop(NOTED, set()))
    except BaseException as failure:
        log.exception("the commit of %d writes failed", len(group))
        for waiting in group:
            waiting.fail(failure)
        _let_go(kept)
    for waiting in group:
        waiting.tell()


def _let_go(kept: _Kept) -> None:
    try:
        kept.close()
    except Exception:
        log.warning("the connection of a commit that failed could not be closed", exc_info=True)


class _Call(NamedTuple):
    """Writes that one call of their handler makes."""

    handler: Handler[Any, Any]
    writes: Sequence[_Waiting]

    def make(self, connection: Connection) -> None:
        results = self.handler(connection, [waiting.payload for waiting in self.writes])
        for waiting, result in zip(self.writes, results, strict=True):
            waiting.succeed(result)

    def apart(self, error: Exception) -> list[_Call]:
        """Return the calls to make after this one failed: each write alone, and none for one that was."""
        if len(self.writes) == 1:
            self.writes[0].fail(error)
            return []
        log.warning("%d writes together failed, each is made alone", len(self.writes), exc_info=error)
        return [_Call(self.handler, [waiting]) for waiting in self.writes]


def _calls(group: Sequence[_Waiting]) -> list[_Call]:
    """Return the calls that a group needs, in the order in which the first of each came; works are not merged."""
    found: dict[Any, list[_Waiting]] = {}
    for waiting in group:
        key = waiting if waiting.handler is _each_alone else waiting.handler
        found.setdefault(key, []).append(waiting)
    return [_Call(writes[0].handler, writes) for writes in found.values()]


def _commit(connection: Connection, calls: list[_Call]) -> None:
    """Make the calls in one transaction."""
    if len(calls) == 1:
        calls = _commit_alone(connection, calls[0])
    if calls:
        with connection.begin():
            for call in calls:
                _make_in_savepoint(connection, call)
            _end(connection)


def _commit_alone(connection: Connection, call: _Call) -> list[_Call]:
    """Make the only call of a transaction, without a savepoint; return what is to be made instead where it failed."""
    with connection.begin() as transaction:
        try:
            call.make(connection)
        except Exception as error:
            transaction.rollback()
            return call.apart(error)
        _end(connection)
    return []


def _make_in_savepoint(connection: Connection, call: _Call) -> None:
    savepoint = connection.begin_nested()
    try:
        call.make(connection)
    except Exception as error:
        savepoint.rollback()
        for alone in call.apart(error):
            _make_in_savepoint(connection, alone)
        return
    savepoint.commit()


def _end(connection: Connection) -> None:
    # The library's own commit says nothing where SQLite undid the transaction by itself, as when the disk is full.
    connection.exec_driver_sql("COMMIT")


class DirectWriter:
    """Writes into PostgreSQL: a transaction each, run again where the database asks for it."""

    def __init__(self, engine: Engine, told: Told) -> None:
        self._engine = engine
        self._told = told

    def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction of its own; deadlocks and serialization failures are tried again."""
        result, noted = self._write(work)
        self._told(noted)
        return result

    def _write(self, work: Work[Result]) -> tuple[Result, set[Any]]:
        for attempt in range(SERIALIZATION_RETRIES):
            try:
                with self._engine.begin() as connection:
                    connection.info.pop(NOTED, None)
                    return work(connection), connection.info.pop(NOTED, set())
            except OperationalError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state not in _RETRIED_STATES or attempt == SERIALIZATION_RETRIES - 1:
                    raise
                time.sleep(0.01 * 2**attempt)
        raise AssertionError("unreachable")

    def write_batch(self, handler: Handler[Payload, Result], payload: Payload) -> Result:
        """Let `handler` write the payload in a transaction of its own."""
        return self.write(lambda connection: handler(connection, [payload])[0])

    def close(self) -> None:
        """Nothing waits: every write was a transaction of its own."""
