"""A mystery visit is scored as a hand with a pencil would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.checklists import earned_by, score_visit
from feedback_app.domain.forms import parse
from feedback_app.domain.responses import check_answers, score_of
from tests.domain.paper import form_of, question, words

SHELF = {"key": "full", "text": words("full"), "points": 10}, {"key": "gaps", "text": words("gaps"), "points": 4}
VISIT = parse(
    form_of(
        {
            "key": "hall",
            "weight": 2,
            "questions": [
                question("clean", "yes_no", points=5, stage="awareness"),
                question("safe", "yes_no", points=10, stage="awareness", knock_out="section"),
                question("shelf", "choice", choices=list(SHELF), stage="evaluation"),
            ],
        },
        {
            "key": "till",
            "questions": [
                question("minutes", "number", minimum=0, bands=[[3, 6], [5, 3], [None, 0]], stage="deal"),
                question("fresh", "yes_no", points=4, stage="experience", knock_out="visit"),
                question("why", "text", show_if={"question": "fresh", "equals": "no"}),
                question("bonus", "yes_no", points=5, show_if={"question": "clean", "equals": "yes"}, stage="trigger"),
            ],
        },
        purpose="checklist",
    )
)
ALL_GOOD: dict[str, Any] = {
    "clean": "yes",
    "safe": "yes",
    "shelf": "full",
    "minutes": 2,
    "fresh": "yes",
    "bonus": "yes",
}


def earned_and_possible(**changes: Any) -> tuple[float, float]:
    answers = {key: value for key, value in {**ALL_GOOD, **changes}.items() if value is not None}
    total = score_visit(VISIT, answers).total
    return total.earned, total.possible


def test_a_visit_with_nothing_wrong_is_a_hundred() -> None:
    # hall (5 + 10 + 10) x 2 = 50, till 6 + 4 + 5 = 15
    assert earned_and_possible() == (65, 65)
    assert score_visit(VISIT, ALL_GOOD).score == 100


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"clean": "no"}, (50, 60)),  # 5 x 2 lost, and the bonus is not asked
        ({"clean": "na"}, (50, 50)),  # not applicable leaves both sums, the bonus is not asked
        ({"clean": None}, (50, 50)),  # so does a criterion that nobody answered
        ({"shelf": "gaps"}, (53, 65)),
        ({"shelf": "na"}, (45, 45)),
        ({"minutes": 3}, (65, 65)),  # the band's bound is inside it
        ({"minutes": 3.5}, (62, 65)),
        ({"minutes": 40}, (59, 65)),
        ({"minutes": "na"}, (59, 59)),
        ({"bonus": "no"}, (60, 65)),
        ({"safe": "no"}, (15, 65)),  # its section is 0, what was possible stays
        ({"safe": "na"}, (45, 45)),  # a critical criterion that does not apply knocks nothing out
        ({"fresh": "no"}, (0, 65)),  # the whole visit is 0
        ({"fresh": "no", "safe": "no"}, (0, 65)),
        ({"fresh": "na"}, (61, 61)),
    ],
)
def test_points_are_added_as_by_hand(changes: dict[str, Any], expected: tuple[float, float]) -> None:
    assert earned_and_possible(**changes) == expected


def test_sections_and_stages_add_up_to_the_visit() -> None:
    result = score_visit(VISIT, {**ALL_GOOD, "shelf": "gaps", "minutes": 4})
    assert {key: (points.earned, points.possible) for key, points in result.sections.items()} == {
        "hall": (38, 50),
        "till": (12, 15),
    }
    assert {key: (points.earned, points.possible) for key, points in result.stages.items()} == {
        "awareness": (30, 30),
        "evaluation": (8, 20),
        "deal": (3, 6),
        "experience": (4, 4),
        "trigger": (5, 5),
    }
    assert result.score == pytest.approx(50 / 65 * 100)


def test_failed_critical_criteria_are_named() -> None:
    assert score_visit(VISIT, ALL_GOOD).failed_critical == []
    assert score_visit(VISIT, {**ALL_GOOD, "fresh": "no", "safe": "no"}).failed_critical == ["safe", "fresh"]


def test_a_visit_where_nothing_applied_has_no_score() -> None:
    everything = dict.fromkeys(ALL_GOOD, "na")
    assert score_visit(VISIT, everything).score is None
    assert score_of(VISIT, everything) is None


def test_the_score_of_a_handed_in_checklist_is_that_of_the_visit() -> None:
    kept = check_answers(VISIT, {**ALL_GOOD, "shelf": "gaps"})
    assert score_of(VISIT, kept) == round(53 / 65 * 100, 3)


def test_a_written_answer_earns_nothing() -> None:
    assert earned_by(VISIT.by_key["why"], "Скис") == 0


answers_of_a_visit = st.fixed_dictionaries(
    {},
    optional={
        "clean": st.sampled_from(["yes", "no", "na"]),
        "safe": st.sampled_from(["yes", "no", "na"]),
        "shelf": st.sampled_from(["full", "gaps", "na"]),
        "minutes": st.integers(0, 90) | st.just("na"),
        "fresh": st.sampled_from(["yes", "no", "na"]),
        "bonus": st.sampled_from(["yes", "no", "na"]),
    },
)


@given(answers_of_a_visit)
def test_a_score_never_leaves_the_scale_and_parts_never_disagree(answers: dict[str, Any]) -> None:
    result = score_visit(VISIT, answers)
    assert result.score is None or 0 <= result.score <= 100
    assert sum(points.earned for points in result.sections.values()) == pytest.approx(result.total.earned)
    assert sum(points.possible for points in result.stages.values()) == pytest.approx(result.total.possible)
