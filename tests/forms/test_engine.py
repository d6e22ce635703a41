"""Forms read what people post; what is right, the domain alone says."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from feedback_app.domain.errors import Invalid
from feedback_app.domain.forms import Form, parse
from feedback_app.domain.responses import check_answers
from feedback_app.domain.scales import TEXT_LIMIT, TYPES
from feedback_app.forms.engine import AnswersForm, answers, build


def said(text: str) -> dict[str, str]:
    return {"ru": text, "be": text, "en": text}


def question(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": kind, "text": said(key), **more}


def form_of(*questions: dict[str, Any], purpose: str = "survey") -> Form:
    section = {"key": "main", "title": said("Main"), "questions": list(questions)}
    return parse({"key": "all", "purpose": purpose, "title": said("All"), "sections": [section]})


CHOICES = [{"key": "queue", "text": said("Queue")}, {"key": "price", "text": said("Price"), "points": 2}]
QUESTIONS = (
    question("smiley4", "smiley4", required=True),
    question("smiley5", "smiley5"),
    question("nps", "nps"),
    question("ces", "ces"),
    question("rating", "rating", max=7),
    question("yes_no", "yes_no", show_if={"question": "smiley4", "at_most": 2}, required=True),
    question("choice", "choice", choices=CHOICES, show_if={"question": "yes_no", "equals": "no"}),
    question("text", "text", max_length=40),
    question("number", "number", minimum=0, maximum=600),
    question("consent", "consent"),
)
EVERYTHING = {purpose: form_of(*QUESTIONS, purpose=purpose) for purpose in ("survey", "checklist")}

scales = st.one_of(st.integers(-3, 13), st.sampled_from(["na", "three", "3.5", "999999999999"]))
typed = st.fixed_dictionaries(
    {},
    optional={
        "smiley4": scales,
        "smiley5": scales,
        "nps": scales,
        "ces": scales,
        "rating": scales,
        "yes_no": st.sampled_from(["yes", "no", "na", "maybe"]),
        "choice": st.sampled_from(["queue", "price", "na", "weather"]),
        "text": st.one_of(st.text(max_size=45), st.sampled_from(["na", "x" * 40, "x" * 41, "  ", "\x00"])),
        "number": st.one_of(
            st.integers(-5, 700), st.floats(), st.integers(), st.sampled_from(["na", "abc", "1,2,3", "0x10", "1_0"])
        ),
        "consent": st.sampled_from([True, False, "perhaps"]),
    },
)


@pytest.fixture(scope="module", autouse=True)
def english_page() -> Iterator[None]:
    """A request that somebody with an English browser makes."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a secret of this test"
    Babel(app)
    with app.test_request_context("/"):
        yield


def posted(form: Form, values: Mapping[str, Any] | MultiDict[str, str]) -> AnswersForm:
    return build(form, "en")(formdata=MultiDict(values), meta={"csrf": False})


def on_the_wire(value: Any) -> str:
    """Return what a browser sends for an answer: everything is text there."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def verdict(form: Form, given_answers: Mapping[str, Any]) -> tuple[dict[str, Any], set[str | None]]:
    """Return the accepted answers and the fields with a problem, as the domain sees them."""
    try:
        return check_answers(form, given_answers), set()
    except Invalid as invalid:
        return {}, {problem.field for problem in invalid.problems}


def test_the_engine_knows_every_type() -> None:
    assert {question.type for question in EVERYTHING["survey"].questions()} == set(TYPES)


@pytest.mark.parametrize("purpose", EVERYTHING)
@settings(max_examples=300, deadline=None)
@given(given_answers=typed)
def test_page_and_rules_agree_on_every_answer(purpose: str, given_answers: dict[str, Any]) -> None:
    form = EVERYTHING[purpose]
    accepted, wrong = verdict(form, given_answers)

    page = posted(form, {key: on_the_wire(value) for key, value in given_answers.items()})
    good = page.validate()

    assert good is not bool(wrong)
    assert {field.name for field, _ in page.wrong()} == wrong - {None}
    assert bool(page.form_errors) == (None in wrong)
    if good:
        assert check_answers(form, answers(page, form)) == accepted


@settings(max_examples=300, deadline=None)
@given(values=st.dictionaries(st.sampled_from([q["key"] for q in QUESTIONS]), st.text(), max_size=10))
def test_whatever_is_posted_is_answered_with_words_and_stays_as_it_was_typed(values: dict[str, str]) -> None:
    page = posted(EVERYTHING["survey"], values)
    page.validate()
    assert all(text for _, text in page.wrong())
    assert {field.name: field.typed for field in page.questions() if field.typed} == {
        key: [value] for key, value in values.items()
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12", 12),
        ("12,5", 12.5),
        (" 12.5 ", 12.5),
        ("1 200", 1200),
        ("1\u00a0200,25", 1200.25),
        ("-3", -3),
        ("1e3", 1000),
        ("abc", "abc"),
        ("12 min", "12 min"),
        ("nan", "nan"),
        ("٣", "٣"),
        ("9" * 5000, "9" * 5000),
        ("", None),
    ],
)
def test_a_number_is_read_as_people_write_it(written: str, read: Any) -> None:
    form = form_of(question("minutes", "number"))
    found = answers(posted(form, {"minutes": written}), form).get("minutes")
    assert found == read
    assert type(found) is type(read)


def test_a_long_text_may_have_lines() -> None:
    form = form_of(question("comment", "text"))
    text = ("x" * 39 + "\n") * 99 + "x" * 40
    assert len(text) == TEXT_LIMIT
    page = posted(form, {"comment": text.replace("\n", "\r\n")})
    assert page.validate()
    assert answers(page, form) == {"comment": text}


def test_an_unticked_consent_is_no_answer() -> None:
    form = form_of(question("name", "text"), question("agree", "consent", required=True))
    page = posted(form, {"name": "Anna"})
    assert not page.validate()
    assert [field.name for field, _ in page.wrong()] == ["agree"]


@pytest.mark.parametrize("key", ["data", "errors", "meta", "validate", "process", "hidden_tag", "language", "__init__"])
def test_a_question_may_bear_any_name(key: str) -> None:
    form = form_of(question(key, "smiley4"))
    page = posted(form, {key: "4"})
    assert page.validate()
    assert answers(page, form) == {key: 4}


def test_not_applicable_is_offered_in_checklists_alone() -> None:
    for purpose, offered in (("survey", False), ("checklist", True)):
        page = posted(EVERYTHING[purpose], {})
        options = {field.name: [option.value for option in field.options] for field in page.questions()}
        assert ("na" in options["yes_no"]) is offered
        assert ("na" in options["choice"]) is offered
        assert options["smiley4"] == ["1", "2", "3", "4", *(["na"] if offered else [])]


def test_the_mark_of_not_applicable_stands_before_a_number_in_the_line() -> None:
    form = form_of(question("wait", "number"), question("clean", "yes_no"), purpose="checklist")
    for line in ("", "90"):
        page = posted(form, MultiDict([("wait", line), ("wait", "na"), ("clean", "yes")]))
        assert answers(page, form) == {"wait": "na", "clean": "yes"}


def test_a_file_under_the_name_of_a_question_is_no_answer() -> None:
    form = form_of(question("comment", "text"))
    app = Flask("files")
    app.config.update(SECRET_KEY="another secret", WTF_CSRF_ENABLED=False)
    Babel(app)
    with app.test_request_context("/", method="POST", data={"comment": (io.BytesIO(b"words"), "words.txt")}):
        assert answers(build(form, "en")(), form) == {}


@pytest.mark.parametrize("given_id", [None, "", "not-an-id", "{00000000-0000-0000-0000-000000000000}"])
def test_a_page_without_a_readable_id_gets_one_of_its_own(given_id: str | None) -> None:
    form = EVERYTHING["survey"]
    values = {"smiley4": "4"} if given_id is None else {"smiley4": "4", "response_id": given_id}
    first, second = posted(form, values), posted(form, values)
    assert first.hand_in_id == first.hand_in_id
    assert first.hand_in_id != second.hand_in_id


def test_a_page_keeps_its_id() -> None:
    page = posted(EVERYTHING["survey"], {"response_id": "0b8f7c52-5e5a-4d3b-9a57-0a0f6f1f6b11"})
    assert str(page.hand_in_id) == "0b8f7c52-5e5a-4d3b-9a57-0a0f6f1f6b11"
