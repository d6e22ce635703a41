"""What comes in with a delivery, from its bytes to what became of its items; without a request of Flask's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from feedback_app.api import body
from feedback_app.api.bearer import token_of
from feedback_app.domain import clocks
from feedback_app.domain.clocks import Reading
from feedback_app.domain.errors import Problem
from feedback_app.domain.responses import CHANNELS_OF_PAGES, parse_time
from feedback_app.edge import limits
from feedback_app.edge.lean import Application, Environ
from feedback_app.services import intake, kiosk_settings, senders
from feedback_app.services.clock import now
from feedback_app.services.intake import Outcome
from feedback_app.services.senders import Sender
from feedback_app.storage.database import Database

BATCH_LIMIT = 1_000
RECEIPT_LIMIT = 20
"""Responses with a receipt in one delivery of a phone: each costs a hash that is dear on purpose."""
LENGTH_DIGITS = 12
TAKEN = "otklik.delivery"
"""Where the short way leaves what it took but cannot answer plainly, for the view."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class Refusal:
    """Why a delivery as a whole is not taken."""

    status: int
    code: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


UNKNOWN = Refusal(401, "unauthorized", "The token is unknown or revoked.", {"WWW-Authenticate": "Bearer"})
TOO_LARGE = Refusal(413, "too_large", "The body is too large.")
Taken = Sequence[Outcome] | Refusal


def take(db: Database, environ: Environ, read: Callable[[], bytes], most: int, *, limited: bool) -> Taken:
    """Take a delivery in and return what became of each item, in the order sent, or why none was taken.

    `read` returns the body once the token is known; one of `most` bytes was cut off there. `limited` says whether
    senders have limits. Raises what the database raises.
    """
    sender = _sender(db, environ)
    if sender is None:
        return UNKNOWN
    sent = read()
    if len(sent) >= most:
        return TOO_LARGE
    try:
        raw = body.parse(sent)
    except body.NotJson:
        return Refusal(400, "not_json", "The body is not JSON.")
    items = raw.get("responses") if isinstance(raw, dict) else None
    if not isinstance(items, list):
        return Refusal(400, "no_responses", "The body has no list “responses”.")
    refusal = _refusal(db, sender, items)
    if refusal is not None:
        return refusal
    wait = _wait(sender, environ, len(items)) if limited else None
    if wait is not None:
        return Refusal(429, "too_many_requests", "Too many responses just now.", {"Retry-After": str(wait)})
    return intake.record(db, items, sender, _reading(raw))


def _sender(db: Database, environ: Environ) -> Sender | None:
    token = token_of(environ.get("HTTP_AUTHORIZATION", ""))
    return senders.sender_of(db, token) if token else None


def _refusal(db: Database, sender: Sender, items: Sequence[Any]) -> Refusal | None:
    """Return why these items do not come in together, or not from this sender."""
    if len(items) > BATCH_LIMIT:
        return Refusal(413, "too_many", f"At most {BATCH_LIMIT} responses a request.")
    if not sender.unpaired:
        return None
    if sum(isinstance(item, dict) and "receipt" in item for item in items) > RECEIPT_LIMIT:
        return Refusal(413, "too_many", f"At most {RECEIPT_LIMIT} responses with a receipt a request.")
    if kiosk_settings.require_pairing(db) and _taps(items):
        return Refusal(403, "pairing_required", "Kiosks of this chain are paired first.")
    return None


def _taps(items: Sequence[Any]) -> bool:
    """Say whether a kiosk page sent any of the items: by the channel, which is a tap's where none is named."""
    tap = CHANNELS_OF_PAGES[0]
    return any(isinstance(item, dict) and item.get("channel", tap) == tap for item in items)


def _wait(sender: Sender, environ: Environ, cost: int) -> int | None:
    if sender.device_id is not None:
        return limits.seconds_to_wait(limits.DEVICE_ITEMS, str(sender.device_id), cost)
    # A batch above the limit takes the whole minute, for else it could never come in.
    address = limits.network_of(environ.get("REMOTE_ADDR"))
    return limits.seconds_to_wait(limits.POINT_ITEMS, address, min(cost, limits.POINT_ITEMS.amount))


def _reading(raw: Mapping[str, Any]) -> Reading:
    try:
        wall = parse_time(raw.get("sent_at"), "sent_at")
    except Problem:
        wall = None
    return clocks.read(raw, wall)


class _CutOff(Exception):
    """The body ended before the length that its headers named."""


def _reader(environ: Environ, size: int) -> Callable[[], bytes]:
    """Return what reads the body, and leaves it for the whole way too."""

    def read() -> bytes:
        sent: bytes = environ["wsgi.input"].read(size)
        environ["wsgi.input"] = BytesIO(sent)
        if len(sent) < size:
            raise _CutOff
        return sent

    return read


def short_way(app: Application, environ: Environ) -> bytes | None:
    """Take a delivery and return the answer where all is well; what is not is left for the view."""
    size, most = environ.get("CONTENT_LENGTH", ""), app.config["MAX_CONTENT_LENGTH"]
    if not (size.isdecimal() and len(size) <= LENGTH_DIGITS and int(size) < most):
        return None
    db: Database = app.extensions["otklik"]
    try:
        taken = take(db, environ, _reader(environ, int(size)), most, limited=app.config["RATELIMIT_ENABLED"])
    except _CutOff:
        return None
    except Exception as error:
        environ[TAKEN] = error
        return None
    if isinstance(taken, Refusal) or any(outcome.problem for outcome in taken):
        environ[TAKEN] = taken
        return None
    results = [{"id": outcome.id, "status": outcome.status} for outcome in taken]
    return _encode({"results": results, "server_time": now().isoformat()}).encode()
