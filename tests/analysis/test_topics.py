"""What people write of again and again, and no aspect covers, is listed: so many comments, and none counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.aspects import read_own_words
from analysis.topics import SHORT_EXAMPLE, Topic, stems_of, topics

PLAYGROUND = ["Нет детской площадки", "Сделайте детскую площадку!", "Детская площадка очень нужна, площадка"]
POOL = [
    *PLAYGROUND,
    "Аквариум",
    "аквариумы",
    "the playground",
    "Playgrounds everywhere",
    "аўтобус",
    "аўтобуса",
    "",
    "12",
]


def of(texts: list[str], language: str = "ru", **more: int) -> list[Topic]:
    return topics([(text, language) for text in texts], **more)


def told(found: list[Topic]) -> list[tuple[str, int]]:
    return [(topic.words, topic.n) for topic in found]


def test_a_pair_of_words_that_comes_again_is_one_topic_and_counts_once_a_comment() -> None:
    assert of(PLAYGROUND) == [Topic("детская площадка", "ru", 3, 0)]


def test_a_word_that_also_comes_alone_is_told_beside_its_pair() -> None:
    assert told(of([*PLAYGROUND, "Площадка!"])) == [("площадка", 4), ("детская площадка", 3)]


def test_fewer_comments_than_asked_for_make_no_topic() -> None:
    assert of(PLAYGROUND[:2]) == []
    assert told(of([PLAYGROUND[2]] * 2, least=2)) == [("детская площадка", 2)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ужасно, отвратительно, прекрасно", "ru"),
        ("Очередь на кассе, дорогие цены", "ru"),
        ("Потому что сегодня снова", "ru"),
        ("Чарга, цэны, касірка, жудасна", "be"),
        ("the queue was terrible and the prices are high", "en"),
        ("because they would have been there again", "en"),
        ("24 2026", "ru"),
    ],
)
def test_words_of_feeling_of_an_aspect_and_of_grammar_are_no_topics(text: str, language: str) -> None:
    assert of([text] * 5, language) == []


def test_a_word_that_the_chain_has_listed_is_no_new_topic() -> None:
    own = read_own_words(["aspect\tlanguage\tpattern", "other\tru\tдетск~ площадк~"])
    assert topics([(text, "ru") for text in PLAYGROUND], own_words=own) == []


def test_a_text_in_none_of_our_languages_is_left_out() -> None:
    assert topics([(text, None) for text in PLAYGROUND] + [(text, "be") for text in PLAYGROUND[:1]]) == []


def test_topics_of_each_language_stand_in_one_list() -> None:
    texts = [("Аўтобус не ходзіць", "be")] * 4 + [("A playground for kids", "en")] * 3
    assert ("аўтобус", "be", 4) in {(one.words, one.language, one.n) for one in topics(texts)}
    assert "playground" in " ".join(one.words for one in topics(texts) if one.language == "en")


def test_the_example_is_short_enough_to_read_where_there_is_one() -> None:
    long = "Аквариум" + " и" * SHORT_EXAMPLE
    assert [one.example_index for one in of([long, "Аквариум", "Аквариум!"])] == [1]
    assert [one.example_index for one in of([f"{long} и", long, f"{long} и"])] == [1]


@pytest.mark.parametrize(
    "forms",
    [
        ["парковка", "парковки", "парковку", "парковок"],
        ["площадка", "площадкой", "площадками"],
        ["тележка", "тележек", "тележки"],
        ["билет", "билеты", "билетов"],
        ["сыр", "сыра", "сыры"],
        ["аўтобус", "аўтобуса", "аўтобусы"],
        ["trolley", "trolleys"],
        ["battery", "batteries"],
    ],
)
def test_forms_of_one_word_have_one_stem(forms: list[str]) -> None:
    assert len(set(stems_of(set(forms)).values())) == 1


@pytest.mark.parametrize("words", [["площадка", "площадь"], ["музыка", "музей"], ["парк", "парковка"]])
def test_words_that_only_begin_alike_are_two(words: list[str]) -> None:
    assert len(set(stems_of(set(words)).values())) == 2


@settings(deadline=None, max_examples=60)
@given(
    texts=st.lists(st.tuples(st.sampled_from(POOL) | st.text(max_size=30), st.sampled_from(["ru", "be", "en", None]))),
    least=st.integers(1, 4),
    most=st.integers(0, 5),
)
def test_no_topic_is_in_more_comments_than_there_are_and_the_commonest_come_first(
    texts: list[tuple[str, str | None]], least: int, most: int
) -> None:
    found = topics(texts, least, most)
    assert len(found) <= most
    assert [one.n for one in found] == sorted((one.n for one in found), reverse=True)
    assert len({(one.words, one.language) for one in found}) == len(found)
    for one in found:
        its_own = [text for text, language in texts if language == one.language]
        assert least <= one.n <= len(its_own)
        assert texts[one.example_index][1] == one.language
    assert found == topics(texts, least, most)
    assert found == topics(texts, least, 1000)[:most]
