"""Many shoppers who write into one book at the same moment, over HTTP."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
import sqlalchemy as sa

from feedback_app.services import register
from feedback_app.storage.tables import BookEntry
from tests.conftest import LiveServer

HIDDEN = re.compile(r"<input[^>]*type=\"hidden\"[^>]*>")
ENTRIES, SHOPPERS = 100, 20


def hidden_fields(page: str) -> dict[str, str]:
    found = {}
    for tag in HIDDEN.findall(page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name[1]] = value[1] if value else ""
    return found


def write(address: str) -> int:
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    with browser.open(address, timeout=60) as answer:
        fields = hidden_fields(answer.read().decode())
    data = urlencode({**fields, "kind": "thanks", "text": "Спасибо"}).encode()
    with browser.open(address, data, timeout=60) as answer:
        answer.read()
        status: int = answer.status
    return status


@pytest.mark.slow
def test_entries_of_twenty_shoppers_at_once_are_numbered_without_gap(live_server: LiveServer) -> None:
    with ThreadPoolExecutor(SHOPPERS) as pool:
        answers = set(pool.map(lambda _: write(f"{live_server.base_url}/book/001"), range(ENTRIES)))
    assert answers == {200}
    with live_server.db.engine.connect() as connection:
        numbers = connection.execute(sa.select(BookEntry.number).order_by(BookEntry.number)).scalars().all()
    assert numbers == list(range(1, ENTRIES + 1))
    assert register.verify(live_server.db).findings == ()
