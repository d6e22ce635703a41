"""A manager finds a comment that was read wrongly, corrects it, and takes that back, with a script or without."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from feedback_app.services.counting import verify
from feedback_app.services.demo import PASSWORD
from tests.builders import EMAILS
from tests.conftest import LiveServer

pytestmark = pytest.mark.browser

TEXT = "Прекрасно, опять закрыли две кассы из трёх. Очередь до двери."
PHONE = {"width": 390, "height": 844}


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.fill("[name=email]", EMAILS["manager"])
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def correct(page: Page) -> None:
    """Say that the comment is content with the staff and does not speak of a queue."""
    page.get_by_role("radio", name="Content").check()
    page.get_by_label("Queue", exact=True).select_option("not spoken of")
    page.get_by_label("Another topic, line 1").select_option("Staff")
    page.get_by_label("Its tone, line 1").select_option("content")
    page.get_by_role("button", name="Keep the correction").click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_manager_corrects_a_comment_and_takes_it_back(
    chromium: Browser, live_server: LiveServer, script: bool
) -> None:
    live_server.chain.a_tap(1, comment=TEXT)
    with chromium.new_context(
        base_url=live_server.base_url, locale="en", viewport=PHONE, java_script_enabled=script
    ) as context:
        page = context.new_page()
        sign_in(page)
        page.goto("/map/stage/deal?days=90")
        about = page.locator(".comment-about")
        expect(about).not_to_contain_text("corrected")
        page.locator(".correct").click()
        expect(page.locator("blockquote")).to_have_text(TEXT)
        correct(page)
        page.wait_for_url("**/map/stage/deal?days=90#comment-*")
        expect(page.get_by_role("status")).to_have_text("Kept: the comment now counts as you say.")
        expect(about).to_contain_text("content")
        expect(about).to_contain_text("corrected")
        assert verify(live_server.db) == []

        page.locator(".correct").click()
        expect(page.get_by_role("radio", name="Content")).to_be_checked()
        expect(page.get_by_label("Staff", exact=True)).to_have_value("positive")
        page.get_by_role("button", name="Undo the correction").click()
        expect(page.get_by_role("status")).to_contain_text("Undone")
        expect(page.get_by_role("button", name="Undo the correction")).to_have_count(0)
        page.get_by_role("link", name="Back to the comments").click()
        expect(about).not_to_contain_text("corrected")
        assert verify(live_server.db) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_correcting_has_no_barriers_also_after_a_mistake(
    chromium: Browser, live_server: LiveServer, scheme: Literal["light", "dark"]
) -> None:
    response_id = live_server.chain.a_tap(1, comment=TEXT)
    with chromium.new_context(base_url=live_server.base_url, viewport=PHONE, color_scheme=scheme) as context:
        page = context.new_page()
        sign_in(page)
        page.goto(f"/comments/{response_id}/correct?lang=en")
        assert Axe().run(page).response["violations"] == []
        page.get_by_label("Another topic, line 3").select_option("Prices")
        page.get_by_role("button", name="Keep the correction").click()
        expect(page.locator(".field .problem")).to_have_text("This needs an answer.")
        expect(page.get_by_label("Another topic, line 3")).to_have_value("price")
        assert Axe().run(page).response["violations"] == []
