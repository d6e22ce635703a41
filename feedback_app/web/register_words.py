"""What the register's pages call things: kinds, statuses, steps of the history, findings of a verification."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import LazyString, gettext, lazy_gettext

from feedback_app.edge.languages import day, number
from feedback_app.services.register_pages import Actor, EntryLine
from feedback_app.services.register_state import Checked
from feedback_app.storage.register_read import ADDED, BROKEN, MISSING, SWAPPED
from feedback_app.web.case_words import STATUSES

_KINDS: Mapping[str, LazyString] = {
    "complaint": lazy_gettext("Complaint"),
    "suggestion": lazy_gettext("Suggestion"),
    "thanks": lazy_gettext("Thanks"),
    "claim": lazy_gettext("Claim"),
}
_STEPS: Mapping[str, LazyString] = {
    "entry": lazy_gettext("Written and sealed"),
    "adopted": lazy_gettext("Taken into the register, as it was older"),
    "opened": lazy_gettext("Case opened"),
    "erasure": lazy_gettext("Words erased on request"),
    "answer": lazy_gettext("Answer sent"),
    "note": lazy_gettext("Note"),
    "status": lazy_gettext("Status changed"),
    "assigned": lazy_gettext("Given to somebody"),
    "due": lazy_gettext("Term extended"),
    "forwarded": lazy_gettext("Forwarded"),
    "escalated": lazy_gettext("Director told"),
    "verdict": lazy_gettext("Writer said whether the answer suits"),
    "reopened": lazy_gettext("Reopened"),
    "step": lazy_gettext("Steps changed"),
    "labels": lazy_gettext("Labels changed"),
    "cause": lazy_gettext("Root cause noted"),
    "joined": lazy_gettext("Joined with another case"),
}
_SOURCES: Mapping[str, LazyString] = {
    "page": lazy_gettext("on the book's page"),
    "kiosk": lazy_gettext("at the kiosk"),
    "paper": lazy_gettext("in the paper book, copied by staff"),
}
_CONSENTS: Mapping[str, LazyString] = {
    "writer": lazy_gettext("by the writer"),
    "guardian": lazy_gettext("by a parent or guardian"),
    "paper": lazy_gettext("by the writer in the paper book, as staff say"),
}
_FINDINGS: Mapping[str, LazyString] = {
    BROKEN: lazy_gettext("It was changed behind the program's back."),
    MISSING: lazy_gettext("It is missing."),
    SWAPPED: lazy_gettext("It stands in another's place."),
    ADDED: lazy_gettext("It was put there by somebody else."),
}


def kind(key: str) -> str:
    """Return the kind of an entry."""
    return str(_KINDS.get(key, key))


def status(line: EntryLine) -> str:
    """Return how far the work on an entry is, in words."""
    if line.status is None:
        return gettext("no case")
    return str(STATUSES.get(line.status, line.status))


def step(key: str) -> str:
    """Return what a link of the chain tells."""
    return str(_STEPS.get(key) or gettext("Change of the case (%(kind)s)", kind=key))


def source(key: str) -> str:
    """Return where an entry was written."""
    return str(_SOURCES.get(key, key))


def consent_by(key: str) -> str:
    """Return who consented."""
    return str(_CONSENTS.get(key, key))


def actor(who: Actor) -> str:
    """Return who did something."""
    if who.kind == "user":
        return who.email or gettext("somebody who is gone")
    return gettext("the writer") if who.kind == "writer" else gettext("the program")


def entry_name(line: EntryLine) -> str:
    """Return what an entry is called."""
    return gettext("%(kind)s No. %(number)s of %(year)s", kind=kind(line.kind), number=line.number, year=line.year)


def entry_state(line: EntryLine) -> str:
    """Return in a sentence how an entry stands."""
    if line.status is None:
        return gettext("No case was opened for it.")
    if line.overdue:
        return gettext("Overdue: it was to be answered until %(day)s.", day=day(line.due_on))
    if line.waits:
        return gettext("It waits for an answer until %(day)s.", day=day(line.due_on))
    if line.answered_at is not None:
        return gettext("Answered on %(day)s.", day=day(line.answered_on))
    return gettext("The case is closed.")


def finding(found: str) -> str:
    """Return what became of the place that a verification names."""
    return str(_FINDINGS.get(found, found))


def check_title(checked: Checked) -> str:
    """Return what a verification came to."""
    if checked.finding is not None:
        return gettext("The chain is not whole: look at %(place)s", place=checked.finding.place)
    return gettext("The chain is whole: %(links)s links", links=number(checked.links))
