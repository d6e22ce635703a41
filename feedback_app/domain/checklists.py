"""Scoring of one mystery visit by its checklist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from feedback_app.domain.forms import Form, Question
from feedback_app.domain.scales import NOT_APPLICABLE


@dataclass(frozen=True)
class Points:
    """Earned and possible points of the applicable criteria, already weighted."""

    earned: float = 0
    possible: float = 0

    @property
    def score(self) -> float | None:
        """Return earned of possible x 100; None where nothing was applicable."""
        return self.earned / self.possible * 100 if self.possible else None

    def plus(self, earned: float, possible: float) -> Points:
        """Return the sum with more points."""
        return Points(self.earned + earned, self.possible + possible)


@dataclass
class VisitScore:
    """Points of a visit: in all, by section and by journey stage; the critical criteria that failed."""

    total: Points = field(default_factory=Points)
    sections: dict[str, Points] = field(default_factory=dict)
    stages: dict[str, Points] = field(default_factory=dict)
    failed_critical: list[str] = field(default_factory=list)

    @property
    def score(self) -> float | None:
        """Return the checklist score, 0-100; None where nothing was applicable."""
        return self.total.score


def earned_by(question: Question, value: Any) -> float:
    """Return the points an answer earns: yes all of them, a choice its own, a number those of its band.

    Bands are (upper bound or None, points) in rising order; the first whose bound is not below the number counts.
    """
    if question.type == "yes_no":
        return question.possible if value == "yes" else 0
    if question.type == "choice":
        return next((choice.points or 0 for choice in question.choices if choice.key == value), 0)
    if question.type == "number":
        return next((points for bound, points in question.bands if bound is None or value <= bound), 0)
    return 0


def score_visit(form: Form, answers: Mapping[str, Any]) -> VisitScore:
    """Return the score of a visit.

    Sum of earned over sum of possible points of the applicable criteria; `na` and unanswered criteria leave both
    sums; a section's weight multiplies its points; a failed critical criterion (nothing earned) sets its section,
    or the whole visit, to 0 while what was possible stays.
    """
    result = VisitScore()
    visible = form.asked(answers)
    visit_knocked_out = False
    per_stage: list[tuple[str | None, str, float, float]] = []
    knocked_sections: set[str] = set()
    for section in form.sections:
        for question in section.questions:
            value = answers.get(question.key)
            if question.key not in visible or not question.possible or value in (None, NOT_APPLICABLE):
                continue
            earned = earned_by(question, value)
            if earned == 0 and question.knock_out:
                result.failed_critical.append(question.key)
                visit_knocked_out |= question.knock_out == "visit"
                if question.knock_out == "section":
                    knocked_sections.add(section.key)
            per_stage.append((question.stage, section.key, earned * section.weight, question.possible * section.weight))
    for stage, section_key, earned, possible in per_stage:
        counted = 0.0 if visit_knocked_out or section_key in knocked_sections else earned
        result.total = result.total.plus(counted, possible)
        result.sections[section_key] = result.sections.get(section_key, Points()).plus(counted, possible)
        if stage:
            result.stages[stage] = result.stages.get(stage, Points()).plus(counted, possible)
    return result
