"""A recount by hand: every figure from exported responses and form definitions, without the database's counts."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from analysis import metrics as measured
from analysis.journey import Mention, locate
from analysis.metrics import Estimate, mean_of_sources
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.checklists import VisitScore, score_visit
from feedback_app.domain.forms import Form, parse
from feedback_app.services.exchange import export_responses
from feedback_app.services.periods import Filters, Period
from feedback_app.storage.database import Database
from feedback_app.storage.tables import FormRow, FormVersion

SCALES = {"smiley4": 4, "smiley5": 5}
TAPPED, TEXTS = ("button", "qr"), ("book", "staff", "focus_group", "review")


@dataclass(frozen=True)
class Exported:
    """One exported response with its form."""

    row: Mapping[str, str]
    form: Form
    answers: Mapping[str, Any]

    @cached_property
    def moment(self) -> datetime:
        """When it counts."""
        return datetime.fromisoformat(self.row["occurred_at"])

    @cached_property
    def local(self) -> datetime:
        """The same in the store's time."""
        return datetime.fromisoformat(self.row["occurred_local"])

    @cached_property
    def mentions(self) -> list[Mention]:
        """The mentions in its comment that have a polarity."""
        if not self.row["comment"]:
            return []
        found = locate(
            [self.row["comment"]],
            [self.row["language"] or None],
            self.row["touchpoint"] or None,
            touchpoint_stage=self.row["stage"] or None,
        )[0]
        return [mention for mention in found if mention.polarity is not None]

    @cached_property
    def visit(self) -> VisitScore | None:
        """Its checklist's score."""
        return score_visit(self.form, self.answers) if self.form.purpose == "checklist" else None


def export(db: Database, folder: Path) -> list[Exported]:
    """Export all responses to CSV and read the file back."""
    path = folder / "responses.csv"
    export_responses(db, SYSTEM, path)
    with db.read(SYSTEM) as session:
        query = sa.select(FormRow.key, FormVersion.version, FormVersion.definition).join(
            FormRow, FormRow.id == FormVersion.form_id
        )
        forms = {(key, str(version)): parse(definition) for key, version, definition in session.execute(query)}
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Exported(row, forms[row["form"], row["form_version"]], json.loads(row["answers"]))
            for row in csv.DictReader(file)
        ]


def chosen(rows: Iterable[Exported], filters: Filters, period: Period | None = None) -> list[Exported]:
    """Return the responses that filters leave."""
    span = period or filters.period
    return [
        one
        for one in rows
        if (not filters.stores or one.row["store"] in filters.stores)
        and (not filters.channels or one.row["channel"] in filters.channels)
        and filters.region in (None, one.row["region"])
        and filters.touchpoint in (None, one.row["touchpoint"])
        and (filters.flagged or one.row["flags"] == "[]")
        and _inside(one, span)
    ]


def _inside(one: Exported, span: Period) -> bool:
    for bound, outside in ((span.start, lambda here, start: here < start), (span.end, None)):
        if isinstance(bound, datetime):
            if one.moment >= bound if outside is None else one.moment < bound:
                return False
        elif isinstance(bound, date) and (one.local.date() > bound if outside is None else one.local.date() < bound):
            return False
    return True


def histograms(rows: Iterable[Exported], wanted: Callable[[str, int | None], int | None]) -> dict[int, Counter[int]]:
    """Return the answers to the questions that `wanted` gives a scale for, by scale."""
    found: dict[int, Counter[int]] = {}
    for one in rows:
        for key, question in one.form.by_key.items():
            size, answer = wanted(question.type, question.size), one.answers.get(key)
            if size is not None and answer is not None and answer != "na":
                found.setdefault(size, Counter())[answer] += 1
    return found


def moments(values: Sequence[float], low: float, high: float) -> Estimate:
    """Return the mean of values with its interval."""
    return measured.mean_of_moments(len(values), sum(values), sum(value * value for value in values), low, high)


def visits(rows: Iterable[Exported], stage: str | None = None) -> list[tuple[float, float]]:
    """Return earned and possible points of every visit, or of its criteria of a stage."""
    scored = [one.visit for one in rows if one.visit]
    points = [visit.total if stage is None else visit.stages.get(stage) for visit in scored]
    return [(part.earned, part.possible) for part in points if part and part.possible]


def figure(measure: str, rows: Sequence[Exported], stage: str | None = None) -> Estimate:
    """Return a measure over responses; of checklists, with a stage, its criteria alone."""
    if measure == "smiley":
        return measured.smiley_index_of(histograms(rows, lambda kind, _: SCALES.get(kind)))
    if measure == "csat":
        scales = histograms(rows, lambda kind, size: size or 5 if kind == "rating" else SCALES.get(kind))
        return measured.csat_of(scales)
    if measure in ("nps", "ces"):
        counted = histograms(rows, lambda kind, _: 0 if kind == measure else None).get(0, {})
        return measured.nps(counted) if measure == "nps" else measured.ces(counted)
    if measure == "checklist":
        return measured.pooled_checklist(visits(rows, stage))
    if measure == "sentiment":
        return measured.mean_sentiment(Counter(float(one.row["sentiment"]) for one in rows if one.row["sentiment"]))
    return moments([float(one.row["score"]) for one in rows if one.row["score"]], 0, 100)


def _monday(day: date) -> str:
    iso = day.isocalendar()
    return date.fromisocalendar(iso.year, iso.week, 1).isoformat()


GROUPING: dict[str, Callable[[Exported], str | int | None]] = {
    "none": lambda one: "all",
    "stage": lambda one: one.row["stage"] or None,
    "touchpoint": lambda one: one.row["touchpoint"] or None,
    "store": lambda one: one.row["store"],
    "region": lambda one: one.row["region"],
    "hour": lambda one: one.row["occurred_at"][:13] + ":00:00Z",
    "day": lambda one: one.row["occurred_local"][:10],
    "week": lambda one: _monday(one.local.date()),
    "month": lambda one: one.row["occurred_local"][:7],
    "hour_of_day": lambda one: one.local.hour,
    "weekday": lambda one: one.local.isoweekday(),
}
"""The group that a response belongs to, by what the API calls the grouping."""


def grouped(rows: Iterable[Exported], group: str) -> dict[Any, list[Exported]]:
    """Return responses by group."""
    found: dict[Any, list[Exported]] = {}
    for one in rows:
        found.setdefault(GROUPING[group](one), []).append(one)
    return found


def figures(measure: str, group: str, rows: Sequence[Exported]) -> dict[Any, Estimate]:
    """Return a measure in groups, the groups without an answer left out."""
    if measure == "checklist" and group == "stage":
        stages = {stage for one in rows if one.visit for stage in one.visit.stages}
        found = {stage: figure(measure, rows, stage) for stage in stages}
    else:
        found = {name: figure(measure, part) for name, part in grouped(rows, group).items() if name is not None}
    return {name: measured.shown(known) for name, known in found.items() if known.n}


def mentions_on(rows: Iterable[Exported], stage: str | None) -> list[Mention]:
    """Return the mentions located on a stage; None is any."""
    return [mention for one in rows for mention in one.mentions if stage in (None, mention.stage)]


def emotion_of(mentions: Iterable[Mention]) -> Estimate:
    """Return 50 + 50 x polarity."""
    polarity = moments([mention.polarity or 0.0 for mention in mentions], -1, 1)
    value, low, high = (
        None if part is None else 50 + 50 * part for part in (polarity.value, polarity.low, polarity.high)
    )
    return Estimate(value, low, high, polarity.n)


def sources(stage: str, rows: Sequence[Exported]) -> dict[str, Estimate]:
    """Return the emotion of each source present on a stage."""
    by_channel: dict[str, list[Exported]] = {}
    for one in rows:
        by_channel.setdefault(one.row["channel"], []).append(one)
    found = {}
    for channel in TAPPED:
        here = [one for one in by_channel.get(channel, []) if one.row["stage"] == stage]
        found[channel] = figure("score", here)
    for channel in TEXTS:
        found[channel] = emotion_of(mentions_on(by_channel.get(channel, []), stage))
    left_with_taps = [one for channel in TAPPED for one in by_channel.get(channel, [])]
    found["comment"] = emotion_of(mentions_on(left_with_taps, stage))
    found["mystery"] = figure("checklist", by_channel.get("mystery", []), stage)
    return {source: known for source, known in found.items() if known.n}


def all_sources(stage: str, rows: Sequence[Exported]) -> Estimate:
    """Return the emotion of a stage over all sources."""
    return mean_of_sources(sources(stage, rows).values())


def reasons(rows: Iterable[Exported]) -> Counter[str]:
    """Return how often each ready-made reason was chosen."""
    return Counter(
        one.answers[key]
        for one in rows
        for key, question in one.form.by_key.items()
        if question.type == "choice" and key.startswith("reason") and one.answers.get(key)
    )


def signs(mentions: Iterable[Mention]) -> dict[str, tuple[int, int, int]]:
    """Return negative, neutral and positive mentions by aspect."""
    counted: dict[str, list[int]] = {}
    for mention in mentions:
        polarity = mention.polarity or 0.0
        counted.setdefault(mention.aspect, [0, 0, 0])[0 if polarity < 0 else 2 if polarity > 0 else 1] += 1
    return {aspect: (part[0], part[1], part[2]) for aspect, part in counted.items()}
