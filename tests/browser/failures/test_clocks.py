"""The kiosk's clock is wrong, or jumps: nothing is dropped for it, and counters tell the time where it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page

from feedback_app.domain.clocks import FLAG_TIME
from tests.browser.chromium import until
from tests.browser.failures.fleet import beat, pair
from tests.browser.failures.kiosks import address, open_kiosk, shoppers
from tests.browser.failures.ledger import Ledger
from tests.browser.failures.line import Line
from tests.browser.failures.server import Server
from tests.browser.kiosk_shop import mark, until_screen

pytestmark = pytest.mark.browser

# A clock of the day that is off by `shift` and can be set; what only counts (performance.now) goes on as it is.
WRONG_CLOCK = """(() => {
  const Right = Date;
  let shift = %d;
  window.setClock = (milliseconds) => { shift = milliseconds; };
  window.Date = class Date extends Right {
    constructor(...parts) { parts.length ? super(...parts) : super(Right.now() + shift); }
    static now() { return Right.now() + shift; }
  };
})()"""
NEAR = timedelta(seconds=10)


def off_by(moment: datetime) -> int:
    """Return by how many milliseconds a clock is off that shows `moment` now."""
    return round((moment - datetime.now(UTC)) / timedelta(milliseconds=1))


@pytest.fixture
def wrong_clock(visitor: BrowserContext, tab: Page, line: Line, server: Server) -> Page:
    """A kiosk whose clock can be set."""
    visitor.add_init_script(WRONG_CLOCK % 0)
    return open_kiosk(tab, address(line, server))


@pytest.mark.parametrize("year", [1970, 2001, 2038, 2099])
def test_answers_of_a_clock_years_off_count_when_they_were_given(
    year: int, wrong_clock: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that a clock that stands years off from the start on drops nothing and misplaces nothing."""
    line.down()
    wrong_clock.evaluate("(to) => setClock(to)", off_by(datetime(year, 3, 1, 12, tzinfo=UTC)))
    start = datetime.now(UTC)
    shoppers(wrong_clock, [1, 4])
    end = datetime.now(UTC)
    wrong_clock.wait_for_timeout(1500)
    line.up()
    ledger.settle_all_thanked(wrong_clock)
    for row in server.responses(ledger.thanked):
        assert start - NEAR <= row.occurred_at <= end + NEAR
        assert row.claimed_at is None or str(year) in row.claimed_at or str(year - 1) in row.claimed_at


def test_answers_of_a_clock_that_jumps_count_when_they_were_given(
    wrong_clock: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that a clock that jumps between taps, and again before the delivery, is corrected by the counter.

    Years that no device slept through: a clock within the last year might be right, as counters stand still in sleep.
    """
    line.down()
    given: list[datetime] = []
    for year in (2001, 2031, 2038, 1999, 2027, 1970):
        wrong_clock.evaluate("(to) => setClock(to)", off_by(datetime(year, 6, 1, tzinfo=UTC)))
        given.append(datetime.now(UTC))
        shoppers(wrong_clock, [3])
    wrong_clock.evaluate("setClock(0)")
    line.up()
    ledger.settle_all_thanked(wrong_clock)
    rows = {str(row.id): row for row in server.responses(ledger.thanked)}
    for item_id, moment in zip(ledger.thanked, given, strict=True):
        assert abs(rows[item_id].occurred_at - moment) < NEAR


def test_a_clock_set_right_over_a_start_drops_nothing(
    wrong_clock: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that what a kiosk without a pairing collected in 2001, before its clock was set and it was started again,
    is stored, with a flag where nothing tells its time, and never counts as given in 2001 or after its receipt."""
    line.down()
    wrong_clock.evaluate("(to) => setClock(to)", off_by(datetime(2001, 1, 1, tzinfo=UTC)))
    shoppers(wrong_clock, [1, 2])
    wrong_clock.reload()
    until(lambda: mark(wrong_clock, "queued") == "2", what="kept over a start")
    line.up()
    ledger.settle_all_thanked(wrong_clock)
    for row in server.responses(ledger.thanked):
        assert FLAG_TIME in row.flags
        assert row.claimed_at is not None
        assert row.claimed_at.startswith(("2001", "2000"))
        assert abs(row.occurred_at - row.received_at) < NEAR


def test_a_paired_kiosk_started_again_places_its_answers_between_its_heartbeats(
    wrong_clock: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that the numbers of the items tell when they were given, where a start and a wrong clock tell nothing."""
    pair(wrong_clock, server)
    until_screen(wrong_clock, "question")
    shoppers(wrong_clock, [4])
    ledger.settle_all_thanked(wrong_clock)
    first = datetime.now(UTC)
    beat(wrong_clock, server)
    line.down()
    wrong_clock.evaluate("(to) => setClock(to)", off_by(datetime(2001, 1, 1, tzinfo=UTC)))
    shoppers(wrong_clock, [1, 2])
    wrong_clock.reload()
    until(lambda: mark(wrong_clock, "queued") == "2", what="kept over a start")
    line.up()
    ledger.settle_all_thanked(wrong_clock)
    end = datetime.now(UTC)
    rows = sorted(server.responses(ledger.thanked[1:]), key=lambda row: row.sequence or 0)
    assert [row.answers["smiley"] for row in rows] == [1, 2]
    for row in rows:
        assert first - NEAR <= row.occurred_at <= end
        assert row.flags == []
    assert rows[0].occurred_at <= rows[1].occurred_at
