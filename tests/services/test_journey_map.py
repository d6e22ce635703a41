"""The journey map's figures: whose voice counts where, and how much."""

from __future__ import annotations

from uuid import uuid4

import pytest

from analysis.metrics import Estimate, mean_of_sources
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.journey import B2C_STAGES
from feedback_app.services import book
from feedback_app.services.journey_map import JourneyMap, StageColumn, journey
from feedback_app.services.periods import Filters, Period
from feedback_app.services.voices import of_polarity
from tests.builders import Chain
from tests.services.moments import at, monday

QUEUE = "Очередь ужасная."


def look(chain: Chain, filters: Filters | None = None) -> dict[str, StageColumn]:
    """Return the map's columns by stage."""
    found: JourneyMap = journey(chain.db, SYSTEM, filters or Filters())
    return {column.stage: column for column in found.stages}


def sources(column: StageColumn) -> dict[str, Estimate]:
    """Return a column's emotion by source."""
    return {source.source: source.estimate for source in column.sources}


def write(chain: Chain, text: str, kind: str = "complaint", store: str = "001") -> None:
    """Write into a store's feedback book."""
    book.write_entry(chain.db, store, {"kind": kind, "text": text}, uuid4(), "ru")


def test_an_empty_chain_has_five_stages_and_no_figures(chain: Chain) -> None:
    columns = look(chain)
    assert tuple(columns) == B2C_STAGES
    assert all(column.emotion == Estimate(None, None, None, 0) for column in columns.values())
    assert [chip.touchpoint.key for chip in columns["evaluation"].touchpoints] == ["shelf", "counter"]


def test_a_tap_counts_by_its_score_at_its_touchpoints_stage(chain: Chain) -> None:
    for smiley in (4, 4, 4, 1, 1):
        chain.a_tap(smiley, touchpoint="checkout")
    columns = look(chain)
    assert sources(columns["deal"])["button"].value == pytest.approx(60)
    assert columns["deal"].emotion.value == pytest.approx(60)
    assert all(columns[stage].emotion.n == 0 for stage in B2C_STAGES if stage != "deal")


def test_many_taps_never_drown_few_letters(any_chain: Chain) -> None:
    for _ in range(60):
        any_chain.a_tap(4, touchpoint="checkout")
    for _ in range(5):
        write(any_chain, QUEUE)
    deal = look(any_chain)["deal"]
    taps, letters = sources(deal)["button"], sources(deal)["book"]
    assert taps.value == 100
    assert letters.value is not None
    assert letters.value < 30
    assert deal.emotion.value == pytest.approx((100 + letters.value) / 2)
    assert deal.emotion == mean_of_sources([taps, letters])


def test_words_left_with_a_tap_speak_on_their_own_stage_and_leave_the_score_alone(chain: Chain) -> None:
    for _ in range(5):
        chain.a_tap(4, touchpoint="exit", comment=QUEUE)
    columns = look(chain)
    assert sources(columns["experience"])["button"].n == 5
    assert "button" not in sources(columns["deal"])
    assert sources(columns["deal"])["comment"].n == 5
    assert (sources(columns["deal"])["comment"].value or 100) < 50


def test_an_entry_without_touchpoint_speaks_through_its_words_alone(chain: Chain) -> None:
    write(chain, QUEUE)
    columns = look(chain)
    assert sources(columns["deal"]).keys() == {"book"}
    assert sources(columns["deal"])["book"] == Estimate(None, None, None, 1)
    assert columns["deal"].open_cases == 1


def test_the_map_may_lag_a_little_where_its_reader_allows_that(chain: Chain) -> None:
    taps = []
    for max_age in (3600.0, 3600.0, 0.0):
        chain.a_tap(4, touchpoint="checkout")
        page = journey(chain.db, SYSTEM, Filters(), max_age=max_age)
        taps.append((page.stages[2].touchpoints[0].responses, page.data_version))
    assert [count for count, _ in taps] == [1, 1, 3]
    assert taps[0][1] == taps[1][1] < taps[2][1]


def test_polarity_from_minus_one_to_one_is_an_emotion_from_nought_to_a_hundred() -> None:
    assert of_polarity(Estimate(-1.0, -1.0, 0.0, 7)) == Estimate(0.0, 0.0, 50.0, 7)
    assert of_polarity(Estimate(0.5, 0.0, 1.0, 7)) == Estimate(75.0, 50.0, 100.0, 7)
    assert of_polarity(Estimate(None, None, None, 0)) == Estimate(None, None, None, 0)


def test_barriers_are_the_reasons_people_chose_there_most_named_first(chain: Chain) -> None:
    for reason in ("queue", "queue", "rude"):
        chain.a_tap(1, touchpoint="checkout", reason=reason)
    deal = look(chain)["deal"]
    assert [(barrier.key, barrier.n) for barrier in deal.barriers] == [("queue", 2), ("rude", 1)]
    assert deal.barriers[0].share == pytest.approx(200 / 3)
    assert set(deal.barriers[0].names) == {"ru", "be", "en"}
    assert look(chain)["evaluation"].barriers == ()


def test_aspects_count_how_often_they_were_named_badly_and_well(chain: Chain) -> None:
    for _ in range(3):
        chain.a_tap(1, touchpoint="checkout", comment=QUEUE)
    queue = next(aspect for aspect in look(chain)["deal"].aspects if aspect.aspect == "queue")
    assert (queue.negative, queue.positive) == (3, 0)
    assert queue.emotion.value is None


def test_the_map_compares_with_the_days_just_before(chain: Chain) -> None:
    for day, smiley in ((0, 4), (7, 1)):
        for _ in range(20):
            chain.a_tap(smiley, touchpoint="checkout", at=at(day, 12))
    week = Filters(period=Period(at(7, 0).date(), at(8, 0).date()))
    assert look(chain, week)["deal"].before == Estimate(None, None, None, 0)
    fortnight = Filters(period=Period(at(7, 12).date(), at(13, 12).date()))
    deal = look(chain, fortnight)["deal"]
    assert deal.before is not None
    assert deal.before.value == 100
    assert deal.emotion.value == 0
    assert deal.change is not None
    assert deal.change.beyond_chance
    assert fortnight.period.before() == Period(monday(), at(6, 12).date())


def test_a_map_of_all_time_has_nothing_before_it(chain: Chain) -> None:
    chain.a_tap(4)
    assert look(chain)["deal"].before is None
    assert look(chain)["deal"].change is None
