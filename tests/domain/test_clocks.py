"""When a response counts, told from clocks that may be wrong, jump, or were another's before a restart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.clocks import (
    FLAG_TIME,
    PAST_TOLERANCE,
    TOLERANCE,
    Beat,
    Placed,
    Reading,
    Sent,
    place,
    read,
)

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
MS = timedelta(milliseconds=1)
IN_2001 = datetime(2001, 1, 1, tzinfo=UTC)
RIGHT = Placed(NOW - HOUR, (), 0)


def at(
    wall: datetime | None, run: str | None = None, uptime: timedelta | None = None, number: int | None = None
) -> Any:
    """What a device's clocks showed: its wall clock, its run, how long that ran, and the number of the item."""
    return Reading(wall, run, None if uptime is None else uptime / MS, number)


def sent(reading: Reading, *beats: Beat) -> Sent:
    return Sent(NOW, reading, lambda: beats)


def beat(received_at: datetime, number: int, run: str = "old", uptime: timedelta = HOUR) -> Beat:
    return Beat(received_at, run, uptime / MS, number)


def unasked() -> Sequence[Beat]:
    raise AssertionError("nobody asks the heartbeats where the clocks are right")


# --- the wall clock alone ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "counts_at", "flags"),
    [
        (NOW - 365 * DAY, NOW - 365 * DAY, ()),
        (NOW - 3 * SECOND, NOW - 3 * SECOND, ()),
        (NOW + 59 * MINUTE, NOW, ()),
        (NOW + 61 * MINUTE, NOW, (FLAG_TIME,)),
        (NOW - 367 * DAY, NOW, (FLAG_TIME,)),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW, (FLAG_TIME,)),
        (datetime(2099, 12, 31, tzinfo=UTC), NOW, (FLAG_TIME,)),
        (datetime.min.replace(tzinfo=UTC), NOW, (FLAG_TIME,)),
        (datetime.max.replace(tzinfo=UTC), NOW, (FLAG_TIME,)),
    ],
)
def test_a_clock_that_is_wrong_flags_a_response_and_never_drops_it(
    claimed: datetime, counts_at: datetime, flags: tuple[str, ...]
) -> None:
    assert place(Reading(claimed), Sent(NOW)) == Placed(counts_at, flags, None, "receipt" if flags else None)


@pytest.mark.parametrize("behind", [3 * HOUR, -3 * HOUR, 300 * DAY, -300 * DAY, 61 * SECOND])
def test_a_clock_that_is_off_is_corrected_by_how_far_it_is_off_at_the_sending(behind: timedelta) -> None:
    placed = place(Reading(NOW - HOUR - behind), sent(Reading(NOW - behind)))
    assert placed == Placed(NOW - HOUR, (), behind // MS, "skew")


def test_the_way_of_a_request_corrects_nothing() -> None:
    assert place(Reading(NOW - HOUR), sent(Reading(NOW - 8 * SECOND))) == RIGHT._replace(skew_ms=8_000)


def test_a_clock_that_is_years_off_tells_no_time() -> None:
    placed = place(Reading(IN_2001), sent(Reading(IN_2001 + HOUR)))
    assert (placed.occurred_at, placed.flags, placed.placed_by) == (NOW, (FLAG_TIME,), "receipt")


def test_a_right_clock_asks_no_heartbeat() -> None:
    sending = Reading(NOW, "now", 5 * HOUR / MS)
    assert place(at(NOW - HOUR, "now", 4 * HOUR, 7), Sent(NOW, sending, unasked)) == RIGHT
    assert place(Reading(NOW - HOUR, sequence=7), Sent(NOW, sending, unasked)) == RIGHT


# --- the same run of the kiosk as the sending -------------------------------------------------------------------


def test_with_a_counter_a_clock_that_is_years_off_tells_the_time_as_well_as_any() -> None:
    placed = place(at(IN_2001, "now", 4 * HOUR), sent(at(IN_2001 + HOUR, "now", 5 * HOUR)))
    assert (placed.occurred_at, placed.flags, placed.placed_by) == (NOW - HOUR, (), "skew")


@pytest.mark.parametrize("then", [IN_2001, NOW + 2 * DAY, NOW - 30 * MINUTE, datetime(2038, 1, 19, 4, tzinfo=UTC)])
def test_a_clock_set_right_before_the_sending_is_told_by_the_counter(then: datetime) -> None:
    placed = place(at(then, "now", 4 * HOUR), sent(at(NOW, "now", 5 * HOUR)))
    assert placed == Placed(NOW - HOUR, (), 0, "monotonic")


def test_a_clock_that_fell_back_before_the_sending_is_told_by_the_counter() -> None:
    placed = place(at(NOW - HOUR, "now", 4 * HOUR), sent(at(IN_2001, "now", 5 * HOUR)))
    assert (placed.occurred_at, placed.flags, placed.placed_by) == (NOW - HOUR, (), "monotonic")


def test_a_tablet_that_slept_is_told_by_its_wall_clock() -> None:
    """Its counter stood still at night; the clock of the day went on."""
    placed = place(at(NOW - 14 * HOUR, "now", 4 * HOUR), sent(at(NOW, "now", 5 * HOUR)))
    assert placed == Placed(NOW - 14 * HOUR, (), 0)


def test_a_heartbeat_of_the_same_run_tells_sleep_from_a_clock_set_right() -> None:
    claim, sending = at(NOW - 14 * HOUR, "now", 4 * HOUR), at(NOW, "now", 5 * HOUR)
    awake = beat(NOW - 2 * HOUR, 6, "now", 3 * HOUR)
    asleep = beat(NOW - 15 * HOUR, 6, "now", 3 * HOUR)
    assert place(claim, sent(sending, awake)) == Placed(NOW - HOUR, (), 0, "monotonic")
    assert place(claim, sent(sending, asleep)) == Placed(NOW - 14 * HOUR, (), 0)


def test_a_counter_that_runs_backwards_is_no_counter() -> None:
    assert place(at(NOW - HOUR, "now", 5 * HOUR), sent(at(NOW, "now", 4 * HOUR))) == RIGHT
    assert place(at(IN_2001, "now", 5 * HOUR), sent(at(NOW, "now", 4 * HOUR))).flags == (FLAG_TIME,)


def test_another_run_shares_no_counter() -> None:
    assert place(at(NOW - HOUR, "old", 9 * HOUR), sent(at(NOW, "now", 10 * MINUTE))) == RIGHT


# --- before a restart -------------------------------------------------------------------------------------------

RESTARTED = at(NOW, "now", 10 * MINUTE)


def test_after_a_restart_a_right_clock_is_believed_between_the_heartbeats() -> None:
    beats = (beat(NOW - 3 * HOUR, 6), beat(NOW - MINUTE, 9, "now", 9 * MINUTE))
    assert place(at(NOW - HOUR, "old", 5 * HOUR, 7), sent(RESTARTED, *beats)) == RIGHT


def test_after_a_restart_a_heartbeat_of_its_own_run_places_an_item() -> None:
    before, after = beat(NOW - 3 * HOUR, 6, uptime=5 * HOUR), beat(NOW - 3 * HOUR, 9, uptime=5 * HOUR)
    later = at(IN_2001, "old", 6 * HOUR, 7)
    earlier = at(IN_2001, "old", 4 * HOUR, 7)
    assert place(later, sent(RESTARTED, before)) == Placed(NOW - 2 * HOUR, (), 0, "monotonic")
    assert place(earlier, sent(RESTARTED, after)) == Placed(NOW - 4 * HOUR, (), 0, "monotonic")


def test_the_nearer_heartbeat_of_its_own_run_places_an_item() -> None:
    """Between the two the tablet slept: the nearer one has likely less sleep between."""
    beats = (beat(NOW - 9 * HOUR, 6, uptime=HOUR), beat(NOW - 2 * HOUR, 9, uptime=4 * HOUR))
    placed = [place(at(IN_2001, "old", uptime, 7), sent(RESTARTED, *beats)) for uptime in (2 * HOUR, 3 * HOUR)]
    assert [each.occurred_at for each in placed] == [NOW - 8 * HOUR, NOW - 3 * HOUR]


def test_an_item_without_any_clock_lies_between_the_heartbeats_about_its_number() -> None:
    beats = (beat(NOW - 20 * HOUR, 5), beat(NOW - 10 * HOUR, 6), beat(NOW - 2 * HOUR, 9), beat(NOW - HOUR, 12))
    placed = [place(at(IN_2001, "lost", None, number), sent(RESTARTED, *beats)) for number in (7, 8, 9)]
    assert [each.occurred_at for each in placed] == [NOW - 8 * HOUR, NOW - 6 * HOUR, NOW - 4 * HOUR]
    assert {(each.flags, each.placed_by) for each in placed} == {((), "sequence")}


@pytest.mark.parametrize("given_since", [None, 3])
def test_without_a_later_heartbeat_an_item_lies_in_the_middle_before_its_receipt(given_since: int | None) -> None:
    """What the device says of its numbers at the sending is of use only where it can be true."""
    sending = RESTARTED._replace(sequence=given_since)
    placed = place(at(IN_2001, "lost", None, 8), sent(sending, beat(NOW - 6 * HOUR, 6)))
    assert (placed.occurred_at, placed.flags, placed.placed_by) == (NOW - 3 * HOUR, (), "sequence")


def test_what_the_device_has_given_since_tells_how_far_an_item_lies_before_its_receipt() -> None:
    sending = RESTARTED._replace(sequence=8)
    placed = [place(at(IN_2001, "lost", None, n), sent(sending, beat(NOW - 6 * HOUR, 6))) for n in (7, 8)]
    assert [each.occurred_at for each in placed] == [NOW - 4 * HOUR, NOW - 2 * HOUR]


def test_an_item_from_before_the_first_heartbeat_counts_at_it_and_is_flagged() -> None:
    placed = place(at(IN_2001, "lost", None, 2), sent(RESTARTED, beat(NOW - 6 * HOUR, 6)))
    assert (placed.occurred_at, placed.flags, placed.placed_by) == (NOW - 6 * HOUR, (FLAG_TIME,), "receipt")


def test_a_heartbeat_from_after_the_receipt_tells_nothing() -> None:
    beats = (beat(NOW - 6 * HOUR, 6), beat(NOW + HOUR, 6))
    assert place(at(IN_2001, "lost", None, 7), sent(RESTARTED, *beats)).occurred_at == NOW - 3 * HOUR


def test_what_lies_within_more_than_a_day_is_flagged() -> None:
    placed = place(at(IN_2001, "lost", None, 7), sent(RESTARTED, beat(NOW - 25 * HOUR, 6)))
    assert (placed.flags, placed.placed_by) == ((FLAG_TIME,), "sequence")


def test_a_plausible_clock_that_the_heartbeats_contradict_is_not_believed() -> None:
    beats = (beat(NOW - 20 * HOUR, 6), beat(NOW - 10 * HOUR, 7, "next"))
    for wrong in (NOW - 10 * HOUR + 2 * MINUTE, NOW - 20 * HOUR - 2 * MINUTE):
        placed = place(at(wrong, "lost", None, 7), sent(RESTARTED, *beats))
        assert (placed.occurred_at, placed.placed_by) == (NOW - 15 * HOUR, "sequence")


def test_after_a_restart_the_clock_may_have_been_right_before_and_wrong_now() -> None:
    """The battery was empty: since the restart the clock is four hours behind, but the tap was before it."""
    beats = (beat(NOW - 3 * HOUR, 6), beat(NOW - MINUTE, 9, "now", 9 * MINUTE))
    sending = at(NOW - 4 * HOUR, "now", 10 * MINUTE)
    placed = place(at(NOW - 2 * HOUR, "old", None, 7), sent(sending, *beats))
    assert (placed.occurred_at, placed.placed_by) == (NOW - 2 * HOUR, None)


def test_heartbeats_from_before_the_counting_began_anew_tell_nothing() -> None:
    beats = (beat(NOW - 90 * DAY, 500), beat(NOW - 2 * HOUR, 9, "next"), beat(NOW - HOUR, 12, "next"))
    placed = [place(at(IN_2001, "lost", None, number), sent(RESTARTED, *beats)) for number in (5, 12, 13)]
    assert [each.occurred_at for each in placed] == [NOW - 2 * HOUR, NOW - 75 * MINUTE, NOW - 30 * MINUTE]


def test_heartbeats_that_contradict_each_other_tell_nothing() -> None:
    beats = (beat(NOW - 9 * HOUR, 9, "old", HOUR), beat(NOW - 3 * HOUR, 9, "old", 2 * HOUR))
    placed = place(at(IN_2001, "old", 3 * HOUR, 7), sent(RESTARTED, *beats))
    assert (placed.occurred_at, placed.flags, placed.placed_by) == (NOW, (FLAG_TIME,), "receipt")


def test_the_heartbeats_of_a_delivery_are_asked_for_once() -> None:
    asked: list[int] = []

    def beats() -> Sequence[Beat]:
        asked.append(1)
        return (beat(NOW - 6 * HOUR, 0),)

    delivery = Sent(NOW, RESTARTED, beats)
    for number in range(1, 5):
        place(at(IN_2001, "lost", None, number), delivery)
    assert len(asked) == 1


# --- whatever comes ---------------------------------------------------------------------------------------------

ANY_TIME = st.datetimes(timezones=st.just(UTC))
NEAR = st.timedeltas(-400 * DAY, 2 * DAY).map(lambda ago: NOW + ago)
WALLS = st.none() | ANY_TIME | NEAR
RUNS = st.none() | st.sampled_from(["old", "now", "next"])
COUNTS = st.none() | st.floats() | st.integers(0, 10**7) | st.floats(0, 1e8)
NUMBERS = st.none() | st.integers(0, 20) | st.integers()
READINGS = st.builds(Reading, WALLS, RUNS, COUNTS, NUMBERS)
BEATS = st.lists(
    st.builds(Beat, NEAR, st.sampled_from(["old", "now", "next"]), st.floats() | st.floats(0, 1e8), st.integers(0, 20)),
    max_size=6,
)


@given(READINGS, READINGS, BEATS)
def test_whatever_the_clocks_say_a_response_counts_at_or_before_its_receipt(
    claim: Reading, sending: Reading, beats: list[Beat]
) -> None:
    placed = place(claim, sent(sending, *beats))
    assert placed.occurred_at <= NOW
    assert placed.occurred_at >= NOW - PAST_TOLERANCE - TOLERANCE
    assert set(placed.flags) <= {FLAG_TIME}
    assert placed.placed_by in (None, "skew", "monotonic", "sequence", "receipt")
    assert not placed.flags or placed.placed_by in ("sequence", "receipt")


@given(
    st.dictionaries(st.sampled_from(["boot_id", "monotonic_ms", "sequence"]), st.from_type(object) | COUNTS | st.text())
)
def test_any_clocks_can_be_read(raw: dict[str, Any]) -> None:
    reading = read(raw, NOW)
    assert reading.wall == NOW
    assert place(reading, sent(reading)).occurred_at == NOW


@pytest.mark.parametrize("boot_id", [None, 5, "", "x" * 65, "a\x00b", "\ud800"])
def test_a_run_is_named_by_a_short_text_that_can_be_kept(boot_id: Any) -> None:
    assert read({"boot_id": boot_id, "monotonic_ms": 5, "sequence": 0}, NOW) == Reading(NOW, None, 5, 0)


AGES = st.timedeltas(timedelta(0), 300 * DAY)
SHIFTS = st.timedeltas(-50 * 365 * DAY, 50 * 365 * DAY)


@given(AGES, st.timedeltas(timedelta(0), 8 * SECOND), st.booleans(), BEATS)
def test_a_right_clock_is_left_alone(age: timedelta, way: timedelta, counted: bool, beats: list[Beat]) -> None:
    uptime = 301 * DAY
    claim = at(NOW - way - age, "now" if counted else None, uptime - age if counted else None, 7)
    sending = at(NOW - way, "now", uptime)
    placed = place(claim, sent(sending, *beats))
    assert placed == Placed(NOW - way - age, (), way // MS)


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[tuple[datetime, Reading]], list[Beat], Reading]:
    """What a kiosk with a right clock gives over some days, sleeping and restarting as it likes, and its heartbeats."""
    clock, run, uptime, number = NOW, 0, timedelta(0), 0
    items: list[tuple[datetime, Reading]] = []
    beats: list[Beat] = []
    for step in draw(st.lists(st.sampled_from(["tap", "beat", "sleep", "restart"]), min_size=3, max_size=25)):
        passed = draw(st.timedeltas(SECOND, 9 * HOUR))
        clock += passed
        uptime += passed if step != "sleep" else timedelta(0)
        if step == "restart":
            run, uptime = run + 1, timedelta(0)
        elif step == "tap":
            number += 1
            items.append((clock, at(clock, str(run), uptime, number)))
        elif step == "beat":
            beats.append(Beat(clock, str(run), uptime / MS, number))
    return items, beats, at(clock, str(run), uptime, number)


@given(lives(), st.booleans())
def test_a_right_clock_is_left_alone_over_sleep_and_restarts(life: Any, beaten: bool) -> None:
    items, beats, sending = life
    delivery = Sent(sending.wall, sending, lambda: beats if beaten else ())
    for moment, claim in items:
        assert place(claim, delivery) == Placed(moment, (), 0)


@given(lives())
def test_items_of_a_device_that_tells_no_time_keep_the_order_of_their_numbers(life: Any) -> None:
    items, beats, sending = life
    delivery = Sent(sending.wall, sending, lambda: beats)
    lost = [claim._replace(wall=None, boot_id=None, monotonic_ms=None) for _, claim in items]
    placed = [place(claim, delivery).occurred_at for claim in lost if delivery.history.around(claim.sequence)[0]]
    assert placed == sorted(placed)


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=8), WALLS)
def test_the_counter_keeps_the_order_of_what_it_places(uptimes: list[float], wall: datetime | None) -> None:
    """The clock jumps about from tap to tap, always to where it cannot be."""
    wrong = [NOW + DAY + number * HOUR for number in range(len(uptimes))]
    ordered = sorted(uptimes)
    sending = Reading(wall, "now", ordered[-1] + 1)
    claims = [Reading(clock, "now", count) for clock, count in zip(reversed(wrong), ordered, strict=True)]
    placed = [place(claim, sent(sending)) for claim in claims]
    by_counter = [each.occurred_at for each in placed if each.placed_by == "monotonic"]
    assert by_counter == sorted(by_counter)
    if wall is None:
        assert len(by_counter) == len(placed)


@given(AGES, st.timedeltas(timedelta(0), 30 * DAY), SHIFTS)
def test_a_wall_clock_set_wrong_by_any_constant_moves_nothing_that_has_a_counter(
    age: timedelta, slept: timedelta, shift: timedelta
) -> None:
    """Whether or not the tablet slept in between."""
    age += slept

    def placed(off: timedelta) -> datetime:
        claim = at(NOW - age + off, "now", 400 * DAY - (age - slept))
        return place(claim, sent(at(NOW + off, "now", 400 * DAY))).occurred_at

    assert abs(placed(shift) - placed(timedelta(0))) <= TOLERANCE
    assert placed(shift) == NOW - age or abs(shift) <= TOLERANCE
