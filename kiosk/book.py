"""The electronic feedback book of a store: write into it, never read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer
from wtforms import StringField

from feedback_app.domain import book as rules
from feedback_app.domain.access import Right
from feedback_app.domain.cases import BOOK_KINDS
from feedback_app.domain.errors import DomainError, Invalid, NotFound
from feedback_app.edge.context import db, language
from feedback_app.edge.rights import needs
from feedback_app.forms.engine import PaperForm
from feedback_app.forms.fields import ticked
from feedback_app.services import book as service
from feedback_app.services import catalogue
from feedback_app.services.book import Written
from feedback_app.services.catalogue import StorePage
from kiosk.blueprint import blueprint as bp


class BookForm(PaperForm):
    """An entry as typed; what may be written `domain.book.accept` says."""

    kind = StringField(_l("What is it about?"), id="kind")
    text = StringField(_l("Your words"), id="text")
    name = StringField(_l("Name"), id="name")
    contact = StringField(_l("Phone, e-mail or address"), id="contact")
    consent = StringField(_l("I agree that the store keeps the name and contact I have written here."), id="consent")

    def raw(self) -> dict[str, Any]:
        """Return what was typed; a form sends each line break as two characters, which are counted as one."""
        typed = {key: str(self[key].data or "") for key in ("kind", "text", "name", "contact")}
        return {
            **typed,
            "text": typed["text"].replace("\r\n", "\n"),
            "consent": ticked(self.consent.data or "") is True,
        }

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Check the page's token, then the entry by the domain's rules; say whether nothing was wrong."""
        good: bool = super().validate(extra_validators=extra_validators)
        try:
            rules.accept(self.raw())
        except Invalid as invalid:
            self.refuse(invalid)
            return False
        return good


@bp.route("/book/<code>", methods=["GET", "POST"])
@needs(Right.PUBLIC)
def book(code: str) -> ResponseReturnValue:
    """Show a clean page of the book, or write the entry; 422 with the page where something is wrong."""
    store = catalogue.store_page(db(), code)
    form = BookForm()
    if not form.is_submitted():
        return _page(store, form)
    if form.validate():
        try:
            written = service.write_entry(db(), store.code, form.raw(), form.hand_in_id, language())
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect(url_for("kiosk.book_thanks", code=store.code, slip=_seal(store.code, written)), 303)
    return _page(store, form), 422


@bp.get("/book/<code>/written/<slip>")
@needs(Right.PUBLIC)
def book_thanks(code: str, slip: str) -> ResponseReturnValue:
    """Show the receipt of an entry: its number, and until when it is answered."""
    store = catalogue.store_page(db(), code)
    number, year, due_on = _open(store.code, slip)
    return render_template(
        "kiosk/book_thanks.html", store=store, title=_title(store), number=number, year=year, due_on=due_on
    )


def _page(store: StorePage, form: BookForm) -> str:
    return render_template(
        "kiosk/book.html",
        store=store,
        form=form,
        title=_title(store),
        kinds=_kinds(),
        consent_version=rules.CONSENT_VERSION,
        text_limit=rules.TEXT_LIMIT,
    )


def _title(store: StorePage) -> str:
    if store.country == "RU":
        return _("Book of reviews and suggestions")
    return _("Book of comments and suggestions")


def _kinds() -> list[tuple[str, str, str]]:
    """Return the kinds with their name and what is meant, in the order of the contract."""
    words = {
        "complaint": (_("Complaint"), _("something went wrong")),
        "suggestion": (_("Suggestion"), _("what could be better")),
        "thanks": (_("Thanks"), _("somebody did well")),
        "claim": (_("Claim"), _("refund, exchange, repair")),
    }
    return [(kind, *words[kind]) for kind in BOOK_KINDS]


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="book-receipt")


def _seal(code: str, written: Written) -> str:
    """Return the receipt as a part of an address that nobody can make up; it holds nothing of the entry."""
    sealed = _sealer().dumps([code, written.number, written.year, written.due_on.isoformat()])
    return sealed if isinstance(sealed, str) else sealed.decode()


def _open(code: str, slip: str) -> tuple[int, int, date]:
    """Return number, year and last day of the answer, or raise NotFound for a slip that is not of this book."""
    try:
        of_store, number, year, due_on = _sealer().loads(slip)
    except BadData:
        raise NotFound("unknown_entry") from None
    if of_store != code:
        raise NotFound("unknown_entry")
    return number, year, date.fromisoformat(due_on)
