"""The chain's own model is taught by its responses, kept with its figures, and used by whoever scores."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa

from analysis import sentiment
from analysis.journey import locate
from analysis.sentiment import blend, score_comments, training
from analysis.sentiment.training import TooFew, Trained
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Forbidden
from feedback_app.services import counting, intake, own_model
from feedback_app.services import training as lessons
from feedback_app.services.clock import now
from feedback_app.storage.tables import AuditEvent, Correction, Response, SentimentModel, User
from tests.builders import EMAILS, Chain
from tests.services.lessons import mixed, ordinary, slang, teach


def train(chain: Chain, **options: Any) -> lessons.Lesson:
    return lessons.learn(chain.db, SYSTEM, lessons.gather(chain.db, SYSTEM), **options)


def correct(chain: Chain, ids: Sequence[UUID], label: str | None) -> None:
    """Let staff say how comments are meant."""

    def work(connection: Any) -> None:
        author = connection.execute(sa.select(User.__table__.c.id).where(User.__table__.c.email == EMAILS["director"]))
        values = {"corrected_by": author.scalar_one(), "label": label, "mentions": None, "corrected_at": now()}
        table = Response.__table__
        for row in connection.execute(sa.select(table.c.id, table.c.store_id).where(table.c.id.in_(ids))).all():
            connection.execute(
                sa.insert(Correction.__table__).values(response_id=row.id, store_id=row.store_id, **values)
            )

    chain.db.write(work)


def models(chain: Chain) -> list[tuple[int, bool]]:
    with chain.db.read(SYSTEM) as session:
        rows = session.execute(
            sa.select(SentimentModel.version, SentimentModel.in_use).order_by(SentimentModel.version)
        )
        return [(row.version, row.in_use) for row in rows]


def model_names(chain: Chain) -> set[str]:
    with chain.db.read(SYSTEM) as session:
        names = session.scalars(sa.select(Response.sentiment_model).where(Response.comment.is_not(None)))
        return {str(name) for name in names}


def praised() -> float:
    """The share of new praise in slang that is read as praise."""
    read = score_comments([text for text, _ in slang(60, seed=9)], ["ru"] * 60)
    return sum(one.label == "positive" for one in read) / 60


PRAISE = "кофе — просто пожар, ужас"


@pytest.fixture
def slangy(any_chain: Chain) -> Chain:
    """A chain whose customers praise in slang."""
    teach(any_chain, mixed(ordinary(200), slang(150)))
    return any_chain


def test_a_chain_teaches_its_slang_and_everything_is_read_by_it_after_scoring_anew(slangy: Chain) -> None:
    assert praised() < 0.5
    assert model_names(slangy) <= set(sentiment.MODEL_VERSIONS.values())
    steps: list[int] = []
    lesson = train(slangy, progress=steps.append)
    assert isinstance(lesson.outcome, Trained)
    assert (lesson.outcome.verdict, lesson.version, lesson.taken) == ("better", 1, True)
    assert sum(steps) == training.steps(350)
    read = score_comments([PRAISE])[0]
    assert (read.label, read.model) == ("positive", "chain-ru/1")
    assert praised() > 0.95
    assert counting.rescore(slangy.db) == 350
    assert {name.partition("-")[0] for name in model_names(slangy)} == {"chain"}
    assert {name.partition("/")[2] for name in model_names(slangy)} == {"1"}
    assert counting.verify(slangy.db) == []
    assert models(slangy) == [(1, True)]


def test_what_comes_in_after_the_training_is_read_by_the_new_model(slangy: Chain) -> None:
    train(slangy)
    sentiment.use(None)  # another process, which has not asked yet
    slangy.db.memory.pop(own_model.MEMORY, None)
    tap = slangy.a_tap(4, comment=PRAISE)
    with slangy.db.read(SYSTEM) as session:
        row = session.get_one(Response, tap)
        assert (row.sentiment_model, row.sentiment_label) == ("chain-ru/1", "positive")


def test_a_training_is_kept_with_its_figures_and_told_to_the_audit_trail(slangy: Chain) -> None:
    train(slangy)
    with slangy.db.read(SYSTEM) as session:
        kept = session.scalars(sa.select(SentimentModel)).one()
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "sentiment.train")).one()
    assert kept.basis == sentiment.basis()
    assert kept.figures["examples"] == 350
    assert kept.figures["old"] is None
    assert kept.figures["compared"][0]["new"]["right"]["value"] > kept.figures["compared"][0]["old"]["right"]["value"]
    assert (event.object, event.details["in_use"]) == ("sentiment_model:1", True)


def test_trained_again_on_the_same_nothing_changes(slangy: Chain) -> None:
    train(slangy)
    again = train(slangy)
    assert isinstance(again.outcome, Trained)
    assert (again.outcome.verdict, again.taken) == ("too_few_new", False)
    assert models(slangy) == [(1, True), (2, False)]
    assert score_comments([PRAISE])[0].model == "chain-ru/1"


def test_smileys_drawn_by_lot_keep_the_shipped_model(any_chain: Chain) -> None:
    rng = random.Random(11)
    teach(any_chain, [(text, rng.choice(["neg", "pos"])) for text, _ in ordinary(300)])
    lesson = train(any_chain)
    assert isinstance(lesson.outcome, Trained)
    assert (lesson.outcome.better, lesson.taken) == (False, False)
    assert models(any_chain) == [(1, False)]
    assert score_comments([PRAISE])[0].model == sentiment.MODEL_VERSIONS["ru"]
    assert counting.rescore(any_chain.db) == 0


def test_a_dry_run_keeps_nothing(slangy: Chain) -> None:
    lesson = train(slangy, dry_run=True)
    assert isinstance(lesson.outcome, Trained)
    assert (lesson.outcome.better, lesson.version, lesson.taken) == (True, None, False)
    assert models(slangy) == []
    assert score_comments([PRAISE])[0].model == sentiment.MODEL_VERSIONS["ru"]


def test_too_few_are_told_in_numbers_and_nothing_is_kept(chain: Chain) -> None:
    teach(chain, ordinary(50))
    lesson = train(chain)
    assert isinstance(lesson.outcome, TooFew)
    assert lesson.outcome.examples == sum(lesson.outcome.labels.values()) == 50
    assert models(chain) == []


def test_a_correction_outranks_the_smiley_and_counts_five_times(any_chain: Chain) -> None:
    one, other, third = teach(any_chain, [("хлеб", "pos"), ("рыба", "pos"), ("сыр", "neg")])
    correct(any_chain, [one], "negative")
    correct(any_chain, [third], None)  # staff changed what it speaks of alone
    found = {example.text: (example.label, example.weight) for example in lessons.gather(any_chain.db, SYSTEM).examples}
    assert found == {"хлеб": ("neg", 5.0), "рыба": ("pos", 1.0), "сыр": ("neg", 1.0)}
    assert other


@pytest.mark.parametrize(
    ("score", "corrected", "expected"),
    [
        (100, None, ("pos", 1.0)),
        (66, None, ("pos", 1.0)),
        (65.9, None, ("neu", 1.0)),
        (34.1, None, ("neu", 1.0)),
        (34, None, ("neg", 1.0)),
        (0, None, ("neg", 1.0)),
        (100, "negative", ("neg", 5.0)),
        (None, "neutral", ("neu", 5.0)),
        (0, "positive", ("pos", 5.0)),
    ],
)
def test_a_score_or_staff_say_how_a_comment_is_meant(
    score: float | None, corrected: str | None, expected: tuple[str, float]
) -> None:
    assert lessons.label_of(score, corrected) == expected


def test_what_is_voided_flagged_wordless_or_foreign_teaches_nothing(any_chain: Chain) -> None:
    gone, flagged, kept = teach(any_chain, [("плохо", "neg"), ("очень плохо", "neg"), ("хорошо", "pos")])
    any_chain.a_tap(4)
    any_chain.a_tap(4, comment="非常好")
    any_chain.a_tap(4, comment="12345")
    intake.void(any_chain.db, SYSTEM, gone, "test")
    table = Response.__table__
    any_chain.db.write(lambda link: link.execute(sa.update(table).where(table.c.id == flagged).values(flags=["burst"])))
    assert [one.text for one in lessons.gather(any_chain.db, SYSTEM).examples] == ["хорошо"]
    assert kept


def test_the_newest_are_gathered(any_chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MOST", 3)
    teach(any_chain, [(f"хлеб {n}", "pos") for n in range(7)])
    assert [one.text for one in lessons.gather(any_chain.db, SYSTEM).examples] == ["хлеб 6", "хлеб 5", "хлеб 4"]


def keep(chain: Chain, weights: bytes, basis: str | None = None, at: datetime | None = None) -> None:
    """Put a model into use as if it had been trained."""
    values = {"version": 7, "created_at": at or now(), "basis": basis or sentiment.basis(), "figures": {}}
    table = SentimentModel.__table__
    chain.db.write(lambda link: link.execute(sa.insert(table).values(in_use=True, weights=weights, **values)))


def some_weights() -> np.ndarray:
    return blend.shipped() * np.float32(0.5)


def test_a_model_fitted_on_older_weights_is_not_used(any_chain: Chain) -> None:
    keep(any_chain, own_model.to_bytes(some_weights()), basis="lexicon-ru/1")
    own_model.keep_current(any_chain.db)
    assert score_comments(["плохо"])[0].model == sentiment.MODEL_VERSIONS["ru"]
    assert lessons.gather(any_chain.db, SYSTEM).outdated


@pytest.mark.parametrize(
    "broken", [b"", b"no weights", own_model.to_bytes(np.zeros((3, 3))), own_model.to_bytes(some_weights() * np.nan)]
)
def test_weights_that_cannot_be_read_are_not_used(chain: Chain, broken: bytes) -> None:
    keep(chain, broken)
    own_model.keep_current(chain.db)
    assert score_comments(["плохо"])[0].model == sentiment.MODEL_VERSIONS["ru"]


class Trap:
    """Makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._path),)


def test_weights_that_hold_code_are_never_run(chain: Chain, tmp_path: Path) -> None:
    kept = io.BytesIO()
    np.save(kept, np.array([Trap(tmp_path / "ran")], dtype=object), allow_pickle=True)
    keep(chain, kept.getvalue())
    own_model.keep_current(chain.db)
    assert not (tmp_path / "ran").exists()
    assert score_comments(["плохо"])[0].model == sentiment.MODEL_VERSIONS["ru"]


def test_a_better_model_takes_the_place_of_the_one_before(slangy: Chain) -> None:
    keep(slangy, own_model.to_bytes(some_weights()), at=now() - timedelta(days=30))
    lesson = train(slangy)
    assert isinstance(lesson.outcome, Trained)
    assert (lesson.outcome.verdict, lesson.taken) == ("better", True)
    assert models(slangy) == [(7, False), (8, True)]
    assert score_comments([PRAISE])[0].model == "chain-ru/8"


def test_what_the_chain_taught_holds_for_a_part_of_a_comment_too(slangy: Chain) -> None:
    text = "Кофе — просто пожар, ужас. Но в очереди на кассу стояли полчаса, ужасно."
    hers = {mention.aspect: mention.polarity for mention in locate([text], ["ru"])[0]}
    train(slangy)
    (first, *_, last) = locate([text], ["ru"])[0]
    assert last.polarity is not None
    assert last.polarity < 0
    assert first.polarity is not None
    assert first.polarity > 0, hers


def test_another_process_takes_a_new_model_up_within_half_a_minute(
    any_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(own_model, "monotonic", lambda: clock[0])
    asked: list[object] = []
    real = own_model.in_use
    monkeypatch.setattr(own_model, "in_use", lambda connection: asked.append(connection) or real(connection))
    own_model.keep_current(any_chain.db)
    keep(any_chain, own_model.to_bytes(some_weights()))
    for _ in range(100):
        own_model.keep_current(any_chain.db)
    assert (len(asked), score_comments(["плохо"])[0].model) == (1, sentiment.MODEL_VERSIONS["ru"])
    clock[0] += own_model.AGE
    own_model.keep_current(any_chain.db)
    assert (len(asked), score_comments(["плохо"])[0].model) == (2, "chain-ru/7")


def test_a_model_that_another_training_took_up_meanwhile_stays(slangy: Chain) -> None:
    material = lessons.gather(slangy.db, SYSTEM)
    keep(slangy, own_model.to_bytes(some_weights()))
    lesson = lessons.learn(slangy.db, SYSTEM, material)
    assert isinstance(lesson.outcome, Trained)
    assert (lesson.outcome.better, lesson.taken, lesson.version) == (True, False, 8)
    assert models(slangy) == [(7, True), (8, False)]


@pytest.mark.parametrize("role", ["manager", "coordinator", "mystery_shopper"])
def test_who_may_not_change_responses_may_not_train(chain: Chain, role: str) -> None:
    with pytest.raises(Forbidden):
        lessons.gather(chain.db, chain.access(role))


def test_no_model_of_another_test_is_in_use() -> None:
    assert score_comments(["плохо"])[0].model == sentiment.MODEL_VERSIONS["ru"]
