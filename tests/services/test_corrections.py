"""What staff correct counts at once, on every page, and no model takes it back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from analysis.journey import Mention
from analysis.sentiment import Sentiment
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Forbidden, Invalid, NotFound
from feedback_app.services import corrections, counting, intake, readings, training
from feedback_app.services.clock import now
from feedback_app.services.comments import Comment, behind
from feedback_app.services.periods import Filters
from feedback_app.storage.tables import AuditEvent, MentionRow, Response, Rollup, StoreVersion
from tests.builders import Chain

TEXT = "Очередь на кассе ужасная, стояли полчаса."
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def response_id(any_chain: Chain) -> UUID:
    """A comment among others that nobody corrects."""
    any_chain.a_tap(2, comment="Хлеб свежий, спасибо!", store="002")
    any_chain.a_tap(3, comment="The bread was stale and cold.")
    return any_chain.a_tap(1, comment=TEXT)


def correct(chain: Chain, response_id: UUID, label: str | None, mentions: Any = None, role: str = "manager") -> None:
    corrections.correct(chain.db, chain.access(role), response_id, label, mentions, AT)


def row_of(chain: Chain, response_id: UUID) -> Response:
    with chain.db.read(SYSTEM) as session:
        return session.scalars(sa.select(Response).where(Response.id == response_id)).one()


def spoken_of(chain: Chain, response_id: UUID) -> list[tuple[str, str, float | None]]:
    with chain.db.read(SYSTEM) as session:
        query = sa.select(MentionRow).where(MentionRow.response_id == response_id).order_by(MentionRow.position)
        return [(row.aspect, row.stage, row.polarity) for row in session.scalars(query)]


def everything_of(chain: Chain, response_id: UUID) -> tuple[Any, ...]:
    row = row_of(chain, response_id)
    columns = (row.sentiment, row.sentiment_label, row.sentiment_language, row.sentiment_model, row.terms)
    return (*columns, spoken_of(chain, response_id))


def counted(chain: Chain, measure: str, bucket: str) -> int:
    with chain.db.read(SYSTEM) as session:
        query = sa.select(sa.func.sum(Rollup.n)).where(Rollup.measure == measure, Rollup.bucket == bucket)
        return int(session.scalar(query) or 0)


def version_of(chain: Chain, store: str = "001") -> int:
    with chain.db.read(SYSTEM) as session:
        query = sa.select(StoreVersion.version).where(StoreVersion.store_id == chain.store_id(store))
        return int(session.scalar(query) or 0)


def audited(chain: Chain) -> list[tuple[str, str, str, dict[str, Any]]]:
    with chain.db.read(SYSTEM) as session:
        events = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id))
        return [(one.actor, one.action, one.object, one.details) for one in events if "correct" in one.action]


def listed(chain: Chain, response_id: UUID) -> Comment:
    page = behind(chain.db, chain.access("director"), Filters())
    return next(comment for comment in page.comments if comment.id == response_id)


def test_a_corrected_label_counts_in_the_place_of_the_model_s(any_chain: Chain, response_id: UUID) -> None:
    before = everything_of(any_chain, response_id)
    content, unhappy = (counted(any_chain, "sentiment", label) for label in ("positive", "negative"))
    assert before[1] == "negative"
    correct(any_chain, response_id, "positive")
    row = row_of(any_chain, response_id)
    assert (row.sentiment, row.sentiment_label, row.sentiment_model) == (0.6, "positive", "corrected/1")
    assert row.sentiment_language == "ru"
    assert row.terms is None
    assert spoken_of(any_chain, response_id) == before[-1]
    assert counted(any_chain, "sentiment", "positive") == content + 1
    assert counted(any_chain, "sentiment", "negative") == unhappy - 1
    assert counting.verify(any_chain.db) == []


def test_a_label_that_the_model_read_too_keeps_its_strength(any_chain: Chain, response_id: UUID) -> None:
    before = row_of(any_chain, response_id)
    correct(any_chain, response_id, "negative")
    after = row_of(any_chain, response_id)
    assert (after.sentiment, after.terms) == (before.sentiment, before.terms)
    assert after.sentiment_model == "corrected/1"
    assert counting.verify(any_chain.db) == []


def test_corrected_aspects_stand_on_their_stages(any_chain: Chain, response_id: UUID) -> None:
    before = row_of(any_chain, response_id)
    assert "queue" in {aspect for aspect, *_ in spoken_of(any_chain, response_id)}
    correct(any_chain, response_id, None, [["price", "negative"], ["other", "neutral"]])
    found = {(aspect, stage): polarity for aspect, stage, polarity in spoken_of(any_chain, response_id)}
    assert found == {("price", "evaluation"): -0.6, ("other", "deal"): 0.0}
    after = row_of(any_chain, response_id)
    assert (after.sentiment, after.sentiment_model) == (before.sentiment, before.sentiment_model)
    comments = behind(any_chain.db, any_chain.access("director"), Filters(), stage="evaluation").comments
    assert response_id in {comment.id for comment in comments}
    assert counting.verify(any_chain.db) == []


def test_a_comment_may_speak_of_nothing(any_chain: Chain, response_id: UUID) -> None:
    correct(any_chain, response_id, None, [])
    assert spoken_of(any_chain, response_id) == []
    assert counting.verify(any_chain.db) == []


def test_a_comment_that_no_model_could_read_counts_once_corrected(any_chain: Chain) -> None:
    response_id = any_chain.a_tap(1, comment="行列が長い")
    assert row_of(any_chain, response_id).sentiment is None
    correct(any_chain, response_id, "negative", [["queue", "negative"]])
    assert row_of(any_chain, response_id).sentiment == -0.6
    assert spoken_of(any_chain, response_id) == [("queue", "deal", -0.6)]
    assert counting.verify(any_chain.db) == []


def test_undoing_lets_the_model_read_the_comment_anew(any_chain: Chain, response_id: UUID) -> None:
    before = everything_of(any_chain, response_id)
    correct(any_chain, response_id, "positive", [["staff", "positive"]])
    assert everything_of(any_chain, response_id) != before
    corrections.undo(any_chain.db, any_chain.access("manager"), response_id)
    assert everything_of(any_chain, response_id) == before
    assert not listed(any_chain, response_id).corrected
    assert counting.verify(any_chain.db) == []
    seen = version_of(any_chain)
    corrections.undo(any_chain.db, any_chain.access("manager"), response_id)
    assert version_of(any_chain) == seen


def test_the_last_correction_stands(any_chain: Chain, response_id: UUID) -> None:
    correct(any_chain, response_id, "positive", [["staff", "positive"]])
    correct(any_chain, response_id, "neutral", None, role="director")
    subject = corrections.look(any_chain.db, any_chain.access("manager"), response_id)
    assert subject.made is not None
    assert subject.made.by == any_chain.access("director").actor
    assert subject.made.at == AT
    assert (subject.made.correction.label, subject.made.correction.mentions) == ("neutral", None)
    assert subject.model.sentiment.label == "negative"
    assert subject.counts.sentiment.label == "neutral"
    assert row_of(any_chain, response_id).sentiment == 0.0
    assert counting.verify(any_chain.db) == []


class AnotherModel:
    """A model of later days that reads everything alike, and wrongly."""

    def score(self, texts: list[str], *_: Any) -> list[Sentiment]:
        """Find everything splendid."""
        return [Sentiment(0.9, "positive", "en", [], "later/9") for _text in texts]

    def locate(self, texts: list[str], *_: Any, **__: Any) -> list[list[Mention]]:
        """Hear of deliveries alone."""
        return [[Mention("delivery", "experience", 0.9, 0, 3)] for _text in texts]


@pytest.fixture
def another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "score_comments", AnotherModel().score)
    monkeypatch.setattr(readings, "locate", AnotherModel().locate)


@pytest.mark.parametrize(
    ("label", "mentions", "wanted"),
    [
        ("negative", None, (-0.6, "negative", "corrected/1", [("delivery", "experience", 0.9)])),
        (None, [["queue", "negative"]], (0.9, "positive", "later/9", [("queue", "deal", -0.6)])),
        ("neutral", [["queue", "negative"]], (0.0, "neutral", "corrected/1", [("queue", "deal", -0.6)])),
    ],
    ids=["label", "aspects", "both"],
)
def test_scoring_anew_keeps_what_was_corrected_and_moves_the_rest(
    any_chain: Chain,
    response_id: UUID,
    request: pytest.FixtureRequest,
    label: str | None,
    mentions: Any,
    wanted: tuple[Any, ...],
) -> None:
    correct(any_chain, response_id, label, mentions)
    assert counting.rescore(any_chain.db) == 0
    request.getfixturevalue("another_model")
    assert counting.rescore(any_chain.db) == 3
    row = row_of(any_chain, response_id)
    found = (row.sentiment, row.sentiment_label, row.sentiment_model, spoken_of(any_chain, response_id))
    assert found == wanted
    assert counting.verify(any_chain.db) == []


def test_correcting_undoing_and_scoring_anew_at_the_same_time_count_nothing_twice(
    any_chain: Chain, response_id: UUID
) -> None:
    manager, director = any_chain.access("manager"), any_chain.access("director")
    barrier = threading.Barrier(4)

    def act(number: int) -> None:
        barrier.wait()
        for turn in range(5):
            if number == 0:
                corrections.correct(any_chain.db, manager, response_id, ("positive", "neutral")[turn % 2], None, AT)
            elif number == 1:
                corrections.correct(any_chain.db, director, response_id, None, [["queue", "positive"]], AT)
            elif number == 2:
                corrections.undo(any_chain.db, director, response_id)
            else:
                counting.rescore(any_chain.db)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(4)))
    assert counting.verify(any_chain.db) == []
    assert counting.rescore(any_chain.db) == 0, "what counts is the last correction, or the model's reading"


def test_what_arrives_again_changes_no_correction(any_chain: Chain) -> None:
    item = any_chain.item({"smiley": 1, "comment": TEXT})
    any_chain.send(item)
    response_id = UUID(item["id"])
    correct(any_chain, response_id, "positive", [["staff", "positive"]])
    before = everything_of(any_chain, response_id)
    assert any_chain.send(item)[0].status == intake.DUPLICATE
    assert everything_of(any_chain, response_id) == before


def test_a_corrected_comment_is_marked_and_its_data_are_new(any_chain: Chain, response_id: UUID) -> None:
    assert not listed(any_chain, response_id).corrected
    seen = version_of(any_chain)
    correct(any_chain, response_id, "negative")
    assert version_of(any_chain) > seen
    comment = listed(any_chain, response_id)
    assert comment.corrected
    assert comment.label == "negative"
    assert sum(one.corrected for one in behind(any_chain.db, any_chain.access("director"), Filters()).comments) == 1


def test_the_audit_trail_says_who_corrected_what_without_the_words(any_chain: Chain, response_id: UUID) -> None:
    manager = any_chain.access("manager")
    correct(any_chain, response_id, "neutral", [["queue", "neutral"]])
    correct(any_chain, response_id, "neutral", [["queue", "neutral"]])
    corrections.undo(any_chain.db, manager, response_id)
    thing = f"response:{response_id}"
    assert audited(any_chain) == [
        (manager.actor, "response.correct", thing, {"label": "neutral", "mentions": [["queue", "neutral"]]}),
        (manager.actor, "response.undo_correction", thing, {}),
    ]
    assert "Очередь" not in str(audited(any_chain))


def test_what_is_no_correction_changes_nothing(any_chain: Chain, response_id: UUID) -> None:
    before = everything_of(any_chain, response_id)
    for label, mentions in ((None, None), ("loud", None), (None, [["weather", "negative"]])):
        with pytest.raises(Invalid):
            correct(any_chain, response_id, label, mentions)
    assert everything_of(any_chain, response_id) == before
    assert audited(any_chain) == []


@pytest.mark.parametrize("role", ["admin", "director", "manager"])
def test_who_answers_for_a_store_may_correct(any_chain: Chain, response_id: UUID, role: str) -> None:
    correct(any_chain, response_id, "positive", role=role)
    assert row_of(any_chain, response_id).sentiment_label == "positive"


@pytest.mark.parametrize("role", ["coordinator", "mystery_shopper"])
def test_nobody_else_may(any_chain: Chain, response_id: UUID, role: str) -> None:
    access = any_chain.access(role)
    with pytest.raises(Forbidden):
        correct(any_chain, response_id, "positive", role=role)
    with pytest.raises(Forbidden):
        corrections.undo(any_chain.db, access, response_id)
    with pytest.raises(Forbidden):
        corrections.look(any_chain.db, access, response_id)
    with pytest.raises(Forbidden):
        corrections.correct(any_chain.db, SYSTEM, response_id, "positive", None, AT)


def test_a_manager_corrects_nothing_of_another_store(any_chain: Chain) -> None:
    other, manager = any_chain.a_tap(1, comment=TEXT, store="002"), any_chain.access("manager")
    silent = any_chain.a_tap(4)
    voided = any_chain.a_tap(1, comment=TEXT)
    intake.void(any_chain.db, SYSTEM, voided, "test")
    before = everything_of(any_chain, other)
    for response_id in (other, silent, voided, uuid4()):
        with pytest.raises(NotFound):
            correct(any_chain, response_id, "positive")
        with pytest.raises(NotFound):
            corrections.undo(any_chain.db, manager, response_id)
        with pytest.raises(NotFound):
            corrections.look(any_chain.db, manager, response_id)
    assert everything_of(any_chain, other) == before


def test_a_correction_of_a_comment_that_was_voided_meanwhile_is_not_kept(
    any_chain: Chain, response_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = readings.by_model

    def and_void(*args: Any) -> Any:
        found = read(*args)
        intake.void(any_chain.db, SYSTEM, response_id, "test")
        return found

    monkeypatch.setattr(readings, "by_model", and_void)
    with pytest.raises(NotFound):
        correct(any_chain, response_id, "positive")
    assert audited(any_chain) == []
    assert counting.verify(any_chain.db) == []


def test_training_learns_from_every_correction_that_counts(any_chain: Chain, response_id: UUID) -> None:
    by_aspects = any_chain.a_tap(4, comment="Nice bread, nice milk", at=now() - timedelta(days=3), store="002")
    divided = any_chain.a_tap(4, comment="Nice people, dear bread", at=now() - timedelta(days=2), store="002")
    gone = any_chain.a_tap(4, comment="Nice milk")
    correct(any_chain, response_id, "positive", [["staff", "positive"], ["queue", "neutral"]])
    correct(any_chain, by_aspects, None, [["freshness", "negative"]], role="director")
    correct(any_chain, divided, None, [["staff", "neutral"], ["price", "negative"]], role="director")
    correct(any_chain, gone, "negative")
    intake.void(any_chain.db, SYSTEM, gone, "test")
    examples = training.gather(any_chain.db, SYSTEM).examples
    told = {one.text: (one.label, one.weight) for one in examples}
    assert told[TEXT] == ("pos", training.STAFF_WEIGHT)
    assert told["Nice bread, nice milk"] == ("neg", training.STAFF_WEIGHT)
    assert told["Nice people, dear bread"] == ("pos", training.SMILEY_WEIGHT)
    assert "Nice milk" not in told


def test_an_empty_scope_corrects_nothing(any_chain: Chain, response_id: UUID) -> None:
    nobody = replace(any_chain.access("manager"), stores=frozenset())
    with pytest.raises(NotFound):
        corrections.correct(any_chain.db, nobody, response_id, "positive", None, AT)
