"""The survey that a poster's QR code opens on the shopper's own phone."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from feedback_app.domain import surveys
from feedback_app.domain.access import Right
from feedback_app.domain.errors import DomainError
from feedback_app.edge.context import db, language
from feedback_app.edge.rights import needs
from feedback_app.forms import engine
from feedback_app.services import catalogue, intake
from feedback_app.services.catalogue import EndedSurvey, PointPage
from feedback_app.services.clock import now
from feedback_app.services.surveys import last_day
from kiosk import shell
from kiosk.blueprint import blueprint as bp

SCRIPTS = tuple(("kiosk.static", f"{name}.js") for name in ("uuid7", "backoff", "clock", "outbox", "sender"))
"""What keeps answers on the phone and brings them to the server, in the order in which they need each other."""


@bp.route("/q/<token>", methods=["GET", "POST"])
@needs(Right.PUBLIC)
def survey(token: str) -> ResponseReturnValue:
    """Show the survey of a collection point, or take its answers in; 422 with the page where something is wrong.

    A survey that has ended says so, 410; a page that was opened before may still be sent for an hour.
    """
    sent = request.method == "POST"
    page = catalogue.survey_page(db(), token, now() - surveys.GRACE if sent else now())
    if isinstance(page, EndedSurvey):
        return _ended(page), 410
    form = _form(page)
    if not form.is_submitted():
        return _page(page, form)
    if form.validate():
        try:
            answers = engine.answers(form, page.at.form)
            receipt = form.receipt.data if isinstance(form, engine.ReceiptForm) else None
            intake.hand_in(db(), page.at, form.hand_in_id, answers, language(), receipt)
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect(url_for("kiosk.survey_thanks", token=token), 303)
    return _page(page, form), 422


@bp.get("/q/<token>/thanks")
@needs(Right.PUBLIC)
def survey_thanks(token: str) -> ResponseReturnValue:
    """Thank for the answers; a reload sends nothing again."""
    page = catalogue.survey_page(db(), token, now())
    return render_template("kiosk/survey_thanks.html", page=page, token=token, phone=_phone())


def _form(page: PointPage) -> engine.AnswersForm:
    """Return the form of a survey; an address may bring the receipt's number, as a code on the receipt does."""
    kind = engine.ReceiptForm if surveys.wants_receipt(page.at) else engine.AnswersForm
    form = engine.build(page.at.form, language(), kind)()
    if isinstance(form, engine.ReceiptForm) and not form.is_submitted():
        form.receipt.data = request.args.get(surveys.RECEIPT, "")[: surveys.RECEIPT_LENGTH[1]]
    return form


def _page(page: PointPage, form: engine.AnswersForm) -> str:
    return render_template("kiosk/survey.html", page=page, form=form, phone=_phone(page))


def _ended(page: EndedSurvey) -> str:
    day = last_day(page.since, page.timezone) if page.since else None
    return render_template("kiosk/survey_ended.html", page=page, day=day, phone=_phone())


def _phone(page: PointPage | None = None) -> dict[str, Any]:
    """Return what the page's scripts need to keep answers on the phone and to send them; of a survey also its own."""
    common = {"scripts": shell.addresses(SCRIPTS), "send_to": f"{request.script_root}/api/v1/responses"}
    if page is None:
        return common
    until = page.at.survey_until
    return {
        **common,
        "point": page.at.token,
        "form_version": page.at.version,
        "language": language(),
        "thanks": url_for("kiosk.survey_thanks", token=page.at.token),
        "until": int((until + surveys.GRACE).timestamp() * 1000) if until else None,
    }
