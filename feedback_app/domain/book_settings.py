"""The chain's settings of the feedback book: terms, escalation, rules that open cases, and where the heads go.

The defaults are what public sources say (docs/decisions/0018-deadlines.md); a lawyer of the chain confirms them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from feedback_app.domain import deadlines
from feedback_app.domain.cases import BOOK_KINDS
from feedback_app.domain.deadlines import CALENDAR, MONTH, WORKING, Term
from feedback_app.domain.errors import Invalid, Problem

COUNTRIES = ("BY", "RU")
FALLBACK = "BY"
"""Whose terms hold in a country that has none of its own."""
UNEXTENDABLE = frozenset({("RU", "claim")})
"""Money claims in Russia are answered within ten days, and the law knows no extension (art. 22)."""
BY_LAW = frozenset({*(("BY", kind) for kind in BOOK_KINDS), ("RU", "claim")})
"""Terms that stand in a law; the others are what chains commonly set."""

_TERMS: Mapping[tuple[str, str], Term] = MappingProxyType(
    {
        **{("BY", kind): Term(15, CALENDAR) for kind in BOOK_KINDS},
        **{("RU", kind): Term(5, WORKING) for kind in BOOK_KINDS},
        ("RU", "claim"): Term(10, CALENDAR),
    }
)
_EXTENDED: Mapping[str, Term | None] = MappingProxyType({"BY": Term(1, MONTH), "RU": Term(10, WORKING)})
MOST_ADDRESSES, MOST_WORDS = 20, 200
WORD_LIMIT = 60
_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}")
_LETTERS = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class BookSettings:
    """How the chain keeps its feedback book.

    `extended` holds the longest term in all, counted from the receipt, by country; None where there is no extension.
    """

    terms: Mapping[tuple[str, str], Term] = field(default_factory=lambda: _TERMS)
    extended: Mapping[str, Term | None] = field(default_factory=lambda: _EXTENDED)
    move_to_working_day: bool = False
    forward_days: int = 5
    escalate_before: int = 2
    response_case_days: int = 5
    review_answers: bool = False
    rule_very_negative: bool = True
    very_negative: float = -0.95
    rule_words: bool = True
    own_words: tuple[str, ...] = ()
    heads_daily: bool = False
    heads_to: tuple[str, ...] = ()
    retention_years: int = 5

    def term(self, country: str, kind: str) -> Term:
        """Return the term to answer an entry of a kind."""
        found = self.terms.get((country, kind)) or self.terms.get((FALLBACK, kind))
        return found or self.terms[FALLBACK, BOOK_KINDS[0]]

    def longest(self, country: str, kind: str) -> Term | None:
        """Return the longest term in all with a reason told; None where there is no extension."""
        if (country, kind) in UNEXTENDABLE:
            return None
        return self.extended.get(country if country in self.extended else FALLBACK)

    def stored(self) -> dict[str, Any]:
        """Return the settings as they are kept; `parse` reads them."""
        kept: dict[str, Any] = {name: getattr(self, name) for name in _RULES}
        kept["terms"] = {
            country: {kind: self.terms[country, kind].stored() for kind in BOOK_KINDS} for country in COUNTRIES
        }
        kept["extended"] = {country: term.stored() if term else None for country, term in self.extended.items()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


# --- reading ----------------------------------------------------------------------------------------------------


def _mapping(raw: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise Problem("wrong_type", name)
    return raw


def _collect(found: dict[Any, Any], problems: list[Problem], key: Any, read: Callable[[], Any]) -> None:
    try:
        found[key] = read()
    except Problem as problem:
        problems.append(problem)


def _terms(raw: Any) -> Mapping[tuple[str, str], Term]:
    found, problems = dict(_TERMS), list[Problem]()
    for country, kinds in _mapping(raw, "terms").items():
        for kind, term in _mapping(kinds, f"terms.{country}").items():
            name = f"terms.{country}.{kind}"
            if (country, kind) not in _TERMS:
                problems.append(Problem("unknown_choice", name))
            else:
                _collect(found, problems, (country, kind), partial(deadlines.parse, term, name))
    if problems:
        raise Invalid(problems)
    return found


def _extended(raw: Any) -> Mapping[str, Term | None]:
    found, problems = dict(_EXTENDED), list[Problem]()
    for country, term in _mapping(raw, "extended").items():
        name = f"extended.{country}"
        if country not in COUNTRIES:
            problems.append(Problem("unknown_choice", name))
        elif term is None:
            found[country] = None
        else:
            _collect(found, problems, country, partial(deadlines.parse, term, name))
    if problems:
        raise Invalid(problems)
    return found


def _flag(name: str) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Problem("wrong_type", name)
        return value

    return read


def _whole(name: str, low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Problem("wrong_type", name)
        if not low <= value <= high:
            raise Problem("out_of_range", name, low=low, high=high)
        return value

    return read


def _polarity(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Problem("wrong_type", "very_negative")
    if not -1 <= value <= 0:
        raise Problem("out_of_range", "very_negative", low=-1, high=0)
    return float(value)


def _texts(value: Any, name: str, most: int) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Problem("wrong_type", name)
    found = list(dict.fromkeys(one.strip() for one in value if one.strip()))
    if len(found) > most:
        raise Problem("too_many", name, limit=most)
    return found


def _addresses(value: Any) -> tuple[str, ...]:
    found = _texts(value, "heads_to", MOST_ADDRESSES)
    for one in found:
        if not _ADDRESS.fullmatch(one) or not one.isprintable():
            raise Problem("bad_address", "heads_to", value=one[:80])
    return tuple(found)


def _words(value: Any) -> tuple[str, ...]:
    found = _texts(value, "own_words", MOST_WORDS)
    for one in found:
        if len(one) > WORD_LIMIT or not one.isprintable() or not _LETTERS.search(one):
            raise Problem("bad_word", "own_words", value=one[:80], limit=WORD_LIMIT)
    return tuple(found)


_RULES: dict[str, Callable[[Any], Any]] = {
    "terms": _terms,
    "extended": _extended,
    "move_to_working_day": _flag("move_to_working_day"),
    "forward_days": _whole("forward_days", 1, 30),
    "escalate_before": _whole("escalate_before", 0, 30),
    "response_case_days": _whole("response_case_days", 1, 60),
    "review_answers": _flag("review_answers"),
    "rule_very_negative": _flag("rule_very_negative"),
    "very_negative": _polarity,
    "rule_words": _flag("rule_words"),
    "own_words": _words,
    "heads_daily": _flag("heads_daily"),
    "heads_to": _addresses,
    "retention_years": _whole("retention_years", 1, 100),
}


def parse(raw: Mapping[str, Any]) -> BookSettings:
    """Return the settings that a mapping says, defaults for what it leaves out.

    Raises Invalid with a Problem for every value that is wrong; its field is the setting's name, of a term
    `terms.BY.claim`, of an extension `extended.BY`.
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, rule in _RULES.items():
        if name not in raw:
            continue
        try:
            found[name] = rule(raw[name])
        except Problem as problem:
            problems.append(problem)
        except Invalid as invalid:
            problems += invalid.problems
    if found.get("heads_daily") and not found.get("heads_to") and not problems:
        problems.append(Problem("address_needed", "heads_to"))
    if problems:
        raise Invalid(problems)
    return BookSettings(**found)
