"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from playwright.sync_api import BrowserContext, Playwright, sync_playwright

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def launch(playwright: Playwright, profile: Path, **options: Any) -> BrowserContext:
    """Open a browser whose storage lives in a folder, as a kiosk's does."""
    for lock in profile.glob("Singleton*"):
        lock.unlink()
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "ru-RU", **options}
    return playwright.chromium.launch_persistent_context(
        str(profile), executable_path=EXECUTABLE, headless=True, args=ARGUMENTS, **settings
    )


@contextmanager
def browser(profile: Path, **options: Any) -> Iterator[BrowserContext]:
    """Open a browser and close it afterwards."""
    with sync_playwright() as playwright:
        context = launch(playwright, profile, **options)
        try:
            yield context
        finally:
            context.close()


def until(fact: Callable[[], Any], seconds: float = 20, what: str = "") -> Any:
    """Return what `fact` returns once it is true; polls, for the pages' policy forbids eval.

    Raises AssertionError after `seconds`.
    """
    end = monotonic() + seconds
    while not (value := fact()):
        assert monotonic() < end, f"not within {seconds} s: {what or fact}"
        sleep(0.05)
    return value
