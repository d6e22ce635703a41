"""A process of its own that draws, so that no tap waits for a chart and the server never loads matplotlib."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe

from feedback_app.web.drawings import DRAWN, NotDrawnError, Order

START_SECONDS = 30.0
DRAW_SECONDS = 10.0
QUEUE_SECONDS = 20.0
"""How long a page waits for the charts of others before it comes without its own."""
REST_SECONDS = 30.0
"""After a failure no chart is tried for so long: a page waits once, not once for each of its charts."""
# A plain child rather than one of multiprocessing: that would read the server's main module anew, and may not be begun
# by every kind of worker. -P keeps the folder the server was started in out of what can be imported.
COMMAND = (sys.executable, "-P", "-m", "feedback_app.web.easel")

log = logging.getLogger(__name__)


def environment() -> dict[str, str]:
    """Return the environment of a process that finds the modules that this one finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class Studio:
    """One easel for all threads, a drawing at a time; begun at the first order or before it, anew where it ended."""

    def __init__(self, command: Sequence[str] = COMMAND, draw_seconds: float = DRAW_SECONDS) -> None:
        self._command = command
        self._draw_seconds = draw_seconds
        self._pen = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._rests_until = 0.0

    @property
    def pid(self) -> int | None:
        """Return the process that draws; None where there is none."""
        return self._process.pid if self._process else None

    def begin(self) -> None:
        """Begin the process in the background, so that the first chart need not wait for it."""
        threading.Thread(target=self._begin_early, name="otklik-studio", daemon=True).start()

    def draw(self, order: Order) -> str:
        """Return the markup of a chart, or raise NotDrawnError; within a time limit, whatever the process does."""
        if not self._pen.acquire(timeout=QUEUE_SECONDS):
            raise NotDrawnError("too many charts at once")
        try:
            return self._drawn(order)
        finally:
            self._pen.release()

    def close(self) -> None:
        """End the process."""
        with self._pen:
            self._end()

    def _begin_early(self) -> None:
        with self._pen:
            try:
                self._easel()
            except OSError:
                log.warning("the process that draws did not begin; the first chart tries again", exc_info=True)
                self._end()

    def _drawn(self, order: Order) -> str:
        if time.monotonic() < self._rests_until:
            raise NotDrawnError("charts rest after a failure")
        try:
            word, markup = self._ask_twice(order)
        except Exception as error:
            log.exception("a chart could not be drawn: %s", order.prefix)
            self._end()
            self._rests_until = time.monotonic() + REST_SECONDS
            raise NotDrawnError(order.prefix) from error
        if word != DRAWN:
            log.error("a chart could not be drawn: %s\n%s", order.prefix, markup)
            raise NotDrawnError(order.prefix)
        return markup

    def _ask_twice(self, order: Order) -> tuple[str, str]:
        try:
            return self._ask(order)
        except TimeoutError:
            raise
        except OSError:
            # It ended between two drawings, or somebody ended it: another one is as good.
            log.warning("the process that draws ended and is begun anew")
            self._end()
            return self._ask(order)

    def _ask(self, order: Order) -> tuple[str, str]:
        line = self._easel()
        line.send(order)
        return self._heard(line, self._draw_seconds)

    def _easel(self) -> Connection:
        if self._line is None:
            own, other = Pipe()
            with other:
                self._line = own
                self._process = subprocess.Popen(  # noqa: S603 - our own module in our own Python
                    [*self._command, str(other.fileno())],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[other.fileno()],
                    env=environment(),
                )
            self._heard(own, START_SECONDS)
        return self._line

    @staticmethod
    def _heard(line: Connection, seconds: float) -> tuple[str, str]:
        if not line.poll(seconds):
            raise TimeoutError(f"no answer within {seconds} s")
        try:
            word, text = line.recv()
        except EOFError:
            raise ConnectionResetError("the process that draws ended") from None
        return word, text

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None
