"""The example for wired buttons: each press arrives once, whatever happens to the line and the plug."""

from __future__ import annotations

import ast
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.storage.tables import Heartbeat, Response
from tests.browser.chromium import until
from tests.conftest import LiveServer

CLIENT = Path(__file__).parents[2] / "docs" / "examples" / "buttons.py"
NOWHERE = "http://127.0.0.1:9"
Press = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return tmp_path / "box.db"


@pytest.fixture
def press(box: Path, tmp_path: Path, live_server: LiveServer) -> Press:
    """Press buttons and let the program end."""
    token = tmp_path / "token"
    token.write_text(live_server.chain.device() + "\n")

    def run(*keys: object, at: str = live_server.base_url, linger: float = 20) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(CLIENT), at, "--box", str(box), "--linger", str(linger)],
            input="".join(f"{key}\n" for key in keys),
            env={"OTKLIK_TOKEN_FILE": str(token), "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    return run


def stored(server: LiveServer) -> list[Any]:
    with server.chain.db.read(SYSTEM) as session:
        return list(session.scalars(sa.select(Response).order_by(Response.sequence)))


def beats(server: LiveServer) -> list[Any]:
    with server.chain.db.read(SYSTEM) as session:
        return list(session.scalars(sa.select(Heartbeat)))


def rows(box: Path) -> list[Any]:
    with closing(sqlite3.connect(box)) as connection:
        return connection.execute("SELECT id, level, refused FROM presses ORDER BY sequence").fetchall()


class Stranger(BaseHTTPRequestHandler):
    """Passes on to the real server, but for what it is told to spoil."""

    behind = ""
    spoil: Callable[[Stranger, bytes], bool]
    times = 0

    def do_GET(self) -> None:
        self.pass_on(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not type(self).spoil(self, body):
            self.pass_on(body)

    def pass_on(self, body: bytes | None) -> None:
        status, answer = self.ask_behind(body)
        self.say(status, answer, "application/json")

    def ask_behind(self, body: bytes | None) -> tuple[int, bytes]:
        request = Request(self.behind + self.path, body, dict(self.headers))
        try:
            with urlopen(request) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def say(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def between(live_server: LiveServer) -> Iterator[Callable[[Any], str]]:
    """Put something between the buttons and the server; returns its address."""
    opened = []

    def put(spoil: Any) -> str:
        kind = type("Between", (Stranger,), {"behind": live_server.base_url, "spoil": spoil, "times": 0})
        server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        opened.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield put
    for server in opened:
        server.shutdown()
        server.server_close()


def test_presses_are_thanked_and_arrive(press: Press, live_server: LiveServer, box: Path) -> None:
    done = press(4, 1, 4)
    assert done.stdout.split("\n")[:3] == ["thanks 4", "thanks 1", "thanks 4"]
    found = stored(live_server)
    assert [response.answers["smiley"] for response in found] == [4, 1, 4]
    assert [response.sequence for response in found] == [1, 2, 3]
    assert {response.channel for response in found} == {"button"}
    assert all(UUID(str(response.id)).version == 7 for response in found)
    assert rows(box) == []


def test_the_buttons_stand_among_the_kiosks_with_their_number(live_server: LiveServer, box: Path) -> None:
    command = [sys.executable, str(CLIENT), live_server.base_url, "--box", str(box)]
    settings = {"OTKLIK_TOKEN": live_server.chain.device(), "PYTHONUTF8": "1"}
    with subprocess.Popen(command, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin
        running.stdin.write("4\n2\n")
        running.stdin.flush()
        told = until(lambda: beats(live_server), what="a heartbeat")
        running.stdin.close()
    assert told[-1].sequence in (0, 1, 2)
    assert told[-1].boot_id


def test_what_was_pressed_without_a_network_outlives_restarts_and_arrives_once(
    press: Press, live_server: LiveServer, box: Path
) -> None:
    # The form is not known yet at the first presses.
    assert press(1, 2, at=NOWHERE, linger=0.2).stdout.count("thanks") == 2
    press(3, at=NOWHERE, linger=0.2)
    kept = rows(box)
    press(4)
    press()
    found = stored(live_server)
    assert [response.answers["smiley"] for response in found] == [1, 2, 3, 4]
    assert [str(response.id) for response in found[:3]] == [own for own, _, _ in kept]
    assert rows(box) == []


def test_an_answer_lost_after_the_commit_makes_no_second_response(
    press: Press, live_server: LiveServer, between: Any, box: Path
) -> None:
    def lose_the_first(stranger: Stranger, body: bytes) -> bool:
        if type(stranger).times:
            return False
        type(stranger).times = 1
        stranger.ask_behind(body)
        stranger.close_connection = True
        return True

    press(4, at=between(lose_the_first))
    assert [response.answers["smiley"] for response in stored(live_server)] == [4]
    assert rows(box) == []


@pytest.mark.parametrize(
    ("status", "body", "kind", "headers"),
    [
        (200, b"<!doctype html>Pay for your line", "text/html", {}),
        (200, b"{}", "application/json", {}),
        (302, b"", "text/html", {"Location": "/login"}),
        (429, b"{}", "application/json", {"Retry_After": "1"}),
        (401, b'{"error":"unauthorized"}', "application/json", {}),
        (413, b"", "text/html", {}),
        (500, b"", "text/html", {}),
        (503, b"", "text/html", {}),
    ],
)
def test_no_other_answer_takes_a_press_away(
    press: Press, live_server: LiveServer, between: Any, box: Path, status: int, body: bytes, kind: str, headers: Any
) -> None:
    def say_so(stranger: Stranger, _body: bytes) -> bool:
        stranger.say(status, body, kind, **headers)
        return True

    press(4, 2, at=between(say_so), linger=1.5)
    assert [(level, refused) for _, level, refused in rows(box)] == [(4, None), (2, None)]
    press()
    assert sorted(response.answers["smiley"] for response in stored(live_server)) == [2, 4]


def test_a_press_the_server_refuses_is_set_aside_and_holds_up_nothing(
    press: Press, live_server: LiveServer, box: Path
) -> None:
    press(1, at=NOWHERE, linger=0)
    with closing(sqlite3.connect(box)) as connection, connection:
        connection.execute("UPDATE presses SET level = 77")
    press(2, 3)
    assert [response.answers["smiley"] for response in stored(live_server)] == [2, 3]
    [(_, level, refused)] = rows(box)
    assert (level, bool(refused)) == (77, True)


def test_one_press_that_a_batch_stumbles_over_lets_the_others_go(
    press: Press, live_server: LiveServer, between: Any, box: Path
) -> None:
    def stumble(stranger: Stranger, body: bytes) -> bool:
        bad = any(item["answers"] == {"smiley": 1} for item in json.loads(body)["responses"])
        if bad:
            stranger.say(500, b"", "text/html")
        return bad

    press(2, 3, 1, 4, 4, at=between(stumble), linger=8)
    assert sorted(response.answers["smiley"] for response in stored(live_server)) == [2, 3, 4, 4]
    assert [level for _, level, _ in rows(box)] == [1]


def test_a_button_the_form_does_not_have_is_not_thanked(press: Press, live_server: LiveServer) -> None:
    press(4)
    done = press(5, "x", "")
    assert "thanks" not in done.stdout
    assert done.stderr.count("no such button") == 3
    assert len(stored(live_server)) == 1


def test_it_needs_nothing_but_an_old_python() -> None:
    tree = ast.parse(CLIENT.read_text(encoding="utf-8"), feature_version=(3, 9))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
