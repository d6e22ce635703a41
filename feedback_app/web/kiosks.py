"""The fleet of kiosks: who needs a hand, pairing, settings of the chain and of one kiosk."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import segno
from flask import Response, abort, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from feedback_app.domain.access import Right
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.domain.fleet import NEEDS_A_HAND
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.services import catalogue, devices, fleet, kiosk_settings, pairing, pictures
from feedback_app.services.devices import DeviceCard
from feedback_app.services.metrics import choices_of
from feedback_app.services.pairing import NewCode
from feedback_app.web import kiosk_words, vocabulary
from feedback_app.web.blueprint import blueprint
from feedback_app.web.kiosk_forms import DeviceForm, PlaceForm, SettingsForm
from feedback_app.web.staff_forms import StaffForm

PLACE = "web.kiosks"
BARE_STORES = 40
CODE = "pairing_code"
"""Where the browser's session keeps the code that is shown: the database has its hash alone, addresses are logged."""
YEAR = 365 * 24 * 3600
_ID = "<int(max=2147483647):device_id>"
_PICTURE = re.compile(r"[0-9a-f]{64}")


def _page(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
    return render_template(template, place=PLACE, words=kiosk_words, **values), status


# --- the fleet --------------------------------------------------------------------------------------------------


@blueprint.get("/kiosks", endpoint="kiosks")
@needs(Right.READ_DEVICES)
def show() -> ResponseReturnValue:
    """Show the paired kiosks of the reader's stores, those in need first, and the points without one."""
    version = current_app.config["OTKLIK_SHELL_VERSION"]()
    found = fleet.overview(db(), reader(), version, page=request.args.get("page", 1, type=int))
    return _page(
        "web/kiosks.html",
        fleet=found,
        title=kiosk_words.title(found),
        alarming=NEEDS_A_HAND,
        bare=found.bare[:BARE_STORES],
        more_bare=max(0, len(found.bare) - BARE_STORES),
        manages=reader().may(Right.MANAGE_DEVICES),
    )


# --- pairing ----------------------------------------------------------------------------------------------------


@blueprint.route("/kiosks/add", methods=["GET", "POST"], endpoint="kiosk_add")
@needs(Right.MANAGE_DEVICES)
def add() -> ResponseReturnValue:
    """Ask where a new kiosk is to stand, and make its pairing code."""
    return _ask_place(PlaceForm(data={name: request.args.get(name) for name in ("store", "touchpoint")}))


@blueprint.route(f"/kiosks/{_ID}/code", methods=["GET", "POST"], endpoint="kiosk_move")
@needs(Right.MANAGE_DEVICES)
def move(device_id: int) -> ResponseReturnValue:
    """Ask where a kiosk is to stand from now on, and make the code that moves or replaces it."""
    card = devices.card(db(), reader(), device_id)
    now_at = {"store": card.spot.store_code, "touchpoint": card.spot.touchpoint} if card.spot else {}
    return _ask_place(PlaceForm(data=now_at), card)


def _ask_place(form: PlaceForm, card: DeviceCard | None = None) -> ResponseReturnValue:
    choices = choices_of(db(), reader())
    form.store.choices = [(one.code, f"{vocabulary.place(one)} · {one.code}") for one in choices.stores]
    form.touchpoint.choices = [(one.key, vocabulary.place(one)) for one in choices.touchpoints]
    if form.validate_on_submit():
        try:
            made = pairing.make_code(
                db(), reader(), form.store.data or "", form.touchpoint.data or "", card.id if card else None
            )
        except NotFound as missing:
            form.refuse(missing)
        else:
            _show_once(made)
            return redirect(url_for("web.kiosk_code"), 303)
    title = gettext("Another place or another tablet for %(name)s", name=card.name) if card else gettext("Add a kiosk")
    return _page("web/kiosks_add.html", _status(form), form=form, card=card, title=title)


def _status(form: StaffForm) -> int:
    return 422 if form.is_submitted() else 200


def _show_once(made: NewCode) -> None:
    session[CODE] = {
        "code": made.code,
        "expires_at": made.expires_at.isoformat(),
        "store": made.spot.store_code,
        "touchpoint": made.spot.touchpoint,
    }


@blueprint.get("/kiosks/code", endpoint="kiosk_code")
@needs(Right.MANAGE_DEVICES)
def code() -> ResponseReturnValue:
    """Show the code that was made last, until it is used or has expired."""
    kept = session.get(CODE)
    if not kept:
        return redirect(url_for("web.kiosk_add"), 303)
    name = pairing.user_of(db(), kept["code"])
    if name is not None:
        session.pop(CODE)
        flash(gettext("The kiosk is paired: %(name)s.", name=name))
        return redirect(url_for(PLACE), 303)
    expires_at = datetime.fromisoformat(kept["expires_at"])
    if expires_at <= datetime.now(UTC):
        session.pop(CODE)
        flash(gettext("The code has expired. Make a new one; nothing else has changed."))
        return redirect(url_for("web.kiosk_add", store=kept["store"], touchpoint=kept["touchpoint"]), 303)
    point = catalogue.point_at(db(), reader(), kept["store"], kept["touchpoint"])
    address = f"{_base()}/k/{point.token}"
    return _page(
        "web/kiosks_code.html",
        title=gettext("Type this code into the kiosk"),
        code=f"{kept['code'][:4]} {kept['code'][4:]}",
        point=point,
        expires_at=expires_at,
        address=address,
        drawn=segno.make(address, error="m", micro=False).svg_data_uri(border=2, light="#fff", scale=4),
    )


def _base() -> str:
    return str(current_app.config.get("OTKLIK_BASE_URL") or request.url_root).rstrip("/")


# --- one kiosk --------------------------------------------------------------------------------------------------


@blueprint.route(f"/kiosks/{_ID}", methods=["GET", "POST"], endpoint="kiosk_device")
@needs(Right.MANAGE_DEVICES)
def device(device_id: int) -> ResponseReturnValue:
    """Show a kiosk's name and own settings, or change them."""
    card = devices.card(db(), reader(), device_id)
    form = DeviceForm(data=DeviceForm.typed(card))
    if form.validate_on_submit():
        try:
            devices.change(db(), reader(), device_id, name=form.name.data or "", own=form.own())
        except DomainError as error:
            form.refuse(error)
        else:
            flash(gettext("Kept. The kiosk follows with its next report."))
            return redirect(url_for("web.kiosk_device", device_id=device_id), 303)
    return _page("web/kiosks_device.html", _status(form), form=form, card=card, title=card.name)


@blueprint.route(f"/kiosks/{_ID}/revoke", methods=["GET", "POST"], endpoint="kiosk_revoke")
@needs(Right.MANAGE_DEVICES)
def revoke(device_id: int) -> ResponseReturnValue:
    """Say what taking a kiosk out of the fleet means, and do it once that was confirmed."""
    card = devices.card(db(), reader(), device_id)
    form = StaffForm()
    if form.validate_on_submit():
        devices.revoke(db(), reader(), device_id)
        flash(gettext("%(name)s is out of the fleet. What it delivered stays.", name=card.name))
        return redirect(url_for(PLACE), 303)
    title = gettext("Take %(name)s out of the fleet?", name=card.name)
    return _page("web/kiosks_revoke.html", _status(form), form=form, card=card, title=title)


# --- settings of the chain --------------------------------------------------------------------------------------


@blueprint.route("/kiosks/settings", methods=["GET", "POST"], endpoint="kiosk_settings")
@needs(Right.MANAGE_DEVICES)
def settings() -> ResponseReturnValue:
    """Show the chain's kiosk settings, or change them."""
    current = kiosk_settings.settings_of(db())
    form = SettingsForm(data=SettingsForm.typed(current, kiosk_settings.require_pairing(db())))
    if form.validate_on_submit():
        try:
            wanted = form.wanted(current, lambda content: pictures.keep(db(), reader(), content))
            kiosk_settings.change(db(), reader(), wanted)
        except DomainError as error:
            form.refuse(error)
        else:
            flash(gettext("Kept. Paired kiosks follow with their next report, the others when their page is loaded."))
            return redirect(url_for("web.kiosk_settings"), 303)
    return _page(
        "web/kiosks_settings.html",
        _status(form),
        form=form,
        logo=kiosk_settings.logo_path(current.logo, request.script_root),
        has_pin=current.pin is not None,
        title=settings_title(),
    )


def settings_title() -> str:
    """Return what the chain's kiosks do: in which languages they ask and who may."""
    known = kiosk_settings.settings_of(db())
    names = ", ".join(kiosk_words.OWN_NAMES[code] for code in known.languages)
    if kiosk_settings.require_pairing(db()):
        return gettext("Only paired kiosks collect, in: %(languages)s", languages=names)
    return gettext("Every kiosk page collects, in: %(languages)s", languages=names)


@blueprint.get("/k/logo/<key>.png", endpoint="kiosk_logo")
@needs(Right.PUBLIC)
def logo(key: str) -> ResponseReturnValue:
    """Return a logo; its name changes with its content, so it may be kept for good."""
    if not _PICTURE.fullmatch(key):
        abort(404)
    answer = Response(pictures.read(db(), key), mimetype="image/png")
    answer.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return answer
