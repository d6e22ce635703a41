"""Kiosks that are touched, filled, unplugged and started again."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright
from playwright.sync_api import Error as BrowserGone

from tests.browser.chromium import ARGUMENTS, DESK, EXECUTABLE, until
from tests.browser.failures.ledger import Ledger
from tests.browser.failures.line import Line
from tests.browser.failures.server import Server
from tests.browser.kiosk_shop import kept, mark, tap, until_screen

FILL = """(records) => new Promise((resolve, reject) => {
  const request = indexedDB.open("otklik-kiosk");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const database = request.result;
    const transaction = database.transaction("items", "readwrite");
    transaction.oncomplete = () => { database.close(); resolve(); };
    transaction.onabort = () => reject(transaction.error);
    for (const record of records) transaction.objectStore("items").put(record);
  };
})"""

# `kept` of the kiosk's shop, that gives up: a browser on a full disk may never answer.
READ = """() => new Promise((resolve) => {
  setTimeout(() => resolve([]), 2000);
  const request = indexedDB.open("otklik-kiosk");
  request.onerror = () => resolve([]);
  request.onsuccess = () => {
    const all = request.result.transaction("items").objectStore("items").getAllKeys();
    all.onsuccess = () => { request.result.close(); resolve(all.result); };
    all.onerror = () => { request.result.close(); resolve([]); };
  };
})"""


def address(line: Line, server: Server, touchpoint: str = "checkout") -> str:
    """Where a kiosk's page is."""
    return f"{line.address}/k/{server.chain.token('001', touchpoint)}"


def open_kiosk(page: Page, at: str) -> Page:
    """Open a kiosk's page and wait until it works offline."""
    page.goto(at)
    until(lambda: mark(page, "ready") == "true", what="works offline")
    return page


def answer(page: Page, smiley: int, words: str = "") -> None:
    """Tap, leave the follow-up out (but for the words), and be thanked."""
    until_screen(page, "question")
    tap(page, smiley)
    follow_up(page, words)


def follow_up(page: Page, words: str = "") -> None:
    """Go through the screens after the tap to the thanks."""

    def thanked() -> bool:
        screen = mark(page, "screen")
        with contextlib.suppress(BrowserGone):
            if screen == "comment" and words:
                page.fill("textarea", words, timeout=1000)
                page.locator("main form").evaluate("form => form.requestSubmit()")
            elif screen in ("reason", "comment"):
                page.locator("main [data-skip]").first.evaluate("button => button.click()", timeout=1000)
        return screen == "thanks"

    until(thanked, what="thanks")


def next_shopper(page: Page) -> None:
    """Let the thanks end and the next shopper come."""
    page.evaluate("document.querySelector('h1').click()")
    until_screen(page, "question")


def shoppers(page: Page, smileys: list[int]) -> None:
    """Let some shoppers answer, one after the other."""
    for smiley in smileys:
        answer(page, smiley)
        next_shopper(page)


def readable(page: Page) -> set[str]:
    """Return the ids of what the device holds; none where its store does not open."""
    return set(page.evaluate(READ))


def new_id() -> str:
    """Return a UUIDv7 of now."""
    head = f"{time.time_ns() // 1_000_000:012x}"
    tail = secrets.token_hex(10)
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:18]}"


def fill(page: Page, ledger: Ledger, number: int, change: Callable[[int, dict[str, Any]], None] | None = None) -> None:
    """Multiply the finished item that the device holds until it holds `number`; `change` spoils some of them."""
    found = kept(page)
    pattern = next(record for record in found if not record.get("open"))
    highest = max((record["item"].get("sequence", 0) for record in found), default=0)
    records = []
    for index in range(number - len(found)):
        record = json.loads(json.dumps(pattern).replace(pattern["id"], new_id()))
        if "sequence" in record["item"]:
            record["item"]["sequence"] = highest + 1 + index
        if change:
            change(index, record["item"])
        records.append(record)
    for start in range(0, len(records), 500):
        page.evaluate(FILL, records[start : start + 500])
    ledger.owe(record["item"] for record in records)


class Device:
    """A kiosk's browser with a profile of its own, that can lose its power."""

    def __init__(self, playwright: Playwright, folder: Path, executable: str = EXECUTABLE) -> None:
        self.playwright, self.folder, self.executable = playwright, folder, executable
        self.context: BrowserContext | None = None

    def start(self, ledger: Ledger | None = None, **options: Any) -> Page:
        """Switch it on; returns an empty page of it."""
        for lock in self.folder.glob("Singleton*"):
            lock.unlink()
        settings: dict[str, Any] = {**DESK, **options}
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.folder), executable_path=self.executable, headless=True, args=ARGUMENTS, **settings
        )
        if ledger is not None:
            ledger.watch(self.context)
        return self.page

    @property
    def page(self) -> Page:
        """The page that stands on its screen."""
        assert self.context is not None
        return self.context.pages[0]

    def pids(self) -> list[int]:
        """Return the processes of this browser and of no other."""
        return [pid for pid in _processes() if f"--user-data-dir={self.folder}" in _words(pid)]

    def kill(self) -> None:
        """Pull the plug: kill -9 for the browser and all that it started."""
        tree = _with_children(self.pids())
        for pid in tree:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Switch it off properly, if it still runs."""
        context, self.context = self.context, None
        if context is not None:
            with contextlib.suppress(BrowserGone):
                context.close()


@contextlib.contextmanager
def device(playwright: Playwright, folder: Path, executable: str = EXECUTABLE) -> Iterator[Device]:
    """Lend a device and switch it off afterwards."""
    lent = Device(playwright, folder, executable)
    try:
        yield lent
    finally:
        lent.close()


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _words(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _with_children(roots: list[int]) -> list[int]:
    parents = {pid: _parent(pid) for pid in _processes()}
    tree = list(roots)
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid and child not in tree]
    return tree
