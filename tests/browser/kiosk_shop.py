"""A shop with a kiosk behind a port that can be shut, and the strangers that may answer in its place."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import BrowserContext, Page, TimeoutError
from werkzeug.serving import BaseWSGIServer

from feedback_app.domain.access import SYSTEM
from feedback_app.storage.tables import Response
from tests.browser.chromium import until
from tests.builders import Chain, open_chain
from tests.serving import free_port, server_of

KEPT = """(store) => new Promise((resolve, reject) => {
  const request = indexedDB.open("otklik-kiosk");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const all = request.result.transaction(store).objectStore(store).getAll();
    all.onsuccess = () => { request.result.close(); resolve(all.result); };
  };
})"""


class Shop:
    """The app behind a port that can be shut and opened again."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.chain: Chain = open_chain(app.extensions["otklik"])
        self.port = free_port()
        self._server: BaseWSGIServer | ThreadingHTTPServer | None = None
        self.open()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/k/{self.chain.token()}"

    def open(self) -> None:
        self._run(server_of(self.app, self.port))

    def replace_by(self, stranger: type[Stranger]) -> None:
        """Let something else answer at the shop's address."""
        self.shut()
        stranger.posts = []
        until(lambda: self._bound(stranger), what="the shop's port is free")

    def _bound(self, stranger: type[Stranger]) -> bool:
        # what was shut a moment ago may hold its port a moment longer
        with contextlib.suppress(OSError):
            self._run(ThreadingHTTPServer(("127.0.0.1", self.port), stranger))
            return True
        return False

    def _run(self, server: BaseWSGIServer | ThreadingHTTPServer) -> None:
        self._server = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def shut(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def responses(self) -> list[Any]:
        with self.chain.db.read(SYSTEM) as session:
            return list(session.scalars(sa.select(Response)))


class Stranger(BaseHTTPRequestHandler):
    """Something on the line that is not our server."""

    posts: ClassVar[list[float]]
    """When it was asked, by the clock of this machine."""

    def do_GET(self) -> None:
        self.say(200, "text/html", b"<!doctype html><title>Pay for your line</title>")

    def do_POST(self) -> None:
        type(self).posts.append(monotonic())
        self.receive(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["responses"])

    def receive(self, items: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    def say(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


class CaptivePortal(Stranger):
    """The portal of a mobile operator: a page of its own and 200 to everything."""

    posts: ClassVar[list[float]] = []

    def receive(self, _items: list[dict[str, Any]]) -> None:
        self.do_GET()


class Busy(Stranger):
    """A server that asks for patience."""

    posts: ClassVar[list[float]] = []

    WAIT = 2

    def receive(self, _items: list[dict[str, Any]]) -> None:
        self.say(429, "application/json", b"{}", Retry_After=str(self.WAIT))


class Stumbling(Stranger):
    """A server that falls over one item of those it gets."""

    posts: ClassVar[list[float]] = []

    def receive(self, items: list[dict[str, Any]]) -> None:
        if any(item["answers"] == {"smiley": 2} for item in items):
            return self.say(500, "text/html", b"")
        results = [{"id": item["id"], "status": "stored"} for item in items]
        return self.say(200, "application/json", json.dumps({"results": results}).encode())


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    app.config["TESTING"] = False
    opened = Shop(app)
    yield opened
    opened.shut()


@pytest.fixture
def kiosk(shop: Shop, visitor: BrowserContext) -> Page:
    return opened(visitor.new_page(), shop)


def opened(page: Page, shop: Shop) -> Page:
    page.goto(shop.address)
    until(lambda: mark(page, "ready") == "true", what="works offline")
    return page


def mark(page: Page, name: str) -> str | None:
    found: str | None = page.evaluate("(name) => document.documentElement.dataset[name]", name)
    return found


def until_screen(page: Page, name: str) -> None:
    until(lambda: mark(page, "screen") == name, what=f"screen {name}")


def until_delivered(page: Page) -> None:
    """Wait until no answer is in hand and none waits: a tap counts as waiting only once it is on disk."""
    until(lambda: mark(page, "screen") not in ("reason", "comment") and mark(page, "queued") == "0", what="delivered")


def kept(page: Page, store: str = "items") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(KEPT, store)
    return found


def tap(page: Page, smiley: int) -> None:
    page.click(f'button[data-answer="{smiley}"]')


def skip_to_thanks(page: Page) -> None:
    def over() -> bool:
        screen = mark(page, "screen")
        if screen in ("reason", "comment"):
            with contextlib.suppress(TimeoutError):  # on a busy machine the screen may be gone before the click
                page.click("[data-skip]", timeout=1_000)
        return screen == "thanks"

    until(over, what="thanks")
