"""Sentences about numbers: never surer than the numbers are."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from analysis.metrics import Estimate
from analysis.trends import Change
from feedback_app.services.journey_map import STAGES
from feedback_app.web import findings

SURE, UNSURE = Change(-6, -9, -3, True), Change(-6, -14, 2, False)


@pytest.fixture(autouse=True)
def english(filled_app: Flask) -> Iterator[None]:
    with filled_app.test_request_context("/"), force_locale("en"):
        yield


def stages(*values: tuple[float, float, float] | None) -> Any:
    """Columns of a map with these emotions (value, low, high)."""
    emotions = [Estimate(*value, 50) if value else Estimate(None, None, None, 2) for value in values]
    return [SimpleNamespace(stage=stage, emotion=emotion) for stage, emotion in zip(STAGES, emotions, strict=False)]


def test_a_change_says_whether_it_is_chance() -> None:
    assert findings.change_words(SURE) == "6 lower, not chance"
    assert findings.change_words(UNSURE) == "6 lower, could be chance"
    assert findings.change_words(Change(0.04, -1, 1, False)) == "as before"
    assert findings.change_words(Change(None, None, None, None)) == "nothing to compare with yet"
    assert findings.change_words(None) == "nothing to compare with yet"


def test_decimals_follow_the_measure() -> None:
    assert findings.change_words(Change(0.04, 0.01, 0.07, True), 2) == "0.04 higher, not chance"


def test_a_negative_bound_is_never_read_as_a_dash() -> None:
    assert findings.interval(Estimate(-3, -12, 6, 40)) == "−12…6"
    assert findings.interval(Estimate(64, 61, 67, 40)) == "61–67"


def test_too_few_answers_are_told_by_n_alone() -> None:
    assert findings.figure(Estimate(None, None, None, 4)) == "too few to say (n = 4)"


def test_the_weakest_stage_is_named_with_its_certainty() -> None:
    apart = stages((80, 78, 82), (79, 77, 81), (60, 55, 65), (78, 76, 80), None)
    assert findings.map_headline(apart) == "Deal is where the journey is weakest: emotion 60\u00a0(55–65), not chance"
    close = stages((80, 78, 82), (79, 77, 81), (76, 72, 80), (78, 76, 80), None)
    assert findings.map_headline(close) == "Deal has the lowest emotion, 76\u00a0(72–80), but that could be chance"


def test_one_stage_is_compared_with_nothing() -> None:
    assert findings.map_headline(stages((80, 78, 82), None, None, None, None)).startswith(
        "The journey cannot be compared"
    )


def test_a_figure_is_not_torn_and_a_name_stays_text() -> None:
    assert (
        findings.whole_figures("<b>: 64\u00a0(61–67), so")
        == '&lt;b&gt;: <span class="whole">64\u00a0(61–67)</span>, so'
    )


def opening(headline_change: Change, *cards: Change) -> str:
    """Return the title where the whole moved so and these places moved so."""
    touchpoint, store = SimpleNamespace(names={"en": "checkout"}), SimpleNamespace(names={"en": "Brest"})
    value = Estimate(43, 39, 48, 206)
    mend = [
        SimpleNamespace(index=value, before=None, change=change, touchpoint=touchpoint, store=store) for change in cards
    ]
    said = SimpleNamespace(
        kind="rose", measure="smiley", now=Estimate(81, 80, 83, 900), before=None, change=headline_change
    )
    said.touchpoint, said.store = SimpleNamespace(names={"en": "shelf"}), None
    return findings.opening(SimpleNamespace(headline=said, mend=mend))  # type: ignore[arg-type]


def test_a_place_that_fell_far_is_not_hidden_by_a_small_rise() -> None:
    said = opening(Change(3, 1, 5, True), Change(-23, -28, -18, True))
    assert said == "Checkout, Brest: customers are less content. Index 43\u00a0(39–48), 23 lower, not chance"


def test_a_fall_that_may_be_chance_is_no_news() -> None:
    assert opening(Change(3, 1, 5, True), Change(-23, -48, 2, False)).startswith("Shelf: customers are more content")
