"""When what somebody said or what a visit found opens a case by itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CRITICAL, DANGER, VERY_NEGATIVE = "critical", "danger", "very_negative"
REASONS = (CRITICAL, DANGER, VERY_NEGATIVE)
LIVE_CHANNELS = frozenset({"button", "qr", "staff"})
"""Channels whose words come from somebody who was there just now; imported reviews are read when they come anyway."""
NEGATIVE = "negative"

_TABLE = Path(__file__).with_name("danger.tsv")
_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ-][^\W\d_]+)*")
_ABSENT = frozenset(["нет", "нету", "няма"])
"""What denies a thing and never a deed: "нет тараканов", but "охраны нет, избили"."""
_NEGATION_WORDS = """
не ни без никогда никакой никаких никакого ні ніколі ніякай ніякіх ніводнага ніводнай no not never without none zero
didn't don't doesn't wasn't weren't isn't aren't haven't hasn't hadn't
"""
_NEGATIONS = _ABSENT | frozenset(_NEGATION_WORDS.split())
_BETWEEN_WORDS = """
и или одного одной единого единой разу было будет бывает виде* видно вижу встреч* нашл* нашел наход* попадал*
след* признак* просрочк* грязи пыли мусора плесени тараканов крыс мышей
ды або аднаго адной бачы* знайш* сустрак* слядоў бруду цвілі прусакоў пацукоў
a an any single sign signs trace traces of or and ever had have seen saw see found find dirt dust
mould mold cockroaches rats mice insects
"""
_BETWEEN = tuple(_BETWEEN_WORDS.split())
"""Words that may stand between a negation and the thing it denies; any other word ends its reach."""
_REACH = 5
NEAR = 3
"""So many words before and after are looked at for what says that no danger is meant."""
_INDEXED = 3
LANGUAGES = ("ru", "be", "en", "own")


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: small letters without stress marks, ё as е, one apostrophe."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("ё", "е").replace("\u0301", "")
    return [found.replace("’", "'").replace("ʼ", "'") for found in _WORD.findall(plain)]


@dataclass(frozen=True)
class Danger:
    """A word or phrase of danger, word by word; a star at the end of a word stands for any ending.

    `unless` are words that, close by, say that none is meant ("отравил настроение"). `none` are the forms in which
    a thing is denied from a few words away ("не видели ни одного таракана"); deeds are denied by the word before alone.
    """

    words: tuple[str, ...]
    unless: tuple[str, ...] = ()
    kind: str = ""
    none: tuple[str, ...] = ()

    def stands_at(self, words: Sequence[str], at: int) -> bool:
        """Say whether the phrase begins at a word of a text, and means what it says."""
        if at + len(self.words) > len(words):
            return False
        if not all(_fits(pattern, words[at + step]) for step, pattern in enumerate(self.words)):
            return False
        if self.words[0] not in _NEGATIONS and self._denied(words, at):
            return False
        near = [*words[max(0, at - NEAR) : at], *words[at + len(self.words) : at + len(self.words) + NEAR]]
        return not any(_fits(pattern, word) for pattern in self.unless for word in near)

    def _denied(self, words: Sequence[str], at: int) -> bool:
        thing = words[at] in self.none
        before = words[at - 1] if at else ""
        if before in _NEGATIONS and (thing or before not in _ABSENT):
            twice = before in {"без", "without"} and not _NEGATIONS.isdisjoint(words[max(0, at - 3) : at - 1])
            return not twice  # "не обошлось без тараканов"
        return thing and (_denied_before(words, at) or _denied_after(words, at, at + len(self.words)))


def _between(word: str) -> bool:
    return any(_fits(pattern, word) for pattern in _BETWEEN)


def _denied_before(words: Sequence[str], at: int) -> bool:
    """Say whether a negation reaches a thing from some words before: "не было просрочки и плесени"."""
    for step in range(at - 1, max(-1, at - 1 - _REACH), -1):
        if words[step] in _NEGATIONS:
            return True
        if not _between(words[step]):
            return False
    return False


def _denied_after(words: Sequence[str], at: int, after: int) -> bool:
    """Say whether a text that begins with a thing denies it: "тараканов нет", "плесени ни разу не видели"."""
    if not all(_between(word) or word in _NEGATIONS for word in words[:at]):
        return False
    for step in range(after, min(len(words), after + _REACH)):
        if words[step] in _ABSENT:
            return True
        if words[step] in {"не", "never"}:
            return step + 1 < len(words) and _between(words[step + 1])
        if not _between(words[step]) and words[step] not in _NEGATIONS:
            return False
    return False


def _fits(pattern: str, word: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


class Dangers:
    """Phrases of danger, found by the first letters of their first word."""

    def __init__(self, phrases: Iterable[Danger]) -> None:
        self._by_start: dict[str, list[Danger]] = {}
        for phrase in phrases:
            self._by_start.setdefault(phrase.words[0].rstrip("*")[:_INDEXED], []).append(phrase)

    def __len__(self) -> int:
        """Return how many phrases there are."""
        return sum(len(phrases) for phrases in self._by_start.values())

    def found_in(self, words: Sequence[str]) -> Danger | None:
        """Return the first phrase of danger in a text; None where there is none."""
        for at, word in enumerate(words):
            for phrase in self._by_start.get(word[:_INDEXED], ()):
                if phrase.stands_at(words, at):
                    return phrase
        return None


def _patterns(text: str) -> tuple[str, ...]:
    found = []
    for part in text.split():
        words = words_of(part)
        found += words[:-1]
        found += [words[-1] + "*" if part.endswith("*") else words[-1]] if words else []
    return tuple(found)


def _phrase(text: str, unless: str, kind: str, none: str = "") -> Danger | None:
    """Return a phrase as it is compared; None where its first word says too little to be looked for."""
    words = _patterns(text)
    if not words or (len(words[0]) < _INDEXED + words[0].endswith("*") and (len(words) == 1 or "*" in words[0])):
        return None
    return Danger(words, _patterns(unless), kind, _patterns(none))


def read_table(text: str) -> list[Danger]:
    """Return the phrases of a table: kind, language, phrase, words that say otherwise, forms that can be denied.

    Raise ValueError for a line that is none.
    """
    found = []
    for line in text.splitlines()[1:]:
        kind, language, phrase, unless, none, *_ = [*line.split("\t"), "", ""]
        danger = _phrase(phrase, unless, kind, none)
        if danger is None or language not in LANGUAGES:
            raise ValueError(line)
        found.append(danger)
    return found


@lru_cache(maxsize=1)
def _shipped() -> tuple[Danger, ...]:
    return tuple(read_table(_TABLE.read_text(encoding="utf-8")))


@lru_cache(maxsize=8)
def dangers(own: tuple[str, ...] = ()) -> Dangers:
    """Return the phrases of danger that the product knows, with the chain's own."""
    more = [phrase for text in own if (phrase := _phrase(text, "", "own")) is not None]
    return Dangers([*_shipped(), *more])


@dataclass(frozen=True)
class Rules:
    """Which rules are on: the tone from which a comment is very negative, and the words of danger; None is off."""

    very_negative: float | None = -0.95
    words: Dangers | None = None


def reason_of(
    rules: Rules,
    *,
    text: str | None = None,
    polarity: float | None = None,
    label: str | None = None,
    failed_critical: bool = False,
    suspicious: bool = False,
) -> str | None:
    """Return why a case opens by itself, the gravest first; None where none does.

    `suspicious`: flagged as no crowd of people; then danger alone counts, as it is better looked at once too often.
    """
    if failed_critical:
        return CRITICAL
    if text and rules.words is not None and rules.words.found_in(words_of(text)) is not None:
        return DANGER
    if suspicious or rules.very_negative is None or polarity is None or label != NEGATIVE:
        return None
    return VERY_NEGATIVE if polarity <= rules.very_negative else None
