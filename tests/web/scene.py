"""What customers left behind in the chain that the pages' tests read, and reading a page as people do."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from flask import Flask

from feedback_app.app import create_app
from tests.builders import Chain, open_chain

TAPS, FEW, LETTERS = 40, 3, 25
MARKUP = "Bad queue <script>alert(1)</script> & slow staff"


class Reader(Protocol):
    """Opens a page as somebody and returns its markup."""

    def __call__(self, path: str, role: str = "director", language: str = "en", status: int = 200) -> str: ...


@contextmanager
def filled(template: Path, folder: Path) -> Iterator[Flask]:
    """Make the app over a copy of a chain that customers have been in."""
    shutil.copy(template, folder / "otklik.db")
    app = create_app(
        {
            "OTKLIK_INSTANCE": str(folder),
            "OTKLIK_DATABASE_URL": f"sqlite:///{folder / 'otklik.db'}",
            "OTKLIK_RATE_LIMITS": "off",
            "TESTING": True,
        }
    )
    fill(open_chain(app.extensions["otklik"]))
    yield app
    app.extensions["otklik"].close()


def fill(chain: Chain) -> None:
    """Let people tap: contentedly, then not, at checkout 001; too few at exit 002; and write at the counter of 002."""
    for days, smiley in ((40, 4), (1, 2)):
        tap(chain, TAPS, smiley, "001", "checkout", days)
    tap(chain, FEW, 4, "002", "exit", 1)
    for number in range(LETTERS):
        chain.a_tap(1, store="002", touchpoint="counter", comment=f"Letter {number}: terrible queue", at=_ago(1))
    chain.a_tap(1, store="001", touchpoint="checkout", comment=MARKUP, at=_ago(1))


def tap(chain: Chain, count: int, smiley: int, store: str, touchpoint: str, days: int) -> None:
    """Let several people tap on one day, one after another: at once they would be a burst."""
    moments = [_ago(days) + timedelta(seconds=20 * number) for number in range(count)]
    items = [chain.item({"smiley": smiley}, store=store, touchpoint=touchpoint, at=at) for at in moments]
    assert {one.status for one in chain.send(*items, store=store, touchpoint=touchpoint)} == {"stored"}


def _ago(days: int) -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=days)


def text_of(page: str) -> str:
    """Return what a page says, without markup, with single spaces."""
    drawn = re.sub(r"<svg.*?</svg>", " ", page, flags=re.DOTALL)
    within_lines = re.sub(r"</?(?:a|span|strong|mark|small|time)\b[^>]*>", "", drawn)
    words = html.unescape(re.sub(r"<[^>]*>", " ", within_lines))
    return " ".join(words.split())


def title_of(page: str) -> str:
    """Return a page's heading."""
    found = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert found, "the page has no heading"
    return text_of(found[1])
