"""A power cut while twenty write into one book: no gap, no double, nothing lost that was receipted, the chain whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from feedback_app.services import register
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookEntry

RECEIPTS = 150
WRITERS = """
import sys, threading
from pathlib import Path
from uuid import uuid4
from feedback_app.services import book, preparing, register
from feedback_app.storage.database import Database

db = Database(sys.argv[1])
register.use(db, "the tests' key", Path(sys.argv[2]))
speaking = threading.Lock()

def write():
    while True:
        entry_id = uuid4()
        receipt = book.write_entry(db, "001", {"kind": "claim", "text": "Верните деньги"}, entry_id, "ru")
        with speaking:
            print(entry_id, receipt.number, flush=True)

preparing.analyse_words = lambda _items, own=None: ({}, {})  # reading the words is not what is killed here
for _ in range(20):
    threading.Thread(target=write, daemon=True).start()
threading.Event().wait()
"""


def killed(url: str, folder: Path) -> dict[str, int]:
    """Let twenty threads of a process write, kill it, and return the numbers that it gave receipts for, by entry."""
    command = [sys.executable, "-c", WRITERS, url, str(folder)]
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    receipts = {}
    try:
        while len(receipts) < RECEIPTS:
            entry_id, number = process.stdout.readline().split()
            receipts[entry_id] = int(number)
        os.killpg(process.pid, signal.SIGKILL)
        # What it said before its end counts too; the last line may be cut off.
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                receipts[line.split()[0]] = int(line.split()[1])
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()
    return receipts


def test_a_kill_leaves_no_gap_no_double_and_every_receipted_entry(sqlite_url: str, tmp_path: Path) -> None:
    receipts: dict[str, int] = {}
    for _ in range(2):
        receipts |= killed(sqlite_url, tmp_path)
    db = Database(sqlite_url)
    register.use(db, "the tests' key", tmp_path)
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(BookEntry.id, BookEntry.number).order_by(BookEntry.number)).all()
    numbers = {str(row.id): row.number for row in rows}
    assert sorted(numbers.values()) == list(range(1, len(rows) + 1))
    assert receipts.items() <= numbers.items()
    verified = register.verify(db)
    assert (verified.findings, verified.entries, verified.links) == ((), len(rows), 2 * len(rows))
    db.close()
