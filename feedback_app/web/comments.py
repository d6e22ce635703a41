"""The words behind a point of the map: comments of a stage or touchpoint, newest first."""

from __future__ import annotations

from dataclasses import replace

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from analysis.metrics import Estimate
from feedback_app.domain.access import Right
from feedback_app.domain.errors import Invalid
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.services.comments import CommentPage, behind
from feedback_app.services.journey_map import STAGES, StageColumn, journey
from feedback_app.services.metrics import figures
from feedback_app.services.periods import Filters
from feedback_app.web import findings, vocabulary
from feedback_app.web.blueprint import blueprint
from feedback_app.web.filters import Chosen, chosen, for_template


@blueprint.get("/map/stage/<stage>", endpoint="stage_comments")
@needs(Right.READ_WORDS)
def of_stage(stage: str) -> ResponseReturnValue:
    """Show the comments with words about a stage, beneath the stage's emotion."""
    if stage not in STAGES:
        abort(404)
    asked = chosen()
    column = next(column for column in journey(db(), reader(), asked.filters).stages if column.stage == stage)
    name = vocabulary.stage(stage)
    return _page(asked, _page_of(asked.filters, stage=stage), stage_title(name, column.emotion), name, column)


@blueprint.get("/map/touchpoint/<key>", endpoint="touchpoint_comments")
@needs(Right.READ_WORDS)
def of_touchpoint(key: str) -> ResponseReturnValue:
    """Show the comments left at a touchpoint, beneath its smiley index."""
    asked = chosen(drop=("touchpoint",))
    touchpoint = next((found for found in asked.choices.touchpoints if found.key == key), None)
    if touchpoint is None:
        abort(404)
    filters = replace(asked.filters, touchpoint=key)
    rows = figures(db(), reader(), filters, "smiley").rows
    index = rows[0].estimate if rows else Estimate(None, None, None, 0)
    name = vocabulary.place(touchpoint)
    return _page(asked, _page_of(filters, touchpoint=key), touchpoint_title(name, index), name, None)


def _page_of(filters: Filters, stage: str | None = None, touchpoint: str | None = None) -> CommentPage:
    cursor = request.args.get("cursor") or None
    try:
        return behind(db(), reader(), filters, stage=stage, touchpoint=touchpoint, cursor=cursor)
    except Invalid:
        # A cursor cut off while copying begins again with the newest.
        return behind(db(), reader(), filters, stage=stage, touchpoint=touchpoint)


def _page(asked: Chosen, page: CommentPage, title: str, name: str, column: StageColumn | None) -> ResponseReturnValue:
    return render_template(
        "web/comments.html",
        place="web.journey_map",
        page=page,
        title=title,
        name=name,
        column=column,
        later=bool(request.args.get("cursor")),
        **for_template(asked),
    )


def stage_title(name: str, emotion: Estimate) -> str:
    """Return the page's title: a stage's emotion and that its words follow."""
    return gettext("%(place)s: emotion %(value)s. The words behind it", place=name, value=findings.figure(emotion))


def touchpoint_title(name: str, index: Estimate) -> str:
    """Return the page's title: a touchpoint's smiley index and that its words follow."""
    return gettext("%(place)s: smiley index %(value)s. The words behind it", place=name, value=findings.figure(index))
