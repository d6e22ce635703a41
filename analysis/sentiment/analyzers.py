"""Sentiment analyzers for TextBlob: word lists, and for English Pattern with contrast beside its list.

Importing this module loads TextBlob and NLTK; `analysis.sentiment.scoring` does so when the first text is scored.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import NamedTuple

from textblob.base import CONTINUOUS, BaseSentimentAnalyzer
from textblob.en import sentiment as pattern_sentiment

from analysis.sentiment.latin import readable
from analysis.sentiment.lexicon import lexicon
from analysis.sentiment.rules import Term, mean_weight, read_terms
from analysis.sentiment.tokens import Kind, tokenise


class Reading(NamedTuple):
    """What an analyzer returns: polarity in [-1, 1] or None, and the words that carried it as written."""

    polarity: float | None
    terms: list[tuple[str, float]]
    turned: float = 0.0
    """Sum of the weights that a negation turned round: «не плохо»."""
    covered: float = 0.0
    """Share of the text that the words which carried it take up."""
    pattern: float = 0.0
    """Polarity by TextBlob's Pattern analyzer; 0 where it knows no word that carries, and for other languages."""


class LexiconAnalyzer(BaseSentimentAnalyzer):
    """Analyzer by a word list: `TextBlob(text, analyzer=LexiconAnalyzer("ru")).sentiment`."""

    kind = CONTINUOUS

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language
        self._words = lexicon(language)

    def analyze(self, text: str, keep_assessments: bool = False) -> Reading:
        """Return the reading of a text; `keep_assessments` is TextBlob's, the terms always come along."""
        seen = readable(text, self._language)
        terms = read_terms(seen.text, self._words)
        written = [(seen.written(text, term.start, term.end), round(term.weight, 3) + 0.0) for term in terms]
        turned = sum(term.weight for term in terms if term.turned)
        covered = sum(term.end - term.start for term in terms) / max(1, len(seen.text.strip()))
        return Reading(mean_weight(terms), written, turned, min(1.0, covered))


class EnglishAnalyzer(LexiconAnalyzer):
    """The English word list, and beside it TextBlob's Pattern analyzer, whose words stand where the list knows none."""

    def __init__(self) -> None:
        super().__init__("en")

    def analyze(self, text: str, keep_assessments: bool = False) -> Reading:
        """Return the reading of a text; `pattern` is Pattern's polarity, 0 where it knows no word that carries."""
        by_list = super().analyze(text)
        by_pattern = read_pattern(text)
        words = by_list if by_list.terms else by_pattern
        return words._replace(pattern=by_pattern.polarity or 0.0)


def read_pattern(text: str) -> Reading:
    """Return what TextBlob's Pattern analyzer says, part by part where "but" and its like divide a sentence."""
    terms: list[Term] = []
    written: list[tuple[str, float]] = []
    for start, end, emphasis in _parts(text):
        part = text[start:end]
        cursor = 0
        for words, weight, *_ in pattern_sentiment(part).assessments:
            term, cursor = _as_written(part, words, cursor)
            terms.append(Term(start, end, weight, emphasis))
            if weight:
                written.append((term, round(weight, 3)))
    return Reading(mean_weight(terms) if written else None, written)


def _parts(text: str) -> list[tuple[int, int, float]]:
    """Return (start, end, emphasis) of the stretches between contrasts; the whole text where there is none."""
    words, tokens = lexicon("en"), tokenise(text)
    cuts = [(0, 1.0)]
    at = 0
    while at < len(tokens):
        taken = 1
        if tokens[at].kind is Kind.WORD:
            taken, entry = words.match(tokens, at)
            if entry and entry.role == "contrast":
                cuts.append((tokens[at].start, entry.weight))
        elif tokens[at].kind is Kind.STRONG and cuts[-1][1] != 1.0:
            cuts.append((tokens[at].end, 1.0))
        at += taken
    ends = [start for start, _ in cuts[1:]] + [len(text)]
    return [(start, end, emphasis) for (start, emphasis), end in zip(cuts, ends, strict=True)]


def _as_written(part: str, words: list[str], cursor: int) -> tuple[str, int]:
    """Return Pattern's chunk as it stands in the text, and where to search on; Pattern keeps no offsets."""
    low = part.lower()
    spoken = [word for word in words if word[0].isalnum()] or words
    start = low.find(spoken[0], cursor)
    last = low.find(spoken[-1], start) if start >= 0 else -1
    if last < 0 or len(low) != len(part):
        return " ".join(words), cursor
    return part[start : last + len(spoken[-1])], last + len(spoken[-1])


_LOADING = Lock()


@cache
def _make(language: str) -> BaseSentimentAnalyzer:
    if language == "en":
        pattern_sentiment("good")  # Pattern fills its word list on first use, which two threads must not share
        return EnglishAnalyzer()
    return LexiconAnalyzer(language)


def analyzer(language: str) -> BaseSentimentAnalyzer:
    """Return the analyzer of "ru", "be" or "en"; made once, safe to share between threads."""
    with _LOADING:
        return _make(language)
