"""Where charts are drawn: in this process, or as a process of its own that takes orders and gives markup back.

The only module of the pages that loads matplotlib; `studio` starts it as `python -m feedback_app.web.easel`.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from analysis.charts import (
    count_map,
    emotion_curve,
    heat_map,
    histogram,
    ranked_stores,
    render,
    spark,
    touchpoint_rows,
)
from feedback_app.web.drawings import DRAWN, FAILED, READY, Order

ALARM_SECONDS = 30
"""A drawing that hangs ends the process, also when nobody is left who waits for it."""
NICENESS = 5
CHARTS: Mapping[str, Callable[..., Any]] = {
    chart.__name__: chart
    for chart in (count_map, emotion_curve, heat_map, histogram, ranked_stores, spark, touchpoint_rows)
}


def draw(order: Order) -> str:
    """Return the chart that is ordered, as the markup of one <svg>."""
    figure = CHARTS[order.chart](*order.content, **dict(order.options))
    return render(figure, order.title, order.description, order.prefix)


def _answer(order: Order) -> tuple[str, str]:
    signal.alarm(ALARM_SECONDS)
    try:
        return DRAWN, draw(order)
    except Exception:
        return FAILED, traceback.format_exc()
    finally:
        signal.alarm(0)


def serve(orders: Connection) -> None:
    """Draw what is ordered until the other end is closed, by whatever end its process meets."""
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        orders.send((READY, ""))
        while True:
            orders.send(_answer(orders.recv()))


if __name__ == "__main__":
    # Ctrl+C reaches the whole group: the server finishes its pages, and this process ends when the server is gone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)  # a tap goes before a chart
    serve(Connection(int(sys.argv[1])))
