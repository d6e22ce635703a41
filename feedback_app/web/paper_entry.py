"""Copying an entry of the paper book: the page for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, StringField

from feedback_app.domain import consents
from feedback_app.domain.access import Right
from feedback_app.domain.errors import DomainError, NotFound, Problem
from feedback_app.domain.forms import word
from feedback_app.domain.responses import parse_id
from feedback_app.edge.context import db, language, reader
from feedback_app.edge.rights import needs
from feedback_app.services import paper_book, photos
from feedback_app.services.book import Photo
from feedback_app.services.paper_book import PaperBook
from feedback_app.services.photos import Upload
from feedback_app.web.blueprint import blueprint
from feedback_app.web.staff_forms import SelectLine, StaffForm

PLACE = "web.paper_entry"


def _kinds() -> list[tuple[str, Any]]:
    return [
        ("", gettext("Choose")),
        ("complaint", gettext("Complaint")),
        ("suggestion", gettext("Suggestion")),
        ("thanks", gettext("Thanks")),
        ("claim", gettext("Claim")),
    ]


class PaperEntryForm(StaffForm):
    """An entry as it stands on paper."""

    response_id = HiddenField(default=lambda: str(uuid4()))
    kind = SelectLine(_l("Kind"), _kinds)
    text = StringField(_l("The words, as they are written"))
    paper_on = StringField(_l("Date in the paper book"))
    paper_number = StringField(_l("Number in the paper book"))
    name = StringField(_l("Name"))
    contact = StringField(_l("Phone, e-mail or address"))
    consent = BooleanField()
    photos = StringField(_l("Photo of the page"))

    @property
    def entry_id(self) -> UUID:
        """Return the id under which this page is handed in; the same page sent twice is one entry."""
        try:
            return parse_id(self.response_id.data)
        except Problem:
            self.response_id.data = str(uuid4())
            return UUID(self.response_id.data)

    def raw(self) -> dict[str, Any]:
        """Return what was typed."""
        keys = ("kind", "text", "paper_on", "paper_number", "name", "contact")
        typed = {key: str(self[key].data or "") for key in keys}
        return {**typed, "text": typed["text"].replace("\r\n", "\n"), "consent": bool(self.consent.data)}


@blueprint.get("/register/paper", endpoint="paper_books")
@needs(Right.WORK_CASES)
def choose() -> ResponseReturnValue:
    """Show the stores whose paper books the reader may copy from; of one alone its page."""
    books = paper_book.books(db(), reader())
    if len(books) == 1:
        return redirect(url_for(PLACE, code=books[0].code))
    return render_template("web/paper_books.html", title=gettext("Whose paper book?"), books=books)


@blueprint.route("/register/paper/<code>", methods=["GET", "POST"], endpoint="paper_entry")
@needs(Right.WORK_CASES)
def copy(code: str) -> ResponseReturnValue:
    """Show the page for an entry of the paper book, or take it in; 422 with the page where something is wrong."""
    store = paper_book.find_book(db(), reader(), code)
    form = PaperEntryForm()
    if not form.is_submitted():
        return _page(store, form)
    if form.validate():
        try:
            attached = [Photo(photos.MEDIA_TYPE, content) for content in photos.drawn(_uploads())]
            entry_id = form.entry_id
            paper_book.copy_entry(db(), reader(), code, form.raw(), entry_id, language(), attached)
        except NotFound:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect(url_for("web.paper_written", code=store.code, entry_id=entry_id), 303)
    return _page(store, form), 422


@blueprint.get("/register/paper/<code>/written/<uuid:entry_id>", endpoint="paper_written")
@needs(Right.WORK_CASES)
def written(code: str, entry_id: UUID) -> ResponseReturnValue:
    """Show the number of a copied entry, to write beside it in the paper book."""
    store = paper_book.find_book(db(), reader(), code)
    found = paper_book.copied(db(), reader(), code, entry_id)
    title = gettext("Entry № %(number)s of %(year)s", number=found.written.number, year=found.written.year)
    return render_template("web/paper_written.html", title=title, store=store, found=found)


def _uploads() -> list[Upload]:
    files = request.files.getlist(photos.FIELD)
    return [Upload(file.filename or "", file.stream) for file in files if file.filename]


def _page(store: PaperBook, form: PaperEntryForm) -> str:
    consent = consents.shown(consents.CURRENT, language())
    form.consent.label.text = consent.said[consents.PAPER]
    return render_template(
        "web/paper_entry.html",
        title=gettext("Copy an entry from the paper book"),
        store=store,
        form=form,
        terms=consent.terms(word(store.names, language())),
        photo_limit=photos.COUNT_LIMIT,
    )
