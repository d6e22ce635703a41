"""What staff and their programs read: stores, touchpoints, responses, figures and the journey map."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from analysis.metrics import Estimate
from feedback_app.api.blueprint import blueprint
from feedback_app.domain.access import Right
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.edge.context import db, reader
from feedback_app.edge.rights import needs
from feedback_app.forms.messages import message
from feedback_app.services.ground import StoreName, TouchpointName
from feedback_app.services.journey_map import Chip, StageColumn, journey
from feedback_app.services.listing import PAGE, responses_page
from feedback_app.services.metrics import choices_of, figures
from feedback_app.services.periods import Filters, read_filters
from feedback_app.services.voices import AspectCount, Barrier

Read = Callable[[], ResponseReturnValue]


def readable(view: Read) -> Read:
    """Answer 400 with the fields that a query has wrong."""

    @wraps(view)
    def read() -> ResponseReturnValue:
        try:
            return view()
        except Invalid as invalid:
            problems = [_problem(problem) for problem in invalid.problems]
            return jsonify(error="invalid", message=problems[0]["message"], problems=problems), 400

    return read


def _problem(problem: Problem) -> dict[str, Any]:
    return {"field": problem.field, "error": problem.code, "message": message(problem)}


def _filters(flagged: str = "exclude") -> Filters:
    """Read the query: without a period all is looked at; a date is its midnight in UTC, `until` left out.

    `flagged` says what becomes of flagged ones where the query does not.
    """
    args = request.args.copy()
    args["flagged"] = args.get("flagged") or flagged
    return read_filters(args, default_days=None, in_utc=True)


def _limit() -> int:
    raw = request.args.get("limit") or str(PAGE)
    if not raw.isascii() or not raw.isdigit() or len(raw) > 6:
        raise Invalid([Problem("wrong_type", "limit")])
    return int(raw)


def _estimate(known: Estimate | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {"n": known.n, "value": known.value, "low": known.low, "high": known.high}


@blueprint.get("/stores")
@needs(Right.READ_FIGURES)
@readable
def get_stores() -> ResponseReturnValue:
    """List the stores that the reader may look at."""
    return jsonify(stores=[_store(store) for store in choices_of(db(), reader()).stores])


def _store(store: StoreName) -> dict[str, Any]:
    return {"code": store.code, "names": dict(store.names), "region": store.region, "timezone": store.timezone}


@blueprint.get("/touchpoints")
@needs(Right.READ_FIGURES)
@readable
def get_touchpoints() -> ResponseReturnValue:
    """List the chain's touchpoints in the order of the map."""
    return jsonify(touchpoints=[_touchpoint(name) for name in choices_of(db(), reader()).touchpoints])


def _touchpoint(name: TouchpointName) -> dict[str, Any]:
    return {"key": name.key, "names": dict(name.names), "stage": name.stage}


@blueprint.get("/responses")
@needs(Right.READ_WORDS)
@readable
def get_responses() -> ResponseReturnValue:
    """Return a page of responses with the columns of the export, oldest first.

    As in the export flagged ones are among them, unless the query leaves them out.
    """
    page = responses_page(db(), reader(), _filters(flagged="include"), request.args.get("cursor"), _limit())
    return jsonify(rows=page.rows, next_cursor=page.next_cursor)


@blueprint.get("/metrics")
@needs(Right.READ_FIGURES)
@readable
def get_metrics() -> ResponseReturnValue:
    """Return a measure in groups; of groups under the small-group limit n alone."""
    measure, group = request.args.get("measure", ""), request.args.get("group") or "none"
    found = figures(db(), reader(), _filters(), measure, group)
    rows = [{"group": row.group, **(_estimate(row.estimate) or {})} for row in found.rows]
    return jsonify(rows=rows, ungrouped=found.ungrouped, data_version=found.data_version)


@blueprint.get("/journey")
@needs(Right.READ_FIGURES)
@readable
def get_journey() -> ResponseReturnValue:
    """Return the figures of the journey map, stage by stage."""
    if request.args.get("segment"):
        raise Invalid([Problem("unknown_choice", "segment")])
    found = journey(db(), reader(), _filters())
    return jsonify(stages=[_stage(column) for column in found.stages], data_version=found.data_version)


def _stage(column: StageColumn) -> dict[str, Any]:
    return {
        "stage": column.stage,
        "emotion": _estimate(column.emotion),
        "before": _estimate(column.before),
        "sources": [{"source": source.source, **(_estimate(source.estimate) or {})} for source in column.sources],
        "touchpoints": [_chip(chip) for chip in column.touchpoints],
        "kpi": {
            "measure": column.kpi.measure,
            "now": _estimate(column.kpi.now),
            "before": _estimate(column.kpi.before),
        },
        "barriers": [_barrier(barrier) for barrier in column.barriers],
        "aspects": [_aspect(aspect) for aspect in column.aspects],
        "open_cases": column.open_cases,
        "overdue_cases": column.overdue,
    }


def _chip(chip: Chip) -> dict[str, Any]:
    return {
        "touchpoint": chip.touchpoint.key,
        "index": _estimate(chip.index),
        "responses": chip.responses,
        "open_cases": chip.open_cases,
        "overdue_cases": chip.overdue,
    }


def _barrier(barrier: Barrier) -> dict[str, Any]:
    return {"key": barrier.key, "names": dict(barrier.names), "n": barrier.n, "share": barrier.share}


def _aspect(aspect: AspectCount) -> dict[str, Any]:
    return {
        "aspect": aspect.aspect,
        "negative": aspect.negative,
        "neutral": aspect.neutral,
        "positive": aspect.positive,
        "n": aspect.n,
        "emotion": _estimate(aspect.emotion),
    }
