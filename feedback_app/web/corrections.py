"""Correcting what the model read in a comment."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from feedback_app.domain.access import Right
from feedback_app.domain.errors import Invalid
from feedback_app.domain.journey import WHOLE_VISIT_STAGE
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.services import corrections
from feedback_app.services.clock import now
from feedback_app.services.corrections import Subject
from feedback_app.web import returning
from feedback_app.web.blueprint import blueprint
from feedback_app.web.correction_form import CorrectionForm, aspect_choices, feeling_choices, label_choices


@blueprint.route("/comments/<uuid:response_id>/correct", methods=["GET", "POST"], endpoint="correct")
@needs(Right.CORRECT_READINGS)
def correct(response_id: UUID) -> ResponseReturnValue:
    """Show what was read in a comment, or keep how it is to be read."""
    subject = corrections.look(db(), reader(), response_id)
    form = CorrectionForm.of(subject)
    if form.validate_on_submit():
        label, mentions = form.wanted(subject)
        try:
            corrections.correct(db(), reader(), response_id, label, mentions, now())
        except Invalid as refused:
            form.refuse(refused)
        else:
            flash(gettext("Kept: the comment now counts as you say."))
            return redirect(_back(subject), 303)
    page = render_template(
        "web/correct.html",
        place="web.journey_map",
        form=form,
        rows=list(form.rows(subject)),
        subject=subject,
        title=title(subject),
        labels=label_choices(),
        feelings=feeling_choices(),
        aspects=aspect_choices(),
        back=_back(subject),
        next=returning.asked_for(),
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.post("/comments/<uuid:response_id>/correct/undo", endpoint="correct_undo")
@needs(Right.CORRECT_READINGS)
def undo(response_id: UUID) -> ResponseReturnValue:
    """Take a correction away."""
    corrections.undo(db(), reader(), response_id)
    flash(gettext("Undone: the comment counts as the model reads it."))
    return redirect(url_for("web.correct", response_id=response_id, next=returning.asked_for()), 303)


def _back(subject: Subject) -> str:
    """Return where the reader came from, at the comment; else the page of the stage it speaks of."""
    touchpoint = subject.comment.touchpoint
    stages = [mention.stage for mention in subject.counts.mentions]
    stage = (stages or [touchpoint.stage if touchpoint else ""])[0] or WHOLE_VISIT_STAGE
    target = returning.asked_for() or url_for("web.stage_comments", stage=stage)
    return f"{target}#comment-{subject.comment.id}"


def title(subject: Subject) -> str:
    """Return how a comment counts, and by whose reading."""
    label = subject.counts.sentiment.label or ""
    if subject.made is not None:
        return {
            "negative": gettext("Corrected: this comment counts as unhappy"),
            "neutral": gettext("Corrected: this comment counts as neutral"),
            "positive": gettext("Corrected: this comment counts as content"),
        }.get(label, gettext("Corrected: this comment counts by what it speaks of"))
    return {
        "negative": gettext("The model read this comment as unhappy"),
        "neutral": gettext("The model read this comment as neutral"),
        "positive": gettext("The model read this comment as content"),
    }.get(label, gettext("The model could not read this comment"))
