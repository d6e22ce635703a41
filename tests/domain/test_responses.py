"""When a response counts, what makes it the same one again, and how its id and time are read."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.clocks import FLAG_TIME, Reading, Sent
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.responses import PointForm, accept, build, digest, parse_id, parse_time
from tests.domain.paper import at_point, every_type

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SENT = Sent(NOW)
BEYOND_THE_CALENDAR = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


def find(token: str, version: int | None, channel: str) -> PointForm:
    if token != "token":
        raise Problem("unknown_point", "point")
    if version != 1:
        raise Problem("unknown_form_version", "form_version")
    return at_point(every_type(), channel)


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


@pytest.mark.parametrize("claimed", [*BEYOND_THE_CALENDAR, "1970-01-01T00:00:00Z", "2099-01-01T00:00:00+03:00"])
def test_the_raw_time_stands_beside_the_received_one(claimed: str) -> None:
    got = accept(item(occurred_at=claimed), find, SENT)
    assert (got.claimed_at, got.occurred_at, got.received_at, got.flags) == (claimed, NOW, NOW, [FLAG_TIME])
    assert accept(item(), find, SENT).claimed_at is None


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


def test_the_digest_of_a_response_never_changes_from_release_to_release() -> None:
    known = {
        "b428334e562be9e4": {"smiley4": 3},
        "6a7fabf9f902ea39": {"text": "Дзякуй 🙂 \ud800", "number": 4.5, "smiley4": 1, "consent": True},
        "6d0bafe4310f53fb": {},
    }
    assert {digest("token-1_A", 12, answers)[:16] for answers in known.values()} == set(known)


def test_time_and_language_are_no_part_of_the_digest() -> None:
    one = accept(item(), find, SENT)
    other = accept(item(language="ru", occurred_at="2026-03-30T00:00:00Z"), find, Sent(NOW + timedelta(days=1)))
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
        ({"channel": "book"}, "unknown_channel"),
        ({"channel": None}, "unknown_channel"),
    ],
)
def test_an_item_that_is_not_whole_is_refused_by_name(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem) as caught:
        accept(item(**changes), find, SENT)
    assert caught.value.code == code


@pytest.mark.parametrize("thing", [None, True, 5, "text", [], [{}]])
def test_what_is_no_object_is_no_item(thing: Any) -> None:
    with pytest.raises(Problem, match="wrong_type"):
        accept(thing, find, SENT)


def test_an_item_is_of_a_kiosk_unless_it_says_that_it_is_of_a_survey() -> None:
    assert accept(item(), find, SENT).at.channel == "button"
    assert accept(item(channel="qr"), find, SENT).at.channel == "qr"


def test_the_devices_clocks_and_what_it_noticed_are_kept() -> None:
    sent = Sent(NOW, Reading(NOW - timedelta(hours=3), "boot", 9_000))
    claimed = (NOW - timedelta(hours=3, seconds=5)).isoformat()
    extras = {"boot_id": "boot", "monotonic_ms": 4_000, "sequence": 7, "flags": ["held", "burst"], "receipt": "0042 17"}
    got = accept(item(occurred_at=claimed, **extras), find, sent)
    assert got.occurred_at == NOW - timedelta(seconds=5)
    assert (got.placed_by, got.claimed_at, got.skew_ms) == ("skew", claimed, 3 * 3_600_000)
    assert (got.sequence, got.flags, got.receipt) == (7, ["burst", "held"], "0042 17")


NO_CLOCKS: list[dict[str, Any]] = [
    *({"sequence": bad} for bad in (None, True, -1, 1.5, "7", 10**400, [7])),
    *({"monotonic_ms": bad} for bad in (None, True, -1, "7", math.nan, math.inf, 10**400, {})),
    *({"boot_id": bad} for bad in (None, 5, "", "x" * 65, "a\x00b", "\ud800", ["boot"])),
    *({"flags": bad} for bad in (None, "burst", {"burst": 1}, ["late", None, 5, ["held"]], [float("nan")])),
    *({"receipt": bad} for bad in (None, 42, "", "7" * 65, "1\n2", "\ud800", ["7"])),
]


@pytest.mark.parametrize("extras", NO_CLOCKS)
def test_a_clock_a_flag_or_a_receipt_that_cannot_be_read_loses_no_answer(extras: dict[str, Any]) -> None:
    got = accept(item(**extras), find, SENT)
    assert (got.answers, got.occurred_at, got.sequence, got.flags, got.receipt) == ({"smiley4": 3}, NOW, None, [], None)


def test_a_misread_flag_beside_a_known_one_is_ignored() -> None:
    assert accept(item(flags=["late", "burst", "burst", 5]), find, SENT).flags == ["burst"]


def test_what_the_device_noticed_stands_beside_a_wrong_clock() -> None:
    assert accept(item(occurred_at="1970-01-01", flags=["held"]), find, SENT).flags == [FLAG_TIME, "held"]


def test_keys_that_the_item_does_not_define_are_ignored() -> None:
    assert accept(item(colour="red"), find, SENT).answers == {"smiley4": 3}


def test_a_response_without_a_clock_counts_at_its_receipt() -> None:
    built = build(uuid4(), at_point(every_type()), {"stars": 4, "text": " Так "}, NOW, language="be")
    assert (built.occurred_at, built.score, built.comment, built.flags) == (NOW, 50, "Так", [])
    with pytest.raises(Invalid):
        build(uuid4(), at_point(every_type()), {}, NOW)
