#!/usr/bin/env python3
"""Smiley buttons wired to a small computer, as a device of Otklik.

One file, the standard library alone, Python 3.9 or newer. It reads presses from standard input, one a line: 1 is the
worst smiley, 4 or 5 the best. Each press is on disk before it says thanks; a thread brings the presses to the server
and waits as long as it must. Whatever reads your pins writes such lines:

    read_my_pins | OTKLIK_TOKEN_FILE=/etc/otklik/token python3 buttons.py https://otklik.example.com

The token comes from `otklik device create --store 001 --touchpoint checkout`. By hand: type 4 and Enter.
"""

# ruff: noqa: T201, S310, UP017 -- speaks to a terminal, calls the address it is given, runs on Python 3.9

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import secrets
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

BATCH = 100
TIMEOUT = 8.0
LEAST_WAIT = 0.5
MOST_WAIT = 60.0
LONGEST_WAIT = 600.0
FORM_EVERY = 3_600.0
BEAT_EVERY = 300.0
BOOT = str(uuid.uuid4())
"""Names this run: the server reads `monotonic_ms` of one run against each other and needs no right clock."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS presses (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    level INTEGER NOT NULL,
    occurred_at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    monotonic_ms INTEGER NOT NULL,
    point TEXT,
    form_version INTEGER,
    question TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    refused TEXT
);
CREATE TABLE IF NOT EXISTS form (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    point TEXT NOT NULL,
    form_version INTEGER NOT NULL,
    question TEXT NOT NULL,
    levels INTEGER NOT NULL
);
"""


def uuid7() -> str:
    """Return a UUID of version 7 (RFC 9562): by it the server knows a press that it gets twice."""
    number = max(0, int(time.time() * 1000)) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))


def clock() -> dict[str, Any]:
    """Return what this computer's clocks show."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"now": now, "boot_id": BOOT, "monotonic_ms": int(time.monotonic() * 1000)}


class Box:
    """The presses that the server has not confirmed, in a file that outlives a pulled plug."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(SCHEMA)

    def form(self) -> Any:
        """Return the form that presses answer, as it was learnt last; None before the first time."""
        return self._connection.execute("SELECT * FROM form").fetchone()

    def learn(self, point: str, version: int, question: str, levels: int) -> None:
        """Keep the form; presses from before anything was known become answers to it."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("REPLACE INTO form VALUES (1, ?, ?, ?, ?)", (point, version, question, levels))
            self._connection.execute(
                "UPDATE presses SET point = ?, form_version = ?, question = ? WHERE point IS NULL",
                (point, version, question),
            )

    def keep(self, level: int) -> bool:
        """Keep a press; it is on disk when this returns. False for a smiley that the form does not have."""
        form = self.form()
        if form and level > form["levels"]:
            return False
        known = (form["point"], form["form_version"], form["question"]) if form else (None, None, None)
        shown = clock()
        self._connection.execute(
            "INSERT INTO presses (id, level, occurred_at, boot_id, monotonic_ms, point, form_version, question)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (uuid7(), level, shown["now"], shown["boot_id"], shown["monotonic_ms"], *known),
        )
        return True

    def waiting(self, limit: int) -> list[Any]:
        """Return the oldest presses that can go, those that the server stumbled over last."""
        query = "SELECT * FROM presses WHERE refused IS NULL AND point IS NOT NULL ORDER BY tries, sequence LIMIT ?"
        return self._connection.execute(query, (limit,)).fetchall()

    def count(self) -> int:
        """Return how many presses wait for the server."""
        return int(self._connection.execute("SELECT count(*) FROM presses WHERE refused IS NULL").fetchone()[0])

    def state(self) -> dict[str, Any]:
        """Return what a heartbeat tells of the presses that wait, that were refused, and that there ever were."""
        waiting = "SELECT count(*), min(occurred_at) FROM presses WHERE refused IS NULL"
        length, oldest = self._connection.execute(waiting).fetchone()
        refused = self._connection.execute("SELECT count(*) FROM presses WHERE refused IS NOT NULL").fetchone()[0]
        given = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'presses'").fetchone()
        return {
            "queue_length": length,
            "oldest_queued_at": oldest,
            "quarantined": refused,
            "sequence": given[0] if given else 0,
        }

    def settle(self, results: list[dict[str, Any]]) -> None:
        """Forget what the server has; set aside what it refused."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for result in results:
                if result["status"] == "rejected":
                    why = str(result.get("error"))
                    self._connection.execute("UPDATE presses SET refused = ? WHERE id = ?", (why, result["id"]))
                else:
                    self._connection.execute("DELETE FROM presses WHERE id = ?", (result["id"],))

    def tried(self, press: Any) -> None:
        """Let the others go before a press that the server stumbled over."""
        self._connection.execute("UPDATE presses SET tries = tries + 1 WHERE id = ?", (press["id"],))


def item_of(press: Any) -> dict[str, Any]:
    """Return a press as the server takes it."""
    kept = ("id", "point", "form_version", "occurred_at", "boot_id", "monotonic_ms", "sequence")
    return {**{name: press[name] for name in kept}, "answers": {press["question"]: press["level"]}}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is the sign-in page of a network, never our server."""

    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        return None


class Server:
    """The server's API, as far as buttons need it."""

    def __init__(self, address: str, token: str) -> None:
        self._api = f"{address.rstrip('/')}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._open = urllib.request.build_opener(_NoRedirect).open

    def ask(self, path: str, body: Any = None) -> tuple[int, Any, Any]:
        """Return status, JSON (None where the answer is none of ours) and headers; status 0 without an answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._api + path, data, self._headers)
        try:
            with self._open(request, timeout=TIMEOUT) as answer:
                return answer.status, _json(answer), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _json(error), error.headers
        except (OSError, http.client.HTTPException):
            return 0, None, {}


def _json(answer: Any) -> Any:
    try:
        return json.loads(answer.read()) if "json" in answer.headers.get("Content-Type", "") else None
    except (ValueError, OSError, http.client.HTTPException):
        return None


class Sender(threading.Thread):
    """Brings the presses to the server, in batches and with patience."""

    def __init__(self, path: str, server: Server, point: str | None) -> None:
        super().__init__(daemon=True)
        self.pressed = threading.Event()
        self._path, self._server, self._point = path, server, point
        self._failures = 0
        self._size = BATCH
        self._formed_at: float | None = None
        self._beat_at: float | None = None

    def run(self) -> None:
        """Send until the program ends."""
        self._box = Box(self._path)
        while True:
            self.pressed.clear()
            wait = self._learn_form() or self._send()
            if wait is None:
                # Nothing left: until the next press, or the next heartbeat.
                self._beat()
                self.pressed.wait(BEAT_EVERY)
            else:
                time.sleep(wait)

    def _back_off(self) -> float:
        self._failures += 1
        whole = min(MOST_WAIT, LEAST_WAIT * 2 ** min(self._failures, 10))
        return max(LEAST_WAIT, whole * (0.5 + random.random() / 2))

    def _refusal(self, status: int, headers: Any) -> float:
        """Return how long to wait after an answer that takes nothing."""
        if status == 401:
            say("the server does not know this device's token, or it was revoked; presses are kept")
            return MOST_WAIT
        if status == 429:
            asked = str(headers.get("Retry-After", ""))
            least = float(asked) if asked.isdigit() else 1.0
            return min(LONGEST_WAIT, max(LEAST_WAIT, least)) * (1 + random.random() / 4)
        return self._back_off()

    def _beat(self) -> None:
        """Tell the server how it is, where five minutes have gone by; one that is lost is told with the next."""
        now = time.monotonic()
        if self._beat_at is not None and now - self._beat_at < BEAT_EVERY:
            return
        self._beat_at = now
        shown = clock()
        self._server.ask("/device/heartbeat", {"sent_at": shown.pop("now"), **shown, **self._box.state()})

    def _learn_form(self) -> float | None:
        """Ask which form stands at the point; return a wait only where nothing can be sent without the answer."""
        now = time.monotonic()
        if self._formed_at is not None and now - self._formed_at < FORM_EVERY:
            return None
        status, answer, headers = self._server.ask("/device")
        form = form_of(answer, self._point) if status == 200 else None
        if form:
            self._box.learn(*form)
            self._formed_at = now
            return None
        if status == 200 and answer is not None:
            say("the device has no such point with a form of smileys")
        return None if self._box.form() else self._refusal(status, headers)

    def _send(self) -> float | None:
        """Send one batch; return how long to wait before the next, None when nothing waits."""
        presses = self._box.waiting(self._size)
        if not presses:
            return None
        shown = clock()
        body = {"sent_at": shown.pop("now"), **shown, "responses": [item_of(press) for press in presses]}
        status, answer, headers = self._server.ask("/responses", body)
        results = answered(answer, {press["id"] for press in presses}) if status == 200 else []
        if results:
            self._box.settle(results)
            self._failures = 0
            self._size = min(BATCH, self._size * 2)
            return 0.0
        ours = answer is not None
        if status == 413 or status == 500 or (status == 400 and ours):
            if len(presses) > 1:
                # Something in it is bad, or it is too much at once: half of it shows.
                self._size = len(presses) // 2
                return 0.0
            if ours and status != 500:
                self._box.settle([{"id": presses[0]["id"], "status": "rejected", "error": "body"}])
                return 0.0
            self._box.tried(presses[0])
        return self._refusal(status, headers)


def answered(answer: Any, asked: set[str]) -> list[dict[str, Any]]:
    """Return the server's words on the presses sent; empty for an answer that is none of ours."""
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list):
        return []
    known = ("stored", "duplicate", "rejected")
    return [one for one in results if isinstance(one, dict) and one.get("id") in asked and one.get("status") in known]


def form_of(answer: Any, point: str | None) -> tuple[str, int, str, int] | None:
    """Return point, form version, key of the first question of smileys and how many it has."""
    for one in answer.get("points", []) if isinstance(answer, dict) else []:
        if point in (None, one["token"]) and one.get("form"):
            for question in one["form"]["questions"]:
                if question["type"] in ("smiley4", "smiley5"):
                    return one["token"], one["form"]["version"], question["key"], int(question["type"][-1])
    return None


def say(text: str) -> None:
    """Tell whoever looks at this computer's log."""
    print(text, file=sys.stderr, flush=True)


def thank(level: int) -> None:
    """Thank for a press: let your lamp blink here."""
    print(f"thanks {level}", flush=True)


def read_token() -> str:
    """Return the device token, from the file or the environment."""
    path = os.environ.get("OTKLIK_TOKEN_FILE")
    token = Path(path).read_text(encoding="utf-8") if path else os.environ.get("OTKLIK_TOKEN", "")
    if not token.strip():
        sys.exit("Set OTKLIK_TOKEN_FILE or OTKLIK_TOKEN to the device token.")
    return token.strip()


def main() -> None:
    """Read presses until the input ends, then give the sender a little time for what is left."""
    parser = argparse.ArgumentParser(description="Send presses of smiley buttons to Otklik.")
    parser.add_argument("address", help="of the server, for example https://otklik.example.com")
    parser.add_argument("--box", default="otklik-buttons.db", help="the file that keeps presses (default: %(default)s)")
    parser.add_argument("--point", help="token of the collection point, where the device has several")
    parser.add_argument("--linger", type=float, default=10, help="seconds to go on sending after the input has ended")
    given = parser.parse_args()
    box = Box(given.box)
    sender = Sender(given.box, Server(given.address, read_token()), given.point)
    sender.start()
    for line in sys.stdin:
        pressed = line.strip()
        if pressed not in ("1", "2", "3", "4", "5") or not box.keep(int(pressed)):
            say(f"no such button: {pressed[:20]}")
            continue
        thank(int(pressed))
        sender.pressed.set()
    end = time.monotonic() + given.linger
    while box.count() and time.monotonic() < end:
        time.sleep(0.05)
    if left := box.count():
        say(f"{left} presses wait for the server; the next start goes on with them")


if __name__ == "__main__":
    main()
