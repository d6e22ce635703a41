"""The whole circle in a real browser: four people hand something in, and the director sees all of it on the map."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page

from feedback_app.services import demo
from feedback_app.services.counting import verify
from tests.browser.chromium import until
from tests.builders import EMAILS
from tests.conftest import LiveServer

pytestmark = pytest.mark.browser

SECONDS = 30
"""How long the map may take to show what came in."""
Counts = dict[tuple[str, str], int]


def sign_in(page: Page, base_url: str, role: str) -> None:
    page.goto(f"{base_url}/login?lang=en")
    page.fill("[name=email]", EMAILS[role])
    page.fill("[name=password]", demo.PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def counts_on_the_map(page: Page, base_url: str) -> Counts:
    """What the map's table says: n by stage and source."""
    page.goto(f"{base_url}/map?lang=en&days=7")
    counts: Counts = {}
    for group in page.locator(".map-numbers tbody").all():
        stage, *_ = group.locator("th[scope=rowgroup]").all_text_contents()
        for row in group.locator("tr").all():
            source = row.locator("th[scope=row]").text_content() or ""
            n = row.locator("td").last.text_content() or "0"
            counts[stage.strip(), source.strip()] = int(re.sub(r"\D", "", n) or 0)
    return counts


def tap_at_the_kiosk(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.base_url}/k/{live_server.chain.token('001', 'checkout')}")
    page.click('button[data-answer="1"]')
    root = page.locator("html")
    for screen in ("reason", "comment"):
        until(lambda screen=screen: root.get_attribute("data-screen") == screen)
        page.locator("[data-skip]:visible").first.click()
    until(lambda: root.get_attribute("data-screen") == "thanks")
    until(lambda: root.get_attribute("data-queued") == "0")


def fill_a_survey(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.base_url}/q/{live_server.chain.token('001', 'exit')}")
    page.locator('[name=overall][value="5"]').check()
    page.locator("form").last.evaluate("form => form.requestSubmit()")
    page.wait_for_url("**/thanks**")


def write_into_the_book(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.base_url}/book/001")
    page.locator('[name=kind][value="thanks"]').check()
    page.fill("[name=text]", "Хлеб у вас свежий, спасибо!")
    page.locator("form button[type=submit]").last.click()
    page.wait_for_url("**/written/**")


def hand_a_checklist_in(page: Page, live_server: LiveServer) -> None:
    sign_in(page, live_server.base_url, "mystery_shopper")
    page.goto(f"{live_server.base_url}/visit/visit-001")
    for box in page.locator('input[type=radio][value="yes"]').all():
        box.check()
    page.locator('[name=shelf_fill][value="full"]').check()
    page.fill("[name=queue_minutes]", "2")
    page.fill("[name=fridge_degrees]", "4")
    page.locator("form button[type=submit]").last.click()
    until(lambda: page.locator("[name=queue_minutes]").count() == 0)


def test_four_people_hand_something_in_and_the_director_sees_all_of_it(
    chromium: Browser, live_server: LiveServer
) -> None:
    director = chromium.new_page()
    sign_in(director, live_server.base_url, "director")
    assert counts_on_the_map(director, live_server.base_url) == {}

    for act in (tap_at_the_kiosk, fill_a_survey, write_into_the_book, hand_a_checklist_in):
        with chromium.new_context(locale="ru-RU") as context:
            act(context.new_page(), live_server)

    wanted = {
        ("Deal", "Loyalty button"): 1,
        ("Customer experience", "QR survey"): 1,
        ("Customer experience", "Feedback book"): 1,
        **{
            (stage, "Mystery visits"): 1
            for stage in ("Awareness", "Evaluation", "Deal", "Customer experience", "Trigger")
        },
    }

    def seen() -> bool:
        found = counts_on_the_map(director, live_server.base_url)
        return {key: n for key, n in found.items() if key[1] != "All sources" and n} == wanted

    until(seen, SECONDS, "the map shows the tap, the survey, the entry and the visit")
    assert verify(live_server.db) == []
    director.context.close()
