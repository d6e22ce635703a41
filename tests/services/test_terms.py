"""Deadlines: a table worked out by hand agrees, and what holds of every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain import deadlines
from feedback_app.domain.book_settings import BookSettings
from feedback_app.domain.deadlines import MONTH, UNITS, WORKING, Term
from feedback_app.domain.errors import Forbidden
from feedback_app.services import book, book_settings, counting, register, terms
from feedback_app.services.calendars import days_off
from feedback_app.storage.tables import BookEntry, Store
from tests.builders import Chain
from tests.domain.deadline_table import MOVED, RECEIPTS, TERMS, WARNINGS, rows


@pytest.mark.parametrize("row", rows(TERMS, 5), ids=" ".join)
def test_the_last_day_is_the_one_worked_out_by_hand(row: list[str]) -> None:
    country, received, days, unit, last = row
    found = deadlines.last_day(date.fromisoformat(received), Term(int(days), unit), days_off(country))
    assert found == date.fromisoformat(last)


@pytest.mark.parametrize("row", rows(MOVED, 5), ids=" ".join)
def test_the_last_day_moves_to_a_working_day_where_the_chain_wants_it(row: list[str]) -> None:
    country, received, days, unit, last = row
    term, off = Term(int(days), unit), days_off(country)
    found = deadlines.last_day(date.fromisoformat(received), term, off, move_to_working_day=True)
    assert found == date.fromisoformat(last)


@pytest.mark.parametrize("row", rows(WARNINGS, 4), ids=" ".join)
def test_the_director_is_told_working_days_before(row: list[str]) -> None:
    country, due, days, told = row
    found = deadlines.warning_day(date.fromisoformat(due), int(days), days_off(country))
    assert found == date.fromisoformat(told)


def test_a_term_shorter_than_the_warning_warns_on_the_day_of_the_receipt() -> None:
    monday = date(2026, 3, 16)
    assert deadlines.warning_day(date(2026, 3, 17), 2, days_off("BY"), monday) == monday
    assert deadlines.warning_day(monday, 2, days_off("BY"), date(2026, 3, 17)) == monday


DAYS = st.dates(date(2024, 1, 1), date(2029, 12, 31))
COUNTRIES = st.sampled_from(["BY", "RU", "KZ"])


@given(DAYS, st.integers(1, 60), COUNTRIES)
def test_a_term_of_working_days_ends_on_a_working_day_and_counts_them(day: date, count: int, country: str) -> None:
    off = days_off(country)
    end = deadlines.last_day(day, Term(count, WORKING), off)
    assert end not in off
    between = [day + timedelta(days=step) for step in range(1, (end - day).days + 1)]
    assert sum(one not in off for one in between) == count


@given(DAYS, st.integers(1, 12), COUNTRIES, st.sampled_from(UNITS), st.booleans())
def test_who_comes_later_is_never_answered_earlier(day: date, count: int, country: str, unit: str, moves: bool) -> None:
    off, term = days_off(country), Term(count, unit)
    first = deadlines.last_day(day, term, off, move_to_working_day=moves)
    assert first > day
    assert first <= deadlines.last_day(day + timedelta(days=1), term, off, move_to_working_day=moves)
    assert first <= deadlines.last_day(day, Term(count + 1, unit), off, move_to_working_day=moves)


@given(DAYS, st.integers(0, 20), COUNTRIES)
def test_a_warning_comes_on_a_working_day_before_the_deadline(day: date, count: int, country: str) -> None:
    off = days_off(country)
    told = deadlines.warning_day(day, count, off)
    assert told <= day
    assert count == 0 or told not in off
    assert sum((told + timedelta(days=step)) not in off for step in range((day - told).days)) == count


@given(st.dates(date(1, 1, 1), date(9990, 1, 1)), st.sampled_from(["BY", "RU", "KZ", "", "xx"]))
def test_years_far_off_and_other_countries_are_counted_too(day: date, country: str) -> None:
    assert deadlines.last_day(day, Term(5, WORKING), days_off(country)) > day
    assert deadlines.last_day(day, Term(1, MONTH), days_off(country)) > day


def test_a_calendar_that_is_never_open_ends_nothing() -> None:
    class Never:
        def __contains__(self, _day: object) -> bool:
            return True

    assert deadlines.last_day(date(2026, 1, 1), Term(5, WORKING), Never()) == date(2026, 1, 6)
    assert deadlines.working_days_before(date(2026, 1, 6), 5, Never()) == date(2026, 1, 1)


# --- by the chain's settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "kind", "due"),
    [
        ("BY", "complaint", date(2026, 3, 17)),
        ("BY", "thanks", date(2026, 3, 17)),
        ("RU", "claim", date(2026, 3, 12)),
        ("RU", "complaint", date(2026, 3, 10)),
        ("KZ", "complaint", date(2026, 3, 17)),
    ],
)
def test_the_defaults_are_the_law_s_and_the_custom_s(any_chain: Chain, country: str, kind: str, due: date) -> None:
    with any_chain.db.engine.connect() as connection:
        assert terms.due_on(connection, date(2026, 3, 2), country, kind) == due


def test_extension_forwarding_and_cases_of_responses(any_chain: Chain) -> None:
    monday = date(2026, 3, 2)
    with any_chain.db.engine.connect() as connection:
        assert terms.extended_until(connection, monday, "BY", "complaint") == date(2026, 4, 2)
        assert terms.extended_until(connection, monday, "RU", "claim") is None
        assert terms.extended_until(connection, monday, "RU", "complaint") == date(2026, 3, 17)
        assert terms.forward_due_on(connection, monday, "BY") == date(2026, 3, 9)
        assert terms.forward_due_on(connection, monday, "RU") == date(2026, 3, 10)
        assert terms.response_due_on(connection, monday, "RU") == date(2026, 3, 10)
        assert terms.escalate_on(connection, date(2026, 3, 17), "BY") == date(2026, 3, 13)


def change(chain: Chain, **wanted: object) -> None:
    book_settings.save(chain.db, chain.access("admin"), replace(BookSettings(), **wanted))  # type: ignore[arg-type]


def test_a_changed_term_holds_for_the_next_entry_and_no_earlier_one(any_chain: Chain) -> None:
    def write() -> date:
        return book.write_entry(any_chain.db, "001", {"kind": "claim", "text": "Верните деньги"}, uuid4(), "ru").due_on

    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        first = write()
        change(any_chain, terms={**BookSettings().terms, ("BY", "claim"): Term(3, WORKING)})
        second = write()
    assert (first, second) == (date(2026, 3, 17), date(2026, 3, 5))
    assert register.verify(any_chain.db).findings == ()
    assert counting.verify(any_chain.db) == []


@pytest.mark.parametrize("row", rows(RECEIPTS, 3), ids=" ".join)
def test_a_receipt_s_day_is_the_store_s(chain: Chain, row: list[str]) -> None:
    zone, moment, day = row
    chain.db.write(lambda link: link.execute(sa.update(Store.__table__).values(timezone=zone, country="RU")))
    with time_machine.travel(datetime.fromisoformat(moment).replace(tzinfo=UTC), tick=False):
        written = book.write_entry(chain.db, "001", {"kind": "claim", "text": "Верните"}, uuid4(), "ru")
    assert written.due_on == date.fromisoformat(day) + timedelta(days=10)
    assert written.year == date.fromisoformat(day).year
    assert written.created_at.astimezone(ZoneInfo(zone)).date() == date.fromisoformat(day)


def test_the_settings_are_the_administrator_s(any_chain: Chain) -> None:
    for role in ("manager", "director", "coordinator"):
        with pytest.raises(Forbidden):
            book_settings.save(any_chain.db, any_chain.access(role), BookSettings())
    change(any_chain, escalate_before=5, own_words=("крыса",))
    kept = book_settings.settings_of(any_chain.db)
    assert (kept.escalate_before, kept.own_words) == (5, ("крыса",))
    with any_chain.db.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT details FROM audit_events WHERE action = 'book.settings'")).one()
        assert "escalate_before" in str(row)
        assert connection.execute(sa.select(BookEntry.id)).all() == []
