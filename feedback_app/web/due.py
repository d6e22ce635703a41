"""What is due: the block at the head of the first page, and where a case's page is."""

from __future__ import annotations

from flask import request
from flask_babel import gettext, lazy_gettext, ngettext

from feedback_app.domain.access import Right
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import number
from feedback_app.services.due import Due, DueCase, due

_REASONS = {
    "complaint": lazy_gettext("complaint"),
    "claim": lazy_gettext("claim"),
    "suggestion": lazy_gettext("suggestion"),
    "thanks": lazy_gettext("thanks"),
    "critical": lazy_gettext("a critical criterion failed on a visit"),
    "danger": lazy_gettext("words of danger"),
    "very_negative": lazy_gettext("a very negative comment"),
}


def case_address(case_id: int) -> str:
    """Return the address of a case's page, below the sub-path that the app is served at."""
    return f"{request.script_root}/cases/{case_id}"


def reason(key: str) -> str:
    """Return why a case was opened."""
    return str(_REASONS.get(key, key))


def shown() -> Due | None:
    """Return what is due for the reader; None for who may not read the book."""
    return due(db(), reader()) if reader().may(Right.READ_BOOK) else None


def leads() -> bool:
    """Say whether it stands first on the page: for who works on cases, and not with the whole chain in view."""
    return reader().may(Right.WORK_CASES) and reader().stores is not None


def title(found: Due) -> str:
    """Return what the block says."""
    if not found.today and not found.overdue:
        return gettext("Nothing is due today, and nothing is overdue")
    if not found.overdue:
        return ngettext(
            "%(shown)s case is due today, none is overdue",
            "%(shown)s cases are due today, none is overdue",
            found.today,
            shown=number(found.today),
        )
    return ngettext(
        "%(shown)s case is overdue, due today: %(today)s",
        "%(shown)s cases are overdue, due today: %(today)s",
        found.overdue,
        shown=number(found.overdue),
        today=number(found.today),
    )


def state(case: DueCase) -> str:
    """Return how urgent a case is."""
    if not case.overdue:
        return gettext("due today")
    return ngettext("%(shown)s day overdue", "%(shown)s days overdue", case.days_over, shown=number(case.days_over))
