"""The books and the cases in files: the contract's columns, every format the same, no text a formula."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import DomainError, Forbidden, NotFound
from feedback_app.services import book, export_book, export_files, register
from feedback_app.services.exchange import export_responses
from feedback_app.services.export_book import Span, export_cases, export_entries
from feedback_app.storage.tables import Case, CaseResponse, RegisterLink
from tests.builders import Chain

BOOK = [
    *("id", "store", "year", "number", "kind", "text", "created_at"),
    *("status", "due_at", "answered_at", "hash", "previous_hash"),
]
CASES = [
    *("id", "store", "entry", "responses", "stage", "touchpoint", "reason", "status", "opened_at", "due_at"),
    *("first_due_at", "assignee", "answered_at", "closed_at", "forwarded_to", "accepted", "root_cause"),
    *("corrective_action", "labels", "joined_to"),
]
SPRING = datetime(2026, 4, 6, 9, 30, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://x.example","Касса")\nстоит; "долго", 🙂'
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def write(chain: Chain, kind: str = "complaint", store: str = "001", at: datetime = SPRING, **more: Any) -> UUID:
    entry_id = uuid4()
    with time_machine.travel(at, tick=False):
        book.write_entry(chain.db, store, {"kind": kind, "text": FORMULA, **more}, entry_id, "ru")
    return entry_id


@pytest.fixture
def written(any_chain: Chain) -> Chain:
    """Two entries in store 002 first, then three in store 001, the last of them in another year."""
    for day, (kind, store) in enumerate(
        [("complaint", "002"), ("thanks", "002"), ("claim", "001"), ("suggestion", "001")]
    ):
        write(any_chain, kind, store, SPRING + timedelta(days=day))
    write(any_chain, "complaint", "001", datetime(2027, 1, 5, tzinfo=UTC), text="Новый год")
    return any_chain


def read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_xlsx(path: Path) -> list[dict[str, Any]]:
    """Read the first sheet with the standard library: texts are texts, all else numbers and booleans."""
    with zipfile.ZipFile(path) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert sheet.findall(f".//{SHEET}f") == [], "a cell is a formula"
    rows = [{column_of(cell): value_of(cell) for cell in row} for row in sheet.iter(f"{SHEET}row")]
    return [{name: row.get(column) for column, name in rows[0].items()} for row in rows[1:]]


def column_of(cell: Any) -> str:
    return re.sub(r"\d", "", cell.get("r"))


def value_of(cell: Any) -> Any:
    if cell.get("t") == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{SHEET}t"))
    value = cell.find(f"{SHEET}v").text
    return value == "1" if cell.get("t") == "b" else json.loads(value)


def test_the_book_has_the_columns_of_the_contract_in_the_order_of_the_books(written: Chain, tmp_path: Path) -> None:
    assert export_entries(written.db, SYSTEM, tmp_path / "book.csv", Span()) == 5
    rows = read_csv(tmp_path / "book.csv")
    assert list(rows[0]) == BOOK
    assert [(row["store"], row["year"], row["number"]) for row in rows] == [
        ("001", "2026", "1"),
        ("001", "2026", "2"),
        ("001", "2027", "1"),
        ("002", "2026", "1"),
        ("002", "2026", "2"),
    ]
    assert [(row["kind"], row["status"]) for row in rows] == [
        ("claim", "new"),
        ("suggestion", "received"),
        ("complaint", "new"),
        ("complaint", "new"),
        ("thanks", "received"),
    ]
    first = rows[3]
    assert first["text"] == FORMULA
    assert first["created_at"] == "2026-04-06T09:30:00Z"
    assert first["due_at"] == "2026-04-21T20:59:59Z", "the end of the day in Minsk"
    assert first["answered_at"] == ""


def test_hash_and_previous_hash_are_links_of_the_chain(written: Chain, tmp_path: Path) -> None:
    export_entries(written.db, SYSTEM, tmp_path / "book.csv", Span())
    with written.db.engine.connect() as connection:
        links = {
            row.entry_id: row for row in connection.execute(sa.select(RegisterLink.__table__)) if row.kind == "entry"
        }
    rows = read_csv(tmp_path / "book.csv")
    assert [(row["hash"], row["previous_hash"]) for row in rows] == [
        (links[UUID(row["id"])].link, links[UUID(row["id"])].previous) for row in rows
    ]
    assert rows[3]["previous_hash"] == "0" * 64


@pytest.mark.parametrize(("export", "columns"), [(export_entries, BOOK), (export_cases, CASES)], ids=["book", "cases"])
def test_every_format_holds_the_same(
    written: Chain, tmp_path: Path, export: Callable[..., int], columns: list[str]
) -> None:
    for ending in ("csv", "jsonl", "xlsx"):
        export(written.db, SYSTEM, tmp_path / f"out.{ending}", Span())
    lines = read_jsonl(tmp_path / "out.jsonl")
    assert all(list(line) == columns for line in lines)
    in_cells = [
        {name: json.dumps(v, ensure_ascii=False) if isinstance(v, list) else v for name, v in line.items()}
        for line in lines
    ]
    assert read_xlsx(tmp_path / "out.xlsx") == in_cells
    assert read_csv(tmp_path / "out.csv") == [
        {name: "" if value is None else str(value) for name, value in line.items()} for line in in_cells
    ]


def test_an_erased_text_is_empty_in_the_file(written: Chain, tmp_path: Path) -> None:
    entry_id = UUID(export_and_read(written, tmp_path)[0]["id"])
    register.erase_entry(written.db, written.access("admin"), entry_id, ["text"], "просьба")
    rows = export_and_read(written, tmp_path)
    assert [row["text"] is None for row in rows] == [True, False, False, False, False]


def export_and_read(chain: Chain, folder: Path, *, export: Any = export_entries, **span: Any) -> list[dict[str, Any]]:
    count = export(chain.db, span.pop("access", SYSTEM), folder / "out.jsonl", Span(**span))
    rows = read_jsonl(folder / "out.jsonl")
    assert count == len(rows)
    return rows


def test_a_span_has_its_start_and_leaves_its_end_out(written: Chain, tmp_path: Path) -> None:
    span = {"since": SPRING + timedelta(days=1), "until": SPRING + timedelta(days=3)}
    assert [row["kind"] for row in export_and_read(written, tmp_path, **span)] == ["claim", "thanks"]
    assert export_book.count_entries(written.db, SYSTEM, Span(**span)) == 2
    assert [row["reason"] for row in export_and_read(written, tmp_path, export=export_cases, **span)] == ["claim"]
    assert export_book.count_cases(written.db, SYSTEM, Span(**span)) == 1
    assert len(export_and_read(written, tmp_path, store="002")) == 2


@pytest.mark.parametrize("export", [export_entries, export_cases])
def test_a_reader_s_file_holds_own_stores_alone(written: Chain, tmp_path: Path, export: Any) -> None:
    manager = written.access("manager")
    assert {row["store"] for row in export_and_read(written, tmp_path, export=export, access=manager)} == {"001"}
    with pytest.raises(NotFound):
        export(written.db, manager, tmp_path / "other.csv", Span(store="002"))
    with pytest.raises(Forbidden):
        export(written.db, written.access("coordinator"), tmp_path / "other.csv", Span())
    assert not (tmp_path / "other.csv").exists()


def test_pages_meet_without_a_gap(written: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cases = export_and_read(written, tmp_path), export_and_read(written, tmp_path, export=export_cases)
    monkeypatch.setattr(export_book, "PAGE", 2)
    assert export_and_read(written, tmp_path) == whole
    assert export_and_read(written, tmp_path, export=export_cases) == cases


def test_a_case_has_its_entry_its_responses_and_who_works_on_it(written: Chain, tmp_path: Path) -> None:
    further = written.a_tap(1)
    manager = written.access("manager")
    values = {
        "assignee_id": manager.user_id,
        "status": "closed",
        "due_on": date(2026, 5, 1),
        "answered_at": SPRING,
        "closed_at": SPRING + timedelta(hours=1),
        "forwarded_to": "Поставщик",
        "accepted": True,
        "root_cause": "queue",
        "corrective_action": "Вторая касса",
        "labels": ["касса", "вечер"],
    }

    def work(connection: sa.Connection) -> None:
        claim = sa.update(Case.__table__).where(Case.reason == "claim").values(**values).returning(Case.id)
        case_id = connection.execute(claim).scalar_one()
        connection.execute(
            sa.insert(CaseResponse.__table__).values(response_id=further, case_id=case_id, store_id=1, added_at=SPRING)
        )

    written.db.write(work)
    row = next(row for row in export_and_read(written, tmp_path, export=export_cases) if row["reason"] == "claim")
    assert (row["store"], row["entry"], row["responses"][1:]) == ("001", "2026/1", [str(further)])
    assert (row["assignee"], row["status"], row["accepted"]) == ("manager@otklik.example", "closed", True)
    assert (row["due_at"], row["first_due_at"]) == ("2026-05-01T20:59:59Z", "2026-04-23T20:59:59Z")
    assert (row["closed_at"], row["labels"], row["touchpoint"]) == ("2026-04-06T10:30:00Z", ["касса", "вечер"], None)
    entry = next(row for row in export_and_read(written, tmp_path) if row["kind"] == "claim")
    assert (entry["status"], entry["due_at"], entry["answered_at"]) == (
        "closed",
        "2026-05-01T20:59:59Z",
        "2026-04-06T09:30:00Z",
    )


def test_an_entry_whose_case_was_taken_in_by_another_has_that_one_s_status(written: Chain, tmp_path: Path) -> None:
    def join(connection: sa.Connection) -> None:
        query = sa.select(Case.id).where(Case.store_id == 1).order_by(Case.id)
        first, second = connection.execute(query).scalars().all()
        cases = Case.__table__
        connection.execute(sa.update(cases).where(cases.c.id == first).values(status="answered", answered_at=SPRING))
        connection.execute(sa.update(cases).where(cases.c.id == second).values(status="closed", joined_to=first))

    written.db.write(join)
    rows = [row for row in export_and_read(written, tmp_path, store="001") if row["status"] != "received"]
    assert [(row["year"], row["status"]) for row in rows] == [(2026, "answered"), (2027, "answered")]
    joined = [row["joined_to"] for row in export_and_read(written, tmp_path, export=export_cases, store="001")]
    assert joined[0] is None
    assert joined[1] is not None


def test_parquet_and_unknown_endings_are_refused_with_those_that_are_written(any_chain: Chain, tmp_path: Path) -> None:
    for ending, code in (("parquet", "no_parquet"), ("doc", "unknown_format")):
        for export in (export_entries, export_cases):
            with pytest.raises(DomainError) as caught:
                export(any_chain.db, SYSTEM, tmp_path / f"out.{ending}", Span())
            assert (caught.value.code, caught.value.params) == (code, {"formats": ".csv, .jsonl, .xlsx"})
    assert list(tmp_path.glob("out*")) == []


def test_responses_go_into_a_sheet_too(any_chain: Chain, tmp_path: Path) -> None:
    any_chain.a_tap(2, comment="=1+1", at=SPRING)
    for ending in ("xlsx", "jsonl"):
        export_responses(any_chain.db, SYSTEM, tmp_path / f"out.{ending}")
    [row], [line] = read_xlsx(tmp_path / "out.xlsx"), read_jsonl(tmp_path / "out.jsonl")
    assert (row["comment"], row["form_version"]) == ("=1+1", 1)
    assert json.loads(row["answers"]) == line["answers"]


def test_what_a_sheet_cannot_hold_is_refused_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.xlsx"
    with pytest.raises(DomainError) as caught:
        export_files.write_file(iter([{"text": "🙂" * 16_384}]), ["text"], path)
    assert caught.value.code == "cell_too_long"
    monkeypatch.setattr(export_files, "SHEET_ROWS", 3)
    with pytest.raises(DomainError) as caught:
        export_files.write_file(({"text": "а"} for _ in range(3)), ["text"], path)
    assert caught.value.code == "too_many_rows"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "jsonl", "xlsx"])
def test_the_file_appears_only_when_it_is_whole(written: Chain, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    path.write_text("the export of yesterday")

    def stop(_step: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_entries(written.db, SYSTEM, path, Span(), stop)
    assert path.read_text() == "the export of yesterday"
    assert not list(tmp_path.glob(".*.partial"))
