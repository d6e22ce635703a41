"""A server of its own for every file, and for every test a line to it and a visitor whose thanks are written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.failures.kiosks import address, open_kiosk
from tests.browser.failures.ledger import Ledger
from tests.browser.failures.line import Line
from tests.browser.failures.server import Server


@pytest.fixture(scope="module")
def one_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server; use `server`, which finds it running."""
    running = Server(tmp_path_factory.mktemp("server"), sqlite_template)
    running.start()
    yield running
    running.close()


@pytest.fixture
def server(one_server: Server) -> Server:
    """The file's server, running."""
    if not one_server.answers():
        one_server.start()
    return one_server


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    """A line to the server."""
    laid = Line(server.port)
    yield laid
    laid.clear()
    laid.down()


@pytest.fixture
def ledger(server: Server) -> Ledger:
    """What the shoppers of this test are thanked for."""
    return Ledger(server)


@pytest.fixture
def tab(visitor: BrowserContext, ledger: Ledger) -> Page:
    """An empty page of a watched browser."""
    ledger.watch(visitor)
    return visitor.new_page()


@pytest.fixture
def kiosk(tab: Page, line: Line, server: Server) -> Page:
    """A kiosk that works offline."""
    return open_kiosk(tab, address(line, server))
