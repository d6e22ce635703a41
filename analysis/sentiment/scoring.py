"""Scoring of comments: language, polarity, label, and the words that carried it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from analysis.sentiment.labels import label_of
from analysis.sentiment.language import LANGUAGES, detect
from analysis.sentiment.tokens import Kind, tokenise

if TYPE_CHECKING:
    import numpy as np

    from analysis.sentiment.analyzers import Reading

MODEL_VERSIONS: Mapping[str | None, str] = MappingProxyType(
    {"ru": "blend-ru/1", "be": "blend-be/1", "en": "blend-en/1", None: "unrecognised/1"}
)
"""Model of each language as "name/version", and of texts in none of them; raise a version with every change."""
READ_CHARACTERS = 4_000
"""What is read of a text by the word lists: a response holds no more (see the contract of imports)."""
MOST_TERMS = 3
LEAST_LEAN = 0.15
"""How far a word alone must lean to be shown as what carried a score that no listed word explains."""
KEPT_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How a text sounds; in another language, or without words, polarity and label are None.

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
    pairs = paired(texts, languages)
    spoken = [detect(text, hint) for text, hint in pairs]
    known = [(text[:READ_CHARACTERS], language) for (text, _), language in zip(pairs, spoken, strict=True) if language]
    scored = iter(_scored(known))
    return [
        Sentiment(None, None, None, [], MODEL_VERSIONS[None]) if language is None else next(scored)
        for language in spoken
    ]


def paired(texts: Sequence[str], languages: Sequence[str | None] | None) -> list[tuple[str, str | None]]:
    """Return each text with its hint, None where there is none; ValueError where the counts differ."""
    if languages is None:
        return [(text, None) for text in texts]
    return list(zip(texts, languages, strict=True))


def read(text: str, language: str) -> Reading:
    """Return what the word lists say of a text known to be in one of our languages: polarity and terms."""
    # TextBlob brings NLTK, over a second to import: not before there is a text to score.
    from analysis.sentiment.analyzers import analyzer  # noqa: PLC0415

    reading: Reading = analyzer(language).analyze(text)
    return reading


def polarities(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return the polarity in [-1, 1] of each (text, language)."""
    from analysis.sentiment import blend  # noqa: PLC0415  (start-up time: numpy)

    if not pairs:
        return []
    _, rows = readings_and_rows(pairs)
    return [round(float(score), 3) + 0.0 for score in blend.polarities(rows, blend.shipped())]


def features(texts: Sequence[str]) -> np.ndarray:
    """Return what the model sees of each text, shape (texts, features); a text in no language of ours counts as "ru"."""
    return readings_and_rows([(text, detect(text) or "ru") for text in texts])[1]


def readings_and_rows(pairs: Sequence[tuple[str, str]]) -> tuple[list[Reading], np.ndarray]:
    """Return what the word lists say of each (text, language), and what the model sees of it."""
    import numpy as np  # noqa: PLC0415  (start-up time)

    from analysis.sentiment.blend import listed  # noqa: PLC0415  (start-up time: numpy)
    from analysis.sentiment.encoder import encode  # noqa: PLC0415  (start-up time: numpy)

    read_texts = [(text[:READ_CHARACTERS], language) for text, language in pairs]
    readings = [read(*pair) for pair in read_texts]
    told = [listed([weight for _, weight in one.terms], one.polarity, one.pattern) for one in readings]
    return readings, np.hstack([encode([text for text, _ in read_texts]), np.array(told, dtype=np.float32)])


def warm_up() -> None:
    """Load every analyzer, word list and model now, so that the first shopper does not wait for them."""
    score_comments(["касса", "каса", "queue"], LANGUAGES)


def _scored(pairs: Sequence[tuple[str, str]]) -> list[Sentiment]:
    """Return the sentiment of each (text, language)."""
    if not pairs:
        return []
    from analysis.sentiment import blend  # noqa: PLC0415  (start-up time: numpy)

    readings, rows = readings_and_rows(pairs)
    scores = [round(float(score), 3) + 0.0 for score in blend.polarities(rows, blend.shipped())]
    terms = [_agreeing(reading.terms, score) for reading, score in zip(readings, scores, strict=True)]
    unexplained = [at for at, found in enumerate(terms) if not found and label_of(scores[at]) != "neutral"]
    for at, found in zip(unexplained, _leaning([(pairs[at][0], scores[at]) for at in unexplained]), strict=True):
        terms[at] = found
    return [
        Sentiment(score, label_of(score), language, found, MODEL_VERSIONS[language])
        for (_, language), score, found in zip(pairs, scores, terms, strict=True)
    ]


def _agreeing(terms: Sequence[tuple[str, float]], score: float) -> list[tuple[str, float]]:
    """Return the listed words where one at least points where the score does."""
    return list(terms) if any(weight * score > 0 for _, weight in terms) else []


_leans: dict[str, float] = {}


def _leaning(scored: Sequence[tuple[str, float]]) -> list[list[tuple[str, float]]]:
    """Return for each (text, score) the words that lean furthest to its side when read alone."""
    if not scored:
        return []
    words = [[text[t.start : t.end] for t in tokenise(text) if t.kind is Kind.WORD] for text, _ in scored]
    _learn({word.lower() for own in words for word in own if not word.isdecimal()})
    found = []
    for own, (_, score) in zip(words, scored, strict=True):
        side = 1 if score > 0 else -1
        leaning = {word: _leans.get(word.lower(), 0.0) for word in own}
        towards = [(word, lean) for word, lean in leaning.items() if lean * side >= LEAST_LEAN]
        found.append(sorted(towards, key=lambda term: -abs(term[1]))[:MOST_TERMS])
    return found


def _learn(words: set[str]) -> None:
    """Keep how far each word leans when read alone."""
    from analysis.sentiment.encoder import encode  # noqa: PLC0415  (start-up time: numpy)
    from analysis.sentiment.blend import leans  # noqa: PLC0415  (start-up time: numpy)

    new = sorted(words - _leans.keys())
    if not new:
        return
    if len(_leans) + len(new) > KEPT_WORDS:
        _leans.clear()
    _leans.update(zip(new, leans(encode(new)), strict=True))
