"""The soak: kiosks full of shoppers, lines that break and a server that is killed, at random by a seed.

At the end all faults are lifted and the queues run empty; then what the shoppers were thanked for is held against the
database: nothing lost, nothing twice, nothing set aside, and the rollups equal a recount.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as BrowserSays

from tests.browser.chromium import ARGUMENTS, DESK, EXECUTABLE
from tests.browser.failures import line as on_the_line
from tests.browser.failures.kiosks import address, open_kiosk
from tests.browser.failures.ledger import Ledger, drain
from tests.browser.failures.line import Line
from tests.browser.failures.server import Server
from tests.browser.kiosk_shop import kept

PLACES = ("checkout", "counter", "entrance")
FAULTS = (
    on_the_line.cut_before_the_body,
    on_the_line.cut_in_the_middle_of_the_body,
    on_the_line.cut_after_the_body,
    on_the_line.lose_the_answer,
    on_the_line.cut_in_the_middle_of_the_answer,
    on_the_line.black_hole,
    on_the_line.CAPTIVE_PORTAL,
    on_the_line.answer(502),
)
DRAIN_SECONDS = 240

# Shoppers in a hurry: one after the other at a pace, without follow-ups.
SHOPPERS = """(pace) => {
  const root = document.documentElement;
  const press = (selector) => { const found = document.querySelector(selector); if (found) found.click(); };
  let due = performance.now(), number = 0;
  window.shoppers = { stop: false, gone: false };
  const step = () => {
    const { screen } = root.dataset;
    if (screen === "question") {
      if (window.shoppers.stop) return void (window.shoppers.gone = true);
      if (performance.now() >= due) {
        due = Math.max(due + pace, performance.now() - 10 * pace);
        press(`button[data-answer="${1 + number++ % 4}"]`);
      }
    }
    else if (screen === "thanks") press("h1");
    else press("main [data-skip]");
    setTimeout(step, 15);
  };
  step();
}"""


@dataclass
class Summary:
    """What a soak did and what came of it."""

    seed: int
    minutes: float
    kiosks: int
    taps: int = 0
    thanked: int = 0
    stored: int = 0
    kills: int = 0
    cuts: int = 0
    duration_s: float = 0
    drained_s: float = 0


@dataclass
class Kiosk:
    """A kiosk with a line of its own."""

    page: Page
    line: Line


class Soak:
    """One run over a running server."""

    def __init__(self, server: Server, ledger: Ledger, kiosks: list[Kiosk], summary: Summary, rhythm: float) -> None:
        self.server, self.ledger, self.kiosks, self.summary = server, ledger, kiosks, summary
        self.rng = random.Random(summary.seed)
        self.rhythm = rhythm
        """Seconds that a fault and the calm after it take on average."""
        self._later: list[tuple[float, Callable[[], None]]] = []

    def run(self, taps: int) -> None:
        """Let shoppers tap for the planned time, and on until there were `taps`, while everything breaks."""
        seconds = self.summary.minutes * 60
        pace = 1000 * seconds * len(self.kiosks) / taps * 0.8
        start, next_fault = monotonic(), 0.0
        while (now := monotonic() - start) < seconds or (len(self.ledger.tapped) < taps and now < 2 * seconds):
            for kiosk in self.kiosks:
                self._keep_tapping(kiosk.page, pace)
            for item in [item for item in self._later if item[0] <= now]:
                self._later.remove(item)
                item[1]()
            if now >= next_fault:
                self._break_something(now)
                next_fault = now + self.rng.uniform(0.5, 1.5) * self.rhythm
            self.kiosks[0].page.wait_for_timeout(100)
        self.summary.duration_s = round(monotonic() - start, 1)

    def _keep_tapping(self, page: Page, pace: float) -> None:
        # A page that opened itself anew has lost its shoppers; while it does so it cannot be asked.
        with contextlib.suppress(BrowserSays):
            if not page.evaluate("Boolean(window.shoppers)"):
                page.evaluate(SHOPPERS, pace)

    def _break_something(self, now: float) -> None:
        # All that is drawn is drawn in one order, so that the seed repeats the run as far as the machine does.
        kind, kiosk = self.rng.random(), self.rng.choice(self.kiosks)
        fault, times, lasts = self.rng.choice(FAULTS), self.rng.randint(1, 4), self.rng.uniform(0.2, 1) * self.rhythm
        if kind < 0.25:
            self.server.kill()
            self.summary.kills += 1
            self._later.append((now + lasts, self._restart))
        elif kind < 0.55:
            kiosk.line.down()
            self.summary.cuts += 1
            self._later.append((now + lasts, kiosk.line.up))
        else:
            kiosk.line.strike(fault, times=times)
            self.summary.cuts += 1

    def _restart(self) -> None:
        # It may have been killed again, and started, meanwhile.
        if not self.server.running:
            self.server.launch()

    def settle(self) -> None:
        """Lift all faults, let the last shoppers go and the queues run empty, and check."""
        start = monotonic()
        for kiosk in self.kiosks:
            self._send_shoppers_home(kiosk.page)
            kiosk.line.clear()
            kiosk.line.up()
        self._restart()
        self.server.wait()
        for kiosk in self.kiosks:
            drain(kiosk.page, DRAIN_SECONDS)
        self.summary.drained_s = round(monotonic() - start, 1)
        summary, ledger = self.summary, self.ledger
        summary.taps, summary.thanked, summary.stored = len(ledger.tapped), len(ledger.thanked), len(ledger.stored())
        for kiosk in self.kiosks:
            assert kept(kiosk.page, "quarantine") == []
        ledger.check()
        assert ledger.stored() == set(ledger.tapped), "every tap counts from the first touch on"

    def _send_shoppers_home(self, page: Page) -> None:
        page.evaluate("window.shoppers.stop = true")
        end = monotonic() + 60
        while not page.evaluate("window.shoppers.gone"):
            assert monotonic() < end, "the last shopper does not get through"
            page.wait_for_timeout(50)


@contextlib.contextmanager
def kiosks_of(server: Server, ledger: Ledger, browser: Browser, number: int) -> Iterator[list[Kiosk]]:
    """Lend kiosks that work offline, each in a storage of its own."""
    with contextlib.ExitStack() as stack:
        lent = []
        for place in PLACES[:number]:
            context = stack.enter_context(browser.new_context(**DESK))
            ledger.watch(context)
            line = Line(server.port)
            stack.callback(line.down)
            lent.append(Kiosk(open_kiosk(context.new_page(), address(line, server, place)), line))
        yield lent


def soak(folder: Path, database: Path, *, seed: int, minutes: float, taps: int, rhythm: float) -> dict[str, object]:
    """Run a soak over a copy of a laid chain; returns the summary, or raises AssertionError with what went wrong."""
    server = Server(folder, database)
    summary = Summary(seed=seed, minutes=minutes, kiosks=len(PLACES))
    try:
        server.start()
        ledger = Ledger(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=EXECUTABLE, headless=True, args=ARGUMENTS)
            with kiosks_of(server, ledger, browser, summary.kiosks) as kiosks:
                run = Soak(server, ledger, kiosks, summary, rhythm)
                run.run(taps)
                run.settle()
            browser.close()
    finally:
        server.close()
    return asdict(summary)
