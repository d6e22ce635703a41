"""The line between kiosk and server breaks wherever it can: what was thanked for arrives, once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import until
from tests.browser.failures import line as on_the_line
from tests.browser.failures.kiosks import answer, fill, next_shopper, open_kiosk, shoppers
from tests.browser.failures.ledger import Ledger, say_online
from tests.browser.failures.line import Fault, Line
from tests.browser.failures.server import Server
from tests.browser.kiosk_shop import kept, mark

pytestmark = pytest.mark.browser

CUTS = [
    on_the_line.cut_before_the_body,
    on_the_line.cut_in_the_middle_of_the_body,
    on_the_line.cut_after_the_body,
    on_the_line.lose_the_answer,
    on_the_line.cut_in_the_middle_of_the_answer,
]
STRANGERS = {
    "captive portal": on_the_line.CAPTIVE_PORTAL,
    "portal that speaks JSON": on_the_line.answer(200, "application/json", '{"results": [], "welcome": true}'),
    "redirect to a login": on_the_line.LOGIN_PAGE,
    "500 of a proxy": on_the_line.answer(500),
    "502 of a proxy": on_the_line.answer(502),
    "503 with a wait": on_the_line.answer(503, Retry_After="1"),
    "401 of a stranger": on_the_line.answer(401),
    "403 of a stranger": on_the_line.answer(403),
    "404 of a stranger": on_the_line.answer(404),
    "413 for everything": on_the_line.answer(413),
    "413 of a gateway in JSON": on_the_line.answer(413, "application/json", '{"message": "Request Too Long"}'),
    "400 of a gateway in JSON": on_the_line.answer(400, "application/json", '{"message": "Bad Request"}'),
}


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.__name__)
def test_a_request_cut_anywhere_is_sent_again_and_counts_once(
    cut: Fault, kiosk: Page, line: Line, ledger: Ledger
) -> None:
    """Shows that no place of a cut loses an answer or doubles it, the answer lost after the commit above all."""
    line.strike(cut, times=2)
    shoppers(kiosk, [1, 4])
    until(lambda: say_online(kiosk) or line.struck == 2, what="two requests were cut")
    ledger.settle_all_thanked(kiosk)
    assert len(ledger.thanked) == 2


def test_an_answer_lost_twice_after_the_commit_counts_once(
    kiosk: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that a repeat after two lost answers is known as a repeat: the server had it from the first time on."""
    line.strike(on_the_line.lose_the_answer, times=2)
    answer(kiosk, 3, "Хлеб свежий, спасибо")
    until(lambda: line.struck >= 1 and ledger.stored(), what="stored, though the kiosk was not told")
    assert mark(kiosk, "queued") == "1"
    until(lambda: say_online(kiosk) or line.struck == 2, what="the second answer is lost too")
    ledger.settle_all_thanked(kiosk)
    assert len(line.posts) >= 3
    [row] = server.responses(ledger.thanked)
    assert row.comment == "Хлеб свежий, спасибо"


def test_a_line_that_swallows_everything_is_given_up_and_tried_again(kiosk: Page, line: Line, ledger: Ledger) -> None:
    """Shows that a request nobody answers is aborted within 10 s, and shoppers notice nothing of it."""
    line.strike(on_the_line.black_hole, times=1)
    answer(kiosk, 2)
    until(lambda: line.struck == 1, what="swallowed")
    next_shopper(kiosk)
    answer(kiosk, 4)
    until(lambda: len(line.posts) > 1, 15, "tried again after the abort")
    assert line.posts[1] - line.posts[0] < 12
    ledger.settle_all_thanked(kiosk)


def test_a_line_that_answers_late_doubles_nothing(kiosk: Page, line: Line, ledger: Ledger) -> None:
    """Shows that an answer later than the kiosk's patience is not a second response."""
    line.strike(on_the_line.slow(9), times=1)
    shoppers(kiosk, [1])
    until(lambda: len(line.posts) > 1, 15, "given up and sent again")
    ledger.settle_all_thanked(kiosk)


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_on_the_line_is_no_server(name: str, kiosk: Page, line: Line, ledger: Ledger) -> None:
    """Shows that only our server's word on an item ends its waiting, no page and no status of anybody else."""
    with line.struck_by(STRANGERS[name], every=True):
        shoppers(kiosk, [1, 4])
        until(lambda: line.struck, what="the stranger was asked")
        kiosk.wait_for_timeout(1500)
        assert len(kept(kiosk)) == 2
        assert kept(kiosk, "quarantine") == []
        # The page must come from the device, not from the stranger.
        kiosk.reload()
        until(lambda: mark(kiosk, "queued") == "2", what="kept over a reload on the stranger's line")
        shoppers(kiosk, [2])
    ledger.settle_all_thanked(kiosk)
    assert len(ledger.thanked) == 3


def test_a_proxy_with_a_limit_gets_smaller_bodies(kiosk: Page, line: Line, ledger: Ledger) -> None:
    """Shows that 413 for a large body brings smaller ones, not a quarantine and not a standstill."""
    line.down()
    shoppers(kiosk, [1])
    fill(kiosk, ledger, 200)
    kiosk.reload()
    line.strike(on_the_line.refuse_larger_than(6_000))
    line.up()
    ledger.settle_all_thanked(kiosk)
    assert line.struck > 2
    assert len(ledger.thanked) == 200


def test_a_wait_that_was_asked_for_is_kept(kiosk: Page, line: Line, ledger: Ledger) -> None:
    """Shows that 429 with Retry-After is obeyed, also when the browser says that its line is back."""
    line.strike(on_the_line.answer(429, Retry_After="3"), times=1)
    answer(kiosk, 4)
    until(lambda: line.struck == 1, what="asked to wait")
    next_shopper(kiosk)
    answer(kiosk, 3)
    ledger.settle_all_thanked(kiosk)
    assert line.posts[1] - line.posts[0] >= 3


def test_a_dead_line_costs_nothing_but_time(kiosk: Page, line: Line, ledger: Ledger) -> None:
    """Shows that the kiosk works, reloads and keeps counting on a line that refuses every connection."""
    line.down()
    shoppers(kiosk, [1, 2, 3])
    kiosk.reload()
    until(lambda: mark(kiosk, "queued") == "3", what="kept over a reload")
    shoppers(kiosk, [4])
    line.up()
    ledger.settle_all_thanked(kiosk)
    assert len(ledger.thanked) == 4


def test_a_page_opened_anew_on_a_line_that_dies_meanwhile_still_asks(
    tab: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that a kiosk that worked once starts without any line, from its own store."""
    at = f"{line.address}/k/{server.chain.token()}"
    open_kiosk(tab, at)
    line.down()
    tab.goto("about:blank")
    tab.goto(at)
    shoppers(tab, [2, 4])
    line.up()
    ledger.settle_all_thanked(tab)
