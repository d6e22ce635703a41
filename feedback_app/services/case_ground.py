"""A case under change: held for one transaction, of the version that its reader saw, and told to the register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import cases as rules
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.services.clock import now
from feedback_app.services.register import keeper_of
from feedback_app.storage import register
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookEntry, Case, Store

Result = TypeVar("Result")
NEW_TERM = "new_term"
"""Fact of a reopening: whether a new term runs from it."""
cases, entries, stores = Case.__table__, BookEntry.__table__, Store.__table__


@dataclass
class Held:
    """A case held for a change: its row as it stands, its store's row, and who changes it when."""

    connection: Connection
    keeper: Keeper
    access: Access
    row: dict[str, Any]
    store: Mapping[str, Any]
    at: datetime

    @property
    def id(self) -> int:
        """Return the case's id."""
        return int(self.row["id"])

    @property
    def today(self) -> date:
        """Return the day in the store."""
        return day_in(self.at, self.store["timezone"])

    @property
    def user_id(self) -> int:
        """Return the user who changes it, or raise DomainError `forbidden`: the program itself does not."""
        if self.access.user_id is None:
            raise DomainError("forbidden")
        return self.access.user_id

    def keep(self, values: Mapping[str, Any] | None = None) -> None:
        """Change the row, and count the change; whoever calls this tells the register where it holds the column."""
        changed = {**(values or {}), "version": self.row["version"] + 1}
        self.connection.execute(sa.update(cases).where(cases.c.id == self.id).values(**changed))
        self.row.update(changed)

    def change(
        self,
        kind: str,
        values: Mapping[str, Any] | None = None,
        *,
        told: Mapping[str, Any] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> int:
        """Change the row and tell the register; return the link's position."""
        self.keep(values)
        return register.append_case(
            self.connection, self.keeper, self.id, kind, self.at, self.access.name, told=told, words=words
        )

    def move(
        self,
        to: str,
        *,
        words: Mapping[str, str] | None = None,
        told: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        """Move the case to a status, or raise DomainError `no_such_move`."""
        before = self.row["status"]
        rules.require_move(before, to)
        kind = rules.REOPENED if to == rules.REOPENED else "status"
        self.change(kind, {"status": to, **values}, told={**(told or {}), "from": before, "to": to}, words=words)


def day_in(at: datetime, timezone: str) -> date:
    """Return the day of a moment in a store."""
    return at.astimezone(ZoneInfo(timezone)).date()


def hold(connection: Connection, keeper: Keeper, access: Access, case_id: int, version: int | None = None) -> Held:
    """Hold a case for this transaction.

    Raises NotFound outside the reader's scope, and DomainError `changed_meanwhile` where somebody changed it since
    the version that the reader saw.
    """
    # What it took in is held with it, always in the order of ids: two who hold several never wait for each other.
    mine = sa.or_(cases.c.id == case_id, cases.c.joined_to == case_id)
    rows = connection.execute(sa.select(cases).where(mine).order_by(cases.c.id).with_for_update()).mappings().all()
    found = next((row for row in rows if row["id"] == case_id), None)
    if found is None or not access.sees_store(found["store_id"]):
        raise NotFound("unknown_case")
    if version is not None and found["version"] != version:
        raise DomainError("changed_meanwhile")
    store = connection.execute(sa.select(stores).where(stores.c.id == found["store_id"])).mappings().one()
    return Held(connection, keeper, access, dict(found), dict(store), now())


def work_on(db: Database, access: Access, case_id: int, version: int | None, do: Callable[[Held], Result]) -> Result:
    """Do something to a case in one transaction; raise Forbidden without the right, and what `hold` raises."""
    access.require(Right.WORK_CASES)
    keeper = keeper_of(db)
    return db.write(lambda connection: do(hold(connection, keeper, access, case_id, version)))


def entries_of(held: Held) -> list[dict[str, Any]]:
    """Return the entries that a case gathers, its own first, then those of the cases that it took in."""
    own = sa.select(entries).where(entries.c.id == held.row["entry_id"])
    taken = (
        sa.select(entries)
        .join(cases, cases.c.entry_id == entries.c.id)
        .where(cases.c.joined_to == held.id)
        .order_by(entries.c.created_at, entries.c.id)
    )
    found = [] if held.row["entry_id"] is None else list(held.connection.execute(own).mappings())
    return [dict(row) for row in (*found, *held.connection.execute(taken).mappings())]
