"""What kiosks and other devices call: hand responses in, ask for their points."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, current_app, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from feedback_app.api import body
from feedback_app.api.blueprint import blueprint
from feedback_app.domain.access import Right
from feedback_app.domain.errors import Problem
from feedback_app.domain.responses import parse_time
from feedback_app.edge import limits
from feedback_app.edge.context import db
from feedback_app.edge.rights import needs
from feedback_app.forms.messages import message
from feedback_app.services import devices, intake, senders
from feedback_app.services.senders import Sender

BATCH_LIMIT = 1_000


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip()[:256] if scheme.lower() == "bearer" else ""


def _refuse(status: int, code: str, text: str, **headers: str) -> ResponseReturnValue:
    answer = make_response(jsonify(error=code, message=text), status)
    answer.headers.update(headers)
    return answer


def _sender() -> Sender:
    token = _bearer()
    sender = (senders.device_sender(db(), token) or senders.point_sender(db(), token)) if token else None
    if sender is None:
        answer = make_response(jsonify(error="unauthorized", message="The token is unknown or revoked."), 401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        abort(answer)
    return sender


def _spend(sender: Sender, cost: int) -> None:
    if sender.device_id is not None:
        limits.spend_items(limits.DEVICE_ITEMS, str(sender.device_id), cost)
    else:
        # A batch above the limit takes the whole minute, for else it could never come in.
        limits.spend_items(limits.POINT_ITEMS, limits.address(), min(cost, limits.POINT_ITEMS.amount))


def _sent_at(raw: dict[str, Any]) -> datetime | None:
    try:
        return parse_time(raw.get("sent_at"), "sent_at")
    except Problem:
        return None


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
        return _refuse(413, "too_large", "The body is too large.")
    try:
        raw = body.parse(sent)
    except body.NotJson:
        return _refuse(400, "not_json", "The body is not JSON.")
    items = raw.get("responses") if isinstance(raw, dict) else None
    if not isinstance(items, list):
        return _refuse(400, "no_responses", "The body has no list “responses”.")
    if len(items) > BATCH_LIMIT:
        return _refuse(413, "too_many", f"At most {BATCH_LIMIT} responses a request.")
    _spend(sender, len(items))
    outcomes = intake.record(db(), items, sender, _sent_at(raw))
    return jsonify(results=[_result(outcome) for outcome in outcomes])


@blueprint.get("/device")
@needs(Right.DEVICE)
def get_device() -> ResponseReturnValue:
    """Tell a device its points with their forms, and the server's time."""
    sender = _sender()
    return jsonify(devices.describe(db(), sender))
