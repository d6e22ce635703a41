"""Answers: their places are filled, a missing name leaves no gap, and nobody reads another writer's name."""

from __future__ import annotations

import pytest

from feedback_app.domain import answers
from feedback_app.domain.errors import DomainError, Invalid

VALUES = {"number": "7", "year": "2026", "name": "Анна", "store": "Магазин 1"}


def test_places_are_filled() -> None:
    text = "Здравствуйте, {name}! Запись № {number} за {year} год, {store}."
    assert answers.fill(text, VALUES) == "Здравствуйте, Анна! Запись № 7 за 2026 год, Магазин 1."


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Здравствуйте, {name}!\nСпасибо.", "Здравствуйте!\nСпасибо."),
        ("Dear {name},\nthank you", "Dear,\nthank you"),
        ("{name}, здравствуйте!", "Здравствуйте!"),
        ("Спасибо.\n{name}, мы ответим.", "Спасибо.\nМы ответим."),
    ],
)
def test_a_missing_name_leaves_no_gap(text: str, without: str) -> None:
    assert answers.fill(text, {**VALUES, "name": None}) == without


def test_a_value_with_braces_is_no_place() -> None:
    assert answers.fill("{name}: {number}", {**VALUES, "name": "{number}"}) == "{number}: 7"


def test_a_place_that_nothing_fills_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        answers.require_known("{number} {nummer} {} {имя} {nummer}")
    assert refused.value.problems[0].params == {"places": "{nummer}, {}, {имя}"}
    answers.require_known("{number} {due} { not a place\n}")


@pytest.mark.parametrize(
    ("contact", "address"),
    [
        ("anna@example.by", "anna@example.by"),
        (" anna@example.by ", "anna@example.by"),
        ("+375 29 111-11-11", None),
        ("anna@example.by, +375 29", None),
        ("anna@localhost", None),
        ("anna@example.by\nBcc: x@example.by", None),
        (None, None),
    ],
)
def test_an_answer_goes_by_mail_where_the_contact_is_an_address(contact: str | None, address: str | None) -> None:
    assert answers.address_of(contact) == address


def test_the_surest_way_comes_first_and_paper_is_always_open() -> None:
    assert answers.ways("anna@example.by", True) == ("mail", "link", "print")
    assert answers.ways("+375 29", True) == ("link", "print")
    assert answers.ways(None, False) == ("print",)
    assert answers.way_to("anna@example.by", True, "print") == "print"
    assert answers.way_to(None, True, "mail") == "link"


def test_nobody_reads_the_name_of_another_writer() -> None:
    with pytest.raises(Invalid, match="names_another_writer"):
        answers.require_own_name("Здравствуйте, АННА Петровна", [None, "Анна Петровна"])
    answers.require_own_name("Здравствуйте!", ["Анна", None])


def test_nobody_approves_their_own_answer() -> None:
    with pytest.raises(DomainError, match="own_answer"):
        answers.require_second_person(3, 3)
    answers.require_second_person(3, 4)
