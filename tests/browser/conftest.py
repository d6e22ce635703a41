"""The browser for every test of this folder."""

from tests.browser.chromium import chromium, playwright, visitor

__all__ = ["chromium", "playwright", "visitor"]
