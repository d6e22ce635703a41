"""What kiosks and other devices call: hand responses in, ask for their points."""

from __future__ import annotations

from typing import Any

from flask import current_app, jsonify, request
from flask.typing import ResponseReturnValue

from feedback_app.api import delivery
from feedback_app.api.bearer import bearer, refuse, unauthorized
from feedback_app.api.blueprint import blueprint
from feedback_app.api.delivery import Refusal, Taken
from feedback_app.domain.access import Right
from feedback_app.edge.context import db
from feedback_app.edge.rights import needs
from feedback_app.forms.messages import message
from feedback_app.services import devices, intake, senders
from feedback_app.services.clock import now
from feedback_app.services.senders import Sender


def _sender() -> Sender:
    token = bearer()
    return (senders.sender_of(db(), token) if token else None) or unauthorized()


def _result(outcome: intake.Outcome) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": outcome.id, "status": outcome.status}
    if outcome.problem is not None:
        answer["error"] = outcome.problem.code
        answer["field"] = getattr(outcome.problem, "field", None)
        answer["message"] = message(outcome.problem)
    return answer


def _taken() -> Taken:
    """Return what became of the delivery: what the short way left, or taken in now."""
    left: Taken | Exception | None = request.environ.get(delivery.TAKEN)
    if isinstance(left, Exception):
        raise left
    if left is not None:
        return left
    most, limited = current_app.config["MAX_CONTENT_LENGTH"], current_app.config["RATELIMIT_ENABLED"]
    return delivery.take(db(), request.environ, lambda: request.get_data(cache=False), most, limited=limited)


@blueprint.post("/responses")
@needs(Right.DEVICE)
def post_responses() -> ResponseReturnValue:
    """Take a batch in and answer item by item; `stored` means on disk."""
    taken = _taken()
    if isinstance(taken, Refusal):
        return refuse(taken.status, taken.code, taken.text, **taken.headers)
    return jsonify(results=[_result(outcome) for outcome in taken], server_time=now().isoformat())


@blueprint.get("/device")
@needs(Right.DEVICE)
def get_device() -> ResponseReturnValue:
    """Tell a device its points with their forms, and the server's time."""
    return jsonify(devices.describe(db(), _sender()))
