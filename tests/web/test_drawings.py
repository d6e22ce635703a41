"""A drawing is made once for the same numbers, and the shelf stays small."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from time import sleep

from feedback_app.web.drawings import Shelf


def test_many_readers_at_once_cost_one_drawing() -> None:
    shelf, drawn, start = Shelf(), [], threading.Barrier(8)

    def draw() -> str:
        drawn.append(1)
        sleep(0.05)
        return "<svg/>"

    def look(_: int) -> str:
        start.wait()
        return shelf.get(("stores", "ru"), draw)

    with ThreadPoolExecutor(8) as readers:
        assert set(readers.map(look, range(8))) == {"<svg/>"}
    assert len(drawn) == 1


def test_other_numbers_are_another_drawing() -> None:
    shelf = Shelf()
    assert shelf.get(("stores", (64,)), lambda: "a") == "a"
    assert shelf.get(("stores", (65,)), lambda: "b") == "b"


def test_what_was_not_looked_at_longest_goes_first() -> None:
    shelf = Shelf(size=2)
    for key in ("a", "b", "a", "c"):
        shelf.get(key, key.upper)
    assert len(shelf) == 2
    assert shelf.get("a", lambda: "drawn anew") == "A"
    assert shelf.get("b", lambda: "drawn anew") == "drawn anew"


def test_a_drawing_that_failed_is_tried_again() -> None:
    shelf = Shelf()
    try:
        shelf.get("a", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    except ZeroDivisionError:
        assert shelf.get("a", lambda: "A") == "A"
