"""Where on the customer journey a comment speaks: its mentions of aspects, each on a stage, with its polarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.clauses import Clause, OwnWords, clauses
from analysis.sentiment.language import detect
from analysis.sentiment.scoring import paired, polarities
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
    own_words: OwnWords | None = None,
) -> list[list[Mention]]:
    """Return the mentions of each text, in order.

    `languages` are hints, one a text (ValueError when their count differs). `touchpoint`, `aspect_stages` and
    `touchpoint_stage` decide the stage as in `feedback_app.domain.journey.stage_of_aspect`; `own_words` are a chain's
    own words for aspects (`analysis.aspects.read_own_words`). Start and end frame the whole clause, so that what is
    highlighted can be read by itself. A text that names no aspect is one mention of `other` over all of it; a text in
    none of our languages has no mention.
    """

    def stage(aspect: str) -> str:
        return stage_of_aspect(aspect, touchpoint, aspect_stages, touchpoint_stage)

    spoken = [(text, detect(text, hint)) for text, hint in paired(texts, languages)]
    speaking = iter(_speaking([(text, language) for text, language in spoken if language], own_words))
    return [
        [
            Mention(aspect, stage(aspect), clause.polarity, clause.start, clause.end)
            for clause in (next(speaking) if language else ())
            for aspect in clause.aspects
        ]
        for _, language in spoken
    ]


def _speaking(pairs: Sequence[tuple[str, str]], own_words: OwnWords | None) -> list[list[Clause]]:
    """Return the clauses that name an aspect, or the whole text as `other` where none does."""
    found = clauses(pairs, own_words)
    whole = [at for at, own in enumerate(found) if len(own) <= 1 or not any(clause.aspects for clause in own)]
    said = dict(zip(whole, polarities([pairs[at] for at in whole]), strict=True))
    speaking = []
    for at, ((text, _), own) in enumerate(zip(pairs, found, strict=True)):
        naming = [clause for clause in own if clause.aspects]
        if not naming:
            naming = [Clause(len(text) - len(text.lstrip()), len(text.rstrip()), ["other"])]
        if at in said:  # stops outside the clause («!») count too, so that text and mention agree
            naming[0].polarity = said[at]
        speaking.append(naming)
    return speaking
