"""A real `otklik serve` in a process of its own, that can be stopped, killed and started again at its port."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.services.counting import verify
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Response
from tests.builders import Chain, open_chain
from tests.serving import free_port

CHECKOUT = Path(__file__).parents[3]
OTKLIK = str(Path(sys.executable).with_name("otklik"))
START_SECONDS = 60


class Server:
    """The program over a database in a folder; `code` is the checkout whose program it is."""

    def __init__(self, folder: Path, database: Path, code: Path = CHECKOUT) -> None:
        self.folder, self.code = folder, code
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "otklik.db"
        shutil.copy(database, self.database)
        self.url = f"sqlite:///{self.database}"
        self.port = free_port()
        self.kills = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._db: Database | None = None

    @property
    def db(self) -> Database:
        """Its database, seen from outside."""
        self._db = self._db or Database(self.url)
        return self._db

    @property
    def chain(self) -> Chain:
        """The cast of its chain."""
        return open_chain(self.db)

    @property
    def running(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    def start(self) -> None:
        """Serve, and return once it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Begin to serve."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTKLIK_")}
        settings = {
            "OTKLIK_INSTANCE": str(self.folder),
            "OTKLIK_DATABASE_URL": self.url,
            "OTKLIK_RATE_LIMITS": "off",
            "PYTHONPATH": str(self.code),
        }
        command = [OTKLIK, "serve", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**kept, **settings},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return once it answers."""
        assert self._process is not None
        end = monotonic() + START_SECONDS
        while not self.answers():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert monotonic() < end, (self.folder / "server.log").read_text()
            sleep(0.05)

    def answers(self) -> bool:
        """Whether it serves."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does: it finishes nothing."""
        self.kills += 1
        self._end(signal.SIGKILL)

    def _end(self, what: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # The group is its own: kill -9 meets all of it at the same moment.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, what)
        process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        self._wait_for_the_port()

    def _wait_for_the_port(self) -> None:
        end = monotonic() + START_SECONDS
        while monotonic() < end:
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", self.port))
                return
            sleep(0.05)

    def close(self) -> None:
        """End it and leave its database."""
        self._end(signal.SIGKILL)
        if self._db is not None:
            self._db.close()

    def responses(self, wanted: Iterable[str] | None = None) -> list[Response]:
        """Return the responses that the database holds, or those of the wanted ids."""
        with self.db.read(SYSTEM) as session:
            found = list(session.scalars(sa.select(Response).order_by(Response.id)))
        if wanted is None:
            return found
        ids = set(wanted)
        return [one for one in found if str(one.id) in ids]

    def stored(self) -> set[str]:
        """Return the ids of all responses."""
        with self.db.read(SYSTEM) as session:
            return {str(one) for one in session.scalars(sa.select(Response.id))}

    def rollups_are_true(self) -> bool:
        """Whether the counts equal a recount."""
        return verify(self.db) == []
