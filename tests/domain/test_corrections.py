"""What staff say a comment means stands, and what they leave open stays with the model."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain import corrections
from feedback_app.domain.corrections import LABELS, POLARITIES, Correction, parse
from feedback_app.domain.errors import Invalid
from feedback_app.domain.journey import ASPECTS, stage_of_aspect
from feedback_app.domain.rollups import sign_of

TEXT = "  Хлеб свежий, но очередь ужасная.  "
labels = st.sampled_from(LABELS)
polarities = st.floats(-1, 1, allow_nan=False)


@dataclass(frozen=True)
class Located:
    aspect: str
    polarity: float | None
    start: int
    end: int


def problems(label: str | None, mentions: list[list[str]] | None) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as refused:
        parse(label, mentions)
    return [(problem.code, problem.field) for problem in refused.value.problems]


def test_a_correction_names_a_label_or_what_is_spoken_of_or_both() -> None:
    assert parse("positive", None) == Correction("positive", None)
    assert parse(None, [["queue", "negative"]]) == Correction(None, (("queue", "negative"),))
    assert parse("neutral", []) == Correction("neutral", ())
    assert problems(None, None) == [("nothing_corrected", None)]


def test_what_is_wrong_is_told_at_its_field() -> None:
    assert problems("joyful", None) == [("unknown_choice", "label")]
    assert problems(None, [["queue", "negative"], ["weather", "negative"]]) == [
        ("unknown_choice", "mentions-1-aspect"),
    ]
    assert problems("bad", [["queue", "loud"]]) == [("unknown_choice", "label"), ("unknown_choice", "mentions-0-label")]
    assert problems(None, [["", "positive"], ["queue", ""]]) == [
        ("required", "mentions-0-aspect"),
        ("required", "mentions-1-label"),
    ]


def test_an_aspect_has_one_label() -> None:
    assert problems(None, [["queue", "negative"], ["queue", "positive"]]) == [("aspect_twice", "mentions-1-aspect")]
    every = [[aspect, "neutral"] for aspect in ASPECTS]
    assert len(parse(None, every).mentions or ()) == 18
    assert problems(None, [*every, ["queue", "neutral"]]) == [("too_many_aspects", "mentions")]


@given(labels, st.none() | labels, st.none() | polarities)
def test_a_corrected_polarity_lies_on_the_side_that_staff_named(
    label: str, read: str | None, polarity: float | None
) -> None:
    found = corrections.polarity(label, read, polarity)
    if label == read and polarity is not None:
        assert found == polarity
    else:
        assert found == POLARITIES[label]
        assert sign_of(found) == label


def test_words_that_all_speak_against_a_correction_did_not_carry_it() -> None:
    terms = [("ужасная", -0.8), ("свежий", 0.5)]
    assert corrections.carrying(terms, 0.6) == terms
    assert corrections.carrying(terms[:1], 0.6) == []
    assert corrections.carrying(terms, 0.0) == []


def mention(aspect: str, label: str, *located: Located) -> corrections.CorrectedMention:
    (found,) = corrections.mentions([(aspect, label)], located, TEXT, stage_of_aspect)
    return found


def test_a_corrected_mention_stands_where_the_model_found_its_aspect() -> None:
    queue = Located("queue", -0.8, 17, 33)
    assert mention("queue", "negative", queue) == corrections.CorrectedMention("queue", "deal", -0.8, 17, 33)
    assert mention("queue", "positive", queue) == corrections.CorrectedMention("queue", "deal", 0.6, 17, 33)
    unheard = Located("queue", None, 17, 33)
    assert mention("queue", "neutral", unheard) == corrections.CorrectedMention("queue", "deal", 0.0, 17, 33)


def test_of_two_places_the_one_that_was_heard_alike_is_taken() -> None:
    first, second = Located("queue", 0.4, 2, 10), Located("queue", -0.8, 17, 33)
    assert mention("queue", "negative", first, second).start == 17
    assert mention("queue", "neutral", first, second).start == 2


def test_an_aspect_that_the_model_did_not_find_stands_over_the_whole_text() -> None:
    found = mention("price", "negative", Located("queue", -0.8, 17, 33))
    assert TEXT[found.start : found.end] == TEXT.strip()
    assert (found.stage, found.polarity) == ("evaluation", -0.6)


located_mentions = st.lists(
    st.builds(Located, st.sampled_from(ASPECTS), st.none() | polarities, st.integers(2, 16), st.integers(17, 34))
)


@given(st.dictionaries(st.sampled_from(ASPECTS), labels), located_mentions)
def test_what_staff_name_is_what_counts_no_more_and_no_less(named: dict[str, str], located: list[Located]) -> None:
    wanted = parse(None, list(named.items())).mentions or ()
    found = corrections.mentions(wanted, located, TEXT, stage_of_aspect)
    assert {one.aspect: sign_of(one.polarity) for one in found} == named
    assert len(found) == len(named)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(0 <= one.start < one.end <= len(TEXT) for one in found)
