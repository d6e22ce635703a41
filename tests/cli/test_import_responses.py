"""Importing what a kiosk could not send: every item it thanked for is in the database, once."""

from __future__ import annotations

import gzip
import json
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_app.cli import main
from feedback_app.domain.access import SYSTEM
from feedback_app.services import counting, json_rows, queue_import
from feedback_app.storage.tables import AuditEvent, Response
from tests.builders import Chain

Run = Callable[..., Result]
BOOT = "5e0c7a52-7c0b-4f5e-9a42-0f7b8f6f0c11"


@pytest.fixture
def run(any_chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Import a file in this process, into the chain of the test."""
    for name in [name for name in os.environ if name.startswith("OTKLIK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OTKLIK_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("OTKLIK_DATABASE_URL", any_chain.db.engine.url.render_as_string(hide_password=False))

    def command(*arguments: object) -> Result:
        result = CliRunner().invoke(main, ["import", "responses", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command


def exported(items: list[Any], aside: list[Any] = (), at: datetime | None = None, **clock: Any) -> dict[str, Any]:  # type: ignore[assignment]
    """A file as the kiosk's status page makes it."""
    return {
        "otklik": "kiosk-queue",
        "version": 1,
        "exported_at": (at or datetime.now(UTC)).isoformat(),
        "boot_id": BOOT,
        "monotonic_ms": 90_000_000,
        **clock,
        "responses": items,
        "quarantine": [{"id": item.get("id"), "error": "out_of_scale", "item": item} for item in aside],
    }


def laid(path: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def stored(chain: Chain) -> dict[UUID, Any]:
    with chain.db.read(SYSTEM) as session:
        return {row.id: row for row in session.scalars(sa.select(Response))}


def ids(items: list[dict[str, Any]]) -> set[UUID]:
    return {UUID(item["id"]) for item in items}


def test_what_a_kiosk_exported_is_stored_once_and_counted(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    items = [any_chain.item({"smiley": number % 4 + 1}, store="00" + str(number % 3 + 1)) for number in range(12)]
    items[3]["answers"] = {"smiley": 1, "comment": "Очередь на кассе огромная"}
    items[4].update(sequence=17, boot_id=BOOT, monotonic_ms=1_000, flags=["held"])
    file = laid(tmp_path / "queue.json", exported(items))
    result = run(file)
    assert (result.exit_code, "12 items read, 12 stored, 0 there already, 0 refused." in result.output) == (0, True)
    rows = stored(any_chain)
    assert rows.keys() == ids(items)
    assert {row.unpaired for row in rows.values()} == {False}
    assert {row.channel for row in rows.values()} == {"button"}
    assert rows[UUID(items[3]["id"])].sentiment is not None
    assert rows[UUID(items[4]["id"])].sequence == 17
    assert "held" in rows[UUID(items[4]["id"])].flags
    assert counting.verify(any_chain.db) == []
    again = run(file)
    assert (again.exit_code, "0 stored, 12 there already" in again.output) == (0, True)
    assert len(stored(any_chain)) == 12
    with any_chain.db.read(SYSTEM) as session:
        events = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "import.responses")).all()
    assert [(event.actor, event.details["stored"]) for event in events] == [("command line", 12), ("command line", 0)]


@pytest.mark.parametrize("shape", ["body", "list", "lines", "gzip", "gzipped lines", "windows"])
def test_items_are_taken_in_every_shape(run: Run, any_chain: Chain, tmp_path: Path, shape: str) -> None:
    items = [any_chain.item() for _ in range(3)]
    lines = "".join(f"{json.dumps(item)}\n\n" for item in items)
    name, content = {
        "body": ("a.json", {"sent_at": datetime.now(UTC).isoformat(), "responses": items}),
        "list": ("a.json", items),
        "lines": ("a.jsonl", lines),
        "gzip": ("a.json.gz", exported(items)),
        "gzipped lines": ("a.jsonl.gz", lines),
        "windows": ("a.json", "\ufeff" + json.dumps(exported(items), indent=2).replace("\n", "\r\n")),
    }[shape]
    result = run(laid(tmp_path / name, content))
    assert (result.exit_code, "3 stored" in result.output) == (0, True), result.output
    assert stored(any_chain).keys() == ids(items)


def test_every_refused_item_is_named_and_nothing_is_written(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    good = any_chain.item()
    other = {**good, "answers": {"smiley": 1}}
    items = [
        good,
        any_chain.item({"smiley": 9}),
        any_chain.item(point="nowhere"),
        any_chain.item(response_id="no-id"),
        any_chain.item(occurred_at="yesterday"),
        any_chain.item(form_version=99),
        other,
        "a letter",
    ]
    file = laid(tmp_path / "queue.json", exported(items, aside=[any_chain.item({"smiley": 0})]))
    result = run(file)
    assert result.exit_code == 1
    named = [line.partition(": ") for line in result.stderr.splitlines()]
    assert [place.partition(", ")[2] for place, _, _ in named] == [
        "item 2, smiley",
        "item 3, point",
        "item 4, id",
        "item 5, occurred_at",
        "item 6, form_version",
        "item 7, id",
        "item 8, item",
        "set aside, item 1, smiley",
    ]
    lines = file.read_text().splitlines()
    assert [int(place.split()[1].rstrip(",")) for place, _, _ in named][2] == lines.index('   "id": "no-id",')
    assert named[0][2] == "is outside the scale of 1 to 4"
    assert "Nothing was written" in result.output
    assert stored(any_chain) == {}
    skipped = run(file, "--skip-bad")
    assert (skipped.exit_code, "9 items read, 1 stored, 0 there already, 8 refused." in skipped.output) == (0, True)
    assert stored(any_chain).keys() == ids([good])


def test_what_the_kiosk_had_set_aside_is_tried_again(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    items, aside = [any_chain.item()], [any_chain.item(), any_chain.item()]
    result = run(laid(tmp_path / "queue.json", exported(items, aside)))
    assert (result.exit_code, "3 items read, 3 stored" in result.output) == (0, True)
    assert stored(any_chain).keys() == ids(items + aside)


def test_a_dry_run_says_what_would_be_and_writes_nothing(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    there, fresh = any_chain.item(), any_chain.item()
    any_chain.send(there)
    result = run(laid(tmp_path / "queue.json", exported([there, fresh, fresh])), "--dry-run")
    assert result.exit_code == 0
    assert "3 items read, 1 would be stored, 2 there already, 0 refused." in result.output
    assert "dry run" in result.output
    assert stored(any_chain).keys() == ids([there])


def test_an_id_that_stands_for_something_else_is_refused_wherever_it_stands(
    run: Run, any_chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_import, "SLICE", 2)
    first = any_chain.item({"smiley": 4})
    items = [first, any_chain.item(), any_chain.item(), {**first, "answers": {"smiley": 1}}, first]
    result = run(laid(tmp_path / "queue.json", exported(items)))
    assert result.exit_code == 1
    assert "item 4, id: This id was already used" in result.stderr
    assert "5 items read, 3 would be stored, 1 there already, 1 refused." in result.output


# --- times ------------------------------------------------------------------------------------------------------


def occurred(chain: Chain, item: dict[str, Any]) -> Any:
    return stored(chain)[UUID(item["id"])]


def test_a_file_that_was_carried_for_days_moves_no_tap(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    tapped, exported_at = datetime.now(UTC) - timedelta(days=9), datetime.now(UTC) - timedelta(days=7)
    item = any_chain.item(at=tapped)
    before = datetime.now(UTC)
    assert run(laid(tmp_path / "queue.json", exported([item], at=exported_at))).exit_code == 0
    row = occurred(any_chain, item)
    assert row.occurred_at == tapped
    assert row.received_at >= before
    assert row.flags == []
    assert row.skew_ms is None


def test_a_clock_that_jumped_is_set_right_by_the_counter_of_the_export(
    run: Run, any_chain: Chain, tmp_path: Path
) -> None:
    exported_at = datetime.now(UTC) - timedelta(days=3)
    item = any_chain.item(at=datetime(2001, 1, 1, tzinfo=UTC), boot_id=BOOT, monotonic_ms=90_000_000 - 3_600_000)
    assert run(laid(tmp_path / "queue.json", exported([item], at=exported_at))).exit_code == 0
    row = occurred(any_chain, item)
    assert abs(row.occurred_at - (exported_at - timedelta(hours=1))) < timedelta(seconds=1)
    assert row.claimed_at is not None


def test_an_export_from_the_future_shows_by_how_much_the_clock_is_ahead(
    run: Run, any_chain: Chain, tmp_path: Path
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=30)
    item = any_chain.item(at=ahead - timedelta(hours=2), boot_id=BOOT, monotonic_ms=90_000_000 - 7_200_000)
    assert run(laid(tmp_path / "queue.json", exported([item], at=ahead))).exit_code == 0
    row = occurred(any_chain, item)
    assert abs(row.received_at - row.occurred_at - timedelta(hours=2)) < timedelta(minutes=1)


def test_a_clock_that_tells_no_time_costs_no_answer(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    item = any_chain.item(at=datetime(2001, 1, 1, 12, tzinfo=UTC), boot_id=BOOT, monotonic_ms=60_000)
    assert run(laid(tmp_path / "queue.json", exported([item], at=datetime(2001, 1, 2, tzinfo=UTC)))).exit_code == 0
    row = occurred(any_chain, item)
    assert (row.occurred_at, row.flags) == (row.received_at, ["implausible_time"])


def test_a_list_without_clocks_is_believed(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    tapped = datetime.now(UTC) - timedelta(days=40)
    item = any_chain.item(at=tapped)
    assert run(laid(tmp_path / "a.json", [item])).exit_code == 0
    assert occurred(any_chain, item).occurred_at == tapped


# --- files that cannot be read ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", "", "cannot be read"),
        ("a.json", "no json", "cannot be read: line 1"),
        ("a.json", '{"responses": 3', "cannot be read"),
        ("a.json", "[NaN]", "NaN"),
        ("a.json", "[" * 100_000, "cannot be read"),
        ("a.json", "[] []", "more after its end"),
        ("a.json", '{"stores": [1]}', "no responses"),
        ("a.json", '{"responses": [], "responses": []}', "a second list is named responses"),
        ("a.json", '{"otklik": "kiosk-queue", "version": 2, "responses": []}', "no responses"),
        ("a.json.gz", b"plain", "cannot be read"),
        ("a.json", b'["\xff"]', "UTF-8"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(run: Run, tmp_path: Path, name: str, content: Any, says: str) -> None:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    result = run(tmp_path / name)
    assert (result.exit_code, says in result.stderr) == (1, True), result.output


def test_of_a_file_that_breaks_off_the_whole_items_can_be_saved(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    items = [any_chain.item() for _ in range(4)]
    whole = json.dumps(exported(items), indent=1)
    file = laid(tmp_path / "cut.json", whole[: whole.index(items[3]["id"]) + 5])
    result = run(file)
    assert (result.exit_code, "item 4, item: The file cannot be read" in result.stderr) == (1, True)
    assert stored(any_chain) == {}
    assert run(file, "--skip-bad").exit_code == 0
    assert stored(any_chain).keys() == ids(items[:3])


def test_an_item_of_a_second_list_never_passes_for_one_of_the_first(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    good, bad = any_chain.item(), any_chain.item({"smiley": 9})
    file = tmp_path / "twice.json"
    file.write_text(f'{{"responses": [{json.dumps(good)}], "responses": [{json.dumps(bad)}]}}')
    result = run(file)
    assert (result.exit_code, "a second list is named responses" in result.stderr) == (1, True), result.output
    assert stored(any_chain) == {}
    assert run(file, "--skip-bad").exit_code == 0
    assert stored(any_chain).keys() == ids([good])


def test_the_help_says_that_receipts_are_judged_at_the_write(run: Run) -> None:
    assert "receipt was used before shows at the write alone" in " ".join(run("--help").output.split())


def test_a_broken_line_is_one_refused_item(run: Run, any_chain: Chain, tmp_path: Path) -> None:
    items = [any_chain.item(), any_chain.item()]
    lines = [json.dumps(items[0]), '{"id": ', json.dumps(items[1])]
    file = laid(tmp_path / "a.jsonl", "\n".join(lines))
    result = run(file, "--skip-bad")
    assert "line 2, item 2, item: cannot be read" in result.stderr
    assert stored(any_chain).keys() == ids(items)


# --- partly there, large, beside a serving kiosk ----------------------------------------------------------------


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["delivered", "queued", "aside", "both"]), max_size=9), st.integers(1, 4))
def test_of_what_was_partly_delivered_already_the_rest_alone_is_added(
    chain: Chain, tmp_path_factory: pytest.TempPathFactory, fates: list[str], part: int
) -> None:
    items = [chain.item({"smiley": 3}) for _ in fates]
    before = stored(chain).keys()
    chain.send(*(item for item, fate in zip(items, fates, strict=True) if fate in ("delivered", "both")))
    queue = [item for item, fate in zip(items, fates, strict=True) if fate != "aside"]
    aside = [item for item, fate in zip(items, fates, strict=True) if fate in ("aside", "both")]
    file = laid(tmp_path_factory.mktemp("file") / "queue.json", exported(queue, aside))
    former, queue_import.SLICE = queue_import.SLICE, part
    try:
        report = queue_import.import_queue(chain.db, SYSTEM, queue_import.look(file))
    finally:
        queue_import.SLICE = former
    assert report.refused == []
    assert stored(chain).keys() - before == ids(items)
    assert report.stored == sum(fate in ("queued", "aside") for fate in fates)
    assert report.stored + report.duplicates == report.read == len(queue) + len(aside)
    assert counting.verify(chain.db) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    ),
    st.integers(1, 7),
    st.sampled_from([None, 0, 2]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_document_read_in_pieces_says_what_it_says_as_a_whole(
    tmp_path_factory: pytest.TempPathFactory, value: Any, piece: int, indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("piece") / "a.json"
    document = {"before": value, "responses": [value, 12, value], "after": 1.5, "quarantine": [value]}
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=False), encoding="utf-8", newline="")
    former, json_rows.PIECE = json_rows.PIECE, piece
    head: dict[str, Any] = {}
    try:
        rows = list(json_rows.rows(path, ("responses", "quarantine"), head))
    finally:
        json_rows.PIECE = former
    assert [(row.among, row.number, row.value) for row in rows] == [
        ("responses", 1, value),
        ("responses", 2, 12),
        ("responses", 3, value),
        ("quarantine", 1, value),
    ]
    assert head == {"before": value, "after": 1.5}


def many(path: Path, chain: Chain, count: int) -> Iterator[str]:
    pattern = json.dumps(chain.item(response_id="ID"))
    with path.open("w") as file:
        file.write('{"otklik": "kiosk-queue", "version": 1, "responses": [')
        for number in range(count):
            response_id = str(uuid4())
            yield response_id
            file.write((",\n" if number else "") + pattern.replace("ID", response_id))
        file.write("]}")


def test_a_large_file_is_not_held_in_memory(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    assert sum(1 for _ in many(path, chain, 30_000)) == 30_000
    tracemalloc.start()
    assert queue_import.look(path).count == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 5


@pytest.mark.slow
def test_taps_are_taken_while_a_large_file_comes_in(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    wanted = {UUID(one) for one in many(path, chain, 5_000)}
    waits: list[float] = []
    importing = threading.Event()
    importing.set()

    def tap() -> None:
        while importing.is_set():
            began = datetime.now(UTC)
            wanted.add(chain.a_tap(4))
            waits.append((datetime.now(UTC) - began).total_seconds())

    from_elsewhere = type(chain)(type(chain.db)(chain.db.engine.url))
    shopper = threading.Thread(target=tap)
    shopper.start()
    report = queue_import.import_queue(from_elsewhere.db, SYSTEM, queue_import.look(path))
    importing.clear()
    shopper.join()
    from_elsewhere.db.close()
    assert report.stored == 5_000
    assert stored(chain).keys() == wanted
    assert max(waits) < 3
    assert counting.verify(chain.db) == []
