"""The cases of the reader's stores: the list, one case, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from feedback_app.domain.access import Right
from feedback_app.domain.cases import OPEN
from feedback_app.domain.errors import DomainError, Forbidden, Invalid, NotFound
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.services import answers, case_changes, case_terms, cases, joining
from feedback_app.services.case_view import CaseView, view
from feedback_app.services.cases import CaseList, Wanted
from feedback_app.web import case_words
from feedback_app.web.blueprint import blueprint
from feedback_app.web.case_forms import FORMS, CaseForm, forms_of, number_of

PLACE = "web.cases"
_ID = "<int(max=2147483647):case_id>"
Doing = Callable[[Any, int], str]
"""Does what a form says to a case, and returns what the reader is told."""


# --- the list ---------------------------------------------------------------------------------------------------


@blueprint.get("/cases", endpoint="cases")
@needs(Right.READ_BOOK)
def show() -> ResponseReturnValue:
    """Show the cases of the reader's stores, those that wait longest first."""
    wanted = _wanted()
    found = _listed(wanted)
    return render_template(
        "web/cases.html",
        place=PLACE,
        words=case_words,
        found=found,
        wanted=wanted,
        query=_query,
        narrowed=any((wanted.store, wanted.reason, wanted.label)),
        later=bool(request.args.get("cursor")),
        title=case_words.list_title(found),
    )


def _wanted() -> Wanted:
    group = request.args.get("group", cases.OPEN)
    names = ("store", "reason", "label")
    return Wanted(group if group in cases.GROUPS else cases.OPEN, *(request.args.get(name) or None for name in names))


def _listed(wanted: Wanted) -> CaseList:
    try:
        return cases.listed(db(), reader(), wanted, request.args.get("cursor"))
    except Invalid:
        # A cursor cut off while copying begins again with the first.
        return cases.listed(db(), reader(), wanted)


def _query(wanted: Wanted, **changes: Any) -> dict[str, Any]:
    """Return the address of a list as its parts, without those that say nothing."""
    parts = {"group": wanted.group, "store": wanted.store, "reason": wanted.reason, "label": wanted.label, **changes}
    return {name: value for name, value in parts.items() if value and (name, value) != ("group", cases.OPEN)}


# --- one case ---------------------------------------------------------------------------------------------------


@blueprint.get(f"/cases/{_ID}", endpoint="case")
@needs(Right.READ_BOOK)
def one(case_id: int) -> ResponseReturnValue:
    """Show what a customer said, until when an answer is due, and what was done."""
    return _page(view(db(), reader(), case_id))


def _page(seen: CaseView, sent: CaseForm | None = None, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "web/case.html",
        place=PLACE,
        words=case_words,
        seen=seen,
        forms=forms_of(seen, sent),
        sent=sent.what if sent and status != 200 else None,
        works=reader().may(Right.WORK_CASES),
        is_open=seen.case.status in OPEN,
        title=case_words.title(seen),
    )
    return page, status


@blueprint.post(f"/cases/{_ID}/<what>", endpoint="case_do")
@needs(Right.WORK_CASES)
def act(case_id: int, what: str) -> ResponseReturnValue:
    """Do something about a case, then show it again; what could not be kept stays in its form."""
    if what not in FORMS:
        abort(404)
    form = FORMS[what]()
    view(db(), reader(), case_id)  # an address of another store tells nothing, whatever is sent to it
    if what == "answer" and form["do"].data == "template":
        return _begin(form, case_id)
    try:
        if not form.validate():
            raise Invalid([])
        flash(_DOINGS[what](form, case_id))
    except (Forbidden, NotFound):
        raise
    except DomainError as error:
        form.refuse(error)
        return _page(view(db(), reader(), case_id), form, 422 if isinstance(error, Invalid) else 409)
    return redirect(url_for("web.case", case_id=case_id), 303)


def _begin(form: CaseForm, case_id: int) -> ResponseReturnValue:
    """Put a template's text into the answer, below what is there already."""
    try:
        begun = answers.begin_with(db(), reader(), case_id, number_of(form["template"].data) or 0)
    except Invalid as error:
        form.refuse(error)
        return _page(view(db(), reader(), case_id), form, 422)
    typed = (form["text"].data or "").strip()
    form["text"].data = f"{typed}\n\n{begun}" if typed else begun
    return _page(view(db(), reader(), case_id), form)


def _take(form: Any, case_id: int) -> str:
    case_changes.take(db(), reader(), case_id, form.seen)
    return gettext("The case is yours.")


def _status(form: Any, case_id: int) -> str:
    case_changes.move(db(), reader(), case_id, form.seen, form.do.data or "")
    return gettext("The status was changed.")


def _note(form: Any, case_id: int) -> str:
    case_changes.note(db(), reader(), case_id, form.seen, form.text.data or "")
    return gettext("The note is kept.")


def _assign(form: Any, case_id: int) -> str:
    case_changes.assign(db(), reader(), case_id, form.seen, form.user_id)
    return gettext("Who works on it was changed.")


def _extend(form: Any, case_id: int) -> str:
    case_terms.extend(db(), reader(), case_id, form.seen, form.day, form.reason.data or "")
    return gettext("The last day was moved, and the writer is told why.")


def _forward(form: Any, case_id: int) -> str:
    case_terms.forward(db(), reader(), case_id, form.seen, form.addressee.data or "")
    return gettext("Forwarded, and the writer is told.")


def _step(form: Any, case_id: int) -> str:
    step_id = number_of(form.id_of_step.data) or 0
    if form.do.data == "remove":
        case_changes.remove_step(db(), reader(), case_id, form.seen, step_id)
        return gettext("The step was taken off.")
    if form.do.data in ("tick", "untick"):
        case_changes.tick_step(db(), reader(), case_id, form.seen, step_id, form.do.data == "tick")
        return gettext("The checklist is kept.")
    case_changes.add_step(db(), reader(), case_id, form.seen, form.step.data or "")
    return gettext("The step was added.")


def _label(form: Any, case_id: int) -> str:
    case_changes.label(db(), reader(), case_id, form.seen, form.labels.data or "")
    return gettext("The labels are kept.")


def _learn(form: Any, case_id: int) -> str:
    case_changes.learn(db(), reader(), case_id, form.seen, form.cause.data, form.action.data or "")
    return gettext("The root cause is kept.")


def _join(form: Any, case_id: int) -> str:
    joining.join(db(), reader(), case_id, form.seen, number_of(form.other.data))
    return gettext("Joined: one answer goes to every writer.")


def _close(form: Any, case_id: int) -> str:
    case_changes.close(db(), reader(), case_id, form.seen, form.reason.data or "")
    return gettext("The case is closed.")


def _reopen(form: Any, case_id: int) -> str:
    case_changes.reopen(db(), reader(), case_id, form.seen, form.reason.data or "")
    return gettext("The case is open again.")


def _answer(form: Any, case_id: int) -> str:
    if form.do.data == "send":
        answers.send(db(), reader(), case_id, form.seen, form.typed)
        return gettext("The answer is out.")
    if form.do.data == "submit":
        answers.submit(db(), reader(), case_id, form.seen, form.typed)
        return gettext("The answer waits for a second person.")
    answers.save(db(), reader(), case_id, form.seen, form.typed)
    return gettext("The draft is kept.")


def _review(form: Any, case_id: int) -> str:
    if form.do.data == "approve":
        answers.approve(db(), reader(), case_id, form.seen)
        return gettext("The answer is out.")
    answers.give_back(db(), reader(), case_id, form.seen, form.text.data or "")
    return gettext("The answer was given back.")


_DOINGS: dict[str, Doing] = {
    "take": _take,
    "status": _status,
    "note": _note,
    "assign": _assign,
    "extend": _extend,
    "forward": _forward,
    "step": _step,
    "label": _label,
    "learn": _learn,
    "join": _join,
    "close": _close,
    "reopen": _reopen,
    "answer": _answer,
    "review": _review,
}


@blueprint.post("/cases/for/<uuid:entry_id>", endpoint="case_for")
@needs(Right.WORK_CASES)
def for_entry(entry_id: UUID) -> ResponseReturnValue:
    """Open the case of an entry that opened none by itself, to answer it."""
    return redirect(url_for("web.case", case_id=answers.case_for(db(), reader(), entry_id)), 303)
