"""Writing responses: whole deliveries, merged with those that others hand in at the same moment."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from feedback_app.domain import misuse
from feedback_app.domain.errors import Problem
from feedback_app.domain.rollups import Key, Sums, deltas, merge, times
from feedback_app.services import automatic
from feedback_app.services.opening import open_by_rule
from feedback_app.services.preparing import Prepared
from feedback_app.services.senders import Sender
from feedback_app.storage import responses as stored
from feedback_app.storage import rollups
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.database import Database

log = logging.getLogger(__name__)


def write(connection: Connection, prepared: Sequence[Prepared], keeper: Keeper | None = None) -> set[UUID]:
    """Insert what is new, count it, open its cases; return the ids that were new. All in the caller's transaction.

    `keeper` keeps the register, which is told of every case.
    """
    return {item.id for item in prepared} - _write(connection, prepared, keeper)


def _write(connection: Connection, prepared: Sequence[Prepared], keeper: Keeper | None) -> set[UUID]:
    """Write what is new and return the ids that were there before."""
    there = stored.insert_missing(connection, [item.row for item in prepared])
    fresh = [item for item in prepared if item.id not in there] if there else prepared
    stored.insert_mentions(connection, [row for item in fresh for row in item.mentions])
    stores = {item.row["point_id"]: item.row["store_id"] for item in fresh}
    rollups.add(connection, _added(fresh), stores)
    opened = [item for item in fresh if item.case is not None]
    for item in sorted(opened, key=lambda item: int(item.row["store_id"])):  # the order of everybody who appends
        if item.case is not None and not automatic.is_left_out(item):
            open_by_rule(connection, keeper, item.case, told=item.tells)
    return there


def _added(fresh: Sequence[Prepared]) -> dict[Key, Sums]:
    """Return what responses add to the counts; what many add alike is worked out once."""
    alike: dict[Hashable, list[Prepared]] = {}
    for item in fresh:
        alike.setdefault(item.alike(), []).append(item)
    return merge(times(deltas(items[0].facts()), len(items)) for items in alike.values())


@dataclass
class _Delivery:
    """What one sender hands in at one moment, each response once; `told` is what was asked of its bursts."""

    db: Database
    sender: Sender
    prepared: Sequence[Prepared]
    told: list[tuple[Hashable, list[datetime]]] = field(default_factory=list)

    def flag_bursts(self, fresh: Sequence[Prepared]) -> None:
        """Flag what no crowd of people can have given, a point at a time."""
        by_point: dict[int, list[Prepared]] = {}
        for item in fresh:
            by_point.setdefault(item.row["point_id"], []).append(item)
        for point_id, items in by_point.items():
            key, moments = (self.sender.device_id, point_id), [item.row["occurred_at"] for item in items]
            self.told.append((key, moments))
            for item, beyond in zip(items, _bursts(self.db).flags(key, moments), strict=True):
                if beyond:
                    item.flag(misuse.FLAG_BURST)

    def take_back(self) -> None:
        """Forget what was told of bursts: it was not stored, and will be told again."""
        while self.told:
            _bursts(self.db).forget(*self.told.pop())


def _bursts(db: Database) -> misuse.Bursts:
    found: misuse.Bursts = db.memory.setdefault("bursts", misuse.Bursts())
    return found


def _write_together(connection: Connection, deliveries: Sequence[_Delivery]) -> list[None]:
    """Write deliveries in one transaction and note what became of each response; of an id the first counts."""
    there = stored.digests(connection, [item.id for delivery in deliveries for item in delivery.prepared])
    fresh: list[Prepared] = []
    for delivery in deliveries:
        delivery.take_back()
        own = _missing(delivery.prepared, there)
        delivery.flag_bursts(own)
        fresh += own
    met = _write(connection, fresh, deliveries[0].db.keeper)
    digests = stored.digests(connection, list(met))  # another process was faster, which PostgreSQL alone allows
    for item in fresh:
        item.fate.there = digests.get(item.id) if met else None
        item.fate.new = item.fate.there is None
    return [None] * len(deliveries)


def _missing(prepared: Sequence[Prepared], there: dict[UUID, str]) -> list[Prepared]:
    """Return the responses that are not there, and note that they are from now on; note the others' digests."""
    missing = []
    for item in prepared:
        item.fate.new, item.fate.there = False, there.get(item.id)
        if item.fate.there is None:
            there[item.id] = item.row["digest"]
            missing.append(item)
    return missing


def deliver(db: Database, sender: Sender, prepared: Sequence[Prepared]) -> None:
    """Write responses and note what became of each; durable when this returns.

    Where the database refuses the content, an item at a time: a bad one takes nothing with it. A fault that passes
    (locked, full, gone) is raised: the sender keeps its items and tries again.
    """
    delivery = _Delivery(db, sender, prepared)
    try:
        db.write_batch(_write_together, delivery)
    except (DataError, IntegrityError):
        delivery.take_back()
        if len(prepared) == 1:
            log.exception("a response was refused by the database")
            prepared[0].fate.problem = Problem("not_storable")
            return
        log.warning("a batch of %d was refused and is written item by item", len(prepared), exc_info=True)
    except BaseException:
        delivery.take_back()
        raise
    else:
        return
    for item in prepared:
        deliver(db, sender, [item])
