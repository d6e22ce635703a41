"""The demo chain speaks like shoppers do: in three languages, on every aspect, each sentence its own."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import feedback_app
from feedback_app.domain.checklists import score_visit
from feedback_app.domain.forms import LANGUAGES, Form, parse
from feedback_app.domain.journey import ASPECTS, B2C_STAGES, TOUCHPOINT_STAGES
from feedback_app.domain.scales import TYPES

DATA = Path(feedback_app.__file__).parent / "services" / "demo_data"
COLUMNS = ["language", "mood", "touchpoint", "channel", "kind", "topic", "text"]
FORM_FILES = sorted((DATA / "forms").glob("*.json"))
KIOSK_POINTS = {"entrance", "shelf", "counter", "checkout", "exit"}
WORDS = re.compile(r"[^\W\d_]+")
NOT_BELARUSIAN = re.compile("[ищъ]", re.IGNORECASE)
NOT_RUSSIAN = re.compile("[ўі]", re.IGNORECASE)
MIXED_SPEECH = {
    "чарга як за каўбасой у дзевяностыя, адна каса и тая зависла",
    "прадаўшчыца добрая жэншчына, усё падкажэць и пакажэць",
    "прыйшла по малако а яго ўжо нету, як заўсёды",
    "дзякуй за абслужываніе, усё харашо",
}
"""Trasianka, the spoken mixture of Russian and Belarusian: filed as Russian, written with Belarusian letters."""


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_comments() -> list[dict[str, str]]:
    with (DATA / "comments.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


COMMENTS = read_comments()


def questions_of(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for section in raw["sections"]:
        yield from section["questions"]


def word_sets(value: Any) -> Iterator[dict[str, str]]:
    """Yield every mapping of languages to a text found anywhere in the data."""
    if isinstance(value, dict):
        if set(value) & set(LANGUAGES):
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from word_sets(item)


def mixed_scripts(text: str) -> list[str]:
    """Return the words in which letters of two scripts stand side by side, which a reader cannot see."""
    return [word for word in WORDS.findall(text) if len({unicodedata.name(sign).split()[0] for sign in word}) > 1]


def load(key: str) -> Form:
    return parse(read_json(DATA / "forms" / f"{key}.json"))


def test_there_are_enough_comments_in_each_language() -> None:
    count = Counter(row["language"] for row in COMMENTS)
    assert set(count) == set(LANGUAGES)
    assert len(COMMENTS) >= 900
    assert count["ru"] >= 420
    assert count["be"] >= 240
    assert count["en"] >= 240


def test_no_comment_is_said_twice() -> None:
    count = Counter(row["text"].lower().strip() for row in COMMENTS)
    assert not [text for text, times in count.items() if times > 1]


def test_every_comment_is_filed_with_known_keys() -> None:
    for row in COMMENTS:
        assert list(row) == COLUMNS, row
        assert row["mood"] in {"negative", "neutral", "positive", "mixed"}, row
        assert row["touchpoint"] in {*TOUCHPOINT_STAGES, "any"}, row
        assert row["channel"] in {"any", "book", "staff", "review"}, row
        assert row["topic"] in ASPECTS, row
        assert row["text"] == row["text"].strip() != "", row


def test_only_book_entries_have_a_kind() -> None:
    kinds = {row["kind"] for row in COMMENTS if row["channel"] == "book"}
    assert kinds == {"complaint", "suggestion", "thanks", "claim"}
    assert {row["kind"] for row in COMMENTS if row["channel"] != "book"} == {""}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_aspect_is_praised_and_blamed_in_each_language(language: str) -> None:
    said = {(row["topic"], row["mood"]) for row in COMMENTS if row["language"] == language}
    assert not {(aspect, mood) for aspect in ASPECTS for mood in ("negative", "positive", "mixed")} - said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_channel_and_touchpoint_has_words_in_each_language(language: str) -> None:
    rows = [row for row in COMMENTS if row["language"] == language]
    assert {row["channel"] for row in rows} == {"any", "book", "staff", "review"}
    assert {row["touchpoint"] for row in rows} == {*TOUCHPOINT_STAGES, "any"}
    assert {row["kind"] for row in rows} == {"", "complaint", "suggestion", "thanks", "claim"}


def test_taps_are_short_and_book_entries_are_longer() -> None:
    for row in COMMENTS:
        words = len(row["text"].split())
        allowed = range(18, 61) if row["channel"] == "book" else range(1, 26)
        assert words in allowed, (words, row["text"])


def test_belarusian_comments_hold_no_russian_letters() -> None:
    assert not [r["text"] for r in COMMENTS if r["language"] == "be" and NOT_BELARUSIAN.search(r["text"])]


def test_russian_comments_hold_belarusian_letters_only_where_people_mix_the_languages() -> None:
    assert {r["text"] for r in COMMENTS if r["language"] == "ru" and NOT_RUSSIAN.search(r["text"])} == MIXED_SPEECH


def test_belarusian_short_u_follows_a_vowel_alone() -> None:
    wrong = re.compile(r"[аеёіоуыэюя] у(?=\w|\s)|[^аеёіоуыэюя] ў|(?:^|[.!?] )ў", re.IGNORECASE)
    texts = [row["text"] for row in COMMENTS if row["language"] == "be"] + [
        words["be"]
        for path in [*FORM_FILES, DATA / "places.json", DATA / "names.json"]
        for words in word_sets(read_json(path))
    ]
    assert not [text for text in texts if wrong.search(text)]


def test_no_latin_letter_hides_in_a_cyrillic_word() -> None:
    assert not {row["text"]: found for row in COMMENTS if (found := mixed_scripts(row["text"]))}
    assert mixed_scripts("кacса") == ["кacса"]


def test_english_comments_are_in_latin_letters() -> None:
    assert not [
        row["text"] for row in COMMENTS if row["language"] == "en" and re.search("[а-яёўі]", row["text"].lower())
    ]


@pytest.mark.parametrize("path", [*FORM_FILES, DATA / "places.json", DATA / "names.json"], ids=lambda path: path.stem)
def test_whatever_is_read_stands_in_three_languages(path: Path) -> None:
    found = list(word_sets(read_json(path)))
    assert found
    for words in found:
        assert list(words) == list(LANGUAGES), words
        assert all(text.strip() == text != "" for text in words.values()), words
        assert not NOT_BELARUSIAN.search(words["be"]), words
        assert not NOT_RUSSIAN.search(words["ru"]), words
        assert not any(mixed_scripts(text) for text in words.values()), words


def test_the_start_forms_are_all_there() -> None:
    assert {path.stem for path in FORM_FILES} == {
        *(f"kiosk-{point}" for point in KIOSK_POINTS),
        "survey-visit",
        "survey-checkout",
        "visit-store",
    }


@pytest.mark.parametrize("path", FORM_FILES, ids=lambda path: path.stem)
def test_a_form_asks_each_question_once_and_only_about_what_was_answered(path: Path) -> None:
    raw = read_json(path)
    assert raw["key"] == path.stem
    earlier: list[str] = []
    for question in questions_of(raw):
        assert question["key"] not in earlier
        assert question["type"] in TYPES
        if "show_if" in question:
            assert question["show_if"]["question"] in earlier
        earlier.append(question["key"])
    assert [question.key for question in parse(raw).questions()] == earlier


@pytest.mark.parametrize("point", sorted(KIOSK_POINTS))
def test_a_happy_shopper_is_not_asked_what_went_wrong(point: str) -> None:
    form = load(f"kiosk-{point}")
    scale = 5 if point == "exit" else 4
    assert form.by_key["smiley"].type == f"smiley{scale}"
    assert 5 <= len(form.by_key["reason"].choice_keys) <= 6
    assert form.by_key["comment"].max_length == 500
    asked = [value for value in range(1, scale + 1) if "reason" in form.asked({"smiley": value})]
    assert asked == list(range(1, scale - 1))


def test_the_known_barriers_of_the_deal_are_ready_made_reasons() -> None:
    barriers = {"out_of_stock", "equipment", "not_served", "queue", "pushed"}
    assert barriers <= set(load("kiosk-exit").by_key["reason"].choice_keys)
    assert barriers <= set(load("survey-visit").by_key["reason"].choice_keys)


def test_one_reason_is_worded_the_same_on_every_form() -> None:
    worded: dict[str, set[str]] = {}
    for path in FORM_FILES:
        for question in questions_of(read_json(path)):
            if question["key"] == "reason":
                for choice in question["choices"]:
                    worded.setdefault(choice["key"], set()).add(json.dumps(choice["text"]))
    assert worded
    assert {len(texts) for texts in worded.values()} == {1}


def test_the_checklist_has_a_section_for_each_stage_and_the_deal_weighs_most() -> None:
    form = load("visit-store")
    assert [{q.stage for q in section.questions} for section in form.sections] == [{stage} for stage in B2C_STAGES]
    possible = [section.weight * sum(q.possible for q in section.questions) for section in form.sections]
    assert [points / sum(possible) * 100 for points in possible] == pytest.approx([10, 20, 35, 25, 10])
    assert {q.touchpoint for q in form.questions()} == KIOSK_POINTS
    assert {q.knock_out for q in form.questions()} == {None, "section", "visit"}


def test_a_perfect_visit_scores_a_hundred_and_expired_goods_nothing() -> None:
    form = load("visit-store")
    perfect: dict[str, Any] = {q.key: "yes" for q in form.questions() if q.type == "yes_no"}
    perfect |= {"shelf_fill": "full", "queue_minutes": 2, "fridge_degrees": 4}
    assert score_visit(form, perfect).score == pytest.approx(100)
    assert score_visit(form, perfect | {"no_expired": "no"}).score == 0
    assert score_visit(form, perfect | {"queue_minutes": 15}).score == pytest.approx(93)


def test_the_demo_chain_has_stores_in_both_regions() -> None:
    places = read_json(DATA / "places.json")
    stores = places["stores"]
    assert [store["code"] for store in stores] == [f"{number:03}" for number in range(1, 25)]
    assert {region["key"] for region in places["regions"]} == {"minsk", "brest"}
    assert {store["region"] for store in stores[:2]} == {"minsk", "brest"}
    assert len({store["address"]["ru"] for store in stores}) == len(stores)
    for store in stores:
        assert ZoneInfo(store["time_zone"]).key == "Europe/Minsk"
        assert time.fromisoformat(store["opens"]) < time.fromisoformat(store["closes"])


def test_every_stage_touchpoint_and_aspect_has_a_name() -> None:
    names = read_json(DATA / "names.json")
    assert list(names["stages"]) == list(B2C_STAGES)
    assert set(names["touchpoints"]) == KIOSK_POINTS == set(TOUCHPOINT_STAGES)
    assert list(names["aspects"]) == list(ASPECTS)
