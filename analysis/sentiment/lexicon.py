"""The word list of one language, read from the package's data when first needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.sentiment.patterns import PatternIndex, parse, sections
from analysis.sentiment.tokens import Kind, Token

TURNED_PRAISE = -0.7
"""«не вкусно» weighs less than «гадость»."""
TURNED_TROUBLE = -0.5
"""«не плохо» is less than «хорошо»."""
TURNED_THING = -0.9
"""«нет очередей» is a plain statement that a trouble is absent."""
_ROLES = frozenset({"word", "thing", "negator", "absence", "intensifier", "contrast", "conjunction", "plain", "prefix"})
_SHORTEST_PREFIXED = 4
_WORDS = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of a word: its role and its weight (polarity, or a factor for intensifiers and contrasts)."""

    role: str
    weight: float = 0.0

    def turned(self) -> float:
        """Return the weight of the word when it is negated."""
        if self.role == "thing":
            return self.weight * TURNED_THING
        return self.weight * (TURNED_PRAISE if self.weight > 0 else TURNED_TROUBLE)


class Lexicon:
    """Words of one language with what they carry."""

    def __init__(self, lines: Sequence[str], table: Iterable[tuple[str, float, str, str]] = ()) -> None:
        listed = [(pattern, _entry(head)) for head, patterns in sections(lines) for pattern in patterns]
        there = {parse(pattern) for pattern, _ in listed}
        for pattern, strength, _, kind in table:
            if parse(pattern) not in there:
                listed.append((pattern, Entry("thing" if kind == "thing" else "word", strength)))
        self._prefixes = tuple(pattern for pattern, entry in listed if entry.role == "prefix")
        self._index = PatternIndex((pattern, entry) for pattern, entry in listed if entry.role != "prefix")

    def match(self, tokens: Sequence[Token], at: int) -> tuple[int, Entry | None]:
        """Return (words taken, entry) at a word token; (1, None) where the list knows nothing."""
        found = self._index.match(tokens, at)
        if found is not None:
            return found
        return 1, self._prefixed(tokens[at])

    def _prefixed(self, token: Token) -> Entry | None:
        for prefix in self._prefixes:
            rest = token.norm.removeprefix(prefix)
            if rest != token.norm and len(rest) >= _SHORTEST_PREFIXED:
                found = self._index.match([Token(Kind.WORD, token.start, token.end, rest)], 0)
                if found is not None and found[1].role == "word":
                    return Entry("word", found[1].turned())
        return None


def read_table(language: str) -> Iterator[tuple[str, float, str, str]]:
    """Yield the rows of a language's table: pattern, strength, aspect or nothing, kind (word, phrase, thing, fixed)."""
    for line in (_WORDS / f"{language}.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern, strength, aspect, kind = line.split("\t")
            yield pattern, float(strength), aspect, kind


def _entry(head: str) -> Entry:
    role, _, weight = head.partition(" ")
    if role not in _ROLES:
        raise ValueError(f"unknown role in a word list: {head}")
    return Entry(role, float(weight or 0))


def read_words(name: str) -> list[str]:
    """Return the lines of one of the package's list files."""
    return (_WORDS / f"{name}.txt").read_text("utf-8").splitlines()


@cache
def lexicon(language: str) -> Lexicon:
    """Return the word list of "ru", "be" or "en"; read once."""
    return Lexicon(read_words(language), read_table(language))
