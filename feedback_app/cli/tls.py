"""Commands for https in a shop without IT: an own root, a server certificate, and the root's way to the tablets."""

from __future__ import annotations

import contextlib
import http.server
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feedback_app.cli import common

if TYPE_CHECKING:
    from cryptography import x509

    from feedback_app.cli.certificates import Pair, Shelf

GUIDE = "docs/tls.md"
ON_THE_TABLET = "Settings > Security > Install a certificate > CA certificate"


def _shelf() -> Shelf:
    from feedback_app.cli.certificates import Shelf  # noqa: PLC0415  (start-up time of --help)

    return Shelf(common.settings().instance / "tls")


@click.group()
def tls() -> None:
    """https in a shop without IT: an own root and a server certificate."""


@tls.command()
@click.option(
    "--host", "hosts", multiple=True, required=True, metavar="NAME_OR_IP", help="What tablets will open; repeat it."
)
@click.option("--new-root", is_flag=True, help="Make a new root too; every tablet then needs it.")
def create(hosts: tuple[str, ...], new_root: bool) -> None:
    """Make a root for the tablets, where there is none, and a server certificate signed by it."""
    from feedback_app.cli import certificates  # noqa: PLC0415  (start-up time of --help)

    shelf, moment = _shelf(), datetime.now(UTC)
    try:
        names = [certificates.host_name(host) for host in hosts]
        is_new = new_root or not shelf.root.exists()
        root = certificates.make_root(shelf, names, moment) if is_new else certificates.read_certificate(shelf.root)
        pair = certificates.make_server(shelf, names, moment)
    except certificates.BadCertificate as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    _tell(shelf, root, pair)
    click.echo(
        _next_steps(shelf, names[0]) if is_new else "The root is the one the tablets have. A server takes it over."
    )


def _tell(shelf: Shelf, root: x509.Certificate, pair: Pair) -> None:
    from feedback_app.cli import certificates  # noqa: PLC0415  (start-up time of --help)

    click.echo(f"Root, valid until {certificates.day(root.not_valid_after_utc)}: {shelf.root}")
    click.echo(f"  SHA-256 {certificates.fingerprint(root)}")
    click.echo(
        f"Certificate for {', '.join(pair.names)}, valid until {certificates.day(pair.ends)}: {shelf.certificate}"
    )


def _next_steps(shelf: Shelf, host: str) -> str:
    address = f"https://[{host}]:5000" if ":" in host else f"https://{host}:5000"
    return f"""
1. Serve, with OTKLIK_BASE_URL={address}:
   otklik serve --host 0.0.0.0 --port 5000 --tls-cert {shelf.certificate} --tls-key {shelf.key}
   It makes the certificate anew by itself before it ends.
2. Bring {shelf.root.name} to each tablet by cable or memory card, or with: otklik tls share
   On the tablet: {ON_THE_TABLET}
3. Open {address} on the tablet: the page comes without a warning.

Keep {shelf.root_key} to yourself: who has it can pose as this server. The guide: {GUIDE}"""


@tls.command()
@click.option("--if-due", is_flag=True, help="Do nothing while the certificate is valid for 30 days or more.")
def renew(if_due: bool) -> None:
    """Make the server certificate anew for the same names, signed by the same root."""
    from feedback_app.cli import certificates  # noqa: PLC0415  (start-up time of --help)

    shelf = _shelf()
    try:
        found = certificates.read_certificate(shelf.certificate)
        if if_due and not certificates.Pair(found, ()).is_due(datetime.now(UTC)):
            click.echo(f"Not due: valid until {certificates.day(found.not_valid_after_utc)}.")
            return
        pair = certificates.renew(shelf)
        root = certificates.read_certificate(shelf.root)
    except certificates.BadCertificate as error:
        raise click.ClickException(str(error)) from error
    _tell(shelf, root, pair)
    click.echo("The tablets need nothing new. A server that serves it takes it over by itself.")


@tls.command()
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104  (tablets come over the net)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def share(host: str, port: int) -> None:
    """Hand the root to tablets over plain http, until Ctrl+C; it is no secret, its fingerprint is to be compared."""
    from feedback_app.cli import certificates  # noqa: PLC0415  (start-up time of --help)

    shelf = _shelf()
    try:
        root, pair = certificates.read_certificate(shelf.root), certificates.read_certificate(shelf.certificate)
    except certificates.BadCertificate as error:
        raise click.ClickException(f"{error} Make one with: otklik tls create --host …") from error
    try:
        server = http.server.ThreadingHTTPServer((host, port), _handler(shelf.root))
    except OSError as error:
        raise click.ClickException(f"{host}:{port}: {error.strerror}. Choose another with --port.") from error
    names = certificates.Pair(pair, certificates.names_of(pair)).own_names()
    click.echo("\n".join(["Open on the tablet:", *(f"  http://{name}:{port}/{shelf.root.name}" for name in names)]))
    click.echo(f"Then: {ON_THE_TABLET}")
    click.echo(f"Compare there, SHA-256 {certificates.fingerprint(root)}")
    click.echo("Stop with Ctrl+C.")
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def _handler(root: Path) -> type[http.server.BaseHTTPRequestHandler]:
    content = root.read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers everything with the root."""

        def do_GET(self) -> None:
            """Send the root as Android knows it."""
            self.send_response(200)
            self.send_header("Content-Type", "application/x-x509-ca-cert")
            self.send_header("Content-Disposition", f'attachment; filename="otklik-{root.name}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say who fetched it, without the rest."""
            click.echo(f"Fetched by {self.client_address[0]}.")

    return Handler
