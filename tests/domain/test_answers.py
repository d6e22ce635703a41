"""What answers a question of each type, and what does not."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.errors import BadDefinition, Invalid
from feedback_app.domain.forms import parse, word
from feedback_app.domain.responses import check_answers, comment_of, score_of
from feedback_app.domain.scales import TEXT_LIMIT, TYPES, hundred, measure_of
from tests.domain.paper import EVERY_TYPE, definition, every_type, question, words

GOOD: list[tuple[str, Any]] = [
    *(("smiley4", value) for value in (1, 2, 3, 4)),
    *(("smiley5", value) for value in (1, 5)),
    *(("stars", value) for value in (1, 7)),
    *(("nps", value) for value in (0, 10)),
    *(("ces", value) for value in (1, 7)),
    *(("yes_no", value) for value in ("yes", "no", "na")),
    ("choice", "queue"),
    ("text", "Дзякуй!"),
    ("text", "ў" * TEXT_LIMIT),
    *(("number", value) for value in (0, 4.5, 90)),
    *(("consent", value) for value in (True, False)),
]
NO_SCALE: tuple[Any, ...] = (True, False, None, 3.0, math.nan, math.inf, "3", "", "na", [3], {"value": 3}, 10**30, -1)
BAD: list[tuple[str, Any]] = [
    *((key, value) for key in ("smiley4", "smiley5", "stars", "nps", "ces") for value in NO_SCALE),
    *(("smiley4", value) for value in (0, 5)),
    *(("smiley5", value) for value in (0, 6)),
    *(("stars", value) for value in (0, 8)),
    ("nps", 11),
    *(("ces", value) for value in (0, 8)),
    *(("yes_no", value) for value in (True, 1, None, "Yes", "maybe", "", ["yes"])),
    *(("choice", value) for value in ("price", "", "na", None, True, 0, ["queue"], {"key": "queue"})),
    *(("text", value) for value in (None, True, 5, ["a"], "я" * (TEXT_LIMIT + 1))),
    *(("number", value) for value in (None, True, "5", "na", math.nan, math.inf, -math.inf, -0.1, 90.1, 10**400, [5])),
    *(("consent", value) for value in (None, 0, 1, "true", "na", [])),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_a_value_of_the_type_is_an_answer(key: str, value: Any) -> None:
    assert check_answers(every_type(), {key: value}) == {key: value}


@pytest.mark.parametrize(("key", "value"), BAD)
def test_any_other_value_is_refused_at_its_question(key: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        check_answers(every_type(), {key: value})
    assert [problem.field for problem in caught.value.problems] == [key]


def test_every_type_of_the_program_is_tried_here() -> None:
    assert {kind["type"] for kind in EVERY_TYPE} == set(TYPES)


@pytest.mark.parametrize("key", [one["key"] for one in EVERY_TYPE if one["key"] != "text"])
def test_a_checklist_takes_not_applicable_for_every_criterion(key: str) -> None:
    assert check_answers(every_type("checklist"), {key: "na"}) == {key: "na"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([one["key"] for one in EVERY_TYPE] + ["stranger"]), json_values))
def test_whatever_is_sent_is_taken_or_refused_and_nothing_else_happens(answers: dict[str, Any]) -> None:
    try:
        kept = check_answers(every_type(), answers)
    except Invalid as invalid:
        assert invalid.problems
    else:
        assert kept
        assert check_answers(every_type(), kept) == kept


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        check_answers(every_type(), {"smiley4": 9, "ces": 4, "nps": "ten", "stranger": 1})
    assert {(problem.field, problem.code) for problem in caught.value.problems} == {
        ("smiley4", "out_of_scale"),
        ("nps", "wrong_type"),
        ("stranger", "unknown_question"),
    }


def test_an_empty_text_is_no_answer_and_a_form_without_answers_is_refused() -> None:
    assert check_answers(every_type(), {"text": "  \n", "ces": 4}) == {"ces": 4}
    for answers in ({}, {"text": " "}):
        with pytest.raises(Invalid, match="empty"):
            check_answers(every_type(), answers)


def test_a_text_loses_what_no_database_can_keep_and_nothing_else() -> None:
    kept = check_answers(every_type(), {"text": " Кефир\x00 скис\ud800,\r\nвернули\tденьги 🙂 "})
    assert kept["text"] == "Кефир скис,\nвернули\tденьги 🙂"


SURVEY = parse(
    definition(
        question("smiley", "smiley4", required=True),
        question("reason", "choice", required=True, show_if={"question": "smiley", "at_most": 2}),
        question("why", "text", show_if={"question": "reason", "equals": "queue"}),
        question("praise", "text", show_if={"question": "smiley", "at_least": 4}),
    )
)


def test_a_follow_up_is_asked_only_after_the_answer_it_hangs_on() -> None:
    assert set(SURVEY.asked({})) == {"smiley"}
    assert set(SURVEY.asked({"smiley": 2})) == {"smiley", "reason"}
    assert set(SURVEY.asked({"smiley": 1, "reason": "queue"})) == {"smiley", "reason", "why"}
    assert set(SURVEY.asked({"smiley": 1, "reason": "rude"})) == {"smiley", "reason"}
    assert set(SURVEY.asked({"smiley": 4, "reason": "queue"})) == {"smiley", "praise"}
    assert set(SURVEY.asked({"smiley": 3})) == {"smiley"}


def test_a_required_question_counts_only_while_it_is_asked() -> None:
    assert check_answers(SURVEY, {"smiley": 3}) == {"smiley": 3}
    with pytest.raises(Invalid, match="required at reason"):
        check_answers(SURVEY, {"smiley": 2})
    with pytest.raises(Invalid, match="required at smiley"):
        check_answers(SURVEY, {"praise": "Хорошо"})


def test_an_answer_to_a_hidden_question_is_checked_and_left_out() -> None:
    assert check_answers(SURVEY, {"smiley": 4, "reason": "queue", "why": "долго"}) == {"smiley": 4}
    with pytest.raises(Invalid, match="unknown_choice at reason"):
        check_answers(SURVEY, {"smiley": 4, "reason": "weather"})


@pytest.mark.parametrize(
    ("answers", "score"),
    [
        ({"smiley4": 1}, 0),
        ({"smiley4": 4}, 100),
        ({"smiley4": 3}, 66.667),
        ({"smiley5": 2}, 25),
        ({"stars": 4}, 50),
        ({"smiley4": 4, "smiley5": 1, "stars": 4}, 50),
        ({"smiley4": 2, "nps": 10, "ces": 7}, 33.333),
        ({"nps": 10}, None),
        ({"text": "Отлично"}, None),
    ],
)
def test_the_score_is_the_mean_of_smileys_and_ratings_alone(answers: dict[str, Any], score: float | None) -> None:
    assert score_of(every_type(), answers) == score


def test_scales_have_the_ends_of_the_contract() -> None:
    assert [hundred(value, "rating", 10) for value in (1, 10)] == [0, 100]
    assert (hundred(0, "nps"), hundred(10, "nps")) == (0, 100)
    assert [measure_of("rating", 7), measure_of("ces")] == ["rating7", "ces"]


def test_the_comment_is_the_written_answers_in_the_order_of_the_form() -> None:
    form = parse(definition(question("first", "text"), question("smiley", "smiley4"), question("second", "text")))
    assert comment_of(form, {"second": "Б", "smiley": 1, "first": "А"}) == "А\nБ"
    assert comment_of(form, {"smiley": 1}) is None


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (definition(), "empty_form"),
        (definition(question("a", "smiley4"), purpose="poem"), "bad_form"),
        (definition(question("a", "smiley6")), "unknown_type"),
        (definition(question("a b", "text")), "bad_key"),
        (definition(question("a", "text"), question("a", "text")), "bad_key"),
        (definition(question("a", "rating", max=6)), "bad_scale"),
        (definition(question("a", "rating")), "bad_scale"),
        (definition(question("a", "choice", choices=[])), "bad_choices"),
        (definition(question("a", "yes_no", knock_out="shop")), "bad_knock_out"),
        (definition({**question("a", "text"), "text": {"ru": "а", "en": "a"}}), "missing_translation"),
        (definition(question("a", "text", show_if={"question": "b", "at_most": 2})), "show_if_unknown_question"),
    ],
)
def test_a_form_that_cannot_be_asked_is_not_published(broken: dict[str, Any], code: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        parse(broken)
    assert caught.value.code == code


def test_a_text_falls_back_to_another_language_and_never_to_nothing_while_there_is_one() -> None:
    assert word(words("да"), "be") == "да"
    assert word({"ru": "", "be": "так", "en": "yes"}, "ru") == "так"
    assert word({}, "ru") == word(None, "en") == ""
