"""Whatever is changed behind the program's back, in any row and column that the register protects, is found.

A register of two stores and two years is built once a database; each example tampers inside a transaction that is
rolled back, and verifies through the same connection.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from feedback_app.domain import register as rules
from feedback_app.services import book, register
from feedback_app.services.book import How, Photo
from feedback_app.storage import register as stored
from feedback_app.storage.anchor import Anchor
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Case, RegisterLink
from tests.builders import Chain, open_chain
from tests.conftest import TEMPLATE
from tests.postgres import Server

EXAMPLES = 60
"""Random examples a database; the systematic ones reach every column."""
COLUMNS = [(table, column) for table, columns in register.describe().items() for column in columns]
TABLES = list(register.describe())
YEARS = (datetime(2025, 12, 30, 9, tzinfo=UTC), datetime(2026, 1, 3, 9, tzinfo=UTC))


def write(chain: Chain, store: str, kind: str, photos: int = 0) -> UUID:
    entry_id = uuid4()
    raw = {"kind": kind, "text": f"Запись о {kind} в {store}", "name": "Анна", "contact": "a@b.by", "consent": True}
    pictures = tuple(Photo("image/jpeg", b"picture %d" % number) for number in range(photos))
    book.write_entry(chain.db, store, raw, entry_id, "ru", How(secret=entry_id.hex, photos=pictures))
    return entry_id


def work_on(chain: Chain, entry_id: UUID, **values: Any) -> None:
    def change(connection: Connection) -> None:
        table, keeper = Case.__table__, register.keeper_of(chain.db)
        case_id = connection.execute(sa.select(table.c.id).where(table.c.entry_id == entry_id)).scalar_one()
        connection.execute(sa.update(table).where(table.c.id == case_id).values(**values))
        words = {"note": f"заметка о деле {case_id}"}
        stored.append_case(connection, keeper, case_id, rules.NOTE, datetime.now(UTC), "user:2", words=words)

    chain.db.write(change)


def fill(chain: Chain) -> None:
    """Write what a book holds: all kinds, photos, cases that were worked on, words that were erased."""
    written: list[UUID] = []
    for year in YEARS:
        for step, (store, kind) in enumerate(
            (store, kind) for kind in ("complaint", "thanks", "claim", "suggestion") for store in ("001", "002")
        ):
            with time_machine.travel(year + timedelta(minutes=step), tick=False):
                written.append(write(chain, store, kind, photos=2 if kind in ("complaint", "claim") else 0))
    with time_machine.travel(YEARS[1] + timedelta(hours=2), tick=False):
        now = datetime.now(UTC)
        later = (now + timedelta(days=40)).date()
        work_on(chain, written[0], status="in_work", assignee_id=1, due_on=later)
        work_on(chain, written[0], status="closed", answered_at=now, closed_at=now, accepted=True)
        work_on(chain, written[1], status="waiting", forwarded_to="Поставщик", accepted=False)
        work_on(chain, written[8], status="closed", joined_to=1, closed_at=now)
        admin = chain.access("admin")
        register.erase_entry(chain.db, admin, written[8], ("text", "name", "contact", "photos"), "по просьбе")
        register.erase_entry(chain.db, admin, written[4], ("photos",), "")


@dataclass
class Book:
    """A filled register, its anchors, and a way to look at it after something was done to it."""

    db: Database
    anchors: dict[int, Anchor]
    generator: random.Random

    @contextmanager
    def tampering(self) -> Iterator[Connection]:
        """Lend a connection whose changes are undone, on which no constraint by foreign keys holds."""
        with self.db.engine.connect() as connection:
            if self.db.is_sqlite:
                raw = connection.connection.dbapi_connection
                assert raw is not None
                raw.cursor().execute("PRAGMA foreign_keys=OFF")
            else:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            yield connection
            connection.rollback()
            connection.invalidate()

    def found(self, connection: Connection) -> list[str]:
        """Return what verification says of what the connection sees."""
        keeper = register.keeper_of(self.db)
        return [str(one) for one in register.check(connection, keeper, self.anchors).findings]

    @property
    def row_key(self) -> str:
        """The database's own name of a row."""
        return "rowid" if self.db.is_sqlite else "ctid"

    def row_ids(self, connection: Connection, table: str) -> list[Any]:
        return list(connection.exec_driver_sql(f"SELECT {self.row_key} FROM {table} ORDER BY 1").scalars())

    def at(self, row_id: Any) -> str:
        return f"{self.row_key} = {row_id}" if self.db.is_sqlite else f"ctid = '{row_id}'"

    def does(self, connection: Connection, *statements: str) -> bool:
        """Run statements; say whether the database took them and anything is other than before."""
        before = self.everything(connection)
        savepoint = connection.begin_nested()
        try:
            for statement in statements:
                connection.exec_driver_sql(statement)
        except DBAPIError:
            savepoint.rollback()
            return False
        savepoint.commit()
        return self.everything(connection) != before

    def everything(self, connection: Connection) -> list[Any]:
        """Return all protected values byte by byte."""
        shape = 'typeof("{0}") || hex("{0}")' if self.db.is_sqlite else '"{0}"::text'
        read = {
            table: ", ".join(shape.format(column) for column in columns)
            for table, columns in register.describe().items()
        }
        return [
            sorted(map(repr, connection.exec_driver_sql(f"SELECT {names} FROM {table}")))
            for table, names in read.items()
        ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    folder: Path = tmp_path_factory.mktemp("tampering")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "book.db")
        url = f"sqlite:///{folder / 'book.db'}"
    else:
        server: Server = request.getfixturevalue("postgres_template")
        url = server.create_database("tampering", template=TEMPLATE)
    db = Database(url)
    register.use(db, "the tests' key", folder)
    fill(open_chain(db))
    yield Book(db, register.anchors_of(db), random.Random(5))
    db.close()
    if request.param == "postgresql":
        server.drop_database("tampering")


def test_the_untouched_register_is_whole(written: Book) -> None:
    verified = register.verify(written.db)
    assert (verified.findings, verified.stores, verified.entries) == ((), 2, 16)
    with written.tampering() as connection:
        assert written.found(connection) == []


# --- every column, one after the other ----------------------------------------------------------------------------

SAME_IN_OTHER_TYPE = ("CAST({0} AS BLOB)", "CAST({0} AS TEXT)", "CAST({0} AS REAL)", "{0} || ' '", "upper({0})")
GARBAGE = (
    "NULL",
    "'x'",
    "''",
    "x'00ff'",
    "CAST(x'ff' AS TEXT)",
    "1.5",
    "-1",
    "9e999",
    "'{{}}'",
    "'[[['",
    "'2026-01-01'",
)
DASHED = "substr({0},1,8)||'-'||substr({0},9,4)||'-'||substr({0},13,4)||'-'||substr({0},17,4)||'-'||substr({0},21)"
WITH_A_T = "replace({0}, ' ', 'T') || 'Z'"
OTHER_DIGITS = "replace({0}, '1', '١')"
PLAUSIBLE: dict[str, tuple[str, ...]] = {
    "integer": ("{0} + 1", "-{0}", "0", "NULL"),
    "text": ("{0} || ' '", "''", "'x'", "NULL", "upper({0})", "'{{}}'"),
    "uuid": ("gen_random_uuid()", "NULL"),
    "timestamp with time zone": (
        *("{0} + interval '1 microsecond'", "{0} - interval '1 day'", "'infinity'", "'-infinity'", "NULL"),
        *("{0} - interval '4050 years'", "{0} + interval '9000 years'"),
    ),
    "date": ("{0} + 1", "'infinity'", "NULL", "({0} - interval '4050 years')::date"),
    "boolean": ("NOT {0}", "NULL"),
    "bytea": ("{0} || '\\x00'", "NULL"),
}


def changes(written: Book, connection: Connection, table: str, column: str) -> tuple[str, ...]:
    """Return what a column can be made into: other values, the same in another spelling, and what is no value."""
    if written.db.is_sqlite:
        return (*SAME_IN_OTHER_TYPE, *GARBAGE, DASHED, WITH_A_T, OTHER_DIGITS, "{0} + 1")
    kind = connection.exec_driver_sql(
        "SELECT data_type FROM information_schema.columns WHERE table_name = %s AND column_name = %s", (table, column)
    ).scalar_one()
    return PLAUSIBLE[kind]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda one: str(one))
def test_every_column_is_held(written: Book, table: str, column: str) -> None:
    taken = 0
    with written.tampering() as connection:
        filled = f'SELECT {written.row_key} FROM {table} WHERE "{column}" IS NOT NULL ORDER BY 1'
        rows = list(connection.exec_driver_sql(filled).scalars()) or written.row_ids(connection, table)
        for change in changes(written, connection, table, column):
            row = written.generator.choice(rows)
            outer = connection.begin_nested()
            wanted = change.format(f'"{column}"').replace("%", "%%")
            if written.does(connection, f'UPDATE {table} SET "{column}" = {wanted} WHERE {written.at(row)}'):
                taken += 1
                assert written.found(connection), f"{table}.{column} = {wanted} in row {row}"
            outer.rollback()
    assert taken


def test_a_value_that_was_empty_is_not_filled_in(written: Book) -> None:
    with written.tampering() as connection:
        for table, column in COLUMNS:
            outer = connection.begin_nested()
            other = f'(SELECT "{column}" FROM {table} WHERE "{column}" IS NOT NULL LIMIT 1)'
            change = f'UPDATE {table} SET "{column}" = {other} WHERE "{column}" IS NULL'
            if written.does(connection, change):
                assert written.found(connection), change
            outer.rollback()


# --- at random places ---------------------------------------------------------------------------------------------

Attack = Callable[[Book, Connection], tuple[str, ...]]


def a_row(written: Book, connection: Connection, table: str) -> Any:
    return written.generator.choice(written.row_ids(connection, table))


def change_to_another_rows_value(written: Book, connection: Connection) -> tuple[str, ...]:
    table, column = written.generator.choice(COLUMNS)
    mine, other = a_row(written, connection, table), a_row(written, connection, table)
    value = f'(SELECT "{column}" FROM {table} WHERE {written.at(other)})'
    return (f'UPDATE {table} SET "{column}" = {value} WHERE {written.at(mine)}',)


def delete_a_row(written: Book, connection: Connection) -> tuple[str, ...]:
    table = written.generator.choice(TABLES)
    return (f"DELETE FROM {table} WHERE {written.at(a_row(written, connection, table))}",)


def delete_the_last_rows(written: Book, connection: Connection) -> tuple[str, ...]:
    table = written.generator.choice(TABLES)
    last = written.row_ids(connection, table)[-written.generator.randint(1, 4) :]
    return tuple(f"DELETE FROM {table} WHERE {written.at(row)}" for row in last)


def cut_the_tail(written: Book, connection: Connection) -> tuple[str, ...]:
    """Delete the last links of a store with everything that tells of them: head, entries, counter, photos, cases."""
    count = connection.exec_driver_sql("SELECT count FROM register_heads WHERE store_id = 1").scalar_one()
    keep = count - written.generator.randint(1, count - 1)
    return (
        f"DELETE FROM register_links WHERE store_id = 1 AND position > {keep}",
        "UPDATE register_heads SET "
        f"count = {keep}, link = (SELECT link FROM register_links WHERE store_id = 1 AND position = {keep}) "
        "WHERE store_id = 1",
        "DELETE FROM book_entries WHERE store_id = 1 AND id NOT IN "
        "(SELECT entry_id FROM register_links WHERE store_id = 1 AND entry_id IS NOT NULL)",
        "DELETE FROM book_photos WHERE store_id = 1 AND entry_id NOT IN (SELECT id FROM book_entries)",
        "DELETE FROM cases WHERE store_id = 1 AND id NOT IN "
        "(SELECT case_id FROM register_links WHERE store_id = 1 AND case_id IS NOT NULL)",
        "DELETE FROM book_counters WHERE store_id = 1",
        "INSERT INTO book_counters (store_id, year, last) "
        "SELECT store_id, year, max(number) FROM book_entries WHERE store_id = 1 GROUP BY store_id, year",
    )


def swap_two_rows(written: Book, connection: Connection) -> tuple[str, ...]:
    """Let two rows change contents but not places: all columns but the key, or one column."""
    table, columns = written.generator.choice(
        [(table, list(columns)) for table, columns in register.describe().items() if len(columns) > 2]
    )
    one, other = written.generator.sample(written.row_ids(connection, table), 2)
    free = [name for name in columns if name not in ("id", "store_id", "position", "year", "number", "secret_hash")]
    names = written.generator.sample(free, written.generator.choice([1, min(2, len(free)), len(free)]))
    listed = ", ".join(f'"{name}"' for name in names)
    ids = f"('{one}', '{other}')" if not written.db.is_sqlite else f"({one}, {other})"
    key = f"{written.row_key}::text" if not written.db.is_sqlite else written.row_key
    own = f"{table}.{key}"
    return (
        f"CREATE TEMPORARY TABLE swapped AS SELECT {key} AS own, {listed} FROM {table} WHERE {key} IN {ids}",
        f"UPDATE {table} SET ({listed}) = (SELECT {listed} FROM swapped WHERE own <> {own}) WHERE {key} IN {ids}",
    )


def double_a_row(written: Book, connection: Connection) -> tuple[str, ...]:
    """Insert a row once more under another key."""
    table = written.generator.choice(TABLES)
    columns = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    row = written.at(a_row(written, connection, table))
    new_id = f"'{uuid4().hex}'"
    keys = {
        "cases": {"id": "id + 1000", "response_id": new_id},
        "book_entries": {"id": new_id, "number": "number + 1000", "secret_hash": "NULL"},
        "book_photos": {"id": new_id},
        "book_counters": {"year": "year + 1"},
        "register_links": {"position": "position + 1000"},
        "register_heads": {"store_id": "3"},
    }[table]
    if table in ("book_entries", "book_photos", "register_links") and written.generator.random() < 0.5:
        keys = {**keys, "store_id": "3"}
    if not written.db.is_sqlite:
        keys = {name: f"{value}::uuid" if value == new_id else value for name, value in keys.items()}
    values = ", ".join(keys.get(name, f'"{name}"') for name in columns)
    listed = ", ".join(f'"{name}"' for name in columns)
    return (f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table} WHERE {row}",)


def re_date(written: Book, connection: Connection) -> tuple[str, ...]:
    """Give a row another time of its own kind."""
    table, column = written.generator.choice(
        [
            ("register_links", "at"),
            ("book_entries", "created_at"),
            ("book_entries", "consent_at"),
            ("cases", "opened_at"),
        ]
    )
    row = written.at(a_row(written, connection, table))
    moment = YEARS[0] + timedelta(seconds=written.generator.randint(0, 10**6))
    text = moment.strftime("%Y-%m-%d %H:%M:%S.%f") + ("" if written.db.is_sqlite else "+00")
    return (f"UPDATE {table} SET {column} = '{text}' WHERE {row}",)


ATTACKS: tuple[Attack, ...] = (
    change_to_another_rows_value,
    delete_a_row,
    delete_the_last_rows,
    cut_the_tail,
    swap_two_rows,
    double_a_row,
    re_date,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_is_done_at_random_places_is_found(written: Book, attack: Attack) -> None:
    taken = 0
    for _ in range(EXAMPLES // 4):
        with written.tampering() as connection:
            statements = attack(written, connection)
            if written.does(connection, *statements):
                taken += 1
                assert written.found(connection), statements
    assert taken >= EXAMPLES // 20


# --- made-up links --------------------------------------------------------------------------------------------------


def without_the_key(link: rules.Link) -> str:
    return rules.hang(b"", link)


def forged(
    written: Book, connection: Connection, forge: Callable[[Any], dict[str, Any]], hang: Callable[[rules.Link], str]
) -> None:
    """Change one link and hang all after it anew; the head follows."""
    table = RegisterLink.__table__
    rows = connection.execute(sa.select(table).where(table.c.store_id == 1).order_by(table.c.position)).mappings().all()
    chosen = written.generator.randrange(len(rows))
    name = stored.register_id(connection)
    assert name is not None
    previous = rows[chosen]["previous"]
    for index, row in enumerate(rows[chosen:]):
        new = {**row, **(forge(row) if not index else {}), "previous": previous}
        link = rules.Link(
            register=name,
            facts=rules.json.loads(new["facts"]),
            seals=rules.json.loads(new["seals"]),
            **{
                key: new[key]
                for key in ("store_id", "position", "at", "kind", "actor", "entry_id", "case_id", "previous")
            },
        )
        previous = hang(link)
        place = sa.and_(table.c.store_id == 1, table.c.position == row["position"])
        connection.execute(sa.update(table).where(place).values(**{**new, "link": previous}))
    connection.exec_driver_sql(f"UPDATE register_heads SET link = '{previous}' WHERE store_id = 1")


FORGERIES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "another time": lambda row: {"at": row["at"] - timedelta(days=1)},
    "another actor": lambda row: {"actor": "user:9"},
    "other facts": lambda row: {"facts": '{"made":"up"}'},
    "as it was": lambda row: {},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_chain_hung_anew_without_the_key_is_found(written: Book, forgery: str) -> None:
    for _ in range(5):
        with written.tampering() as connection:
            forged(written, connection, FORGERIES[forgery], without_the_key)
            assert "broken" in written.found(connection)[0]


def test_a_chain_hung_anew_with_the_key_is_found_at_its_anchor(written: Book) -> None:
    key = register.keeper_of(written.db).key
    for _ in range(5):
        with written.tampering() as connection:
            forged(written, connection, FORGERIES["another actor"], partial(rules.hang, key))
            assert "it is not the one that the anchor holds" in written.found(connection)[0]


@pytest.mark.parametrize("hashed", [True, False])
def test_a_made_up_link_at_the_end_is_named_as_added(written: Book, hashed: bool) -> None:
    with written.tampering() as connection:
        head = stored.heads(connection, {1})[0]
        name = stored.register_id(connection)
        assert name is not None
        at, facts = datetime(2026, 1, 4, tzinfo=UTC), {"number": 5}
        link = rules.Link(name, 1, head.count + 1, at, rules.NOTE, "writer", facts, {}, previous=head.link)
        value = without_the_key(link) if hashed else "f" * 64
        values = {
            "store_id": 1,
            "position": link.position,
            "at": at,
            "kind": rules.NOTE,
            "actor": "writer",
            "facts": rules.canonical(facts),
            "seals": "{}",
            "words": "{}",
            "salts": "{}",
            "previous": head.link,
            "link": value,
        }
        connection.execute(sa.insert(RegisterLink.__table__).values(values))
        connection.exec_driver_sql(
            f"UPDATE register_heads SET count = {head.count + 1}, link = '{value}' WHERE store_id = 1"
        )
        assert written.found(connection) == [f"store 001: link {head.count + 1} added"]


NAMED = {
    "SELECT 1": [],
    "DELETE FROM register_links WHERE store_id = 1 AND position = 4": ["store 001: link 4 missing"],
    "DELETE FROM register_links WHERE store_id = 2 AND position = 1": ["store 002: link 1 missing"],
    "DELETE FROM register_links WHERE store_id = 1": ["store 001: link 1 missing (the anchor holds"],
    "UPDATE register_links SET actor = 'x' WHERE position = 7": [
        "store 001: link 7 broken",
        "store 002: link 7 broken",
    ],
    "INSERT INTO register_heads VALUES (3, 0, '')": ["store 003: the head added"],
    "INSERT INTO book_counters VALUES (3, 2026, 4)": ["store 003: the counter of 2026 added"],
    "DELETE FROM settings WHERE key = 'register'": [
        "store 001: link 1 broken (the register's id is missing)",
        "store 002: link 1 broken (the register's id is missing)",
    ],
}


@pytest.mark.parametrize("statement", NAMED)
def test_what_was_done_is_named(written: Book, statement: str) -> None:
    with written.tampering() as connection:
        connection.exec_driver_sql(statement)
        found = written.found(connection)
    assert len(found) == len(NAMED[statement])
    assert all(one.startswith(said) for one, said in zip(found, NAMED[statement], strict=True)), found


def test_two_links_that_changed_contents_are_named(written: Book) -> None:
    with written.tampering() as connection:
        for old, new in ((3, 9999), (6, 3), (9999, 6)):
            connection.exec_driver_sql(
                f"UPDATE register_links SET position = {new} WHERE store_id = 1 AND position = {old}"
            )
        assert written.found(connection) == ["store 001: link 3 swapped (it was link 6)"]


def test_a_link_taken_out_of_the_middle_with_the_rest_moved_up_is_named(written: Book) -> None:
    with written.tampering() as connection:
        connection.exec_driver_sql("DELETE FROM register_links WHERE store_id = 1 AND position = 5")
        for step in ("position = -position", "position = -position - 1"):
            connection.exec_driver_sql(
                f"UPDATE register_links SET {step} WHERE store_id = 1 AND (position > 5 OR position < 0)"
            )
        assert written.found(connection) == ["store 001: link 5 missing"]


GARBAGE_ROWS = (
    "UPDATE settings SET value = 'x' WHERE key = 'register'",
    """UPDATE settings SET value = '["../../etc"]' WHERE key = 'register'""",
    """UPDATE settings SET value = '{"id": "../../etc/passwd"}' WHERE key = 'register'""",
    "INSERT INTO book_counters VALUES ('nowhere', 2026, 1)",
    "INSERT INTO book_counters VALUES (x'00', 2026, 1)",
    "INSERT INTO book_counters VALUES (1.5, 2026, 1)",
    "INSERT INTO book_counters VALUES (1, 'year', 'last')",
    "INSERT INTO register_heads VALUES (9223372036854775807, x'ff', 1.5)",
    "UPDATE register_heads SET count = 'many', link = x'00'",
    "UPDATE register_links SET facts = replace(hex(zeroblob(200000)), '00', '[')",
    "UPDATE book_entries SET id = x'00', number = 'one', year = CAST(x'ff0a' AS TEXT) WHERE rowid = 1",
    "UPDATE cases SET id = -1 WHERE id = 1",
)


def test_garbage_of_any_type_is_a_finding_and_no_crash(written: Book) -> None:
    if not written.db.is_sqlite:
        pytest.skip("PostgreSQL takes no values of other types")
    for statement in GARBAGE_ROWS:
        with written.tampering() as connection:
            connection.exec_driver_sql(statement)
            found = written.found(connection)
            assert found, statement
            assert all(one.isprintable() and len(one) < 300 for one in found)


def test_a_second_row_under_the_same_id_in_another_spelling_is_found(written: Book) -> None:
    if not written.db.is_sqlite:
        pytest.skip("PostgreSQL knows one spelling")
    columns = ", ".join(f'"{column}"' for column in register.describe()["book_entries"])
    values = columns.replace('"id"', DASHED.format('"id"')).replace('"number"', "-1").replace('"secret_hash"', "NULL")
    with written.tampering() as connection:
        first = "WHERE number = 1 AND store_id = 1 LIMIT 1"
        connection.exec_driver_sql(f"INSERT INTO book_entries ({columns}) SELECT {values} FROM book_entries {first}")
        assert written.found(connection) == ["store 001: entry No. -1 of 2025 added"]
