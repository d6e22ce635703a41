"""The kiosk in a real browser: a tap is kept at once, delivered once, and never lost."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Playwright
from werkzeug.serving import BaseWSGIServer, make_server

from feedback_app.domain.access import SYSTEM
from feedback_app.services.catalogue import publish_form
from feedback_app.storage.tables import Point, Response
from tests.browser.chromium import PLAIN_HOST, kept_profile, until
from tests.builders import Chain, open_chain

pytestmark = pytest.mark.browser

SIZES = [(390, 844), (1280, 800), (1080, 1920)]
TOUCH = 96
KEPT = """(store) => new Promise((resolve, reject) => {
  const request = indexedDB.open("otklik-kiosk");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const all = request.result.transaction(store).objectStore(store).getAll();
    all.onsuccess = () => { request.result.close(); resolve(all.result); };
  };
})"""


class Shop:
    """The app behind a port that can be shut and opened again."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.chain: Chain = open_chain(app.extensions["otklik"])
        self.port = 0
        self._server: BaseWSGIServer | ThreadingHTTPServer | None = None
        self.open()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/k/{self.chain.token()}"

    def open(self) -> None:
        server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self._run(server, server.server_port)

    def replace_by(self, stranger: type[Stranger]) -> None:
        """Let something else answer at the shop's address."""
        self.shut()
        stranger.posts = []
        self._run(ThreadingHTTPServer(("127.0.0.1", self.port), stranger), self.port)

    def _run(self, server: Any, port: int) -> None:
        self._server, self.port = server, port
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def shut(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def responses(self) -> list[Any]:
        with self.chain.db.read(SYSTEM) as session:
            return list(session.scalars(sa.select(Response)))


class Stranger(BaseHTTPRequestHandler):
    """Something on the line that is not our server."""

    posts: ClassVar[list[float]]
    """When it was asked, by the clock of this machine."""

    def do_GET(self) -> None:
        self.say(200, "text/html", b"<!doctype html><title>Pay for your line</title>")

    def do_POST(self) -> None:
        type(self).posts.append(monotonic())
        self.receive(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["responses"])

    def receive(self, items: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    def say(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


class CaptivePortal(Stranger):
    """The portal of a mobile operator: a page of its own and 200 to everything."""

    posts: ClassVar[list[float]] = []

    def receive(self, _items: list[dict[str, Any]]) -> None:
        self.do_GET()


class Busy(Stranger):
    """A server that asks for patience."""

    posts: ClassVar[list[float]] = []

    WAIT = 2

    def receive(self, _items: list[dict[str, Any]]) -> None:
        self.say(429, "application/json", b"{}", Retry_After=str(self.WAIT))


class Stumbling(Stranger):
    """A server that falls over one item of those it gets."""

    posts: ClassVar[list[float]] = []

    def receive(self, items: list[dict[str, Any]]) -> None:
        if any(item["answers"] == {"smiley": 2} for item in items):
            return self.say(500, "text/html", b"")
        results = [{"id": item["id"], "status": "stored"} for item in items]
        return self.say(200, "application/json", json.dumps({"results": results}).encode())


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    app.config["TESTING"] = False
    opened = Shop(app)
    yield opened
    opened.shut()


@pytest.fixture
def kiosk(shop: Shop, visitor: BrowserContext) -> Page:
    return opened(visitor.new_page(), shop)


def opened(page: Page, shop: Shop) -> Page:
    page.goto(shop.address)
    until(lambda: mark(page, "ready") == "true", what="works offline")
    return page


def mark(page: Page, name: str) -> str | None:
    found: str | None = page.evaluate("(name) => document.documentElement.dataset[name]", name)
    return found


def until_screen(page: Page, name: str) -> None:
    until(lambda: mark(page, "screen") == name, what=f"screen {name}")


def until_delivered(page: Page) -> None:
    until(lambda: mark(page, "queued") == "0", what="delivered")


def kept(page: Page, store: str = "items") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(KEPT, store)
    return found


def tap(page: Page, smiley: int) -> None:
    page.click(f'button[data-answer="{smiley}"]')


def skip_to_thanks(page: Page) -> None:
    while mark(page, "screen") in ("reason", "comment"):
        page.click("[data-skip]")
    until_screen(page, "thanks")


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


def test_the_tap_is_on_the_device_before_anything_else_is_asked(kiosk: Page) -> None:
    tap(kiosk, 2)
    [record] = until(lambda: kept(kiosk))
    assert record["item"]["answers"] == {"smiley": 2}
    assert until(lambda: mark(kiosk, "queued") == "1")


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


def test_a_tap_outlives_a_dead_server_and_a_restarted_device(
    shop: Shop, playwright: Playwright, tmp_path: Path
) -> None:
    with kept_profile(playwright, tmp_path / "kiosk") as device:
        page = opened(device.new_page(), shop)
        shop.shut()
        tap(page, 1)
        skip_to_thanks(page)
        page.reload()
        until(lambda: mark(page, "queued") == "1", what="kept over a reload")
        tap(page, 4)
        skip_to_thanks(page)
    with kept_profile(playwright, tmp_path / "kiosk") as device:
        page = device.new_page()
        page.goto(shop.address)
        until(lambda: mark(page, "queued") == "2", what="kept over a restart of the device")
        shop.open()
        until_delivered(page)
        page.reload()
        until(lambda: mark(page, "ready") == "true")
    assert sorted(response.answers["smiley"] for response in shop.responses()) == [1, 4]


def test_an_answer_cut_short_by_a_reload_goes_out_as_it_is(shop: Shop, kiosk: Page) -> None:
    tap(kiosk, 1)
    until(lambda: kept(kiosk))
    kiosk.reload()
    until(lambda: mark(kiosk, "ready") == "true")
    until_delivered(kiosk)
    assert [response.answers for response in shop.responses()] == [{"smiley": 1}]


def test_a_device_that_keeps_nothing_thanks_only_for_what_the_server_has(shop: Shop, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    page.goto(shop.address)
    tap(page, 4)
    page.click("[data-skip]")
    until_screen(page, "thanks")
    assert [response.answers for response in shop.responses()] == [{"smiley": 4}]
    page.click("h1")
    shop.shut()
    tap(page, 3)
    page.click("[data-skip]")
    until_screen(page, "question")
    assert page.locator("[role=status]").text_content()
    assert mark(page, "ready") is None


def test_over_plain_http_the_kiosk_works_as_long_as_the_line_does(shop: Shop, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(shop.address.replace("127.0.0.1", PLAIN_HOST))
    tap(page, 4)
    skip_to_thanks(page)
    until_delivered(page)
    assert len(shop.responses()) == 1
    assert mark(page, "ready") is None


def test_a_new_form_comes_in_while_nobody_stands_there(shop: Shop, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.clock.install()
    opened(page, shop)
    publish_other_questions(shop)
    page.clock.fast_forward(31 * 60_000)
    until(lambda: page.locator("h1").text_content() == "Пять", what="the new form")


def test_a_captive_portal_is_no_server(shop: Shop, kiosk: Page) -> None:
    shop.replace_by(CaptivePortal)
    tap(kiosk, 2)
    skip_to_thanks(kiosk)
    until(lambda: CaptivePortal.posts, what="the portal was asked")
    kiosk.reload()
    assert kiosk.locator("button[data-answer]").count() == 4
    assert until(lambda: mark(kiosk, "queued") == "1")
    shop.shut()
    shop.open()
    until_delivered(kiosk)
    assert [response.answers["smiley"] for response in shop.responses()] == [2]


def test_a_kiosk_waits_as_long_as_it_is_told(shop: Shop, kiosk: Page) -> None:
    shop.replace_by(Busy)
    for _ in range(3):
        tap(kiosk, 4)
        skip_to_thanks(kiosk)
        kiosk.click("h1")
    until(lambda: len(Busy.posts) > 1, what="asked again after the wait")
    assert Busy.posts[1] - Busy.posts[0] >= Busy.WAIT


def test_an_item_the_server_stumbles_over_holds_up_no_other(shop: Shop, kiosk: Page) -> None:
    shop.shut()
    for smiley in (1, 2, 3, 4):
        tap(kiosk, smiley)
        skip_to_thanks(kiosk)
        kiosk.click("h1")
    shop.replace_by(Stumbling)
    until(lambda: mark(kiosk, "queued") == "1")
    shop.shut()
    shop.open()
    kiosk.reload()
    until_delivered(kiosk)
    assert [response.answers for response in shop.responses()] == [{"smiley": 2}]


def test_an_answer_that_never_arrived_does_not_count_twice(shop: Shop, kiosk: Page) -> None:
    tap(kiosk, 3)
    skip_to_thanks(kiosk)
    until_delivered(kiosk)
    [response] = shop.responses()
    again = {
        "id": str(response.id),
        "point": shop.chain.token(),
        "form_version": 1,
        "occurred_at": response.occurred_at.isoformat(),
        "language": "ru",
        "answers": {"smiley": 3},
    }
    hand_over(kiosk, again)
    kiosk.reload()
    until_delivered(kiosk)
    assert len(shop.responses()) == 1
    assert kept(kiosk, "quarantine") == []


def hand_over(page: Page, item: dict[str, Any]) -> None:
    """Put a finished item into the device's outbox."""
    page.evaluate(
        """async (item) => {
          const outbox = window.otklik.outbox(() => {});
          await outbox.keep(item);
          await outbox.close(item.id);
        }""",
        item,
    )


def test_a_refused_item_is_set_aside_and_holds_up_no_other(shop: Shop, kiosk: Page) -> None:
    # The refused one is the oldest, so it stands before the others.
    refused = shop.chain.item({"smiley": 3}, response_id="00000000-0000-7000-8000-000000000001", form_version=99)
    hand_over(kiosk, refused)
    tap(kiosk, 4)
    skip_to_thanks(kiosk)
    until_delivered(kiosk)
    assert [response.answers["smiley"] for response in shop.responses()] == [4]
    [record] = kept(kiosk, "quarantine")
    assert record["item"] == refused
    assert record["error"] == "unknown_form_version"


def test_a_closed_point_loses_nothing(shop: Shop, kiosk: Page) -> None:
    close_point(shop, datetime.now(UTC))
    tap(kiosk, 1)
    skip_to_thanks(kiosk)
    kiosk.reload()
    assert kiosk.locator("button[data-answer]").count() == 4
    until(lambda: mark(kiosk, "queued") == "1")
    close_point(shop, None)
    kiosk.reload()
    until_delivered(kiosk)
    assert len(shop.responses()) == 1


def close_point(shop: Shop, moment: datetime | None) -> None:
    table = Point.__table__
    change = sa.update(table).where(table.c.token == shop.chain.token()).values(closed_at=moment)
    shop.chain.db.write(lambda connection: connection.execute(change))


def test_two_tabs_deliver_together_and_once(shop: Shop, kiosk: Page) -> None:
    shop.shut()
    for smiley in (1, 2, 3, 4):
        tap(kiosk, smiley)
        skip_to_thanks(kiosk)
        kiosk.click("h1")
    other = kiosk.context.new_page()
    other.goto(shop.address)
    until(lambda: mark(other, "queued") == "4")
    shop.open()
    for page in (kiosk, other):
        page.evaluate("window.dispatchEvent(new Event('online'))")
    until_delivered(kiosk)
    until_delivered(other)
    assert sorted(response.answers["smiley"] for response in shop.responses()) == [1, 2, 3, 4]


def test_half_a_minute_of_silence_sends_what_was_answered(shop: Shop, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.clock.install()
    opened(page, shop)
    page.click("[data-language=be]")
    tap(page, 1)
    page.click("[data-skip]")
    page.fill("textarea", "Меня зовут")
    page.clock.fast_forward(29_000)
    assert mark(page, "screen") == "comment"
    page.clock.fast_forward(2_000)
    until_screen(page, "question")
    assert page.locator("h1").text_content() == "Как прошла покупка?"
    until_delivered(page)
    [response] = shop.responses()
    assert (response.answers, response.language) == ({"smiley": 1}, "be")


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
    buttons = page.locator("button")
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
    assert old != caches_of(kiosk)
    shop.shut()
    kiosk.reload()
    assert kiosk.locator("button[data-answer]").count() == 4


def caches_of(page: Page) -> list[str]:
    found: list[str] = page.evaluate("caches.keys()")
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


def test_identifiers_of_taps_sort_by_their_time(kiosk: Page) -> None:
    found = kiosk.evaluate("[0, 1, 1763000000000, 281474976710655].map((at) => window.otklik.uuid7(at))")
    assert found == sorted(found)
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one) for one in found
    )
    assert [int(one.replace("-", "")[:12], 16) for one in found] == [0, 1, 1763000000000, 281474976710655]


def test_waits_grow_from_half_a_second_to_a_minute_and_are_scattered(kiosk: Page) -> None:
    script = (
        "(luck) => { const b = window.otklik.backoff(() => luck); return Array.from({length: 12}, () => b.next()); }"
    )
    shortest, longest = kiosk.evaluate(script, 0), kiosk.evaluate(script, 1)
    assert longest[:4] == [500, 1000, 2000, 4000]
    assert longest[-1] == 60_000
    assert shortest[0] == 500
    assert shortest[-1] == 30_000
