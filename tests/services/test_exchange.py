"""Responses in a file: the contract's columns, the reader's scope, and no file that is half written."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import DomainError, Forbidden, NotFound
from feedback_app.services import book, exchange, intake
from feedback_app.services.exchange import count_responses, export_responses
from tests.builders import Chain

COLUMNS = [
    "id",
    "occurred_at",
    "occurred_local",
    "received_at",
    "store",
    "region",
    "touchpoint",
    "stage",
    "channel",
    "form",
    "form_version",
    "language",
    "score",
    "sentiment",
    "comment",
    "answers",
    "flags",
]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def lived_in(any_chain: Chain) -> Chain:
    """Taps of three days in two stores, an entry of the book, and one tap whose clock was wrong."""
    recent = datetime.now(UTC) - timedelta(days=3)
    for store in ("001", "002"):
        for days in range(3):
            any_chain.a_tap(2, store=store, at=recent + timedelta(days=days), comment='"Очередь";\nужас, 🙂')
    any_chain.a_tap(4, at=datetime(1970, 1, 1, tzinfo=UTC))
    book.write_entry(any_chain.db, "002", {"kind": "thanks", "text": "Дзякуй!"}, uuid4(), "be")
    return any_chain


def read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == COLUMNS
        return list(reader)


def test_a_csv_has_the_columns_of_the_contract_and_reads_back(lived_in: Chain, tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    assert export_responses(lived_in.db, SYSTEM, path) == 8
    rows = read_csv(path)
    tap = next(row for row in rows if row["store"] == "001" and row["flags"] == "[]")
    assert tap["comment"] == '"Очередь";\nужас, 🙂'
    assert json.loads(tap["answers"]) == {"smiley": 2, "comment": tap["comment"]}
    assert (tap["touchpoint"], tap["stage"], tap["channel"], tap["form"], tap["form_version"]) == (
        "checkout",
        "deal",
        "button",
        "kiosk-checkout",
        "1",
    )
    assert float(tap["score"]) == 33.333
    assert float(tap["sentiment"]) < 0
    assert tap["occurred_at"].endswith("Z")
    assert tap["occurred_local"].endswith("+03:00")
    assert datetime.fromisoformat(tap["occurred_at"]) == datetime.fromisoformat(tap["occurred_local"])
    entry = next(row for row in rows if row["channel"] == "book")
    assert (entry["touchpoint"], entry["stage"], entry["score"], entry["language"]) == ("", "", "", "be")
    assert rows == sorted(rows, key=lambda row: (row["occurred_at"], row["id"]))


def test_flagged_responses_are_there_with_their_flag(lived_in: Chain, tmp_path: Path) -> None:
    export_responses(lived_in.db, SYSTEM, tmp_path / "responses.csv")
    flagged = [row for row in read_csv(tmp_path / "responses.csv") if row["flags"] != "[]"]
    assert [json.loads(row["flags"]) for row in flagged] == [["implausible_time"]]


def test_json_lines_hold_the_same_with_their_types(lived_in: Chain, tmp_path: Path) -> None:
    export_responses(lived_in.db, SYSTEM, tmp_path / "responses.csv")
    export_responses(lived_in.db, SYSTEM, tmp_path / "responses.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "responses.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(list(line) == COLUMNS for line in lines)
    for line, row in zip(lines, read_csv(tmp_path / "responses.csv"), strict=True):
        assert line["answers"] == json.loads(row["answers"])
        assert line["score"] == (float(row["score"]) if row["score"] else None)
        assert line["touchpoint"] == (row["touchpoint"] or None)
        assert [line["id"], line["comment"] or "", line["store"]] == [row["id"], row["comment"], row["store"]]


def test_a_reader_s_file_holds_own_stores_alone(lived_in: Chain, tmp_path: Path) -> None:
    manager = lived_in.access("manager")
    assert count_responses(lived_in.db, manager) == export_responses(lived_in.db, manager, tmp_path / "own.csv") == 4
    assert {row["store"] for row in read_csv(tmp_path / "own.csv")} == {"001"}
    with pytest.raises(NotFound):
        export_responses(lived_in.db, manager, tmp_path / "other.csv", store="002")
    with pytest.raises(Forbidden):
        export_responses(lived_in.db, lived_in.access("coordinator"), tmp_path / "other.csv")
    assert [path.name for path in tmp_path.glob("*.csv")] == ["own.csv"]


def test_a_span_has_its_start_and_leaves_its_end_out(any_chain: Chain, tmp_path: Path) -> None:
    moments = [datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours) for hours in (3, 2, 1)]
    for moment in moments:
        any_chain.a_tap(3, at=moment)
    path = tmp_path / "span.csv"
    assert export_responses(any_chain.db, SYSTEM, path, since=moments[0], until=moments[2], store="001") == 2
    assert [datetime.fromisoformat(row["occurred_at"]) for row in read_csv(path)] == moments[:2]
    assert count_responses(any_chain.db, SYSTEM, since=moments[1]) == 2


def test_a_voided_response_is_left_out(lived_in: Chain, tmp_path: Path) -> None:
    voided = lived_in.a_tap(1)
    intake.void(lived_in.db, lived_in.access("director"), voided, "test")
    export_responses(lived_in.db, SYSTEM, tmp_path / "responses.csv")
    rows = read_csv(tmp_path / "responses.csv")
    assert str(voided) not in {row["id"] for row in rows}
    assert len(rows) == count_responses(lived_in.db, SYSTEM) == 8


def test_pages_meet_without_a_gap_where_many_happened_at_one_moment(
    any_chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.now(UTC) - timedelta(hours=1)
    any_chain.send(*(any_chain.item(at=moment) for _ in range(23)))
    with any_chain.db.read(SYSTEM) as session:
        seen: list[str] = []
        after = None
        while page := exchange.page_of_responses(session, after=after, limit=5):
            seen += [row["id"] for row in page]
            after = (datetime.fromisoformat(page[-1]["occurred_at"]), exchange.UUID(page[-1]["id"]))
    assert len(seen) == len(set(seen)) == 23


def test_the_file_appears_only_when_it_is_whole(lived_in: Chain, tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    path.write_text("the export of yesterday")
    seen: list[str] = []

    def stop(_step: int) -> None:
        seen.append(path.read_text())
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_responses(lived_in.db, SYSTEM, path, progress=stop)
    assert seen == ["the export of yesterday"] * 3
    assert path.read_text() == "the export of yesterday"
    assert [
        found.name for found in tmp_path.iterdir() if not found.name.startswith(("otklik", "instance", "register"))
    ] == [path.name]


def test_an_ending_that_is_not_known_is_named_with_those_that_are(any_chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(DomainError) as caught:
        export_responses(any_chain.db, SYSTEM, tmp_path / "responses.doc")
    assert caught.value.code == "unknown_format"
    assert caught.value.params == {"formats": ".csv, .jsonl, .xlsx"}


def test_an_empty_chain_makes_a_file_with_a_header_alone(any_chain: Chain, tmp_path: Path) -> None:
    assert export_responses(any_chain.db, SYSTEM, tmp_path / "none.csv") == 0
    assert read_csv(tmp_path / "none.csv") == []
