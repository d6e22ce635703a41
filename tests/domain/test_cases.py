"""Cases: which way they go, when they may end, and what may be written in them."""

from __future__ import annotations

from datetime import date

import pytest

from feedback_app.domain import cases
from feedback_app.domain.cases import STAFF, STATUSES, WRITER
from feedback_app.domain.errors import DomainError, Invalid

MAY = {
    (STAFF, "new"): "in_work waiting answered closed",
    (STAFF, "in_work"): "waiting answered closed",
    (STAFF, "waiting"): "in_work answered closed",
    (STAFF, "reopened"): "in_work waiting answered closed",
    (STAFF, "answered"): "answered closed reopened",
    (STAFF, "closed"): "reopened",
    (WRITER, "answered"): "reopened",
    (WRITER, "closed"): "reopened",
}


def codes(refused: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in refused.value.problems]


@pytest.mark.parametrize("by", [STAFF, WRITER])
@pytest.mark.parametrize("status", STATUSES)
def test_a_case_goes_only_where_it_may(by: str, status: str) -> None:
    allowed = set(MAY.get((by, status), "").split())
    for to in STATUSES:
        if to in allowed:
            cases.require_move(status, to, by)
        else:
            with pytest.raises(DomainError, match="no_such_move"):
                cases.require_move(status, to, by)


def test_a_case_is_overdue_from_the_day_after_its_last() -> None:
    last = date(2026, 11, 30)
    assert not cases.is_overdue("new", last, date(2026, 11, 30))
    assert cases.is_overdue("new", last, date(2026, 12, 1))
    assert cases.is_overdue("reopened", last, date(2026, 12, 1))
    assert not cases.is_overdue("answered", last, date(2026, 12, 1))
    assert not cases.is_overdue("new", None, date(2026, 12, 1))


def test_a_complaint_or_claim_is_closed_after_an_answer_or_with_a_reason() -> None:
    assert cases.needs_reason_to_close(["complaint"], answered=False)
    assert cases.needs_reason_to_close(["suggestion", "claim"], answered=False)
    assert not cases.needs_reason_to_close(["complaint"], answered=True)
    assert not cases.needs_reason_to_close(["thanks", "suggestion"], answered=False)
    assert not cases.needs_reason_to_close([], answered=False)


def test_labels_are_small_words_each_once() -> None:
    assert cases.label_list(" Хлеб,  касса  3 ,хлеб,, Каса ") == ["хлеб", "касса 3", "каса"]
    assert cases.label_list("") == []


@pytest.mark.parametrize(
    ("raw", "code"),
    [(",".join(str(number) for number in range(11)), "too_many_labels"), ("x" * 41, "label_too_long")],
)
def test_labels_have_their_limits(raw: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        cases.label_list(raw)
    assert codes(refused) == [(code, "labels")]


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (None, "required"),
        (date(2026, 11, 30), "not_later"),
        (date(2026, 11, 1), "not_later"),
        (date(2026, 12, 17), "past_the_limit"),
    ],
)
def test_a_deadline_moves_to_a_later_day_within_the_limit(new: date | None, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        cases.require_later(new, date(2026, 11, 30), date(2026, 12, 16))
    assert codes(refused) == [(code, "due_on")]


def test_a_deadline_may_move_to_the_last_day_allowed() -> None:
    assert cases.require_later(date(2026, 12, 16), date(2026, 11, 30), date(2026, 12, 16)) == date(2026, 12, 16)
    assert cases.require_later(date(2027, 12, 16), None, None) == date(2027, 12, 16)


def test_what_is_written_has_something_in_it_and_an_end() -> None:
    assert cases.words_of("  звонил \n", "text", 10) == "звонил"
    for raw, code in ((" ​ ", "required"), ("x" * 11, "too_long"), (None, "required")):
        with pytest.raises(Invalid) as refused:
            cases.words_of(raw, "text", 10)
        assert codes(refused) == [(code, "text")]


def test_a_root_cause_is_one_of_the_list() -> None:
    assert cases.require_cause("supplier") == "supplier"
    assert cases.require_cause("") is None
    with pytest.raises(Invalid):
        cases.require_cause("weather")
