"""The overview: what it says first, what to mend first, and how stores stand."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from analysis.metrics import Estimate
from feedback_app.domain.access import SYSTEM, Right
from feedback_app.services import book, intake
from feedback_app.services.overview import Overview, overview
from feedback_app.services.periods import Filters, Period
from feedback_app.storage.tables import BookEntry
from tests.builders import Chain
from tests.services.moments import at, monday

WEEK = Filters(period=Period(at(7, 12).date(), at(13, 12).date()))
"""The second of two weeks; the first is the period before."""


def taps(chain: Chain, smiley: int, count: int, day: int, *, store: str = "001", touchpoint: str = "checkout") -> None:
    """Let people tap at noon of a day."""
    items = [chain.item({"smiley": smiley}, store=store, touchpoint=touchpoint, at=at(day, 12)) for _ in range(count)]
    assert {one.status for one in chain.send(*items, store=store, touchpoint=touchpoint)} <= {"stored"}


def look(chain: Chain, filters: Filters = WEEK) -> Overview:
    """Return the overview of everybody's stores."""
    return overview(chain.db, SYSTEM, filters)


def test_a_fall_beyond_chance_is_said_first_with_its_touchpoint(any_chain: Chain) -> None:
    taps(any_chain, 4, 40, 0)
    taps(any_chain, 2, 40, 8)
    taps(any_chain, 4, 40, 0, touchpoint="exit")
    taps(any_chain, 4, 40, 8, touchpoint="exit")
    said = look(any_chain).headline
    assert (said.kind, said.measure) == ("fell", "smiley")
    assert said.touchpoint is not None
    assert said.touchpoint.key == "checkout"
    assert said.change is not None
    assert said.change.difference == pytest.approx(-200 / 3)
    assert said.store is None


def test_a_change_that_may_be_chance_is_called_steady(chain: Chain) -> None:
    for day in (0, 8):
        taps(chain, 4, 6, day)
        taps(chain, 1, 5 if day else 6, day)
    assert look(chain).headline.kind == "steady"


@pytest.mark.parametrize(("count", "kind"), [(0, "empty"), (4, "too_few"), (5, "no_before")])
def test_too_little_to_compare_is_said_so(chain: Chain, count: int, kind: str) -> None:
    taps(chain, 3, count, 8)
    assert look(chain).headline.kind == kind


def test_a_store_looked_at_alone_is_named_in_the_headline(chain: Chain) -> None:
    taps(chain, 3, 5, 8, store="002")
    said = look(chain, replace(WEEK, stores=frozenset({"002"}))).headline
    assert said.store is not None
    assert said.store.code == "002"


def test_the_spark_line_has_a_point_a_day_and_hides_small_days(chain: Chain) -> None:
    taps(chain, 4, 5, 8)
    taps(chain, 1, 4, 9)
    spark = look(chain).tiles[0].spark
    assert spark[0].start == at(7, 12).date()
    assert len(spark) == 7
    assert [point.estimate.n for point in spark] == [0, 5, 4, 0, 0, 0, 0]
    assert spark[1].estimate.value == 100
    assert spark[2].estimate.value is None


def test_a_long_period_is_drawn_by_weeks_and_never_by_more_than_thirty_points(chain: Chain) -> None:
    taps(chain, 4, 5, 8)
    quarter = Filters(period=Period(monday().replace(day=1), at(13, 12).date()))
    long = replace(quarter, period=Period(at(-80, 12).date(), at(13, 12).date()))
    spark = look(chain, long).tiles[0].spark
    assert len(spark) <= 30
    assert {point.start.weekday() for point in spark} == {0}
    assert sum(point.estimate.n for point in spark) == 5
    years = replace(quarter, period=Period(at(-3000, 12).date(), at(13, 12).date()))
    assert len(look(chain, years).tiles[0].spark) == 30


def test_what_costs_the_most_goodwill_is_mended_first(chain: Chain) -> None:
    taps(chain, 4, 60, 8, touchpoint="exit", store="002")
    taps(chain, 4, 60, 8, touchpoint="shelf", store="001")
    taps(chain, 1, 30, 8, touchpoint="checkout", store="003")
    taps(chain, 1, 6, 8, touchpoint="counter", store="001")
    cards = look(chain).mend
    assert [(card.store.code, card.touchpoint.key, card.why) for card in cards[:2]] == [
        ("003", "checkout", "low"),
        ("001", "counter", "low"),
    ]
    assert cards[2].why == "lowest"
    assert cards[0].who == "manager"


def test_a_card_says_what_people_complain_of(chain: Chain) -> None:
    for reason in ("queue", "queue", "rude", "queue", "rude"):
        chain.a_tap(1, at=at(8, 12), reason=reason, comment="Очередь ужасная.")
    card = look(chain).mend[0]
    assert [(reason.key, reason.n, reason.share) for reason in card.reasons] == [("queue", 3, 60.0), ("rude", 2, 40.0)]
    assert card.aspects[0].aspect == "queue"
    assert card.aspects[0].negative == 5


def test_stores_that_cannot_be_told_apart_share_their_ranks(chain: Chain) -> None:
    taps(chain, 4, 50, 8, store="001")
    taps(chain, 4, 50, 8, store="002")
    taps(chain, 1, 50, 8, store="003")
    rows = look(chain).stores
    assert [(row.store.code, row.rank) for row in rows] == [("001", (1, 2)), ("002", (1, 2)), ("003", (3, 3))]


def test_a_store_with_too_few_answers_stands_last_without_a_rank(chain: Chain) -> None:
    taps(chain, 4, 4, 8, store="001")
    taps(chain, 1, 50, 8, store="002")
    rows = look(chain).stores
    assert [row.store.code for row in rows] == ["002", "001", "003"]
    assert [row.rank for row in rows] == [(1, 1), None, None]
    assert rows[1].index == Estimate(None, None, None, 4)


def test_the_heat_map_knows_weekday_and_hour_of_the_stores_clock(chain: Chain) -> None:
    taps(chain, 4, 5, 8)
    assert [(cell.weekday, cell.hour, cell.estimate.value) for cell in look(chain).heat] == [(2, 12, 100.0)]


def test_an_entry_opens_a_case_that_every_overview_counts(chain: Chain) -> None:
    look(chain)
    book.write_entry(chain.db, "002", {"kind": "complaint", "text": "Очередь ужасная."}, uuid4(), "ru")
    page = look(chain)
    assert page.open_cases == 1
    assert page.overdue == 0
    assert {row.stage: row.open_cases for row in page.stages}["deal"] == 1
    assert {row.store.code: row.open_cases for row in page.stores} == {"001": 0, "002": 1, "003": 0}


def test_the_case_of_a_voided_entry_is_open_no_more(any_chain: Chain) -> None:
    for _ in range(2):
        book.write_entry(any_chain.db, "002", {"kind": "complaint", "text": "Очередь ужасная."}, uuid4(), "ru")
    with any_chain.db.read(SYSTEM) as session:
        entry = session.scalars(sa.select(BookEntry.response_id).limit(1)).one()
    intake.void(any_chain.db, SYSTEM, entry, "test")
    page = look(any_chain)
    assert page.open_cases == 1
    assert {row.stage: row.open_cases for row in page.stages}["deal"] == 1


def test_a_page_may_lag_a_little_but_its_open_cases_never_do(chain: Chain) -> None:
    chain.a_tap(4)
    recent = Filters()
    assert overview(chain.db, SYSTEM, recent, max_age=3600).responses == 1
    book.write_entry(chain.db, "002", {"kind": "complaint", "text": "Очередь ужасная."}, uuid4(), "ru")
    lagging = overview(chain.db, SYSTEM, recent, max_age=3600)
    assert (lagging.responses, lagging.open_cases) == (1, 1)
    exact = overview(chain.db, SYSTEM, recent)
    assert exact.responses == 2
    assert exact.data_version > lagging.data_version


def test_comments_are_shown_only_to_whom_may_read_words(chain: Chain) -> None:
    chain.a_tap(1, at=at(8, 12), comment="Очередь ужасная.")
    assert [comment.text for comment in look(chain).comments] == ["Очередь ужасная."]
    figures_alone = replace(SYSTEM, rights=frozenset({Right.READ_FIGURES}))
    assert overview(chain.db, figures_alone, WEEK).comments == ()


def test_a_manager_sees_own_stores_alone(chain: Chain) -> None:
    for store in ("001", "002", "003"):
        taps(chain, 4, 5, 8, store=store)
        book.write_entry(chain.db, store, {"kind": "complaint", "text": "Очередь ужасная."}, uuid4(), "ru")
    page = overview(chain.db, chain.access("manager"), WEEK)
    own = {row.store.code for row in page.stores}
    assert len(own) < 3
    assert page.responses == 5 * len(own)
    assert page.open_cases == len(own)
    assert {comment.store.code for comment in page.comments} <= own
