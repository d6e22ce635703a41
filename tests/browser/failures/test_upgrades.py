"""Everything is renewed while the kiosk's queue is full: database, shell, form, store on the device, pairing."""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from playwright.sync_api import Error as BrowserSays
from playwright.sync_api import Page

from feedback_app.domain.access import SYSTEM
from feedback_app.services import catalogue
from feedback_app.services.demo_words import definitions
from feedback_app.storage import migrate
from feedback_app.storage.database import Database
from feedback_app.storage.tables import FormVersion, Response
from tests.browser.chromium import until
from tests.browser.failures.fleet import pair, revoke
from tests.browser.failures.kiosks import address, answer, fill, follow_up, new_id, next_shopper, open_kiosk, shoppers
from tests.browser.failures.ledger import Ledger, say_online
from tests.browser.failures.line import Exchange, Line, healthy
from tests.browser.failures.server import CHECKOUT, OTKLIK, Server
from tests.browser.kiosk_shop import kept, mark, tap, until_screen

pytestmark = pytest.mark.browser

MARK = "\ndocument.documentElement.dataset.shell = 'newer';\n"


# --- the database ---------------------------------------------------------------------------------------------------


def lower(server: Server, revision: str) -> None:
    """Bring a database to the schema of an older release."""
    db = Database(server.url)
    command.downgrade(migrate._config(db), revision)
    assert migrate.current(db) == revision
    db.close()


def raise_schema(server: Server) -> None:
    """Do what an administrator does at an update."""
    settings = {"OTKLIK_INSTANCE": str(server.folder), "OTKLIK_DATABASE_URL": server.url}
    environment = {**os.environ, **settings, "PYTHONPATH": str(server.code)}
    subprocess.run([OTKLIK, "db", "upgrade"], env=environment, check=True, capture_output=True, timeout=120)


def test_a_schema_raised_over_a_full_queue_takes_the_old_items(
    kiosk: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that what was collected for a database of the former schema, and what it held, is in the raised one."""
    shoppers(kiosk, [1, 2])
    until(lambda: len(ledger.stored()) == 2, what="two are in the old database")
    server.stop()
    lower(server, "0001")
    shoppers(kiosk, [3, 4])
    fill(kiosk, ledger, 300)
    kiosk.reload()
    raise_schema(server)
    server.start()
    ledger.settle_all_thanked(kiosk)
    assert len(ledger.thanked) == 302


# --- the store on the device ----------------------------------------------------------------------------------------

FORMER_STORE = """(records) => new Promise((resolve, reject) => {
  const request = indexedDB.open("otklik-kiosk", 1);
  request.onerror = () => reject(request.error);
  request.onupgradeneeded = () => {
    for (const name of ["items", "quarantine"]) request.result.createObjectStore(name, { keyPath: "id" });
  };
  request.onsuccess = () => {
    const database = request.result;
    // The tab of the former release stays; like that one it makes way when another raises the store.
    database.onversionchange = () => database.close();
    const transaction = database.transaction("items", "readwrite");
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    for (const record of records) transaction.objectStore("items").put(record);
  };
})"""


@pytest.mark.parametrize("former_tab_lives", [True, False])
def test_the_queue_of_the_first_release_arrives(
    former_tab_lives: bool, tab: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that items in the store of the first release, finished and half answered, are taken over and delivered."""
    records = []
    for index in range(120):
        item = {
            "id": new_id(),
            "point": server.chain.token(),
            "form_version": 1,
            "occurred_at": "2026-01-01T09:00:00.000Z",
            "language": "be",
            "answers": {"smiley": 1 + index % 4},
        }
        records.append({"id": item["id"], "open": index % 10 == 0, "touched_at": 1_767_258_000_000, "item": item})
    tab.goto(f"{line.address}/healthz")
    tab.evaluate(FORMER_STORE, records)
    ledger.owe(record["item"] for record in records)
    page = tab.context.new_page() if former_tab_lives else tab
    open_kiosk(page, address(line, server))
    shoppers(page, [1, 4])
    ledger.settle_all_thanked(page)
    assert len(ledger.thanked) == 122


# --- the shell ------------------------------------------------------------------------------------------------------


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A checkout whose kiosk is of a newer release: its pages say so."""
    folder = tmp_path / "newer"
    folder.mkdir()
    for package in ("feedback_app", "analysis"):
        (folder / package).symlink_to(CHECKOUT / package)
    shutil.copytree(CHECKOUT / "kiosk", folder / "kiosk", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "kiosk/static/kiosk.js").open("a") as script:
        script.write(MARK)
    return folder


@pytest.fixture
def update(server: Server, newer: Path) -> Iterator[Server]:
    """The server, which runs the newer release from its next start on; the test's end brings the present one back."""
    server.code = newer
    yield server
    server.kill()
    server.code = CHECKOUT


def is_newer(page: Page) -> bool:
    """Whether a page is of the newer release; not while it is being loaded."""
    with contextlib.suppress(BrowserSays):
        return mark(page, "shell") == "newer" and mark(page, "screen") == "question"
    return False


def renewed(page: Page) -> None:
    """Start a kiosk again and leave it alone until it shows the newer release."""
    page.reload()
    until(lambda: is_newer(page), 60, "of the newer shell")


def works_without_a_line(page: Page, line: Line) -> None:
    """Reload with the line down: the whole page must come from the device."""
    line.down()
    page.reload()
    until_screen(page, "question")
    assert page.locator("button[data-answer]").count() == 4
    shoppers(page, [3])
    line.up()


def test_a_shell_renewed_over_a_full_queue_delivers_what_the_old_one_kept(
    kiosk: Page, line: Line, ledger: Ledger, update: Server
) -> None:
    """Shows that an update neither loses the queue nor the answer that is being given in a tab of the old shell, and
    that the kiosk starts without a line at every moment of it."""
    other = open_kiosk(kiosk.context.new_page(), address(line, update))
    line.down()
    shoppers(kiosk, [1])
    fill(kiosk, ledger, 200)
    update.stop()
    update.start()
    assert not is_newer(kiosk)
    tap(kiosk, 2)
    line.up()
    renewed(other)
    follow_up(kiosk, "Касса не работает")
    next_shopper(kiosk)
    shoppers(other, [4])
    works_without_a_line(other, line)
    works_without_a_line(kiosk, line)
    renewed(kiosk)
    works_without_a_line(kiosk, line)
    ledger.settle_all_thanked(kiosk, other)
    assert len(ledger.thanked) == 205


def test_an_update_that_breaks_off_leaves_the_old_shell_whole(
    kiosk: Page, line: Line, ledger: Ledger, update: Server
) -> None:
    """Shows that the old shell serves on when the line breaks while the new one is fetched, until that is complete."""

    def no_scripts(exchange: Exchange) -> None:
        if b".js" in exchange.path and b"service_worker" not in exchange.path:
            exchange.close(reset=True)
        else:
            healthy(exchange)

    update.stop()
    update.start()
    line.strike(no_scripts, every=True)
    for _ in range(2):
        kiosk.reload()
        kiosk.wait_for_timeout(700)
    works_without_a_line(kiosk, line)
    line.clear()
    renewed(kiosk)
    works_without_a_line(kiosk, line)
    ledger.settle_all_thanked(kiosk)


# --- the form -------------------------------------------------------------------------------------------------------


def publish_another_version(server: Server) -> None:
    definition = copy.deepcopy(next(one for one in definitions() if one["key"] == "kiosk-checkout"))
    definition["title"]["en"] += ", renewed"
    server.db.write(lambda connection: catalogue.publish_form(connection, definition))


def versions(server: Server, ids: list[str]) -> list[int]:
    """Return the form versions that responses were stored with, in the order of the ids."""
    with server.db.read(SYSTEM) as session:
        query = sa.select(Response.id, FormVersion.version).join(
            FormVersion, FormVersion.id == Response.form_version_id
        )
        found = {str(response_id): version for response_id, version in session.execute(query)}
    return [found[item_id] for item_id in ids]


def test_a_form_published_while_the_kiosk_was_offline_takes_the_answers_to_the_old_one(
    kiosk: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that old answers arrive as answers to the version they were given to, and new ones to the new one."""
    line.down()
    shoppers(kiosk, [1, 4])
    publish_another_version(server)
    line.up()
    shoppers(kiosk, [2])
    ledger.settle_all_thanked(kiosk)

    def asks_anew() -> bool:
        kiosk.reload()
        until_screen(kiosk, "question")
        data = "JSON.parse(document.getElementById('kiosk-data').textContent).form_version"
        return bool(kiosk.evaluate(data) == 2)

    until(asks_anew, what="the new form is on the kiosk")
    shoppers(kiosk, [3])
    ledger.settle_all_thanked(kiosk)
    assert versions(server, ledger.thanked) == [1, 1, 1, 2]


# --- the pairing ----------------------------------------------------------------------------------------------------


def test_a_device_revoked_with_a_full_queue_still_delivers(
    kiosk: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that a device whose trust was ended delivers by the public tokens of its items: nothing waits for ever."""
    device_id = pair(kiosk, server)
    shoppers(kiosk, [4])
    until(lambda: ledger.stored(), what="delivered as a device")
    [first] = server.responses(ledger.thanked)
    assert first.device_id == device_id
    line.down()
    shoppers(kiosk, [1, 2])
    fill(kiosk, ledger, 250)
    kiosk.reload()
    revoke(server, device_id)
    line.up()
    ledger.settle_all_thanked(kiosk)
    shoppers(kiosk, [3])
    ledger.settle_all_thanked(kiosk)
    [last] = server.responses(ledger.thanked[-1:])
    assert last.device_id is None
    assert last.unpaired


def test_a_paired_kiosk_delivers_what_it_collected_before(
    kiosk: Page, line: Line, ledger: Ledger, server: Server
) -> None:
    """Shows that items kept before the pairing arrive after it, once."""
    line.strike(lambda exchange: exchange.close(reset=True))
    shoppers(kiosk, [1, 2])
    pair(kiosk, server)
    assert len(kept(kiosk)) == 2
    answer(kiosk, 3)
    line.clear()
    say_online(kiosk)
    ledger.settle_all_thanked(kiosk)
    assert len(ledger.thanked) == 3
