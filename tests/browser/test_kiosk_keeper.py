"""What staff do at the kiosk: pair it, look how it is, take its queue away; in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from feedback_app.domain.kiosks import KioskSettings
from feedback_app.services import devices, kiosk_settings, pairing
from feedback_app.storage.devices import hold
from feedback_app.storage.tables import Device, DeviceState, Point
from tests.browser.chromium import DESK, until
from tests.browser.kiosk_shop import (
    Shop,
    kept,
    mark,
    opened,
    skip_to_thanks,
    tap,
    until_delivered,
)

pytestmark = pytest.mark.browser

PIN = "2580"
BEAT = "window.dispatchEvent(new Event('online'))"
SIZES = [(390, 844), (1280, 800), (1080, 1920)]


@pytest.fixture
def with_pin(shop: Shop) -> None:
    settle(shop, pin=kiosk_settings.pin_verifier(PIN))


def settle(shop: Shop, **changes: Any) -> None:
    """Change the chain's kiosk settings."""
    chain = shop.chain
    kiosk_settings.change(chain.db, chain.access("admin"), replace(KioskSettings(), **changes))


def a_code(shop: Shop, touchpoint: str = "checkout") -> str:
    return pairing.make_code(shop.chain.db, shop.chain.access("admin"), "001", touchpoint).code


def rows(shop: Shop, table: Any) -> list[Any]:
    with shop.chain.db.engine.connect() as connection:
        return list(connection.execute(sa.select(table.__table__)))


def hold_the_place(page: Page) -> None:
    """Make the gesture: a finger on the line with the place for three seconds."""
    box = page.locator(".kiosk-place").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_selector("dialog[open]")
    page.mouse.up()


def keys(page: Page, text: str) -> None:
    for digit in text:
        page.click(f".keeper-keys button:text-is('{digit}')")
    page.click(".keeper-keys .main")


def said(page: Page) -> str:
    return page.locator(".keeper-said").text_content() or ""


def pair(page: Page, code: str) -> None:
    hold_the_place(page)
    page.click("text=Подключить киоск")
    keys(page, code)
    until(lambda: said(page).startswith("Подключён"), what="paired")


def unlock(page: Page, pin: str = PIN) -> None:
    hold_the_place(page)
    keys(page, pin)
    page.wait_for_selector(".keeper-facts")


def fact(page: Page, name: str) -> str:
    return page.locator(f".keeper-facts dt:text-is('{name}') + dd").text_content() or ""


# --- pairing -----------------------------------------------------------------------------------------------------


def test_a_code_typed_on_the_kiosk_makes_it_a_device_that_says_how_it_is(shop: Shop, kiosk: Page) -> None:
    pair(kiosk, a_code(shop))
    [device] = rows(shop, Device)
    assert device.name in said(kiosk)
    [state] = until(lambda: rows(shop, DeviceState), what="a heartbeat")
    shell = kiosk.evaluate("JSON.parse(document.getElementById('kiosk-data').textContent).shell")
    assert (state.queue_length, state.quarantined, state.app_version) == (0, 0, shell)
    assert state.storage_quota > 0
    kiosk.keyboard.press("Escape")
    tap(kiosk, 4)
    skip_to_thanks(kiosk)
    until_delivered(kiosk)
    [response] = shop.responses()
    assert (response.unpaired, response.sequence) == (False, 1)


def test_what_was_collected_for_other_points_before_the_pairing_goes_out_with_it(shop: Shop, kiosk: Page) -> None:
    kiosk.route("**/api/v1/responses", lambda route: route.abort())
    tap(kiosk, 1)
    skip_to_thanks(kiosk)
    kiosk.goto(shop.address.replace(shop.chain.token(), shop.chain.token(touchpoint="exit")))
    until(lambda: mark(kiosk, "ready") == "true")
    pair(kiosk, a_code(shop, "shelf"))
    kiosk.unroute("**/api/v1/responses")
    kiosk.keyboard.press("Escape")
    kiosk.wait_for_url("**/" + shop.chain.token(touchpoint="shelf"))
    until(lambda: mark(kiosk, "ready") == "true")
    until_delivered(kiosk)
    [response] = shop.responses()
    assert response.unpaired is False


def test_a_wrong_code_changes_nothing(shop: Shop, kiosk: Page) -> None:
    hold_the_place(kiosk)
    kiosk.click("text=Подключить киоск")
    keys(kiosk, "00000000")
    until(lambda: said(kiosk).startswith("Код неверен"))
    assert rows(shop, Device) == []


def test_a_pairing_whose_answer_was_lost_is_repeated_and_makes_one_device(shop: Shop, kiosk: Page) -> None:
    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    code = a_code(shop)
    kiosk.route("**/device/pair", lose)
    hold_the_place(kiosk)
    kiosk.click("text=Подключить киоск")
    keys(kiosk, code)
    until(lambda: said(kiosk).startswith("Сервер не отвечает"))
    kiosk.unroute("**/device/pair")
    keys(kiosk, code)
    until(lambda: said(kiosk).startswith("Подключён"))
    assert len(rows(shop, Device)) == 1


def test_a_moved_kiosk_opens_its_new_page_when_nobody_answers(shop: Shop, kiosk: Page) -> None:
    pair(kiosk, a_code(shop))
    kiosk.keyboard.press("Escape")
    [device] = rows(shop, Device)
    tap(kiosk, 1)
    move(shop, device.id, "exit")
    kiosk.evaluate(BEAT)
    kiosk.wait_for_timeout(1_000)
    assert mark(kiosk, "screen") == "reason"
    skip_to_thanks(kiosk)
    kiosk.click("h1")
    kiosk.wait_for_url("**/" + shop.chain.token(touchpoint="exit"))
    until(lambda: mark(kiosk, "ready") == "true")
    tap(kiosk, 4)
    skip_to_thanks(kiosk)
    until_delivered(kiosk)
    assert sorted(response.answers["smiley"] for response in shop.responses()) == [1, 4]
    shop.shut()
    kiosk.reload()
    until(lambda: mark(kiosk, "ready") == "true", what="the new page opens without a network")


def move(shop: Shop, device_id: int, touchpoint: str) -> None:
    [point] = [row for row in rows(shop, Point) if row.token == shop.chain.token(touchpoint=touchpoint)]
    shop.chain.db.write(lambda connection: hold(connection, device_id, point.id, datetime.now(UTC)))


def test_a_revoked_device_goes_on_by_its_points_address(shop: Shop, kiosk: Page, with_pin: None) -> None:
    pair(kiosk, a_code(shop))
    kiosk.keyboard.press("Escape")
    [device] = rows(shop, Device)
    devices.revoke(shop.chain.db, shop.chain.access("admin"), device.id)
    tap(kiosk, 2)
    skip_to_thanks(kiosk)
    until_delivered(kiosk)
    [response] = shop.responses()
    assert response.unpaired is True
    kiosk.click("h1")
    unlock(kiosk)
    assert "больше не знает" in fact(kiosk, "Устройство")


def test_an_unpaired_kiosk_of_a_chain_that_takes_none_asks_to_be_paired_and_keeps_what_it_has(
    shop: Shop, kiosk: Page
) -> None:
    kiosk.route("**/api/v1/responses", lambda route: route.abort())
    tap(kiosk, 1)
    skip_to_thanks(kiosk)
    settle(shop, require_pairing=True)
    kiosk.unroute("**/api/v1/responses")
    kiosk.evaluate(BEAT)
    kiosk.wait_for_selector("dialog[open] >> text=Этот киоск ещё не подключён")
    assert mark(kiosk, "queued") == "1"
    kiosk.keyboard.press("Escape")
    assert kiosk.locator("dialog[open]").count() == 1
    keys(kiosk, a_code(shop))
    until(lambda: kiosk.locator("dialog[open]").count() == 0, what="the question is back")
    until_delivered(kiosk)
    assert len(shop.responses()) == 1


def test_settings_of_a_device_come_with_its_heartbeat(shop: Shop, kiosk: Page) -> None:
    pair(kiosk, a_code(shop))
    kiosk.keyboard.press("Escape")
    settle(shop, languages=("be", "ru"), theme="dark")
    kiosk.evaluate(BEAT)
    until(lambda: kiosk.locator("[data-language=en]:visible").count() == 0, what="one language less")
    assert kiosk.locator("[data-language=be]:visible").count() == 1


# --- the PIN -----------------------------------------------------------------------------------------------------


def test_the_pages_for_staff_open_by_gesture_and_pin(kiosk: Page, with_pin: None) -> None:
    unlock(kiosk)
    assert kiosk.locator(".keeper h1").text_content() == "Всё доставлено"
    assert fact(kiosk, "Очередь") == "0"


def test_a_short_touch_or_a_wiping_hand_opens_nothing(kiosk: Page) -> None:
    box = kiosk.locator(".kiosk-place").bounding_box()
    assert box
    kiosk.mouse.move(box["x"] + 20, box["y"] + 10)
    kiosk.mouse.down()
    kiosk.mouse.move(box["x"] + 20, box["y"] - 300, steps=3)
    kiosk.wait_for_timeout(3_300)
    kiosk.mouse.up()
    assert kiosk.locator("dialog[open]").count() == 0


def test_a_keyboard_alone_is_enough_and_answers_nothing_beneath(kiosk: Page, with_pin: None) -> None:
    kiosk.keyboard.press("Control+Alt+k")
    kiosk.wait_for_selector("dialog[open]")
    kiosk.keyboard.type("1")
    kiosk.keyboard.press("Backspace")
    kiosk.keyboard.type(PIN)
    kiosk.keyboard.press("Enter")
    kiosk.wait_for_selector(".keeper-facts")
    kiosk.keyboard.press("Escape")
    assert mark(kiosk, "screen") == "question"
    assert kept(kiosk) == []


def test_a_kiosk_that_learnt_the_pin_knows_it_without_a_network(shop: Shop, kiosk: Page, with_pin: None) -> None:
    unlock(kiosk)
    kiosk.keyboard.press("Escape")
    shop.shut()
    kiosk.reload()
    until(lambda: mark(kiosk, "ready") == "true")
    hold_the_place(kiosk)
    keys(kiosk, "1234")
    until(lambda: said(kiosk) == "PIN-код не подходит.")
    keys(kiosk, PIN)
    kiosk.wait_for_selector(".keeper-facts")


def test_a_paired_kiosk_never_asks_the_server_for_the_pin(shop: Shop, kiosk: Page, with_pin: None) -> None:
    pair(kiosk, a_code(shop))
    kiosk.keyboard.press("Escape")
    asked: list[str] = []
    kiosk.on("request", lambda request: asked.append(request.url))
    unlock(kiosk)
    assert [url for url in asked if url.endswith("/pin")] == []


def test_without_a_pin_nobody_gets_in(kiosk: Page) -> None:
    hold_the_place(kiosk)
    keys(kiosk, PIN)
    until(lambda: said(kiosk).startswith("PIN-код ещё не задан"))


def test_five_wrong_pins_cost_a_minute_that_a_reload_does_not_shorten(kiosk: Page, with_pin: None) -> None:
    unlock(kiosk)
    kiosk.keyboard.press("Escape")
    hold_the_place(kiosk)
    for _ in range(5):
        keys(kiosk, "0000")
        until(lambda: said(kiosk) == "PIN-код не подходит.")
    kiosk.reload()
    until(lambda: mark(kiosk, "ready") == "true")
    hold_the_place(kiosk)
    keys(kiosk, PIN)
    until(lambda: re.match(r"Слишком много попыток. Следующая через \d+ с", said(kiosk)), what="locked")
    assert kiosk.locator(".keeper-facts").count() == 0


def test_left_alone_the_pages_close_after_a_minute(shop: Shop, visitor: BrowserContext, with_pin: None) -> None:
    page = visitor.new_page()
    page.clock.install()
    opened(page, shop)
    page.keyboard.press("Control+Alt+k")
    page.wait_for_selector("dialog[open]")
    page.clock.fast_forward(55_000)
    assert page.locator("dialog[open]").count() == 1
    page.clock.fast_forward(6_000)
    until(lambda: page.locator("dialog[open]").count() == 0)


# --- how it is ---------------------------------------------------------------------------------------------------


def test_the_page_says_what_waits_why_and_since_when(shop: Shop, kiosk: Page, with_pin: None) -> None:
    unlock(kiosk)
    kiosk.keyboard.press("Escape")
    shop.shut()
    for smiley in (1, 2):
        tap(kiosk, smiley)
        skip_to_thanks(kiosk)
        kiosk.click("h1")
    unlock(kiosk)
    assert kiosk.locator(".keeper h1").text_content() == "Ждут доставки: 2"
    until(lambda: "сервер не отвечает" in fact(kiosk, "Последняя доставка"))
    assert str(datetime.now(UTC).year) in fact(kiosk, "Самый старый ответ")
    shop.open()
    kiosk.click("text=Отправить сейчас")
    until(lambda: kiosk.locator(".keeper h1").text_content() == "Всё доставлено", what="delivered")
    assert len(shop.responses()) == 2


def refused_items(shop: Shop, page: Page) -> list[dict[str, Any]]:
    """Put items that the server refuses on the device, and wait until it has."""
    items = [
        shop.chain.item({"smiley": 3}, response_id="00000000-0000-7000-8000-000000000001", form_version=99),
        shop.chain.item({"smiley": 9}, response_id="00000000-0000-7000-8000-000000000002"),
    ]
    page.evaluate(
        """async (items) => {
          const outbox = window.otklik.outbox(() => {});
          for (const item of items) { await outbox.keep(item); await outbox.close(item.id); }
          window.dispatchEvent(new Event("online"));
        }""",
        items,
    )
    until(lambda: len(kept(page, "quarantine")) == 2, what="refused")
    return items


def test_what_the_server_refused_is_shown_with_the_reason_and_can_be_sent_again(
    shop: Shop, kiosk: Page, with_pin: None
) -> None:
    refused_items(shop, kiosk)
    unlock(kiosk)
    assert kiosk.locator(".keeper h1").text_content() == "Отложено здесь: 2"
    reasons = kiosk.locator(".keeper-aside li").all_text_contents()
    assert "не знает этой версии анкеты" in reasons[0]
    assert "не подходит к анкете" in reasons[1]
    kiosk.click("text=Отправить отложенное ещё раз")
    until(lambda: len(kept(kiosk, "quarantine")) == 2 and mark(kiosk, "queued") == "0", what="refused again")


def test_queue_and_quarantine_leave_as_a_file(shop: Shop, kiosk: Page, with_pin: None) -> None:
    refused = refused_items(shop, kiosk)
    unlock(kiosk)
    kiosk.keyboard.press("Escape")
    shop.shut()
    tap(kiosk, 1)
    skip_to_thanks(kiosk)
    kiosk.click("h1")
    unlock(kiosk)
    with kiosk.expect_download() as download:
        kiosk.click("text=Сохранить в файл")
    assert re.fullmatch(r"otklik-\w+-[\dT-]+\.json", download.value.suggested_filename)
    saved = json.loads(download.value.path().read_text())
    assert (saved["otklik"], saved["version"]) == ("kiosk-queue", 1)
    [response] = saved["responses"]
    assert (response["answers"], response["sequence"]) == ({"smiley": 1}, 3)
    assert {"exported_at", "boot_id", "monotonic_ms"} < saved.keys()
    assert [(one["id"], one["error"]) for one in saved["quarantine"]] == [
        (refused[0]["id"], "unknown_form_version"),
        (refused[1]["id"], "out_of_scale"),
    ]
    assert saved["quarantine"][0]["item"] == {**refused[0], "sequence": 1}


def test_the_pairing_ends_by_two_touches(shop: Shop, kiosk: Page, with_pin: None) -> None:
    pair(kiosk, a_code(shop))
    kiosk.keyboard.press("Escape")
    unlock(kiosk)
    kiosk.click("text=Отключить киоск")
    assert fact(kiosk, "Устройство").startswith("001/")
    kiosk.click("text=Коснитесь ещё раз")
    until(lambda: fact(kiosk, "Устройство") == "не подключено")
    kiosk.keyboard.press("Escape")
    tap(kiosk, 3)
    skip_to_thanks(kiosk)
    until_delivered(kiosk)
    assert [response.unpaired for response in shop.responses()] == [True]


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def screen(request: pytest.FixtureRequest, chromium: Browser, shop: Shop) -> Iterator[Page]:
    width, height = request.param
    with chromium.new_context(**{**DESK, "viewport": {"width": width, "height": height}}) as context:
        yield opened(context.new_page(), shop)


@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_the_pages_for_staff_fit_and_can_be_used_by_everybody(
    shop: Shop, screen: Page, language: str, with_pin: None
) -> None:
    screen.click(f"[data-language={language}]")
    refused_items(shop, screen)

    def looked_at() -> None:
        found = Axe().run(screen).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        assert screen.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth")
        small = screen.locator("dialog button:visible").evaluate_all(
            "(all) => all.filter((one) => one.getBoundingClientRect().height < 48).length"
        )
        assert small == 0

    hold_the_place(screen)
    looked_at()
    screen.click(".keeper-row button >> nth=0")
    looked_at()
    screen.click(".keeper-row button >> nth=0")
    keys(screen, PIN)
    screen.wait_for_selector(".keeper-facts")
    looked_at()
