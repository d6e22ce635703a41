"""The overview: every figure with its n and interval, the answer first, and kind words where there is nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.builders import Chain
from tests.web.scene import FEW, LETTERS, TAPS, Reader, text_of, title_of

NUMBER_OF_TAPS = TAPS + FEW + LETTERS + 1


def test_the_title_says_what_changed_and_whether_it_is_chance(read: Reader) -> None:
    title = title_of(read("/?store=001"))
    assert title.startswith("Checkout, Minsk, Kashtanavaya: customers are less content. Index 33 (")
    assert title.endswith("lower, not chance")


@pytest.mark.parametrize(("language", "words"), [("ru", "между"), ("be", "паміж"), ("en", "between")])
def test_a_figure_stands_with_its_n_and_interval(read: Reader, language: str, words: str) -> None:
    said = text_of(read("/", language=language))
    assert re.search(rf"{words} \d+ \w+ \d+ n = {NUMBER_OF_TAPS} ", said), said[:1500]


def test_with_fewer_than_five_answers_only_n_is_shown(read: Reader) -> None:
    said = text_of(read("/?store=002&channel=button"))
    assert f"Exit too few to say {FEW} nothing to compare with yet" in said


def test_every_chart_has_a_title_and_its_numbers_as_a_table(read: Reader) -> None:
    page = read("/")
    charts = re.findall(r"<svg[^>]*class=\"chart\".*?</svg>", page, re.DOTALL)
    assert charts
    assert all(re.match(r"<svg[^>]*aria-labelledby[^>]*><title [^>]*>[^<]+</title><desc", chart) for chart in charts)
    assert page.count('<div class="drawn-wide">') == page.count('<div class="drawn-narrow">') == 3
    assert page.count('<details class="numbers">') == 3


def test_one_store_is_not_ranked_against_itself(read: Reader) -> None:
    assert 'aria-labelledby="stores"' in read("/")
    assert 'aria-labelledby="stores"' not in read("/", "manager")


def test_what_to_mend_leads_to_its_words(read: Reader) -> None:
    page = read("/?store=001")
    assert re.search(r'class="card-end">.*?href="/map/touchpoint/checkout\?store=001"', page, re.DOTALL)


def test_an_empty_chain_says_what_to_do_next(sign_in: Callable[[str], FlaskClient]) -> None:
    said = sign_in("director").get("/?lang=en").text
    assert title_of(said) == "No responses in this period"
    assert "Here will stand what customers say" in said
    assert 'class="button" href="/points"' in said


def test_an_empty_choice_offers_a_wider_one(read: Reader) -> None:
    said = read("/?since=2020-01-01&until=2020-01-07")
    assert "Nothing came in for this choice" in said
    assert 'class="button" href="/?days=90"' in said


def test_a_chain_without_stores_in_sight_is_no_fault(app_chain: Chain, sign_in: Callable[[str], FlaskClient]) -> None:
    assert sign_in("manager").get("/?store=003").status_code == 200
