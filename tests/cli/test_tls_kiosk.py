"""A kiosk in a shop without IT: over https with a root of our own it works offline, by a name that is not localhost."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from playwright.sync_api import BrowserContext, Playwright

from feedback_app.cli import certificates
from feedback_app.cli.certificates import Shelf
from feedback_app.services import counting
from feedback_app.storage.database import Database
from tests.browser.chromium import ARGUMENTS, DESK, EXECUTABLE, until
from tests.browser.kiosk_shop import mark, skip_to_thanks, tap, until_delivered
from tests.builders import open_chain
from tests.cli.served import Start, announced, free_port

pytestmark = pytest.mark.browser
HOST = "otklik.lan"


def key_pin(shelf: Shelf) -> str:
    """The digest of the key that is served, as Chromium wants to have it named."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    key = certificates.read_certificate(shelf.certificate).public_key()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(serialization.Encoding.DER, form))
    return base64.b64encode(digest.finalize()).decode()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path / "instance" / "tls")
    certificates.make_root(made, [HOST], datetime.now(UTC))
    certificates.make_server(made, [HOST], datetime.now(UTC))
    return made


@pytest.fixture
def tablet(playwright: Playwright, shelf: Shelf, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser that takes this certificate alone: adding a root to it needs programs that are not everywhere."""
    rules = [f"--host-resolver-rules=MAP {HOST} 127.0.0.1", f"--ignore-certificate-errors-spki-list={key_pin(shelf)}"]
    arguments = [one for one in ARGUMENTS if "host-resolver-rules" not in one] + rules
    with playwright.chromium.launch_persistent_context(
        str(tmp_path / "profile"), executable_path=EXECUTABLE, headless=True, args=arguments, **DESK
    ) as context:
        yield context


def test_a_kiosk_over_https_with_an_own_root_works_offline(
    start: Start, shelf: Shelf, tablet: BrowserContext, sqlite_url: str
) -> None:
    port = free_port()
    words = ("serve", "--port", port, "--tls-cert", shelf.certificate, "--tls-key", shelf.key)
    server = start(*words)
    announced(server)
    db = Database(sqlite_url)
    page = tablet.new_page()
    page.goto(f"https://{HOST}:{port}/k/{open_chain(db).token()}")
    assert page.evaluate("isSecureContext")
    until(lambda: mark(page, "ready") == "true", what="works offline")
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait(10) == 0
    page.reload()
    tap(page, 4)
    skip_to_thanks(page)
    assert counting.responses_in_all(db) == 0
    announced(start(*words))
    until_delivered(page)
    assert counting.responses_in_all(db) == 1
    db.close()
