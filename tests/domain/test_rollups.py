"""What a response adds to the counts can be added in any order, taken back, and always equals a recount."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain import rollups
from feedback_app.domain.checklists import Points, VisitScore
from feedback_app.domain.rollups import Cell, Facts, MentionFact, Sums, change, deltas, hour_of, merge
from tests.domain.paper import every_type

FORM = every_type()
START = datetime(2026, 1, 1, tzinfo=UTC)
polarities = st.floats(-1, 1, allow_nan=False)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    answers: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "smiley4": st.integers(1, 4),
                "nps": st.integers(0, 10),
                "yes_no": st.sampled_from(["yes", "no", "na"]),
                "choice": st.sampled_from(["queue", "rude"]),
                "text": st.just("words"),
            },
        )
    )
    polarity = draw(st.none() | polarities)
    mention = st.builds(
        MentionFact, st.sampled_from(["deal", "trigger"]), st.sampled_from(["queue", "price"]), polarities
    )
    earned = draw(st.floats(0, 50))
    visit = VisitScore(total=Points(earned, 50), stages={"deal": Points(earned / 2, 25)})
    return Facts(
        point_id=draw(st.integers(1, 2)),
        source=draw(st.sampled_from(["button", "mystery"])),
        occurred_at=START + timedelta(minutes=draw(st.integers(0, 180))),
        flagged=draw(st.booleans()),
        form=FORM,
        answers=answers,
        score=draw(st.none() | st.floats(0, 100)),
        comment=draw(st.none() | st.just("words")),
        polarity=polarity,
        label=None if polarity is None else rollups.sign_of(polarity),
        mentions=tuple(draw(st.lists(mention, max_size=3))),
        visit=draw(st.none() | st.just(visit)),
    )


@given(facts())
def test_adding_a_response_and_taking_it_back_leaves_nothing(one: Facts) -> None:
    assert merge([change(None, one), change(one, None)]) == {}
    assert change(one, one) == {}


@given(st.lists(facts(), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_adding_does_not_matter(many: list[Facts], random: Any) -> None:
    parts = [deltas(one) for one in many]
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert merge(parts) == merge(shuffled)
    middle = len(parts) // 2
    assert merge([merge(parts[:middle]), merge(parts[middle:])]) == merge(parts)


@given(facts(), facts(), facts())
def test_a_change_is_the_same_as_having_come_like_that(before: Facts, after: Facts, beside: Facts) -> None:
    stored = merge([deltas(before), deltas(beside)])
    assert merge([stored, change(before, after)]) == merge([deltas(after), deltas(beside)])


@given(st.lists(facts(), max_size=8))
def test_sums_equal_a_direct_recount(many: list[Facts]) -> None:
    counted = merge(deltas(one) for one in many)
    responses = Counter((one.point_id, one.source, hour_of(one.occurred_at), one.flagged) for one in many)
    got = {
        (key.point_id, key.source, key.hour, key.flagged): sums.n
        for key, sums in counted.items()
        if key.cell == Cell(rollups.RESPONSE)
    }
    assert got == dict(responses)
    smileys = Counter(one.answers["smiley4"] for one in many if "smiley4" in one.answers)
    histogram: Counter[int] = Counter()
    for key, sums in counted.items():
        if key.cell.measure == "smiley4":
            histogram[int(key.cell.bucket)] += sums.n
            value = int(key.cell.bucket) * rollups.SCALE
            assert (sums.total, sums.squares) == (sums.n * value, sums.n * value * value)
    assert histogram == smileys
    scores = [round(one.score * rollups.SCALE) for one in many if one.score is not None]
    cells = [sums for key, sums in counted.items() if key.cell == Cell(rollups.SCORE)]
    whole = sum(cells, Sums())
    assert whole == Sums(len(scores), sum(scores), sum(score * score for score in scores))


def one_response(**changes: Any) -> Facts:
    given: dict[str, Any] = {
        "point_id": 1,
        "source": "qr",
        "occurred_at": START + timedelta(minutes=61),
        "flagged": False,
        "form": FORM,
        "answers": {"nps": 9, "yes_no": "na", "choice": "queue"},
        "score": None,
        "comment": "words",
        "polarity": None,
        "label": None,
    }
    return Facts(**{**given, **changes})


def test_cells_of_a_survey_by_hand() -> None:
    mentions = (
        MentionFact("deal", "queue", -0.5),
        MentionFact("deal", "queue", -1),
        MentionFact("trigger", "price", 0),
    )
    added = {key.cell: sums for key, sums in deltas(one_response(mentions=mentions)).items()}
    assert added == {
        Cell("response"): Sums(1),
        Cell("nps", "nps", bucket="9"): Sums(1, 9_000, 81_000_000),
        Cell("choice", "choice", bucket="queue"): Sums(1),
        Cell("unscored"): Sums(1),
        Cell("mention", stage="deal", aspect="queue", bucket="negative"): Sums(2, -1_500, 1_250_000),
        Cell("mention", stage="trigger", aspect="price", bucket="neutral"): Sums(1),
    }


def test_cells_of_a_visit_by_hand() -> None:
    visit = VisitScore(total=Points(30, 40), stages={"deal": Points(10, 20), "trigger": Points(0, 0)})
    added = {key.cell: sums for key, sums in deltas(one_response(answers={}, comment=None, visit=visit)).items()}
    assert added[Cell("checklist", bucket="earned")] == Sums(1, 30_000, 900_000_000)
    assert added[Cell("checklist", bucket="possible")] == Sums(1, 40_000, 1_600_000_000)
    assert added[Cell("checklist", bucket="cross")] == Sums(1, 0, 1_200_000_000)
    assert added[Cell("checklist", stage="deal", bucket="earned")].total == 10_000
    assert not [cell for cell in added if cell.stage == "trigger"]


def test_an_hour_is_a_utc_hour_whatever_zone_the_moment_has() -> None:
    assert hour_of(START + timedelta(minutes=59)) == hour_of(START)
    assert hour_of(START + timedelta(minutes=60)) == hour_of(START) + 1
    assert hour_of(datetime(1969, 12, 31, 23, 30, tzinfo=UTC)) == -1
