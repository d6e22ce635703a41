"""Words that come again in comments which name no aspect: new topics, for the team to look at.

Left out are words of feeling, frequent words, words that any list names an aspect by, and grammar's small words
(`topic_plain.txt`). Two forms count as one word where both are one stem with an ending of the language («парковка»,
«парковку»; "trolley", "trolleys"), the stem having at least four letters, or three before an ending of one; a vowel
that comes and goes («парковок») is seen through. That joins forms without a dictionary; now and then it joins too much
(«банк» and «банка») or too little («лёд» and «льда»).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

from analysis.aspects import aspect_words
from analysis.clauses import OwnWords
from analysis.sentiment.language import LANGUAGES
from analysis.sentiment.lexicon import lexicon, read_words
from analysis.sentiment.patterns import ENDINGS, PatternIndex, sections
from analysis.sentiment.scoring import READ_CHARACTERS
from analysis.sentiment.tokens import Kind, Token, normalise, tokenise

LEAST, MOST = 3, 20
SHORT_EXAMPLE = 240
"""Characters up to which a comment is an example that can be read at a glance."""
_SHORTEST, _LONGEST = 3, 40
_SHORTEST_STEM = 4
_LONGEST_ENDING = max(map(len, ENDINGS))
_FLEETING = re.compile(r"(?<=[бвгджзйклмнпрстфхцчшщьў])[оеаэё](?=[бвгджзклмнпрстфхцчшщ]$)")
_PLAIN = Path(__file__).with_name("topic_plain.txt")

Unit = tuple[str, ...]
"""A stem, or the stems of two words that stand side by side."""


@dataclass(frozen=True)
class Topic:
    """Words that come again, as most people write them, in how many comments, and the place of one of those."""

    words: str
    language: str
    n: int
    example_index: int


@dataclass(slots=True)
class _Heard:
    """What was heard of a unit: its written forms, and which comments hold it."""

    forms: Counter[str] = field(default_factory=Counter)
    texts: list[int] = field(default_factory=list)


def topics(
    texts_with_languages: Sequence[tuple[str, str | None]],
    least: int = LEAST,
    most: int = MOST,
    own_words: OwnWords | None = None,
) -> list[Topic]:
    """Return the words and pairs of neighbours that stand in `least` comments or more, the commonest first.

    A comment counts once for each. Where a word stands in no more comments than a pair that it is part of, the pair
    alone is told. The example is the first comment of at most 240 characters, else the shortest. `own_words` are a
    chain's own words for aspects: what it has listed is no new topic. A text in none of our languages is left out.
    """
    found = []
    for language in LANGUAGES:
        spoken = [
            (at, text[:READ_CHARACTERS]) for at, (text, its) in enumerate(texts_with_languages) if its == language
        ]
        heard = _heard(spoken, language, (own_words or {}).get(language))
        kept = {unit: one for unit, one in heard.items() if len(one.texts) >= least}
        for unit, one in kept.items():
            if not _told_by_pair(unit, kept):
                example = _example(one.texts, texts_with_languages)
                found.append(Topic(_written(one.forms), language, len(one.texts), example))
    return sorted(found, key=lambda topic: (-topic.n, topic.words, topic.language))[:most]


def _heard(spoken: Sequence[tuple[int, str]], language: str, own: PatternIndex | None) -> dict[Unit, _Heard]:
    lines = [(at, text, list(_runs(tokenise(text), language, own))) for at, text in spoken]
    stems = stems_of({token.norm for _, _, runs in lines for run in runs for token in run})
    heard: dict[Unit, _Heard] = {}
    for at, text, runs in lines:
        for unit, written in _units(text, runs, stems):
            one = heard.setdefault(unit, _Heard())
            one.forms[written] += 1
            if not one.texts or one.texts[-1] != at:
                one.texts.append(at)
    return heard


def _units(text: str, runs: Sequence[Sequence[Token]], stems: dict[str, str]) -> Iterator[tuple[Unit, str]]:
    for run in runs:
        for token in run:
            yield (stems[token.norm],), text[token.start : token.end].lower()
        for one, two in pairwise(run):
            if stems[one.norm] != stems[two.norm]:
                yield (stems[one.norm], stems[two.norm]), text[one.start : two.end].lower()


def _runs(tokens: Sequence[Token], language: str, own: PatternIndex | None) -> Iterator[list[Token]]:
    """Yield the words that may be topics, those that stand side by side together."""
    known = _known(tokens, language, own)
    run: list[Token] = []
    for at, token in enumerate(tokens):
        if token.kind is Kind.WORD and at not in known and _may_be(token.norm, language):
            run.append(token)
            continue
        if run:
            yield run
        run = []
    if run:
        yield run


def _known(tokens: Sequence[Token], language: str, own: PatternIndex | None) -> set[int]:
    """Return the places of words that carry feeling or name an aspect."""
    words, named = lexicon(language), aspect_words(language)
    known: set[int] = set()
    for at, token in enumerate(tokens):
        if token.kind is not Kind.WORD:
            continue
        taken, entry = words.match(tokens, at)
        if entry is not None:
            known.update(range(at, at + taken))
        for index in (named, own):
            if index is not None and (found := index.match(tokens, at)):
                known.update(range(at, at + found[0]))
    return known


def _may_be(word: str, language: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and not word.isdigit() and word not in _plain(language)


@cache
def _plain(language: str) -> frozenset[str]:
    lines = [*read_words("frequent"), *_PLAIN.read_text("utf-8").splitlines()]
    return frozenset(normalise(word) for head, words in sections(lines) if head == language for word in words)


def stems_of(words: set[str]) -> dict[str, str]:
    """Return for each word the stem that it shares with its other forms among these."""
    parents: dict[str, str] = {}

    def root(stem: str) -> str:
        while parents.setdefault(stem, stem) != stem:
            stem = parents[stem]
        return stem

    shared = Counter(stem for word in words for stem in _stems(word))
    for word in sorted(words):
        # A stem that no other word has joins nothing.
        for stem in sorted(stem for stem in _stems(word) if shared[stem] > 1):
            one, two = sorted((root(word), root(stem)), key=lambda stem: (len(stem), stem))
            parents[two] = one
    return {word: root(word) for word in words}


def _stems(word: str) -> set[str]:
    """Return what a word may be an ending's form of."""
    stems = {word}
    for length in range(1, min(_LONGEST_ENDING, len(word) - _SHORTEST) + 1):
        stem, ending = word[:-length], word[-length:]
        if ending in ENDINGS and (len(stem) >= _SHORTEST_STEM or length == 1):
            stems.add(stem)
    if len(word) > _SHORTEST_STEM:
        stems.add(_FLEETING.sub("", word))
    return stems


def _told_by_pair(unit: Unit, kept: dict[Unit, _Heard]) -> bool:
    if len(unit) > 1:
        return False
    n = len(kept[unit].texts)
    return any(len(pair) > 1 and unit[0] in pair and len(one.texts) == n for pair, one in kept.items())


def _written(forms: Counter[str]) -> str:
    return min(forms, key=lambda form: (-forms[form], len(form), form))


def _example(texts: Sequence[int], all_texts: Sequence[tuple[str, str | None]]) -> int:
    short = [at for at in texts if len(all_texts[at][0]) <= SHORT_EXAMPLE]
    return short[0] if short else min(texts, key=lambda at: len(all_texts[at][0]))
