"""A reader sees the stores in scope and nothing of the others, whatever is asked and however."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload, selectinload
from sqlalchemy.orm import joinedload as eager

from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.services import answers, book, case_changes, corrections, fleet, joining, pairing, senders
from feedback_app.services.book import How, Photo
from feedback_app.services.clock import now
from feedback_app.storage.database import Base, StoreScoped
from feedback_app.storage.tables import Point, Receipt, Response, Store, Visit
from tests.builders import Chain

SCOPED = sorted(
    (mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, StoreScoped)),
    key=lambda cls: cls.__name__,
)


@pytest.fixture
def lived_in(any_chain: Chain) -> Chain:
    """A chain where every kind of row stands in the stores 001 and 002."""
    for store in ("001", "002"):
        tap = any_chain.a_tap(1, store=store, comment="Очередь на кассе была огромной")
        sender = senders.device_sender(any_chain.db, any_chain.device(store))
        assert sender is not None
        assert sender.device_id is not None
        fleet.beat(any_chain.db, sender.device_id, {}, None)
        pairing.make_code(any_chain.db, any_chain.access("admin"), store, "checkout")
        receipt = {"store_id": any_chain.store_id(store), "number_hash": "x", "response_id": tap, "created_at": now()}
        any_chain.db.write(lambda link, row=receipt: link.execute(sa.insert(Receipt.__table__).values(**row)))
        corrections.correct(any_chain.db, any_chain.access("director"), tap, "neutral", None, now())
        work_on_a_case(any_chain, store)
    return any_chain


def work_on_a_case(chain: Chain, store: str) -> None:
    """Write two entries with photos, and work on their cases: a step, a draft, one joined to the other."""
    director, written = chain.access("director"), [uuid4(), uuid4()]
    for entry_id in written:
        how = How(photos=(Photo("image/jpeg", b"a picture"),))
        book.write_entry(chain.db, store, {"kind": "complaint", "text": "Очередь!"}, entry_id, "ru", how)
    one, two = (answers.case_for(chain.db, director, entry_id) for entry_id in written)
    case_changes.add_step(chain.db, director, one, 1, "Позвонить")
    answers.save(chain.db, director, one, 2, answers.Typed("Черновик"))
    joining.join(chain.db, director, one, 3, two)


def store_of(cls: type[Any], row: Any) -> int:
    found: int = row.id if cls is Store else row.store_id
    return found


def test_no_row_of_another_store_is_read_in_any_way(lived_in: Chain) -> None:
    for cls in (*SCOPED, Store):
        look_for_other_stores(lived_in, cls)


def look_for_other_stores(lived_in: Chain, cls: type[Any]) -> None:
    """Ask for the rows of a table in many ways, as the manager of store 001."""
    manager = lived_in.access("manager")
    own, other = lived_in.store_id("001"), lived_in.store_id("002")
    column = cls.id if cls is Store else cls.store_id
    with lived_in.db.read(SYSTEM) as session:
        rows = list(session.scalars(sa.select(cls)))
        assert {own, other} <= {store_of(cls, row) for row in rows}, f"no rows of {cls} to look for"
        keys = [(store_of(cls, row), sa.inspect(row).identity) for row in rows]
        mine = sum(store == own for store, _ in keys)
    with lived_in.db.read(manager) as session:
        again = aliased(cls)
        alias_column = again.id if cls is Store else again.store_id
        assert {store_of(cls, row) for row in session.scalars(sa.select(cls))} == {own}
        assert set(session.scalars(sa.select(column))) == {own}
        assert set(session.scalars(sa.select(alias_column))) == {own}
        assert session.scalar(sa.select(sa.func.count()).select_from(cls)) == mine
        assert session.scalar(sa.select(sa.func.count(column))) == mine
        assert list(session.scalars(sa.select(cls).where(column == other))) == []
        assert list(session.scalars(sa.select(sa.select(column).where(column == other).exists()))) == [False]
        assert set(session.scalars(sa.select(sa.select(column).subquery().c[0]))) == {own}
        assert set(session.scalars(sa.union_all(sa.select(column), sa.select(column)))) == {own}
        for store, key in keys:
            assert (session.get(cls, key) is not None) == (store == own)


def test_joins_reach_no_other_store(lived_in: Chain) -> None:
    manager, own = lived_in.access("manager"), lived_in.store_id("001")
    with lived_in.db.read(manager) as session:
        joined = sa.select(Store.code, Response.store_id).join(Response, Response.store_id == Store.id)
        assert {tuple(row) for row in session.execute(joined)} == {("001", own)}
        outer = sa.select(Store.code).select_from(Response).outerjoin(Store, Store.id == Response.store_id)
        assert set(session.scalars(outer)) == {"001"}
        other_point = aliased(Point)
        crossed = sa.select(Response.id, other_point.store_id).join(other_point, sa.true())
        assert {row.store_id for row in session.execute(crossed)} == {own}
        for option in (joinedload(Response.point), selectinload(Response.point)):
            rows = session.scalars(sa.select(Response).options(option)).unique()
            assert {row.point.store_id for row in rows} == {own}
        points = session.scalars(sa.select(Point).options(eager(Point.store)))
        assert {point.store.code for point in points} == {"001"}


def test_every_table_that_knows_its_store_is_scoped() -> None:
    """A new table with a store_id that nobody marked would be open to all."""
    free = {
        mapper.class_.__name__
        for mapper in Base.registry.mappers
        if "store_id" in mapper.local_table.c and not issubclass(mapper.class_, StoreScoped)
    }
    assert free == set()


def test_a_reader_without_stores_sees_none_and_the_director_all(lived_in: Chain) -> None:
    nobody = Access(rights=frozenset(Right), stores=frozenset())
    with lived_in.db.read(nobody) as session:
        assert list(session.scalars(sa.select(Response))) == []
    with lived_in.db.read(lived_in.access("director")) as session:
        assert len(set(session.scalars(sa.select(Response.store_id)))) == 2


def test_a_query_without_a_reader_is_refused(lived_in: Chain) -> None:
    with lived_in.db._sessions() as session, pytest.raises(RuntimeError, match="without a reader"):
        session.scalars(sa.select(Response))


def test_nothing_written_in_a_reading_session_is_kept(lived_in: Chain) -> None:
    with lived_in.db.read(SYSTEM) as session:
        session.scalars(sa.select(Store).where(Store.code == "001")).one().code = "changed"
        session.flush()
    assert lived_in.store_id("001")


def a_visit(chain: Chain, shopper_id: int, token: str) -> None:
    with chain.db.read(SYSTEM) as session:
        known = session.scalars(sa.select(Visit).limit(1)).one()
        values = {
            "token": token,
            "store_id": known.store_id,
            "form_version_id": known.form_version_id,
            "shopper_id": shopper_id,
            "planned_for": date(2026, 5, 1),
        }
    chain.db.write(lambda connection: connection.execute(sa.insert(Visit.__table__).values(**values)))


def visits_seen(session: Session) -> set[str]:
    return set(session.scalars(sa.select(Visit.token)))


def test_a_mystery_shopper_sees_own_visits_and_no_store_s_words(lived_in: Chain) -> None:
    director = lived_in.access("director")
    assert director.user_id is not None
    a_visit(lived_in, director.user_id, "of-another")
    shopper = lived_in.access("mystery_shopper")
    with lived_in.db.read(shopper) as session:
        assert visits_seen(session) == {"visit-001", "visit-002", "visit-003"}
        assert list(session.scalars(sa.select(Response))) == []
        visit = session.scalars(sa.select(Visit).where(Visit.token == "visit-002")).one()
        assert visit.store.code == "002"
    with lived_in.db.read(director) as session:
        assert visits_seen(session) == {"visit-001", "visit-002", "visit-003", "of-another"}
    with lived_in.db.read(lived_in.access("manager")) as session:
        assert visits_seen(session) == {"visit-001", "of-another"}


def test_keys_are_uuids_and_moments_are_aware_through_the_orm(lived_in: Chain) -> None:
    with lived_in.db.read(SYSTEM) as session:
        row = session.scalars(sa.select(Response).limit(1)).one()
        assert isinstance(row.id, UUID)
        assert isinstance(row.occurred_at, datetime)
        assert row.occurred_at.tzinfo is UTC


def test_readers_of_different_stores_never_get_each_other_s_rows_by_turns(lived_in: Chain) -> None:
    first, second = lived_in.store_id("001"), lived_in.store_id("002")
    for stores in ([first], [second], [first, second], [], [second], [first]):
        access = Access(rights=frozenset(Right), stores=frozenset(stores))
        with lived_in.db.read(access) as session:
            assert set(session.scalars(sa.select(Response.store_id))) == set(stores)
            assert set(session.scalars(sa.select(Store.id))) == set(stores)
