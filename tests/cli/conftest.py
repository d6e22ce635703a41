"""The commands as processes, and the browser, for every test of this folder."""

from tests.browser.chromium import playwright
from tests.cli.served import environment, start

__all__ = ["environment", "playwright", "start"]
