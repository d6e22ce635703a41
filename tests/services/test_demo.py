"""The demo chain: the same for the same seed, full of different words, and never built over a real chain."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import DomainError
from feedback_app.services import counting, demo, register
from feedback_app.services.chain import CHAIN, is_demo
from feedback_app.services.clock import now
from feedback_app.services.demo_ground import SIGN_INS, lay_ground
from feedback_app.services.demo_life import Life
from feedback_app.services.exchange import export_responses
from feedback_app.storage import house, migrate
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookCounter, BookEntry, Case, Response, Store, Touchpoint, User, Visit

PLAN = demo.Plan(stores=3, days=20, responses=600, seed=11)
Open = Callable[..., Database]


@pytest.fixture
def open_empty(tmp_path: Path) -> Iterator[Open]:
    """Open databases with the schema and nothing in it."""
    opened: list[Database] = []

    def make(url: str | None = None) -> Database:
        opened.append(Database(url or f"sqlite:///{tmp_path}/{len(opened)}.db"))
        register.use(opened[-1], "the tests' key", tmp_path)
        migrate.upgrade(opened[-1])
        return opened[-1]

    yield make
    for db in opened:
        db.close()


@pytest.fixture
def empty_postgres(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database in a real PostgreSQL."""
    server = request.getfixturevalue("postgres_server")
    name = f"demo_{abs(hash(str(tmp_path)))}"
    yield server.create_database(name)
    server.drop_database(name)


def export(db: Database, folder: Path) -> str:
    path = folder / "export.csv"
    export_responses(db, SYSTEM, path)
    return path.read_text(encoding="utf-8")


def test_the_same_seed_builds_the_same_chain_on_either_database(
    open_empty: Open, empty_postgres: str, tmp_path: Path
) -> None:
    exports = []
    for url in (None, None, empty_postgres):
        db = open_empty(url)
        assert not demo.is_whole(db)
        built = demo.build(db, PLAN, "hash")
        assert (built.stores, built.responses) == (3, 600)
        assert demo.is_whole(db)
        assert is_demo(db)
        assert counting.verify(db) == []
        exports.append(export(db, tmp_path))
    assert exports[0].count("\n") > 600
    assert len(set(exports)) == 1


def test_another_seed_builds_another_chain_in_its_place(open_empty: Open, tmp_path: Path) -> None:
    db = open_empty()
    demo.build(db, PLAN, "hash")
    first = export(db, tmp_path)
    demo.build(db, demo.Plan(stores=3, days=20, responses=600, seed=12), "hash")
    assert export(db, tmp_path) != first
    assert counting.responses_in_all(db) == 600


def test_a_demo_looks_like_a_chain_with_some_months_behind_it(open_empty: Open) -> None:
    db = open_empty()
    demo.build(db, PLAN, "hash")
    with db.read(SYSTEM) as session:
        assert list(session.scalars(sa.select(Store.code).order_by(Store.code))) == ["001", "002", "003"]
        keys = session.scalars(sa.select(Touchpoint.key).order_by(Touchpoint.position))
        assert list(keys) == ["entrance", "shelf", "counter", "checkout", "exit"]
        channels = Counter(session.scalars(sa.select(Response.channel)))
        last, first = session.execute(
            sa.select(sa.func.max(Response.occurred_at), sa.func.min(Response.occurred_at))
        ).one()
        flagged = session.scalars(sa.select(Response.flags)).all()
        emails = set(session.scalars(sa.select(User.email)))
        open_visits = session.scalars(sa.select(Visit).where(Visit.submitted_at.is_(None))).all()
        numbers = session.execute(sa.select(BookEntry.store_id, BookEntry.year, BookEntry.number)).all()
        counters = {(row.store_id, row.year): row.last for row in session.scalars(sa.select(BookCounter))}
        statuses = set(session.scalars(sa.select(Case.status)))
    assert set(channels) == {"button", "qr", "book", "review", "mystery"}
    assert channels["button"] > 300
    assert last < now()
    assert first > now() - timedelta(days=22)
    assert not any(flagged)
    assert emails == {email for _, email in SIGN_INS}
    assert len(open_visits) == 3
    assert {"answered", "closed"} & statuses
    assert register.verify(db).findings == ()
    for place, top in counters.items():
        assert sorted(number for *key, number in numbers if tuple(key) == place) == list(range(1, top + 1))
    places = dict(demo.places_to_open(db))
    assert places["overview and journey map"] == "/"
    assert all(path.startswith("/") for path in places.values())


def test_fifty_thousand_responses_say_six_hundred_different_things_in_three_languages(open_empty: Open) -> None:
    db, rng, plan = open_empty(), random.Random(1), demo.Plan()
    ground = db.write(lambda connection: lay_ground(connection, plan.stores, "hash", rng))
    life = Life(plan.days, ground, rng, now().date())
    said = {
        (accepted.language, accepted.comment)
        for accepted, _ in map(life.response, life.moments(plan.responses))
        if accepted.comment
    }
    assert len({text for _, text in said}) >= 600
    languages = Counter(language for language, _ in said)
    assert set(languages) == {"ru", "be", "en"}
    assert min(languages.values()) >= 80


def test_a_real_chain_is_refused_and_left_alone(open_empty: Open) -> None:
    db = open_empty()

    def lay(connection: sa.Connection) -> None:
        lay_ground(connection, 1, "hash", random.Random(1))

    db.write(lay)
    for setting in (None, {"demo": False, "whole": True}):
        if setting:
            db.write(lambda connection, setting=setting: house.put_setting(connection, CHAIN, setting))
        with pytest.raises(DomainError, match="holds_real_chain"):
            demo.build(db, PLAN, "hash")
        assert not demo.is_whole(db)
    with db.read(SYSTEM) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Store)) == 1


def test_a_demo_that_was_cut_short_is_not_whole_and_is_built_again(open_empty: Open, tmp_path: Path) -> None:
    whole, db = open_empty(), open_empty()
    demo.build(whole, PLAN, "hash")

    def cut(_step: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.build(db, PLAN, "hash", cut)
    assert counting.responses_in_all(db) > 0
    assert not demo.is_whole(db)
    demo.build(db, PLAN, "hash")
    assert demo.is_whole(db)
    assert export(db, tmp_path) == export(whole, tmp_path)


def test_an_id_of_the_demo_tells_its_time(open_empty: Open) -> None:
    db = open_empty()
    demo.build(db, demo.Plan(stores=1, days=3, responses=30), "hash")
    with db.read(SYSTEM) as session:
        for row in session.scalars(sa.select(Response)):
            assert row.id.version == 7
            told = datetime.fromtimestamp((row.id.int >> 80) / 1000, UTC)
            assert abs(told - row.occurred_at) < timedelta(seconds=1)
