"""The browser, and the kiosk's shop, for every test of this folder."""

from tests.browser.chromium import chromium, playwright, visitor
from tests.browser.kiosk_shop import kiosk, shop

__all__ = ["chromium", "kiosk", "playwright", "shop", "visitor"]
