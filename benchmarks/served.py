"""Servers to measure: the product as `otklik serve` starts it, over a chain with its ground laid, and the bare one."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import sqlalchemy as sa
from argon2 import PasswordHasher

from benchmarks.load import Place
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.responses import PointForm
from feedback_app.services import catalogue, counting, demo, demo_ground
from feedback_app.services.chain import CHAIN
from feedback_app.storage import house, migrate
from feedback_app.storage.database import Database

STORES = 12
DEVICES = 2
"""Devices at each of the five points of a store."""
OTKLIK = str(Path(sys.executable).with_name("otklik"))
ROOT = Path(__file__).resolve().parent.parent


class Served:
    """A running server."""

    def __init__(self, command: Sequence[str], port: int, environment: dict[str, str], log: Path) -> None:
        self.port = port
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, str(port)], env=environment, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
            )
        self._log = log
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                self._settle()
                return
        raise RuntimeError(f"the server did not start:\n{self._log.read_text(errors='replace')}")

    def _settle(self) -> None:
        """Wait until what loads in the background is there: it is no part of the figures."""
        for _ in range(120):
            before = self.cpu()
            time.sleep(0.5)
            if self.cpu() - before < 0.05:
                return

    def cpu(self) -> float:
        """Return the processor time used so far, in seconds."""
        ticks = 0
        for number in _family(self._process.pid):
            parts = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            ticks += int(parts[11]) + int(parts[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End the server and its workers."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def memory(self) -> float:
        """Return the resident memory of the serving process in MB: of the largest one of the server."""
        return max(resident(number) for number in _family(self._process.pid))


def _family(first: int) -> list[int]:
    found = [first]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(parts[1]) == first:
            found.append(int(path.parent.name))
    return found


def resident(number: int) -> float:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{number}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def free_port() -> int:
    """Return a port that nobody serves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], folder: Path, name: str, **environment: str) -> Iterator[Served]:
    """Run a server until the block ends; the port is the command's last word."""
    server = Served(command, free_port(), {**os.environ, **environment}, folder / f"{name}.log")
    try:
        yield server
    finally:
        server.stop()


def bare(folder: Path) -> AbstractContextManager[Served]:
    """Run the bare server."""
    return running([sys.executable, "-m", "benchmarks.bare"], folder, "bare")


def product(
    folder: Path, url: str, name: str = "product", command: Sequence[str] = (OTKLIK, "serve", "--port")
) -> AbstractContextManager[Served]:
    """Run the product over a database, without limits."""
    settings = {"OTKLIK_INSTANCE": str(folder), "OTKLIK_DATABASE_URL": url, "OTKLIK_RATE_LIMITS": "off"}
    return running(command, folder, name, **settings)


def lay(url: str) -> list[Place]:
    """Lay the ground of a demo chain and pair a device with each collection point; return where to send to."""
    db = Database(url)
    migrate.upgrade(db)
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(demo.PASSWORD)

    def work(connection: sa.Connection) -> demo_ground.Ground:
        house.put_setting(connection, CHAIN, {"demo": True, "whole": True})
        return demo_ground.lay_ground(connection, STORES, hashed, random.Random(7))

    ground = db.write(work)
    places = [
        _pair(db, code, key, at)
        for _ in range(DEVICES)
        for (code, channel, key), at in ground.points.items()
        if channel == "button"
    ]
    db.close()
    return places


def _pair(db: Database, code: str, key: str, at: PointForm) -> Place:
    token = catalogue.create_device(db, SYSTEM, code, key)
    question = next(at.form.questions())
    return Place(token, at.token, at.version, question.key, 5 if question.type == "smiley5" else 4)


def verified(url: str, expected: int) -> None:
    """Raise where the database holds other than these responses, or its rollups tell other than a recount."""
    db = Database(url)
    try:
        held, wrong = counting.responses_in_all(db), counting.verify(db)
    finally:
        db.close()
    if held != expected or wrong:
        raise AssertionError(f"{expected} were stored, {held} are there; {len(wrong)} rollups differ: {wrong[:3]}")
