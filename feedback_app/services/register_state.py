"""How the chain of a store's register stands: how long it is, when it was last anchored, whether it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.services import catalogue, register
from feedback_app.services.clock import now
from feedback_app.services.register_pages import StoreChoice
from feedback_app.storage import register as stored
from feedback_app.storage.database import Database
from feedback_app.storage.register_read import Finding

CHECK_MOST = 20_000
"""Links that are verified while a reader waits, measured at 1.3 s of one core; longer chains are for the command."""


@dataclass(frozen=True)
class ChainState:
    """A store's chain as its head and its anchor tell; `anchored_links` is the count that the anchor holds."""

    store: StoreChoice
    links: int
    anchored_links: int
    anchored_at: datetime | None

    @property
    def too_long(self) -> bool:
        """Say whether the chain is too long to be verified while a reader waits."""
        return self.links > CHECK_MOST


@dataclass(frozen=True)
class Checked:
    """What became of verifying a chain; no finding means that it is whole."""

    at: datetime
    finding: Finding | None
    links: int
    entries: int


def chain_state(db: Database, access: Access, store_code: str) -> ChainState:
    """Return how a store's chain stands; raise NotFound outside the reader's scope."""
    access.require(Right.READ_BOOK)
    keeper = register.keeper_of(db)
    with db.read(access) as session:
        store = catalogue.find_store(session, store_code)
        if store is None:
            raise NotFound("unknown_store")
    with db.snapshot() as connection:
        heads = stored.heads(connection, {store.id})
        own_id = stored.register_id(connection)
    marks = keeper.read(own_id, store.id).marks if own_id else ()
    last = marks[-1] if marks else None
    return ChainState(
        store=StoreChoice(store.code, store.names),
        links=heads[0].count if heads else 0,
        anchored_links=last.count if last else 0,
        anchored_at=_moment(last.at) if last else None,
    )


def _moment(written: str) -> datetime:
    return datetime.strptime(written, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def check_chain(db: Database, access: Access, store_code: str) -> Checked:
    """Verify a store's chain; raise NotFound outside the scope, DomainError `chain_too_long` above `CHECK_MOST`."""
    if chain_state(db, access, store_code).too_long:
        raise DomainError("chain_too_long", limit=CHECK_MOST)
    verified = register.verify(db, store_code)
    finding = verified.findings[0] if verified.findings else None
    return Checked(now(), finding, verified.links, verified.entries)
