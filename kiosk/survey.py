"""The survey that a poster's QR code opens on the shopper's own phone."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from feedback_app.domain.access import Right
from feedback_app.domain.errors import DomainError
from feedback_app.edge.context import db, language
from feedback_app.edge.rights import needs
from feedback_app.forms import engine
from feedback_app.services import catalogue, intake
from feedback_app.services.catalogue import PointPage
from kiosk.blueprint import blueprint as bp


@bp.route("/q/<token>", methods=["GET", "POST"])
@needs(Right.PUBLIC)
def survey(token: str) -> ResponseReturnValue:
    """Show the survey of a collection point, or take its answers in; 422 with the page where something is wrong."""
    page = catalogue.point_page(db(), token, "survey")
    form = engine.build(page.at.form, language())()
    if not form.is_submitted():
        return _page(page, form)
    if form.validate():
        try:
            answers = engine.answers(form, page.at.form)
            intake.hand_in(db(), page.at, form.hand_in_id, answers, language())
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect(url_for("kiosk.survey_thanks", token=token), 303)
    return _page(page, form), 422


@bp.get("/q/<token>/thanks")
@needs(Right.PUBLIC)
def survey_thanks(token: str) -> ResponseReturnValue:
    """Thank for the answers; a reload sends nothing again."""
    return render_template("kiosk/survey_thanks.html", page=catalogue.point_page(db(), token, "survey"))


def _page(page: PointPage, form: engine.AnswersForm) -> str:
    return render_template("kiosk/survey.html", page=page, form=form)
