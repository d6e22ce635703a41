"""Rows into a file whose ending gives the format; the file appears under its name only when it is whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from feedback_app.domain.errors import DomainError

Row = dict[str, Any]
Progress = Callable[[int], None]
Writer = Callable[[Iterator[Row], Sequence[str], Path], None]

SHEET_ROWS = 1_048_576
"""Rows of a sheet in .xlsx, the header among them."""
CELL_LIMIT = 32_767
"""Characters of a cell in .xlsx."""
AS_TEXT = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO-8601 in UTC with a Z."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _flat(value: Any) -> Any:
    """Return what a table's cell holds: lists and objects as JSON, all else as it is."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _jsonl(rows: Iterator[Row], _columns: Sequence[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _csv(rows: Iterator[Row], columns: Sequence[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _flat(value) for name, value in row.items()})


def _xlsx(rows: Iterator[Row], columns: Sequence[str], path: Path) -> None:
    """Write a sheet in which every text is a text: nothing in it is a formula, a link or a number by its look."""
    with closing(xlsxwriter.Workbook(str(path), AS_TEXT)) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name)
        for number, row in enumerate(rows, 1):
            if number >= SHEET_ROWS:
                raise DomainError("too_many_rows", limit=SHEET_ROWS - 1)
            for column, name in enumerate(columns):
                _cell(sheet, number, column, _flat(row[name]))


def _cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value)
    elif value is not None:
        text = str(value)
        # The library counts an emoji as one character, office programs as two.
        if len(text.encode("utf-16-le")) // 2 > CELL_LIMIT:
            raise DomainError("cell_too_long", limit=CELL_LIMIT)
        sheet.write_string(row, column, text)


WRITERS: Mapping[str, Writer] = {".csv": _csv, ".jsonl": _jsonl, ".xlsx": _xlsx}


def check_ending(path: Path) -> None:
    """Raise DomainError for a file whose ending names no format that is written: `no_parquet`, `unknown_format`."""
    ending = path.suffix.lower()
    if ending not in WRITERS:
        raise DomainError("no_parquet" if ending == ".parquet" else "unknown_format", formats=", ".join(WRITERS))


def write_file(rows: Iterator[Row], columns: Sequence[str], path: Path, progress: Progress = lambda _step: None) -> int:
    """Write rows to a file in the format of its ending; return how many.

    Raises what `check_ending` does, and `too_many_rows` or `cell_too_long` where .xlsx cannot hold them.
    """
    check_ending(path)
    count = 0

    def counted() -> Iterator[Row]:
        nonlocal count
        for row in rows:
            yield row
            count += 1
            progress(1)

    partial = path.with_name(f".{path.name}.partial")
    try:
        WRITERS[path.suffix.lower()](counted(), columns, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count
