"""The chain's own sentiment model: which one is in use, and that this process scores with it."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from analysis import sentiment
from feedback_app.storage import sentiment_models
from feedback_app.storage.database import Database

if TYPE_CHECKING:
    import numpy as np

MEMORY = "own sentiment model"
AGE = 30.0
"""Seconds: so long after another process took a model into use, this one may still score with the former."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnModel:
    """A model that the chain taught; `fits` says that it was fitted on the weights that the product comes with now."""

    version: int
    created_at: datetime
    fits: bool


@dataclass(frozen=True)
class _Loaded:
    asked_at: float
    model: OwnModel | None
    weights: np.ndarray | None


def in_use(connection: Connection) -> OwnModel | None:
    """Return the model that was taken into use last, whether it still fits or not; None where none was."""
    row = sentiment_models.in_use(connection)
    return None if row is None else OwnModel(row.version, row.created_at, row.basis == sentiment.basis())


def weights_of(connection: Connection, model: OwnModel | None) -> np.ndarray | None:
    """Return the weights to score with by a model; None where that is the shipped ones."""
    import numpy as np  # noqa: PLC0415  (start-up time: most chains have no model of their own)

    if model is None or not model.fits:
        return None
    try:
        weights: np.ndarray = np.load(
            io.BytesIO(sentiment_models.weights(connection, model.version)), allow_pickle=False
        )
        sentiment.check_weights(weights)
    except (ValueError, EOFError):
        log.exception("the weights of the chain's own sentiment model %d cannot be used", model.version)
        return None
    return weights


def to_bytes(weights: np.ndarray) -> bytes:
    """Return weights as they are kept."""
    import numpy as np  # noqa: PLC0415  (start-up time)

    kept = io.BytesIO()
    np.save(kept, weights, allow_pickle=False)
    return kept.getvalue()


def keep_current(db: Database, *, age: float = AGE) -> None:
    """Let this process score with the chain's own model; the database is asked where that was `age` seconds ago."""
    loaded: _Loaded | None = db.memory.get(MEMORY)
    if loaded is not None and monotonic() - loaded.asked_at < age:
        return
    asked_at = monotonic()
    if loaded is not None:  # others that score meanwhile do not ask too
        db.memory[MEMORY] = replace(loaded, asked_at=asked_at)
    with db.engine.connect() as connection:
        model = in_use(connection)
        if loaded is None or loaded.model != model:
            loaded = _Loaded(asked_at, model, weights_of(connection, model))
    db.memory[MEMORY] = replace(loaded, asked_at=asked_at)
    sentiment.use(loaded.weights, model.version if model else None)
