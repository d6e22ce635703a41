"""The settings of the feedback book: terms, escalation, rules that open cases, the day's heads."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from feedback_app.domain.access import Right
from feedback_app.domain.errors import DomainError
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.services import book_settings
from feedback_app.web import book_settings_form
from feedback_app.web.blueprint import blueprint
from feedback_app.web.book_settings_form import BookSettingsForm

PLACE = "web.book_settings"


@blueprint.route("/settings/book", methods=["GET", "POST"], endpoint="book_settings")
@needs(Right.MANAGE_BOOK)
def show() -> ResponseReturnValue:
    """Show the settings of the feedback book, or change them."""
    current = book_settings.settings_of(db())
    form = BookSettingsForm(data=BookSettingsForm.typed(current))
    if form.validate_on_submit():
        try:
            book_settings.save(db(), reader(), form.wanted(current))
        except DomainError as error:
            form.refuse(error)
        else:
            flash(gettext("Kept. Entries that are there already keep their deadlines."))
            return redirect(url_for(PLACE), 303)
    page = render_template(
        "web/book_settings.html",
        place=PLACE,
        form=form,
        groups=book_settings_form.groups(form),
        settings=current,
        title=book_settings_form.title(current),
    )
    return page, 422 if form.is_submitted() else 200
