"""What makes a response acceptable: the only truth about answers, for devices, forms and imports alike."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from feedback_app.domain import checklists, clocks, misuse
from feedback_app.domain.clocks import Placed, Reading, Sent
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.forms import LANGUAGES, Form

FLAG_TIME = clocks.FLAG_TIME
RECEIPT_LENGTH = 64

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode


@dataclass(frozen=True)
class PointForm:
    """A collection point with one published version of its form, as intake needs them."""

    point_id: int
    store_id: int
    token: str
    channel: str
    touchpoint: str | None
    stage: str | None
    form_version_id: int
    version: int
    form: Form
    closed_at: datetime | None = None
    survey_until: datetime | None = None
    one_per_receipt: bool = False


@dataclass(slots=True)
class Accepted:
    """A response that passed every rule, not yet scored by the analysis."""

    id: UUID
    at: PointForm
    occurred_at: datetime
    received_at: datetime
    answers: dict[str, Any]
    digest: str
    language: str | None = None
    claimed_at: str | None = None
    score: float | None = None
    comment: str | None = None
    flags: list[str] = field(default_factory=list)
    visit: checklists.VisitScore | None = None
    sequence: int | None = None
    skew_ms: int | None = None
    placed_by: str | None = None
    receipt: str | None = None


CHANNELS_OF_PAGES = ("button", "qr")
"""The channels that an item of the device API may name; without one it is the first."""

FindForm = Callable[[str, int | None, str], PointForm]
"""Returns the point and the version of its channel's form, or raises Problem.

The codes are `unknown_point` and `unknown_form_version`.
"""


def parse_id(value: Any) -> UUID:
    """Return the UUID of an item, or raise Problem; the canonical form of 36 characters alone is read."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise Problem("bad_id", "id")
    return UUID(value)


def parse_time(value: Any, where: str = "occurred_at") -> datetime:
    """Return an ISO-8601 time as aware UTC, or raise Problem; a time without an offset is read as UTC."""
    # Python takes any character between date and time, also one that no database can keep.
    if not isinstance(value, str) or len(value) > 40 or not (value.isascii() and value.isprintable()):
        raise Problem("bad_time", where)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Problem("bad_time", where) from None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # an offset that leaves the calendar at its first or last day
        return moment.replace(tzinfo=UTC)


def digest(point: str, form_version: int, answers: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of point, form version and answers in canonical JSON."""
    return hashlib.sha256(_canonical([point, form_version, answers]).encode()).hexdigest()


def check_answers(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cleaned answers of the questions that are asked, or raise Invalid with a problem per field.

    An unknown question is a problem; an empty text is no answer; an answer to a question that an earlier answer
    hides is checked like the others and then left out; a form without any answer is a problem.
    """
    problems: list[Problem] = []
    cleaned: dict[str, Any] = {}
    checks = form.checks
    for key, value in answers.items():
        check = checks.get(key)
        if check is None:
            problems.append(Problem("unknown_question", key[:80]))
            continue
        try:
            checked = check(value)
        except Problem as problem:
            problems.append(problem)
            continue
        if checked != "":
            cleaned[key] = checked
    wrong = {problem.field for problem in problems}
    visible = form.asked(cleaned)
    problems += [
        Problem("required", question.key)
        for question in visible.values()
        if question.required and question.key not in cleaned and question.key not in wrong
    ]
    kept = {key: cleaned[key] for key in visible if key in cleaned}
    if not kept and not problems:
        problems.append(Problem("empty"))
    if problems:
        raise Invalid(problems)
    return kept


def score_of(form: Form, answers: Mapping[str, Any]) -> float | None:
    """Return the score of a response, 0-100, to three decimals.

    The mean of its smiley and rating answers, each brought to 0-100; for a checklist the visit's score; None where
    it has none of these.
    """
    if form.purpose == "checklist":
        score = checklists.score_visit(form, answers).score
        return None if score is None else round(score, 3)
    values = [worth[answers[key]] for key, worth in form.worths.items() if answers.get(key) in worth]
    return round(sum(values) / len(values), 3) if values else None


def comment_of(form: Form, answers: Mapping[str, Any]) -> str | None:
    """Return the written answers joined by line breaks, in the form's order; None where nobody wrote."""
    texts = [answers[key] for key in form.text_keys if answers.get(key)]
    return "\n".join(texts) or None


def build(
    response_id: UUID,
    at: PointForm,
    answers: Mapping[str, Any],
    received_at: datetime,
    *,
    claimed: datetime | None = None,
    language: str | None = None,
) -> Accepted:
    """Return an accepted response of already parsed parts, or raise Invalid."""
    placed = clocks.place(Reading(claimed), Sent(received_at)) if claimed else Placed(received_at)
    return _accepted(response_id, at, answers, received_at, placed, language)


def _accepted(
    response_id: UUID,
    at: PointForm,
    answers: Mapping[str, Any],
    received_at: datetime,
    placed: Placed,
    language: str | None,
) -> Accepted:
    kept = check_answers(at.form, answers)
    visit = checklists.score_visit(at.form, kept) if at.form.purpose == "checklist" else None
    return Accepted(
        id=response_id,
        at=at,
        occurred_at=placed.occurred_at,
        received_at=received_at,
        answers=kept,
        digest=digest(at.token, at.version, answers),
        language=language,
        score=score_of(at.form, kept),
        comment=comment_of(at.form, kept),
        flags=list(placed.flags),
        visit=visit,
        skew_ms=placed.skew_ms,
        placed_by=placed.placed_by,
    )


def _flags_of(raw: Any) -> list[str]:
    """Return what the device noticed of misuse; flags that nobody knows are ignored."""
    return [flag for flag in misuse.FLAGS if flag in raw] if isinstance(raw, list) else []


def _receipt_of(raw: Any) -> str | None:
    fits = isinstance(raw, str) and 0 < len(raw) <= RECEIPT_LENGTH and raw.isprintable()
    return raw if fits else None


def accept(item: Any, find_form: FindForm, sent: Sent) -> Accepted:
    """Return the response that an item of the device API holds, or raise Invalid or Problem.

    `find_form` says whether the sender may submit for the point. Keys that the item does not define are ignored, and
    so are clocks, flags and receipts that cannot be read: none of them is a reason to lose an answer.
    """
    if not isinstance(item, Mapping):
        raise Problem("wrong_type")
    response_id = parse_id(item.get("id"))
    token, version = item.get("point"), item.get("form_version")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Problem("unknown_point", "point")
    if not isinstance(version, int) or isinstance(version, bool):
        raise Problem("unknown_form_version", "form_version")
    language = item.get("language")
    if language is not None and language not in LANGUAGES:
        raise Problem("unknown_language", "language")
    claim = clocks.read(item, parse_time(item.get("occurred_at")))
    answers = item.get("answers")
    if not isinstance(answers, Mapping):
        raise Problem("wrong_type", "answers")
    channel = item.get("channel", CHANNELS_OF_PAGES[0])
    if channel not in CHANNELS_OF_PAGES:
        raise Problem("unknown_channel", "channel")
    at = find_form(token, version, channel)
    placed = clocks.place(claim, sent)
    accepted = _accepted(response_id, at, answers, sent.received_at, placed, language)
    accepted.claimed_at = item["occurred_at"] if placed.placed_by else None
    accepted.sequence = claim.sequence
    accepted.receipt = _receipt_of(item.get("receipt"))
    accepted.flags += _flags_of(item.get("flags"))
    return accepted
