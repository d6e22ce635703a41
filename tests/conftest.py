"""The stage of the tests: real databases, the real app, and a small cast."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url

from analysis import sentiment
from feedback_app.app import create_app
from feedback_app.services import register
from feedback_app.storage.database import Database
from tests.builders import Chain, lay_chain, open_chain, sign_in_as
from tests.postgres import Server, postgres_server
from tests.serving import server_of

__all__ = ["postgres_server"]

TEMPLATE = "otklik_template"


@pytest.fixture(autouse=True)
def shipped_model() -> Iterator[None]:
    """No chain's own sentiment model outlives its test."""
    yield
    sentiment.use(None)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain of three stores with its people and forms, and no responses yet."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    db = Database(f"sqlite:///{path}")
    lay_chain(db)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> Server:
    """The same chain as a template database in a real PostgreSQL."""
    db = Database(postgres_server.create_database(TEMPLATE))
    lay_chain(db)
    db.close()
    return postgres_server


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A chain of its own in SQLite."""
    path = tmp_path / "otklik.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A chain of its own, once in SQLite and once in PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: Server = request.getfixturevalue("postgres_template")
    name = f"chain_{abs(hash(str(tmp_path)))}"
    yield server.create_database(name, template=TEMPLATE)
    server.drop_database(name)


@pytest.fixture
def chain(sqlite_url: str, tmp_path: Path) -> Iterator[Chain]:
    """A chain in SQLite with its cast."""
    db = Database(sqlite_url)
    register.use(db, "the tests' key", tmp_path)
    yield open_chain(db)
    db.close()


@pytest.fixture
def any_chain(database_url: str, tmp_path: Path) -> Iterator[Chain]:
    """A chain with its cast, once in SQLite and once in PostgreSQL."""
    db = Database(make_url(database_url))
    register.use(db, "the tests' key", tmp_path)
    yield open_chain(db)
    db.close()


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make apps over a database; they are closed after the test."""
    made: list[Flask] = []

    def make(url: str, **config: object) -> Flask:
        settings = {"OTKLIK_INSTANCE": str(tmp_path / "instance"), "OTKLIK_RATE_LIMITS": "off", "TESTING": True}
        made.append(create_app({**settings, "OTKLIK_DATABASE_URL": url, **config}))
        return made[-1]

    yield make
    for app in made:
        app.extensions["otklik"].close()


@pytest.fixture
def app(make_app: Callable[..., Flask], sqlite_url: str) -> Flask:
    """The app over a chain in SQLite."""
    return make_app(sqlite_url)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser without JavaScript."""
    return app.test_client()


@pytest.fixture
def app_chain(app: Flask) -> Chain:
    """The cast of the app's chain."""
    return open_chain(app.extensions["otklik"])


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], FlaskClient]:
    """Sign somebody of the cast in, by role, and return the browser."""
    return lambda role: sign_in_as(app.test_client(), role)


@dataclass(frozen=True)
class LiveServer:
    """The app behind a real port."""

    base_url: str
    app: Flask
    chain: Chain

    @property
    def db(self) -> Database:
        """The app's database."""
        found: Database = self.app.extensions["otklik"]
        return found


@pytest.fixture
def live_server(app: Flask) -> Iterator[LiveServer]:
    """The app served over HTTP on a free port of this machine."""
    app.config["TESTING"] = False
    server = server_of(app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield LiveServer(f"http://127.0.0.1:{server.server_port}", app, open_chain(app.extensions["otklik"]))
    server.shutdown()
    thread.join()
    server.server_close()
