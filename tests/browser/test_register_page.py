"""The register's pages in a real browser: no barriers, nothing over the edge, erasing without a script."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

from feedback_app.services import book
from feedback_app.services.book import How, Photo
from feedback_app.services.demo import PASSWORD
from tests.builders import EMAILS
from tests.conftest import LiveServer

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
ENTRY = "/register/001/2026/1"


@pytest.fixture
def written(live_server: LiveServer) -> LiveServer:
    """A complaint with all that an entry may have, long overdue, and a word that has no end."""
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), "#0b6e75").save(out, format="JPEG")
    personal = {"name": "Ы" * 120, "contact": "anna@example.by", "consent": True}
    how = How(photos=(Photo("image/jpeg", out.getvalue()),))
    with time_machine.travel(datetime(2026, 4, 6, tzinfo=UTC), tick=False):
        for kind, more in (("complaint", personal), ("thanks", {})):
            entry = {"kind": kind, "text": "Щ" * 300 + " касса <b>", **more}
            book.write_entry(live_server.db, "001", entry, uuid4(), "ru", how)
    return live_server


def signed_in(browser: Browser, server: LiveServer, **options: Any) -> Page:
    page = browser.new_context(**{"base_url": server.base_url, "viewport": DESK, **options}).new_page()
    page.goto("/login")
    page.fill("[name=email]", EMAILS["director"])
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


@pytest.mark.parametrize(
    ("language", "options"),
    [("be", {"viewport": PHONE, "color_scheme": "dark"}), ("ru", {})],
    ids=["phone-be-dark", "desk-ru"],
)
def test_no_page_of_the_register_has_barriers_or_runs_over_the_edge(
    chromium: Browser, written: LiveServer, language: str, options: dict[str, Any]
) -> None:
    page = signed_in(chromium, written, locale=language, **options)
    paths = ("/register?since=x", "/register?year=2020", ENTRY, f"{ENTRY}/erase", "/register/001/chain")
    for path in paths:
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        found = Axe().run(page).response["violations"]
        assert [(fault["id"], [node["html"][:160] for node in fault["nodes"]]) for fault in found] == [], path
        width = page.evaluate("document.documentElement.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()


def test_an_entry_is_erased_without_a_script(chromium: Browser, written: LiveServer) -> None:
    page = signed_in(chromium, written, java_script_enabled=False, locale="en")
    page.goto(ENTRY)
    assert page.locator(".photos img").evaluate("picture => picture.naturalWidth") == 1200
    page.get_by_role("link", name="Erase words of this entry").click()
    page.get_by_label("Name and contact").check()
    page.get_by_label("The photos").check()
    page.get_by_label("Why").fill("Asked on the phone")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Erase for good").click()
    assert "Erased." in page.locator(".notice").inner_text()
    assert page.locator(".photos img").count() == 0
    assert "Щ" * 300 in page.locator(".entry-words").inner_text()
    page.context.close()
