"""The pages of paper in a real browser: on a phone, with a script, without one, and without a connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import until
from tests.conftest import LiveServer
from tests.kiosk.paper_scene import PASSWORD, SHOPPER, TOKEN, VISIT, shop, stored, sweep

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SCREENS = [PHONE, {"width": 1280, "height": 800}, {"width": 1080, "height": 1920}]
SURVEY, BOOK, CHECKLIST = f"/q/{TOKEN}", "/book/001", f"/visit/{VISIT}"
NEXT, BACK, SEND = ".send .primary[type=button]", ".send .back", ".send [type=submit]"


@pytest.fixture(scope="module")
def open_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with shop(tmp_path_factory.mktemp("shop")) as app:
        yield app


@pytest.fixture
def app(open_app: Flask) -> Iterator[Flask]:
    yield open_app
    sweep(open_app)


@pytest.fixture
def phone(chromium: Browser, live_server: LiveServer) -> Iterator[Callable[..., Any]]:
    """Open phones at the shop; none of their pages may break the policy or fail in its script."""
    faults: list[str] = []

    @contextmanager
    def opened(language: str = "en", **options: Any) -> Iterator[BrowserContext]:
        settings = {"viewport": PHONE, "locale": language, "base_url": live_server.base_url, **options}
        with chromium.new_context(**settings) as context:
            context.on("weberror", lambda fault: faults.append(str(fault.error)))
            context.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
            yield context

    yield opened
    assert faults == []


def pick(page: Page, key: str, value: str) -> None:
    """Tap an answer."""
    page.locator(f"label:has([name={key}][value='{value}'])").click()


def asked(page: Page, key: str) -> bool:
    """Say whether a question is on the screen."""
    return page.locator(f"[data-question={key}]").is_visible()


def came_in(live_server: LiveServer) -> list[dict[str, Any]]:
    return [row["answers"] for row in stored(live_server.db)]


def signed_in(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/login?lang=en")
    page.fill("[name=email]", SHOPPER)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def test_the_survey_asks_one_question_a_screen_and_follows_the_answers(phone: Any, live_server: LiveServer) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(SURVEY)
        assert page.locator("[data-question]:visible").count() == 1
        pick(page, "smiley", "4")
        until(lambda: asked(page, "effort"), what="a good smiley asks for no reason")
        page.click(BACK)
        assert page.locator("[name=smiley]:checked").get_attribute("value") == "4"
        pick(page, "smiley", "1")
        until(lambda: asked(page, "reason"), what="a bad one does")
        pick(page, "reason", "queue")
        until(lambda: asked(page, "effort"))
        pick(page, "effort", "6")
        until(lambda: asked(page, "stars"))
        for _ in range(3):
            page.click(NEXT)
        page.fill("#q-waited", "12,5")
        page.press("#q-waited", "Enter")
        page.fill("#q-comment", "One till of five")
        page.click(NEXT)
        page.check("#q-quote")
        page.click(SEND)
        page.wait_for_url("**/thanks")
    expected = {
        "smiley": 1,
        "reason": "queue",
        "effort": 6,
        "waited": 12.5,
        "comment": "One till of five",
        "quote": True,
    }
    assert came_in(live_server) == [expected]


def test_a_required_question_is_not_skipped(phone: Any) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(SURVEY)
        page.click(NEXT)
        assert asked(page, "smiley")
        assert page.locator("[data-question=smiley] [role=alert]").inner_text() == "Choose an answer to go on."


def test_a_reason_picked_before_the_change_of_mind_is_not_sent(phone: Any, live_server: LiveServer) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(SURVEY)
        pick(page, "smiley", "2")
        until(lambda: asked(page, "reason"))
        pick(page, "reason", "staff")
        until(lambda: asked(page, "effort"))
        page.click(BACK)
        page.click(BACK)
        pick(page, "smiley", "4")
        until(lambda: asked(page, "effort"))
        while page.locator(NEXT).is_visible():
            page.click(NEXT)
        page.click(SEND)
        page.wait_for_url("**/thanks")
    assert came_in(live_server) == [{"smiley": 4}]


def test_the_survey_works_without_a_script(phone: Any, live_server: LiveServer) -> None:
    with phone(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(SURVEY)
        assert page.locator("[data-question]:visible").count() == 9
        pick(page, "recommend", "10")
        page.click("[type=submit]")
        assert page.locator("#q-smiley-error").is_visible()
        pick(page, "smiley", "3")
        page.click("[type=submit]")
        page.wait_for_url("**/thanks")
    assert came_in(live_server) == [{"smiley": 3, "recommend": 10}]


def test_a_wrong_answer_is_shown_first_and_has_the_focus(phone: Any) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(SURVEY)
        pick(page, "smiley", "4")
        until(lambda: asked(page, "effort"))
        while not asked(page, "waited"):
            page.click(NEXT)
        page.fill("#q-waited", "long")
        while page.locator(NEXT).is_visible():
            page.click(NEXT)
        page.click(SEND)
        until(lambda: page.locator("#q-waited-error").is_visible())
        assert page.locator("#q-waited").input_value() == "long"
        until(lambda: page.evaluate("document.activeElement.id") == "q-waited", seconds=5)


@pytest.mark.parametrize("address", [SURVEY, BOOK])
def test_a_change_of_language_loses_nothing(phone: Any, address: str) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(address)
        group, value = ("smiley", "2") if address == SURVEY else ("kind", "thanks")
        pick(page, group, value)
        page.click("[data-lang][hreflang=be]")
        page.wait_for_url("**lang=be")
        until(lambda: page.locator(f"[name={group}]:checked").get_attribute("value") == value)
        assert page.locator("html").get_attribute("lang") == "be"
        page.goto(address)
        assert page.locator(f"[name={group}]:checked").count() == 0, "the draft served once"


def test_the_book_leaves_nothing_on_a_shared_device(phone: Any) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(BOOK)
        pick(page, "kind", "complaint")
        page.fill("#text", "A secret complaint")
        page.click("[type=submit]")
        page.wait_for_url("**/written/**")
        assert page.locator(".stamp-number").inner_text() == "№ 1"
        page.go_back()
        until(lambda: page.locator("#text").is_visible())
        page.wait_for_load_state()
        assert page.locator("#text").input_value() == ""
        assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_an_entry_survives_a_server_that_is_away_where_the_browser_keeps_nothing_else(phone: Any) -> None:
    with phone() as context:
        context.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
        page = context.new_page()
        page.goto(BOOK)
        page.fill("#text", "Written on the way home")
        context.set_offline(True)
        page.click("[type=submit]")
        until(lambda: page.url.startswith("chrome-error") or not page.locator("#text").is_visible())
        context.set_offline(False)
        page.goto(BOOK)
        until(lambda: page.locator("#text").input_value() == "Written on the way home")


def test_a_long_text_says_how_much_is_left(phone: Any) -> None:
    with phone() as context:
        page = context.new_page()
        page.goto(BOOK)
        page.fill("#text", "x" * 3990)
        assert page.locator(".count").inner_text() == "10 characters left"
        page.fill("#text", "x" * 4010)
        assert page.locator(".count").inner_text() == "10 characters too many"
        assert len(page.locator("#text").input_value()) == 4010, "nothing that was pasted is cut off"


def test_a_visit_survives_a_reload_and_a_lost_connection(phone: Any, live_server: LiveServer) -> None:
    with phone() as context:
        page = signed_in(context)
        page.goto(CHECKLIST)
        assert page.locator("[data-done]").inner_text() == "0 of 6"
        for key, value in (("clean", "yes"), ("open_on_time", "yes"), ("greeting", "first")):
            pick(page, key, value)
        page.fill("#q-remark", "The till by the door was closed")
        assert page.locator("[data-saved]").inner_text() == "saved on the phone"
        page.reload()
        until(lambda: page.locator("[data-done]").inner_text() == "4 of 6")
        assert page.locator("#q-remark").input_value() == "The till by the door was closed"
        page.fill("#q-wait", "90")
        pick(page, "receipt", "na")
        context.set_offline(True)
        page.click("[type=submit]")
        until(lambda: page.locator("[data-offline]").is_visible(), what="the page says that the connection is away")
        assert page.locator("[data-done]").inner_text() == "6 of 6"
        context.set_offline(False)
        page.click("[type=submit]")
        until(lambda: page.locator(".score-figure").count() == 1)
        assert page.locator(".score-figure").inner_text() == "100"
        page.wait_for_load_state()
        assert page.evaluate("localStorage.length") == 0, "what is handed in does not stay on the phone"
    [answers] = came_in(live_server)
    assert (answers["receipt"], answers["wait"]) == ("na", 90)


def test_a_number_and_not_applicable_exclude_each_other(phone: Any) -> None:
    with phone() as context:
        page = signed_in(context)
        page.goto(CHECKLIST)
        page.fill("#q-wait", "90")
        pick(page, "wait", "na")
        assert page.locator("#q-wait").input_value() == ""
        page.fill("#q-wait", "120")
        assert not page.locator("#q-wait-na").is_checked()


@pytest.mark.parametrize("address", [SURVEY, f"{SURVEY}/thanks", f"{SURVEY}/poster", BOOK, CHECKLIST])
def test_every_page_fits_its_screen_in_every_language_and_can_be_used_by_everybody(phone: Any, address: str) -> None:
    with phone() as context:
        page = signed_in(context)
        for screen in SCREENS:
            page.set_viewport_size(screen)
            for language in ("ru", "be", "en"):
                page.goto(f"{address}?lang={language}")
                overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert overflow <= 0, (screen, language)
        page.set_viewport_size(PHONE)
        page.goto(f"{address}?lang=ru")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("address", [SURVEY, BOOK, CHECKLIST])
def test_a_page_with_errors_can_be_used_by_everybody(phone: Any, address: str) -> None:
    with phone() as context:
        page = signed_in(context)
        page.goto(address)
        page.evaluate("document.querySelector('form[data-form]').submit()")
        until(lambda: page.locator("[data-problems]").count() == 1)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_the_poster_is_one_page_of_a5(phone: Any) -> None:
    with phone("ru") as context:
        page = context.new_page()
        page.goto(f"{SURVEY}/poster")
        until(lambda: page.evaluate("document.querySelector('.poster-code img').naturalWidth") > 0)
        printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", printed)
    assert box
    assert [round(float(side) / 72 * 25.4) for side in box.groups()] == [148, 210]
