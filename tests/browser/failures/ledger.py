"""What the shoppers were thanked for, written down beside the kiosk, and the oracle of all failure cases."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.browser.chromium import until
from tests.browser.failures.server import Server
from tests.browser.kiosk_shop import kept, mark

# Looks at the browser alone: which record is put into the outbox after a touch, and when the page says thanks.
WATCH = """(() => {
  const root = () => document.documentElement;
  const seen = new Set();
  let touched = false, current = null, from = 0, screen = null;
  const touch = (event) => {
    if (!root() || root().dataset.screen !== "question") return;
    touched = true;
    if (event.type === "click") from = event.timeStamp;
  };
  for (const kind of ["pointerdown", "keydown", "click"]) window.addEventListener(kind, touch, true);
  const note = (store, record) => {
    if (store !== "items" || !record || !record.item) return;
    const { item } = record;
    if (current && current.id === item.id) current = { id: item.id, answers: item.answers };
    if (seen.has(item.id)) return;
    seen.add(item.id);
    if (!touched) return;
    touched = false;
    current = { id: item.id, answers: item.answers };
    window.ledgerTap(item.id);
  };
  for (const name of ["put", "add"]) {
    const real = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (record, ...more) {
      note(this.name, record);
      return real.call(this, record, ...more);
    };
  }
  new MutationObserver(() => {
    const now = root() && root().dataset.screen;
    if (now === screen) return;
    if (from && now !== "question") {
      const start = from;
      from = 0;
      requestAnimationFrame(() => window.ledgerFelt(performance.now() - start));
    }
    screen = now;
    if (now !== "thanks") return;
    window.ledgerThanks(current ? JSON.stringify(current) : null);
    current = null;
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-screen"] });
})()"""


class Ledger:
    """Every touch that became an item, every thanks and what it was for."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.before = server.stored()
        self.tapped: list[str] = []
        self.thanked: list[str] = []
        self.answers: dict[str, Any] = {}
        """What was answered when thanks were said, by id."""
        self.thanks_for_nothing = 0
        self.felt: list[float] = []
        """Milliseconds from each touch to the frame with the next screen."""

    def watch(self, context: BrowserContext) -> None:
        """Write down what happens on the pages of a browser that are opened from now on."""
        context.expose_binding("ledgerTap", lambda _source, item_id: self.tapped.append(item_id))
        context.expose_binding("ledgerThanks", lambda _source, said: self._thanks(said))
        context.expose_binding("ledgerFelt", lambda _source, milliseconds: self.felt.append(milliseconds))
        context.add_init_script(WATCH)

    def _thanks(self, said: str | None) -> None:
        if said is None:
            self.thanks_for_nothing += 1
            return
        record = json.loads(said)
        self.thanked.append(record["id"])
        self.answers[record["id"]] = record["answers"]

    def owe(self, items: Iterable[dict[str, Any]]) -> None:
        """Write down items that were put into a device by other ways than a touch."""
        for item in items:
            self.tapped.append(item["id"])
            self.thanked.append(item["id"])
            self.answers[item["id"]] = item["answers"]

    def stored(self) -> set[str]:
        """Return the ids that came into the database since the ledger was opened."""
        return self.server.stored() - self.before

    def settle(self, *pages: Page, refused: Collection[str] = (), seconds: float = 60) -> None:
        """Let the queues run empty, then hold what was thanked for against the database.

        `refused` were poisoned by the test: they, and nothing else, are found in the quarantine.
        """
        for page in pages:
            drain(page, seconds)
        for page in pages[:1]:
            assert {record["id"] for record in kept(page, "quarantine")} == set(refused), "the quarantine"
        self.check(refused)

    def check(self, refused: Collection[str] = ()) -> None:
        """Hold what was thanked for against the database: all of it, once, and nothing that nobody touched."""
        stored, thanked = self.stored(), set(self.thanked) - set(refused)
        assert not self.thanks_for_nothing, "thanks were said before anything was kept"
        assert len(self.thanked) == len(set(self.thanked)), "one item was thanked for twice"
        assert not thanked - stored, f"lost: {len(thanked - stored)} of {len(thanked)}"
        assert not stored - set(self.tapped), "stored, though nobody touched anything"
        assert self.server.rollups_are_true()
        for row in self.server.responses(thanked):
            assert row.answers == self.answers[str(row.id)], "another answer than the one thanked for"

    def settle_all_thanked(self, *pages: Page, refused: Collection[str] = (), seconds: float = 60) -> None:
        """Settle, where every touch came to its thanks: the two sets are the same."""
        self.settle(*pages, refused=refused, seconds=seconds)
        assert self.stored() == set(self.thanked) - set(refused)


def drain(page: Page, seconds: float = 60, left: int = 0) -> None:
    """Wait until a kiosk's queue is empty; say meanwhile what a browser says when its line is back."""

    def empty() -> bool:
        if mark(page, "queued") == str(left):
            return True
        say_online(page)
        page.wait_for_timeout(250)
        return False

    until(empty, seconds, f"{left} items wait")


def say_online(page: Page) -> None:
    """Tell a page what a browser tells it when its line is back."""
    page.evaluate("window.dispatchEvent(new Event('online'))")
