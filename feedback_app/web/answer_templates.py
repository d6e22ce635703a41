"""The texts that answers begin with, changed by who manages the book."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from feedback_app.domain.access import Right
from feedback_app.domain.answers import PLACES
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.edge.context import db, language, reader
from feedback_app.edge.languages import number
from feedback_app.edge.rights import needs
from feedback_app.services import answer_templates
from feedback_app.services.answer_templates import Template
from feedback_app.web import case_words
from feedback_app.web.blueprint import blueprint
from feedback_app.web.case_forms import TemplateForm
from feedback_app.web.kiosk_words import OWN_NAMES

PLACE = "web.answer_templates"
_ID = "<int(max=2147483647):template_id>"


@blueprint.get("/settings/answers", endpoint="answer_templates")
@needs(Right.MANAGE_BOOK)
def show() -> ResponseReturnValue:
    """Show every answer template by what it is for."""
    found = answer_templates.every(db(), reader())
    offered = sum(template.retired_at is None for template in found)
    return render_template(
        "web/answer_templates.html",
        place=PLACE,
        words=case_words,
        templates=found,
        own_names=OWN_NAMES,
        title=gettext("Answers begin with a template: %(n)s are offered", n=number(offered)),
    )


@blueprint.route("/settings/answers/new", methods=["GET", "POST"], endpoint="answer_template_add")
@needs(Right.MANAGE_BOOK)
def add() -> ResponseReturnValue:
    """Ask for a new template, and keep it."""
    return _ask(TemplateForm(data={"language": language()}), None)


@blueprint.route(f"/settings/answers/{_ID}", methods=["GET", "POST"], endpoint="answer_template")
@needs(Right.MANAGE_BOOK)
def change(template_id: int) -> ResponseReturnValue:
    """Show a template, or keep what was changed in it."""
    template = answer_templates.find(db(), reader(), template_id)
    return _ask(TemplateForm(data=TemplateForm.stands(template)), template)


def _ask(form: TemplateForm, template: Template | None) -> ResponseReturnValue:
    if form.validate_on_submit():
        try:
            if template is None:
                answer_templates.add(db(), reader(), form.wanted)
            else:
                answer_templates.change(db(), reader(), template.id, form.wanted)
        except NotFound:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            flash(gettext("The template is kept. Answers that are out stay as they were."))
            return redirect(url_for(PLACE), 303)
    page = render_template(
        "web/answer_template.html",
        place=PLACE,
        form=form,
        template=template,
        places=[f"{{{name}}}" for name in PLACES],
        title=template.name if template else gettext("A new answer template"),
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.post(f"/settings/answers/{_ID}/retire", endpoint="answer_template_retire")
@needs(Right.MANAGE_BOOK)
def retire(template_id: int) -> ResponseReturnValue:
    """Offer a template no more, or offer it again."""
    retired = request.form.get("retired") == "1"
    answer_templates.retire(db(), reader(), template_id, retired)
    flash(gettext("The template is no longer offered.") if retired else gettext("The template is offered again."))
    return redirect(url_for(PLACE), 303)
