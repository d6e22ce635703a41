"""Rows of the register as they lie in the database, read without trusting any of it.

Never by way of the columns' own types: those raise for what somebody else wrote there. A value that this program would
not have written comes back as `Strange`, which is equal to nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.storage import house
from feedback_app.storage.register import SETTING
from feedback_app.storage.tables import BookCounter, BookEntry, BookPhoto, Case, RegisterHead, RegisterLink

TABLES = (RegisterLink, RegisterHead, BookEntry, BookCounter, BookPhoto, Case)
SHOWN = 60
"""How many characters of a value that somebody else wrote are shown."""
Row = Mapping[str, Any]
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HEX = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[0-9a-f]{32}")


class Strange:
    """A value that this program never wrote: no time, no id, no number where one belongs. Equal to nothing."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return shown(self.value)


def shown(value: Any) -> str:
    """Return a value so that any terminal shows it on one line, and the beginning of a long one alone."""
    if isinstance(value, Strange):
        return repr(value)
    if type(value) is int and abs(value) < 10**18:
        return str(value)
    text = ascii(value[: SHOWN + 1] if isinstance(value, (str, bytes)) else value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


@contextmanager
def as_they_lie(connection: Connection) -> Iterator[None]:
    """Let SQLite hand out texts that are no UTF-8 as well, instead of raising."""
    raw: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    former = raw.text_factory
    raw.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = former


def _time(value: Any) -> Any:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]}T{found[2]}Z" if found else Strange(value)


def _date(value: Any) -> Any:
    try:
        good = isinstance(value, str) and _DATE.fullmatch(value) and date.fromisoformat(value)
    except ValueError:
        good = None
    return value if good else Strange(value)


def _uuid(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return str(UUID(value)) if isinstance(value, str) and _HEX.fullmatch(value) else Strange(value)


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return bool(value) if type(value) is int and value in (0, 1) else Strange(value)


def _of_type(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is kind else Strange(value)


def _reader(column: sa.Column[Any]) -> Callable[[Any], Any]:
    """Return what makes of a column's value what the chain writes of it."""
    kind = column.type
    if isinstance(kind, sa.TypeDecorator):
        return _time
    for known, reader in (
        (sa.Uuid, _uuid),
        (sa.Date, _date),
        (sa.Boolean, _boolean),
        (sa.Integer, _of_type(int)),
        (sa.LargeBinary, _of_type(bytes)),
    ):
        if isinstance(kind, known):
            return reader
    return _of_type(str)


def _selected(column: sa.Column[Any], dialect: str) -> str:
    """Return the words that select a column: times of PostgreSQL as text, as it knows infinite ones too."""
    name = f'"{column.name}"'
    if dialect == "sqlite":
        return name
    if isinstance(column.type, sa.TypeDecorator):
        shape = f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"""
    elif isinstance(column.type, sa.Date):
        shape = f"to_char({name}, 'YYYY-MM-DD')"
    else:
        return name
    good = f"isfinite({name}) AND {name} >= '0001-01-01'"
    return f"CASE WHEN {name} IS NULL THEN NULL WHEN {good} THEN {shape} ELSE 'strange' END"


def rows(connection: Connection, table: sa.Table, names: Sequence[str], store_id: int, order: str) -> Iterator[Row]:
    """Yield a store's rows of a table with the values as the chain writes them."""
    dialect = connection.dialect.name
    readers = [(name, _reader(table.c[name])) for name in names]
    listed = ", ".join(_selected(table.c[name], dialect) for name in names)
    mark = "?" if dialect == "sqlite" else "%s"
    # Names of our own columns alone.
    statement = f'SELECT {listed} FROM "{table.name}" WHERE store_id = {mark} ORDER BY {order}'  # noqa: S608
    for found in connection.exec_driver_sql(statement, (store_id,)):
        pairs = zip(readers, found, strict=True)
        yield {name: None if value is None else read(value) for (name, read), value in pairs}


def names_of(table: sa.Table, *without: str) -> list[str]:
    """Return the names of a table's columns."""
    return [column.name for column in table.columns if column.name not in without]


def photo_content(connection: Connection, photo_id: str) -> Any:
    """Return a photo's bytes as they lie."""
    sqlite = connection.dialect.name == "sqlite"
    query = f"SELECT content FROM book_photos WHERE id = {'?' if sqlite else '%s::uuid'}"  # noqa: S608
    key = photo_id.replace("-", "") if sqlite else photo_id
    return connection.exec_driver_sql(query, (key,)).scalar()


def store_ids(connection: Connection) -> tuple[list[int], list[tuple[str, Any]]]:
    """Return the stores that have anything in the register, and what stands there as a store but cannot be one."""
    found: set[int] = set()
    strange: list[tuple[str, Any]] = []
    for model in TABLES:
        statement = f'SELECT DISTINCT store_id FROM "{model.__tablename__}"'  # noqa: S608
        for (store_id,) in connection.exec_driver_sql(statement):
            if type(store_id) is int:
                found.add(store_id)
            else:
                strange.append((model.__tablename__, store_id))
    return sorted(found), strange


def register_id(connection: Connection) -> str | None:
    """Return the id of this database's register; None where there is none, or what stands there is none."""
    try:
        found = house.get_setting(connection, SETTING)
    except ValueError:
        return None
    own = found.get("id") if isinstance(found, dict) else None
    return own if isinstance(own, str) and _ID.fullmatch(own) else None


def parsed(text: Any) -> Any:
    """Return what a canonical JSON text says; None for any other text and anything else."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
        return found if rules.canonical(found) == text else None
    except (ValueError, TypeError, RecursionError):
        return None


def texts(text: Any) -> dict[str, str] | None:
    """Return canonical JSON of texts by name; None for anything else."""
    found = parsed(text)
    good = isinstance(found, dict) and all(isinstance(one, str) for one in found.values())
    return found if good else None
