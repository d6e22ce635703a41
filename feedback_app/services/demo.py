"""Building the demo chain: stores, people, and what customers of some months left behind."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import checklists, journey
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.cases import ANSWERED_KINDS
from feedback_app.domain.errors import DomainError
from feedback_app.domain.responses import Accepted
from feedback_app.services import intake, own_aspects
from feedback_app.services.book import entry_case, insert_entry
from feedback_app.services.chain import CHAIN
from feedback_app.services.clock import now
from feedback_app.services.demo_fleet import lay_fleet
from feedback_app.services.demo_ground import Ground, lay_ground, token
from feedback_app.services.demo_life import ZONE, Life
from feedback_app.services.demo_words import Memo, read_json
from feedback_app.services.demo_work import Work
from feedback_app.services.opening import open_case
from feedback_app.services.register import keeper_of
from feedback_app.storage import house, migrate
from feedback_app.storage.database import Base, Database
from feedback_app.storage.register import register_id
from feedback_app.storage.tables import Point, Store, Touchpoint, User, Visit

PASSWORD = "otklik-demo"  # noqa: S105  (printed on purpose: the demo is open)
SLICE = 4_000
OPEN_CASE_DAYS = 15
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Plan:
    """How large a demo chain is, and its seed."""

    stores: int = 12
    days: int = 90
    responses: int = 50_000
    seed: int = 1


@dataclass(frozen=True)
class Built:
    """What was built."""

    stores: int
    responses: int


def _chain(db: Database) -> dict[str, Any] | None:
    with db.read(SYSTEM) as session:
        return house.get_setting(session, CHAIN)


def is_whole(db: Database) -> bool:
    """Say whether a demo chain was built to its end here."""
    chain = _chain(db)
    return bool(chain and chain.get("demo") and chain.get("whole"))


def _clear(db: Database) -> None:
    """Empty a demo database; refuse one that holds anything else."""
    chain = _chain(db)
    with db.read(SYSTEM) as session:
        empty = session.scalar(sa.select(Store.id).limit(1)) is None and session.scalar(sa.select(User.id)) is None
    if chain is None and empty:
        return
    if not chain or not chain.get("demo"):
        raise DomainError("holds_real_chain")

    former = db.write(register_id)

    def drop(connection: Connection) -> None:
        Base.metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))

    db.write(drop)
    migrate.upgrade(db)
    db.memory.clear()
    if former is not None:
        shutil.rmtree(keeper_of(db).folder / former, ignore_errors=True)


def _write_slice(
    connection: Connection, work: Work, made: list[tuple[Accepted, dict[str, Any] | None]], memo: Memo
) -> None:
    prepared = intake.prepare([accepted for accepted, _ in made], None, memo)
    recent = now() - timedelta(days=OPEN_CASE_DAYS)
    stages: dict[UUID, str] = {}
    for item, (accepted, _) in zip(prepared, made, strict=True):
        item.row["unpaired"] = accepted.at.channel in ("button", "qr")
        stages[item.id] = item.mentions[0]["stage"] if item.mentions else journey.WHOLE_VISIT_STAGE
        if accepted.visit and accepted.visit.failed_critical:
            stage = accepted.at.stage or journey.WHOLE_VISIT_STAGE
            item.case = intake.case_row(item, stage, "critical", None)
            item.case["status"] = "new" if accepted.received_at > recent else "closed"
    intake.write(connection, prepared, work.keeper)
    for accepted, entry in made:
        if entry:
            work.pass_until(connection, entry["created_at"])
            insert_entry(connection, work.keeper, entry)
            if entry["kind"] in ANSWERED_KINDS:
                work.plan(open_case(connection, work.keeper, entry_case(entry, stages[accepted.id])), entry)


def _write_visits(
    connection: Connection,
    work: Work,
    ground: Ground,
    life: Life,
    rng: random.Random,
    today: date,
    memo: Memo,
) -> int:
    made = list(life.visits())
    _write_slice(connection, work, [(accepted, None) for accepted, _ in made], memo)
    for accepted, planned_for in made:
        score = checklists.score_visit(accepted.at.form, accepted.answers).score
        _add_visit(
            connection,
            ground,
            accepted.at.store_id,
            token(rng),
            planned_for,
            submitted_at=accepted.received_at,
            response_id=accepted.id,
            score=None if score is None else round(score, 3),
        )
    for code in ground.codes:
        _add_visit(connection, ground, ground.stores[code].id, token(rng), today + timedelta(days=rng.randrange(1, 7)))
    return len(made)


def _add_visit(
    connection: Connection, ground: Ground, store_id: int, visit_token: str, planned_for: date, **values: Any
) -> None:
    connection.execute(
        sa.insert(Visit.__table__).values(
            token=visit_token,
            store_id=store_id,
            form_version_id=ground.checklist_version,
            shopper_id=ground.shopper_id,
            planned_for=planned_for,
            **values,
        )
    )


def build(db: Database, plan: Plan, password_hash: str, progress: Progress = lambda _step: None) -> Built:
    """Build a demo chain, in place of an earlier demo; raise `holds_real_chain` for any other database.

    The same seed on the same day builds the same chain. Everything ends yesterday: today is the reader's own.
    """
    own, keeper = own_aspects.of(db), keeper_of(db)
    _clear(db)
    rng = random.Random(plan.seed)
    today = now().astimezone(ZONE).date()
    mark = {"demo": True, "whole": False, "names": read_json("places.json")["chain"]["name"], "seed": plan.seed}
    db.write(lambda connection: house.put_setting(connection, CHAIN, mark))
    ground = db.write(lambda connection: lay_ground(connection, plan.stores, password_hash, rng))
    db.write(lambda connection: lay_fleet(connection, ground, plan.seed))
    life, memo = Life(plan.days, ground, rng, today), Memo(own)
    work = db.write(lambda connection: Work(connection, keeper, random.Random(plan.seed)))
    visits = db.write(lambda connection: _write_visits(connection, work, ground, life, rng, today, memo))
    moments = life.moments(max(0, plan.responses - visits))
    for start in range(0, len(moments), SLICE):
        made = [life.response(moment) for moment in moments[start : start + SLICE]]
        db.write(lambda connection, made=made: _write_slice(connection, work, made, memo))  # type: ignore[misc]
        progress(len(made))
    progress(visits)
    db.write(lambda connection: work.pass_until(connection, now()))
    db.write(lambda connection: house.put_setting(connection, CHAIN, {**mark, "whole": True}))
    return Built(len(ground.codes), visits + len(moments))


def places_to_open(db: Database) -> list[tuple[str, str]]:
    """Return what a visitor of the demo may open, as (what, path)."""
    with db.read(SYSTEM) as session:
        point = session.scalars(
            sa.select(Point).join(Point.touchpoint).where(Touchpoint.key == "checkout").order_by(Point.id)
        ).first()
        visit = session.scalars(sa.select(Visit).where(Visit.submitted_at.is_(None)).order_by(Visit.id)).first()
        if point is None:
            return []
        places = [
            ("overview and journey map", "/"),
            ("kiosk at a checkout", f"/k/{point.token}"),
            ("QR survey", f"/q/{point.token}"),
            ("poster with the QR code", f"/q/{point.token}/poster"),
            ("feedback book", f"/book/{point.store.code}"),
            ("fleet of kiosks", "/kiosks"),
            ("cases (as manager or director)", "/cases"),
            ("register of the feedback books", "/register"),
        ]
        return [*places, ("mystery visit (as shopper)", f"/visit/{visit.token}")] if visit else places
