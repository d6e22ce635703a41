"""What pages say of cases: their reasons, statuses, titles, and what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask_babel import LazyString, gettext, lazy_gettext, lazy_pgettext

from feedback_app.domain import cases as rules
from feedback_app.domain.answers import TEMPLATE_KINDS
from feedback_app.domain.register import VERDICT
from feedback_app.edge.languages import day, number
from feedback_app.services import cases
from feedback_app.services.case_view import CaseView, Happening
from feedback_app.services.cases import CaseLine, CaseList

STATUSES: Mapping[str, LazyString] = {
    "new": lazy_pgettext("case", "new"),
    "in_work": lazy_pgettext("case", "in work"),
    "waiting": lazy_pgettext("case", "waiting"),
    "answered": lazy_pgettext("case", "answered"),
    "closed": lazy_pgettext("case", "closed"),
    "reopened": lazy_pgettext("case", "reopened"),
}
REASONS: Mapping[str, LazyString] = {
    "complaint": lazy_gettext("Complaint"),
    "claim": lazy_gettext("Claim"),
    "suggestion": lazy_gettext("Suggestion"),
    "thanks": lazy_gettext("Thanks"),
    "critical": lazy_gettext("Critical criterion failed"),
    "danger": lazy_gettext("Words of danger"),
    "very_negative": lazy_gettext("Very unhappy comment"),
}
WAYS: Mapping[str, LazyString] = {
    "mail": lazy_gettext("by e-mail"),
    "link": lazy_gettext("at the writer’s secret link"),
    "print": lazy_gettext("on paper, handed over"),
}
USES: Mapping[str, LazyString] = {
    "more_time": lazy_gettext("When a term is extended"),
    "forwarded": lazy_gettext("When an entry is forwarded"),
}
GROUPS: Mapping[str, LazyString] = {
    "open": lazy_pgettext("cases", "Open"),
    "overdue": lazy_pgettext("cases", "Overdue"),
    "mine": lazy_pgettext("cases", "Mine"),
    "answered": lazy_pgettext("cases", "Answered"),
    "closed": lazy_pgettext("cases", "Closed"),
    "all": lazy_pgettext("cases", "All"),
}


def status(key: str) -> str:
    """Return the name of a status."""
    return str(STATUSES.get(key, key))


def reason(key: str) -> str:
    """Return why a case was opened."""
    return str(REASONS.get(key, key))


def way(key: str) -> str:
    """Return the way by which an answer goes."""
    return str(WAYS.get(key, key))


def use(key: str | None) -> str:
    """Return what an answer template is for."""
    if key is None:
        return gettext("Any answer")
    return str(USES.get(key) or reason(key))


def uses() -> list[tuple[str, str]]:
    """Return what answer templates may be for."""
    return [("", use(None)), *((key, use(key)) for key in TEMPLATE_KINDS)]


def name(key: str, number_in_book: int | None, year: int | None, case_id: int) -> str:
    """Return how a case is called: by its entry's number, else by its own."""
    values = {"reason": reason(key), "number": number_in_book, "year": year, "case": case_id}
    if number_in_book is None:
        return gettext("%(reason)s, case %(case)s", **values)
    return gettext("%(reason)s No. %(number)s of %(year)s", **values)


def line_name(line: CaseLine) -> str:
    """Return how a case of the list is called."""
    return name(line.reason, line.number, line.year, line.id)


def name_of(seen: CaseView) -> str:
    """Return how a case is called."""
    own = next((voice for voice in seen.voices if voice.entry_id == seen.case.entry_id and voice.number), None)
    return name(seen.case.reason, own.number if own else None, own.year if own else None, seen.case.id)


def title(seen: CaseView) -> str:
    """Return what a case waits for, and until when."""
    case, values = seen.case, {"name": name_of(seen)}
    if case.joined_to is not None:
        return gettext("%(name)s: joined to another case", **values)
    if case.status == rules.CLOSED:
        return gettext("%(name)s: closed", **values)
    if case.status == rules.ANSWERED:
        return gettext("%(name)s: answered", **values)
    if case.due_on is None:
        return gettext("%(name)s: still open", **values)
    due = day(case.due_on, "long")
    if seen.overdue:
        return gettext("%(name)s: overdue since %(day)s", **values, day=due)
    if case.due_on == seen.today:
        return gettext("%(name)s: to be answered today", **values)
    return gettext("%(name)s: to be answered by %(day)s", **values, day=due)


def list_title(found: CaseList) -> str:
    """Return how many cases wait, and whether any is late."""
    waiting, late = found.counts[cases.OPEN], found.counts[cases.OVERDUE]
    if late:
        return gettext("Overdue: %(late)s. Open: %(open)s", late=number(late), open=number(waiting))
    if waiting:
        return gettext("Open: %(open)s. Nothing is overdue", open=number(waiting))
    return gettext("No case is open")


def who(happening: Happening) -> str:
    """Return who did something."""
    if happening.email:
        return happening.email
    if happening.actor == "writer":
        return gettext("the writer")
    return gettext("Otklik") if happening.actor == "system" else happening.actor


def told(happening: Happening, seen: CaseView) -> str:
    """Return what happened, as one sentence."""
    facts = happening.facts
    if happening.kind == "assigned":
        to = seen.people.get(facts.get("to") or 0)
        return gettext("Given to %(who)s", who=to) if to else gettext("Given to nobody")
    if happening.kind == "status":
        return gettext("Status: %(status)s", status=status(str(facts.get("to"))))
    if happening.kind in ("due", "forwarded"):
        values = {"day": _day(facts.get("to")), "addressee": facts.get("case", {}).get("forwarded_to") or ""}
        if happening.kind == "due":
            return gettext("Extended to %(day)s", **values)
        return gettext("Forwarded to: %(addressee)s", **values)
    if happening.kind == "joined":
        if "took" in facts:
            return gettext("Case %(case)s was joined to this one", case=facts["took"])
        return gettext("Joined to case %(case)s", case=facts.get("into"))
    if happening.kind == "answer":
        said = {"way": way(str(facts.get("way")))}
        return (
            gettext("Interim answer, %(way)s", **said) if facts.get("interim") else gettext("Answer, %(way)s", **said)
        )
    if happening.kind == "note" and facts.get("review"):
        return _review(str(facts["review"]))
    if happening.kind == VERDICT:
        return _verdict(bool(facts.get("accepted")))
    if happening.kind == "step":
        return _step(str(facts.get("what")))
    return _plain(happening.kind)


def _day(written: object) -> str:
    try:
        return day(date.fromisoformat(str(written)), "long")
    except ValueError:
        return "—"


def _review(what: str) -> str:
    if what == "returned":
        return gettext("The answer was given back")
    return gettext("The answer waits for a second person")


def _verdict(accepted: bool) -> str:
    if accepted:
        return gettext("The writer says: the answer suits me")
    return gettext("The writer says: the answer does not suit me")


def _step(what: str) -> str:
    return {
        "added": gettext("Step added"),
        "ticked": gettext("Step done"),
        "unticked": gettext("Step not done after all"),
        "removed": gettext("Step removed"),
    }.get(what, what)


def _plain(kind: str) -> str:
    return {
        "entry": gettext("Written into the book"),
        "adopted": gettext("Taken into the register"),
        "opened": gettext("Case opened"),
        "note": gettext("Note"),
        "labels": gettext("Labels changed"),
        "cause": gettext("Root cause noted"),
        "reopened": gettext("Reopened"),
        "erasure": gettext("Words erased for good"),
        "escalated": gettext("The director was told"),
    }.get(kind, kind)
