"""The secret link of an entry: what its writer wrote, what became of it, and whether the answer suits."""

from __future__ import annotations

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from feedback_app.domain.access import Right
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.edge.context import db
from feedback_app.edge.rights import needs
from feedback_app.forms.engine import PaperForm
from feedback_app.services import following
from feedback_app.services.following import Followed
from kiosk.blueprint import blueprint as bp

SECRET_PAGES = frozenset({"kiosk.follow", "kiosk.book_thanks"})
"""Pages whose address is a secret: it is told to nobody, kept nowhere and found by no search engine."""
SUITS, DOES_NOT = "suits", "does_not"


class VerdictForm(PaperForm):
    """Whether the answer suits, and why not."""

    response_id = None
    verdict = StringField()
    words = StringField(_l("What is missing? You need not say it."), id="words-left")


@bp.after_request
def keep_secret(response: Response) -> Response:
    """Let the address of a secret page go nowhere, also where nothing is found at it."""
    if request.endpoint in SECRET_PAGES:
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Cache-Control"] = "no-store"
    return response


@bp.route("/book/<code>/follow/<secret>", methods=["GET", "POST"])
@needs(Right.PUBLIC)
def follow(code: str, secret: str) -> ResponseReturnValue:
    """Show what became of an entry, or take the writer's word on the answer; 404 for whatever is no such link."""
    form = VerdictForm()
    try:
        if form.is_submitted():
            return _judge(code, secret, form)
        return _page(following.follow(db(), code, secret), secret, form)
    except NotFound:
        abort(404)


def _judge(code: str, secret: str, form: VerdictForm) -> ResponseReturnValue:
    found = following.follow(db(), code, secret)
    good = form.validate()
    if form.verdict.data not in (SUITS, DOES_NOT):
        abort(400)
    if good:
        try:
            following.judge(db(), code, secret, form.verdict.data == SUITS, form.words.data or "")
        except NotFound:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect(url_for("kiosk.follow", code=code, secret=secret), 303)
    return _page(found, secret, form), 422


def _page(found: Followed, secret: str, form: VerdictForm) -> str:
    return render_template(
        "kiosk/follow.html",
        found=found,
        secret=secret,
        form=form,
        state=_state(found.status),
        kind=_kind(found.kind),
        days=following.VERDICT_DAYS,
    )


def _kind(kind: str) -> str:
    return {
        "complaint": _("Complaint"),
        "suggestion": _("Suggestion"),
        "thanks": _("Thanks"),
        "claim": _("Claim"),
    }[kind]


def _state(status: str) -> str:
    return {
        "received": _("Received"),
        "new": _("Received"),
        "in_work": _("In work"),
        "waiting": _("In work: the store waits for something it needs to answer"),
        "answered": _("Answered"),
        "closed": _("Closed"),
        "reopened": _("In work again"),
    }.get(status, _("In work"))
