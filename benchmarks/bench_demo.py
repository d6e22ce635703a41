"""How long the demo chain takes, against a bare executemany of as many rows into SQLite."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 50_000
OTKLIK = str(Path(sys.executable).with_name("otklik"))


def _bare(folder: str) -> float:
    start = time.perf_counter()
    connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE responses (id TEXT PRIMARY KEY, at TEXT, answers TEXT, comment TEXT)")
    connection.execute("BEGIN")
    rows = ((f"{number:032x}", "2026-01-01 00:00:00", '{"smiley": 4}', None) for number in range(ROWS))
    connection.executemany("INSERT INTO responses VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - start


def run() -> dict[str, float]:
    """Return seconds and the ratio of building the demo chain of the default size."""
    with tempfile.TemporaryDirectory() as folder:
        bare = _bare(folder)
        start = time.perf_counter()
        command = [OTKLIK, "demo", "--responses", str(ROWS)]
        subprocess.run(command, env={**os.environ, "OTKLIK_INSTANCE": folder}, check=True, stdout=subprocess.DEVNULL)
        taken = time.perf_counter() - start
    return {"otklik demo of 50,000 responses, s": taken, "otklik demo, of a bare executemany": taken / bare}
