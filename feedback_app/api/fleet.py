"""What a kiosk of the fleet calls: pair itself, say how it is, check the staff's PIN."""

from __future__ import annotations

from typing import Any

from flask import current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from feedback_app.api import body
from feedback_app.api.bearer import bearer, refuse, unauthorized
from feedback_app.api.blueprint import blueprint
from feedback_app.domain.access import Right
from feedback_app.domain.errors import NotFound, Problem
from feedback_app.edge import limits
from feedback_app.edge.context import db
from feedback_app.edge.rights import needs
from feedback_app.forms.messages import message
from feedback_app.services import fleet, kiosk_settings, pairing, senders
from feedback_app.services.clock import now
from feedback_app.services.kiosk_settings import InZone

BODY_LIMIT = 64 * 1024


def _body() -> dict[str, Any] | None:
    """Return the JSON object that was sent; None for anything else."""
    if (request.content_length or 0) > BODY_LIMIT:
        return None
    try:
        raw = body.parse(request.get_data(cache=False))
    except body.NotJson:
        return None
    return raw if isinstance(raw, dict) else None


def _not_json() -> ResponseReturnValue:
    return refuse(400, "not_json", "The body is no JSON object, or too large for one.")


def _device() -> int:
    """Return the device behind the request's token; end the request with 401 where there is none."""
    sender = senders.device_sender(db(), bearer())
    if sender is None or sender.device_id is None:
        unauthorized()
    return sender.device_id


def _settings(own: dict[str, Any], store: InZone) -> dict[str, Any]:
    return kiosk_settings.device_settings(db(), own, store, request.script_root)


def shell_version() -> str | None:
    """Return the version of the kiosk page that this server hands out, as the app was wired; None where it was not."""
    known = current_app.config.get("OTKLIK_SHELL_VERSION")
    return str(known()) if callable(known) else None


@blueprint.post("/device/pair")
@needs(Right.DEVICE)
def post_pair() -> ResponseReturnValue:
    """Make the kiosk that a code was typed into a device of the fleet, or move the device that it is."""
    limits.spend_items(limits.PAIRINGS, limits.address(), 1)
    raw = _body()
    if raw is None:
        return _not_json()
    code, token, points = str(raw.get("code", "")), raw.get("token"), raw.get("points")
    sender = senders.device_sender(db(), bearer()) if bearer() else None
    try:
        paired = pairing.redeem(
            db(),
            code[:64],
            token if isinstance(token, str) else "",
            points if isinstance(points, list) else [],
            present=sender.device_id if sender else None,
        )
    except NotFound as unknown:
        return refuse(404, unknown.code, message(unknown))
    except Problem as problem:
        return refuse(400, problem.code, message(problem))
    return jsonify(
        device={"id": paired.device_id, "name": paired.name},
        point=paired.spot.token,
        store=paired.spot.store_code,
        touchpoint=paired.spot.touchpoint,
        page=url_for("kiosk.kiosk", token=paired.spot.token),
        settings=_settings(paired.own, paired.spot),
        app_version=shell_version(),
        server_time=now().isoformat(),
    )


@blueprint.post("/device/heartbeat")
@needs(Right.DEVICE)
def post_heartbeat() -> ResponseReturnValue:
    """Note how a device is, and tell it where it stands and how it is to behave."""
    device_id = _device()
    limits.spend_items(limits.HEARTBEATS, str(device_id), 1)
    raw = _body()
    if raw is None:
        return _not_json()
    version = shell_version()
    heard = fleet.beat(db(), device_id, raw, version)
    return jsonify(
        server_time=now().isoformat(),
        device={"id": heard.device_id, "name": heard.name},
        point=heard.spot.token if heard.spot else None,
        page=url_for("kiosk.kiosk", token=heard.spot.token) if heard.spot else None,
        settings=_settings(heard.own, heard.spot) if heard.spot else None,
        app_version=version,
    )


@blueprint.post("/device/pin")
@needs(Right.DEVICE)
def post_pin() -> ResponseReturnValue:
    """Give a kiosk that is not paired what the staff's PIN is checked by, once the right one was typed."""
    limits.spend_items(limits.PIN_TRIES, limits.address(), 1)
    token = bearer()
    if not token or not (senders.point_sender(db(), token) or senders.device_sender(db(), token)):
        unauthorized()
    raw = _body()
    if raw is None:
        return _not_json()
    if not kiosk_settings.has_pin(db()):
        return refuse(403, "no_pin", "No PIN is set. The administrator sets it on the kiosks' settings page.")
    verifier = kiosk_settings.checked_pin(db(), str(raw.get("pin", ""))[:16])
    if verifier is None:
        return refuse(403, "wrong_pin", "This is not the PIN.")
    return jsonify(pin=verifier)
