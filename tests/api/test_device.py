"""Handing responses in over HTTP: short on its way, and guarded like every other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from feedback_app.api import device
from feedback_app.domain.access import SYSTEM
from feedback_app.edge import headers, rights
from feedback_app.edge.lean import LEAN
from feedback_app.services import intake, kiosk_settings
from feedback_app.services.clock import now
from feedback_app.storage.tables import Response
from tests.builders import Chain


def post(client: FlaskClient, token: str, *items: Any, **more: Any) -> Any:
    given = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return client.post("/api/v1/responses", json={"responses": list(items), **more}, headers=given)


def test_the_answer_tells_the_servers_time(client: FlaskClient, app_chain: Chain) -> None:
    answer = post(client, app_chain.token(), app_chain.item()).get_json()
    assert abs(datetime.fromisoformat(answer["server_time"]) - now()) < timedelta(minutes=1)


def test_the_clocks_of_the_sending_place_what_a_wrong_wall_clock_cannot(client: FlaskClient, app_chain: Chain) -> None:
    """A tablet that thinks it is 2001 gave the answer ten minutes before it sent it."""
    item = app_chain.item(occurred_at="2001-01-01T00:00:00Z", boot_id="b", monotonic_ms=60_000, sequence=1)
    clocks = {"sent_at": "2001-01-01T00:10:00Z", "boot_id": "b", "monotonic_ms": 660_000}
    assert post(client, app_chain.device(), item, **clocks).get_json()["results"][0]["status"] == "stored"
    with app_chain.db.read(SYSTEM) as session:
        row = session.scalars(sa.select(Response)).one()
        assert abs(row.received_at - row.occurred_at - timedelta(minutes=10)) < timedelta(seconds=1)
        assert (row.claimed_at, row.sequence, row.flags) == ("2001-01-01T00:00:00Z", 1, [])


@pytest.mark.parametrize(
    "clocks", [{"sent_at": 5}, {"sent_at": "soon"}, {"boot_id": 7, "monotonic_ms": "x"}, {"monotonic_ms": -1}]
)
def test_clocks_that_cannot_be_read_reject_nothing(
    client: FlaskClient, app_chain: Chain, clocks: dict[str, Any]
) -> None:
    item = app_chain.item(boot_id=["b"], monotonic_ms=None, sequence=-4)
    assert post(client, app_chain.token(), item, **clocks).get_json()["results"][0]["status"] == "stored"


# --- unpaired kiosks --------------------------------------------------------------------------------------------


@pytest.fixture
def pairing_required(app_chain: Chain) -> None:
    settings = replace(kiosk_settings.settings_of(app_chain.db), require_pairing=True)
    kiosk_settings.change(app_chain.db, app_chain.access("admin"), settings)


@pytest.mark.usefixtures("pairing_required")
def test_where_pairing_is_required_taps_of_a_points_token_are_refused(client: FlaskClient, app_chain: Chain) -> None:
    survey = app_chain.item({"overall": 5}, channel="qr", touchpoint="exit")
    for items in ([app_chain.item()], [app_chain.item(channel="button")], [survey, app_chain.item()]):
        answer = post(client, app_chain.token(), *items)
        assert (answer.status_code, answer.get_json()["error"]) == (403, "pairing_required")


@pytest.mark.usefixtures("pairing_required")
def test_where_pairing_is_required_devices_and_surveys_go_on(client: FlaskClient, app_chain: Chain) -> None:
    assert post(client, app_chain.device(), app_chain.item()).get_json()["results"][0]["status"] == "stored"
    survey = app_chain.item({"overall": 5}, channel="qr", touchpoint="exit")
    answer = post(client, app_chain.token("001", "exit"), survey)
    assert answer.get_json()["results"][0]["status"] == "stored"


def test_a_phone_brings_few_receipts_at_once(client: FlaskClient, app_chain: Chain) -> None:
    items = [app_chain.item(channel="qr", receipt=f"AB{number:04}") for number in range(device.RECEIPT_LIMIT + 1)]
    assert post(client, app_chain.token(), *items).status_code == 413
    assert post(client, app_chain.token(), *items[1:]).status_code == 200


def test_eight_mebibytes_are_taken_and_not_a_byte_more(client: FlaskClient, app_chain: Chain) -> None:
    headers_ = {"Authorization": f"Bearer {app_chain.token()}", "Content-Type": "application/json"}
    for more, status in ((0, 200), (1, 413)):
        body = b'{"responses": []}'.ljust(8 * 1024 * 1024 + more)
        assert client.post("/api/v1/responses", data=body, headers=headers_).status_code == status


# --- the short way ----------------------------------------------------------------------------------------------


def test_every_endpoint_of_the_short_way_exists_and_is_a_devices(app: Flask) -> None:
    for endpoint in LEAN:
        assert rights.right_of(app, endpoint) is rights.Right.DEVICE


def test_the_short_way_carries_the_headers_of_every_answer_and_no_cookie(client: FlaskClient, app_chain: Chain) -> None:
    for token, status in ((app_chain.token(), 200), ("nobody", 401)):
        answer = post(client, token, app_chain.item())
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in headers.FIXED} == headers.FIXED
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


def test_the_short_way_asks_nobody_who_is_signed_in(sign_in: Callable[[str], FlaskClient], app_chain: Chain) -> None:
    browser, said = sign_in("director"), []
    token = app_chain.device()
    post(browser, token, app_chain.item())
    sa.event.listen(app_chain.db.engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    assert post(browser, token, app_chain.item()).status_code == 200
    assert not [statement for statement in said if "users" in statement]


def test_the_short_way_is_closed_where_its_right_is_not_stated(
    client: FlaskClient, app_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(device.post_responses, rights.ATTRIBUTE)
    assert post(client, app_chain.token(), app_chain.item()).status_code == 403


def test_a_fault_of_the_database_lets_the_kiosk_keep_its_items(
    client: FlaskClient, app_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("COMMIT", None, Exception("disk full"))

    monkeypatch.setattr(intake, "deliver", fail)
    answer = post(client, app_chain.token(), app_chain.item())
    assert (answer.status_code, answer.get_json()["error"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]


def test_what_is_wrong_is_said_in_the_language_of_the_reader(client: FlaskClient, app_chain: Chain) -> None:
    said = set()
    for language in ("ru", "be", "en"):
        answer = post(client, app_chain.token(), {}, headers={"Accept-Language": language})
        said.add(answer.get_json()["results"][0]["message"])
    assert len(said) == 3
