"""Corrections: what staff say a comment means, where a model read it wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.journey import ASPECTS
from feedback_app.domain.rollups import sign_of

LABELS: tuple[str, ...] = ("negative", "neutral", "positive")
MODEL = "corrected/1"
"""The model's name where staff gave the label."""
POLARITIES = MappingProxyType({"negative": -0.6, "neutral": 0.0, "positive": 0.6})
"""What a label given by staff counts as. People say the side, not the strength: 0.6 is what a plainly unhappy or
content comment gets from the models, well inside its label and short of the extremes kept for the strongest words."""

Pair = tuple[str, str]
Term = TypeVar("Term", bound=Sequence[Any])


class MentionLike(Protocol):
    """A mention as a model located it."""

    @property
    def aspect(self) -> str: ...
    @property
    def polarity(self) -> float | None: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class CorrectedMention:
    """One aspect as staff say it is spoken of: its stage, polarity, and the offsets of its words in the text."""

    aspect: str
    stage: str
    polarity: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Correction:
    """How a comment is to be read; what is None is left to the model.

    `mentions` are (aspect, label), each aspect once; none at all says that the comment speaks of no aspect.
    """

    label: str | None = None
    mentions: tuple[Pair, ...] | None = None

    @property
    def meant(self) -> str | None:
        """The label of the whole comment: the one given, else the one that all corrected mentions share."""
        shared = {label for _, label in self.mentions or ()}
        return self.label or (shared.pop() if len(shared) == 1 else None)

    def stored(self) -> dict[str, Any]:
        """Return the correction as its row keeps it."""
        mentions = None if self.mentions is None else [list(pair) for pair in self.mentions]
        return {"label": self.label, "mentions": mentions}


def parse(label: str | None, mentions: Iterable[Sequence[str]] | None) -> Correction:
    """Return a correction, or raise Invalid with a Problem at each wrong field.

    Fields: `label`; `mentions-N-aspect` and `mentions-N-label`, N from 0; none where nothing is corrected at all.
    """
    pairs = None if mentions is None else [(str(aspect), str(sign)) for aspect, sign in mentions]
    if label is None and pairs is None:
        raise Invalid([Problem("nothing_corrected")])
    problems = [] if label is None or label in LABELS else [Problem("unknown_choice", "label")]
    problems += _problems_of(pairs or [])
    if problems:
        raise Invalid(problems)
    return Correction(label, None if pairs is None else tuple(pairs))


def _problems_of(pairs: Sequence[Pair]) -> list[Problem]:
    if len(pairs) > len(ASPECTS):
        return [Problem("too_many_aspects", "mentions", limit=len(ASPECTS))]
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, (aspect, label) in enumerate(pairs):
        field = f"mentions-{number}"
        if aspect not in ASPECTS:
            problems.append(Problem("unknown_choice" if aspect else "required", f"{field}-aspect"))
        elif aspect in seen:
            problems.append(Problem("aspect_twice", f"{field}-aspect"))
        if label not in LABELS:
            problems.append(Problem("unknown_choice" if label else "required", f"{field}-label"))
        seen.add(aspect)
    return problems


def polarity(label: str, read_label: str | None, read_polarity: float | None) -> float:
    """Return the polarity of a label given by staff: the model's where it read the same, else the label's own."""
    if label == read_label and read_polarity is not None:
        return read_polarity
    return POLARITIES[label]


def carrying(terms: Sequence[Term], polarity: float) -> list[Term]:
    """Return the words, each (word, weight), that may still be said to have carried a polarity.

    As in scoring: all of them where one at least points to its side, none where they all speak against it.
    """
    return list(terms) if any(term[1] * polarity > 0 for term in terms) else []


def mentions(
    pairs: Sequence[Pair], located: Sequence[MentionLike], text: str, stage: Callable[[str], str]
) -> list[CorrectedMention]:
    """Return what staff say a text speaks of as mentions, in the order of the text.

    Each stands where the model found its aspect, first of all where the model heard the same label, whose polarity
    then stays; an aspect that the model did not find stands over the whole trimmed text. `stage` gives the stage of
    an aspect.
    """
    found = [_mention(aspect, label, located, text, stage(aspect)) for aspect, label in pairs]
    return sorted(found, key=lambda mention: (mention.start, mention.end, ASPECTS.index(mention.aspect)))


def _mention(aspect: str, label: str, located: Sequence[MentionLike], text: str, stage: str) -> CorrectedMention:
    there = [mention for mention in located if mention.aspect == aspect]
    for mention in there:
        if mention.polarity is not None and sign_of(mention.polarity) == label:
            return CorrectedMention(aspect, stage, mention.polarity, mention.start, mention.end)
    if there:
        return CorrectedMention(aspect, stage, POLARITIES[label], there[0].start, there[0].end)
    start = len(text) - len(text.lstrip())
    return CorrectedMention(aspect, stage, POLARITIES[label], start, len(text.rstrip()))
