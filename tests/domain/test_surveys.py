"""When a survey is over, and which receipts are the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from feedback_app.domain import surveys
from feedback_app.domain.errors import Problem

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
EVENING = datetime(2026, 3, 1, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("closed_at", "until", "end"),
    [(None, None, None), (MORNING, None, MORNING), (None, EVENING, EVENING), (MORNING, EVENING, MORNING)],
)
def test_a_survey_ends_with_its_last_day_or_its_point_whichever_comes_first(
    closed_at: datetime | None, until: datetime | None, end: datetime | None
) -> None:
    assert surveys.end_of(closed_at, until) == end


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1234", "1234"),
        (" 00 12-34 ", "001234"),
        ("ab-12", "AB12"),
        ("АБ–12\u00a034", "АБ1234"),
        ("１２３４", "1234"),
        ("9" * 64, "9" * 64),
    ],
)
def test_spaces_hyphens_and_case_make_no_other_receipt(written: str, number: str) -> None:
    assert surveys.receipt_number(written) == number


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (None, "receipt_required"),
        ("", "receipt_required"),
        (" - ", "receipt_required"),
        (1234, "receipt_required"),
        ("123", "bad_receipt"),
        ("9" * 65, "bad_receipt"),
        ("12/34", "bad_receipt"),
        ("12\x0034", "bad_receipt"),
    ],
)
def test_what_is_no_receipts_number_is_said_so(written: object, code: str) -> None:
    with pytest.raises(Problem) as wrong:
        surveys.receipt_number(written)
    assert (wrong.value.code, wrong.value.field) == (code, "receipt")


def test_the_grace_is_an_hour() -> None:
    assert timedelta(hours=1) == surveys.GRACE
