"""The register of the feedback books: entries of a period, one entry whole, its photos, how the chain stands."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from feedback_app.domain.access import Right
from feedback_app.domain.errors import Invalid
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import number
from feedback_app.edge.rights import needs
from feedback_app.forms.messages import message
from feedback_app.services import register_pages, register_state
from feedback_app.services.register_pages import EntryPage
from feedback_app.services.register_period import Wanted, read_wanted
from feedback_app.web import register_words
from feedback_app.web.blueprint import blueprint
from feedback_app.web.staff_forms import StaffForm

PLACE = "web.register"
ENTRY = "/register/<code>/<int(max=9999):year>/<int(max=2147483647):number>"
FIELDS = ("store", "year", "since", "until")
SHOWN_AS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
"""Media types of photos that are shown, with the ending of the file's name."""


@blueprint.get("/register", endpoint="register")
@needs(Right.READ_BOOK)
def show() -> ResponseReturnValue:
    """Show a page of the entries of the reader's stores, the newest first."""
    carried = {key: value for key in FIELDS if (value := request.args.get(key, "").strip())}
    wanted, problems = _asked(carried)
    page = _page_of(wanted)
    return render_template(
        "web/register.html",
        place=PLACE,
        page=page,
        wanted=wanted,
        carried_fields=carried,
        problems=problems,
        later=bool(request.args.get("cursor")),
        words=register_words,
        title=register_title(page),
    )


def _asked(carried: Mapping[str, str]) -> tuple[Wanted, dict[str, str]]:
    """Return what the address asks for; what cannot be taken is left out and explained beside its field."""
    try:
        return read_wanted(carried), {}
    except Invalid as error:
        wrong = {problem.field or "": message(problem) for problem in error.problems}
        # Two days the wrong way round are both left out: nobody knows which of them was meant.
        left = set(wrong) | ({"since", "until"} if set(wrong) & {"since", "until"} else set())
        return read_wanted({key: value for key, value in carried.items() if key not in left}), wrong


def _page_of(wanted: Wanted) -> EntryPage:
    cursor = request.args.get("cursor") or None
    try:
        return register_pages.entries_page(db(), reader(), wanted, cursor)
    except Invalid:
        # A cursor cut off while copying begins again with the newest.
        return register_pages.entries_page(db(), reader(), wanted)


def register_title(page: EntryPage) -> str:
    """Return how many entries wait past their day."""
    if not page.total:
        return gettext("No entries here yet")
    if page.overdue:
        return ngettext(
            "%(shown)s entry is overdue", "%(shown)s entries are overdue", page.overdue, shown=number(page.overdue)
        )
    return gettext("No entry is overdue")


@blueprint.get(ENTRY, endpoint="register_entry")
@needs(Right.READ_BOOK)
def show_entry(code: str, year: int, number: int) -> ResponseReturnValue:
    """Show one entry whole: words, writer, photos, answers, history."""
    entry = register_pages.entry(db(), reader(), code, year, number)
    return render_template(
        "web/register_entry.html",
        place=PLACE,
        entry=entry,
        line=entry.line,
        words=register_words,
        title=register_words.entry_name(entry.line),
        state=register_words.entry_state(entry.line),
    )


@blueprint.get("/register/photos/<uuid:photo_id>", endpoint="register_photo")
@needs(Right.READ_BOOK)
def show_photo(photo_id: UUID) -> ResponseReturnValue:
    """Return a photo of an entry."""
    picture = register_pages.photo(db(), reader(), photo_id)
    if picture.media_type not in SHOWN_AS:
        abort(404)
    answer = Response(picture.content, mimetype=picture.media_type)
    answer.headers["Content-Disposition"] = f'inline; filename="photo.{SHOWN_AS[picture.media_type]}"'
    return answer


@blueprint.route("/register/<code>/chain", methods=["GET", "POST"], endpoint="register_chain")
@needs(Right.READ_BOOK)
def show_chain(code: str) -> ResponseReturnValue:
    """Show how a store's chain stands, and verify it where that was asked for."""
    state = register_state.chain_state(db(), reader(), code)
    form = StaffForm()
    checked = None
    if form.validate_on_submit() and not state.too_long:
        checked = register_state.check_chain(db(), reader(), code)
    return render_template(
        "web/register_chain.html",
        place=PLACE,
        state=state,
        form=form,
        checked=checked,
        words=register_words,
        title=register_words.check_title(checked) if checked else chain_title(state),
    )


def chain_title(state: register_state.ChainState) -> str:
    """Return how long a store's chain is."""
    if not state.links:
        return gettext("Nothing stands in this register yet")
    return ngettext(
        "The chain of the register has %(shown)s link",
        "The chain of the register has %(shown)s links",
        state.links,
        shown=number(state.links),
    )
