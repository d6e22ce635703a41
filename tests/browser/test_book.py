"""The feedback book in a real browser: without a network, with photos, and on a kiosk that is found clean."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route

from feedback_app.services import register
from feedback_app.storage.tables import BookEntry, BookPhoto
from tests.browser.chromium import until
from tests.browser.kiosk_shop import Shop, opened

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
TALL = {"width": 1080, "height": 1920}
SEND = ".send [type=submit]"
TEXT = "Очередь до входа, работала одна касса из пяти"
KEPT = """() => new Promise((resolve) => {
  const request = indexedDB.open("otklik-book");
  request.onupgradeneeded = () => request.transaction.abort();
  request.onerror = () => resolve(0);
  request.onsuccess = () => {
    const count = request.result.transaction("letters").objectStore("letters").count();
    count.onsuccess = () => { request.result.close(); resolve(count.result); };
  };
})"""
STORED = "JSON.stringify([{...sessionStorage}, {...localStorage}])"


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Callable[..., Any]]:
    """Open phones; none of their pages may break the policy or fail in its script."""
    faults: list[str] = []

    @contextmanager
    def opened_phone(language: str = "en", **options: Any) -> Iterator[BrowserContext]:
        with chromium.new_context(**{"viewport": PHONE, "locale": language, **options}) as context:
            context.on("weberror", lambda fault: faults.append(str(fault.error)))
            context.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
            yield context

    yield opened_phone
    assert faults == []


def book(context: BrowserContext, shop: Shop, more: str = "") -> Page:
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{shop.port}/book/001{more}")
    return page


def fill_in(page: Page, text: str = TEXT, kind: str = "complaint") -> None:
    page.locator(f"label:has([name=kind][value={kind}])").click()
    page.fill("#text", text)


def photo(tmp_path: Path, name: str = "queue.jpg", size: tuple[int, int] = (3000, 2000)) -> Path:
    path = tmp_path / name
    Image.linear_gradient("L").resize(size).convert("RGB").save(path)
    return path


def rows(shop: Shop, table: Any) -> list[Any]:
    with shop.chain.db.engine.connect() as connection:
        return list(connection.execute(sa.select(table.__table__)).all())


def until_said(page: Page, text: str) -> None:
    until(lambda: text in page.locator("main").inner_text(), what=text)


def link_on(page: Page) -> str:
    found = re.search(r"https?://\S+/follow/[\w-]+", page.locator("main").inner_text().replace("\n", " "))
    assert found
    return found[0]


def test_what_is_written_without_a_network_is_one_entry_with_its_photo_later(
    phone: Any, shop: Shop, tmp_path: Path
) -> None:
    with phone() as context:
        page = book(context, shop)
        fill_in(page)
        page.set_input_files("#photos", photo(tmp_path))
        shop.shut()
        page.click(SEND)
        until_said(page, "Your entry is kept on this phone")
        link = link_on(page)
        assert page.evaluate(KEPT) == 1
        shop.open()
        page.wait_for_url("**/written/**")
        assert "№ 1" in page.locator("h1 ~ .stamp").inner_text()
        assert link_on(page) == link, "the link that was told offline is the entry's"
        assert page.evaluate(KEPT) == 0
        page.goto(link)
        until_said(page, TEXT)
    [entry] = rows(shop, BookEntry)
    [attached] = rows(shop, BookPhoto)
    assert entry.text == TEXT
    assert Image.open(io.BytesIO(attached.content)).size == (2048, 1365)
    assert register.verify(shop.chain.db).findings == ()


def test_it_is_sent_when_the_book_is_opened_again(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = book(context, shop)
        fill_in(page)
        context.set_offline(True)
        page.click(SEND)
        until_said(page, "Your entry is kept on this phone")
        page.close()
        context.set_offline(False)
        page = book(context, shop)
        until_said(page, "The entry you wrote earlier has arrived: № 1 of")
        assert page.locator("#text").input_value() == ""
        assert page.evaluate(KEPT) == 0
    assert len(rows(shop, BookEntry)) == 1


def test_an_answer_lost_on_the_way_makes_no_second_entry(phone: Any, shop: Shop) -> None:
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method != "POST" or lost:
            return route.continue_()
        lost.append(route.fetch(max_redirects=0).status)
        return route.abort()

    with phone() as context:
        page = book(context, shop)
        page.route("**/book/001", lose)
        fill_in(page)
        page.click(SEND)
        page.wait_for_url("**/written/**")
    assert lost == [303]
    assert len(rows(shop, BookEntry)) == 1


def test_a_refusal_keeps_everything_the_photos_too(phone: Any, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_bytes(b"no picture at all")
    with phone() as context:
        page = book(context, shop)
        fill_in(page)
        page.set_input_files("#photos", photo(tmp_path))
        page.set_input_files("#photos", tmp_path / "notes.jpg")
        page.click(SEND)
        until_said(page, "“notes.jpg” is no photo that can be read")
        assert page.locator(".chosen li").all_inner_texts() == ["queue.jpg\nLeave out", "notes.jpg\nLeave out"]
        assert page.locator("#text").input_value() == TEXT
        assert page.evaluate(KEPT) == 0
        page.click(".chosen li:last-child button")
        page.click(SEND)
        page.wait_for_url("**/written/**")
    assert len(rows(shop, BookPhoto)) == 1


def test_a_photo_of_forty_megabytes_is_made_smaller_on_the_phone(phone: Any, shop: Shop, tmp_path: Path) -> None:
    huge = photo(tmp_path, "huge.bmp", (4000, 3500))
    assert huge.stat().st_size > 40_000_000
    with phone() as context:
        page = book(context, shop)
        fill_in(page)
        page.set_input_files("#photos", huge)
        page.click(SEND)
        page.wait_for_url("**/written/**", timeout=60_000)
    [attached] = rows(shop, BookPhoto)
    assert Image.open(io.BytesIO(attached.content)).size == (2048, 1792)


def test_what_is_missing_is_said_before_anything_is_kept(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = book(context, shop)
        shop.shut()
        page.locator("details summary").click()
        page.fill("#contact", "+375 29 000-00-00")
        page.click(SEND)
        until_said(page, "with your consent only")
        assert page.locator(".question .error").count() == 3, "kind, words and consent"
        assert page.evaluate(KEPT) == 0


def at_kiosk(shop: Shop, language: str = "en") -> str:
    return f"?kiosk={shop.chain.token()}&lang={language}"


def test_the_kiosk_leads_to_the_book_and_comes_back_clean(phone: Any, shop: Shop) -> None:
    with phone(viewport=TALL) as context:
        page = opened(context.new_page(), shop)
        page.clock.install()
        page.click("[data-book]")
        page.wait_for_url("**/book/001?kiosk=**")
        fill_in(page)
        page.clock.fast_forward(80_000)
        page.locator("h1").click()
        page.clock.fast_forward(88_000)
        assert not page.locator("[data-still]").is_visible(), "somebody touched it"
        page.clock.fast_forward(4_000)
        assert page.locator("[data-still]").is_visible()
        page.clock.fast_forward(15_000)
        page.wait_for_url("**/k/**")
        assert TEXT not in page.evaluate(STORED)
        assert page.evaluate(KEPT) == 0
        page.go_back()
        assert "/book/" not in page.url or page.locator("#text").input_value() == ""
        assert not [cookie for cookie in context.cookies() if cookie["name"] == "lang"]
    assert rows(shop, BookEntry) == []


def test_thanks_on_a_kiosk_last_a_minute_and_the_way_back_shows_nothing(phone: Any, shop: Shop) -> None:
    with phone(viewport=TALL) as context:
        page = opened(context.new_page(), shop)
        page.clock.install()
        page.click("[data-book]")
        page.wait_for_url("**/book/001?kiosk=**")
        assert page.locator("input[type=file]").count() == 0, "no dialog of files on a kiosk"
        fill_in(page)
        page.click(SEND)
        page.wait_for_url("**/written/**")
        assert page.locator(".link a").count() == 0, "nobody walks away from the kiosk by the link"
        page.clock.fast_forward(61_000)
        page.wait_for_url("**/k/**")
        for _ in range(2):
            page.go_back()
            assert TEXT not in page.content()
            assert "/written/" not in page.url
    [entry] = rows(shop, BookEntry)
    assert entry.source == "kiosk"


def test_a_kiosk_keeps_an_entry_until_there_is_a_line_and_never_shows_it_again(phone: Any, shop: Shop) -> None:
    with phone(viewport=TALL) as context:
        page = opened(context.new_page(), shop)
        page.click("[data-book]")
        page.wait_for_url("**/book/001?kiosk=**")
        fill_in(page)
        shop.shut()
        page.click("a[data-lang][lang=be]")
        page.click(SEND)
        until_said(page, "Your entry is kept on this kiosk")
        assert link_on(page)
        assert page.locator("#text").input_value() == ""
        page.click("[data-shown] [data-leave]")
        page.wait_for_url("**/k/**")
        assert TEXT not in page.content()
        shop.open()
        until(lambda: page.evaluate(KEPT) == 0, what="sent from the kiosk's page")
    [entry] = rows(shop, BookEntry)
    assert (entry.source, entry.text) == ("kiosk", TEXT)


def test_a_language_on_a_kiosk_keeps_what_is_typed_and_stays_with_its_writer(phone: Any, shop: Shop) -> None:
    with phone(viewport=TALL) as context:
        page = opened(context.new_page(), shop)
        page.click("[data-book]")
        page.wait_for_url("**/book/001?kiosk=**")
        fill_in(page)
        page.click("a[data-lang][lang=be]")
        page.wait_for_url("**lang=be**")
        until(lambda: page.locator("#text").input_value() == TEXT)
        page.click("[data-leave]")
        page.wait_for_url("**/k/**")
        assert page.locator("html").get_attribute("lang") == "en"
        assert TEXT not in page.evaluate(STORED)


def test_a_kiosk_of_another_store_opens_no_book(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = context.new_page()
        other = page.goto(f"http://127.0.0.1:{shop.port}/book/001?kiosk={shop.chain.token('002')}")
        assert other is not None
        assert other.status == 404


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 800}, TALL])
@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_the_pages_of_the_book_fit_and_can_be_used_by_everybody(
    phone: Any, shop: Shop, language: str, size: dict[str, int]
) -> None:
    kiosk = at_kiosk(shop, language) if size is TALL else ""
    with phone(language, viewport=size) as context:
        page = book(context, shop, kiosk)
        page.locator("details summary").click()
        page.check("#under_16")
        usable(page)
        fill_in(page)
        page.click(SEND)
        page.wait_for_url("**/written/**")
        usable(page)
        page.goto(link_on(page))
        usable(page)


def usable(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
