"""The collection points with the addresses that go on kiosks and posters."""

from __future__ import annotations

from itertools import groupby

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from feedback_app.domain.access import Right
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import number
from feedback_app.edge.rights import needs
from feedback_app.services.catalogue import PointRow, points
from feedback_app.web.blueprint import blueprint


@blueprint.get("/points", endpoint="points")
@needs(Right.READ_POINTS)
def show() -> ResponseReturnValue:
    """Show the points of the reader's stores, a table a store."""
    rows = points(db(), reader())
    stores = [list(of_store) for _, of_store in groupby(rows, key=lambda row: row.store_code)]
    return render_template("web/points.html", place="web.points", stores=stores, title=points_title(rows))


def points_title(rows: list[PointRow]) -> str:
    """Return how many points collect in how many stores."""
    if not rows:
        return gettext("No collection points yet")
    count, stores = len(rows), len({row.store_code for row in rows})
    collecting = ngettext("%(shown)s collection point", "%(shown)s collection points", count, shown=number(count))
    where = ngettext("in %(shown)s store", "in %(shown)s stores", stores, shown=number(stores))
    return f"{collecting} {where}"
