"""What the kiosk does for the one who stands before it: speed, patience, reach, themes, hours, misuse."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from feedback_app.services.catalogue import publish_form
from feedback_app.storage import house
from tests.browser.chromium import DESK, until
from tests.browser.failures.kiosks import FILL
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

SIZES = [
    (390, 844),
    (600, 1024),
    (800, 480),
    (1024, 600),
    (1280, 800),
    (1080, 1920),
    (1920, 1080),
    (3840, 2160),
]
LONG = {
    "question": "Насколько вы удовлетворены сегодняшним обслуживанием и доброжелательностью сотрудников в отделе "
    "свежих продуктов нашего магазина?",
    "labels": [
        "Зусім нездавальняюча",
        "Неудовлетворительно",
        "Удовлетворительно",
        "Добразычліва",
        "Найвыдатнейшае абслугоўванне",
    ],
    "choices": [
        "Недобразычлівасць абслугоўваючага персаналу",
        "Продолжительное ожидание в очереди на кассе самообслуживания",
        "Несоответствие цен",
        "Адсутнасць асартыменту",
        "Санитарное состояние",
        "Неработающее оборудование",
        "Недостоверная информация",
        "Іншае",
    ],
}
SPILT = """() => {
  const wide = document.documentElement.clientWidth, high = document.documentElement.clientHeight;
  const found = [];
  for (const one of document.querySelectorAll("h1, .help, button, .smiley-label, textarea, input, .kiosk-place")) {
    const { left, right, top, bottom, width, height } = one.getBoundingClientRect();
    if (!width && !height) continue;
    const out = left < -1 || top < -1 || right > wide + 1 || bottom > high + 1;
    const cut = one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1;
    const written = ["TEXTAREA", "INPUT"].includes(one.tagName);
    if (out || (cut && !written)) found.push(one.className + " " + one.textContent);
  }
  const faces = Array.from(document.querySelectorAll(".smiley-face"), (face) => face.getBoundingClientRect());
  if (faces.some(({ width, height }) => Math.min(width, height) < 40)) found.push("a small face");
  return found;
}"""
WATCH = """() => {
  window.waits = [];
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
  }).observe({ type: "longtask" });
  document.addEventListener("pointerup", ({ timeStamp: touched }) => {
    const before = document.documentElement.dataset.screen;
    const look = () => {
      if (document.documentElement.dataset.screen === before) return requestAnimationFrame(look);
      return requestAnimationFrame(() => window.waits.push([before, performance.now() - touched]));
    };
    requestAnimationFrame(look);
  }, true);
}"""
PRESSED = """(selector) => {
  const button = document.querySelector(selector);
  const { backgroundColor: ground, transform } = getComputedStyle(button);
  return [button.hasAttribute("data-pressed"), ground, transform];
}"""


def said(text: str) -> dict[str, str]:
    return dict.fromkeys(("ru", "be", "en"), text)


def publish(shop: Shop, *questions: dict[str, Any]) -> None:
    section = {"key": "main", "title": said("Киоск"), "questions": list(questions)}
    form = {"key": "kiosk-checkout", "purpose": "kiosk", "title": said("Киоск"), "sections": [section]}
    shop.chain.db.write(lambda connection: publish_form(connection, form))


def publish_one_question(shop: Shop) -> None:
    publish(shop, {"key": "smiley", "type": "smiley4", "text": said("Как прошла покупка?")})


def settle(shop: Shop, **settings: Any) -> None:
    """Set the chain's kiosk settings."""
    shop.chain.db.write(lambda connection: house.put_setting(connection, "kiosk", settings))
    shop.chain.db.memory.clear()


@pytest.fixture
def clocked(visitor: BrowserContext) -> Page:
    """A page whose time the test moves."""
    page = visitor.new_page()
    page.clock.install()
    return page


@pytest.fixture
def glass(chromium: Browser) -> Iterator[Page]:
    """A page on a screen that is touched."""
    with chromium.new_context(**DESK, has_touch=True) as context:
        yield context.new_page()


Finger = Callable[..., None]


@pytest.fixture
def finger(glass: Page) -> Finger:
    """A finger on that screen: what it does, and where it is."""
    session = glass.context.new_cdp_session(glass)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": places})

    return touch


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# --- room ----------------------------------------------------------------------------------------------------------


def test_long_words_fit_on_every_screen_and_no_face_gets_small(shop: Shop, visitor: BrowserContext) -> None:
    publish(
        shop,
        {
            "key": "smiley",
            "type": "smiley5",
            "text": said(LONG["question"]),
            "labels": {str(level): said(word) for level, word in enumerate(LONG["labels"], 1)},
        },
        {
            "key": "reason",
            "type": "choice",
            "text": said("Что именно показалось вам неудовлетворительным во время покупки?"),
            "choices": [{"key": f"c{place}", "text": said(word)} for place, word in enumerate(LONG["choices"])],
        },
        {"key": "advise", "type": "nps", "text": said("Порекомендуете ли вы нас друзьям и знакомым?")},
        {"key": "fresh", "type": "rating", "max": 10, "text": said("Оцените свежесть продуктов")},
        {
            "key": "helped",
            "type": "yes_no",
            "text": said("Помогли ли вам сотрудники?"),
            "help": said("Если обращались"),
        },
        {"key": "minutes", "type": "number", "text": said("Сколько минут вы стояли в очереди?")},
        {"key": "comment", "type": "text", "text": said("Хотите добавить пару слов?")},
    )
    page = opened(visitor.new_page(), shop)
    bad: dict[str, Any] = {}

    def look() -> None:
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            # A frame, for the words follow the size of the screen.
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            if spilt := page.evaluate(SPILT):
                bad[f"{page.locator('h1').text_content()} {width}x{height}"] = spilt

    look()
    tap(page, 3)
    for _ in range(6):
        look()
        page.click("[data-skip]")
    assert bad == {}


def test_a_question_without_end_stays_on_the_screen(shop: Shop, visitor: BrowserContext) -> None:
    publish(shop, {"key": "smiley", "type": "smiley4", "text": said("Расскажите нам, пожалуйста, обо всём. " * 60)})
    page = opened(visitor.new_page(), shop)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        for face in page.locator("button[data-answer]").all():
            box = face.bounding_box()
            assert box
            assert box["y"] + box["height"] <= height
            assert box["height"] > height / 8


@pytest.mark.parametrize("size", [(390, 430), (800, 250), (600, 560)])
def test_words_can_be_sent_with_a_keyboard_over_half_the_screen(kiosk: Page, size: tuple[int, int]) -> None:
    tap(kiosk, 4)
    kiosk.set_viewport_size({"width": size[0], "height": size[1]})
    kiosk.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    for part in ("textarea", "[data-skip]", "[type=submit]"):
        box = kiosk.locator(part).bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size[1]
        assert min(box["width"], box["height"]) >= 48
    assert kiosk.evaluate(SPILT) == []


# --- speed ---------------------------------------------------------------------------------------------------------


def records(shop: Shop, count: int) -> list[dict[str, Any]]:
    """Make what a kiosk holds that was without a network for weeks."""
    made = []
    for number in range(count):
        own = f"01890000-0000-7000-8000-{number:012x}"
        item = {
            "id": own,
            "point": shop.chain.token(),
            "form_version": 1,
            "occurred_at": "2026-05-01T10:00:00.000Z",
            "language": "ru",
            "answers": {"smiley": 1 + number % 4},
        }
        made.append({"id": own, "open": False, "touched_at": 0, "item": item})
    return made


def test_the_next_screen_comes_in_a_tenth_of_a_second_with_ten_thousand_answers_queued(
    shop: Shop, visitor: BrowserContext
) -> None:
    page = opened(visitor.new_page(), shop)
    shop.shut()
    page.evaluate(FILL, records(shop, 10_000))
    page.evaluate("otklik.outbox((count) => (document.documentElement.dataset.queued = String(count))).tell()")
    until(lambda: mark(page, "queued") == "10000")
    page.evaluate(WATCH)
    work = []
    for _ in range(7):
        page.evaluate("window.longest = 0")
        tap(page, 1)
        until_screen(page, "reason")
        skip_to_thanks(page)
        page.click("h1")
        until_screen(page, "question")
        work.append(page.evaluate("window.longest"))
    waits = until(lambda: len(found := page.evaluate("window.waits")) == 7 * 4 and found)
    for screen in ("question", "reason", "comment", "thanks"):
        assert statistics.median(wait for before, wait in waits if before == screen) < 100, waits
    assert statistics.median(work) < 100, "nothing behind the screens holds the next touch up"
    until(lambda: mark(page, "queued") == "10007", what="each of them kept")


def test_a_touch_is_seen_while_the_finger_is_still_down(kiosk: Page) -> None:
    before = kiosk.evaluate(PRESSED, 'button[data-answer="2"]')
    kiosk.mouse.move(*middle(kiosk, 'button[data-answer="2"]'))
    kiosk.mouse.down()
    down = kiosk.evaluate(PRESSED, 'button[data-answer="2"]')
    assert down[0]
    assert down[1:] != before[1:]
    assert mark(kiosk, "screen") == "question"
    kiosk.mouse.up()
    assert mark(kiosk, "screen") == "reason"


# --- gloves --------------------------------------------------------------------------------------------------------


def test_a_slow_and_a_sliding_finger_answer_too(shop: Shop, glass: Page, finger: Finger) -> None:
    opened(glass, shop)
    finger("Start", middle(glass, 'button[data-answer="1"]'))
    glass.wait_for_timeout(900)
    finger("End")
    until_screen(glass, "reason")
    skip_to_thanks(glass)
    glass.tap("h1")
    x, y = middle(glass, 'button[data-answer="4"]')
    finger("Start", (x, y))
    finger("Move", (x + 60, y + 40))
    finger("End")
    until_screen(glass, "comment")
    skip_to_thanks(glass)
    until_delivered(glass)
    assert sorted(response.answers["smiley"] for response in shop.responses()) == [1, 4]


def test_a_finger_that_leaves_the_smiley_takes_its_answer_back(shop: Shop, glass: Page, finger: Finger) -> None:
    opened(glass, shop)
    x, y = middle(glass, 'button[data-answer="1"]')
    finger("Start", (x, y))
    finger("Move", (x + 600, y))
    finger("End")
    glass.wait_for_timeout(400)
    assert mark(glass, "screen") == "question"
    assert glass.locator("[data-pressed]").count() == 0


# --- patience ------------------------------------------------------------------------------------------------------


def test_the_last_ten_seconds_are_counted_in_sight(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    tap(page, 1)
    page.clock.run_for(18_000)
    assert page.locator(".still").count() == 0
    page.clock.run_for(3_000)
    assert "Вы ещё здесь?" in page.locator(".still").inner_text()
    assert "Ваш ответ уже учтён" in page.locator(".still").inner_text()
    assert "Вы ещё здесь?" in (page.locator(".kiosk-said[role=status]").text_content() or "")
    left = seconds_left(page)
    page.clock.run_for(3_000)
    assert seconds_left(page) < left
    assert mark(page, "screen") == "reason"
    page.clock.run_for(10_000)
    until_screen(page, "question")
    assert page.locator(".still").count() == 0
    until_delivered(page)
    assert [response.answers for response in shop.responses()] == [{"smiley": 1}]


def seconds_left(page: Page) -> int:
    return int("".join(letter for letter in page.locator(".still-left").inner_text() if letter.isdigit()))


def test_a_touch_anywhere_a_key_or_the_button_stays(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    tap(page, 1)
    for stay in (
        lambda: page.click(".still button"),
        lambda: page.mouse.click(3, 200),
        lambda: page.keyboard.press("Tab"),
    ):
        page.clock.run_for(25_000)
        assert page.locator(".still").count() == 1
        stay()
        page.clock.run_for(1_000)
        assert page.locator(".still").count() == 0
        assert mark(page, "screen") == "reason"
    page.clock.run_for(18_000)
    assert page.locator(".still").count() == 0


def test_the_warning_does_not_move_what_a_finger_is_on(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    tap(page, 1)
    page.clock.run_for(22_000)
    before = middle(page, "[data-skip]")
    page.mouse.move(*before)
    page.mouse.down()
    page.clock.run_for(2_000)
    assert middle(page, "[data-skip]") == before
    page.mouse.up()
    until_screen(page, "comment")


def test_the_button_that_stays_comes_next_after_the_last_of_the_screen(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    tap(page, 4)
    page.focus("[type=submit]")
    page.clock.run_for(25_000)
    # The key stays too, so the focus falls back to the question once the warning is gone.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.still') !== null")
    page.clock.run_for(1_000)
    assert page.evaluate("document.activeElement.tagName") == "H1"


def test_a_device_that_slept_over_the_warning_starts_over(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    tap(page, 1)
    page.clock.fast_forward(45_000)
    until_screen(page, "question")


def test_unsent_words_are_named_as_such_and_gone(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    page.click("[data-language=en]")
    tap(page, 4)
    page.fill("textarea", "Ivan, +375 29 000")
    page.clock.run_for(21_000)
    assert "not sent are erased" in page.locator(".still").inner_text()
    page.clock.run_for(11_000)
    until_screen(page, "question")
    assert page.evaluate("document.documentElement.lang") == "ru"
    assert page.evaluate("[document.activeElement.tagName, String(getSelection()), scrollY]") == ["H1", "", 0]
    tap(page, 4)
    page.keyboard.press("Tab")
    page.keyboard.press("Control+z")
    assert page.input_value("textarea") == ""
    assert "Ivan" not in str(kept(page))


def test_a_language_chosen_and_left_gives_way_to_that_of_the_shop(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    page.click("[data-language=en]")
    page.clock.run_for(25_000)
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator(".still").count() == 0
    page.clock.run_for(6_000)
    assert page.evaluate("document.documentElement.lang") == "ru"


# --- nobody there --------------------------------------------------------------------------------------------------


def test_after_a_minute_the_screen_invites_in_each_language_and_the_first_touch_counts(
    shop: Shop, clocked: Page
) -> None:
    page = opened(clocked, shop)
    page.clock.run_for(58_000)
    assert mark(page, "attract") is None
    seen = set()
    for _ in range(35):
        page.clock.run_for(1_000)
        seen.add((page.evaluate("document.documentElement.lang"), page.locator("h1").text_content()))
    assert mark(page, "attract") == ""
    assert {lang for lang, _ in seen} == {"ru", "be", "en"}
    assert {"Как прошла покупка?", "How was your purchase?", "Rate us with one touch"} <= {text for _, text in seen}
    assert mark(page, "screen") == "question"
    tap(page, 4)
    assert mark(page, "screen") == "comment"
    assert mark(page, "attract") is None
    assert page.evaluate("document.documentElement.lang") == "ru"
    assert page.locator("h1").text_content() == "Хотите добавить пару слов?"


def test_the_picture_moves_a_little_so_that_nothing_burns_in(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    places = set()
    for _ in range(12):
        page.clock.run_for(10_000)
        places.add(page.evaluate("document.body.style.transform"))
    assert len(places) >= 4


@pytest.mark.parametrize(("motion", "name"), [("no-preference", "nod"), ("reduce", "none")])
def test_the_faces_move_only_for_those_who_do_not_mind(shop: Shop, clocked: Page, motion: Any, name: str) -> None:
    clocked.emulate_media(reduced_motion=motion)
    page = opened(clocked, shop)
    page.clock.run_for(62_000)
    assert mark(page, "attract") == ""
    assert page.evaluate("getComputedStyle(document.querySelector('.smiley-face')).animationName") == name


def test_a_chain_can_do_without_the_invitation(shop: Shop, clocked: Page) -> None:
    settle(shop, attract_after=0)
    page = opened(clocked, shop)
    page.clock.run_for(300_000)
    assert mark(page, "attract") is None


# 05:30 UTC is 08:30 in Minsk, the store's time, and half past midnight in New York, the device's.
@pytest.fixture
def far_away(chromium: Browser) -> Iterator[Page]:
    """A device with the wrong time zone."""
    with chromium.new_context(**DESK, timezone_id="America/New_York") as context:
        page = context.new_page()
        page.clock.install(time="2026-05-05T05:30:00Z")
        yield page


def test_at_night_the_screen_dims_and_is_bright_while_used(shop: Shop, far_away: Page) -> None:
    settle(shop, dim={"from": "22:00", "to": "08:31"})
    page = opened(far_away, shop)
    page.clock.run_for(29_000)
    assert mark(page, "dim") is None
    page.clock.run_for(3_000)
    assert mark(page, "dim") == ""
    assert page.evaluate("getComputedStyle(document.body, '::after').pointerEvents") == "none"
    tap(page, 4)
    assert mark(page, "screen") == "comment"
    assert mark(page, "dim") is None
    page.clock.run_for(120_000)
    until_screen(page, "question")
    assert mark(page, "dim") is None, "08:32 is day"


def test_outside_the_hours_of_the_store_it_says_when_it_opens(shop: Shop, far_away: Page) -> None:
    settle(shop, hours={"from": "08:32", "to": "22:00"})
    page = opened(far_away, shop)
    assert page.locator("main").inner_text().split("\n\n") == ["Сейчас закрыто", "Оценить можно снова с 08:32."]
    assert page.locator("button[data-answer]").count() == 0
    page.keyboard.press("4")
    page.click("[data-language=en]")
    assert page.locator("h1").text_content() == "Closed now"
    assert shop.responses() == []
    page.clock.run_for(125_000)
    until_screen(page, "question")
    tap(page, 4)
    page.clock.run_for(1_000)
    assert mark(page, "screen") == "comment"


def test_nobody_is_sent_away_in_the_middle_of_an_answer(shop: Shop, far_away: Page) -> None:
    settle(shop, hours={"from": "06:00", "to": "08:31"})
    page = opened(far_away, shop)
    page.clock.run_for(50_000)
    tap(page, 1)
    page.clock.run_for(15_000)
    assert mark(page, "screen") == "reason"
    skip_to_thanks(page)
    page.clock.run_for(7_000)
    until_screen(page, "closed")


def test_a_time_zone_the_device_does_not_know_leaves_its_own(shop: Shop, far_away: Page) -> None:
    settle(shop, hours={"from": "00:00", "to": "02:00"})
    far_away.add_init_script(
        """{ const Format = Intl.DateTimeFormat;
        Intl.DateTimeFormat = function (code, options) {
          if (options && options.timeZone) throw new RangeError("unknown");
          return new Format(code, options);
        }; }"""
    )
    page = opened(far_away, shop)
    page.clock.run_for(2_000)
    assert mark(page, "screen") == "question", "half past midnight"


# --- settings ------------------------------------------------------------------------------------------------------


def test_the_chain_says_which_languages_in_which_order(shop: Shop, visitor: BrowserContext) -> None:
    settle(shop, languages=["en", "be"], language="be")
    page = opened(visitor.new_page(), shop)
    assert page.locator("[data-language]").all_inner_texts() == ["EN", "BE"]
    assert page.locator("h1").text_content() == "Як прайшла пакупка?"


def test_one_language_needs_no_buttons(shop: Shop, visitor: BrowserContext) -> None:
    settle(shop, languages=["en"])
    page = opened(visitor.new_page(), shop)
    assert page.locator(".kiosk-languages").is_hidden()
    assert page.locator("h1").text_content() == "How was your purchase?"


def test_a_setting_from_afar_waits_until_nobody_answers(shop: Shop, kiosk: Page) -> None:
    settings = kiosk.evaluate("JSON.parse(document.getElementById('kiosk-data').textContent).settings")
    answer = {
        "device": {"id": 1, "name": "Касса 1"},
        "point": shop.chain.token(),
        "settings": {**settings, "theme": "dark", "languages": ["en", "ru"], "language": "en"},
        "server_time": "2026-05-05T05:30:00Z",
    }
    # The server at the shop knows nothing of this device.
    shop.shut()
    kiosk.route("**/device/heartbeat", lambda route: route.fulfill(json=answer))
    tap(kiosk, 4)
    pairing = {"id": 1, "name": "Касса 1", "token": "t", "point": shop.chain.token(), "settings": settings}
    kiosk.evaluate("(pairing) => otklik.outbox().remember('pairing', pairing)", pairing)
    with kiosk.expect_response("**/device/heartbeat"):
        kiosk.evaluate("dispatchEvent(new Event('online'))")
    kiosk.wait_for_timeout(300)
    assert (mark(kiosk, "theme"), mark(kiosk, "screen")) == ("light", "comment")
    skip_to_thanks(kiosk)
    kiosk.click("h1")
    until_screen(kiosk, "question")
    assert mark(kiosk, "theme") == "dark"
    assert kiosk.locator("[data-language]").all_inner_texts() == ["EN", "RU"]
    assert kiosk.locator("h1").text_content() == "How was your purchase?"


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_people_who_hear_or_magnify_the_page_can_use_every_theme(shop: Shop, clocked: Page, theme: str) -> None:
    settle(shop, theme=theme)
    page = opened(clocked, shop)
    assert mark(page, "theme") == theme
    check(page)
    tap(page, 1)
    page.clock.run_for(22_000)
    assert page.locator(".still").count() == 1
    check(page)
    page.click("[data-skip]")
    check(page)
    skip_to_thanks(page)
    check(page)


def check(page: Page) -> None:
    page.clock.run_for(500)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_chains_mark_is_shown_and_a_lost_one_leaves_no_gap(shop: Shop, visitor: BrowserContext) -> None:
    settle(shop, logo="a" * 64)
    page = visitor.new_page()
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"/>'
    page.route("**/k/logo/*", lambda route: route.fulfill(body=drawing, content_type="image/svg+xml"))
    opened(page, shop)
    until(lambda: page.evaluate("document.querySelector('.kiosk-logo').naturalWidth"))
    box = page.locator(".kiosk-logo").bounding_box()
    assert box
    assert 20 < box["height"] <= 64
    other = visitor.browser.new_context(**DESK).new_page()  # type: ignore[union-attr]
    opened(other, shop)
    until(lambda: other.locator(".kiosk-logo").count() == 0, what="no broken picture")
    other.context.close()


@pytest.mark.parametrize("sound", [False, True])
def test_it_is_silent_unless_the_chain_wants_a_click(shop: Shop, visitor: BrowserContext, sound: bool) -> None:
    settle(shop, sound=sound)
    page = visitor.new_page()
    page.add_init_script(
        """window.clicks = 0;
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...when) { window.clicks += 1; return start.apply(this, when); };"""
    )
    opened(page, shop)
    tap(page, 4)
    assert page.evaluate("window.clicks") == int(sound)


# --- keys, switches, buttons ---------------------------------------------------------------------------------------


def test_digits_answer_and_escape_goes_on(shop: Shop, kiosk: Page) -> None:
    kiosk.keyboard.press("1")
    assert mark(kiosk, "screen") == "reason"
    kiosk.keyboard.press("2")
    assert mark(kiosk, "screen") == "comment"
    kiosk.keyboard.press("3")
    assert mark(kiosk, "screen") == "comment"
    kiosk.keyboard.press("Backspace")
    until_screen(kiosk, "thanks")
    # The next shopper need not wait for the thanks to go.
    kiosk.keyboard.press("4")
    assert mark(kiosk, "screen") == "comment"
    kiosk.focus("textarea")
    kiosk.keyboard.type("45")
    kiosk.keyboard.press("Backspace")
    assert kiosk.input_value("textarea") == "4"
    kiosk.keyboard.press("Escape")
    until_screen(kiosk, "thanks")
    until_delivered(kiosk)
    answers = sorted((response.answers for response in shop.responses()), key=lambda one: one["smiley"])
    assert answers[0]["smiley"] == 1
    assert answers[0]["reason"]
    assert answers[1] == {"smiley": 4}


def test_digits_answer_scales_by_value_and_lists_by_place(shop: Shop, visitor: BrowserContext) -> None:
    publish(
        shop,
        {"key": "smiley", "type": "smiley5", "text": said("Пять")},
        {"key": "advise", "type": "nps", "text": said("Посоветуете")},
        {"key": "fresh", "type": "rating", "max": 10, "text": said("Свежесть")},
        {"key": "helped", "type": "yes_no", "text": said("Помогли")},
    )
    page = opened(visitor.new_page(), shop)
    for key in ("7", "5", "0", "0", "2"):
        page.keyboard.press(key)
    until(shop.responses, what="stored")
    assert [response.answers for response in shop.responses()] == [
        {"smiley": 5, "advise": 0, "fresh": 10, "helped": "no"}
    ]


def test_one_switch_that_moves_and_one_that_picks_are_enough(shop: Shop, kiosk: Page) -> None:
    kiosk.keyboard.press("Tab")
    kiosk.keyboard.press("Tab")
    focused = kiosk.evaluate("document.activeElement.dataset.answer")
    ring = kiosk.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert (focused, ring) == ("2", "4px")
    kiosk.keyboard.press("Enter")
    assert mark(kiosk, "screen") == "reason"
    kiosk.keyboard.press("Tab")
    kiosk.keyboard.press("Enter")
    kiosk.keyboard.press("Escape")
    until_screen(kiosk, "thanks")
    kiosk.keyboard.press("Escape")
    until_screen(kiosk, "question")
    kiosk.keyboard.press("Tab")
    assert kiosk.evaluate("document.activeElement.dataset.answer") == "1"


def test_the_staffs_keys_answer_nothing(shop: Shop, kiosk: Page) -> None:
    kiosk.keyboard.press("Control+Alt+k")
    kiosk.locator("dialog[open]").wait_for()
    kiosk.keyboard.press("4")
    kiosk.keyboard.press("Backspace")
    assert mark(kiosk, "screen") == "question"
    assert kept(kiosk) == []


# --- misuse --------------------------------------------------------------------------------------------------------


def flags_of(shop: Shop, count: int) -> list[list[str]]:
    found = until(lambda: len(shop.responses()) >= count and shop.responses())
    return [list(response.flags or []) for response in sorted(found, key=lambda response: response.id)]


def press_key(page: Page, key: str) -> None:
    page.keyboard.press(key)
    until_screen(page, "thanks")


def test_the_sixth_tap_within_ten_seconds_is_kept_and_flagged(shop: Shop, clocked: Page) -> None:
    publish_one_question(shop)
    page = opened(clocked, shop)
    for key in "12341234":
        press_key(page, key)
    page.clock.run_for(65_000)
    press_key(page, "1")
    flags = flags_of(shop, 9)
    assert ["burst" in one for one in flags] == [False] * 5 + [True] * 3 + [False]


def test_the_tenth_same_tap_within_a_minute_is_flagged(shop: Shop, clocked: Page) -> None:
    publish_one_question(shop)
    page = opened(clocked, shop)
    for _ in range(10):
        press_key(page, "4")
        page.clock.run_for(4_000)
    flags = flags_of(shop, 10)
    assert ["burst" in one for one in flags] == [False] * 9 + [True]


def test_a_key_that_stays_down_is_one_answer_and_flagged(shop: Shop, clocked: Page) -> None:
    page = opened(clocked, shop)
    page.keyboard.down("1")
    for _ in range(12):
        page.clock.run_for(500)
        page.keyboard.down("1")
    assert mark(page, "screen") == "reason"
    page.keyboard.up("1")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    until_screen(page, "thanks")
    assert ["held" in one for one in flags_of(shop, 1)] == [True]


def test_a_stuck_key_does_not_answer_for_the_next_shopper(shop: Shop, clocked: Page) -> None:
    publish_one_question(shop)
    page = opened(clocked, shop)
    page.keyboard.down("4")
    until_screen(page, "thanks")
    for _ in range(40):
        page.clock.run_for(500)
        page.keyboard.down("4")
    until_delivered(page)
    assert mark(page, "screen") == "question"
    assert len(shop.responses()) == 1


def test_holding_enter_on_a_smiley_answers_one_question(kiosk: Page) -> None:
    kiosk.focus('button[data-answer="1"]')
    for _ in range(5):
        kiosk.keyboard.down("Enter")
    assert mark(kiosk, "screen") == "reason"


def test_a_finger_held_for_more_than_three_seconds_is_flagged_and_thanked(shop: Shop, clocked: Page) -> None:
    publish_one_question(shop)
    page = opened(clocked, shop)
    page.mouse.move(*middle(page, 'button[data-answer="3"]'))
    page.mouse.down()
    page.clock.run_for(4_000)
    page.mouse.up()
    until_screen(page, "thanks")
    page.clock.run_for(6_000)
    tap(page, 3)
    until_screen(page, "thanks")
    assert ["held" in one for one in flags_of(shop, 2)] == [True, False]
