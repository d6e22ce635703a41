"""The feedback book in a real browser: without a network, with photos, and on a kiosk that is found clean."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route

from feedback_app.services import register
from feedback_app.storage.tables import BookEntry, BookPhoto, Point
from tests.browser.chromium import until
from tests.browser.kiosk_shop import Shop, opened

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
TALL = {"width": 1080, "height": 1920}
SEND = ".send [type=submit]"
TEXT = "Очередь до входа, работала одна касса из пяти"
KEPT = """(mark) => new Promise((resolve) => {
  const request = indexedDB.open("otklik-book");
  request.onupgradeneeded = () => request.transaction.abort();
  request.onerror = () => resolve(0);
  request.onsuccess = () => {
    const all = request.result.transaction("letters").objectStore("letters").getAll();
    all.onsuccess = () => { request.result.close(); resolve(all.result.filter((one) => !mark || one[mark]).length); };
  };
})"""
FIRST_ID = "00000000-0000-4000-8000-000000000000"
"""The queue sends by the order of ids."""
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


def book(context: BrowserContext, shop: Shop, more: str = "", code: str = "001") -> Page:
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{shop.port}/book/{code}{more}")
    return page


def kept_offline(page: Page, where: str = "phone") -> None:
    page.context.set_offline(True)
    page.click(SEND)
    until_said(page, f"Your entry is kept on this {where}")


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


def is_post(route: Route) -> bool:
    return route.request.method == "POST"


def refuse_posts(route: Route) -> None:
    if is_post(route):
        route.fulfill(status=422, body="refused")
    else:
        route.continue_()


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


def test_an_entry_that_cannot_arrive_holds_no_other_up(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = book(context, shop, code="002")
        fill_in(page)
        page.locator("[name=response_id]").evaluate("(field, id) => (field.value = id)", FIRST_ID)
        kept_offline(page)
        page.close()
        context.route("**/book/002", lambda route: route.fulfill(status=404, body="gone"))
        context.set_offline(False)
        page = book(context, shop)
        fill_in(page, "The second one")
        kept_offline(page)
        assert page.evaluate(KEPT) == 2
        context.set_offline(False)
        page.wait_for_url("**/written/**")
        assert page.evaluate(KEPT) == 1, "what did not arrive still waits"
    [entry] = rows(shop, BookEntry)
    assert (entry.store_id, entry.text) == (shop.chain.store_id("001"), "The second one")


def test_a_refused_entry_is_shown_in_its_own_book_alone_and_kept_until_it_is_written(
    phone: Any, shop: Shop, tmp_path: Path
) -> None:
    (tmp_path / "notes.jpg").write_bytes(b"no picture at all")
    with phone() as context:
        page = book(context, shop)
        fill_in(page)
        page.set_input_files("#photos", photo(tmp_path))
        page.set_input_files("#photos", tmp_path / "notes.jpg")
        kept_offline(page)
        page.close()
        context.set_offline(False)
        page = book(context, shop, code="002")
        until(lambda: page.evaluate(KEPT, "refused") == 1, what="refused")
        page.reload()
        page.wait_for_load_state("networkidle")
        assert page.locator("#text").input_value() == ""
        assert page.locator(".chosen li, [data-problems], .question .error").count() == 0
        for _ in range(2):
            page = book(context, shop)
            until(lambda: page.locator("#text").input_value() == TEXT, what="shown again")  # noqa: B023
            until_said(page, "The entry you wrote earlier could not be taken as it is")
            assert page.locator("[name=kind]:checked").input_value() == "complaint"
            assert page.locator(".chosen li").all_inner_texts() == ["queue.jpg\nLeave out", "notes.jpg\nLeave out"]
            assert page.evaluate(KEPT, "refused") == 1, "the only copy is not the page"
        page.click(SEND)
        until_said(page, "“notes.jpg” is no photo that can be read")
        assert page.evaluate(KEPT, "refused") == 1
        page.click(".chosen li:last-child button")
        page.click(SEND)
        page.wait_for_url("**/written/**")
        assert page.evaluate(KEPT) == 0
    [entry] = rows(shop, BookEntry)
    assert (entry.store_id, entry.text) == (shop.chain.store_id("001"), TEXT)
    assert len(rows(shop, BookPhoto)) == 1


def test_a_refused_entry_is_not_put_over_what_is_being_typed(phone: Any, shop: Shop) -> None:
    with phone() as context:
        page = book(context, shop)
        fill_in(page)
        kept_offline(page)
        page.close()
        page = context.new_page()
        page.route("**/book/001", refuse_posts)
        page.add_init_script("addEventListener('DOMContentLoaded', () => (document.forms[0].text.value = 'New'))")
        context.set_offline(False)
        page.goto(f"http://127.0.0.1:{shop.port}/book/001")
        until(lambda: page.evaluate(KEPT, "refused") == 1, what="refused")
        page.wait_for_load_state("networkidle")
        assert page.locator("#text").input_value() == "New"


def test_what_the_page_promised_to_send_is_not_dropped_by_a_busy_server(phone: Any, shop: Shop) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if is_post(route) and not held:
            held.append(route)
        else:
            route.continue_()

    with phone() as context:
        page = book(context, shop)
        page.clock.install()
        page.route("**/book/001", hold)
        fill_in(page)
        page.click(SEND)
        until(lambda: page.title() and held, what="on its way")
        page.clock.fast_forward(11_000)
        until_said(page, "Your entry is kept on this phone")
        held[0].fulfill(status=429, body="busy")
        page.wait_for_url("**/written/**")
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


def test_what_a_kiosk_keeps_outlives_the_kiosk(phone: Any, shop: Shop) -> None:
    with phone(viewport=TALL) as context:
        page = book(context, shop, at_kiosk(shop))
        fill_in(page)
        kept_offline(page, "kiosk")
        page.close()
        with shop.chain.db.engine.begin() as connection:
            token = Point.__table__.c.token == shop.chain.token()
            connection.execute(sa.update(Point.__table__).where(token).values(closed_at=datetime.now(UTC)))
        context.set_offline(False)
        page = book(context, shop, code="002")
        until(lambda: page.evaluate(KEPT) == 0, what="sent past the closed point")
    [entry] = rows(shop, BookEntry)
    assert (entry.store_id, entry.text) == (shop.chain.store_id("001"), TEXT)


@pytest.mark.parametrize("refusals", [1, 2])
def test_a_kiosk_sends_a_refused_entry_once_more_and_tells_nobody(phone: Any, shop: Shop, refusals: int) -> None:
    left = [None] * refusals
    warned: list[str] = []

    def refuse(route: Route) -> None:
        if is_post(route) and left:
            left.pop()
            return route.fulfill(status=422, body="refused")
        return route.continue_()

    with phone(viewport=TALL) as context:
        context.on("console", lambda line: warned.append(line.text) if line.type == "warning" else None)
        page = book(context, shop, at_kiosk(shop))
        fill_in(page)
        kept_offline(page, "kiosk")
        page.close()
        context.route("**/book/001?**", refuse)
        context.set_offline(False)
        page = opened(context.new_page(), shop)
        until(lambda: page.evaluate(KEPT) == page.evaluate(KEPT, "refused") == refusals - 1, what="sent once more")
        assert not left
        for more in ("", at_kiosk(shop)):
            page = book(context, shop, more)
            page.wait_for_load_state("networkidle")
            assert page.locator("#text").input_value() == ""
            assert not page.locator("[data-earlier]").is_visible()
    assert len(rows(shop, BookEntry)) == 2 - refusals
    assert [TEXT in line for line in warned if "otklik" in line] == [False] * (refusals - 1)


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
