"""Which words name which aspect of a visit, written for shops in three languages.

`aspects.tsv`: aspect, language, pattern (as in `analysis/sentiment/words/README.md`), strength. Its patterns win over
those of `ru.tsv`, `be.tsv` and `en.tsv`: aspect, strength, words in an everyday form, with `|` where a grammatical
ending begins.

What is named outright has no strength, or `outright`; a `ware` («хлеб») speaks of product quality only for want of
another aspect («хлеб дорогой» is price); what is `of_ware` («нет») names its aspect only beside a ware («хлеба опять
нет» is availability); a `hint` («быстро») may speak of something else. The classifier weighs all of them; what a chain
lists itself always holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from analysis.sentiment.lexicon import read_table
from analysis.sentiment.patterns import PatternIndex, parse
from analysis.sentiment.tokens import Kind, Token
from feedback_app.domain.journey import ASPECTS

_ENDING = re.compile(r"\|[^\s-]*")
_TABLE = Path(__file__).with_name("aspects.tsv")
STRENGTHS = ("", "ware", "of_ware", "hint")
"""Outright, for want of another aspect, beside a ware, perhaps."""
_AT = {aspect: at for at, aspect in enumerate(ASPECTS)}
_WARE, _OF_WARE = 2 * len(ASPECTS), 2 * len(ASPECTS) + 1
LISTED = 2 * len(ASPECTS) + 2
"""What lists say of a text as numbers: aspects named outright, aspects hinted at, wares, and what is of a ware."""


class Named(NamedTuple):
    """An aspect that a word names, and how strongly: one of STRENGTHS."""

    aspect: str
    strength: str


def read_rows(lines: Iterable[str]) -> Iterator[tuple[str, str, Named]]:
    """Yield (language, pattern, what it names) of the rows of a table; ValueError names the line that is wrong."""
    for number, line in enumerate(lines, start=1):
        cells = line.rstrip("\n").split("\t")
        if number == 1 or not line.strip() or line.startswith("#"):
            continue
        if len(cells) not in (3, 4):
            raise ValueError(f"line {number}: aspect, language, pattern and strength are wanted, parted by tabs")
        aspect, language, pattern, strength = [*cells, ""][:4]
        if aspect not in ASPECTS:
            raise ValueError(f"line {number}: unknown aspect {aspect!r}")
        if strength not in STRENGTHS:
            raise ValueError(f"line {number}: unknown strength {strength!r}")
        if not pattern.strip(" ~*"):
            raise ValueError(f"line {number}: a pattern is missing")
        yield language, pattern, Named(aspect, strength)


@cache
def aspect_words(language: str) -> PatternIndex[Named]:
    """Return the words that name aspects in "ru", "be" or "en"; ValueError when a table names an unknown aspect."""
    rows = read_rows(_TABLE.read_text("utf-8").splitlines())
    entries = {parse(pattern): (pattern, named) for spoken, pattern, named in rows if spoken == language}
    for named, words in everyday(language):
        pattern = _ENDING.sub("~", words)
        entries.setdefault(parse(pattern), (pattern, named))
    return PatternIndex(entries.values())


def everyday(language: str) -> Iterator[tuple[Named, str]]:
    """Yield what words in an everyday form name, and the words, with `|` before each grammatical ending."""
    for line in _TABLE.with_name(f"{language}.tsv").read_text("utf-8").splitlines():
        aspect, strength, words = line.split("\t")
        yield Named(aspect, "" if strength == "outright" else strength), words


@cache
def _leaning_words(language: str) -> PatternIndex[str]:
    """Return the words of feeling that are said of one aspect above all («черствый»)."""
    return PatternIndex((pattern, aspect) for pattern, _, aspect, _ in read_table(language) if aspect in _AT)


def listed(tokens: Sequence[Token], language: str) -> list[float]:
    """Return what the lists say of tokens as LISTED numbers, 0 or 1 each."""
    found = [0.0] * LISTED
    for named in _matches(tokens, aspect_words(language)):
        if named.strength == "ware":
            found[_WARE] = 1.0
        elif named.strength == "of_ware":
            found[_OF_WARE] = 1.0
        else:
            found[_AT[named.aspect] + (len(ASPECTS) if named.strength == "hint" else 0)] = 1.0
    for aspect in _matches(tokens, _leaning_words(language)):
        found[len(ASPECTS) + _AT[aspect]] = 1.0
    return found


def named_outright(told: Sequence[float]) -> list[str]:
    """Return the aspects that what `listed` says names outright, or by a ware for want of another."""
    named = [aspect for aspect in ASPECTS if told[_AT[aspect]]]
    if not named and told[_WARE]:
        return ["availability"] if told[_OF_WARE] else ["product_quality"]
    return named


def named_in(tokens: Sequence[Token], words: PatternIndex[Named]) -> list[str]:
    """Return the aspects that words of a chain's own table name, each once."""
    return list(dict.fromkeys(named.aspect for named in _matches(tokens, words)))


def names_ware_alone(told: Sequence[float]) -> bool:
    """Tell whether what `listed` says names a ware, and nothing outright."""
    return bool(told[_WARE]) and not told[_OF_WARE] and not any(told[_AT[aspect]] for aspect in ASPECTS)


def read_own_words(lines: Iterable[str]) -> dict[str, PatternIndex[Named]]:
    """Return a chain's own words by language, from a table such as `aspects.tsv`; ValueError names the wrong line."""
    rows = list(read_rows(lines))
    return {
        language: PatternIndex((pattern, named) for spoken, pattern, named in rows if spoken == language)
        for language in {spoken for spoken, _, _ in rows}
    }


def _matches(tokens: Sequence[Token], words: PatternIndex[Any]) -> Iterator[Any]:
    at = 0
    while at < len(tokens):
        found = words.match(tokens, at) if tokens[at].kind is Kind.WORD else None
        if found:
            yield found[1]
        at += found[0] if found else 1
