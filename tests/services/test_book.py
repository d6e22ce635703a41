"""The feedback book: numbers without gap or double, a case and a letter for who waits for an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.services import counting, register
from feedback_app.services.book import How, Written, write_entry
from feedback_app.storage.tables import BookEntry, Case, Job, Response, Store, User, user_roles, user_stores
from tests.builders import Chain

COMPLAINT = {"kind": "complaint", "text": "Касса не работала двадцать минут, очередь до входа!"}
THANKS = {"kind": "thanks", "text": "Дзякуй Ганне за дапамогу!"}


def write(
    chain: Chain, raw: dict[str, object] | None = None, *, store: str = "001", entry_id: UUID | None = None
) -> Written:
    return write_entry(chain.db, store, raw or COMPLAINT, entry_id or uuid4(), "ru")


def entries(chain: Chain, store: str = "001") -> list[BookEntry]:
    with chain.db.read(SYSTEM) as session:
        query = sa.select(BookEntry).join(Store, Store.id == BookEntry.store_id).where(Store.code == store)
        return list(session.scalars(query.order_by(BookEntry.year, BookEntry.number)))


def rows(chain: Chain, table: type[object]) -> list[object]:
    with chain.db.read(SYSTEM) as session:
        return list(session.scalars(sa.select(table)))


def test_fifty_who_write_at_once_get_the_numbers_one_to_fifty(any_chain: Chain) -> None:
    barrier = threading.Barrier(50)

    def one(_: int) -> int:
        barrier.wait()
        return write(any_chain).number

    with ThreadPoolExecutor(50) as pool:
        numbers = list(pool.map(one, range(50)))
    assert sorted(numbers) == list(range(1, 51))
    assert [entry.number for entry in entries(any_chain)] == list(range(1, 51))
    assert counting.verify(any_chain.db) == []


def test_an_entry_that_fails_leaves_no_gap(any_chain: Chain) -> None:
    first = write(any_chain)
    taken = any_chain.a_tap(4)
    with pytest.raises(Problem, match="conflict"):
        write(any_chain, entry_id=taken)
    assert [first.number, write(any_chain).number] == [1, 2]
    assert len(entries(any_chain)) == 2


def test_the_same_entry_again_gets_the_same_number_and_changes_nothing(any_chain: Chain) -> None:
    entry_id = uuid4()
    first = write(any_chain, entry_id=entry_id)
    assert write(any_chain, entry_id=entry_id) == first
    assert len(entries(any_chain)) == len(rows(any_chain, Case)) == len(rows(any_chain, Job)) == 1
    with pytest.raises(Problem, match="conflict"):
        write(any_chain, {"kind": "complaint", "text": "Другое"}, entry_id=entry_id)


def test_one_page_sent_eight_times_at_once_is_one_entry(any_chain: Chain) -> None:
    entry_id = uuid4()
    barrier = threading.Barrier(8)

    def one(_: int) -> Written:
        barrier.wait()
        return write(any_chain, entry_id=entry_id)

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(one, range(8)))
    assert {receipt.number for receipt in receipts} == {1}
    assert len(entries(any_chain)) == 1
    assert write(any_chain).number == 2


def test_every_store_has_a_book_of_its_own(any_chain: Chain) -> None:
    assert [write(any_chain, store=store).number for store in ("001", "002", "001", "003", "002")] == [1, 1, 2, 1, 2]
    with pytest.raises(NotFound):
        write(any_chain, store="nowhere")


@pytest.fixture
def new_year(any_chain: Chain) -> Iterator[Chain]:
    """21:30 in UTC on the last day of 2026: in Minsk the new year began half an hour ago."""
    any_chain.access("manager")
    with time_machine.travel(datetime(2026, 12, 31, 21, 30, tzinfo=UTC), tick=False):
        yield any_chain


def test_the_year_and_the_term_are_those_of_the_store_s_clock(new_year: Chain) -> None:
    moscow = Store.__table__
    change = sa.update(moscow).where(moscow.c.code == "003").values(timezone="America/New_York", country="RU")
    new_year.db.write(lambda connection: connection.execute(change))
    here, there = write(new_year), write(new_year, store="003")
    assert (here.year, here.number, here.due_on) == (2027, 1, date(2027, 1, 16))
    assert (there.year, there.number, there.due_on) == (2026, 1, date(2027, 1, 15))


def test_numbers_begin_anew_with_the_year(any_chain: Chain) -> None:
    for moment, expected in (
        (datetime(2026, 6, 1, 12, tzinfo=UTC), (2026, 1)),
        (datetime(2026, 12, 31, 20, 59, tzinfo=UTC), (2026, 2)),
        (datetime(2026, 12, 31, 21, 0, tzinfo=UTC), (2027, 1)),
    ):
        with time_machine.travel(moment, tick=False):
            written = write(any_chain)
        assert (written.year, written.number) == expected


@pytest.mark.parametrize("kind", ["complaint", "claim"])
def test_who_waits_for_an_answer_gets_a_case_and_the_manager_a_letter(any_chain: Chain, kind: str) -> None:
    written = write(any_chain, {**COMPLAINT, "kind": kind, "name": "Анна", "contact": "+375", "consent": True})
    (case,) = rows(any_chain, Case)
    assert isinstance(case, Case)
    assert (case.reason, case.status, case.due_on, case.stage) == (kind, "new", written.due_on, "deal")
    (job,) = rows(any_chain, Job)
    assert isinstance(job, Job)
    assert job.payload["to"] == "manager@otklik.example"
    assert job.payload["values"] == {
        "store": "001",
        "number": written.number,
        "year": written.year,
        "kind": kind,
        "due_on": written.due_on.isoformat(),
    }
    assert "Анна" not in str(job.payload)
    assert "+375" not in str(job.payload)


@pytest.mark.parametrize("kind", ["thanks", "suggestion"])
def test_thanks_and_suggestions_open_no_case_and_send_no_letter(any_chain: Chain, kind: str) -> None:
    write(any_chain, {**THANKS, "kind": kind})
    assert rows(any_chain, Case) == rows(any_chain, Job) == []
    assert len(entries(any_chain)) == 1


def test_each_manager_of_the_store_gets_one_letter_and_nobody_else(any_chain: Chain) -> None:
    def second_manager(connection: sa.Connection) -> None:
        known = (
            connection.execute(sa.select(User.__table__).where(User.email == "manager@otklik.example")).mappings().one()
        )
        table = User.__table__
        for email, active in (("second@otklik.example", True), ("gone@otklik.example", False)):
            row = {**known, "email": email, "active": active, "fs_uniquifier": email, "language": "be"}
            row.pop("id")
            new = connection.execute(sa.insert(table).values(**row).returning(table.c.id)).scalar_one()
            for link in (user_roles, user_stores):
                other = link.c.keys()[1]
                held = connection.execute(sa.select(link.c[other]).where(link.c.user_id == known["id"])).scalar_one()
                connection.execute(sa.insert(link).values(user_id=new, **{other: held}))

    any_chain.db.write(second_manager)
    write(any_chain)
    write(any_chain, store="002")
    letters = [job for job in rows(any_chain, Job) if isinstance(job, Job)]
    assert {(job.payload["to"], job.payload["language"]) for job in letters} == {
        ("manager@otklik.example", "ru"),
        ("second@otklik.example", "be"),
    }


def test_a_name_without_consent_is_refused_and_nothing_is_written(any_chain: Chain) -> None:
    with pytest.raises(Invalid, match="consent_needed"):
        write(any_chain, {**COMPLAINT, "contact": "anna@example.by"})
    assert entries(any_chain) == rows(any_chain, Response) == []
    assert write(any_chain, COMPLAINT).number == 1


def test_name_and_contact_stand_in_the_entry_alone_with_their_consent(any_chain: Chain) -> None:
    write(any_chain, {**COMPLAINT, "name": "Анна", "contact": "anna@example.by", "consent": "on"})
    (entry,) = entries(any_chain)
    assert (entry.name, entry.contact, entry.consent_version, entry.consent_language) == (
        "Анна",
        "anna@example.by",
        "1",
        "ru",
    )
    assert entry.consent_at == entry.created_at
    (response,) = rows(any_chain, Response)
    assert isinstance(response, Response)
    assert (response.id, response.channel) == (entry.id, "book")
    assert response.answers == COMPLAINT
    write(any_chain, THANKS, store="002")
    (anonymous,) = entries(any_chain, "002")
    assert anonymous.consent_version is anonymous.consent_at is anonymous.name is None


def test_of_two_who_write_at_once_with_one_secret_the_second_is_told(any_chain: Chain) -> None:
    barrier = threading.Barrier(4)

    def one(_: int) -> str:
        barrier.wait()
        try:
            write_entry(any_chain.db, "001", COMPLAINT, uuid4(), "ru", How(secret="s" * 22))
        except Problem as problem:
            return problem.code
        return "written"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == ["secret_used"] * 3 + ["written"]
    assert [entry.number for entry in entries(any_chain)] == [1]
    assert register.verify(any_chain.db).findings == ()
