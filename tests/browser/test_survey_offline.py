"""The survey on a phone whose line comes and goes: what it thanked for is in the database, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.browser.chromium import PLAIN_HOST, until
from tests.browser.kiosk_shop import Busy, CaptivePortal, Shop, Stranger, kept
from tests.kiosk import paper_scene
from tests.kiosk.paper_scene import TOKEN, set_point, sweep

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SENT_TO = "**/api/v1/responses"
NEXT, SEND = ".send .primary[type=button]", ".send [type=submit]"
ARRIVED, KEPT, ENDED = "Thank you, your answers have arrived", "saved on this phone", "This survey has ended"


@pytest.fixture(scope="module")
def open_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with paper_scene.shop(tmp_path_factory.mktemp("shop")) as app:
        yield app


@pytest.fixture
def app(open_app: Flask) -> Iterator[Flask]:
    yield open_app
    set_point(open_app, closed_at=None, survey_until=None, one_per_receipt=False)
    sweep(open_app)


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Callable[..., Any]]:
    """Open phones; none of their pages may break the policy or fail in its script."""
    faults: list[str] = []

    @contextmanager
    def opened(language: str = "en", **options: Any) -> Iterator[BrowserContext]:
        with chromium.new_context(**{"viewport": PHONE, "locale": language, **options}) as context:
            context.on("weberror", lambda fault: faults.append(str(fault.error)))
            context.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
            yield context

    yield opened
    assert faults == []


def address(shop: Shop, more: str = "") -> str:
    return f"http://127.0.0.1:{shop.port}/q/{TOKEN}{more}"


def survey(context: BrowserContext, shop: Shop, more: str = "") -> Page:
    page = context.new_page()
    page.goto(address(shop, more))
    until(lambda: page.evaluate("Boolean(window.otklik && window.otklik.sender)"), what="the phone's outbox")
    return page


def pick(page: Page, key: str, value: str) -> None:
    page.locator(f"label:has([name={key}][value='{value}'])").click()


def fill_in(page: Page, smiley: int = 4) -> None:
    """Answer the first question and go on to the last screen."""
    pick(page, "smiley", str(smiley))
    while page.locator(NEXT).is_visible():
        page.click(NEXT)


def until_said(page: Page, text: str) -> None:
    until(lambda: text in page.locator("main").inner_text(), what=text)


def smileys(shop: Shop) -> list[int]:
    return sorted(response.answers["smiley"] for response in shop.responses())


def lose_answers(page: Page, times: int) -> list[int]:
    """Let requests reach the server and lose its answers on the way back."""
    lost: list[int] = []

    def lose(route: Route) -> None:
        if len(lost) >= times:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    page.route(SENT_TO, lose)
    return lost


def test_what_is_sent_is_one_response_of_the_survey_and_nothing_stays_on_the_phone(phone: Any, shop: Shop) -> None:
    before = datetime.now(UTC)
    with phone() as context:
        page = survey(context, shop)
        pick(page, "smiley", "2")
        until(lambda: page.locator("[data-question=reason]").is_visible())
        pick(page, "reason", "queue")
        until(lambda: page.locator("[data-question=effort]").is_visible())
        while not page.locator("#q-waited").is_visible():
            page.click(NEXT)
        page.fill("#q-waited", "12,0")
        page.press("#q-waited", "Enter")
        page.fill("#q-comment", " Two tills\nof five ")
        page.click(NEXT)
        page.check("#q-quote")
        page.click(SEND)
        page.wait_for_url(f"**/q/{TOKEN}/thanks")
        assert page.locator("h1").inner_text() == ARRIVED
        assert kept(page) == []
        assert page.evaluate("sessionStorage.length + localStorage.length") == 0
        page.reload()
        assert page.locator("h1").inner_text() == ARRIVED
    [response] = shop.responses()
    assert response.answers == {
        "smiley": 2, "reason": "queue", "waited": 12, "comment": "Two tills\nof five", "quote": True,
    }  # fmt: skip
    assert (response.channel, response.language, response.id.version) == ("qr", "en", 7)
    assert before.replace(microsecond=0) <= response.occurred_at <= response.received_at


def test_without_a_network_the_answers_are_kept_and_go_out_by_themselves(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        shop.shut()
        page.click(SEND)
        until_said(page, KEPT)
        [record] = kept(page)
        assert record["item"]["answers"] == {"smiley": 4}
        assert not page.locator(SEND).is_visible()
        shop.open()
        until_said(page, ARRIVED)
        assert kept(page) == []
    [response] = shop.responses()
    assert str(response.id) == record["item"]["id"]


def test_what_was_kept_goes_out_at_the_next_visit_and_that_one_is_a_response_of_its_own(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page, 1)
        context.set_offline(True)
        page.click(SEND)
        until_said(page, KEPT)
        page.close()
        context.set_offline(False)
        other = survey(context, shop)
        until_said(other, "The answers you gave earlier have arrived.")
        assert other.locator("[name=smiley]:checked").count() == 0
        fill_in(other, 4)
        other.click(SEND)
        until_said(other, ARRIVED)
    assert smileys(shop) == [1, 4]


@pytest.mark.parametrize("page_of_ours", ["/thanks", ""])
def test_any_page_of_the_survey_sends_what_was_kept(phone: Any, shop: Shop, page_of_ours: str) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        context.set_offline(True)
        page.click(SEND)
        until_said(page, KEPT)
        if not page_of_ours:
            set_point(shop.app, survey_until=datetime.now(UTC))
        page.close()
        context.set_offline(False)
        other = context.new_page()
        other.goto(address(shop, page_of_ours))
        until_said(other, "The answers you gave earlier have arrived.")
    assert smileys(shop) == [4]


@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_lost_on_its_way_back_does_not_count_twice(phone: Any, shop: Shop, times: int) -> None:
    with phone() as context:
        page = survey(context, shop)
        pick(page, "smiley", "3")
        while not page.locator("#q-waited").is_visible():
            page.click(NEXT)
        page.fill("#q-waited", "7,0")
        page.click(NEXT)
        page.fill("#q-comment", "One\ntwo")
        page.click(NEXT)
        lost = lose_answers(page, times)
        page.click(SEND)
        until_said(page, ARRIVED)
        until(lambda: kept(page) == [])
    assert lost[0] == 200
    assert smileys(shop) == [3]


def test_where_only_the_api_is_blocked_the_form_is_posted(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        page.route(SENT_TO, lambda route: route.abort())
        fill_in(page)
        page.click(SEND)
        until_said(page, ARRIVED)
        assert kept(page) == []
    assert smileys(shop) == [4]


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_where_the_api_refuses_the_form_is_posted(phone: Any, shop: Shop, status: int) -> None:
    with phone() as context:
        page = survey(context, shop)
        page.route(SENT_TO, lambda route: route.fulfill(status=status, json={"error": "unauthorized"}))
        fill_in(page)
        page.click(SEND)
        until_said(page, ARRIVED)
        assert kept(page) == []
    assert smileys(shop) == [4]


def test_two_presses_are_one_response(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        posts: list[str] = []
        page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
        fill_in(page)
        page.evaluate("document.querySelector('.send [type=submit]').click()")
        page.locator("form").evaluate("(form) => { form.requestSubmit(); form.requestSubmit(); }")
        until_said(page, ARRIVED)
        assert len(posts) == 1
    assert smileys(shop) == [4]


def test_the_way_back_does_not_lead_to_what_was_sent(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{shop.port}/healthz")
        page.goto(address(shop))
        fill_in(page)
        page.click(SEND)
        until_said(page, ARRIVED)
        page.go_back()
        assert page.url.endswith("/healthz")
        page.go_forward()
        until_said(page, ARRIVED)
        page.goto(address(shop))
        until(lambda: page.locator("[name=smiley]").count())
        assert page.locator("[name=smiley]:checked").count() == 0
        fill_in(page)
        page.click(SEND)
        until_said(page, ARRIVED)
    assert smileys(shop) == [4, 4], "a second visit is a response of its own"


def test_a_reload_while_it_is_on_its_way_is_one_response(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        held: list[Route] = []
        page.route(SENT_TO, lambda route: route.continue_() if held else held.append(route))
        page.click(SEND)
        until(lambda: len(kept(page)) == 1)
        page.reload()
        until_said(page, "The answers you gave earlier have arrived.")
        assert page.locator("[name=smiley]:checked").count() == 0
    assert smileys(shop) == [4]


NO_DATABASE = "Object.defineProperty(window, 'indexedDB', { value: undefined })"
CLOSED_DATABASE = "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }"
FULL_DISK = "IDBObjectStore.prototype.add = function () { this.transaction.abort(); }"
HANGING = "IDBFactory.prototype.open = () => ({})"


@pytest.mark.parametrize("closed", [NO_DATABASE, CLOSED_DATABASE, FULL_DISK, HANGING])
def test_a_phone_that_keeps_nothing_posts_the_form(phone: Any, shop: Shop, closed: str) -> None:
    with phone() as context:
        context.add_init_script(closed)
        page = context.new_page()
        page.goto(address(shop))
        fill_in(page)
        page.click(SEND)
        page.wait_for_url("**/thanks")
        page.goto(address(shop))
        fill_in(page, 1)
        shop.shut()
        page.click(SEND)
        until(lambda: not page.locator("main").is_visible(), what="nothing is thanked for")
        page.wait_for_url("chrome-error://**")
        shop.open()
        page.goto(address(shop))
        until(lambda: page.locator("[name=smiley]:checked").count() == 1, what="what was typed is still there")
    assert smileys(shop) == [4]


def test_over_plain_http_the_form_is_posted(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(address(shop).replace("127.0.0.1", PLAIN_HOST))
        fill_in(page)
        page.click(SEND)
        page.wait_for_url("**/thanks")
        assert page.evaluate("window.otklik") is None
    assert smileys(shop) == [4]


def test_a_captive_portal_is_no_server(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        shop.replace_by(SurveyPortal)
        page.click(SEND)
        until_said(page, KEPT)
        assert len(kept(page)) == 1
        shop.shut()
        shop.open()
        until_said(page, ARRIVED)
    assert smileys(shop) == [4]


class SurveyPortal(CaptivePortal):
    """A portal that also answers a posted form with a page of its own."""

    posts: ClassVar[list[float]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()


def test_too_many_at_once_wait_and_arrive(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        shop.replace_by(Busy)
        page.click(SEND)
        until_said(page, KEPT)
        assert len(Busy.posts) == 1, "no other way is tried while the server asks for patience"
        shop.shut()
        shop.open()
        until_said(page, ARRIVED)
    assert smileys(shop) == [4]


def test_a_refused_answer_is_shown_at_its_field_and_nothing_is_thanked_for(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        pick(page, "smiley", "4")
        while not page.locator("#q-waited").is_visible():
            page.click(NEXT)
        page.fill("#q-waited", "601")
        while page.locator(NEXT).is_visible():
            page.click(NEXT)
        page.click(SEND)
        until(lambda: page.locator("#q-waited-error").is_visible())
        assert page.locator("#q-waited").input_value() == "601"
        assert (kept(page), kept(page, "quarantine")) == ([], [])
        assert shop.responses() == []
        page.fill("#q-waited", "60")
        while page.locator(NEXT).is_visible():
            page.click(NEXT)
        page.click(SEND)
        until_said(page, ARRIVED)
    [response] = shop.responses()
    assert response.answers == {"smiley": 4, "waited": 60}


def test_one_receipt_is_one_response(phone: Any, shop: Shop) -> None:
    set_point(shop.app, one_per_receipt=True)
    for said in (ARRIVED, "This receipt has already been used for a survey; thank you."):
        with phone() as context:
            page = survey(context, shop)
            assert page.locator("#q-receipt").is_visible(), "asked before anything else"
            page.click(NEXT)
            assert page.locator("[data-question=receipt] [role=alert]").is_visible()
            page.fill("#q-receipt", "ab 12-34")
            page.press("#q-receipt", "Enter")
            fill_in(page)
            page.click(SEND)
            until_said(page, said)
            if said != ARRIVED:
                assert page.locator("#q-receipt").input_value() == "ab 12-34"
    assert smileys(shop) == [4]


def test_a_receipt_in_the_address_need_not_be_typed(phone: Any, shop: Shop) -> None:
    set_point(shop.app, one_per_receipt=True)
    with phone() as context:
        page = survey(context, shop, "?receipt=AB1234")
        assert not page.locator("#q-receipt").is_visible()
        fill_in(page)
        page.click(SEND)
        until_said(page, ARRIVED)
        page.goto(address(shop, "?receipt=ab-1234"))
        fill_in(page)
        page.click(SEND)
        until(lambda: page.locator("#q-receipt-error").is_visible())
    assert len(shop.responses()) == 1


def test_a_receipt_is_free_when_the_answer_for_it_was_lost_and_comes_again(phone: Any, shop: Shop) -> None:
    set_point(shop.app, one_per_receipt=True)
    with phone() as context:
        page = survey(context, shop, "?receipt=AB1234")
        lost = lose_answers(page, 1)
        fill_in(page)
        page.click(SEND)
        until_said(page, ARRIVED)
    assert lost == [200]
    assert len(shop.responses()) == 1


def test_a_survey_that_ends_while_it_is_filled_in_still_takes_the_answer(phone: Any, shop: Shop) -> None:
    for values in ({"survey_until": datetime.now(UTC)}, {"closed_at": datetime.now(UTC)}):
        with phone() as context:
            page = survey(context, shop)
            fill_in(page)
            set_point(shop.app, **values)
            page.click(SEND)
            until_said(page, ARRIVED)
        set_point(shop.app, closed_at=None, survey_until=None)
    assert smileys(shop) == [4, 4]


def test_a_survey_that_ended_long_ago_says_so_and_thanks_for_nothing(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        set_point(shop.app, survey_until=datetime.now(UTC) - timedelta(hours=2))
        page.click(SEND)
        until_said(page, ENDED)
        assert (kept(page), kept(page, "quarantine")) == ([], [])
    assert shop.responses() == []


def test_answers_given_before_the_end_arrive_long_after_it(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        context.set_offline(True)
        page.click(SEND)
        until_said(page, KEPT)
        [record] = kept(page)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        backdate(page, record, yesterday)
        set_point(shop.app, closed_at=yesterday + timedelta(minutes=5))
        page.close()
        context.set_offline(False)
        later = context.new_page()
        later.goto(address(shop))
        until_said(later, "The answers you gave earlier have arrived.")
        until_said(later, ENDED)
    [response] = shop.responses()
    assert response.flags == []
    assert response.id == UUID(record["item"]["id"])


def backdate(page: Page, record: dict[str, Any], moment: datetime) -> None:
    """Let a kept answer be of an earlier day."""
    page.evaluate(
        """([record, moment]) => new Promise((resolve) => {
          const request = indexedDB.open("otklik-kiosk");
          request.onsuccess = () => {
            const { item } = record;
            delete item.boot_id;
            delete item.monotonic_ms;
            const transaction = request.result.transaction("items", "readwrite");
            transaction.objectStore("items").put({ ...record, item: { ...item, occurred_at: moment } });
            transaction.oncomplete = () => { request.result.close(); resolve(); };
          };
        })""",
        [record, moment.isoformat()],
    )


class Refusing(Stranger):
    """A server that refuses what it gets, in the words of the reader."""

    posts: ClassVar[list[float]] = []

    def receive(self, items: list[dict[str, Any]]) -> None:
        results = [
            {"id": item["id"], "status": "rejected", "error": "receipt_used", "message": "Used already."}
            for item in items
        ]
        self.say(200, "application/json", json.dumps({"results": results}).encode())


def test_an_earlier_answer_that_is_refused_is_told_and_does_not_stay(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = survey(context, shop)
        fill_in(page)
        context.set_offline(True)
        page.click(SEND)
        until_said(page, KEPT)
        page.close()
        page = context.new_page()
        context.set_offline(False)
        page.route(SENT_TO, lambda route: route.abort())
        page.goto(address(shop))
        until_said(page, "Answers you gave earlier are saved on this phone.")
        page.unroute(SENT_TO)
        shop.replace_by(Refusing)
        until_said(page, "could not be taken: Used already.")
        until(lambda: (kept(page), kept(page, "quarantine")) == ([], []))


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 800}])
@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_the_screens_of_the_phone_fit_and_can_be_used_by_everybody(
    phone: Any, shop: Shop, language: str, size: dict[str, int]
) -> None:
    set_point(shop.app, one_per_receipt=True)
    with phone(language, viewport=size) as context:
        page = survey(context, shop)
        usable(page)
        page.fill("#q-receipt", f"{language} {size['width']}")
        page.click(NEXT)
        fill_in(page)
        context.set_offline(True)
        page.click(SEND)
        until(lambda: page.locator("[data-shown=kept]").count() == 1)
        usable(page)
        context.set_offline(False)
        until(lambda: page.locator("[data-shown=arrived]").count() == 1)
        usable(page)
        set_point(shop.app, survey_until=datetime.now(UTC))
        page.goto(address(shop))
        usable(page)
        page.goto(address(shop, "/poster"))
        usable(page)


def usable(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
