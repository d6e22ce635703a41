"""The journey map and the words behind its points."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.web.scene import LETTERS, MARKUP, TAPS, Reader, text_of, title_of

STAGES = {
    "ru": ["Осмысление", "Оценка", "Сделка", "Пользовательский опыт", "Триггер"],
    "be": ["Усведамленне", "Ацэнка", "Здзелка", "Карыстальніцкі вопыт", "Трыгер"],
    "en": ["Awareness", "Evaluation", "Deal", "Customer experience", "Trigger"],
}


@pytest.mark.parametrize("language", STAGES)
def test_the_five_stages_follow_one_another(read: Reader, language: str) -> None:
    page = read("/map", language=language)
    heads = re.findall(r'<h2 id="stage-[a-z]+">(.*?)</h2>', page, re.DOTALL)
    assert [text_of(head) for head in heads] == STAGES[language]


def test_a_touchpoint_stands_on_its_stage_with_index_and_n(read: Reader) -> None:
    page = read("/map?store=001")
    deal = page.partition('id="stage-deal"')[2].partition('id="stage-experience"')[0]
    assert re.search(rf"Checkout 33 \(\d+–\d+\) n = {TAPS + 1}", text_of(deal)), text_of(deal)
    assert 'href="/map/touchpoint/checkout?store=001"' in deal


def test_sources_come_on_demand_without_a_script(read: Reader) -> None:
    page = read("/map")
    assert 'href="/map?sources=1' in page
    assert "Comments left with answers" not in page.partition("<details")[0]
    opened = read("/map?sources=1")
    curve = opened.partition('class="map-curve"')[2].partition("</section>")[0]
    assert "Loyalty button" in curve


def test_an_empty_map_says_what_will_stand_here(sign_in: Callable[[str], FlaskClient]) -> None:
    page = sign_in("director").get("/map?lang=en").text
    assert title_of(page) == "An empty map"
    assert "Here will stand the customer's road" in text_of(page)


def test_words_of_customers_stay_words(read: Reader) -> None:
    page = read("/map/touchpoint/checkout?store=001")
    assert "<script>alert" not in page
    assert MARKUP in text_of(page)


def test_the_words_that_carried_the_tone_are_marked(read: Reader) -> None:
    page = read("/map/touchpoint/counter?store=002")
    assert re.search(r'<mark class="mark-negative">[^<]*terrible[^<]*</mark>', page)


def test_older_comments_follow_without_gap_or_repetition(read: Reader) -> None:
    page = read("/map/touchpoint/counter?store=002")
    more = re.search(r'rel="next" href="([^"]*)"', page)
    assert more
    rest = read(more[1].replace("&amp;", "&"))
    numbers = re.findall(r"Letter (\d+):", text_of(page)) + re.findall(r"Letter (\d+):", text_of(rest))
    assert len(re.findall(r"Letter (\d+):", text_of(page))) == 20
    assert sorted(map(int, numbers)) == list(range(LETTERS))
    assert "These are all of them" in rest


def test_the_title_of_the_words_is_the_figure_they_explain(read: Reader) -> None:
    assert title_of(read("/map/touchpoint/checkout?store=001")).startswith("Checkout: smiley index 33 (")
    assert title_of(read("/map/stage/deal")).startswith("Deal: emotion ")


def test_a_touchpoint_with_few_answers_gets_no_figure(read: Reader) -> None:
    assert title_of(read("/map/touchpoint/exit")) == "Exit: smiley index too few to say (n = 3). The words behind it"
