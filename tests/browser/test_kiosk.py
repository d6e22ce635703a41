"""What the shopper meets at the kiosk, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PageGone

from feedback_app.services.catalogue import publish_form
from tests.browser.chromium import until
from tests.browser.kiosk_shop import (
    Shop,
    kept,
    mark,
    opened,
    skip_to_thanks,
    tap,
    until_delivered,
    until_screen,
)

pytestmark = pytest.mark.browser

SIZES = [(390, 844), (1280, 800), (1080, 1920)]
TOUCH = 96


def test_a_tap_and_what_follows_it_are_one_response(shop: Shop, kiosk: Page) -> None:
    before = datetime.now(UTC)
    tap(kiosk, 1)
    assert mark(kiosk, "screen") == "reason"
    kiosk.click("[data-choice] >> nth=1")
    assert mark(kiosk, "screen") == "comment"
    kiosk.fill("textarea", "Очередь на двадцать минут")
    kiosk.click("button[type=submit]")
    until_screen(kiosk, "thanks")
    until_delivered(kiosk)
    [response] = shop.responses()
    assert response.answers["smiley"] == 1
    assert response.answers["reason"]
    assert response.comment == "Очередь на двадцать минут"
    assert (response.channel, response.language) == ("button", "ru")
    assert response.id.version == 7
    assert before.replace(microsecond=0) <= response.occurred_at <= response.received_at


def test_a_content_shopper_is_not_asked_what_went_wrong(shop: Shop, kiosk: Page) -> None:
    tap(kiosk, 4)
    assert mark(kiosk, "screen") == "comment"
    kiosk.click("[data-skip]")
    until_delivered(kiosk)
    assert [response.answers for response in shop.responses()] == [{"smiley": 4}]


def test_thanks_gives_way_to_the_question_by_itself(shop: Shop, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.clock.install()
    opened(page, shop)
    tap(page, 3)
    skip_to_thanks(page)
    page.clock.fast_forward(2_000)
    assert mark(page, "screen") == "thanks"
    page.clock.fast_forward(8_000)
    assert mark(page, "screen") == "question"


def test_a_new_form_comes_in_while_nobody_stands_there(shop: Shop, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.clock.install()
    opened(page, shop)
    publish_other_questions(shop)
    page.clock.fast_forward(31 * 60_000)
    until(lambda: page.locator("h1").text_content() == "Пять", what="the new form")


def test_the_language_changes_at_a_touch_and_comes_back_for_the_next_shopper(shop: Shop, kiosk: Page) -> None:
    assert kiosk.locator("h1").text_content() == "Как прошла покупка?"
    kiosk.click("[data-language=be]")
    assert kiosk.locator("h1").text_content() == "Як прайшла пакупка?"
    assert kiosk.evaluate("document.documentElement.lang") == "be"
    tap(kiosk, 4)
    kiosk.fill("textarea", "Дзякуй")
    kiosk.click("[data-language=en]")
    assert kiosk.input_value("textarea") == "Дзякуй"
    kiosk.click("button[type=submit]")
    until_screen(kiosk, "thanks")
    kiosk.click("h1")
    until_screen(kiosk, "question")
    assert kiosk.evaluate("document.documentElement.lang") == "ru"
    until_delivered(kiosk)
    assert [response.language for response in shop.responses()] == ["en"]


def test_nothing_of_the_last_shopper_is_left(kiosk: Page) -> None:
    tap(kiosk, 4)
    kiosk.fill("textarea", "Меня зовут Иван")
    kiosk.click("[data-skip]")
    until_delivered(kiosk)
    kiosk.click("h1")
    tap(kiosk, 4)
    assert kiosk.input_value("textarea") == ""
    assert kiosk.get_attribute("textarea", "autocomplete") == "off"
    assert "Иван" not in json.dumps(kept(kiosk), ensure_ascii=False)


def test_a_double_tap_answers_one_question(kiosk: Page) -> None:
    kiosk.dblclick('button[data-answer="1"]')
    assert mark(kiosk, "screen") == "reason"


def test_the_kiosk_works_from_the_keyboard(shop: Shop, kiosk: Page) -> None:
    kiosk.focus('button[data-answer="2"]')
    kiosk.keyboard.press("Enter")
    assert mark(kiosk, "screen") == "reason"
    kiosk.keyboard.press("Tab")
    kiosk.keyboard.press("Space")
    assert mark(kiosk, "screen") == "comment"
    kiosk.keyboard.press("Tab")
    kiosk.keyboard.type("ok")
    kiosk.keyboard.press("Tab")
    kiosk.keyboard.press("Tab")
    kiosk.keyboard.press("Enter")
    until_delivered(kiosk)
    [response] = shop.responses()
    assert response.answers.keys() == {"smiley", "reason", "comment"}


def test_every_button_is_in_sight_and_large_enough_for_a_thumb(kiosk: Page) -> None:
    for width, height in SIZES:
        kiosk.set_viewport_size({"width": width, "height": height})
        all_in_sight(kiosk, width, height)
        tap(kiosk, 1)
        all_in_sight(kiosk, width, height)
        kiosk.click("[data-skip]")
        all_in_sight(kiosk, width, height)
        skip_to_thanks(kiosk)
        kiosk.click("h1")


def all_in_sight(page: Page, width: int, height: int) -> None:
    buttons = page.locator("button:visible")
    assert buttons.count() > 3
    for button in buttons.all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TOUCH, button.inner_text()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height


def test_people_who_hear_or_magnify_the_page_can_use_it(kiosk: Page) -> None:
    axe = Axe()
    for action in (
        lambda: None,
        lambda: tap(kiosk, 1),
        lambda: kiosk.click("[data-skip]"),
        lambda: skip_to_thanks(kiosk),
    ):
        action()
        found = axe.run(kiosk)
        assert found.violations_count == 0, found.generate_report()


def test_nothing_moves_for_those_who_asked_for_stillness(kiosk: Page) -> None:
    kiosk.emulate_media(reduced_motion="reduce")
    assert kiosk.evaluate("getComputedStyle(document.querySelector('.smiley')).transitionDuration") == "0s"


def test_a_new_release_takes_the_place_of_the_old_one(shop: Shop, kiosk: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    old = caches_of(kiosk)
    monkeypatch.setattr("kiosk.shell.version", lambda: "next-release")
    kiosk.reload()
    until(lambda: caches_of(kiosk) == ["otklik-kiosk-next-release"], what="the old cache gone")
    until(lambda: mark(kiosk, "ready") == "true", what="the page of the new release")
    assert old != caches_of(kiosk)
    shop.shut()
    kiosk.reload()
    assert kiosk.locator("button[data-answer]").count() == 4


def caches_of(page: Page) -> list[str]:
    try:
        found: list[str] = page.evaluate("caches.keys()")
    except PageGone:  # it reloads itself
        return []
    return found


def test_answers_of_the_server_are_never_cached(kiosk: Page) -> None:
    tap(kiosk, 4)
    skip_to_thanks(kiosk)
    until_delivered(kiosk)
    addresses = kiosk.evaluate(
        """async () => {
          const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
          const requests = await Promise.all(stores.map((store) => store.keys()));
          return requests.flat().map((request) => new URL(request.url).pathname);
        }"""
    )
    assert any(re.fullmatch(r"/k/[^/]+", one) for one in addresses)
    assert [one for one in addresses if one.startswith("/api")] == []


def test_a_form_of_other_questions_works_too(shop: Shop, visitor: BrowserContext) -> None:
    publish_other_questions(shop)
    page = opened(visitor.new_page(), shop)
    answer: dict[str, Callable[[], None]] = {
        "Пять": lambda: page.click('button[data-answer="5"]'),
        "Посоветуете": lambda: page.click('[data-choice="10"]'),
        "Помогли": lambda: page.click('[data-choice="yes"]'),
        "Минут": lambda: (page.fill("input", "7.5"), page.click("button[type=submit]"))[0],
        "Можно": lambda: page.click('[data-choice="false"]'),
    }
    for question, act in answer.items():
        assert page.locator("h1").text_content() == question
        act()
    until_delivered(page)
    until_screen(page, "thanks")
    [response] = shop.responses()
    assert response.answers == {"smiley": 5, "advise": 10, "helped": "yes", "minutes": 7.5, "show": False}


def publish_other_questions(shop: Shop) -> None:
    kinds = [
        ("smiley", "smiley5", "Пять"),
        ("advise", "nps", "Посоветуете"),
        ("helped", "yes_no", "Помогли"),
        ("minutes", "number", "Минут"),
        ("show", "consent", "Можно"),
    ]
    questions = [{"key": key, "type": kind, "text": dict.fromkeys(("ru", "be", "en"), ask)} for key, kind, ask in kinds]
    title = dict.fromkeys(("ru", "be", "en"), "Киоск")
    section = {"key": "main", "title": title, "questions": questions}
    form = {"key": "kiosk-checkout", "purpose": "kiosk", "title": title, "sections": [section]}
    shop.chain.db.write(lambda connection: publish_form(connection, form))
