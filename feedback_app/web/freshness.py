"""How far the figures of a page may lag behind what was handed in."""

from __future__ import annotations

from flask import current_app

PAGE_AGE = 10
"""Seconds: while people tap, a page is counted anew this often and not at every look."""


def page_age() -> float:
    """Return the seconds that a page's figures may lag: `OTKLIK_PAGE_AGE` of the app, else PAGE_AGE, in tests none."""
    seconds: float = current_app.config.get("OTKLIK_PAGE_AGE", 0 if current_app.testing else PAGE_AGE)
    return seconds
