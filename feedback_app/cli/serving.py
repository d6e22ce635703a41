"""Commands that run: serve, worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import click

from feedback_app.cli import common

if TYPE_CHECKING:
    from flask import Flask

THREADS = 16
BACKLOG = 1024
START_SECONDS = 60
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let this process be killed when its parent dies, by kill -9 too, so that no half server keeps the port."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415  (start-up time of --help)

    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def serving_app() -> Flask:
    """Return the app of a serving process, with the outbox's runner beside it; granian calls this in its worker."""
    end_with_parent()
    from analysis.sentiment import warm_up  # noqa: PLC0415  (start-up time of --help)
    from feedback_app import config  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.app import create_app  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.jobs import Runner  # noqa: PLC0415  (start-up time of --help)

    app = create_app()
    Runner(app, config.load()).start()
    threading.Thread(target=warm_up, name="otklik-warm-up", daemon=True).start()
    return app


def _address(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _require_free(host: str, port: int) -> None:
    """End the command where somebody serves the port: the kernel would split the visitors between the two."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"{host}:{port}: {error.strerror}. Choose another with --port.") from error


def _say_when_listening(host: str, port: int, words: str) -> None:
    """Print `words` once the port takes connections; give up quietly after a minute."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared, not bound)
    for _ in range(START_SECONDS * 20):
        try:
            socket.create_connection((reachable, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            click.echo(words)
            sys.stdout.flush()
            return


def _announcement(address: str) -> str:
    """Return what is said once the server listens: its address, and in a demo what to open and how to sign in."""
    from feedback_app.services import chain, demo, demo_ground  # noqa: PLC0415  (start-up time of --help)

    lines = [f"Otklik {common.version()} serves {address}"]
    with common.database() as database:
        if chain.is_demo(database):
            opened = [f"  {what:<28} {address}{path}" for what, path in demo.places_to_open(database)]
            people = [f"  {role:<28} {email}" for role, email in demo_ground.SIGN_INS]
            lines += ["", "Open:", *opened, "", f"Sign in (password {demo.PASSWORD}):", *people]
            lines += ["", "Stop with Ctrl+C."]
    return "\n".join(lines)


def _check(host: str, workers: int, sqlite: bool) -> None:
    if workers > 1 and sqlite:
        raise click.ClickException(
            "More than one worker needs PostgreSQL: SQLite is fast with one writing process and slow with two."
        )
    settings = common.settings()
    if host not in LOOPBACK and not settings.https:
        click.echo("Warning: plain http beyond this machine. Kiosks work offline on https alone.", err=True)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
def serve(host: str, port: int, workers: int) -> None:
    """Serve in the foreground until Ctrl+C or SIGTERM."""
    from granian import Granian  # noqa: PLC0415  (start-up time of --help)
    from granian.constants import Interfaces  # noqa: PLC0415  (start-up time of --help)
    from granian.log import LogLevels  # noqa: PLC0415  (start-up time of --help)

    with common.database() as database:
        _check(host, workers, database.is_sqlite)
    _require_free(host, port)
    # A fork would copy the locks that the announcing thread holds at that moment, and never see them opened.
    multiprocessing.set_start_method("spawn", force=True)
    words = _announcement(_address(host, port))
    threading.Thread(target=_say_when_listening, args=(host, port, words), daemon=True).start()
    options: dict[str, Any] = {"blocking_threads": THREADS, "backlog": BACKLOG, "log_level": LogLevels.error}
    server = Granian(
        "feedback_app.cli.serving:serving_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        factory=True,
        workers_kill_timeout=8,
        **options,
    )
    server.serve()


@click.command()
def worker() -> None:
    """Run the jobs (letters) apart from serve, until Ctrl+C or SIGTERM."""
    from feedback_app import config  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.app import create_app  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.jobs import Runner  # noqa: PLC0415  (start-up time of --help)

    with common.database():
        pass
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    runner = Runner(create_app(), config.load())
    runner.start()
    click.echo("The worker runs the outbox. Stop with Ctrl+C.")
    ended.wait()
    runner.stop()
