"""Erasing words of an entry on request: choose, see what stays, confirm."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, StringField

from feedback_app.domain.access import Right
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.services import register, register_pages
from feedback_app.services.register_pages import WholeEntry
from feedback_app.web import register_words
from feedback_app.web.blueprint import blueprint
from feedback_app.web.register import ENTRY, PLACE
from feedback_app.web.staff_forms import StaffForm

REASON_LIMIT = 500
SURE = "sure"
PARTS = {"personal": ("name", "contact"), "text": ("text",), "photos": ("photos",)}
"""What is ticked in the form, with the names that the register has for it."""


class EraseForm(StaffForm):
    """What is to go, and why."""

    personal = BooleanField(lazy_gettext("Name and contact"))
    text = BooleanField(lazy_gettext("The text, with the answers and notes about it"))
    photos = BooleanField(lazy_gettext("The photos"))
    reason = StringField(lazy_gettext("Why: who asked for it, and when"))

    def chosen(self) -> list[str]:
        """Return which parts were ticked."""
        return [part for part in PARTS if self[part].data]

    def names(self) -> list[str]:
        """Return what is to go as the register names it, or raise Invalid."""
        problems = []
        reason = (self.reason.data or "").strip()
        if not self.chosen():
            problems.append(Problem("nothing_chosen"))
        if not reason:
            problems.append(Problem("required", "reason"))
        if len(reason) > REASON_LIMIT:
            problems.append(Problem("too_long", "reason", limit=REASON_LIMIT))
        if problems:
            raise Invalid(problems)
        return [name for part in self.chosen() for name in PARTS[part]]


def there_is(entry: WholeEntry) -> list[str]:
    """Return which parts of an entry can still be erased."""
    found = {
        "personal": entry.line.name is not None or entry.contact is not None,
        "text": entry.line.text is not None,
        "photos": any(not photo.erased for photo in entry.photos),
    }
    return [part for part, there in found.items() if there]


@blueprint.route(f"{ENTRY}/erase", methods=["GET", "POST"], endpoint="register_erase")
@needs(Right.ERASE)
def erase(code: str, year: int, number: int) -> ResponseReturnValue:
    """Let an entry's words be chosen, say what stays, and erase them once that was confirmed."""
    entry = register_pages.entry(db(), reader(), code, year, number)
    form, confirm = EraseForm(), False
    if form.validate_on_submit():
        try:
            names = form.names()
        except Invalid as error:
            for problem in error.problems:
                form.refuse(Invalid([problem]))
        else:
            if request.form.get(SURE):
                register.erase_entry(db(), reader(), entry.line.id, names, (form.reason.data or "").strip())
                flash(gettext("Erased. The entry keeps its number, its dates and its place in the chain."))
                return redirect(url_for("web.register_entry", code=code, year=year, number=number), 303)
            confirm = True
    page = render_template(
        "web/register_erase.html",
        place=PLACE,
        entry=entry,
        line=entry.line,
        form=form,
        parts=there_is(entry),
        confirm=confirm,
        words=register_words,
        title=erase_title(entry, confirm=confirm),
    )
    return page, 422 if form.errors else 200


def erase_title(entry: WholeEntry, *, confirm: bool) -> str:
    """Return what the page asks."""
    name = register_words.entry_name(entry.line)
    return (
        gettext("Erase this for good? %(entry)s", entry=name)
        if confirm
        else gettext("What is to be erased? %(entry)s", entry=name)
    )
