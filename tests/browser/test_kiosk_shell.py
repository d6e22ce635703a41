"""The kiosk's shell: light to load, whole or not at all, and changed under nobody's hands."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Error, Page

from feedback_app.domain.access import Right
from feedback_app.edge.rights import needs
from feedback_app.storage.tables import Point
from kiosk import shell
from tests.browser.chromium import DESK, until
from tests.browser.kiosk_shop import Shop, mark, opened, skip_to_thanks, tap, until_delivered

pytestmark = pytest.mark.browser

FORTY_KILOBYTES = 40_000
LOOK = "window.otklik.lookForNews()"


class Release:
    """The shell's files in a folder where a new release of them can be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 1

    def publish(self) -> None:
        """Change a script, as a new release does."""
        self.number += 1
        script = self.folder / "static" / "attract.js"
        script.write_text(f"{script.read_text()}\ndocument.documentElement.dataset.release = '{self.number}';\n")


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Release:
    folder = tmp_path / "release"
    shutil.copytree(shell.HERE / "static", folder / "static")
    monkeypatch.setattr(shell, "HERE", folder)
    return Release(folder)


def shells(page: Page) -> list[str]:
    found: list[str] = page.evaluate("caches.keys()")
    return found


def until_release(page: Page, number: int) -> None:
    def runs() -> bool:
        try:
            return mark(page, "release") == str(number) and mark(page, "ready") == "true"
        except Exception as gone:  # the page is reloading at this moment
            return "navigation" not in str(gone) and "Cannot find context" not in str(gone) and False

    until(runs, what=f"release {number}")


def test_a_new_release_comes_in_while_nobody_stands_there_and_the_old_one_goes(
    release: Release, shop: Shop, kiosk: Page
) -> None:
    [old] = shells(kiosk)
    release.publish()
    kiosk.evaluate(LOOK)
    until_release(kiosk, 2)
    until(lambda: len(shells(kiosk)) == 1, what="the old shell is gone")
    assert shells(kiosk) != [old]
    shop.shut()
    kiosk.reload()
    until_release(kiosk, 2)


def test_a_release_does_not_touch_a_shopper_who_is_answering(release: Release, kiosk: Page) -> None:
    tap(kiosk, 1)
    release.publish()
    kiosk.evaluate(LOOK)
    until(lambda: len(shells(kiosk)) == 2, what="the new shell is here")
    kiosk.wait_for_timeout(1_500)
    assert (mark(kiosk, "screen"), mark(kiosk, "release")) == ("reason", None)
    skip_to_thanks(kiosk)
    kiosk.click("h1")
    until_release(kiosk, 2)


def test_a_full_queue_outlives_a_release(release: Release, shop: Shop, kiosk: Page) -> None:
    kiosk.route("**/api/v1/responses", lambda route: route.abort())
    for smiley in (1, 2, 3, 4):
        tap(kiosk, smiley)
        skip_to_thanks(kiosk)
        kiosk.click("h1")
    release.publish()
    kiosk.evaluate(LOOK)
    until_release(kiosk, 2)
    assert mark(kiosk, "queued") == "4"
    kiosk.unroute("**/api/v1/responses")
    until_delivered(kiosk)
    assert sorted(response.answers["smiley"] for response in shop.responses()) == [1, 2, 3, 4]


def test_an_old_tab_keeps_its_shell_as_long_as_somebody_answers_in_it(
    release: Release, shop: Shop, kiosk: Page
) -> None:
    other = opened(kiosk.context.new_page(), shop)
    [old] = shells(other)
    tap(other, 1)
    release.publish()
    kiosk.evaluate(LOOK)
    until_release(kiosk, 2)
    assert old in shells(kiosk)
    assert mark(other, "screen") == "reason"
    assert other.evaluate("async () => (await fetch(document.querySelector('link[rel=stylesheet]').href)).ok")
    skip_to_thanks(other)
    other.click("h1")
    until_release(other, 2)
    until(lambda: old not in shells(other), what="the old shell is gone")


def answer_instead(shop: Shop, body: str, status: int) -> Callable[[], None]:
    """Let something on the line answer for the scripts; returns what ends it."""
    views = shop.app.view_functions
    honest = views["kiosk.shell_part"]
    views["kiosk.shell_part"] = needs(Right.PUBLIC)(lambda **_name: (body, status, {"Content-Type": "text/javascript"}))
    return lambda: views.update({"kiosk.shell_part": honest})


def test_half_a_release_is_none(release: Release, shop: Shop, kiosk: Page) -> None:
    kept = shells(kiosk)
    release.publish()
    mend = answer_instead(shop, "", 503)
    kiosk.evaluate(LOOK)
    kiosk.wait_for_timeout(1_500)
    assert mark(kiosk, "release") is None
    kiosk.reload()
    until(lambda: mark(kiosk, "ready") == "true", what="the old shell still opens")
    assert mark(kiosk, "release") is None
    shop.shut()
    kiosk.reload()
    tap(kiosk, 4)
    skip_to_thanks(kiosk)
    assert kept[0] in shells(kiosk)
    mend()
    shop.open()
    kiosk.click("h1")
    kiosk.evaluate(LOOK)
    until_release(kiosk, 2)


def test_a_strangers_file_is_not_taken_for_ours(release: Release, shop: Shop, kiosk: Page) -> None:
    release.publish()
    answer_instead(shop, "document.documentElement.dataset.release = '2';", 200)
    kiosk.evaluate(LOOK)
    kiosk.wait_for_timeout(1_500)
    kiosk.reload()
    until(lambda: mark(kiosk, "ready") == "true", what="the old shell still opens")
    assert mark(kiosk, "release") is None


def close_point(shop: Shop) -> None:
    table = Point.__table__
    change = sa.update(table).where(table.c.token == shop.chain.token()).values(closed_at=datetime.now(UTC))
    shop.chain.db.write(lambda connection: connection.execute(change))


def test_a_closed_point_keeps_its_page_over_a_release(release: Release, shop: Shop, kiosk: Page) -> None:
    other = shop.address.replace(shop.chain.token(), shop.chain.token(touchpoint="exit"))
    close_point(shop)
    release.publish()
    open_page = kiosk.context.new_page()
    open_page.goto(other)
    until_release(open_page, 2)
    kiosk.reload()
    assert kiosk.locator("button[data-answer]").count() == 4

    def thanked() -> bool:
        # The page starts again once for the new release while nobody stands there: a tap may come at that moment.
        with suppress(Error):
            if mark(kiosk, "screen") == "question":
                kiosk.click('button[data-answer="2"]', timeout=1_000)
            kiosk.evaluate("document.querySelector('main [data-skip]')?.click()")
            return mark(kiosk, "screen") == "thanks"
        return False

    until(thanked, what="thanked")


class Meter:
    """A line that counts what comes over it from the server."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.received = 0
        self._counting = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(browser,), daemon=True).start()

    def _serve_one(self, browser: socket.socket) -> None:
        with browser, socket.create_connection(("127.0.0.1", self._to)) as server:
            asking = threading.Thread(target=self._pump, args=(browser, server), daemon=True)
            asking.start()
            self._pump(server, browser, counted=True)
            asking.join()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if counted:
                    with self._counting:
                        self.received += len(data)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def meter(shop: Shop) -> Iterator[Meter]:
    made = Meter(shop.port)
    yield made
    made.close()


def test_the_first_load_is_light_enough_for_a_bad_line(shop: Shop, meter: Meter, chromium: Browser) -> None:
    with chromium.new_context(**DESK) as visitor:
        page = visitor.new_page()
        page.goto(shop.address.replace(str(shop.port), str(meter.port)))
        until(lambda: mark(page, "ready") == "true", what="works offline")
        page.wait_for_timeout(500)
    assert 10_000 < meter.received < FORTY_KILOBYTES
