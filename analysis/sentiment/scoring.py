"""Scoring of comments: language, polarity, label, and the words that carried it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from analysis.sentiment.labels import label_of
from analysis.sentiment.language import LANGUAGES, detect
from analysis.sentiment.latin import readable
from analysis.sentiment.own import Scorer, scorer
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


def basis() -> str:
    """Return the versions of the shipped weights, on top of which a chain's own are fitted."""
    return " ".join(MODEL_VERSIONS[language] for language in LANGUAGES)


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
    return [round(float(score), 3) + 0.0 for score in blend.polarities(rows, scorer().weights())]


def features(texts: Sequence[str], languages: Sequence[str | None] | None = None) -> np.ndarray:
    """Return what the model sees of each text, shape (texts, features), with hints as in `score_comments`.

    A text in no language of ours counts as "ru".
    """
    return readings_and_rows([(text, detect(text, hint) or "ru") for text, hint in paired(texts, languages)])[1]


def readings_and_rows(pairs: Sequence[tuple[str, str]]) -> tuple[list[Reading], np.ndarray]:
    """Return what the word lists say of each (text, language), and what the model sees of it."""
    import numpy as np  # noqa: PLC0415  (start-up time)

    from analysis.sentiment.blend import listed  # noqa: PLC0415  (start-up time: numpy)
    from analysis.sentiment.encoder import encode  # noqa: PLC0415  (start-up time: numpy)

    read_texts = [(text[:READ_CHARACTERS], language) for text, language in pairs]
    readings = [read(*pair) for pair in read_texts]
    told = [listed(one) for one in readings]
    vectors = encode([readable(*pair).text for pair in read_texts])
    return readings, np.hstack([vectors, np.array(told, dtype=np.float32)])


def warm_up() -> None:
    """Load every analyzer, word list and model now, so that the first shopper does not wait for them."""
    score_comments(["касса", "каса", "queue"], LANGUAGES)


def _scored(pairs: Sequence[tuple[str, str]]) -> list[Sentiment]:
    """Return the sentiment of each (text, language)."""
    if not pairs:
        return []
    from analysis.sentiment import blend  # noqa: PLC0415  (start-up time: numpy)

    using = scorer()
    readings, rows = readings_and_rows(pairs)
    scores = [round(float(score), 3) + 0.0 for score in blend.polarities(rows, using.weights())]
    terms = [_agreeing(reading.terms, score) for reading, score in zip(readings, scores, strict=True)]
    unexplained = [at for at, found in enumerate(terms) if not found and label_of(scores[at]) != "neutral"]
    leaning = _leaning([(pairs[at], scores[at]) for at in unexplained], using)
    for at, found in zip(unexplained, leaning, strict=True):
        terms[at] = found
    return [
        Sentiment(score, label_of(score), language, found, using.name(language, MODEL_VERSIONS[language]))
        for (_, language), score, found in zip(pairs, scores, terms, strict=True)
    ]


def _agreeing(terms: Sequence[tuple[str, float]], score: float) -> list[tuple[str, float]]:
    """Return the listed words where one at least points where the score does."""
    return list(terms) if any(weight * score > 0 for _, weight in terms) else []


def _leaning(scored: Sequence[tuple[tuple[str, str], float]], using: Scorer) -> list[list[tuple[str, float]]]:
    """Return for each ((text, language), score) the words that lean furthest to its side when read alone."""
    if not scored:
        return []
    read_as = [
        {text[t.start : t.end]: readable(t.norm, language).text for t in tokenise(text) if t.kind is Kind.WORD}
        for (text, language), _ in scored
    ]
    _learn({word for own in read_as for word in own.values() if not word.isdecimal()}, using)
    found = []
    for own, (_, score) in zip(read_as, scored, strict=True):
        side = 1 if score > 0 else -1
        leaning = [(written, using.leans.get(word, 0.0)) for written, word in own.items()]
        towards = [(written, lean) for written, lean in leaning if lean * side >= LEAST_LEAN]
        found.append(sorted(towards, key=lambda term: -abs(term[1]))[:MOST_TERMS])
    return found


def _learn(words: set[str], using: Scorer) -> None:
    """Keep how far each word leans when read alone."""
    from analysis.sentiment.blend import leans  # noqa: PLC0415  (start-up time: numpy)
    from analysis.sentiment.encoder import encode  # noqa: PLC0415  (start-up time: numpy)

    new = sorted(words - using.leans.keys())
    if not new:
        return
    if len(using.leans) + len(new) > KEPT_WORDS:
        using.leans.clear()
    using.leans.update(zip(new, leans(encode(new), using.weights()), strict=True))
