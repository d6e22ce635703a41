"""A burst is more than a crowd can give at one button; it is flagged, and a queue that arrives at once is none."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.misuse import FORGOTTEN_AFTER, KEPT, KEYS, MOST, WITHIN, Bursts

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
KIOSK = (5, 7)


def every(seconds: float, count: int, start: datetime = NOON) -> list[datetime]:
    return [start + timedelta(seconds=seconds * number) for number in range(count)]


def test_thirty_responses_in_ten_seconds_are_a_crowd_and_what_is_beyond_them_a_burst() -> None:
    assert Bursts().flags(KIOSK, every(0.1, 40)) == [False] * MOST + [True] * 10


def test_three_a_second_may_go_on_all_day() -> None:
    assert not any(Bursts().flags(KIOSK, every(WITHIN / MOST, 2_000)))


def test_after_a_burst_the_next_ones_count_again() -> None:
    bursts = Bursts()
    assert sum(bursts.flags(KIOSK, every(0.01, 500))) == 500 - MOST
    assert bursts.flags(KIOSK, [NOON + timedelta(seconds=WITHIN)]) == [False]


def test_an_offline_queue_that_arrives_at_once_is_no_burst() -> None:
    assert not any(Bursts().flags(KIOSK, every(20, 1_000)))


def test_a_burst_is_told_over_several_sendings() -> None:
    bursts = Bursts()
    flags = [flag for moment in every(0.2, 40) for flag in bursts.flags(KIOSK, [moment])]
    assert flags == [False] * MOST + [True] * 10


def test_a_burst_in_an_old_queue_is_told_while_people_tap_now() -> None:
    bursts, yesterday = Bursts(), NOON - timedelta(days=1)
    assert not any(bursts.flags(KIOSK, every(3, 2 * KEPT, NOON - timedelta(hours=2))))
    flags = [bursts.flags(KIOSK, [old, now]) for old, now in zip(every(0.1, 40, yesterday), every(3, 40), strict=True)]
    assert [old for old, _ in flags] == [False] * MOST + [True] * 10
    assert not any(now for _, now in flags)


def test_every_sender_at_every_point_counts_for_itself() -> None:
    bursts = Bursts()
    for key in (KIOSK, (5, 8), (6, 7), (None, 7)):
        assert sum(bursts.flags(key, every(0.1, 31))) == 1


def test_what_was_not_stored_is_not_counted_when_it_comes_again() -> None:
    bursts, batch = Bursts(), every(0.1, 20)
    bursts.flags(KIOSK, batch)
    bursts.forget(KIOSK, batch)
    assert not any(bursts.flags(KIOSK, batch))
    assert sum(bursts.flags(KIOSK, batch)) == 10
    bursts.forget("nobody", batch)


@given(st.lists(st.floats(0, 60), max_size=80), st.randoms(use_true_random=False))
def test_in_any_order_no_more_than_thirty_count_in_any_ten_seconds(seconds: list[float], chance: random.Random) -> None:
    chance.shuffle(seconds)
    moments = [NOON + timedelta(seconds=second) for second in seconds]
    flags = Bursts().flags(KIOSK, moments)
    counted = sorted(moment for moment, flag in zip(moments, flags, strict=True) if not flag)
    assert all((last - first).total_seconds() >= WITHIN for first, last in zip(counted, counted[MOST:], strict=False))
    assert any(flags) or len(counted) == len(seconds)
    assert len(seconds) > MOST or not any(flags)


def test_memory_is_bounded_whatever_is_sent() -> None:
    clock = [0.0]
    bursts = Bursts(lambda: clock[0])
    bursts.flags(KIOSK, every(1, 10 * KEPT))
    assert len(bursts._told[KIOSK].moments) <= KEPT
    for number in range(KEYS + 100):
        bursts.flags(("stranger", number), [NOON])
    assert len(bursts) == KEYS
    clock[0] = FORGOTTEN_AFTER + 1
    bursts.flags(KIOSK, [NOON])
    assert len(bursts) == 1


@pytest.mark.parametrize("threads", [8])
def test_senders_at_once_lose_no_count(threads: int) -> None:
    bursts = Bursts()
    with ThreadPoolExecutor(threads) as pool:
        flags = pool.map(lambda moment: bursts.flags(KIOSK, [moment])[0], every(0.001, 400))
    assert sum(flags) == 400 - MOST
