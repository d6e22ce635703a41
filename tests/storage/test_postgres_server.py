"""The PostgreSQL that the tests run on is a real one, copies a template, keeps what it stored and ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.postgres import Server, start_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = start_server()
    yield running
    running.stop()


def ask(url: str, statement: str) -> object:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        answer = connection.execute(text(statement))
        return answer.scalar() if answer.returns_rows else None


def test_the_server_is_postgresql_18_in_utf8(server: Server) -> None:
    assert str(ask(server.url(), "SHOW server_version")).startswith("18")
    assert ask(server.url(), "SELECT lower('ЎЖЫТАК')") == "ўжытак"


def test_without_options_a_commit_is_on_disk(server: Server) -> None:
    assert ask(server.url(), "SHOW fsync") == "on"
    assert ask(server.url(), "SHOW synchronous_commit") == "on"


def test_a_database_made_from_a_template_holds_a_copy_of_its_own(server: Server) -> None:
    pattern = server.create_database("pattern")
    ask(pattern, "CREATE TABLE taps AS SELECT 4 AS answer")
    copy = server.create_database("copy", template="pattern")
    ask(copy, "INSERT INTO taps VALUES (1)")
    assert ask(copy, "SELECT count(*) FROM taps") == 2
    assert ask(pattern, "SELECT count(*) FROM taps") == 1


def test_a_dropped_database_is_gone_even_while_somebody_is_connected(server: Server) -> None:
    url = server.create_database("short_lived")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect():
        server.drop_database("short_lived")
    with pytest.raises(OperationalError, match="does not exist"):
        ask(url, "SELECT 1")


def test_a_stopped_server_leaves_no_process_and_no_folder() -> None:
    server = start_server(options=["fsync=off"])
    assert ask(server.url(), "SHOW fsync") == "off"
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    server.stop()
    assert not alive(postmaster)
    assert not server.folder.exists()
    server.stop()


def test_a_server_ends_with_the_process_that_started_it() -> None:
    script = (
        "import os; from tests.postgres import start_server; server = start_server(options=['fsync=off']);"
        "print(server.folder, flush=True); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    folder = Path(killed.stdout.strip())
    record = folder / "data" / "postmaster.pid"
    give_up = time.monotonic() + 10
    while record.exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    ended = not record.exists()
    shutil.rmtree(folder)
    assert killed.returncode == -9
    assert ended


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
