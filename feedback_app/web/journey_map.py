"""The journey map: five stages as columns, what is known of each as rows."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from feedback_app.domain.access import Right
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.services.journey_map import journey
from feedback_app.web import figures, findings
from feedback_app.web.blueprint import blueprint
from feedback_app.web.filters import Chosen, address, chosen, for_template
from feedback_app.web.freshness import page_age


@blueprint.get("/map", endpoint="journey_map")
@needs(Right.READ_FIGURES)
def show() -> ResponseReturnValue:
    """Show the map; `sources=1` adds a line for every source."""
    asked = chosen()
    by_source = request.args.get("sources") == "1"
    found = journey(db(), reader(), asked.filters, max_age=page_age())
    heard = any(column.emotion.n for column in found.stages)
    title = findings.map_headline(found.stages)
    return render_template(
        "web/map.html",
        place="web.journey_map",
        found=found,
        heard=heard,
        title=title,
        weakest=findings.surely_weakest(found.stages),
        by_source=by_source,
        curve=figures.emotion(found.stages, title, _stage_url(asked), sources=by_source) if heard else None,
        source_keys=figures.source_keys(found.stages),
        **for_template(asked),
    )


def _stage_url(asked: Chosen) -> figures.Url:
    if not reader().may(Right.READ_WORDS):
        return lambda stage: None
    return lambda stage: address("web.stage_comments", asked.carried, stage=stage)
