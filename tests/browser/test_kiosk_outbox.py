"""What the kiosk keeps: a tap is on the device at once, delivered once, and never lost."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, Playwright

from feedback_app.storage.tables import Point
from tests.browser.chromium import PLAIN_HOST, kept_profile, until
from tests.browser.kiosk_shop import (
    Busy,
    CaptivePortal,
    Shop,
    Stranger,
    Stumbling,
    kept,
    mark,
    opened,
    skip_to_thanks,
    tap,
    until_delivered,
    until_screen,
)

pytestmark = pytest.mark.browser


def test_the_tap_is_on_the_device_before_anything_else_is_asked(kiosk: Page) -> None:
    tap(kiosk, 2)
    [record] = until(lambda: kept(kiosk))
    assert record["item"]["answers"] == {"smiley": 2}
    assert until(lambda: mark(kiosk, "queued") == "1")


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
    assert page.locator(".kiosk-notice").text_content()
    assert mark(page, "ready") is None


def test_over_plain_http_the_kiosk_works_as_long_as_the_line_does(shop: Shop, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(shop.address.replace("127.0.0.1", PLAIN_HOST))
    tap(page, 4)
    skip_to_thanks(page)
    until_delivered(page)
    assert len(shop.responses()) == 1
    assert mark(page, "ready") is None


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
    assert record["item"] == {**refused, "sequence": 1}
    assert record["error"] == "unknown_form_version"


def test_a_closed_point_loses_nothing(shop: Shop, kiosk: Page) -> None:
    close_point(shop, datetime.now(UTC))
    tap(kiosk, 1)
    skip_to_thanks(kiosk)
    kiosk.reload()
    assert kiosk.locator("button[data-answer]").count() == 4
    until_delivered(kiosk)
    assert [response.answers for response in shop.responses()] == [{"smiley": 1}]


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


# --- numbers, a raised schema, a full disk ------------------------------------------------------------------------

FIRST_SCHEMA = """(items) => new Promise((resolve, reject) => {
  const request = indexedDB.open("otklik-kiosk", 1);
  request.onupgradeneeded = () => {
    for (const name of ["items", "quarantine"]) request.result.createObjectStore(name, { keyPath: "id" });
  };
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const database = request.result;
    const transaction = database.transaction("items", "readwrite");
    for (const item of items) transaction.objectStore("items").add({ id: item.id, open: false, touched_at: 0, item });
    // As the pages of that time did.
    database.onversionchange = () => database.close();
    transaction.oncomplete = () => resolve();
  };
})"""
NEXT_SCHEMA = """() => new Promise((resolve, reject) => {
  const request = indexedDB.open("otklik-kiosk", 3);
  request.onupgradeneeded = () => request.result.createObjectStore("more");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => { request.result.close(); resolve(); };
})"""
MANY = """({ item, count }) => new Promise((resolve, reject) => {
  const request = indexedDB.open("otklik-kiosk");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const transaction = request.result.transaction("items", "readwrite");
    for (let n = 0; n < count; n += 1) {
      const id = window.otklik.uuid7(Date.now() - count + n);
      transaction.objectStore("items").add({ id, open: false, touched_at: 0, item: { ...item, id } });
    }
    transaction.oncomplete = () => { request.result.close(); resolve(); };
  };
})"""


def finish(page: Page, smiley: int) -> None:
    """Tap, leave what follows out, and bring the question back."""
    tap(page, smiley)
    skip_to_thanks(page)
    page.click("h1")


def test_a_queue_of_the_first_schema_arrives_whole(shop: Shop, visitor: BrowserContext) -> None:
    items = [shop.chain.item({"smiley": 1 + n % 4}, response_id=f"00000000-0000-7000-8000-{n:012}") for n in range(150)]
    older = visitor.new_page()
    older.goto(shop.address.partition("/k/")[0] + "/healthz")
    older.evaluate(FIRST_SCHEMA, items)
    page = opened(visitor.new_page(), shop)
    until_delivered(page)
    finish(page, 4)
    until_delivered(page)
    arrived = {str(response.id): response.sequence for response in shop.responses()}
    assert {item["id"] for item in items} < arrived.keys()
    assert [number for number in arrived.values() if number is not None] == [1]
    assert kept(page, "quarantine") == []


def test_an_open_page_goes_on_in_a_database_that_a_newer_one_raised(shop: Shop, kiosk: Page) -> None:
    shop.shut()
    finish(kiosk, 1)
    newer = kiosk.context.new_page()
    newer.goto(shop.address)
    newer.evaluate(NEXT_SCHEMA)
    finish(kiosk, 2)
    until(lambda: mark(kiosk, "queued") == "2")
    shop.open()
    kiosk.evaluate("window.dispatchEvent(new Event('online'))")
    until_delivered(kiosk)
    assert sorted(response.answers["smiley"] for response in shop.responses()) == [1, 2]


def test_every_tap_of_a_device_has_a_number_over_tabs_and_reloads(shop: Shop, kiosk: Page) -> None:
    other = opened(kiosk.context.new_page(), shop)
    kiosk.bring_to_front()  # on a busy machine a tab behind another one may be given no time to draw
    finish(kiosk, 4)
    other.bring_to_front()
    finish(other, 4)
    kiosk.bring_to_front()
    kiosk.reload()
    until(lambda: mark(kiosk, "ready") == "true")
    finish(kiosk, 4)
    until_delivered(kiosk)
    assert sorted(response.sequence for response in shop.responses()) == [1, 2, 3]


FULL_DISK = """() => {
  for (const name of ["add", "put"]) {
    IDBObjectStore.prototype[name] = () => { throw new DOMException("full", "QuotaExceededError"); };
  }
}"""


def test_where_nothing_more_can_be_written_the_shopper_is_told_and_what_is_there_goes_out(
    shop: Shop, kiosk: Page
) -> None:
    shop.shut()
    finish(kiosk, 1)
    tap(kiosk, 2)
    until(lambda: len(kept(kiosk)) == 2)
    kiosk.evaluate(FULL_DISK)
    skip_to_thanks(kiosk)
    kiosk.click("h1")
    tap(kiosk, 3)
    kiosk.click("[data-skip]")
    until(lambda: kiosk.locator(".kiosk-notice").text_content(), what="the shopper is told")
    assert mark(kiosk, "screen") == "question"
    assert [record["item"]["answers"] for record in kept(kiosk)] == [{"smiley": 1}, {"smiley": 2}]
    shop.open()
    kiosk.evaluate("window.dispatchEvent(new Event('online'))")
    until(lambda: mark(kiosk, "queued") == "1", what="what is closed goes out")
    tap(kiosk, 4)
    kiosk.click("[data-skip]")
    until_screen(kiosk, "thanks")
    assert sorted(response.answers["smiley"] for response in shop.responses()) == [1, 4]


def test_ten_thousand_waiting_taps_slow_the_next_by_nothing_felt(shop: Shop, kiosk: Page) -> None:
    shop.shut()
    kiosk.evaluate(MANY, {"item": shop.chain.item({"smiley": 4}), "count": 10_000})
    kiosk.reload()
    until(lambda: mark(kiosk, "queued") == "10000", what="counted")
    took = []
    for _ in range(5):
        took.append(
            kiosk.evaluate(
                """() => new Promise((resolve) => {
                  const began = performance.now();
                  new MutationObserver((_, observer) => {
                    observer.disconnect();
                    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
                  }).observe(document.documentElement, { attributeFilter: ["data-screen"] });
                  document.querySelector("button[data-answer='4']").click();
                })"""
            )
        )
        skip_to_thanks(kiosk)
        kiosk.click("h1")
    assert sorted(took)[2] < 100
    assert until(lambda: mark(kiosk, "queued") == "10005", what="counted again")


# --- answers of every kind ----------------------------------------------------------------------------------------


class Forgetful(Stranger):
    """A server that answers for the first item of a body alone."""

    posts: ClassVar[list[float]] = []

    def receive(self, items: list[dict[str, Any]]) -> None:
        results = [{"id": items[0]["id"], "status": "stored"}]
        self.say(200, "application/json", json.dumps({"results": results}).encode())


class Poisoned(Stranger):
    """A server that falls over the first five items it ever saw."""

    posts: ClassVar[list[float]] = []
    bad: ClassVar[list[str]] = []

    def receive(self, items: list[dict[str, Any]]) -> None:
        type(self).bad = sorted({*self.bad, *(item["id"] for item in items)})[:5]
        if any(item["id"] in self.bad for item in items):
            return self.say(500, "text/html", b"")
        results = [{"id": item["id"], "status": "stored"} for item in items]
        return self.say(200, "application/json", json.dumps({"results": results}).encode())


class Doorman(Stranger):
    """A proxy that wants a sign-in of its own, in a page."""

    posts: ClassVar[list[float]] = []

    def receive(self, _items: list[dict[str, Any]]) -> None:
        self.say(401, "text/html", b"<!doctype html><title>Who are you?</title>")


def collect(shop: Shop, page: Page, count: int) -> None:
    shop.shut()
    page.evaluate(MANY, {"item": shop.chain.item({"smiley": 4}), "count": count})


def test_what_an_answer_does_not_name_stays(shop: Shop, kiosk: Page) -> None:
    collect(shop, kiosk, 3)
    shop.replace_by(Forgetful)
    kiosk.reload()
    until(lambda: mark(kiosk, "queued") == "2", what="one is confirmed")
    assert len(kept(kiosk)) == 2


def test_bad_items_in_front_hold_up_none_behind_them(shop: Shop, kiosk: Page) -> None:
    collect(shop, kiosk, 300)
    Poisoned.bad = []
    shop.replace_by(Poisoned)
    kiosk.reload()
    until(lambda: mark(kiosk, "queued") == "5", what="all but the bad ones")
    assert [record["id"] for record in kept(kiosk)] == Poisoned.bad


def test_a_strangers_401_revokes_nothing(shop: Shop, kiosk: Page) -> None:
    become_device(kiosk, shop.chain.device(), shop.chain.token())
    collect(shop, kiosk, 2)
    shop.replace_by(Doorman)
    kiosk.reload()
    until(lambda: len(Doorman.posts) > 2, what="asked again, with patience")
    assert until(lambda: mark(kiosk, "queued") == "2")
    shop.shut()
    shop.open()
    until_delivered(kiosk)
    assert [response.unpaired for response in shop.responses()] == [False, False]


def test_a_device_delivers_all_its_points_at_once_and_strange_ones_by_their_own_address(
    shop: Shop, kiosk: Page
) -> None:
    kiosk.route("**/api/v1/**", lambda route: route.abort())
    points = [shop.chain.token(touchpoint=key) for key in ("checkout", "exit", "entrance")]
    for point in points:
        kiosk.evaluate(MANY, {"item": {**shop.chain.item({"smiley": 4}), "point": point}, "count": 2})
    become_device(kiosk, shop.chain.device(), points[0])
    sent: list[list[str]] = []
    kiosk.unroute("**/api/v1/**")
    kiosk.on("request", lambda request: request.url.endswith("/responses") and sent.append(points_of(request)))
    kiosk.reload()
    until_delivered(kiosk)
    assert sent[0] == sorted(points * 2)
    assert sorted(map(tuple, sent[1:])) == sorted([(points[1],) * 2, (points[2],) * 2])
    assert sorted(response.unpaired for response in shop.responses()) == [False] * 2 + [True] * 4
    assert kept(kiosk, "quarantine") == []


def become_device(page: Page, token: str, point: str) -> None:
    """Let a kiosk remember that it is a device, as of its next opening."""
    pairing = {"id": 1, "name": "x", "token": token, "point": point, "settings": None}
    page.evaluate("(value) => window.otklik.outbox().remember('pairing', value)", pairing)


def points_of(request: Any) -> list[str]:
    return sorted(item["point"] for item in request.post_data_json["responses"])
