"""While people tap, a page lags a few seconds instead of being counted anew at every look."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from feedback_app.web.freshness import PAGE_AGE, page_age
from tests.builders import Chain
from tests.web.scene import text_of


@pytest.mark.parametrize("path", ["/?lang=en", "/map?lang=en"])
def test_a_tap_stands_on_a_page_as_soon_as_its_age_is_over(
    app: Flask, app_chain: Chain, sign_in: Callable[[str], FlaskClient], path: str
) -> None:
    director = sign_in("director")
    app.config["OTKLIK_PAGE_AGE"] = 3600
    app_chain.a_tap(4)
    for taps_shown, age in ((1, 3600), (1, 3600), (3, 0)):
        app.config["OTKLIK_PAGE_AGE"] = age
        said = text_of(director.get(path).get_data(as_text=True))
        assert f"n = {taps_shown} " in said, said
        app_chain.a_tap(4)


def test_a_page_lags_ten_seconds_at_most_and_in_tests_not_at_all(app: Flask) -> None:
    with app.app_context():
        assert page_age() == 0
        app.config["TESTING"] = False
        assert page_age() == PAGE_AGE <= 10
