"""The staff's pages in a real browser: for every screen and theme, with a keyboard, and without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from feedback_app.services.demo import PASSWORD
from tests.builders import EMAILS
from tests.conftest import LiveServer
from tests.web.scene import filled

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
WALL = {"width": 1080, "height": 1920}
PAGES = [
    "/",
    "/map",
    "/map?sources=1",
    "/map/stage/deal",
    "/map/topics",
    "/cases/causes",
    "/points",
    "/kiosks",
    "/visits",
]
MEASURED = """() => ({
  stages: [...document.querySelectorAll(".stage")].map(stage => stage.getBoundingClientRect().toJSON()),
  curves: [...document.querySelectorAll(".map-curve svg")].map(curve => curve.getBoundingClientRect().toJSON()),
})"""


@pytest.fixture(scope="module")
def open_app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with filled(sqlite_template, tmp_path_factory.mktemp("filled")) as app:
        yield app


@pytest.fixture
def app(open_app: Flask) -> Flask:
    return open_app


@pytest.fixture(scope="module")
def signed_in() -> dict[str, StorageState]:
    """Cookies of who signed in already; the port differs from test to test, a cookie's host does not."""
    return {}


@pytest.fixture
def desk(
    chromium: Browser, live_server: LiveServer, signed_in: dict[str, StorageState]
) -> Iterator[Callable[..., Any]]:
    """Open a director's browser; no page may break the policy, fail in a script or log an error."""
    faults: list[str] = []

    @contextmanager
    def opened(role: str | None = "director", language: str = "en", **options: Any) -> Iterator[BrowserContext]:
        settings = {"viewport": DESK, "locale": language, "base_url": live_server.base_url, **options}
        if role in signed_in:
            settings["storage_state"] = signed_in[role]
        with chromium.new_context(**settings) as context:
            context.on("weberror", lambda fault: faults.append(str(fault.error)))
            context.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
            if role and role not in signed_in:
                sign_in(context.new_page(), role)
                signed_in[role] = context.storage_state()
            yield context

    yield opened
    assert faults == []


def sign_in(page: Page, role: str) -> None:
    """Sign somebody of the cast in by hand."""
    page.goto("/login")
    page.fill("[name=email]", EMAILS[role])
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    page.close()


def barriers(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds wrong, with the elements."""
    found = Axe().run(page).response["violations"]
    return [(fault["id"], [node["html"][:160] for node in fault["nodes"]]) for fault in found]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/map?sources=1",
        "/map/stage/deal?store=999",
        "/map/topics",
        "/cases/causes",
        "/points",
        "/kiosks",
        "/visits",
    ],
)
def test_a_page_has_no_barriers(desk: Callable[..., Any], path: str) -> None:
    with desk() as context:
        page = context.new_page()
        page.goto(path)
        page.eval_on_selector_all("details", "folds => folds.forEach(fold => { fold.open = true })")
        assert barriers(page) == []


def open_correction(page: Page, path: str) -> None:
    """Open the page that corrects the newest comment of a list."""
    page.goto(path)
    page.locator(".comment .correct").first.click()
    page.wait_for_url("**/correct?**")


@pytest.mark.parametrize("path", ["/", "/map"])
def test_in_the_dark_and_on_a_phone_there_are_none_either(desk: Callable[..., Any], path: str) -> None:
    with desk(viewport=PHONE, color_scheme="dark", language="ru") as context:
        page = context.new_page()
        page.goto(path)
        assert barriers(page) == []


def test_signing_in_has_no_barriers_also_after_a_mistake(desk: Callable[..., Any]) -> None:
    with desk(role=None, viewport=PHONE) as context:
        page = context.new_page()
        page.goto("/login")
        assert barriers(page) == []
        page.fill("[name=email]", "nobody@otklik.example")
        page.fill("[name=password]", "a guess")
        page.click("main button[type=submit]")
        assert page.locator(".problem").count() > 0
        assert barriers(page) == []


@pytest.mark.parametrize(
    ("screen", "language"),
    [(PHONE, "ru"), (PHONE, "be"), (PHONE, "en"), (DESK, "ru"), (WALL, "be")],
    ids=["phone-ru", "phone-be", "phone-en", "desk-ru", "wall-be"],
)
def test_nothing_runs_over_the_edge(desk: Callable[..., Any], screen: Any, language: str) -> None:
    with desk(viewport=screen, language=language) as context:
        page = context.new_page()
        for path in PAGES:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"], path
        open_correction(page, "/map/stage/deal")
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]


def test_on_a_desk_stages_are_columns_and_the_curve_runs_over_them(desk: Callable[..., Any]) -> None:
    with desk() as context:
        page = context.new_page()
        page.goto("/map")
        found = page.evaluate(MEASURED)
    stages = found["stages"]
    assert len({round(stage["top"]) for stage in stages}) == 1
    assert max(stage["width"] for stage in stages) - min(stage["width"] for stage in stages) < 1
    curve = next(curve for curve in found["curves"] if curve["width"])
    assert curve["left"] == pytest.approx(stages[0]["left"], abs=1)
    assert curve["right"] == pytest.approx(stages[-1]["right"], abs=1)
    assert curve["height"] > 150


def test_on_a_phone_stages_follow_one_another(desk: Callable[..., Any]) -> None:
    with desk(viewport=PHONE) as context:
        page = context.new_page()
        page.goto("/map")
        stages = page.evaluate(MEASURED)["stages"]
    assert all(later["top"] >= earlier["bottom"] for earlier, later in pairwise(stages))
    assert all(stage["width"] > 300 for stage in stages)


@pytest.mark.parametrize(("screen", "shown"), [(PHONE, "narrow"), (DESK, "wide")], ids=["phone", "desk"])
def test_of_each_chart_the_one_that_fits_is_shown(desk: Callable[..., Any], screen: Any, shown: str) -> None:
    with desk(viewport=screen) as context:
        page = context.new_page()
        page.goto("/")
        charts = page.locator(".drawn")
        assert charts.count() > 0
        for number in range(charts.count()):
            widths = {width: charts.nth(number).locator(f".drawn-{width}").is_visible() for width in ("wide", "narrow")}
            assert [width for width, visible in widths.items() if visible] == [shown]


def test_filters_need_no_script(desk: Callable[..., Any]) -> None:
    with desk(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/?days=90")
        page.locator(".filter-fold summary").click()
        page.locator("[name=store]").select_option("001")
        page.get_by_role("button", name="Show").click()
        assert "store=001" in page.url
        assert "days=90" in page.url
        assert "Minsk, Kashtanavaya" in page.locator(".filter-fold .now").inner_text()
        page.get_by_role("link", name="Journey map", exact=True).click()
        assert "store=001" in page.url


def test_the_keyboard_skips_to_the_content(desk: Callable[..., Any]) -> None:
    with desk() as context:
        page = context.new_page()
        page.goto("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"


def test_a_print_holds_the_folded_tables(desk: Callable[..., Any]) -> None:
    folds = "[...document.querySelectorAll('details.numbers')].map(fold => fold.open)"
    with desk() as context:
        page = context.new_page()
        page.goto("/")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert set(page.evaluate(folds)) == {True}
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert set(page.evaluate(folds)) == {False}
