"""Engine, sessions under a reader's scope, and the one way to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.orm import (
    DeclarativeBase,
    LoaderCriteriaOption,
    Mapped,
    ORMExecuteState,
    Session,
    sessionmaker,
    with_loader_criteria,
)

from feedback_app.domain.access import SYSTEM, Access
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.checkpoints import LOG_PAGES
from feedback_app.storage.writer import WRITES, DirectWriter, GroupCommitWriter, Handler

Result = TypeVar("Result")
Payload = TypeVar("Payload")
BUSY_TIMEOUT_MS = 30_000


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware UTC in Python on every database; a naive time is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.engine.Dialect) -> datetime | None:
        """Turn an aware time into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is not stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: sa.engine.Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table; constraints have names, so that migrations can speak of them."""

    if TYPE_CHECKING:
        __table__: ClassVar[sa.Table]

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: sa.JSON,
        list[Any]: sa.JSON,
        str: sa.Text,
    }


class StoreScoped:
    """Marks a table whose rows belong to one store: a reader sees the rows of the stores in scope alone."""

    store_id: Mapped[int]


def _sqlite_connect(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        f"wal_autocheckpoint={LOG_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    # A write that began as a read cannot wait for another process's write: SQLite would fail it at once.
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def make_engine(url: str | URL) -> Engine:
    """Return an engine with durable, waiting settings: SQLite in WAL with synchronous=FULL, PostgreSQL pooled."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=20, max_overflow=40, hide_parameters=True)
    engine = sa.create_engine(parsed, pool_size=20, max_overflow=40, hide_parameters=True)
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _marked(mark: str) -> list[type[Any]]:
    return [mapper.class_ for mapper in Base.registry.mappers if getattr(mapper.class_, mark, False)]


def _of_stores(access: Access) -> list[LoaderCriteriaOption]:
    """Limit every table of stores to the stores in scope.

    A mystery shopper's visits are limited by whose they are, in any store; of stores the shopper reads those visited.
    """
    if access.stores is None:
        return []
    stores, visits = sorted(access.stores), _marked("is_visit")
    own = access.visits_of
    visited = [sa.select(cls.__table__.c.store_id).where(cls.__table__.c.shopper_id == own) for cls in visits]
    # Lambdas, because they are asked anew for every alias of a table.
    options = [
        with_loader_criteria(mapper.class_, lambda cls: cls.store_id.in_(stores), include_aliases=True)
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, StoreScoped) and (own is None or mapper.class_ not in visits)
    ]
    for store in _marked("is_store"):
        ids = sa.select(store.__table__.c.id).where(store.__table__.c.id.in_(stores))
        options.append(_among(store, ids if own is None else sa.union_all(*visited, ids)))
    return options


def _among(store: type[Any], ids: Any) -> LoaderCriteriaOption:
    return with_loader_criteria(store, lambda cls: cls.id.in_(ids), include_aliases=True)


def _of_visits(access: Access) -> list[LoaderCriteriaOption]:
    """Limit visits to one mystery shopper's own."""
    if access.visits_of is None:
        return []
    own = access.visits_of
    return [
        with_loader_criteria(cls, lambda cls: cls.shopper_id == own, include_aliases=True)
        for cls in _marked("is_visit")
    ]


def _limit_to_scope(state: ORMExecuteState) -> None:
    access: Access | None = state.session.info.get("access")
    if access is None:
        raise RuntimeError("a query without a reader: open the session with Database.read(access)")
    if not state.is_column_load:
        state.statement = state.statement.options(*_of_stores(access), *_of_visits(access))


class Database:
    """One chain's (or region's) database: read under a scope, write through the one writer."""

    def __init__(self, url: str | URL) -> None:
        self.engine = make_engine(url)
        self.memory: dict[str, Any] = {}
        """What services keep in memory as long as this database is open; nothing that a row could contradict."""
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        event.listen(self._sessions, "do_orm_execute", _limit_to_scope)
        self.keeper: Keeper | None = None
        """Who holds the register's key and anchors; without one nothing is written into the register."""
        self.after_commit: Callable[[set[Any]], None] = lambda _noted: None
        """Told of what a write noted under `writer.NOTED`, before its caller returns. Must not raise."""
        writer = GroupCommitWriter if self.is_sqlite else DirectWriter
        self._writer: GroupCommitWriter | DirectWriter = writer(self.engine, lambda noted: self.after_commit(noted))

    @contextmanager
    def read(self, access: Access) -> Iterator[Session]:
        """Open a session whose every ORM query sees the reader's stores alone; nothing written in it is kept."""
        with self._sessions(info={"access": access}) as session:
            yield session

    def session(self, access: Access) -> Session:
        """Return a session under a scope that the caller closes."""
        return self._sessions(info={"access": access})

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a connection whose every read sees the same moment, whatever is written meanwhile."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run a use case's writes in one transaction, durable when this returns; its exception undoes them alone."""
        return self._writer.write(work)

    def write_batch(self, handler: Handler[Payload, Result], payload: Payload) -> Result:
        """Let `handler` write the payload, together with what it is given by others at this moment; like `write`.

        Payloads that fail together are written each alone: an exception undoes its own alone.
        """
        return self._writer.write_batch(handler, payload)

    def close(self) -> None:
        """Finish the writes that wait and close every connection."""
        self._writer.close()
        self.engine.dispose()


@contextmanager
def orm(connection: Connection) -> Iterator[Session]:
    """Open an ORM session inside a write's transaction; what it holds is flushed at the end."""
    with Session(connection, join_transaction_mode="conditional_savepoint", info={"access": SYSTEM}) as session:
        yield session
        session.flush()


def insert_or(connection: Connection, table: Any) -> Any:
    """Return the dialect's INSERT that knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
