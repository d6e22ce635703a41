"""What a case goes through from its opening to its end, who may move it, and what may be written in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from feedback_app.domain.causes import ROOT_CAUSES
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.domain.scales import clean_text

BOOK_KINDS: tuple[str, ...] = ("complaint", "suggestion", "thanks", "claim")
ANSWERED_KINDS = frozenset({"complaint", "claim"})
"""Kinds of book entries that open a case by themselves."""

NEW, IN_WORK, WAITING = "new", "in_work", "waiting"
ANSWERED, CLOSED, REOPENED = "answered", "closed", "reopened"
STATUSES: tuple[str, ...] = (NEW, IN_WORK, WAITING, ANSWERED, CLOSED, REOPENED)
OPEN = frozenset({NEW, IN_WORK, WAITING, REOPENED})
"""Somebody still has to act, and the deadline counts."""
STAFF, WRITER = "staff", "writer"
_MOVES: dict[tuple[str, str], frozenset[str]] = {
    (STAFF, NEW): frozenset({IN_WORK, WAITING, ANSWERED, CLOSED}),
    (STAFF, IN_WORK): frozenset({WAITING, ANSWERED, CLOSED}),
    (STAFF, WAITING): frozenset({IN_WORK, ANSWERED, CLOSED}),
    (STAFF, REOPENED): frozenset({IN_WORK, WAITING, ANSWERED, CLOSED}),
    (STAFF, ANSWERED): frozenset({ANSWERED, CLOSED, REOPENED}),
    (STAFF, CLOSED): frozenset({REOPENED}),
    (WRITER, ANSWERED): frozenset({REOPENED}),
    (WRITER, CLOSED): frozenset({REOPENED}),
}
"""Where a case may go from a status, and by whom; a writer brings back what was answered, and nothing else."""

NOTE_LIMIT = 4_000
ANSWER_LIMIT = 10_000
STEP_LIMIT = 200
MOST_STEPS = 50
LABEL_LIMIT = 40
MOST_LABELS = 10
ACTION_LIMIT = 2_000
REASON_LIMIT = 1_000
ADDRESSEE_LIMIT = 200


def moves(status: str, by: str = STAFF) -> frozenset[str]:
    """Return the statuses that a case may be moved to."""
    return _MOVES.get((by, status), frozenset())


def require_move(status: str, to: str, by: str = STAFF) -> None:
    """Raise DomainError `no_such_move` unless a case may go from one status to the other."""
    if to not in moves(status, by):
        raise DomainError("no_such_move", status=status, to=to)


def is_overdue(status: str, due_on: date | None, today: date) -> bool:
    """Say whether a case still waits for an answer after its last day, in the store's days."""
    return status in OPEN and due_on is not None and due_on < today


def needs_reason_to_close(kinds: Iterable[str], answered: bool) -> bool:
    """Say whether a case is closed with a written reason only: a complaint or claim in it was not answered.

    `kinds` are those of its entries; where there is none, nobody waits for an answer.
    """
    return not answered and any(kind in ANSWERED_KINDS for kind in kinds)


def words_of(raw: str | None, field: str, limit: int) -> str:
    """Return what was written, or raise Invalid where it is empty or too long."""
    text = clean_text(raw or "")
    if not text:
        raise Invalid([Problem("required", field)])
    if len(text) > limit:
        raise Invalid([Problem("too_long", field, limit=limit)])
    return text


def label_list(raw: str) -> list[str]:
    """Return the labels written with commas between them: in small letters, each once, in their order.

    Raises Invalid where there are more than ten, or one has more than 40 characters.
    """
    found = (" ".join(clean_text(part).split()).lower() for part in raw.replace("\n", ",").split(","))
    labels = list(dict.fromkeys(label for label in found if label))
    if len(labels) > MOST_LABELS:
        raise Invalid([Problem("too_many_labels", "labels", limit=MOST_LABELS)])
    if any(len(label) > LABEL_LIMIT for label in labels):
        raise Invalid([Problem("label_too_long", "labels", limit=LABEL_LIMIT)])
    return labels


def require_cause(cause: str | None) -> str | None:
    """Return the key of a root cause, None for none; raise Invalid for what is no cause."""
    if not cause:
        return None
    if cause not in ROOT_CAUSES:
        raise Invalid([Problem("unknown_choice", "cause")])
    return cause


def require_room(steps: int) -> None:
    """Raise Invalid where a case has as many steps as it may have."""
    if steps >= MOST_STEPS:
        raise Invalid([Problem("too_many_steps", "text", limit=MOST_STEPS)])


def require_later(new: date | None, old: date | None, last: date | None) -> date:
    """Return the new last day to answer, or raise Invalid.

    It is later than the one before, and not later than the last day that the rules allow; `last` is None where they
    name none.
    """
    if new is None:
        raise Invalid([Problem("required", "due_on")])
    if old is not None and new <= old:
        raise Invalid([Problem("not_later", "due_on", day=old)])
    if last is not None and new > last:
        raise Invalid([Problem("past_the_limit", "due_on", day=last)])
    return new


def earlier(days: Collection[date | None]) -> date | None:
    """Return the earliest of some days; None where there is none."""
    return min((day for day in days if day is not None), default=None)
