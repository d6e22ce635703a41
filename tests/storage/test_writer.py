"""Writing: what is said to be stored is on disk, and no write takes another one with it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Setting
from tests.builders import Chain

THREADS = 16


def put(key: str, value: int = 1) -> object:
    return lambda connection: house.put_setting(connection, key, {"value": value})


def keys(db: Database) -> set[str]:
    with db.engine.connect() as connection:
        return set(connection.execute(sa.select(Setting.__table__.c.key)).scalars())


def take_a_number(connection: Connection) -> int:
    """Count one up, as the feedback book does: reading and writing in one transaction."""
    table = Setting.__table__
    row = connection.execute(sa.select(table.c.value).where(table.c.key == "counter").with_for_update()).scalar_one()
    house.put_setting(connection, "counter", {"value": row["value"] + 1})
    return int(row["value"])


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[Database]:
    db = Database(sqlite_url)
    yield db
    db.close()


def test_a_write_returns_its_result_and_what_it_wrote_is_there(any_chain: Chain) -> None:
    def work(connection: Connection) -> str:
        house.put_setting(connection, "paper", {"value": 1})
        return "done"

    assert any_chain.db.write(work) == "done"
    assert "paper" in keys(any_chain.db)


def test_a_failing_write_raises_what_it_raised_and_leaves_nothing(any_chain: Chain) -> None:
    def work(connection: Connection) -> None:
        house.put_setting(connection, "half", {"value": 1})
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        any_chain.db.write(work)
    assert "half" not in keys(any_chain.db)


def test_a_write_that_the_database_refuses_takes_no_neighbour_with_it(any_chain: Chain) -> None:
    barrier = threading.Barrier(THREADS)

    def one(index: int) -> str | None:
        def work(connection: Connection) -> str:
            house.put_setting(connection, f"paper-{index}", {"value": index})
            if index % 4 == 0:
                connection.execute(sa.insert(Setting.__table__).values(key="chain", value={}))
            return f"paper-{index}"

        barrier.wait()
        try:
            return any_chain.db.write(work)
        except IntegrityError:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        written = list(pool.map(one, range(THREADS)))
    assert [index for index, key in enumerate(written) if key is None] == [0, 4, 8, 12]
    assert {key for key in keys(any_chain.db) if key.startswith("paper-")} == {key for key in written if key}


def test_sixteen_threads_lose_no_write_and_see_each_other(any_chain: Chain) -> None:
    any_chain.db.write(put("counter", 0))  # type: ignore[arg-type]
    with ThreadPoolExecutor(THREADS) as pool:
        numbers = list(pool.map(lambda _: any_chain.db.write(take_a_number), range(160)))
    assert sorted(numbers) == list(range(160))


def test_a_caller_goes_on_only_after_the_commit(any_chain: Chain) -> None:
    """Another connection sees each write at the moment its caller is told of it."""
    seen = []

    def one(index: int) -> None:
        any_chain.db.write(put(f"paper-{index}"))  # type: ignore[arg-type]
        seen.append(f"paper-{index}" in keys(any_chain.db))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(64)))
    assert seen == [True] * 64


@contextmanager
def held(db: Database) -> Iterator[None]:
    """Keep the writer busy, so that what is handed in meanwhile makes one group."""
    holds, let_go = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        holds.set()
        let_go.wait(10)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(db.write, hold)
        holds.wait(10)
        try:
            yield
        finally:
            let_go.set()
            first.result(10)


def in_one_group(db: Database, writes: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
    """Hand writes in, one after the other, while the writer is busy; return them when all are done."""
    with ThreadPoolExecutor(len(writes)) as pool:
        with held(db):
            waiting = []
            for count, write in enumerate(writes, 1):
                waiting.append(pool.submit(write))
                while db._writer._queue.qsize() < count:  # type: ignore[union-attr]
                    threading.Event().wait(0.001)
        return waiting


def test_writes_that_wait_at_the_same_moment_share_one_transaction_on_sqlite(opened: Database) -> None:
    commits: list[int] = []
    sa.event.listen(opened.engine, "commit", lambda connection: commits.append(1))
    writes = [lambda index=index: opened.write(put(f"paper-{index}")) for index in range(40)]
    for future in in_one_group(opened, writes):
        future.result(10)
    assert len(commits) == 2
    assert len([key for key in keys(opened) if key.startswith("paper-")]) == 40


class Papers:
    """A handler that puts settings; a key that begins with "bad" is refused by the database."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, connection: Connection, names: Sequence[str]) -> list[str]:
        self.calls.append(list(names))
        for name in names:
            house.put_setting(connection, name, {"value": 1})
            if name.startswith("bad"):
                connection.execute(sa.insert(Setting.__table__).values(key="chain", value={}))
        return [f"{name} is kept" for name in names]


def test_payloads_that_wait_at_the_same_moment_are_written_by_one_call(opened: Database) -> None:
    handler, names = Papers(), [f"paper-{index}" for index in range(20)]
    waiting = in_one_group(opened, [lambda name=name: opened.write_batch(handler, name) for name in names])
    assert [future.result(10) for future in waiting] == [f"{name} is kept" for name in names]
    assert handler.calls == [names]
    assert set(names) <= keys(opened)


def test_a_payload_that_fails_takes_nothing_of_its_group_with_it(opened: Database) -> None:
    handler, names = Papers(), ["paper-1", "bad-2", "paper-3", "bad-4", "paper-5"]
    waiting = in_one_group(opened, [lambda name=name: opened.write_batch(handler, name) for name in names])
    refused = [isinstance(future.exception(10), IntegrityError) for future in waiting]
    assert refused == [False, True, False, True, False]
    assert waiting[4].result() == "paper-5 is kept"
    assert handler.calls == [names, *([name] for name in names)]
    assert {"paper-1", "paper-3", "paper-5"} <= keys(opened)
    assert not {"bad-2", "bad-4"} & keys(opened)


def test_payloads_share_their_transaction_with_works_and_other_payloads(opened: Database) -> None:
    one, other = Papers(), Papers()

    def fail(connection: Connection) -> None:
        house.put_setting(connection, "half", {"value": 1})
        raise ValueError("in the middle")

    writes: list[Callable[[], Any]] = [
        lambda: opened.write_batch(one, "paper-1"),
        lambda: opened.write(put("paper-2")),  # type: ignore[arg-type]
        lambda: opened.write_batch(other, "bad-3"),
        lambda: opened.write(fail),
        lambda: opened.write_batch(one, "paper-4"),
    ]
    errors = [type(future.exception(10)) for future in in_one_group(opened, writes)]
    assert errors == [type(None), type(None), IntegrityError, ValueError, type(None)]
    assert one.calls == [["paper-1", "paper-4"]]
    assert {"paper-1", "paper-2", "paper-4"} <= keys(opened)
    assert not {"bad-3", "half"} & keys(opened)


def test_a_commit_that_fails_fails_all_of_its_group(opened: Database) -> None:
    handler = Papers()

    def full(_link: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if handler.calls and statement == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")

    sa.event.listen(opened.engine, "before_cursor_execute", full)
    writes: list[Callable[[], Any]] = [lambda: opened.write(put("paper-0"))]  # type: ignore[arg-type]
    writes += [lambda name=name: opened.write_batch(handler, name) for name in ("paper-1", "bad-2", "paper-3")]
    waiting = in_one_group(opened, writes)
    assert ["disk is full" in str(future.exception(10)) for future in waiting] == [True] * 4
    assert not {"paper-0", "paper-1", "bad-2", "paper-3"} & keys(opened)


def test_a_transaction_that_sqlite_undid_by_itself_is_told_to_nobody_as_stored(opened: Database) -> None:
    """As where the disk is full: what was written before in the group is gone, and so its writer is told."""

    def undo(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")

    with pytest.raises(OperationalError, match="no transaction"):
        opened.write(undo)
    writes: list[Callable[[], Any]] = [lambda: opened.write(put("before")), lambda: opened.write(undo)]  # type: ignore[arg-type]
    waiting = in_one_group(opened, writes)
    assert [type(future.exception(10)) for future in waiting] == [OperationalError] * 2
    assert "before" not in keys(opened)
    opened.write(put("after"))  # type: ignore[arg-type]
    assert "after" in keys(opened)


def test_a_payload_is_written_in_a_transaction_of_its_own(any_chain: Chain) -> None:
    handler = Papers()
    assert any_chain.db.write_batch(handler, "paper-1") == "paper-1 is kept"
    with pytest.raises(IntegrityError):
        any_chain.db.write_batch(handler, "bad-2")
    assert handler.calls == [["paper-1"], ["bad-2"]]
    assert "paper-1" in keys(any_chain.db)
    assert "bad-2" not in keys(any_chain.db)


def test_what_is_committed_comes_into_the_file_without_a_commit_waiting_for_it(
    opened: Database, tmp_path: Path
) -> None:
    opened.write(put("moved-by-nobody's-commit"))  # type: ignore[arg-type]
    give_up = time.monotonic() + 10
    while b"moved-by-nobody's-commit" not in (tmp_path / "otklik.db").read_bytes():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_write_inside_a_write_is_refused_and_does_not_hang_on_sqlite(opened: Database) -> None:
    with pytest.raises(RuntimeError, match="inside a write"):
        opened.write(lambda _connection: opened.write(put("inner")))  # type: ignore[arg-type]
    assert "inner" not in keys(opened)


def test_what_waits_is_finished_before_the_database_closes(opened: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(opened.write, put(f"paper-{index}")) for index in range(8)]  # type: ignore[arg-type]
        for future in waiting:
            future.result(10)
    opened.close()
    assert len([key for key in keys(opened) if key.startswith("paper-")]) == 8
    opened.engine.dispose()


def test_a_write_that_comes_while_the_database_closes_is_done_and_holds_the_closing_up_no_further(
    opened: Database,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        begun.set()
        go_on.wait(10)
        put("slow")(connection)  # type: ignore[operator]

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(opened.write, slow)
        begun.wait(10)
        closing = pool.submit(opened._writer.close)
        time.sleep(0.2)
        late = pool.submit(opened.write, put("late"))
        time.sleep(0.2)
        go_on.set()
        closing.result(10)
        first.result(10)
        late.result(10)
    assert {"slow", "late"} <= set(keys(opened))


def test_sqlite_waits_for_others_and_syncs_every_commit(opened: Database) -> None:
    with opened.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_another_process_of_sqlite_is_waited_for(opened: Database, sqlite_url: str) -> None:
    """A command at the terminal writes while the server serves: neither fails."""
    other = Database(sqlite_url)
    try:
        with ThreadPoolExecutor(8) as pool:
            both = [pool.submit(db.write, put(f"{index}")) for index, db in enumerate([opened, other] * 20)]  # type: ignore[arg-type]
            for future in both:
                future.result(20)
    finally:
        other.close()
    assert {str(index) for index in range(40)} <= keys(opened)
