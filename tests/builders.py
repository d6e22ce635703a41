"""The cast and what they do: a tap, a survey, an entry, a visit."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from feedback_app.domain.access import SYSTEM, Access
from feedback_app.services import catalogue, demo, demo_ground, intake, senders
from feedback_app.services.chain import CHAIN
from feedback_app.services.intake import Outcome
from feedback_app.services.senders import Sender
from feedback_app.services.users import access_for
from feedback_app.storage import house, migrate
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Point, Store, User, Visit

EMAILS = {
    "director": "director@otklik.example",
    "manager": "manager@otklik.example",
    "mystery_shopper": "shopper@otklik.example",
    "coordinator": "coordinator@otklik.example",
    "admin": "admin@otklik.example",
}
STORES = ("001", "002", "003")


def quick_hash(password: str) -> str:
    """Hash a password with argon2id at its lowest cost: tests sign in often."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


def lay_chain(db: Database) -> None:
    """Build a chain of three stores with people and forms and without responses."""
    migrate.upgrade(db)
    rng = random.Random(7)
    hashed = quick_hash(demo.PASSWORD)

    def work(connection: Any) -> None:
        house.put_setting(connection, CHAIN, {"demo": True, "whole": True})
        ground = demo_ground.lay_ground(connection, len(STORES), hashed, rng)
        for code in STORES:
            values = {
                "token": f"visit-{code}",
                "store_id": ground.stores[code].id,
                "form_version_id": ground.checklist_version,
                "shopper_id": ground.shopper_id,
                "planned_for": datetime(2026, 1, 15, tzinfo=UTC).date(),
            }
            connection.execute(sa.insert(Visit.__table__).values(**values))

    db.write(work)


@dataclass(frozen=True)
class Chain:
    """A chain with its cast."""

    db: Database

    @cached_property
    def points(self) -> dict[tuple[str, str], str]:
        """Tokens by store code and touchpoint."""
        with self.db.read(SYSTEM) as session:
            query = sa.select(Point).where(Point.touchpoint_id.is_not(None))
            return {(point.store.code, point.touchpoint.key): point.token for point in session.scalars(query)}

    def token(self, store: str = "001", touchpoint: str = "checkout") -> str:
        """The token of a collection point."""
        return self.points[store, touchpoint]

    def access(self, role: str) -> Access:
        """What somebody of the cast may see."""
        with self.db.read(SYSTEM) as session:
            user = session.scalars(sa.select(User).where(User.email == EMAILS[role])).one()
            return access_for(self.db, user.id, user.email, [one.name for one in user.roles])

    def store_id(self, code: str) -> int:
        """The id of a store."""
        with self.db.read(SYSTEM) as session:
            return session.scalars(sa.select(Store.id).where(Store.code == code)).one()

    def item(
        self,
        answers: Mapping[str, Any] | None = None,
        *,
        store: str = "001",
        touchpoint: str = "checkout",
        at: datetime | None = None,
        response_id: UUID | str | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """An item as a kiosk sends it."""
        return {
            "id": str(response_id or uuid4()),
            "point": self.token(store, touchpoint),
            "form_version": 1,
            "occurred_at": (at or datetime.now(UTC)).isoformat(),
            "language": "ru",
            "answers": {"smiley": 4} if answers is None else dict(answers),
            **changes,
        }

    def sender(self, store: str = "001", touchpoint: str = "checkout") -> Sender:
        """The sender that a point's public token makes."""
        found = senders.point_sender(self.db, self.token(store, touchpoint))
        assert found is not None
        return found

    def send(self, *items: Any, store: str = "001", touchpoint: str = "checkout") -> list[Outcome]:
        """Hand items in for one point."""
        return intake.record(self.db, list(items), self.sender(store, touchpoint))

    def a_tap(self, smiley: int = 4, *, store: str = "001", touchpoint: str = "checkout", **more: Any) -> UUID:
        """One tap at a kiosk, with what follows it; returns its id."""
        at = more.pop("at", None)
        item = self.item({"smiley": smiley, **more}, store=store, touchpoint=touchpoint, at=at)
        outcome = self.send(item, store=store, touchpoint=touchpoint)[0]
        assert outcome.status == intake.STORED, outcome
        return UUID(item["id"])

    def a_survey(self, *, store: str = "001", touchpoint: str = "exit", **answers: Any) -> UUID:
        """One QR survey; returns its id."""
        page = catalogue.point_page(self.db, self.token(store, touchpoint), "survey")
        response_id = uuid4()
        intake.hand_in(self.db, page.at, response_id, answers, "ru")
        return response_id

    def device(self, store: str = "001", touchpoint: str = "checkout") -> str:
        """A new paired device; returns its token."""
        return catalogue.create_device(self.db, replace(SYSTEM, actor="test"), store, touchpoint)


def open_chain(db: Database) -> Chain:
    """Return the cast of a chain that is laid already."""
    return Chain(db)


def csrf_of(page: str) -> str:
    """Return the CSRF token of a page's form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page) or re.search(
        r'value="([^"]+)"[^>]*name="csrf_token"', page
    )
    assert found, "the page has no form with a csrf_token"
    return found[1]


def sign_in_as(client: FlaskClient, role: str) -> FlaskClient:
    """Sign somebody of the cast in."""
    page = client.get("/login").get_data(as_text=True)
    answer = client.post("/login", data={"email": EMAILS[role], "password": demo.PASSWORD, "csrf_token": csrf_of(page)})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return client
