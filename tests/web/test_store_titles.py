"""What the chart of stores says: who is surely last, first, or behind, and when it could be chance."""

from __future__ import annotations

import pytest
from flask import Flask

from analysis.metrics import Estimate
from analysis.trends import Change
from feedback_app.services.metrics import StoreName
from feedback_app.services.overview import StoreRow
from feedback_app.web.overview import stores_title

NO_CHANGE = Change(None, None, None, None)


def row(code: str, rank: tuple[int, int]) -> StoreRow:
    name = {"ru": code, "be": code, "en": code}
    store = StoreName(code, name, "minsk", "Europe/Minsk")
    return StoreRow(store, Estimate(70, 65, 75, 100), None, NO_CHANGE, rank, 100, 0)


@pytest.mark.parametrize(
    ("ranks", "says"),
    [
        ([(1, 2), (1, 2), (3, 3)], "last place"),
        ([(1, 1), (2, 3), (2, 3)], "first place"),
        ([(1, 2), (1, 2), (3, 4), (3, 4)], "2 stores lie behind the best"),
        ([(1, 3), (1, 3), (1, 3)], "No store stands apart"),
        ([(1, 1)], "fewer than two"),
    ],
)
def test_the_title_says_what_the_ranks_say(app: Flask, ranks: list[tuple[int, int]], says: str) -> None:
    with app.test_request_context("/?lang=en"):
        assert says in stores_title([row(f"{place:03}", rank) for place, rank in enumerate(ranks)])
