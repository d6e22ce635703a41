"""Teaching the chain's own sentiment model by its scored responses and by what staff corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis import sentiment
from analysis.sentiment import training
from analysis.sentiment.training import Example, Progress, TooFew, Trained
from feedback_app.domain.access import Access, Right
from feedback_app.domain.corrections import Correction
from feedback_app.services import own_model
from feedback_app.services.clock import now
from feedback_app.services.own_model import OwnModel
from feedback_app.storage import house, sentiment_models
from feedback_app.storage.corrections import pairs
from feedback_app.storage.database import Database

POSITIVE_FROM, NEGATIVE_TO = 66, 34
"""Scores, 0..100, from and up to which a comment is meant well or ill; between them it is neutral. So both upper
smileys of four and of five are positive, and both lower ones negative."""
SMILEY_WEIGHT, STAFF_WEIGHT = 1.0, 5.0
LABELS = MappingProxyType({"negative": "neg", "neutral": "neu", "positive": "pos"})


@dataclass(frozen=True)
class Material:
    """The comments to learn from, when they were read, and the model that was in use then."""

    examples: Sequence[Example]
    read_at: datetime
    model: OwnModel | None

    @property
    def outdated(self) -> bool:
        """Say whether the model in use stands aside because it was fitted on older shipped weights."""
        return self.model is not None and not self.model.fits


@dataclass(frozen=True)
class Lesson:
    """What came of a training: TooFew, or figures; `version` is the number it was kept under, None in a dry run.

    `taken` says that it is in use now.
    """

    outcome: Trained | TooFew
    version: int | None = None
    taken: bool = False


def label_of(score: float | None, corrected: str | None) -> tuple[str, float]:
    """Return the label of a comment and what it weighs: what staff say, else what the score (0..100) says."""
    if corrected is not None:
        return LABELS[corrected], STAFF_WEIGHT
    if score is None:
        raise ValueError("a comment without a score or a correction has no label")
    if score >= POSITIVE_FROM:
        return "pos", SMILEY_WEIGHT
    return ("neg" if score <= NEGATIVE_TO else "neu"), SMILEY_WEIGHT


def gather(db: Database, access: Access) -> Material:
    """Return the newest comments with a label in one of our languages, as many as are learned from at most."""
    access.require(Right.CHANGE_RESPONSES)
    read_at = now()
    examples: list[Example] = []
    with db.snapshot() as connection:
        model = own_model.in_use(connection)
        known_at = model.created_at if model is not None and model.fits else None
        for row in sentiment_models.labelled(connection, read_at):
            language = sentiment.detect(row.comment, row.language)
            meant = Correction(row.label, pairs(row.mentions)).meant
            if language is not None and (meant is not None or row.score is not None):
                examples.append(_example(row, meant, language, known_at))
            if len(examples) == training.MOST:
                break
    return Material(examples, read_at, model)


def _example(row: sa.Row[Any], meant: str | None, language: str, known_at: datetime | None) -> Example:
    label, weight = label_of(row.score, meant)
    learned_at = max(row.received_at, row.corrected_at) if meant is not None else row.received_at
    seen = known_at is not None and learned_at <= known_at
    return Example(row.comment, label, weight, row.occurred_at, language, seen)


def learn(
    db: Database,
    access: Access,
    material: Material,
    progress: Progress = training.silent,
    *,
    dry_run: bool = False,
) -> Lesson:
    """Fit the chain's own weights, compare them with the model in use, and keep them with their figures.

    They are taken into use where they are better by the rule of `analysis.sentiment.training`, in one transaction with
    what is kept; a model that another training took into use meanwhile stays. Nothing is kept of too few.
    """
    access.require(Right.CHANGE_RESPONSES)
    with db.engine.connect() as connection:
        old = own_model.weights_of(connection, material.model)
    outcome = training.train(material.examples, progress, old)
    if dry_run or isinstance(outcome, TooFew):
        return Lesson(outcome)
    lesson = db.write(lambda connection: _keep(connection, access, material, outcome))
    own_model.keep_current(db, age=0)
    return lesson


def _keep(connection: Connection, access: Access, material: Material, outcome: Trained) -> Lesson:
    sentiment_models.lock(connection)
    taken = outcome.better and own_model.in_use(connection) == material.model
    values = {
        "created_at": material.read_at,
        "basis": sentiment.basis(),
        "figures": _figures(outcome, material),
        "weights": own_model.to_bytes(outcome.weights),
        "in_use": taken,
    }
    version = sentiment_models.add(connection, values)
    told = {"examples": outcome.examples, "verdict": outcome.verdict, "in_use": taken}
    house.audit(connection, now(), access.actor, "sentiment.train", f"sentiment_model:{version}", told)
    return Lesson(outcome, version, taken)


def _figures(outcome: Trained, material: Material) -> dict[str, Any]:
    """Return what is kept of a training beside its weights; no word of a comment is among it."""
    old = material.model.version if material.model is not None and material.model.fits else None
    return {
        "old": old,
        "verdict": outcome.verdict,
        "gain": asdict(outcome.gain),
        "penalty": outcome.penalty,
        "examples": outcome.examples,
        "corrected": outcome.weighty,
        "labels": dict(outcome.labels),
        "compared": [asdict(one) for one in outcome.compared],
    }
