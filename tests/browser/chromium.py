"""Debian's Chromium, driven by Playwright. Pages forbid eval: poll with `until`, never `page.wait_for_function`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

EXECUTABLE = "/usr/bin/chromium"
PLAIN_HOST = "shop.example"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # A host of its own name: to the browser it is no secure context over plain http, as 127.0.0.1 is.
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
]
DESK = {"viewport": {"width": 1280, "height": 800}, "locale": "ru-RU"}


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright itself: one at a time in a process."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A running browser; `chromium.new_context()` is a fresh visitor."""
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, headless=True, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[BrowserContext]:
    """A visitor with a Russian browser and an empty storage."""
    with chromium.new_context(**DESK) as context:
        yield context


@contextmanager
def kept_profile(playwright: Playwright, folder: Path, **options: Any) -> Iterator[BrowserContext]:
    """Open a browser whose storage stays in a folder, as that of a kiosk does, and close it afterwards."""
    for lock in folder.glob("Singleton*"):
        lock.unlink()
    settings: dict[str, Any] = {**DESK, **options}
    with playwright.chromium.launch_persistent_context(
        str(folder), executable_path=EXECUTABLE, headless=True, args=ARGUMENTS, **settings
    ) as context:
        yield context


def until(fact: Callable[[], Any], seconds: float = 20, what: str = "") -> Any:
    """Return what `fact` returns as soon as it is true; AssertionError after `seconds`."""
    end = monotonic() + seconds
    while not (value := fact()):
        assert monotonic() < end, f"not within {seconds} s: {what or fact}"
        sleep(0.05)
    return value
