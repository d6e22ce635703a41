"""A manager finds a case in the list, takes it, writes a note, answers it from a template and closes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from feedback_app.domain.access import SYSTEM
from feedback_app.services.answers import sent_answers
from feedback_app.services.demo import PASSWORD
from tests.builders import EMAILS
from tests.conftest import LiveServer
from tests.services.casework import TEXT, an_entry, case_of, whole

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")


@pytest.fixture
def page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The manager of store 001 on a phone, signed in."""
    with chromium.new_context(base_url=live_server.base_url, locale="en", viewport=PHONE) as context:
        opened = context.new_page()
        opened.goto("/login")
        opened.fill("[name=email]", EMAILS["manager"])
        opened.fill("[name=password]", PASSWORD)
        opened.press("[name=password]", "Enter")
        opened.wait_for_url(lambda url: "/login" not in url)
        yield opened


def well_made(page: Page) -> None:
    """Look for barriers, by day and in the dark, and for what runs over the edge, with every fold open."""
    page.eval_on_selector_all("details", "folds => folds.forEach(fold => { fold.open = true })")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_manager_answers_and_closes_a_case(live_server: LiveServer, page: Page) -> None:
    entry_id = an_entry(live_server.chain, name="Анна")
    page.goto("/cases?lang=en")
    well_made(page)
    page.get_by_role("link", name="Complaint No. 1").click()
    expect(page.locator("blockquote")).to_have_text(TEXT)
    well_made(page)
    page.get_by_role("button", name="Take the case").click()
    expect(page.get_by_role("status")).to_have_text("The case is yours.")

    page.get_by_label("Note").fill("Позвонил в кассу")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".history")).to_contain_text("Позвонил в кассу")

    page.get_by_label("Begin with a template").select_option(label="Ответ на жалобу · Русский")
    page.get_by_role("button", name="Put it in").click()
    answer = page.get_by_label("Answer to the writer")
    begun = answer.input_value()
    assert begun.startswith("Здравствуйте, Анна!\n\nМы разобрались с вашей жалобой № 1 от ")
    answer.fill(begun + "\n{подпись}")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.locator("#answer .field .problem")).to_contain_text("{подпись}")
    well_made(page)
    answer.fill(begun)
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_role("status")).to_have_text("The answer is out.")

    page.locator(".next").get_by_role("button", name="Close the case").click()
    expect(page.locator("h1")).to_contain_text("closed")
    assert case_of(live_server.chain, entry_id).status == "closed"
    with live_server.db.read(SYSTEM) as session:
        assert [one.text for one in sent_answers(session, entry_id)] == [begun]
    assert whole(live_server.chain)


def test_the_templates_have_no_barriers(live_server: LiveServer, page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/login")
    page.fill("[name=email]", EMAILS["admin"])
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/settings/answers?lang=be")
    well_made(page)
    page.locator("tbody a").first.click()
    well_made(page)
