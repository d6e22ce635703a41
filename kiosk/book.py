"""The electronic feedback book of a store: write into it, never read it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import HiddenField, StringField

from feedback_app.domain import book as rules
from feedback_app.domain import consents
from feedback_app.domain.access import Right
from feedback_app.domain.cases import BOOK_KINDS
from feedback_app.domain.errors import DomainError, NotFound, Problem
from feedback_app.domain.forms import word
from feedback_app.edge.context import db, language
from feedback_app.edge.rights import needs
from feedback_app.forms.engine import PaperForm
from feedback_app.forms.fields import ticked
from feedback_app.forms.messages import message
from feedback_app.services import book as service
from feedback_app.services import catalogue, photos
from feedback_app.services.book import How, Photo, Written
from feedback_app.services.catalogue import StorePage
from feedback_app.services.photos import Upload
from kiosk import shell
from kiosk.blueprint import blueprint as bp
from kiosk.qr import absolute, inside

KEEPS_PHOTOS = "Otklik-Keeps-Photos"
"""What the page's own script sends along: its photos stay chosen, whatever the answer."""
AT_KIOSK = "kiosk"
QUEUE = tuple(("kiosk.static", f"{name}.js") for name in ("backoff", "book_queue"))
"""What keeps entries on a device without a network, in the order in which they need each other."""


class BookForm(PaperForm):
    """An entry as typed; what may be written `domain.book.accept` says."""

    secret = HiddenField()

    kind = StringField(_l("What is it about?"), id="kind")
    text = StringField(_l("Your words"), id="text")
    name = StringField(_l("Name"), id="name")
    contact = StringField(_l("Phone, e-mail or address"), id="contact")
    consent = StringField(id="consent")
    under_16 = StringField(_l("I am under 16"), id="under_16")
    guardian = StringField(id="guardian")
    consent_shown = HiddenField(default=lambda: f"{rules.CONSENT_VERSION} {language()}")
    photos = StringField(_l("Photos"), id="photos")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.drawn: list[bytes] = []
        shown = consents.shown(*self.shown)
        self.consent.label.text = shown.said[consents.WRITER]
        self.guardian.label.text = shown.said[consents.GUARDIAN]

    @property
    def shown(self) -> tuple[str, str]:
        """Return version and language of the consent's words on this page."""
        return consents.read(self.consent_shown.data, language())

    def uploads(self) -> list[Upload]:
        """Return the photos that were chosen; a field that was left empty posts a file without a name."""
        files = request.files.getlist(photos.FIELD) if self.is_submitted() else []
        return [Upload(file.filename or "", file.stream) for file in files if file.filename]

    def ticks(self) -> dict[str, bool]:
        """Return what is ticked."""
        return {key: ticked(self[key].data or "") is True for key in ("consent", "under_16", "guardian")}

    def raw(self) -> dict[str, Any]:
        """Return what was typed; a form sends each line break as two characters, which are counted as one."""
        typed = {key: str(self[key].data or "") for key in ("kind", "text", "name", "contact")}
        return {**typed, "text": typed["text"].replace("\r\n", "\n"), **self.ticks()}

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Check the page's token, then the entry by the domain's rules; say whether nothing was wrong."""
        good: bool = super().validate(extra_validators=extra_validators)
        self.secret.data = self.secret.data or _own_secret(self.hand_in_id)
        for check in (self._check_secret, lambda: rules.accept(self.raw()), self._draw_photos):
            try:
                check()
            except DomainError as wrong:
                self.refuse(wrong)
                good = False
        return good

    def _draw_photos(self) -> None:
        self.drawn = photos.drawn(self.uploads())

    def tell_of_photos(self) -> None:
        """Say which photos have to be chosen again: a browser does not keep them over a page, our script does."""
        names = [upload.name for upload in self.uploads()]
        if names and request.headers.get(KEEPS_PHOTOS) is None:
            self.form_errors.append(message(DomainError("photos_again", names=", ".join(names))))

    def _check_secret(self) -> None:
        if not rules.is_secret(self.secret.data):
            raise Problem("bad_secret", "secret")

    def refuse(self, error: DomainError) -> None:
        """Put each problem at its field; for a secret that cannot be used the page gets a new one, and says so."""
        if getattr(error, "field", None) == "secret":
            self.secret.data = rules.new_secret()
            self.form_errors.append(message(error))
        else:
            super().refuse(error)


@bp.route("/book/<code>", methods=["GET", "POST"])
@needs(Right.PUBLIC)
def book(code: str) -> ResponseReturnValue:
    """Show a clean page of the book, or write the entry; 422 with the page where something is wrong."""
    store = catalogue.store_page(db(), code)
    kiosk = _kiosk(store)
    try:
        form = BookForm()
    except RequestEntityTooLarge:
        return _page(store, _too_large()), 413
    if not form.is_submitted():
        return _page(store, form)
    if form.validate():
        try:
            written = service.write_entry(db(), store.code, form.raw(), form.hand_in_id, language(), _how(form, kiosk))
        except DomainError as error:
            form.refuse(error)
        else:
            slip = _seal(store.code, written, form.secret.data)
            values: dict[str, Any] = {"slip": slip, **_at_kiosk(kiosk)}
            return redirect(url_for("kiosk.book_thanks", code=store.code, **values), 303)
    form.tell_of_photos()
    return _page(store, form), 422


def _kiosk(store: StorePage) -> str | None:
    """Return the token of the kiosk that the page stands on; raise NotFound for one that is not of the store."""
    token = request.args.get(AT_KIOSK)
    if token is not None and catalogue.point_page(db(), token, "kiosk").store_code != store.code:
        raise NotFound("unknown_point")
    return token


def _at_kiosk(token: str | None) -> dict[str, str]:
    """Return what the addresses of a kiosk carry: on it, a language is kept for one writer alone, and in no cookie."""
    return {} if token is None else {AT_KIOSK: token, "lang": language()}


def _how(form: BookForm, kiosk: str | None) -> How:
    attached = tuple(Photo(photos.MEDIA_TYPE, content) for content in form.drawn)
    source = service.PAGE if kiosk is None else service.KIOSK
    return How(source, secret=form.secret.data, photos=attached, consent_shown=form.shown)


def _too_large() -> BookForm:
    """Return a clean form that says why nothing of what was sent could be read."""
    form = BookForm(formdata=MultiDict())
    form.form_errors.append(message(DomainError("page_too_large", limit=photos.REQUEST_LIMIT // photos.MIB)))
    return form


@bp.get("/book/<code>/written/<slip>")
@needs(Right.PUBLIC)
def book_thanks(code: str, slip: str) -> ResponseReturnValue:
    """Show the receipt of an entry: its number, until when it is answered, and the link to follow it."""
    store = catalogue.store_page(db(), code)
    slip_of = _open(store.code, slip)
    link = _follow(store) + slip_of.secret if slip_of.secret else None
    return render_template(
        "kiosk/book_thanks.html",
        store=store,
        title=_title(store),
        slip=slip_of,
        link=link,
        code=inside(link) if link else None,
        **_for_page(store),
    )


def _page(store: StorePage, form: BookForm) -> str:
    return render_template(
        "kiosk/book.html",
        store=store,
        form=form,
        title=_title(store),
        kinds=_kinds(),
        consent_version=form.shown[0],
        terms=consents.shown(*form.shown).terms(word(store.names, form.shown[1])),
        text_limit=rules.TEXT_LIMIT,
        photo_limit=photos.COUNT_LIMIT,
        link=_follow(store),
        said=lambda code, **values: message(DomainError(code, **values)),
        queue_scripts=shell.addresses(QUEUE),
        **_for_page(store),
    )


def _for_page(store: StorePage) -> dict[str, Any]:
    kiosk = _kiosk(store)
    return {"kiosk": kiosk, "at_kiosk": _at_kiosk(kiosk)}


def _follow(store: StorePage) -> str:
    """Return the beginning of the secret links of a store's book."""
    return absolute(f"/book/{quote(store.code)}/follow/")


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


def _own_secret(hand_in_id: UUID) -> str:
    """Return the secret of a page that brings none: the same for the same page, so that a repeat changes nothing."""
    key = str(current_app.secret_key).encode()
    drawn = hmac.new(key, b"book-link" + hand_in_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(drawn).decode().rstrip("=")


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="book-receipt")


@dataclass(frozen=True)
class Slip:
    """What a receipt's address holds."""

    number: int
    year: int
    due_on: date
    secret: str | None


def _seal(code: str, written: Written, secret: str) -> str:
    """Return the receipt as a part of an address that nobody can make up; of the entry it holds its link alone.

    The secret of a page that was sent twice may be another than that of the entry: then there is no link to show.
    """
    own = secret if written.followed_by(secret) else None
    sealed = _sealer().dumps([code, written.number, written.year, written.due_on.isoformat(), own])
    return sealed if isinstance(sealed, str) else sealed.decode()


def _open(code: str, slip: str) -> Slip:
    """Return what a receipt holds, or raise NotFound for a slip that is not of this book."""
    try:
        of_store, number, year, due_on, *rest = _sealer().loads(slip)
    except (BadData, ValueError):
        raise NotFound("unknown_entry") from None
    if of_store != code:
        raise NotFound("unknown_entry")
    return Slip(number, year, date.fromisoformat(due_on), rest[0] if rest else None)
