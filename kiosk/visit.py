"""A mystery shopper's checklist on the phone, and its result."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from feedback_app.domain.access import Right
from feedback_app.domain.errors import DomainError, Forbidden, NotFound
from feedback_app.edge.context import db, language, reader
from feedback_app.edge.rights import needs
from feedback_app.forms import engine
from feedback_app.services import visits
from kiosk.blueprint import blueprint as bp


@bp.route("/visit/<token>", methods=["GET", "POST"])
@needs(Right.READ_VISITS)
def visit(token: str) -> ResponseReturnValue:
    """Show a visit's checklist, take it in, and show its result from then on; 422 where something is wrong."""
    page = visits.open_visit(db(), reader(), token)
    form = engine.build(page.form, language())()
    if form.is_submitted():
        return _take(page, form)
    if page.result is not None:
        return render_template("kiosk/visit_thanks.html", page=page, result=page.result)
    if not reader().may(Right.FILL_VISIT):
        return render_template("kiosk/visit_thanks.html", page=page, result=None)
    return render_template("kiosk/visit.html", page=page, form=form)


def _take(page: visits.VisitPage, form: engine.AnswersForm) -> ResponseReturnValue:
    """Hand the checklist in and lead to its result; a second hand-in is led there too, and changes nothing."""
    reader().require(Right.FILL_VISIT)
    result = url_for("kiosk.visit", token=page.token)
    if page.result is not None:
        return redirect(result, 303)
    if form.validate():
        try:
            answers = engine.answers(form, page.form)
            visits.submit(db(), reader(), page.token, answers, form.hand_in_id, language())
        except (Forbidden, NotFound):
            raise
        except DomainError as error:
            if error.code == "already_submitted":
                return redirect(result, 303)
            form.refuse(error)
        else:
            return redirect(result, 303)
    return render_template("kiosk/visit.html", page=page, form=form), 422
