"""Many rows in one statement, past the work that Core does for each: for the tables that take most rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.sql.compiler import IdentifierPreparer

Item = TypeVar("Item")
Row = Mapping[str, Any]
Convert = Callable[[Any], Any]
CHUNK = 64
"""Rows of one statement on SQLite. A statement runs without Python's lock, so that other threads go on meanwhile."""

_encode = json.JSONEncoder().encode
_as_text = json.JSONEncoder(default=str).encode


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """Yield parts of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _json(value: Any) -> str:
    if value is None:
        return "null"
    return "[]" if value == [] else _encode(value)


def _hex(value: Any) -> Any:
    return None if value is None else value.hex


def _moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError("a time without a zone is not stored")
        value = value.astimezone(UTC)
    return value.replace(tzinfo=None).isoformat(" ", "microseconds")


def _number(value: bool | None) -> int | None:
    return None if value is None else int(value)  # SQLite's driver takes long to find out what a bool is


_NOTHING = object()
_CONVERTS: tuple[tuple[type[Any], Convert], ...] = (
    (sa.Uuid, _hex),
    (sa.DateTime, _moment),
    (sa.JSON, _json),
    (sa.Boolean, _number),
)


def _convert_of(column: sa.Column[Any]) -> Convert | None:
    """Return what turns a value into what SQLite keeps of it; None where it keeps the value itself."""
    kept = column.type.impl if isinstance(column.type, sa.types.TypeDecorator) else column.type
    return next((convert for kind, convert in _CONVERTS if isinstance(kept, kind)), None)


def _convert_all(rows: Sequence[list[Any]], place: int, convert: Convert) -> None:
    """Convert one column of rows in place; what stands in several rows one after another is converted once."""
    last: Any = _NOTHING
    for row in rows:
        if row[place] is not last:
            last = row[place]
            kept = convert(last)
        row[place] = kept


class ManyRows:
    """INSERT of many rows into one table; `ending` is what follows the rows, such as ON CONFLICT.

    What is kept is what the table's types would have written, so that the ORM reads it as its own.
    """

    def __init__(self, table: sa.Table, ending: str = "") -> None:
        self._ending = ending
        names = [column.name for column in table.columns]
        self._values = itemgetter(*names)
        converts = [_convert_of(column) for column in table.columns]
        self._converts = [(place, convert) for place, convert in enumerate(converts) if convert]
        self._one = f"({', '.join('?' * len(names))})"
        quoted = IdentifierPreparer(sqlite.dialect()).quote
        self._head = f"INSERT INTO {table.name} ({', '.join(quoted(name) for name in names)})"
        self._by_size: dict[int, str] = {}
        self._from_json = f"{self._head} {_select_json(table)} {ending}"

    def insert(self, connection: Connection, rows: Sequence[Row], returning: str = "") -> list[Any]:
        """Insert the rows in their order; return the column `returning` of those that went in."""
        if not rows:
            return []
        if connection.dialect.name == "postgresql":
            return _run(connection, self._from_json, (_as_text(list(rows)),), returning)
        return [one for part in chunks(rows) for one in self._insert_values(connection, part, returning)]

    def _insert_values(self, connection: Connection, rows: Sequence[Row], returning: str) -> list[Any]:
        size = len(rows)
        if size not in self._by_size:
            self._by_size[size] = f"{self._head} VALUES {', '.join([self._one] * size)} {self._ending}"
        converted = [list(self._values(row)) for row in rows]
        for place, convert in self._converts:
            _convert_all(converted, place, convert)
        return _run(connection, self._by_size[size], tuple(chain.from_iterable(converted)), returning)


def _run(connection: Connection, statement: str, values: tuple[Any, ...], returning: str) -> list[Any]:
    if not returning:
        connection.exec_driver_sql(statement, values)
        return []
    return list(connection.exec_driver_sql(f"{statement} RETURNING {returning}", values).scalars())


def _select_json(table: sa.Table) -> str:
    """Return the SELECT that makes rows of one JSON array on PostgreSQL: one value to send, however many the rows."""
    dialect = postgresql.dialect()
    quoted = dialect.identifier_preparer.quote
    names = [quoted(column.name) for column in table.columns]
    kinds = [column.type.compile(dialect) for column in table.columns]
    # The types write the JSON null, not NULL, where there is nothing.
    read = [f"coalesce({name}, 'null')" if kind == "JSON" else name for name, kind in zip(names, kinds, strict=True)]
    fields = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    return f"SELECT {', '.join(read)} FROM json_to_recordset(%s::json) AS given({fields})"  # noqa: S608  (names alone)
