"""The register: whatever is changed behind the program's back is found, and an erased entry is none of it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import time_machine
from alembic import command

from feedback_app.services import answers, book, counting, register
from feedback_app.services.answers import Typed
from feedback_app.services.book import How, Photo
from feedback_app.storage import migrate
from feedback_app.storage import register as stored
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookEntry, Case, Job, RegisterLink
from tests.builders import Chain

COMPLAINT = {"kind": "complaint", "text": "Касса не работала двадцать минут", "name": "Анна", "consent": True}


def write(chain: Chain, kind: str = "complaint", store: str = "001", **more: Any) -> Any:
    entry_id = uuid4()
    how = How(secret=entry_id.hex, photos=(Photo("image/jpeg", b"a picture"),))
    book.write_entry(chain.db, store, {**COMPLAINT, "kind": kind, **more}, entry_id, "ru", how)
    return entry_id


def found(chain: Chain, store: str | None = None) -> list[str]:
    return [str(finding) for finding in register.verify(chain.db, store).findings]


def behind(chain: Chain, *statements: str) -> None:
    with chain.db.engine.connect() as connection:
        if chain.db.is_sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()
        connection.invalidate()


@pytest.fixture
def written(any_chain: Chain) -> Chain:
    for kind in ("complaint", "thanks", "claim", "suggestion"):
        write(any_chain, kind)
    write(any_chain, store="002")
    return any_chain


def test_what_was_written_is_whole(written: Chain) -> None:
    verified = register.verify(written.db)
    assert (verified.findings, verified.stores, verified.links, verified.entries) == ((), 2, 8, 5)


def test_five_hundred_who_write_at_once_get_the_numbers_one_to_five_hundred(any_chain: Chain) -> None:
    def one(_: int) -> int:
        return book.write_entry(any_chain.db, "001", {"kind": "thanks", "text": "Спасибо"}, uuid4(), "ru").number

    with ThreadPoolExecutor(50) as pool:
        numbers = list(pool.map(one, range(500)))
    assert sorted(numbers) == list(range(1, 501))
    assert found(any_chain) == []


def test_the_heads_tell_how_far_each_chain_reaches(written: Chain) -> None:
    heads = register.heads(written.db)
    with written.db.engine.connect() as connection:
        last = connection.execute(
            sa.select(RegisterLink.link).where(RegisterLink.store_id == 1, RegisterLink.position == 6)
        ).scalar_one()
    assert [(code, count) for code, count, _ in heads] == [("001", 6), ("002", 2)]
    assert heads[0][2] == last


CHANGES = {
    "text": ("UPDATE book_entries SET text = 'Всё хорошо' WHERE number = 1 AND kind = 'complaint'", "entry No. 1 of"),
    "number": ("UPDATE book_entries SET number = 77 WHERE number = 2", "broken (number)"),
    "an entry": ("DELETE FROM book_entries WHERE number = 2", "entry No. 2 of"),
    "the last entry": ("DELETE FROM book_entries WHERE number = 4", "entry No. 4 of"),
    "a case": ("DELETE FROM cases WHERE reason = 'claim'", "missing"),
    "a deadline": ("UPDATE cases SET due_on = '2031-01-01'", "broken (due_on)"),
    "a link": ("DELETE FROM register_links WHERE position = 3", "link 3 missing"),
    "the last link": ("DELETE FROM register_links WHERE position = 6", "link 6 missing"),
    "a kind of link": ("UPDATE register_links SET kind = 'note' WHERE position = 2", "link 2 broken"),
    "a head": ("DELETE FROM register_heads", "the head missing"),
    "a counter": ("UPDATE book_counters SET last = 9", "the counter of"),
    "a photo": ("UPDATE book_photos SET content = salt::bytea", "content"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_behind_the_back_is_named(written: Chain, name: str) -> None:
    statement, said = CHANGES[name]
    if written.db.is_sqlite:
        statement = statement.replace("salt::bytea", "CAST('x' AS BLOB)")
    behind(written, statement)
    assert said in found(written, "001")[0]


def test_two_links_that_changed_places_are_named(written: Chain) -> None:
    behind(
        written,
        "UPDATE register_links SET position = 100 WHERE position = 2 AND store_id = 1",
        "UPDATE register_links SET position = 2 WHERE position = 4 AND store_id = 1",
        "UPDATE register_links SET position = 4 WHERE position = 100 AND store_id = 1",
    )
    assert found(written) == ["store 001: link 2 swapped (it was link 4)"]


def test_a_chain_recomputed_without_the_key_is_found(written: Chain, tmp_path: Any) -> None:
    own = written.db.keeper
    assert own is not None
    behind(written, "DELETE FROM register_links WHERE store_id = 1", "DELETE FROM register_heads WHERE store_id = 1")
    register.use(written.db, "another key", tmp_path / "elsewhere")

    def again(connection: sa.Connection) -> None:
        query = sa.select(BookEntry.id).where(BookEntry.store_id == 1).order_by(BookEntry.number)
        assert written.db.keeper is not None
        for entry_id in connection.execute(query).scalars().all():
            stored.append_entry(connection, written.db.keeper, entry_id, rules_now(connection), "writer")

    written.db.write(again)
    written.db.keeper = own
    assert found(written, "001") == [found(written, "001")[0]]
    assert "link 1 broken" in found(written, "001")[0]


def rules_now(connection: sa.Connection) -> Any:
    return connection.execute(sa.select(BookEntry.created_at).limit(1)).scalar_one()


def test_a_cut_tail_shows_at_the_anchor_even_with_a_new_head(written: Chain) -> None:
    with written.db.engine.connect() as connection:
        last = connection.execute(
            sa.select(RegisterLink.link).where(RegisterLink.store_id == 1, RegisterLink.position == 5)
        ).scalar_one()
    behind(
        written,
        "DELETE FROM register_links WHERE position = 6 AND store_id = 1",
        f"UPDATE register_heads SET count = 5, link = '{last}' WHERE store_id = 1",
        "DELETE FROM book_entries WHERE number = 4 AND store_id = 1",
        "DELETE FROM book_photos WHERE entry_id NOT IN (SELECT id FROM book_entries)",
        "UPDATE book_counters SET last = 3 WHERE store_id = 1",
    )
    assert found(written, "001") == ["store 001: link 6 missing (the anchor holds 6 links)"]


def test_a_chain_longer_than_its_anchor_is_in_order(written: Chain) -> None:
    written.db.after_commit = lambda _noted: None  # a crash between the commit and the anchor
    write(written)
    assert found(written) == []


def test_a_lost_anchor_is_found(written: Chain) -> None:
    keeper: Keeper = register.keeper_of(written.db)
    for path in keeper.folder.glob("*/store-*.jsonl"):
        path.unlink()
    assert "the anchor missing" in found(written)[0]


def test_a_line_of_the_anchor_that_a_crash_cut_off_is_none(written: Chain) -> None:
    keeper = register.keeper_of(written.db)
    for path in keeper.folder.glob("*/store-*.jsonl"):
        with path.open("a") as file:
            file.write('{"at":"2026')
    assert found(written) == []
    write(written)
    assert found(written) == []
    [path] = keeper.folder.glob("*/store-1.jsonl")
    path.write_text(path.read_text().replace('"count":2', '"count":1'))
    assert "of the anchor broken" in found(written)[0]


@pytest.mark.parametrize("names", [("name",), ("text",), ("photos",), ("text", "name", "contact", "photos")])
def test_an_erased_entry_still_verifies(written: Chain, names: tuple[str, ...]) -> None:
    entry_id = write(written, contact="anna@example.by")
    register.erase_entry(written.db, written.access("admin"), entry_id, names, "по просьбе")
    assert found(written) == []
    assert counting.verify(written.db) == []
    with written.db.engine.connect() as connection:
        row = connection.execute(sa.select(BookEntry.__table__).where(BookEntry.id == entry_id)).mappings().one()
    for name in ("text", "name", "contact"):
        assert (row[name] is None) == (name in names)
        assert (name in json.loads(row["salts"])) == (name not in names)


def test_erasing_behind_the_back_is_found(written: Chain) -> None:
    behind(written, "UPDATE book_entries SET name = NULL, salts = '{}' WHERE number = 1")
    assert "entry No. 1 of" in found(written)[0]


# --- what must not give a finding -----------------------------------------------------------------------------------


def test_verifying_while_others_write_finds_nothing(any_chain: Chain) -> None:
    write(any_chain)

    def one(number: int) -> None:
        write(any_chain, "thanks", "002" if number % 3 else "001")

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(one, number) for number in range(40)]
        while not all(each.done() for each in writing):
            assert found(any_chain) == []
        assert [each.result() for each in writing] == [None] * 40
    assert register.verify(any_chain.db).entries == 41


def test_two_processes_that_write_into_one_book_leave_it_whole(any_chain: Chain) -> None:
    keeper = register.keeper_of(any_chain.db)
    other = Database(any_chain.db.engine.url)
    register.use(other, keeper.key.decode(), keeper.folder.parent)
    chains = (any_chain, Chain(other))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: write(chains[number % 2], "claim"), range(24)))
    assert found(any_chain) == found(chains[1]) == []
    assert register.heads(other) == [("001", 48, register.heads(any_chain.db)[0][2])]
    other.close()


def test_a_clock_that_was_set_back_leaves_it_whole(any_chain: Chain) -> None:
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for shift in (0, 5, -3, -2, 1):
        with time_machine.travel(start + timedelta(days=shift), tick=False):
            write(any_chain, "thanks")
    assert found(any_chain) == []
    with any_chain.db.engine.connect() as connection:
        rows = connection.execute(sa.select(BookEntry.year, BookEntry.number).order_by(BookEntry.created_at)).all()
    assert sorted(map(tuple, rows)) == [(2025, 1), (2025, 2), (2026, 1), (2026, 2), (2026, 3)]


def test_a_write_that_fails_among_others_takes_its_link_and_its_number_with_it(any_chain: Chain) -> None:
    def one(number: int) -> bool:
        def fails(connection: sa.Connection) -> None:
            keeper = register.keeper_of(any_chain.db)
            stored.append(connection, keeper, any_chain.store_id("001"), "note", datetime.now(UTC), "system")
            raise ZeroDivisionError

        if number % 3:
            write(any_chain, "thanks")
            return True
        with pytest.raises(ZeroDivisionError):
            any_chain.db.write(fails)
        return False

    any_chain.store_id("001")
    with ThreadPoolExecutor(8) as pool:
        kept = sum(pool.map(one, range(30)))
    assert found(any_chain) == []
    assert register.heads(any_chain.db)[0][1] == kept


def test_an_anchor_that_cannot_be_written_keeps_no_entry_from_being_written(any_chain: Chain, tmp_path: Any) -> None:
    write(any_chain)
    keeper = register.keeper_of(any_chain.db)
    [path] = keeper.folder.glob("*/store-1.jsonl")
    before = path.read_bytes()
    path.unlink()
    path.mkdir()
    write(any_chain)
    path.rmdir()
    path.write_bytes(before)
    assert found(any_chain) == []
    write(any_chain)
    assert found(any_chain) == []


def test_an_anchor_that_cannot_be_read_is_a_finding(any_chain: Chain) -> None:
    write(any_chain)
    [path] = register.keeper_of(any_chain.db).folder.glob("*/store-1.jsonl")
    whole = path.read_bytes()
    for garbage, said in (
        (b"[" * 100_000 + b"\n", "line 1 of the anchor broken"),
        (b"\xff\n", "line 1 of the anchor broken"),
        (b"\n", "line 1 of the anchor broken"),
        (b"\x00" * 5000, "the anchor missing"),
        (whole + b"{}\n", "of the anchor broken"),
        (whole.replace(b'"count":2', b'"count":1'), "of the anchor broken"),
    ):
        path.write_bytes(garbage)
        assert said in found(any_chain)[0]
    path.unlink()
    path.mkdir()
    assert "the anchor broken (Is a directory)" in found(any_chain)[0]


def test_another_key_is_named_as_such(any_chain: Chain) -> None:
    write(any_chain)
    keeper = register.keeper_of(any_chain.db)
    register.use(any_chain.db, "another key", keeper.folder.parent)
    assert "is this the register's key?" in found(any_chain)[0]


def test_a_restore_is_told_of_and_the_gap_is_none(any_chain: Chain) -> None:
    write(any_chain)
    keeper = register.keeper_of(any_chain.db)
    with any_chain.db.engine.connect() as connection:
        name = stored.register_id(connection)
        head = stored.heads(connection)[0]
    assert name is not None
    keeper.drop(name, replace(head, count=9, link="f" * 64), datetime.now(UTC))
    assert "the anchor holds 9 links" in found(any_chain)[0]
    keeper.drop(name, head, datetime.now(UTC), restored=True)
    verified = register.verify(any_chain.db)
    assert verified.findings == ()
    assert "from 9 links to 2" in verified.notes[0]


def test_what_was_put_in_without_its_link_is_never_taken_in_later(written: Chain) -> None:
    behind(
        written,
        "UPDATE book_entries SET text = 'Всё хорошо', salts = '{}'",
        "DELETE FROM register_links",
        "DELETE FROM register_heads",
        "DELETE FROM settings WHERE key = 'register'",
    )
    assert register.upgrade(written.db) == 0
    assert "entry No. 1" in found(written, "001")[0]


def test_an_emptied_register_leaves_its_anchors_to_tell(written: Chain) -> None:
    tables = ("book_photos", "book_entries", "book_counters", "register_links", "register_heads", "case_steps", "cases")
    behind(written, *(f"DELETE FROM {table}" for table in tables), "DELETE FROM settings WHERE key = 'register'")
    notes = register.verify(written.db).notes
    assert any("anchors of another register" in note for note in notes)


def test_erasing_a_photo_stops_no_letter_and_erasing_the_contact_does(written: Chain) -> None:
    entry_id = write(written, contact="anna@example.by")
    director = written.access("director")
    answers.send(written.db, director, answers.case_for(written.db, director, entry_id), 1, Typed("{name}, спасибо"))

    def waiting() -> list[Any]:
        with written.db.engine.connect() as connection:
            mine = Job.__table__.c.key.like(f"answer:%{entry_id}")
            return [row.payload for row in connection.execute(sa.select(Job.__table__).where(mine))]

    register.erase_entry(written.db, director, entry_id, ("photos",), "")
    assert "anna@example.by" in json.dumps(waiting())
    register.erase_entry(written.db, director, entry_id, ("name", "contact"), "")
    assert waiting() == [{}]
    with written.db.engine.connect() as connection:
        words = connection.execute(sa.select(RegisterLink.words).where(RegisterLink.entry_id == entry_id)).scalars()
        assert "Анна" not in "".join(words)
    assert found(written) == []


@pytest.mark.parametrize("lagging", [False, True])
def test_an_id_that_was_taken_away_is_found_by_its_anchors(written: Chain, lagging: bool) -> None:
    with written.db.engine.connect() as connection:
        name = stored.register_id(connection)
    (register.keeper_of(written.db).folder / ("0" * 32)).mkdir()
    if lagging:
        told, written.db.after_commit = written.db.after_commit, lambda _noted: None
        write(written)
        write(written, store="002")
        written.db.after_commit = told
    behind(written, "DELETE FROM settings WHERE key = 'register'")
    write(written)
    with written.db.engine.connect() as connection:
        assert stored.register_id(connection) == name
    assert found(written) == []


def test_an_id_that_no_anchor_knows_is_drawn_anew(written: Chain) -> None:
    keeper = register.keeper_of(written.db)
    with written.db.engine.connect() as connection:
        name = stored.register_id(connection)
    for path in keeper.folder.glob("*/store-*.jsonl"):
        path.unlink()
    behind(written, "DELETE FROM settings WHERE key = 'register'")
    write(written)
    with written.db.engine.connect() as connection:
        assert stored.register_id(connection) not in (None, name)


def test_entries_older_than_the_register_are_taken_into_it_once(written: Chain) -> None:
    """A chain of the schema before the register: its entries and cases are there, nothing else."""
    command.downgrade(migrate._config(written.db), "0003")
    behind(written, "DELETE FROM settings WHERE key = 'register'", "UPDATE cases SET due_on = NULL WHERE id = 1")
    assert register.upgrade(written.db) == 5 + 3
    assert found(written) == []
    with written.db.engine.connect() as connection:
        days = connection.execute(sa.select(Case.due_on, Case.first_due_on).order_by(Case.id)).all()
    assert all(due is not None and due == first for due, first in days)
    assert register.upgrade(written.db) == 0
    write(written)
    assert found(written) == []
