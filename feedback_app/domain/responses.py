"""What makes a response acceptable: the only truth about answers, for devices, forms and imports alike."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from feedback_app.domain import checklists, scales
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.forms import LANGUAGES, Form, Question

FUTURE_TOLERANCE = timedelta(hours=1)
PAST_TOLERANCE = timedelta(days=366)
FLAG_TIME = "implausible_time"
SKEW_TOLERANCE = timedelta(minutes=1)
"""How far a device's clock may be off before its times are corrected; less is the way of the request."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


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


@dataclass
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


FindForm = Callable[[str, int | None], PointForm]
"""Returns the point and its form version, or raises Problem (`unknown_point`, `unknown_form_version`)."""


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
    canonical = json.dumps([point, form_version, answers], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _check(question: Question, value: Any, *, checklist: bool) -> Any:
    if value == scales.NOT_APPLICABLE and isinstance(value, str) and (checklist or question.type == "yes_no"):
        return value
    if scales.bounds(question.type, question.size) is not None:
        return scales.scale_value(value, question.type, question.key, question.size)
    if question.type == "yes_no":
        return scales.one_of(value, question.key, ("yes", "no", scales.NOT_APPLICABLE))
    if question.type == "choice":
        return scales.one_of(value, question.key, question.choice_keys)
    if question.type == "text":
        return scales.text_value(value, question.key, question.max_length)
    if question.type == "number":
        return scales.number_value(value, question.key, question.minimum, question.maximum)
    if not isinstance(value, bool):
        raise Problem("wrong_type", question.key)
    return value


def check_answers(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cleaned answers of the questions that are asked, or raise Invalid with a problem per field.

    An unknown question is a problem; an empty text is no answer; an answer to a question that an earlier answer
    hides is checked like the others and then left out; a form without any answer is a problem.
    """
    problems: list[Problem] = []
    cleaned: dict[str, Any] = {}
    for key, value in answers.items():
        question = form.by_key.get(key)
        if question is None:
            problems.append(Problem("unknown_question", key[:80]))
            continue
        try:
            checked = _check(question, value, checklist=form.purpose == "checklist")
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
    values = [
        scales.hundred(answers[key], question.type, question.size)
        for key, question in form.by_key.items()
        if question.type in scales.SCORED_TYPES and isinstance(answers.get(key), int)
    ]
    return round(sum(values) / len(values), 3) if values else None


def comment_of(form: Form, answers: Mapping[str, Any]) -> str | None:
    """Return the written answers joined by line breaks, in the form's order; None where nobody wrote."""
    texts = [answers[key] for key, question in form.by_key.items() if question.type == "text" and answers.get(key)]
    return "\n".join(texts) or None


def skew_of(sent_at: datetime | None, received_at: datetime) -> timedelta:
    """Return by how much the sender's clock is behind the server's.

    Zero where it cannot be told, is small, or is more than a year: such a clock tells no time at all.
    """
    if sent_at is None:
        return timedelta(0)
    skew = received_at - sent_at
    return skew if SKEW_TOLERANCE < abs(skew) <= PAST_TOLERANCE else timedelta(0)


def place_in_time(
    claimed: datetime, received_at: datetime, skew: timedelta = timedelta(0)
) -> tuple[datetime, list[str]]:
    """Return when a response counts, and its flags.

    A claim more than an hour after the receipt, or more than a year before it, is implausible: the response counts
    at its receipt and is flagged; no response is dropped for its clock. A plausible claim is corrected by the skew
    of the sender's clock, and never lies after the receipt.
    """
    lead = claimed - received_at
    if lead > FUTURE_TOLERANCE - min(skew, timedelta(0)) or lead < -PAST_TOLERANCE:
        return received_at, [FLAG_TIME]
    return min(claimed + skew, received_at), []


def build(
    response_id: UUID,
    at: PointForm,
    answers: Mapping[str, Any],
    received_at: datetime,
    *,
    claimed: datetime | None = None,
    claimed_raw: str | None = None,
    skew: timedelta = timedelta(0),
    language: str | None = None,
) -> Accepted:
    """Return an accepted response of already parsed parts, or raise Invalid."""
    kept = check_answers(at.form, answers)
    occurred_at, flags = place_in_time(claimed, received_at, skew) if claimed else (received_at, [])
    return Accepted(
        id=response_id,
        at=at,
        occurred_at=occurred_at,
        received_at=received_at,
        claimed_at=claimed_raw if flags or skew else None,
        answers=kept,
        digest=digest(at.token, at.version, answers),
        language=language,
        score=score_of(at.form, kept),
        comment=comment_of(at.form, kept),
        flags=flags,
        visit=checklists.score_visit(at.form, kept) if at.form.purpose == "checklist" else None,
    )


def accept(item: Any, find_form: FindForm, received_at: datetime, sent_at: datetime | None = None) -> Accepted:
    """Return the response that an item of the device API holds, or raise Invalid or Problem.

    `find_form` says whether the sender may submit for the point. Keys that the item does not define are ignored.
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
    claimed = parse_time(item.get("occurred_at"))
    answers = item.get("answers")
    if not isinstance(answers, Mapping):
        raise Problem("wrong_type", "answers")
    at = find_form(token, version)
    return build(
        response_id,
        at,
        answers,
        received_at,
        claimed=claimed,
        claimed_raw=item["occurred_at"],
        skew=skew_of(sent_at, received_at),
        language=language,
    )
