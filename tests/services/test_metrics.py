"""What a measure is, in which group an answer counts, and who sees it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from analysis.metrics import Estimate, csat, nps, smiley_index_of
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.errors import Forbidden, Invalid, NotFound
from feedback_app.services import book, visits
from feedback_app.services.figure_cache import FigureCache, cache_of
from feedback_app.services.metrics import choices_of, figures
from feedback_app.services.periods import Filters, Period
from feedback_app.storage.tables import Store
from tests.builders import Chain
from tests.services.moments import at, monday


def rows(chain: Chain, measure: str, group: str = "none", filters: Filters | None = None) -> dict[object, Estimate]:
    """Return a measure's figures by group."""
    found = figures(chain.db, SYSTEM, filters or Filters(), measure, group)
    return {row.group: row.estimate for row in found.rows}


def move(chain: Chain, store: str, zone: str) -> None:
    """Put a store into another time zone."""
    table = Store.__table__
    chain.db.write(
        lambda connection: connection.execute(sa.update(table).where(table.c.code == store).values(timezone=zone))
    )


def test_buttons_of_four_and_of_five_pool_into_one_index_and_one_satisfaction(any_chain: Chain) -> None:
    for smiley in (4, 4, 3, 1):
        any_chain.a_tap(smiley, touchpoint="checkout")
    for smiley in (5, 3):
        any_chain.a_tap(smiley, touchpoint="exit")
    assert rows(any_chain, "smiley")["all"] == smiley_index_of({4: {4: 2, 3: 1, 1: 1}, 5: {5: 1, 3: 1}})
    satisfied = rows(any_chain, "csat")["all"]
    assert (satisfied.n, satisfied.value) == (6, pytest.approx(100 * 4 / 6))


def test_a_survey_feeds_satisfaction_effort_and_recommendation(any_chain: Chain) -> None:
    for recommend in (10, 10, 9, 8, 2):
        any_chain.a_survey(overall=5, effort=7, recommend=recommend)
    assert rows(any_chain, "nps")["all"] == nps({10: 2, 9: 1, 8: 1, 2: 1})
    assert rows(any_chain, "ces")["all"].value == 7
    assert rows(any_chain, "csat")["all"] == csat({5: 5}, 5)
    assert rows(any_chain, "smiley") == {}


def test_fewer_than_five_answers_show_their_number_alone(chain: Chain) -> None:
    for _ in range(4):
        chain.a_tap(4)
    assert rows(chain, "smiley")["all"] == Estimate(None, None, None, 4)
    chain.a_tap(4)
    assert rows(chain, "smiley")["all"].value == 100


def test_a_tap_counts_at_its_store_region_touchpoint_and_stage(chain: Chain) -> None:
    chain.a_tap(4, store="001", touchpoint="entrance")
    chain.a_tap(4, store="002", touchpoint="shelf")
    chain.a_tap(4, store="002", touchpoint="counter")
    assert {name: known.n for name, known in rows(chain, "smiley", "store").items()} == {"001": 1, "002": 2}
    assert list(rows(chain, "smiley", "touchpoint")) == ["entrance", "shelf", "counter"]
    assert {name: known.n for name, known in rows(chain, "smiley", "stage").items()} == {
        "awareness": 1,
        "evaluation": 2,
    }
    assert sum(known.n for known in rows(chain, "smiley", "region").values()) == 3


def test_a_book_entry_has_no_touchpoint_and_is_told_as_ungrouped(chain: Chain) -> None:
    entry = {"kind": "thanks", "text": "Спасибо, отличный магазин!"}
    book.write_entry(chain.db, "001", entry, uuid4(), "ru")
    chain.a_tap(4, comment="Вежливые кассиры, спасибо!", touchpoint="checkout")
    by_touchpoint = figures(chain.db, SYSTEM, Filters(), "sentiment", "touchpoint")
    assert [(row.group, row.estimate.n) for row in by_touchpoint.rows] == [("checkout", 1)]
    assert by_touchpoint.ungrouped == 1
    assert rows(chain, "sentiment", "store")["001"].n == 2


def test_a_visit_counts_once_as_a_whole_and_once_at_each_stage_of_its_criteria(chain: Chain) -> None:
    shopper = replace(chain.access("mystery_shopper"), stores=None)
    form = visits.open_visit(chain.db, shopper, "visit-001").form
    answers = {question.key: "yes" for question in form.questions() if question.type == "yes_no"}
    answers |= {q.key: q.choices[0].key for q in form.questions() if q.type == "choice"}
    answers |= {q.key: 3 for q in form.questions() if q.type == "number"}
    visits.submit(chain.db, shopper, "visit-001", answers, uuid4(), "ru")
    assert rows(chain, "checklist")["all"].n == 1
    stages = rows(chain, "checklist", "stage")
    assert list(stages) == ["awareness", "evaluation", "deal", "experience", "trigger"]
    assert {known.n for known in stages.values()} == {1}
    assert figures(chain.db, SYSTEM, Filters(), "checklist", "touchpoint").ungrouped == 1


def test_hours_days_and_weekdays_are_those_of_the_stores_own_clock(chain: Chain) -> None:
    move(chain, "002", "Asia/Vladivostok")
    chain.a_tap(4, store="001", at=at(0, 12))
    chain.a_tap(4, store="002", at=at(0, 12, zone="Asia/Vladivostok"))
    chain.a_tap(4, store="002", at=at(1, 1, zone="Asia/Vladivostok"))
    days = {name: known.n for name, known in rows(chain, "smiley", "day").items()}
    assert days == {monday().isoformat(): 2, (monday() + timedelta(days=1)).isoformat(): 1}
    assert {name: known.n for name, known in rows(chain, "smiley", "hour_of_day").items()} == {1: 1, 12: 2}
    assert {name: known.n for name, known in rows(chain, "smiley", "weekday").items()} == {1: 2, 2: 1}
    assert len(rows(chain, "smiley", "hour")) == 3
    assert rows(chain, "smiley", "week").keys() == {monday().isoformat()}


def test_a_period_of_days_ends_with_each_stores_own_midnight(chain: Chain) -> None:
    move(chain, "002", "Asia/Vladivostok")
    filters = Filters(period=Period(monday(), monday()))
    for minute in (0, 59):
        chain.a_tap(4, store="001", at=at(0, 23, minute))
        chain.a_tap(4, store="002", at=at(0, 23, minute, zone="Asia/Vladivostok"))
    chain.a_tap(4, store="001", at=at(1, 0))
    chain.a_tap(4, store="002", at=at(1, 0, zone="Asia/Vladivostok"))
    chain.a_tap(4, store="002", at=at(-1, 23, 59, zone="Asia/Vladivostok"))
    assert {name: known.n for name, known in rows(chain, "smiley", "store", filters).items()} == {"001": 2, "002": 2}


def test_a_moment_inside_an_hour_cuts_exactly(any_chain: Chain) -> None:
    for minute in (0, 29, 30, 59):
        any_chain.a_tap(4, at=at(2, 12, minute))
    since = Filters(period=Period(at(2, 12, 30), None))
    until = Filters(period=Period(None, at(2, 12, 30)))
    inside = Filters(period=Period(at(2, 12, 10), at(2, 12, 40)))
    assert [rows(any_chain, "smiley", "none", part)["all"].n for part in (since, until, inside)] == [2, 2, 2]


def test_a_doubtful_clock_is_left_out_unless_asked_for(any_chain: Chain) -> None:
    any_chain.a_tap(4)
    any_chain.a_tap(1, at=datetime(1970, 1, 1, tzinfo=UTC))
    assert rows(any_chain, "smiley")["all"].n == 1
    assert rows(any_chain, "smiley", filters=Filters(flagged=True))["all"].n == 2


def test_a_manager_sees_own_stores_alone_and_cannot_ask_for_others(any_chain: Chain) -> None:
    for store in ("001", "002", "003"):
        any_chain.a_tap(4, store=store)
    manager = any_chain.access("manager")
    own = {store.code for store in choices_of(any_chain.db, manager).stores}
    assert 0 < len(own) < 3
    found = figures(any_chain.db, manager, Filters(), "smiley", "store")
    assert {row.group for row in found.rows} == own
    foreign = ({"001", "002", "003"} - own).pop()
    with pytest.raises(NotFound, match="unknown_store"):
        figures(any_chain.db, manager, Filters(stores=frozenset({foreign})), "smiley")


def test_readers_of_different_stores_who_ask_in_turn_each_get_their_own(chain: Chain) -> None:
    chain.a_tap(4, store="001")
    chain.a_tap(4, store="002")
    readers = {store: replace(SYSTEM, stores=frozenset({chain.store_id(store)})) for store in ("001", "002")}
    for store in ("001", "002", "001"):
        found = figures(chain.db, readers[store], Filters(), "smiley", "store")
        assert [row.group for row in found.rows] == [store]


def test_a_mystery_shopper_and_a_coordinator_read_no_figures(chain: Chain) -> None:
    for role in ("mystery_shopper", "coordinator"):
        with pytest.raises(Forbidden):
            figures(chain.db, chain.access(role), Filters(), "smiley")


@pytest.mark.parametrize(("measure", "group"), [("mood", "store"), ("nps", "moon")])
def test_an_unknown_measure_or_group_is_named(chain: Chain, measure: str, group: str) -> None:
    with pytest.raises(Invalid) as caught:
        figures(chain.db, SYSTEM, Filters(), measure, group)
    assert [problem.field for problem in caught.value.problems] == ["measure" if measure == "mood" else "group"]


def test_a_new_tap_is_in_the_very_next_figure(chain: Chain) -> None:
    chain.a_tap(4)
    version = figures(chain.db, SYSTEM, Filters(), "smiley").data_version
    assert rows(chain, "smiley")["all"].n == 1
    chain.a_tap(4)
    assert rows(chain, "smiley")["all"].n == 2
    assert figures(chain.db, SYSTEM, Filters(), "smiley").data_version > version


def test_an_unchanged_figure_is_not_counted_again(chain: Chain) -> None:
    chain.a_tap(4)
    first = figures(chain.db, SYSTEM, Filters(), "smiley")
    assert figures(chain.db, SYSTEM, Filters(), "smiley") is first
    chain.a_tap(4, store="002")
    assert figures(chain.db, SYSTEM, Filters(), "smiley") is not first


def test_the_cache_forgets_what_was_asked_for_longest_ago() -> None:
    cache, made = FigureCache(limit=2), []

    def ask(key: str) -> None:
        cache.get(key, 1, lambda: made.append(key))

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert made == ["a", "b", "c", "b"]


def test_an_older_figure_serves_while_it_was_the_newest_a_moment_ago() -> None:
    cache = FigureCache()
    assert cache.get("a", 1, lambda: "one") == "one"
    assert cache.get("a", 2, lambda: "two", max_age=3600) == "one"
    time.sleep(0.02)
    assert cache.get("a", 2, lambda: "two", max_age=0.01) == "two"


def test_a_figure_seen_to_be_the_newest_begins_to_age_only_then() -> None:
    cache = FigureCache()
    cache.get("a", 1, lambda: "one")
    time.sleep(0.2)
    assert cache.get("a", 1, lambda: "one again") == "one"
    assert cache.get("a", 2, lambda: "two", max_age=0.15) == "one"


def test_many_readers_at_once_get_the_same_figure(chain: Chain) -> None:
    for _ in range(5):
        chain.a_tap(3)
    seen: list[object] = []
    threads = [threading.Thread(target=lambda: seen.append(rows(chain, "smiley")["all"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert set(seen) == {smiley_index_of({4: {3: 5}})}
    assert cache_of(chain.db) is cache_of(chain.db)


def test_nobody_without_stores_sees_anything(chain: Chain) -> None:
    chain.a_tap(4)
    nobody = Access(rights=frozenset({Right.READ_FIGURES}), stores=frozenset())
    assert figures(chain.db, nobody, Filters(), "smiley").rows == ()
