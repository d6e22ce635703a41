"""Polarity from a word list: negation, intensifiers, absence and contrast, word by word.

The polarity is the mean of the carrying words' weights, each counted as much as the contrast before it says:
in «вкусно, но дорого» the second half counts 1.6 times. The form follows the valence shifters of
Polanyi and Zaenen (2006), kept to what a shop's short comments need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from analysis.sentiment.lexicon import Entry, Lexicon
from analysis.sentiment.tokens import Kind, Token, tokenise

NEGATION_REACH = 3
"""Words between a negator and what it turns: «не был ни разу вежлив»."""
INTENSIFIER_REACH = 1
_GLAD = frozenset("👍❤😍😊🙂😀😁😃😄🤗🥰😋👏🙏💯🔥🌹")
_SIGN_WEIGHT = 0.5
_BRACKET_WEIGHT = 0.3


class Term(NamedTuple):
    """A carrying stretch of a text: offsets, weight in [-1, 1], how much it counts, whether a negation turned it."""

    start: int
    end: int
    weight: float
    emphasis: float
    turned: bool = False


@dataclass(slots=True)
class _Pending:
    """A negator or an absence that waits for a word to turn."""

    entry: Entry
    start: int
    end: int
    alone: bool
    age: int = 0


class _Reader:
    """Walks over the tokens of one text and gathers its terms."""

    def __init__(self, text: str, words: Lexicon) -> None:
        self._text = text
        self._words = words
        self._pending: _Pending | None = None
        self._factor = 1.0
        self._factor_start = 0
        self._factor_age = 0
        self._emphasis = 1.0
        self._clause_words = 0
        self._thing_age: int | None = None
        self._thing = Entry("thing")
        self.terms: list[Term] = []

    def read(self) -> list[Term]:
        tokens = tokenise(self._text)
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.kind is Kind.WORD:
                taken, entry = self._words.match(tokens, at)
                self._take(entry, token.start, tokens[at + taken - 1].end)
                at += taken
                continue
            at += 1
            self._stop(token)
        self._end_clause()
        return self.terms

    def _stop(self, token: Token) -> None:
        if token.kind is Kind.SIGN:
            self._sign(token)
            return
        self._end_clause()
        if token.kind is Kind.STRONG:
            self._emphasis = 1.0

    def _sign(self, token: Token) -> None:
        self._end_clause()
        if token.norm[0] in "()":
            other = "(" if token.norm[0] == ")" else ")"
            if other not in self._text:  # else it is a bracket, not a smile
                self._add(token.start, token.end, _BRACKET_WEIGHT if other == "(" else -_BRACKET_WEIGHT)
            return
        self._add(token.start, token.end, _SIGN_WEIGHT if token.norm in _GLAD else -_SIGN_WEIGHT)

    def _take(self, entry: Entry | None, start: int, end: int) -> None:
        role = entry.role if entry else "plain"
        if role == "contrast" and entry:
            self._end_clause()
            self._emphasis = entry.weight
            return
        first = self._clause_words == 0
        self._clause_words += 1
        if entry is None or role in ("plain", "conjunction"):
            self._grow_older()
        elif role in ("word", "thing"):
            self._carry(entry, start, end)
        elif role == "intensifier":
            self._strengthen(entry, start)
        elif not (role == "absence" and self._turn_back(end)):
            self._wait(_Pending(entry, start, end, alone=first))

    def _carry(self, entry: Entry, start: int, end: int) -> None:
        weight, turned = entry.weight, self._pending is not None
        if self._pending:
            weight, start = entry.turned(), self._pending.start
            self._pending = None
        elif self._factor != 1.0:
            start = self._factor_start
        weight *= self._factor
        self._factor = 1.0
        self._add(start, end, weight, turned=turned)
        self._thing, self._thing_age = entry, 0 if entry.role == "thing" else None

    def _strengthen(self, entry: Entry, start: int) -> None:
        # «не очень вкусно» is no stronger than «не вкусно»
        if self._pending is None:
            if self._factor == 1.0:
                self._factor_start = start
            self._factor, self._factor_age = entry.weight, 0

    def _turn_back(self, end: int) -> bool:
        """«Очередей нет»: turn the thing that stands just before; tell whether there was one."""
        if self._thing_age is None or self._thing_age > 1 or not self.terms:
            return False
        last = self.terms[-1]
        self.terms[-1] = Term(last.start, end, self._thing.turned(), last.emphasis, turned=True)
        self._thing_age = None
        return True

    def _wait(self, pending: _Pending) -> None:
        self._settle()
        self._pending = pending

    def _grow_older(self) -> None:
        if self._thing_age is not None:
            self._thing_age += 1
        if self._pending:
            self._pending.alone = False
            self._pending.age += 1
            if self._pending.age > NEGATION_REACH:
                self._settle()
        if self._factor != 1.0:
            self._factor_age += 1
            if self._factor_age > INTENSIFIER_REACH:
                self._factor = 1.0

    def _settle(self) -> None:
        """Let a negation that found nothing to turn carry its own weight; a bare «нет» is no complaint."""
        waiting, self._pending = self._pending, None
        if waiting and waiting.entry.weight:
            bare = waiting.entry.role == "absence" and waiting.alone and self._clause_words <= 1
            if not bare:
                self._add(waiting.start, waiting.end, waiting.entry.weight)

    def _end_clause(self) -> None:
        self._settle()
        self._factor = 1.0
        self._clause_words = 0
        self._thing_age = None

    def _add(self, start: int, end: int, weight: float, *, turned: bool = False) -> None:
        self.terms.append(Term(start, end, max(-1.0, min(1.0, weight)), self._emphasis, turned))


def read_terms(text: str, words: Lexicon) -> list[Term]:
    """Return the carrying stretches of a text in the order of their ends."""
    return _Reader(text, words).read()


def mean_weight(terms: list[Term]) -> float | None:
    """Return the polarity in [-1, 1], to three decimals, of a text with these terms; None where none carries."""
    total = sum(term.emphasis for term in terms)
    if not total:
        return None
    mean = sum(term.weight * term.emphasis for term in terms) / total
    return round(max(-1.0, min(1.0, mean)), 3) + 0.0
