"""Reading where things are collected: points with their stores and touchpoints, open cases, words of choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain.cases import OPEN
from feedback_app.storage.tables import Case, FormVersion, Point, Region, Response, Store, Touchpoint

CLOSED = "closed"


@dataclass(frozen=True)
class Place:
    """A collection point with all that figures are grouped by; no touchpoint: the store as a whole."""

    point_id: int
    store_id: int
    store_code: str
    store_names: Mapping[str, str]
    zone: str
    region: str
    touchpoint: str | None
    touchpoint_names: Mapping[str, str]
    stage: str | None
    position: int


def places(session: Session) -> list[Place]:
    """Return every collection point in the reader's scope, closed ones too: what they collected still counts."""
    rows = session.execute(
        sa.select(
            Point.id,
            Store.id,
            Store.code,
            Store.names,
            Store.timezone,
            Region.key,
            Touchpoint.key,
            Touchpoint.names,
            Touchpoint.stage,
            Touchpoint.position,
        )
        .select_from(Point)
        .join(Store, Point.store_id == Store.id)
        .join(Region, Store.region_id == Region.id)
        .outerjoin(Touchpoint, Point.touchpoint_id == Touchpoint.id)
        .order_by(Store.code, Touchpoint.position, Point.id)
    ).all()
    return [Place(*row[:-3], row[-3] or {}, row[-2], row[-1] or 0) for row in rows]  # type: ignore[call-arg]


class RegionRow(NamedTuple):
    """A region that holds a store of the reader's scope."""

    key: str
    names: Mapping[str, str]


class StoreRow(NamedTuple):
    """A store of the reader's scope."""

    code: str
    names: Mapping[str, str]
    region: str
    zone: str
    country: str


class TouchpointRow(NamedTuple):
    """A touchpoint of the chain."""

    key: str
    names: Mapping[str, str]
    stage: str
    position: int


def stores(session: Session) -> list[StoreRow]:
    """Return the stores in the reader's scope, by code."""
    query = sa.select(Store.code, Store.names, Region.key, Store.timezone, Store.country)
    rows = session.execute(query.join(Region, Store.region_id == Region.id).order_by(Store.code)).all()
    return [StoreRow(*row) for row in rows]


def regions(session: Session) -> list[RegionRow]:
    """Return the regions of the stores in the reader's scope, by key."""
    query = sa.select(Region.key, Region.names).join(Store, Store.region_id == Region.id).order_by(Region.key)
    return list({row[0]: RegionRow(*row) for row in session.execute(query).all()}.values())


def touchpoints(session: Session) -> list[TouchpointRow]:
    """Return the chain's touchpoints, in the order of the map."""
    query = sa.select(Touchpoint.key, Touchpoint.names, Touchpoint.stage, Touchpoint.position)
    return [TouchpointRow(*row) for row in session.execute(query.order_by(Touchpoint.position, Touchpoint.key)).all()]


class OpenCases(NamedTuple):
    """How many cases are open for what was collected at a point, on a stage; `overdue` of them past their day."""

    point_id: int
    stage: str
    n: int
    overdue: int


def open_cases(session: Session, day: date) -> list[OpenCases]:
    """Return the open cases in the reader's scope by point and stage; overdue: due before `day`, and not answered.

    The case of a voided response counts no more than the response itself.
    """
    waits = sa.and_(Case.status.in_(OPEN), Case.due_on < day)
    overdue = sa.func.sum(sa.case((waits, 1), else_=0))
    query = (
        sa.select(Response.point_id, Case.stage, sa.func.count(), sa.cast(overdue, sa.Integer))
        .select_from(Case)
        .join(Response, Case.response_id == Response.id)
        .where(Case.status != CLOSED, Response.voided_at.is_(None))
        .group_by(Response.point_id, Case.stage)
    )
    return [OpenCases(*row) for row in session.execute(query).all()]


def choice_words(session: Session) -> dict[tuple[str, str], Any]:
    """Return the words of every choice by (question, choice) key, the latest published version's first."""
    words: dict[tuple[str, str], Any] = {}
    for definition in session.execute(
        sa.select(FormVersion.definition).order_by(FormVersion.published_at, FormVersion.id)
    ).scalars():
        for section in definition.get("sections", ()):
            for question in section.get("questions", ()):
                for choice in question.get("choices") or ():
                    words[question["key"], choice["key"]] = choice.get("text") or {}
    return words
