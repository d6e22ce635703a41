"""When a kiosk needs a hand, and when it is let in peace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from feedback_app.domain.fleet import NEEDS_A_HAND, Facts, Shell, State, in_order, open_since, states, storage_share

MINSK = ZoneInfo("Europe/Minsk")
NOON = datetime(2026, 3, 31, 12, 0, tzinfo=MINSK)
WELL = Facts(zone="Europe/Minsk", opens=9, closes=22, paired_at=NOON - timedelta(days=30), seen_at=NOON)


def found(now: datetime = NOON, shell: Shell | None = None, **changes: Any) -> set[State]:
    return set(states(replace(WELL, **changes), now, shell))


def test_a_kiosk_that_reported_just_now_is_well() -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("now", "ago", "silent"),
    [
        (NOON, timedelta(minutes=14), False),
        (NOON, timedelta(minutes=15), True),
        (NOON.replace(hour=9, minute=5), timedelta(hours=11), False),
        (NOON.replace(hour=9, minute=15), timedelta(hours=11), True),
        (NOON.replace(hour=23), timedelta(minutes=50), False),
        (NOON.replace(hour=3), timedelta(hours=23), False),
        (NOON.replace(hour=3), timedelta(hours=24), True),
    ],
    ids=["open", "open too long", "just opened", "open for 15 min", "closed", "at night", "a day at night"],
)
def test_silence_counts_while_the_store_is_open_or_after_a_day(now: datetime, ago: timedelta, silent: bool) -> None:
    assert (State.SILENT in found(now, seen_at=now - ago)) is silent


@pytest.mark.parametrize(
    ("opens", "closes", "hour", "since"),
    [
        (9, 22, 9, 9),
        (9, 22, 21, 9),
        (9, 22, 22, None),
        (9, 22, 8, None),
        (9, 24, 23, 9),
        (0, 24, 3, -21),
        (0, 0, 3, -21),
        (8, 8, 3, -21),
        (20, 4, 23, 20),
        (20, 4, 3, -4),
        (20, 4, 12, None),
        (0, 6, 5, 0),
    ],
)
def test_a_store_is_open_by_its_own_clock(opens: int, closes: int, hour: int, since: int | None) -> None:
    now = NOON.replace(hour=hour)
    opened = open_since("Europe/Minsk", opens, closes, now.astimezone(UTC))
    midnight = NOON.replace(hour=0)
    assert opened == (None if since is None else midnight + timedelta(hours=since))


def test_the_hours_are_those_of_the_store_s_zone() -> None:
    evening = datetime(2026, 3, 31, 20, 0, tzinfo=UTC)  # 23:00 in Minsk, 20:00 in London's winter
    away = evening - timedelta(hours=1)
    assert State.SILENT not in states(replace(WELL, seen_at=away), evening)
    assert State.SILENT in states(replace(WELL, seen_at=away, zone="UTC"), evening)


@pytest.mark.parametrize(
    ("changes", "full"),
    [
        ({"queue_length": 1_000}, False),
        ({"queue_length": 1_001}, True),
        ({"storage_used": 80, "storage_quota": 100}, False),
        ({"storage_used": 81, "storage_quota": 100}, True),
        ({"storage_used": 81, "storage_quota": None}, False),
        ({"storage_used": 0, "storage_quota": 0}, False),
        ({"oldest_queued_at": NOON - timedelta(hours=23)}, False),
        ({"oldest_queued_at": NOON - timedelta(hours=25)}, True),
    ],
)
def test_a_kiosk_that_does_not_get_rid_of_its_items_is_full(changes: dict[str, Any], full: bool) -> None:
    assert (State.FULL in found(**changes)) is full


@pytest.mark.parametrize(
    ("skew", "wrong"), [(None, False), (0, False), (120_000, False), (120_001, True), (-200_000, True)]
)
def test_a_clock_wrong_by_more_than_two_minutes_is_told(skew: int | None, wrong: bool) -> None:
    assert (State.WRONG_CLOCK in found(skew_ms=skew)) is wrong


def test_a_kiosk_that_has_not_reloaded_yet_is_no_alarm() -> None:
    fresh, old = Shell("new", NOON - timedelta(hours=23)), Shell("new", NOON - timedelta(hours=25))
    assert State.OUTDATED not in found(app_version="old", shell=fresh)
    assert State.OUTDATED in found(app_version="old", shell=old)
    assert State.OUTDATED not in found(app_version="new", shell=old)
    assert State.OUTDATED not in found(app_version=None, shell=old)
    assert State.OUTDATED not in found(app_version="old", shell=None)


def test_a_kiosk_that_was_away_when_the_version_changed_is_silent_and_not_outdated_too() -> None:
    away = NOON - timedelta(days=3)
    shell = Shell("new", NOON - timedelta(days=2))
    assert found(seen_at=away, app_version="old", shell=shell) == {State.SILENT}


def test_refused_items_need_a_hand_and_unprotected_storage_does_not() -> None:
    assert found(quarantined=1) == {State.QUARANTINE}
    assert found(storage_persisted=None) == set()
    assert found(storage_persisted=False) == {State.UNPROTECTED}
    assert State.QUARANTINE in NEEDS_A_HAND
    assert State.UNPROTECTED not in NEEDS_A_HAND


def test_a_kiosk_paired_and_never_seen_is_given_a_quarter_of_an_hour() -> None:
    assert found(seen_at=None, paired_at=NOON - timedelta(minutes=14)) == set()
    assert found(seen_at=None, paired_at=NOON - timedelta(minutes=15)) == {State.NEVER_SEEN}


def test_the_gravest_stands_first() -> None:
    assert in_order(frozenset({State.UNPROTECTED, State.FULL, State.SILENT}))[0] is State.SILENT


def test_the_share_of_storage_is_told_where_both_figures_are_known() -> None:
    assert storage_share(replace(WELL, storage_used=1, storage_quota=4)) == 0.25
    assert storage_share(WELL) is None
