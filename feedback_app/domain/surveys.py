"""When a survey has ended, and what the number of a receipt is."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from feedback_app.domain.errors import Problem
from feedback_app.domain.responses import FLAG_TIME, Accepted, PointForm

GRACE = timedelta(hours=1)
"""How long after the end an answer still counts: its page was opened before."""
FLAG_CLOSED = "closed_point"
RECEIPT = "receipt"
"""The key of the receipt's number in an item, and its field on the page."""
RECEIPT_LENGTH = (4, 64)

_CHANNEL = "qr"


def end_of(closed_at: datetime | None, survey_until: datetime | None) -> datetime | None:
    """Return when a survey ended or will end, by the closing of its point or by its last day; None without an end."""
    return min((moment for moment in (closed_at, survey_until) if moment is not None), default=None)


def check_end(accepted: Accepted) -> Accepted:
    """Return a response that its point still takes, or raise Problem: a survey is over once its grace has passed.

    What counts is when the answer was given, not when it arrived: a phone or kiosk may have been without a network.
    A response whose clock tells no time is taken, flagged as it is. A kiosk that goes on standing at a closed point
    has thanked its shoppers, so their taps are kept, flagged.
    """
    if accepted.at.channel == _CHANNEL:
        end = end_of(accepted.at.closed_at, accepted.at.survey_until)
        if end is not None and accepted.occurred_at > end + GRACE and FLAG_TIME not in accepted.flags:
            raise Problem("survey_ended", "point")
    elif accepted.at.closed_at is not None and accepted.occurred_at > accepted.at.closed_at + GRACE:
        accepted.flags.append(FLAG_CLOSED)
    return accepted


def wants_receipt(at: PointForm) -> bool:
    """Say whether a survey takes one response per receipt."""
    return at.channel == _CHANNEL and at.one_per_receipt


def receipt_number(raw: Any) -> str:
    """Return a receipt's number as it is compared, without spaces, hyphens and case, or raise Problem."""
    text = unicodedata.normalize("NFKC", raw).upper() if isinstance(raw, str) else ""
    kept = "".join(sign for sign in text if not sign.isspace() and unicodedata.category(sign) != "Pd")
    if not kept:
        raise Problem("receipt_required", RECEIPT)
    low, high = RECEIPT_LENGTH
    if not (low <= len(kept) <= high and kept.isalnum()):
        raise Problem("bad_receipt", RECEIPT, low=low, high=high)
    return kept
