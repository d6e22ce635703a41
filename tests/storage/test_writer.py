"""Writing: what is said to be stored is on disk, and no write takes another one with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

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


def test_writes_that_wait_at_the_same_moment_share_one_transaction_on_sqlite(opened: Database) -> None:
    commits: list[int] = []
    sa.event.listen(opened.engine, "commit", lambda connection: commits.append(1))
    holds, let_go = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        holds.set()
        let_go.wait(10)

    with ThreadPoolExecutor(41) as pool:
        first = pool.submit(opened.write, hold)
        holds.wait(10)
        waiting = [pool.submit(opened.write, put(f"paper-{index}")) for index in range(40)]  # type: ignore[arg-type]
        while opened._writer._queue.qsize() < 40:  # type: ignore[union-attr]
            threading.Event().wait(0.001)
        let_go.set()
        for future in [first, *waiting]:
            future.result(10)
    assert len(commits) == 2
    assert len([key for key in keys(opened) if key.startswith("paper-")]) == 40


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
