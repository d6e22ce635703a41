"""The pages of the fleet in a real browser: no barriers, nothing over the edge, and all of it without a script."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from feedback_app.services import devices, fleet, pairing
from feedback_app.services.demo import PASSWORD
from tests.builders import EMAILS, Chain
from tests.conftest import LiveServer

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
LONG = "The tablet beside the bread, on the left of the second checkout from the door"
Desk = Callable[..., Any]


def a_kiosk(chain: Chain, store: str, **state: Any) -> int:
    code = pairing.make_code(chain.db, chain.access("admin"), store, "checkout").code
    device_id = pairing.redeem(chain.db, code, secrets.token_urlsafe(32), []).device_id
    fleet.beat(chain.db, device_id, {"app_version": "0123456789ab", "storage_persisted": True, **state}, None)
    return device_id


@pytest.fixture
def kiosk_id(live_server: LiveServer) -> int:
    """A fleet of five in which each thing that can be wrong is wrong once; one has a long name."""
    chain, now = live_server.chain, datetime.now(UTC)
    waits = (now - timedelta(days=3)).isoformat()
    a_kiosk(chain, "001", queue_length=123_456, oldest_queued_at=waits, storage_used=9, storage_quota=10, quarantined=3)
    a_kiosk(chain, "002", sent_at=(now - timedelta(days=400)).isoformat(), storage_persisted=False)
    with time_machine.travel(now - timedelta(days=4)):
        a_kiosk(chain, "003")
    a_kiosk(chain, "001")
    named = a_kiosk(chain, "002")
    devices.change(chain.db, chain.access("admin"), named, name=LONG)
    return named


@pytest.fixture
def desk(chromium: Browser, live_server: LiveServer) -> Iterator[Desk]:
    """Open the administrator's browser; no page may break the policy or log an error."""
    faults: list[str] = []

    @contextmanager
    def opened(**options: Any) -> Iterator[Page]:
        with chromium.new_context(**{"base_url": live_server.base_url, "viewport": DESK, **options}) as context:
            context.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
            page = context.new_page()
            page.goto("/login")
            page.fill("[name=email]", EMAILS["admin"])
            page.fill("[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            page.wait_for_url(lambda url: "/login" not in url)
            yield page

    yield opened
    assert faults == []


def make_code(page: Page) -> str:
    page.goto("/kiosks/add")
    page.locator("[name=store]").select_option("003")
    page.locator("[name=touchpoint]").select_option("exit")
    page.click("main button[type=submit]")
    return page.locator(".pairing-code").inner_text()


@pytest.mark.parametrize(
    ("language", "options"),
    [
        ("ru", {"viewport": PHONE}),
        ("be", {"viewport": PHONE, "color_scheme": "dark"}),
        ("en", {"color_scheme": "dark"}),
        ("ru", {}),
    ],
    ids=["phone-ru", "phone-be-dark", "desk-en-dark", "desk-ru"],
)
def test_no_page_of_the_fleet_has_barriers_or_runs_over_the_edge(
    desk: Desk, kiosk_id: int, language: str, options: dict[str, Any]
) -> None:
    own = f"/kiosks/{kiosk_id}"
    with desk(locale=language, **options) as page:
        make_code(page)
        for path in ("/kiosks", "/kiosks/settings", "/kiosks/add", "/kiosks/code", own, f"{own}/code", f"{own}/revoke"):
            page.goto(f"{path}?lang={language}")
            page.eval_on_selector_all("details", "folds => folds.forEach(fold => { fold.open = true })")
            found = Axe().run(page).response["violations"]
            assert [(fault["id"], [node["html"][:160] for node in fault["nodes"]]) for fault in found] == [], path
            width = page.evaluate("document.documentElement.clientWidth")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_kiosk_is_added_named_and_taken_out_without_a_script(desk: Desk, live_server: LiveServer) -> None:
    chain = live_server.chain
    with desk(java_script_enabled=False, locale="en") as page:
        code = make_code(page)
        name = pairing.redeem(chain.db, code, secrets.token_urlsafe(32), []).name
        page.get_by_role("link", name="Is it paired?").click()
        assert name in page.locator(".notice").inner_text()
        page.get_by_role("link", name=name).click()
        page.fill("[name=name]", "By the bread")
        page.locator("[name=theme]").select_option("contrast")
        page.get_by_role("button", name="Keep").click()
        assert page.locator("h1").inner_text() == "By the bread"
        page.get_by_role("link", name="Take it out of the fleet").click()
        page.get_by_role("button", name="Take it out of the fleet").click()
        assert page.locator("h1").inner_text() == "No kiosk is paired yet"
