"""Who may do what, until when an entry is answered, what it must hold, and where words belong on the map."""

from __future__ import annotations

from typing import Any

import pytest

from feedback_app.domain import book
from feedback_app.domain.access import ROLES, SYSTEM, Access, Right, access_of
from feedback_app.domain.cases import BOOK_KINDS
from feedback_app.domain.errors import BadDefinition, Forbidden, Invalid
from feedback_app.domain.forms import parse
from feedback_app.domain.journey import (
    ASPECT_STAGES,
    ASPECTS,
    B2C_STAGES,
    TOUCHPOINT_STAGES,
    stage_of_aspect,
    stage_of_touchpoint,
)

FIGURES, WORDS, CHANGE = Right.READ_FIGURES, Right.READ_WORDS, Right.CHANGE_RESPONSES
POINTS, VISITS, FILL = Right.READ_POINTS, Right.READ_VISITS, Right.FILL_VISIT
DEVICES, MANAGE = Right.READ_DEVICES, Right.MANAGE_DEVICES
CORRECT = Right.CORRECT_READINGS
BOOK, CASES, KEEP_BOOK, ERASE = Right.READ_BOOK, Right.WORK_CASES, Right.MANAGE_BOOK, Right.ERASE
MAY: dict[str, set[Right]] = {
    "admin": {FIGURES, WORDS, CHANGE, CORRECT, POINTS, VISITS, DEVICES, MANAGE, BOOK, KEEP_BOOK, ERASE},
    "director": {FIGURES, WORDS, CHANGE, CORRECT, POINTS, VISITS, DEVICES, BOOK, CASES, ERASE},
    "manager": {FIGURES, WORDS, CORRECT, POINTS, VISITS, DEVICES, BOOK, CASES},
    "coordinator": {VISITS},
    "mystery_shopper": {VISITS, FILL},
}


def somebody(*roles: str, stores: tuple[int, ...] = (), regions_stores: tuple[int, ...] | None = None) -> Access:
    return access_of(
        roles,
        user_id=5,
        actor="somebody",
        stores=stores,
        regions_stores=regions_stores or (),
        has_regions=regions_stores is not None,
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says_and_nothing_else(role: str) -> None:
    access = somebody(role, stores=(1,))
    assert {right for right in Right if access.may(right)} == MAY[role] | {Right.SIGNED_IN, Right.PUBLIC}


def test_nobody_has_the_right_of_nobody_and_devices_are_no_people() -> None:
    for role in ROLES:
        assert not somebody(role).may(Right.NOBODY)
        assert not somebody(role).may(Right.DEVICE)


def test_an_unknown_role_may_nothing_and_a_second_role_adds() -> None:
    assert not somebody("owner").may(Right.SIGNED_IN)
    both = somebody("coordinator", "manager", stores=(1,))
    assert both.may(Right.READ_FIGURES)
    assert both.stores == frozenset({1})


@pytest.mark.parametrize(
    ("access", "stores"),
    [
        (somebody("admin"), None),
        (somebody("admin", stores=(1,)), None),
        (somebody("director"), None),
        (somebody("director", stores=(1,)), {1}),
        (somebody("director", regions_stores=(2, 3)), {2, 3}),
        (somebody("director", regions_stores=()), set()),
        (somebody("manager"), set()),
        (somebody("manager", stores=(1,), regions_stores=(2,)), {1, 2}),
        (somebody("coordinator", stores=(4,)), {4}),
        (somebody(), set()),
    ],
)
def test_the_scope_of_a_role(access: Access, stores: set[int] | None) -> None:
    assert access.stores == (None if stores is None else frozenset(stores))
    assert access.sees_store(1) == (stores is None or 1 in stores)


def test_a_mystery_shopper_sees_own_visits_only() -> None:
    assert somebody("mystery_shopper").visits_of == 5
    assert somebody("coordinator", stores=(1,)).visits_of is None


def test_what_is_not_allowed_is_refused_and_the_program_itself_may_all() -> None:
    with pytest.raises(Forbidden):
        somebody("manager", stores=(1,)).require(Right.CHANGE_RESPONSES)
    for right in Right:
        SYSTEM.require(right)
    assert SYSTEM.sees_store(10**9)


GOOD = {"kind": "thanks", "text": "Спасибо Анне!"}


@pytest.mark.parametrize("kind", BOOK_KINDS)
def test_an_entry_is_anonymous_by_default(kind: str) -> None:
    entry = book.accept({"kind": kind, "text": " Спасибо \x00Анне! "})
    assert (entry.kind, entry.text, entry.name, entry.contact, entry.consent) == (
        kind,
        "Спасибо Анне!",
        None,
        None,
        False,
    )


def test_name_and_contact_are_kept_with_consent_alone() -> None:
    entry = book.accept({**GOOD, "name": "Анна", "contact": "+375 29 000-00-00", "consent": True})
    assert (entry.name, entry.contact, entry.consent) == ("Анна", "+375 29 000-00-00", True)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"kind": None}, "required", "kind"),
        ({"kind": "poem"}, "unknown_choice", "kind"),
        ({"kind": ["thanks"]}, "unknown_choice", "kind"),
        ({"text": None}, "required", "text"),
        ({"text": " \x00\n"}, "required", "text"),
        ({"text": 5}, "required", "text"),
        ({"text": "я" * 4_001}, "too_long", "text"),
        ({"name": "я" * 121, "consent": True}, "too_long", "name"),
        ({"contact": "я" * 201, "consent": True}, "too_long", "contact"),
        ({"name": 5, "consent": True}, "wrong_type", "name"),
        ({"name": "Анна"}, "consent_needed", "consent"),
        ({"contact": "a@b.by", "consent": False}, "consent_needed", "consent"),
    ],
)
def test_an_entry_that_cannot_be_taken_names_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        book.accept({**GOOD, **changes})
    assert [(problem.code, problem.field) for problem in caught.value.problems] == [(code, field)]


def test_the_stages_of_touchpoints_and_aspects() -> None:
    assert dict(TOUCHPOINT_STAGES) == {
        "entrance": "awareness",
        "shelf": "evaluation",
        "counter": "evaluation",
        "checkout": "deal",
        "exit": "experience",
    }
    assert set(ASPECT_STAGES) == set(ASPECTS) - {"other"}
    assert set(ASPECT_STAGES.values()) == set(B2C_STAGES)
    assert stage_of_touchpoint(None) is stage_of_touchpoint("roof") is None


@pytest.mark.parametrize(
    ("aspect", "touchpoint", "stage"),
    [
        ("staff", None, "deal"),
        ("staff", "checkout", "deal"),
        ("staff", "shelf", "evaluation"),
        ("service", "counter", "evaluation"),
        ("queue", "counter", "deal"),
        ("freshness", "entrance", "experience"),
        ("other", "entrance", "awareness"),
        ("other", "exit", "experience"),
        ("other", None, "experience"),
        ("loyalty_programme", "shelf", "trigger"),
    ],
)
def test_a_mention_counts_at_its_stage(aspect: str, touchpoint: str | None, stage: str) -> None:
    assert stage_of_aspect(aspect, touchpoint) == stage


def test_a_chain_may_move_an_aspect_or_a_touchpoint() -> None:
    assert stage_of_aspect("price", None, {"price": "deal"}) == "deal"
    assert stage_of_aspect("other", "exit", touchpoint_stage="trigger") == "trigger"


@pytest.mark.parametrize("text", ["\u200b\u200b", "\u2060 \ufeff", "\u00ad", " \n\t"])
def test_an_entry_in_which_nobody_can_see_anything_is_empty(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        book.accept({"kind": "thanks", "text": text})
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [("text", "required")]


def _form(purpose: str, **question: Any) -> dict[str, Any]:
    words = {"ru": "а", "be": "а", "en": "a"}
    first = {"key": "first", "type": "yes_no", "text": words}
    second = {"key": "second", "text": words, **question}
    section = {"key": "main", "title": words, "questions": [first, second]}
    return {"key": "form", "purpose": purpose, "title": words, "sections": [section]}


@pytest.mark.parametrize(
    ("purpose", "question", "code"),
    [
        ("checklist", {"type": "rating", "max": 5, "points": 5}, "points_cannot_be_earned"),
        ("checklist", {"type": "smiley4", "knock_out": "visit"}, "points_cannot_be_earned"),
        ("checklist", {"type": "number", "points": 5}, "points_cannot_be_earned"),
        ("kiosk", {"type": "text", "required": True}, "required_follow_up"),
        ("survey", {"type": "text", "key": "csrf_token"}, "bad_key"),
    ],
)
def test_a_form_that_could_not_be_fair_is_not_published(purpose: str, question: dict[str, Any], code: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        parse(_form(purpose, **question))
    assert caught.value.code == code
