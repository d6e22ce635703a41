"""Scoring of comments: language, polarity, label, and the words that carried it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from analysis.sentiment.labels import label_of
from analysis.sentiment.language import LANGUAGES, detect

if TYPE_CHECKING:
    from analysis.sentiment.analyzers import Reading

MODEL_VERSIONS: Mapping[str | None, str] = MappingProxyType(
    {"ru": "lexicon-ru/1", "be": "lexicon-be/1", "en": "textblob-pattern/1", None: "unrecognised/1"}
)
"""Model of each language as "name/version", and of texts in none of them; raise a version with every change."""


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How a text sounds; without a carrying word, or in another language, polarity and label are None.

    `polarity` lies in [-1, 1] to three decimals; `terms` are (words as written in the text, weight);
    `model` is "name/version".
    """

    polarity: float | None
    label: str | None
    language: str | None
    terms: list[tuple[str, float]]
    model: str


def score_comments(texts: Sequence[str], languages: Sequence[str | None] | None = None) -> list[Sentiment]:
    """Return the sentiment of each text, in order.

    `languages` are hints, one a text: the language of the screen or form, used where the text itself leaves it open.
    Raises ValueError when there are not as many hints as texts.
    """
    return [_score(text, detect(text, hint)) for text, hint in paired(texts, languages)]


def paired(texts: Sequence[str], languages: Sequence[str | None] | None) -> list[tuple[str, str | None]]:
    """Return each text with its hint, None where there is none; ValueError where the counts differ."""
    if languages is None:
        return [(text, None) for text in texts]
    return list(zip(texts, languages, strict=True))


def read(text: str, language: str) -> Reading:
    """Return polarity and terms of a text known to be in one of our languages."""
    # TextBlob brings NLTK, over a second to import: not before there is a text to score.
    from analysis.sentiment.analyzers import analyzer  # noqa: PLC0415

    reading: Reading = analyzer(language).analyze(text)
    return reading


def warm_up() -> None:
    """Load every analyzer and word list now, so that the first shopper does not wait for them."""
    for language in LANGUAGES:
        read("", language)


def _score(text: str, language: str | None) -> Sentiment:
    model = MODEL_VERSIONS[language]
    if language is None:
        return Sentiment(None, None, None, [], model)
    polarity, terms = read(text, language)
    return Sentiment(polarity, label_of(polarity), language, terms, model)
