"""When a response counts, what makes it the same one again, and how its id and time are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.responses import (
    FLAG_TIME,
    PointForm,
    accept,
    build,
    digest,
    parse_id,
    parse_time,
    place_in_time,
)
from tests.domain.paper import at_point, every_type

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
BEYOND_THE_CALENDAR = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


def find(token: str, version: int | None) -> PointForm:
    if token != "token":
        raise Problem("unknown_point", "point")
    if version != 1:
        raise Problem("unknown_form_version", "form_version")
    return at_point(every_type())


def item(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "point": "token",
        "form_version": 1,
        "occurred_at": NOW.isoformat(),
        "language": "be",
        "answers": {"smiley4": 3},
        **changes,
    }


@pytest.mark.parametrize(
    ("claimed", "counts_at", "flags"),
    [
        (NOW - timedelta(days=365), NOW - timedelta(days=365), []),
        (NOW - timedelta(seconds=3), NOW - timedelta(seconds=3), []),
        (NOW + timedelta(minutes=59), NOW, []),
        (NOW + timedelta(minutes=61), NOW, [FLAG_TIME]),
        (NOW - timedelta(days=367), NOW, [FLAG_TIME]),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW, [FLAG_TIME]),
        (datetime(2099, 12, 31, tzinfo=UTC), NOW, [FLAG_TIME]),
    ],
)
def test_a_clock_that_is_wrong_flags_a_response_and_never_drops_it(
    claimed: datetime, counts_at: datetime, flags: list[str]
) -> None:
    assert place_in_time(claimed, NOW) == (counts_at, flags)


@pytest.mark.parametrize("claimed", [*BEYOND_THE_CALENDAR, "1970-01-01T00:00:00Z", "2099-01-01T00:00:00+03:00"])
def test_the_raw_time_stands_beside_the_received_one(claimed: str) -> None:
    got = accept(item(occurred_at=claimed), find, NOW)
    assert (got.claimed_at, got.occurred_at, got.received_at, got.flags) == (claimed, NOW, NOW, [FLAG_TIME])
    assert accept(item(), find, NOW).claimed_at is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-31T14:05:00+03:00", datetime(2026, 3, 31, 11, 5, tzinfo=UTC)),
        ("2026-03-31T14:05:00Z", datetime(2026, 3, 31, 14, 5, tzinfo=UTC)),
        ("2026-03-31T14:05:00.250", datetime(2026, 3, 31, 14, 5, 0, 250_000, tzinfo=UTC)),
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_utc(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


UNREADABLE = [None, 0, 1.5, True, "", "yesterday", "31.03.2026", "2026-13-01", "2026-02-30T00:00:00Z", [], "9" * 41]
UNSTORABLE = ["2099-01-01\x0012:00:00", "2099-01-01\ud80012:00:00"]


@pytest.mark.parametrize("text", [*UNREADABLE, *UNSTORABLE])
def test_an_unreadable_time_is_refused(text: Any) -> None:
    with pytest.raises(Problem) as caught:
        parse_time(text)
    assert (caught.value.code, caught.value.field) == ("bad_time", "occurred_at")


@given(st.text(max_size=45))
def test_any_text_is_a_time_or_is_refused(text: str) -> None:
    try:
        moment = parse_time(text)
    except Problem as problem:
        assert problem.code == "bad_time"
    else:
        assert moment.utcoffset() == timedelta(0)


def test_an_id_is_a_uuid_of_36_characters() -> None:
    known = "0198c0de-0000-7000-8000-0123456789ab"
    assert parse_id(known) == parse_id(known.upper()) == UUID(known)
    for bad in (None, 5, "", known[:-1], known + "0", f"{{{known}}}", known.replace("-", ""), f" {known}", "x" * 36):
        with pytest.raises(Problem, match="bad_id"):
            parse_id(bad)


@given(st.permutations(["smiley4", "text", "nps", "yes_no"]))
def test_the_order_of_answers_makes_no_other_response(order: list[str]) -> None:
    answers = {"smiley4": 1, "text": "Так", "nps": 7, "yes_no": "na"}
    shuffled = {key: answers[key] for key in order}
    assert digest("token", 1, shuffled) == digest("token", 1, answers)


def test_other_content_point_or_version_makes_another_digest() -> None:
    known = digest("token", 1, {"smiley4": 1})
    others = {
        digest("token", 1, {"smiley4": 2}),
        digest("token", 2, {"smiley4": 1}),
        digest("other", 1, {"smiley4": 1}),
        digest("token", 1, {"smiley5": 1}),
        digest("token", 1, {"smiley4": 1, "text": "Так"}),
    }
    assert len(others | {known}) == 6


def test_time_and_language_are_no_part_of_the_digest() -> None:
    one = accept(item(), find, NOW)
    other = accept(item(language="ru", occurred_at="2026-03-30T00:00:00Z"), find, NOW + timedelta(days=1))
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": None}, "bad_id"),
        ({"point": None}, "unknown_point"),
        ({"point": "elsewhere"}, "unknown_point"),
        ({"form_version": True}, "unknown_form_version"),
        ({"form_version": 1.0}, "unknown_form_version"),
        ({"form_version": "1"}, "unknown_form_version"),
        ({"form_version": 2}, "unknown_form_version"),
        ({"language": "de"}, "unknown_language"),
        ({"language": ["ru"]}, "unknown_language"),
        ({"occurred_at": None}, "bad_time"),
        ({"answers": None}, "wrong_type"),
        ({"answers": [1]}, "wrong_type"),
    ],
)
def test_an_item_that_is_not_whole_is_refused_by_name(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem) as caught:
        accept(item(**changes), find, NOW)
    assert caught.value.code == code


@pytest.mark.parametrize("thing", [None, True, 5, "text", [], [{}]])
def test_what_is_no_object_is_no_item(thing: Any) -> None:
    with pytest.raises(Problem, match="wrong_type"):
        accept(thing, find, NOW)


def test_keys_that_the_item_does_not_define_are_ignored() -> None:
    assert accept(item(colour="red"), find, NOW).answers == {"smiley4": 3}


def test_a_response_without_a_clock_counts_at_its_receipt() -> None:
    built = build(uuid4(), at_point(every_type()), {"stars": 4, "text": " Так "}, NOW, language="be")
    assert (built.occurred_at, built.score, built.comment, built.flags) == (NOW, 50, "Так", [])
    with pytest.raises(Invalid):
        build(uuid4(), at_point(every_type()), {}, NOW)
