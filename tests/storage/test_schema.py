"""The schema: what the program believes is what the migrations make, and what is written once stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError, StatementError

from feedback_app.storage import house, migrate
from feedback_app.storage.database import Base, Database
from feedback_app.storage.tables import AuditEvent, Job
from tests.builders import Chain

MINSK = timezone(timedelta(hours=3))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        db = Database(f"sqlite:///{tmp_path}/empty.db")
        yield db
        db.close()
        return
    server = request.getfixturevalue("postgres_server")
    name = f"empty_{abs(hash(str(tmp_path)))}"
    db = Database(server.create_database(name))
    yield db
    db.close()
    server.drop_database(name)


def tables(db: Database) -> set[str]:
    return set(sa.inspect(db.engine).get_table_names())


def test_the_models_equal_the_migrated_schema(empty: Database) -> None:
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.newest(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    migrate.upgrade(empty)
    before = tables(empty)
    migrate.upgrade(empty)
    assert tables(empty) == before >= set(Base.metadata.tables)


def test_every_constraint_has_a_name(empty: Database) -> None:
    migrate.upgrade(empty)
    inspector = sa.inspect(empty.engine)
    for table in Base.metadata.tables:
        named = [inspector.get_pk_constraint(table), *inspector.get_foreign_keys(table)]
        named += [*inspector.get_unique_constraints(table), *inspector.get_check_constraints(table)]
        assert all(constraint["name"] for constraint in named), table


def test_the_schema_goes_down_to_nothing_and_up_again(empty: Database) -> None:
    migrate.upgrade(empty)
    command.downgrade(migrate._config(empty), "base")
    assert tables(empty) <= {"alembic_version"}
    migrate.upgrade(empty)
    assert tables(empty) >= set(Base.metadata.tables)


@pytest.mark.parametrize("table", ["form_versions", "audit_events"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id + 1000", "DELETE FROM {}"])
def test_what_is_written_once_can_be_neither_changed_nor_deleted(any_chain: Chain, table: str, statement: str) -> None:
    count = sa.text(f"SELECT count(*), sum(id) FROM {table}")
    with any_chain.db.engine.connect() as connection:
        before = connection.execute(count).one()
    assert before[0] > 0
    with pytest.raises(DBAPIError, match="written once"):
        any_chain.db.write(lambda connection: connection.execute(sa.text(statement.format(table))))
    with any_chain.db.engine.connect() as connection:
        assert connection.execute(count).one() == before


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, tzinfo=MINSK),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 30, tzinfo=UTC),
    ],
)
def test_a_moment_comes_back_as_the_same_moment_in_utc(any_chain: Chain, moment: datetime) -> None:
    any_chain.db.write(lambda connection: house.audit(connection, moment, "test", "look", f"{moment}"))
    with any_chain.db.engine.connect() as connection:
        query = sa.select(AuditEvent.__table__.c.at).where(AuditEvent.__table__.c.object == f"{moment}")
        back = connection.execute(query).scalar_one()
        found = connection.execute(query.where(AuditEvent.__table__.c.at == moment)).scalar_one()
    assert back == found == moment
    assert back.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_not_stored(any_chain: Chain) -> None:
    naive = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001
    with pytest.raises(StatementError, match="without a zone"):
        any_chain.db.write(lambda connection: house.audit(connection, naive, "test", "look", "thing"))


def test_moments_of_any_zone_are_compared_as_moments(any_chain: Chain) -> None:
    early, late = datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 1, 12, 30, tzinfo=MINSK)
    any_chain.db.write(lambda connection: house.add_job(connection, "early", "paper", {}, early))
    any_chain.db.write(lambda connection: house.add_job(connection, "late", "paper", {}, late))
    jobs = Job.__table__
    with any_chain.db.engine.connect() as connection:
        ordered = connection.execute(sa.select(jobs.c.key).where(jobs.c.kind == "paper").order_by(jobs.c.due_at))
        assert list(ordered.scalars()) == ["late", "early"]


def test_a_setting_is_put_and_put_again(any_chain: Chain) -> None:
    for value in (1, 2):
        any_chain.db.write(lambda connection, value=value: house.put_setting(connection, "paper", {"n": value}))
    with any_chain.db.engine.connect() as connection:
        assert house.get_setting(connection, "paper") == {"n": 2}
        assert house.get_setting(connection, "nothing") is None
