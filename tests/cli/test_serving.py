"""The server at the terminal: it answers, ends when it is told to, and leaves no process behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.services import counting
from feedback_app.services.clock import now
from feedback_app.services.letters import LETTER
from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Job
from tests.builders import open_chain
from tests.cli.served import Start, announced, free_port, get, group, is_free, wait_until_gone, wait_until_up
from tests.services.mailbox import Mailbox, mail_server


def test_the_server_answers_keeps_what_it_said_to_keep_and_ends_within_ten_seconds(
    start: Start, sqlite_url: str
) -> None:
    port = free_port()
    server = start("serve", "--port", port)
    wait_until_up(port, server)
    for path in ("/healthz", "/readyz"):
        status, raw = get(port, path)
        assert (status, json.loads(raw)["status"]) == (200, "ok")
        assert json.loads(raw)["version"]
    db = Database(sqlite_url)
    chain = open_chain(db)
    body = json.dumps({"responses": [chain.item() for _ in range(10)]}).encode()
    request = Request(f"http://127.0.0.1:{port}/api/v1/responses", body, {"Authorization": f"Bearer {chain.token()}"})
    with urlopen(request, timeout=10) as answer:
        assert {result["status"] for result in json.loads(answer.read())["results"]} == {"stored"}
    assert len(group(server.pid)) > 1
    told = announced(server)
    assert f"http://127.0.0.1:{port}" in told
    assert "director@otklik.example" in told
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait(10) == 0
    assert wait_until_gone(server.pid, 2) == set()
    assert is_free(port)
    assert counting.responses_in_all(db) == 10
    assert counting.verify(db) == []
    db.close()
    assert server.stdout is not None
    assert "Traceback" not in server.stdout.read()


def test_kill_nine_of_the_server_ends_its_children_and_frees_the_port(start: Start) -> None:
    port = free_port()
    server = start("serve", "--port", port)
    wait_until_up(port, server)
    assert len(group(server.pid)) > 1
    os.kill(server.pid, signal.SIGKILL)
    server.wait(5)
    assert wait_until_gone(server.pid, 10) == set()
    assert is_free(port)


def test_kill_nine_of_the_server_leaves_no_worker_that_was_just_being_started(start: Start) -> None:
    port = free_port()
    server = start("serve", "--port", port)
    until(lambda: len(group(server.pid)) > 1, server)
    os.kill(server.pid, signal.SIGKILL)
    server.wait(5)
    assert wait_until_gone(server.pid, 20) == set()
    assert is_free(port)


def test_a_second_server_on_the_same_port_is_refused_in_words(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = start("serve", "--port", taken.getsockname()[1])
        assert second.wait(60) == 1
    told = second.stdout.read() if second.stdout else ""
    assert "--port" in told
    assert "Traceback" not in told


def test_the_worker_runs_until_it_is_told_to_end(start: Start) -> None:
    worker = start("worker")
    assert worker.stdout is not None
    assert "outbox" in worker.stdout.readline()
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(10) == 0
    assert wait_until_gone(worker.pid, 2) == set()


class SlowMailbox(Mailbox):
    """A mail server that takes its time over each letter."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(1)
        return await super().handle_DATA(server, session, envelope)


def test_a_server_told_to_end_finishes_the_letter_in_hand_and_begins_no_other(
    start: Start, environment: dict[str, str], sqlite_url: str
) -> None:
    db, mailbox, mail_port, port = Database(sqlite_url), SlowMailbox(), free_port(), free_port()
    environment["OTKLIK_SMTP_URL"] = f"smtp://127.0.0.1:{mail_port}"
    values = {"store": "001", "number": 1, "year": 2026, "kind": "claim", "due_on": "2026-03-31"}
    payload = {"to": "manager@otklik.example", "language": "ru", "values": values}
    for number in range(12):
        db.write(lambda link, number=number: house.add_job(link, f"letter-{number}", LETTER, payload, now()))
    with mail_server(mailbox, mail_port):
        server = start("serve", "--port", port)
        until(lambda: mailbox.letters, server)
        os.kill(server.pid, signal.SIGTERM)
        began = time.monotonic()
        assert server.wait(10) == 0
        assert time.monotonic() - began < 6
        time.sleep(1.5)
        assert len(mailbox.letters) < 6
    with db.read(SYSTEM) as session:
        done = session.scalars(sa.select(sa.func.count()).select_from(Job).where(Job.done_at.is_not(None))).one()
    assert done == len(mailbox.letters)
    db.close()


def until(fact: Callable[[], object], server: subprocess.Popen[str]) -> None:
    give_up = time.monotonic() + 60
    while not fact():
        assert server.poll() is None, server.stdout and server.stdout.read()
        assert time.monotonic() < give_up
        time.sleep(0.05)
