"""Power goes: of the server while the queue drains, of the kiosk while somebody answers; two tabs share one queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest
from playwright.sync_api import Page, Playwright

from tests.browser.chromium import until
from tests.browser.failures.kiosks import (
    address,
    answer,
    device,
    fill,
    follow_up,
    next_shopper,
    open_kiosk,
    shoppers,
)
from tests.browser.failures.ledger import Ledger, drain
from tests.browser.failures.line import Exchange, Line
from tests.browser.failures.server import Server
from tests.browser.kiosk_shop import mark, tap, until_screen

pytestmark = pytest.mark.browser


def hold_and(end: Callable[[], None]) -> Callable[[Exchange], None]:
    """End the server when it has a whole body and before its answer is read."""

    def fault(exchange: Exchange) -> None:
        exchange.to_server(exchange.head + exchange.body())
        sleep(0.02)
        end()
        exchange.close(reset=True)

    return fault


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_ends_while_the_queue_drains_has_each_item_once(
    how: str, kiosk: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that a restart, or kill -9, between a body and its answer loses nothing and doubles nothing."""
    line.down()
    shoppers(kiosk, [3])
    fill(kiosk, ledger, 600)
    kiosk.reload()
    ended = threading.Event()

    def end() -> None:
        getattr(server, how)()
        ended.set()

    line.up()
    for _ in range(2):
        line.strike(hold_and(end), times=1)
        until(lambda: mark(kiosk, "screen") and (ended.is_set() or nudge(kiosk)), 30, "ended in the middle")
        ended.clear()
        answer(kiosk, 4)  # the shoppers go on meanwhile
        next_shopper(kiosk)
        server.start()
    ledger.settle_all_thanked(kiosk)
    assert len(ledger.thanked) == 602


def nudge(page: Page) -> None:
    page.evaluate("window.dispatchEvent(new Event('online'))")


@pytest.mark.slow
def test_a_kiosk_unplugged_at_a_tap_keeps_all_it_thanked_for(
    playwright: Playwright, tmp_path: Path, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that kill -9 of the browser 10 ms after a tap, its follow-up open, costs at most that tap; the kiosk
    starts again with the server down, and what it kept arrives once."""
    at = address(line, server)
    with device(playwright, tmp_path / "kiosk") as kiosk:
        open_kiosk(kiosk.start(ledger), at)
        for milliseconds in (10, 10, 0):
            line.down()
            page = started(kiosk.start(ledger), at) if kiosk.context is None else kiosk.page
            before = len(ledger.tapped)
            answer(page, 1)
            next_shopper(page)
            page.evaluate("document.querySelector('button[data-answer=\"2\"]').click()")
            sleep(milliseconds / 1000)
            kiosk.kill()
            assert kiosk.pids() == []
            assert len(ledger.tapped) > before
        page = started(kiosk.start(ledger), at)
        waiting = int(mark(page, "queued") or 0)
        assert waiting >= 3, "what was thanked for is there after the start"
        line.up()
        ledger.settle(page)
    assert len(ledger.thanked) == 3
    assert len(ledger.stored()) == waiting


@pytest.mark.slow
def test_thanks_outlive_the_plug_pulled_at_that_moment(
    playwright: Playwright, tmp_path: Path, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that thanks are said when the answer is on disk, not before: kill -9 as soon as they stand there."""
    at = address(line, server)
    with device(playwright, tmp_path / "kiosk") as kiosk:
        page = open_kiosk(kiosk.start(ledger), at)
        for smiley in (1, 4):
            line.down()
            answer(page, smiley, "")
            kiosk.kill()
            page = started(kiosk.start(ledger), at)
        line.up()
        ledger.settle(page)
    assert len(ledger.thanked) == 2


def started(page: Page, at: str) -> Page:
    """Open a kiosk whose server may be down."""
    page.goto(at)
    until_screen(page, "question")
    until(lambda: mark(page, "queued") is not None, what="counted")
    return page


def test_two_tabs_that_tap_and_drain_at_once_deliver_each_item_once(
    kiosk: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that two tabs over one queue, both full of shoppers, neither lose nor double an item."""
    other = open_kiosk(kiosk.context.new_page(), address(line, server))
    line.down()
    shoppers(kiosk, [1])
    fill(kiosk, ledger, 150)
    line.up()
    for smiley in (1, 2, 3, 4):
        tap(kiosk, smiley)
        tap(other, smiley)
        nudge(kiosk)
        nudge(other)
        follow_up(other)
        follow_up(kiosk)
        next_shopper(kiosk)
        next_shopper(other)
    drain(other)
    ledger.settle_all_thanked(kiosk, other)
    assert len(ledger.thanked) == 158


def test_a_second_tab_that_starts_cuts_no_answer_short(kiosk: Page, line: Line, ledger: Ledger, server: Server) -> None:
    """Shows that what a shopper adds in one tab arrives, though another tab starts meanwhile and empties the queue."""
    tap(kiosk, 1)
    until_screen(kiosk, "reason")
    other = open_kiosk(kiosk.context.new_page(), address(line, server))
    nudge(other)
    other.wait_for_timeout(1000)
    follow_up(kiosk, "Очередь на десять минут")
    ledger.settle_all_thanked(kiosk, other)
    [row] = server.responses(ledger.thanked)
    assert row.comment == "Очередь на десять минут"
