"""Commands that run: serve, worker."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from feedback_app.cli import common

if TYPE_CHECKING:
    from flask import Flask

    from feedback_app.cli.certificates import Pair
    from feedback_app.cli.server import Server
    from feedback_app.config import Settings

START_SECONDS = 60
SWITCH_SECONDS = 0.0005
"""How long a thread computes before it lets another: a tenth of Python's own, so that a page delays no tap by much."""
GC_ROUNDS = (10_000, 10, 10)
"""After how many new objects the garbage collector looks: a batch of a thousand taps alone makes more than Python's
700 a dozen times over, and none of it is garbage of the kind that it alone finds."""
SERVED_WITH = "served_with.json"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  (compared, not bound)
SECURE_COOKIES = {"SESSION_COOKIE_SECURE": True, "REMEMBER_COOKIE_SECURE": True}
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let this process be killed when its parent dies, by kill -9 too, so that no half server keeps the port."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415  (start-up time of --help)

    known = multiprocessing.parent_process()
    parent = known.pid if known else os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before this process asked to die with it
        os._exit(1)


def serving_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the app of a serving process, with the outbox's runner beside it; granian calls this in its worker."""
    end_with_parent()
    from feedback_app import config as settings  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.app import create_app  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.jobs import Runner  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.web.figures import draw_apart  # noqa: PLC0415  (start-up time of --help)

    app = create_app(config)
    draw_apart(app)
    runner = Runner(app, settings.load())
    runner.start()
    # At the end of the process the clock's own threads are waited for, with every letter that is due: the runner
    # has to hear of the end before that, and an atexit function is called after it.
    Finalize(None, runner.stop, exitpriority=0)
    sys.setswitchinterval(SWITCH_SECONDS)
    threading.Thread(target=_settle, name="otklik-warm-up", daemon=True).start()
    return app


def _settle() -> None:
    """Load the language models, then spare all that stays loaded the garbage collector's rounds."""
    from analysis.sentiment import warm_up  # noqa: PLC0415  (start-up time of --help)

    warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_ROUNDS)


def serving_app_over_tls() -> Flask:
    """Return the app of a process that speaks https itself: its cookies go over https alone, base URL or not."""
    return serving_app(SECURE_COOKIES)


def _address(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}"


def _require_free(host: str, port: int) -> None:
    """End the command where somebody serves the port: the kernel would split the visitors between the two."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"{host}:{port}: {error.strerror}. Choose another with --port.") from error


def _say_when_listening(host: str, port: int, words: str, server: Server) -> None:
    """Print `words` once the port takes connections; give up quietly after a minute."""
    began = time.monotonic()
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared, not bound)
    for _ in range(START_SECONDS * 20):
        try:
            socket.create_connection((reachable, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            server.listening_after(time.monotonic() - began)
            click.echo(words)
            sys.stdout.flush()
            return


def _announcement(address: str) -> str:
    """Return what is said once the server listens: its address, and in a demo what to open and how to sign in."""
    from feedback_app.services import chain, demo, demo_fleet, demo_ground  # noqa: PLC0415  (start-up time of --help)

    lines = [f"Otklik {common.version()} serves {address}"]
    with common.database() as database:
        if chain.is_demo(database):
            opened = [f"  {what:<28} {address}{path}" for what, path in demo.places_to_open(database)]
            people = [f"  {role:<28} {email}" for role, email in demo_ground.SIGN_INS]
            lines += ["", "Open:", *opened, "", f"Sign in (password {demo.PASSWORD}):", *people]
            lines += [
                "",
                f"Staff's page of a kiosk: hold the line with the place for three seconds, PIN {demo_fleet.PIN}.",
            ]
            lines += ["", "Stop with Ctrl+C."]
    return "\n".join(lines)


def _check(host: str, workers: int, sqlite: bool, tls: Pair | None) -> None:
    if workers > 1 and sqlite:
        raise click.ClickException(
            "More than one worker needs PostgreSQL: SQLite is fast with one writing process and slow with two."
        )
    if host not in LOOPBACK and not common.settings().https and tls is None:
        _warn("plain http beyond this machine. Kiosks work offline on https alone; see docs/tls.md.")


def _warn(words: str) -> None:
    click.echo(f"Warning: {words}", err=True)


def _read_tls(certificate: Path | None, key: Path | None, host: str) -> Pair | None:
    """Return the certificate to serve with and warn of what browsers will not like, or end the command."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise click.UsageError("--tls-cert and --tls-key go together: one of them is missing.")
    from feedback_app.cli import certificates  # noqa: PLC0415  (start-up time of --help)

    try:
        pair = certificates.read_pair(certificate, key)
    except certificates.BadCertificate as error:
        raise click.ClickException(str(error)) from error
    for doubt in certificates.doubts(pair, key, _hosts(common.settings(), host), datetime.now(UTC)):
        _warn(f"{doubt.what} Mend: {doubt.mend}" if doubt.mend else doubt.what)
    return pair


def _hosts(settings: Settings, host: str) -> list[str]:
    """Return the names that people will open: that of the base URL, else where the server listens."""
    named = urlsplit(settings.base_url or "").hostname
    return [named] if named else [host] if host not in EVERYWHERE else []


def _shown_address(host: str, port: int, tls: Pair | None) -> str:
    """Return the address to open; where the server listens everywhere, by a name of its certificate."""
    if tls is None:
        return _address("http", host, port)
    return _address("https", tls.own_names()[0] if host in EVERYWHERE and tls.names else host, port)


def _advise_base_url(address: str) -> None:
    """Say what to set where https is served and the base URL does not say so."""
    settings = common.settings()
    if settings.base_url is None:
        click.echo(f"Set OTKLIK_BASE_URL={address}, so that posters and letters carry it, whatever a request says.")
    elif not settings.https:
        _warn(f"OTKLIK_BASE_URL is plain http, but https is served. Set OTKLIK_BASE_URL={address}")


def _note_served(instance: Path, tls: tuple[Path, Path] | None) -> None:
    """Note for the doctor what was served with last."""
    note = instance / SERVED_WITH
    if tls is None:
        note.unlink(missing_ok=True)
    else:
        note.write_text(json.dumps([str(path.absolute()) for path in tls]), encoding="utf-8")


def served_with(instance: Path) -> tuple[Path, Path] | None:
    """Return the certificate and key that the last serve was started with; None where it was without."""
    try:
        certificate, key = json.loads((instance / SERVED_WITH).read_text(encoding="utf-8"))
        return Path(certificate), Path(key)
    except (OSError, ValueError, TypeError):
        return None


def _watch(server: Server, certificate: Path, key: Path) -> None:
    from feedback_app.cli.certificates import Shelf  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.cli.renewal import Watch  # noqa: PLC0415  (start-up time of --help)

    own = Shelf(common.settings().instance / "tls")
    server.watch(Watch(certificate, key, server.take_over, _say, own))


def _say(words: str) -> None:
    click.echo(words)
    sys.stdout.flush()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="Serve https with this certificate.")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="The certificate's key.")
def serve(host: str, port: int, workers: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Serve in the foreground until Ctrl+C or SIGTERM."""
    from feedback_app.cli.server import Server  # noqa: PLC0415  (start-up time of --help)

    pair = _read_tls(tls_cert, tls_key, host)
    with common.database() as database:
        _check(host, workers, database.is_sqlite, pair)
    _require_free(host, port)
    # A fork would copy the locks that the announcing thread holds at that moment, and never see them opened.
    multiprocessing.set_start_method("spawn", force=True)
    address = _shown_address(host, port, pair)
    tls = (tls_cert, tls_key) if tls_cert and tls_key else None
    app = "serving_app_over_tls" if tls else "serving_app"
    _note_served(common.settings().instance, tls)
    server = Server(f"{__name__}:{app}", host, port, workers, tls)
    if tls:
        _advise_base_url(address)
        _watch(server, *tls)
    threading.Thread(target=_say_when_listening, args=(host, port, _announcement(address), server), daemon=True).start()
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
