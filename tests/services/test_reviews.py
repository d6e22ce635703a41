"""Reviews of other systems come in whole or not at all, once, and every refused row is named."""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import DomainError
from feedback_app.services import counting
from feedback_app.services.comments import behind
from feedback_app.services.journey_map import journey
from feedback_app.services.periods import Filters
from feedback_app.services.reviews import Defaults, Report, count_rows, import_reviews
from feedback_app.storage.tables import AuditEvent, Response, Store
from tests.builders import Chain

DATA = os.environ.get("OTKLIK_TEST_DATA")
LABELLED = {
    "ru_wildberries_dev": 500,
    "ru_sentirueval_rest_train": 600,
    "en_uci_amazon_dev": 400,
    "be_apertium_mt_train": 500,
}
DEFAULTS = Defaults(store="001")


def csv_file(folder: Path, rows: Sequence[dict[str, Any]], name: str = "reviews.csv") -> Path:
    path = folder / name
    columns = list(dict.fromkeys(key for row in rows for key in row))
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def bring(chain: Chain, path: Path, defaults: Defaults | None = DEFAULTS, **more: Any) -> Report:
    return import_reviews(chain.db, SYSTEM, path, defaults, **more)


def stored(chain: Chain) -> list[Response]:
    with chain.db.read(SYSTEM) as session:
        return list(session.scalars(sa.select(Response).order_by(Response.occurred_at)))


GOOD = {
    "text": "Свежий хлеб, вежливый кассир",
    "occurred_at": "2026-03-01T18:30",
    "store": "002",
    "touchpoint": "counter",
    "language": "ru",
    "rating": "5",
    "colour": "ignored",
}


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.csv.gz"])
def test_a_review_stands_with_its_place_time_and_score(any_chain: Chain, tmp_path: Path, name: str) -> None:
    report = bring(any_chain, csv_file(tmp_path, [GOOD], name), None)
    assert (report.read, report.stored, report.duplicates, report.refused, report.written) == (1, 1, 0, [], True)
    (row,) = stored(any_chain)
    assert (row.channel, row.score, row.language, row.unpaired) == ("review", 100, "ru", False)
    assert row.answers == {"rating": 5, "text": GOOD["text"]}
    assert row.sentiment is not None
    assert row.sentiment > 0
    assert row.occurred_at == datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # the time is that of the store, in Minsk
    assert row.store_id == any_chain.store_id("002")
    assert counting.verify(any_chain.db) == []


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T18:30:00+05:00", datetime(2026, 3, 1, 13, 30, tzinfo=UTC)),
        ("2026-03-01T18:30:00Z", datetime(2026, 3, 1, 18, 30, tzinfo=UTC)),
        ("", datetime(2026, 2, 2, tzinfo=UTC)),
    ],
)
def test_times_of_reviews(chain: Chain, tmp_path: Path, written: str, moment: datetime) -> None:
    path = csv_file(tmp_path, [{**GOOD, "occurred_at": written}])
    bring(chain, path, Defaults(moment=datetime(2026, 2, 2, tzinfo=UTC)))
    assert stored(chain)[0].occurred_at == moment


def test_defaults_fill_what_the_file_does_not_have(chain: Chain, tmp_path: Path) -> None:
    path = csv_file(tmp_path, [{"text": "Очередь"}, {"text": "Дорого", "store": "002"}])
    moment = datetime.now(UTC) - timedelta(days=2)
    bring(chain, path, Defaults("001", "checkout", moment))
    rows = stored(chain)
    assert {row.store_id for row in rows} == {chain.store_id("001"), chain.store_id("002")}
    assert {row.occurred_at for row in rows} == {moment}
    with chain.db.read(SYSTEM) as session:
        points = session.scalars(sa.select(Response).options(sa.orm.joinedload(Response.point))).all()
        assert {row.point.touchpoint.key for row in points if row.point.touchpoint} == {"checkout"}


def test_the_same_file_again_brings_nothing_twice_and_equal_reviews_stay_two(any_chain: Chain, tmp_path: Path) -> None:
    rows = [{"text": "Норм"}, {"text": "Норм"}, {"text": "Хорошо", "rating": "4"}]
    path = csv_file(tmp_path, rows)
    assert bring(any_chain, path).stored == 3
    again = bring(any_chain, path)
    assert (again.stored, again.duplicates) == (0, 3)
    longer = bring(any_chain, csv_file(tmp_path, [*rows, {"text": "Норм"}], "longer.csv"))
    assert (longer.stored, longer.duplicates) == (1, 3)
    assert counting.verify(any_chain.db) == []


BAD: list[tuple[dict[str, str], str, str]] = [
    ({"text": ""}, "text", "missing_value"),
    ({"text": "  "}, "text", "missing_value"),
    ({"text": "\x00\x01"}, "text", "required"),
    ({"text": "я" * 4_001}, "text", "too_long"),
    ({"store": "999"}, "store", "unknown_store"),
    ({"touchpoint": "roof"}, "touchpoint", "unknown_touchpoint"),
    ({"language": "de"}, "language", "unknown_language"),
    ({"rating": "6"}, "rating", "out_of_scale"),
    ({"rating": "4.5"}, "rating", "wrong_type"),
    ({"rating": "nan"}, "rating", "wrong_type"),
    ({"rating": "1e400"}, "rating", "wrong_type"),
    ({"rating": "five"}, "rating", "wrong_type"),
    ({"occurred_at": "01.03.2026"}, "occurred_at", "bad_time"),
    ({"occurred_at": "2099-01-01"}, "occurred_at", "in_future"),
    ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at", "bad_time"),
    ({"occurred_at": "0001-01-01T00:30:00+14:00"}, "occurred_at", "bad_time"),
]


def test_a_refused_row_is_named_by_line_column_and_reason_and_nothing_is_written(
    any_chain: Chain, tmp_path: Path
) -> None:
    rows = [GOOD, *({**GOOD, **changes} for changes, _, _ in BAD), GOOD]
    report = bring(any_chain, csv_file(tmp_path, rows))
    assert [(one.line, one.column, one.problem.code) for one in report.refused] == [
        (line, column, code) for line, (_, column, code) in enumerate(BAD, start=3)
    ]
    assert (report.read, report.stored, report.written) == (len(rows), 0, False)
    assert stored(any_chain) == []


def test_good_rows_come_in_beside_bad_ones_where_that_is_wanted(any_chain: Chain, tmp_path: Path) -> None:
    rows = [GOOD, {**GOOD, "rating": "9"}, {**GOOD, "text": "Другой"}]
    report = bring(any_chain, csv_file(tmp_path, rows), skip_bad=True)
    assert (report.read, report.stored, len(report.refused), report.written) == (3, 2, 1, True)
    assert counting.verify(any_chain.db) == []


def test_a_dry_run_reads_everything_and_writes_nothing(any_chain: Chain, tmp_path: Path) -> None:
    report = bring(any_chain, csv_file(tmp_path, [GOOD, {**GOOD, "rating": "9"}]), dry_run=True, skip_bad=True)
    assert (report.read, len(report.refused), report.written) == (2, 1, False)
    assert stored(any_chain) == []
    with any_chain.db.read(SYSTEM) as session:
        assert list(session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "import.reviews"))) == []


def test_an_import_is_on_record(any_chain: Chain, tmp_path: Path) -> None:
    bring(any_chain, csv_file(tmp_path, [GOOD]))
    with any_chain.db.read(SYSTEM) as session:
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "import.reviews")).one()
    assert event.details == {"file": "reviews.csv", "read": 1, "stored": 1, "refused": 0}


def test_a_row_without_any_store_says_so(chain: Chain, tmp_path: Path) -> None:
    report = bring(chain, csv_file(tmp_path, [{"text": "Где я?"}]), None)
    assert [(one.column, one.problem.code) for one in report.refused] == [("store", "missing_value")]


def write_bytes(folder: Path, raw: bytes, name: str = "reviews.csv") -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def test_a_file_as_excel_writes_it_is_read(chain: Chain, tmp_path: Path) -> None:
    raw = '\ufefftext,rating\r\n"Много\r\nстрок, и запятая",4\r\n'.encode()
    assert bring(chain, write_bytes(tmp_path, raw)).stored == 1
    assert stored(chain)[0].comment == "Много\nстрок, и запятая"


def test_rows_shorter_or_longer_than_the_header_are_read_as_far_as_they_go(chain: Chain, tmp_path: Path) -> None:
    raw = b"rating,text,store\n5,good\n4,fine,001,more,and more\n\n3,so so,001\n"
    assert bring(chain, write_bytes(tmp_path, raw)).stored == 3


GZIPPED = gzip.compress(("text\n" + "".join(f"review number {n}\n" for n in range(999))).encode())
UNREADABLE = {
    "wrong encoding": ("reviews.csv", "text\nОчень плохо\n".encode("cp1251")),
    "utf-16": ("reviews.csv", "text\nfine\n".encode("utf-16")),
    "not gzip": ("reviews.csv.gz", b"text\nfine\n"),
    "gzip cut off": ("reviews.csv.gz", GZIPPED[: len(GZIPPED) // 2]),
    "gzip damaged": ("reviews.csv.gz", GZIPPED[:40] + b"\xff\xff\xff" + GZIPPED[43:]),
    "a cell without end": ("reviews.csv", b"text\n" + b"x" * 1_100_000 + b"\n"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_says_so_and_writes_nothing(chain: Chain, tmp_path: Path, kind: str) -> None:
    name, raw = UNREADABLE[kind]
    path = write_bytes(tmp_path, raw, name)
    assert count_rows(path) >= 0
    with pytest.raises(DomainError) as caught:
        bring(chain, path)
    assert caught.value.code in {"unreadable_file", "not_utf8"}
    assert stored(chain) == []


@pytest.mark.parametrize(("raw", "found"), [(b"", ""), (b"\n\n", ""), (b"review,stars\nfine,5\n", "review, stars")])
def test_a_file_without_the_column_of_texts_says_so(chain: Chain, tmp_path: Path, raw: bytes, found: str) -> None:
    with pytest.raises(DomainError) as caught:
        bring(chain, write_bytes(tmp_path, raw))
    assert (caught.value.code, caught.value.params) == ("missing_column", {"column": "text", "found": found})


@pytest.mark.parametrize("raw", ["Text;Rating\nтёплый хлеб;5\n", " text \tRATING\nтёплый хлеб\t5\n"])
def test_what_office_programs_write_is_read(chain: Chain, tmp_path: Path, raw: str) -> None:
    report = bring(chain, write_bytes(tmp_path, raw.encode()))
    assert (report.read, report.stored, report.refused) == (1, 1, [])


def test_a_file_with_a_header_alone_brings_nothing(chain: Chain, tmp_path: Path) -> None:
    report = bring(chain, write_bytes(tmp_path, b"text\n"))
    assert (report.read, report.stored, report.written) == (0, 0, True)


def labelled_texts(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for name, count in LABELLED.items():
        with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            usable = (row for row in csv.DictReader(file) if row["text"].strip() and len(row["text"]) <= 4_000)
            rows += [{"text": row["text"], "label": row["label"]} for row, _ in zip(usable, range(count), strict=False)]
    return rows


@pytest.mark.skipif(not DATA, reason="OTKLIK_TEST_DATA names no folder of labelled texts")
def test_two_thousand_real_sentences_are_scored_and_stand_on_the_map(any_chain: Chain, tmp_path: Path) -> None:
    rows = labelled_texts(Path(DATA or ""))
    assert len(rows) == 2_000
    moment = datetime.now(UTC) - timedelta(days=1)
    report = bring(any_chain, csv_file(tmp_path, rows, "labelled.csv.gz"), Defaults("001", "exit", moment))
    assert (report.read, report.stored, report.refused) == (2_000, 2_000, [])
    found = stored(any_chain)
    scored = [row for row in found if row.sentiment is not None]
    assert len(scored) >= 1_300
    by_text = Counter((row["text"].strip(), row["label"]) for row in rows)
    right = [row for row in scored if by_text[row.comment or "", "pos"] and (row.sentiment or 0) > 0]
    assert len(right) > 200
    assert counting.verify(any_chain.db) == []
    stages = {column.stage: column for column in journey(any_chain.db, SYSTEM, Filters()).stages}
    on_map = {
        name: source.estimate.n
        for name, column in stages.items()
        for source in column.sources
        if source.source == "review"
    }
    assert set(on_map) >= {"evaluation", "deal", "experience"}
    for stage in on_map:
        page = behind(any_chain.db, SYSTEM, Filters(), stage=stage)
        assert page.comments
        assert {comment.text for comment in page.comments} <= {row.comment for row in found}


def test_the_store_of_a_review_must_be_in_the_importer_s_scope(chain: Chain, tmp_path: Path) -> None:
    report = import_reviews(chain.db, chain.access("manager"), csv_file(tmp_path, [GOOD]))
    assert [(one.column, one.problem.code) for one in report.refused] == [("store", "unknown_store")]
    with chain.db.read(SYSTEM) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Store)) == 3
    assert stored(chain) == []
