"""A copy of all rows in one file: a zip with a table a member, the same for every database, and a list with digests."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.storage import guards
from feedback_app.storage.database import Base
from feedback_app.storage.register_rows import as_they_lie

FORM = 1
MANIFEST = "manifest.json"
BATCH = 500
Progress = Callable[[int], None]
Reading = Callable[[Any], Any]


class Damaged(ValueError):
    """An archive that is none, or not as it was written; says which part."""


def tables() -> list[sa.Table]:
    """Return all tables, those that others point at first."""
    return Base.metadata.sorted_tables


def count_rows(connection: Connection) -> int:
    """Return how many rows there are in all."""
    return sum(connection.execute(sa.select(sa.func.count()).select_from(one)).scalar_one() for one in tables())


def _written(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    return value


def _read(column: sa.Column[Any], value: Any) -> Any:
    kind = column.type
    if isinstance(kind, sa.JSON):
        # A text of JSON, as null in JSON and no value are two things.
        return sa.null() if value is None else sa.JSON.NULL if value == "null" else json.loads(value)
    if value is None:
        return None
    if isinstance(kind, sa.TypeDecorator):
        return datetime.fromisoformat(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, sa.Uuid):
        return UUID(value)
    if isinstance(value, str):
        value.encode()  # half a letter is no text of any database
    return base64.b64decode(value, validate=True) if isinstance(kind, sa.LargeBinary) else value


class _Digesting:
    """Writes or reads a member and takes its digest on the way."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self._digest = file, hashlib.sha256()

    def write(self, content: bytes) -> None:
        self._digest.update(content)
        self.file.write(content)

    def lines(self) -> Iterator[bytes]:
        for line in self.file:
            self._digest.update(line)
            yield line

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


def _selected(connection: Connection, column: sa.Column[Any]) -> tuple[sa.ColumnElement[Any], Reading]:
    """Return what to select of a column, and what makes a value of it.

    SQLite keeps whatever somebody else wrote there, as a word for a time: it comes as it lies, for the copy to have it.
    """
    if isinstance(column.type, sa.JSON):
        return sa.cast(column, sa.Text), _written
    if connection.dialect.name != "sqlite":
        return column, _written
    read = column.type.dialect_impl(connection.dialect).result_processor(connection.dialect, None)
    if read is None:
        return sa.type_coerce(column, sa.types.NULLTYPE), _written

    def written(value: Any) -> Any:
        try:
            return _written(read(value))
        except (ValueError, TypeError, AttributeError, OverflowError):
            return _written(value)

    return sa.type_coerce(column, sa.types.NULLTYPE), written


def write_table(archive: zipfile.ZipFile, connection: Connection, table: sa.Table, step: Progress) -> dict[str, Any]:
    """Write all rows of a table; return how many, and the digest."""
    columns, readings = zip(*(_selected(connection, one) for one in table.columns), strict=True)
    rows = 0
    with archive.open(member(table), "w", force_zip64=True) as file, as_they_lie(connection):
        out = _Digesting(file)
        for row in connection.execution_options(yield_per=BATCH).execute(sa.select(*columns)):
            values = [reading(value) for reading, value in zip(readings, row, strict=True)]
            line = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
            out.write(line.encode("utf-8", "surrogatepass") + b"\n")
            rows += 1
            step(1)
    return {"rows": rows, "digest": out.digest, "columns": [column.name for column in table.columns]}


def member(table: sa.Table) -> str:
    """Return the name of a table's member."""
    return f"tables/{table.name}.jsonl"


def read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the list of an archive whose every member is as it was written; raise Damaged."""
    try:
        manifest = json.loads(archive.read(MANIFEST))
        if not isinstance(manifest, dict) or manifest.get("form") != FORM:
            raise Damaged(MANIFEST)
        columns = {table.name: [column.name for column in table.columns] for table in tables()}
        if {name: one["columns"] for name, one in manifest["tables"].items()} != columns:
            raise Damaged("tables")
        if manifest["register"] is not None and not re.fullmatch(r"[0-9a-f]{32}", manifest["register"]):
            raise Damaged("register")
        listed = {f"tables/{name}.jsonl": one for name, one in manifest["tables"].items()}
        listed |= {f"instance/{name}": one for name, one in manifest["files"].items()}
        for name, one in listed.items():
            with archive.open(name) as file:
                reading = _Digesting(file)
                count = sum(1 for _ in reading.lines())
            if reading.digest != one["digest"] or count != one.get("rows", count):
                raise Damaged(name)
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise Damaged(str(error)) from error
    return manifest


def clear(connection: Connection) -> None:
    """Delete all rows, those that are written once too."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in tables())
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
        return
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for table in guards.FROZEN_TABLES:
        connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
    for one in reversed(tables()):
        connection.execute(sa.delete(one))
    for statement in guards.statements("sqlite"):
        if "_no_delete" in statement:
            connection.exec_driver_sql(statement)


def _row(table: sa.Table, number: int, line: bytes) -> dict[str, Any]:
    place, row = f"{member(table)}, line {number}", {}
    try:
        for column, value in zip(table.columns, json.loads(line), strict=True):
            place = f"{member(table)}, line {number}, {column.name}"
            row[column.name] = _read(column, value)
    except (ValueError, TypeError, AttributeError) as error:
        raise Damaged(place) from error
    return row


def read_table(archive: zipfile.ZipFile, connection: Connection, table: sa.Table, step: Progress) -> None:
    """Insert all rows of a table; raise Damaged where a value is none of its column."""
    with archive.open(member(table)) as file:
        batch: list[dict[str, Any]] = []
        for number, line in enumerate(file, 1):
            batch.append(_row(table, number, line))
            if len(batch) == BATCH:
                connection.execute(sa.insert(table), batch)
                step(len(batch))
                batch = []
        if batch:
            connection.execute(sa.insert(table), batch)
            step(len(batch))
    if connection.dialect.name == "postgresql" and "id" in table.c and isinstance(table.c.id.type, sa.Integer):
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM \"{table.name}\" "  # noqa: S608
            "HAVING max(id) IS NOT NULL"
        )
