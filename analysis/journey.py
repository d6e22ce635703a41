"""Where on the customer journey a comment speaks: its mentions of aspects, each on a stage, with its polarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.clauses import Clause, clauses
from analysis.sentiment.language import detect
from analysis.sentiment.scoring import paired, read
from feedback_app.domain.journey import ASPECT_STAGES, stage_of_aspect


@dataclass(frozen=True, slots=True)
class Mention:
    """One aspect in one clause: its stage, polarity in [-1, 1] or None, and the clause's offsets in the text."""

    aspect: str
    stage: str
    polarity: float | None
    start: int
    end: int


def locate(
    texts: Sequence[str],
    languages: Sequence[str | None] | None = None,
    touchpoint: str | None = None,
    *,
    aspect_stages: Mapping[str, str] = ASPECT_STAGES,
    touchpoint_stage: str | None = None,
) -> list[list[Mention]]:
    """Return the mentions of each text, in order.

    `languages` are hints, one a text (ValueError when their count differs). `touchpoint`, `aspect_stages` and
    `touchpoint_stage` decide the stage as in `feedback_app.domain.journey.stage_of_aspect`. Start and end frame the
    whole clause, so that what is highlighted can be read by itself. A text that names no aspect is one mention of
    `other` over all of it; a text in none of our languages has no mention.
    """

    def stage(aspect: str) -> str:
        return stage_of_aspect(aspect, touchpoint, aspect_stages, touchpoint_stage)

    return [
        [
            Mention(aspect, stage(aspect), clause.polarity, clause.start, clause.end)
            for clause in _speaking(text, detect(text, hint))
            for aspect in clause.aspects
        ]
        for text, hint in paired(texts, languages)
    ]


def _speaking(text: str, language: str | None) -> list[Clause]:
    """Return the clauses that name an aspect, or the whole text as `other` where none does."""
    if language is None:
        return []
    found = clauses(text, language)
    speaking = [clause for clause in found if clause.aspects]
    if not speaking:
        start = len(text) - len(text.lstrip())
        return [Clause(start, len(text.rstrip()), ["other"], read(text, language).polarity)]
    if len(found) == 1:  # stops outside the clause («!») count too, so that text and mention agree
        speaking[0].polarity = read(text, language).polarity
    return speaking
