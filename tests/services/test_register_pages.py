"""What staff read of the register: own stores alone, the newest first, each entry whole with its history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain import register as rules
from feedback_app.domain.errors import Forbidden, Invalid, NotFound
from feedback_app.services import book, counting, register, register_pages
from feedback_app.services.book import How, Photo
from feedback_app.services.periods import Period
from feedback_app.services.register_pages import Actor, EntryPage, WholeEntry
from feedback_app.services.register_period import Wanted, read_wanted
from feedback_app.storage import register as stored
from feedback_app.storage.tables import BookPhoto, Case
from tests.builders import Chain

TEXT = "Касса не работала двадцать минут"
SPRING = datetime(2026, 4, 6, 9, 30, tzinfo=UTC)


def write(chain: Chain, kind: str = "complaint", store: str = "001", **more: Any) -> UUID:
    entry_id, how = uuid4(), more.pop("how", None)
    book.write_entry(chain.db, store, {"kind": kind, "text": TEXT, **more}, entry_id, "ru", how)
    return entry_id


def page(chain: Chain, role: str = "director", cursor: str | None = None, size: int = 50, **wanted: Any) -> EntryPage:
    return register_pages.entries_page(chain.db, chain.access(role), Wanted(**wanted), cursor, size)


def whole(chain: Chain, number: int = 1, role: str = "director", year: int = 2026, store: str = "001") -> WholeEntry:
    return register_pages.entry(chain.db, chain.access(role), store, year, number)


def answer(chain: Chain, text: str, at: datetime) -> None:
    """Send an answer in every case, as those who work on cases do."""
    actor = chain.access("manager").name

    def work(connection: sa.Connection) -> None:
        keeper = register.keeper_of(chain.db)
        for case_id in connection.execute(sa.select(Case.id)).scalars().all():
            values = {"status": "answered", "answered_at": at}
            connection.execute(sa.update(Case.__table__).where(Case.id == case_id).values(**values))
            stored.append_case(connection, keeper, case_id, rules.ANSWER, at, actor, words={"text": text})

    chain.db.write(work)


@pytest.fixture
def written(any_chain: Chain) -> Chain:
    """Four entries in store 001, one a day, and one in store 002."""
    for days, kind in enumerate(("complaint", "thanks", "claim", "suggestion")):
        with time_machine.travel(SPRING + timedelta(days=days), tick=False):
            write(any_chain, kind)
    with time_machine.travel(SPRING + timedelta(days=1), tick=False):
        write(any_chain, store="002")
    yield any_chain
    assert register.verify(any_chain.db).findings == ()
    assert counting.verify(any_chain.db) == []


def test_the_newest_entries_come_first_and_pages_meet_without_a_gap(written: Chain) -> None:
    seen, cursor = [], None
    while True:
        found = page(written, cursor=cursor, size=2)
        assert found.total == 5
        seen += [(line.store_code, line.number) for line in found.lines]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen[0] == ("001", 4)
    assert seen[-1] == ("001", 1)
    assert sorted(seen) == [("001", 1), ("001", 2), ("001", 3), ("001", 4), ("002", 1)]


def test_a_manager_reads_the_books_of_own_stores_alone(written: Chain) -> None:
    own = page(written, "manager")
    assert {line.store_code for line in own.lines} == {"001"}
    assert own.total == 4
    with pytest.raises(NotFound):
        page(written, "manager", store="002")
    with pytest.raises(NotFound):
        whole(written, role="manager", store="002")
    with pytest.raises(Forbidden):
        page(written, "coordinator")
    with pytest.raises(Forbidden):
        whole(written, role="mystery_shopper")


def test_a_line_has_the_day_until_which_it_waits_and_says_when_that_has_passed(written: Chain) -> None:
    with time_machine.travel(datetime(2026, 4, 22, 20, 59, tzinfo=UTC), tick=False):  # 23:59 in Minsk
        found = page(written, store="001")
        lines = {line.number: line for line in found.lines}
        assert [(n, lines[n].due_on, lines[n].status, lines[n].overdue) for n in (1, 2, 3)] == [
            (1, date(2026, 4, 21), "new", True),
            (2, date(2026, 4, 22), None, False),
            (3, date(2026, 4, 23), "new", False),
        ]
        assert found.overdue == 1
    with time_machine.travel(datetime(2026, 4, 23, 21, 1, tzinfo=UTC), tick=False):
        assert page(written, store="001").overdue == 2
        answer(written, "Мы исправили", datetime(2026, 4, 24, tzinfo=UTC))
        assert page(written, store="001").overdue == 0


def test_an_extended_case_counts_by_its_new_day(written: Chain) -> None:
    def extend(connection: sa.Connection) -> None:
        connection.execute(sa.update(Case.__table__).values(due_on=date(2026, 6, 1)))
        for case_id in connection.execute(sa.select(Case.id).order_by(Case.store_id)).scalars().all():
            keeper = register.keeper_of(written.db)
            stored.append_case(connection, keeper, case_id, "extended", SPRING, "system", words={"reason": "проверка"})

    written.db.write(extend)
    with time_machine.travel(datetime(2026, 5, 30, tzinfo=UTC), tick=False):
        line = whole(written).line
        assert (line.due_on, line.overdue) == (date(2026, 6, 1), False)
    assert whole(written).first_due_on == date(2026, 4, 21)


def test_a_period_is_one_of_the_stores_own_days(any_chain: Chain) -> None:
    with time_machine.travel(datetime(2026, 4, 6, 20, 59, tzinfo=UTC), tick=False):  # 23:59 in Minsk
        write(any_chain)
    with time_machine.travel(datetime(2026, 4, 6, 21, 1, tzinfo=UTC), tick=False):
        write(any_chain)
    day = date(2026, 4, 6)
    assert [line.number for line in page(any_chain, period=Period(day, day)).lines] == [1]
    assert [line.number for line in page(any_chain, period=Period(day + timedelta(days=1))).lines] == [2]
    assert page(any_chain, year=2025).lines == ()
    assert page(any_chain, year=2026).total == 2
    assert page(any_chain).years == (2026,)


def test_what_an_address_asks_wrongly_is_named(any_chain: Chain) -> None:
    with pytest.raises(Invalid) as caught:
        read_wanted({"year": "MMXXVI", "since": "yesterday", "until": "2026-13-01"})
    assert sorted((problem.field, problem.code) for problem in caught.value.problems) == [
        ("since", "bad_time"),
        ("until", "bad_time"),
        ("year", "unknown_choice"),
    ]
    assert read_wanted({"store": " 001 ", "year": "2026"}) == Wanted("001", 2026)
    with pytest.raises(Invalid):
        page(any_chain, cursor="nonsense")


def test_an_entry_is_whole_with_consent_photos_answers_and_history(any_chain: Chain) -> None:
    how = How(source=book.PAPER, actor="user:1", paper_number="7", paper_on=date(2026, 4, 1))
    how = How(**{**how.__dict__, "photos": (Photo("image/jpeg", b"one"), Photo("image/png", b"two"))})
    with time_machine.travel(SPRING, tick=False):
        write(any_chain, name="Анна", contact="anna@example.by", consent=True, how=how)
        answer(any_chain, "Касса снова работает", SPRING + timedelta(days=1))
    found = whole(any_chain)
    assert (found.line.text, found.line.name, found.contact) == (TEXT, "Анна", "anna@example.by")
    assert found.consent is not None
    assert (found.consent.version, found.consent.language, found.consent.by) == ("1", "ru", "writer")
    assert (found.source, found.paper_number, found.paper_on) == ("paper", "7", date(2026, 4, 1))
    assert [step.kind for step in found.history] == ["entry", "opened", "answer"]
    assert [step.position for step in found.history] == [1, 2, 3]
    assert found.history[0].actor.kind == "user"
    assert found.history[2].actor == Actor("user", "manager@otklik.example")
    assert [(sent.text, sent.at) for sent in found.answers] == [("Касса снова работает", SPRING + timedelta(days=1))]
    assert (found.position, len(found.link), dict(found.erased)) == (1, 64, {})
    pictures = [register_pages.photo(any_chain.db, any_chain.access("director"), one.id) for one in found.photos]
    assert [(picture.media_type, picture.content) for picture in pictures] == [
        ("image/jpeg", b"one"),
        ("image/png", b"two"),
    ]


def test_what_was_erased_is_gone_and_the_entry_says_since_when(any_chain: Chain) -> None:
    how = How(photos=(Photo("image/jpeg", b"one"),))
    entry_id = write(any_chain, name="Анна", consent=True, how=how)
    answer(any_chain, "Анна, простите", SPRING)
    photo_id = whole(any_chain, year=datetime.now(UTC).year).photos[0].id
    names = ("text", "name", "contact", "photos")
    register.erase_entry(any_chain.db, any_chain.access("admin"), entry_id, names, "по просьбе")
    found = whole(any_chain, year=datetime.now(UTC).year)
    assert (found.line.text, found.line.name, found.line.first_words) == (None, None, "")
    assert sorted(found.erased) == ["name", "photos", "text"]
    assert [sent.text for sent in found.answers] == [None]
    assert found.photos[0].erased
    with pytest.raises(NotFound):
        register_pages.photo(any_chain.db, any_chain.access("director"), photo_id)
    assert register.verify(any_chain.db).findings == ()


def test_a_photo_is_shown_to_those_who_read_its_store_alone(any_chain: Chain) -> None:
    write(any_chain, store="002", how=How(photos=(Photo("image/jpeg", b"one"),)))
    with any_chain.db.engine.connect() as connection:
        photo_id = connection.execute(sa.select(BookPhoto.id)).scalar_one()
    assert register_pages.photo(any_chain.db, any_chain.access("director"), photo_id).content == b"one"
    with pytest.raises(NotFound):
        register_pages.photo(any_chain.db, any_chain.access("manager"), photo_id)
    with pytest.raises(Forbidden):
        register_pages.photo(any_chain.db, any_chain.access("coordinator"), photo_id)
