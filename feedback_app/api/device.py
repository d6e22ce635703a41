"""What kiosks and other devices call: hand responses in, ask for their points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app, jsonify, request
from flask.typing import ResponseReturnValue

from feedback_app.api import body
from feedback_app.api.bearer import bearer, refuse, unauthorized
from feedback_app.api.blueprint import blueprint
from feedback_app.domain import clocks
from feedback_app.domain.access import Right
from feedback_app.domain.clocks import Reading
from feedback_app.domain.errors import Problem
from feedback_app.domain.responses import CHANNELS_OF_PAGES, parse_time
from feedback_app.edge import limits
from feedback_app.edge.context import db
from feedback_app.edge.rights import needs
from feedback_app.forms.messages import message
from feedback_app.services import devices, intake, kiosk_settings, senders
from feedback_app.services.clock import now
from feedback_app.services.senders import Sender

BATCH_LIMIT = 1_000
RECEIPT_LIMIT = 20
"""Responses with a receipt in one delivery of a phone: each costs a hash that is dear on purpose."""


def _sender() -> Sender:
    token = bearer()
    return (senders.sender_of(db(), token) if token else None) or unauthorized()


def _spend(sender: Sender, cost: int) -> None:
    if sender.device_id is not None:
        limits.spend_items(limits.DEVICE_ITEMS, str(sender.device_id), cost)
    else:
        # A batch above the limit takes the whole minute, for else it could never come in.
        limits.spend_items(limits.POINT_ITEMS, limits.address(), min(cost, limits.POINT_ITEMS.amount))


def _reading(raw: dict[str, Any]) -> Reading:
    try:
        wall = parse_time(raw.get("sent_at"), "sent_at")
    except Problem:
        wall = None
    return clocks.read(raw, wall)


def _taps(items: Sequence[Any]) -> bool:
    """Say whether a kiosk page sent any of the items: by the channel, which is a tap's where none is named."""
    tap = CHANNELS_OF_PAGES[0]
    return any(isinstance(item, dict) and item.get("channel", tap) == tap for item in items)


def _result(outcome: intake.Outcome) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": outcome.id, "status": outcome.status}
    if outcome.problem is not None:
        answer["error"] = outcome.problem.code
        answer["field"] = getattr(outcome.problem, "field", None)
        answer["message"] = message(outcome.problem)
    return answer


@blueprint.post("/responses")
@needs(Right.DEVICE)
def post_responses() -> ResponseReturnValue:
    """Take a batch in and answer item by item; `stored` means on disk."""
    sender = _sender()
    sent = request.get_data(cache=False)
    if len(sent) >= current_app.config["MAX_CONTENT_LENGTH"]:  # a body without a length is cut off there
        return refuse(413, "too_large", "The body is too large.")
    try:
        raw = body.parse(sent)
    except body.NotJson:
        return refuse(400, "not_json", "The body is not JSON.")
    items = raw.get("responses") if isinstance(raw, dict) else None
    if not isinstance(items, list):
        return refuse(400, "no_responses", "The body has no list “responses”.")
    if len(items) > BATCH_LIMIT:
        return refuse(413, "too_many", f"At most {BATCH_LIMIT} responses a request.")
    if sender.unpaired and sum(isinstance(item, dict) and "receipt" in item for item in items) > RECEIPT_LIMIT:
        return refuse(413, "too_many", f"At most {RECEIPT_LIMIT} responses with a receipt a request.")
    if sender.unpaired and kiosk_settings.require_pairing(db()) and _taps(items):
        return refuse(403, "pairing_required", "Kiosks of this chain are paired first.")
    _spend(sender, len(items))
    outcomes = intake.record(db(), items, sender, _reading(raw))
    return jsonify(results=[_result(outcome) for outcome in outcomes], server_time=now().isoformat())


@blueprint.get("/device")
@needs(Right.DEVICE)
def get_device() -> ResponseReturnValue:
    """Tell a device its points with their forms, and the server's time."""
    return jsonify(devices.describe(db(), _sender()))
