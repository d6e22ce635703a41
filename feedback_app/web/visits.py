"""The mystery visits that a reader may see: the ones to be made first."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from feedback_app.domain.access import Right
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import number
from feedback_app.edge.rights import needs
from feedback_app.services.periods import today
from feedback_app.services.visits import VisitRow, mine
from feedback_app.web.blueprint import blueprint


@blueprint.get("/visits", endpoint="visits")
@needs(Right.READ_VISITS)
def show() -> ResponseReturnValue:
    """Show the shopper's own visits, to others those of their stores."""
    rows = mine(db(), reader())
    waiting = sorted((row for row in rows if row.submitted_at is None), key=lambda row: row.planned_for)
    return render_template(
        "web/visits.html",
        place="web.visits",
        waiting=waiting,
        done=[row for row in rows if row.submitted_at is not None],
        today=today(),
        fills=reader().may(Right.FILL_VISIT),
        title=visits_title(rows),
    )


def visits_title(rows: Sequence[VisitRow]) -> str:
    """Return how many visits wait to be made."""
    if not rows:
        return gettext("No visits are planned")
    waiting = sum(row.submitted_at is None for row in rows)
    if not waiting:
        return gettext("Every visit is handed in")
    return ngettext(
        "%(shown)s visit waits to be made", "%(shown)s visits wait to be made", waiting, shown=number(waiting)
    )
