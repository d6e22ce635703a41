"""Handing responses in over HTTP: short on its way, and guarded like every other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from feedback_app.api import delivery, device
from feedback_app.domain.access import SYSTEM
from feedback_app.edge import headers, rights
from feedback_app.edge.lean import Application
from feedback_app.services import intake, kiosk_settings
from feedback_app.services.clock import now
from feedback_app.storage.tables import Response
from tests.builders import Chain, open_chain

MakeApp = Callable[..., Flask]


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
    items = [app_chain.item(channel="qr", receipt=f"AB{number:04}") for number in range(delivery.RECEIPT_LIMIT + 1)]
    assert post(client, app_chain.token(), *items).status_code == 413
    assert post(client, app_chain.token(), *items[1:]).status_code == 200


def test_eight_mebibytes_are_taken_and_not_a_byte_more(client: FlaskClient, app_chain: Chain) -> None:
    headers_ = {"Authorization": f"Bearer {app_chain.token()}", "Content-Type": "application/json"}
    for more, status in ((0, 200), (1, 413)):
        body = b'{"responses": []}'.ljust(8 * 1024 * 1024 + more)
        assert client.post("/api/v1/responses", data=body, headers=headers_).status_code == status


# --- the short way ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["short", "whole"])
def way(request: pytest.FixtureRequest, app: Flask) -> str:
    """Let deliveries try the short way first, or go the whole way as every other request."""
    assert isinstance(app, Application)
    if request.param == "whole":
        app._short_ways.clear()
    return str(request.param)


@pytest.fixture
def whole(app: Flask) -> list[str]:
    """What went the whole way."""
    gone: list[str] = []
    app.before_request(lambda: gone.append("whole"))
    return gone


def test_a_plain_delivery_goes_the_short_way_and_what_is_not_plain_the_whole(
    client: FlaskClient, app_chain: Chain, whole: list[str]
) -> None:
    token, item = app_chain.device(), app_chain.item()
    for _ in ("stored", "duplicate"):
        assert post(client, token, item).status_code == 200
    assert whole == []
    post(client, token, item, {})
    post(client, "nobody", item)
    assert whole == ["whole"] * 2


def test_both_ways_answer_the_same(client: FlaskClient, app_chain: Chain, way: str) -> None:
    token, item, survey = app_chain.token(), app_chain.item(), app_chain.item({"overall": 5}, touchpoint="exit")
    told = post(client, token, item, {}, item, survey, {**item, "answers": {"smiley": 1}})
    assert told.status_code == 200
    assert [(one["status"], one.get("error")) for one in told.get_json()["results"]] == [
        ("stored", None),
        ("rejected", "bad_id"),
        ("duplicate", None),
        ("rejected", "unknown_point"),
        ("rejected", "conflict"),
    ]
    again = post(client, token, item)
    assert set(again.get_json()) == {"results", "server_time"}
    assert again.get_json()["results"] == [{"id": item["id"], "status": "duplicate"}]
    assert again.mimetype == "application/json"
    assert client.post("/api/v1/responses", data=b"{", headers=bearing(token)).get_json()["error"] == "not_json"
    assert client.post("/api/v1/responses", json=[], headers=bearing(token)).get_json()["error"] == "no_responses"
    assert post(client, "nobody", item).headers["WWW-Authenticate"] == "Bearer"
    assert post(client, token, *[{}] * 1_001).get_json()["error"] == "too_many"


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_both_ways_carry_the_headers_of_every_answer_and_no_cookie(
    client: FlaskClient, app_chain: Chain, way: str
) -> None:
    for token, status in ((app_chain.token(), 200), ("nobody", 401)):
        answer = post(client, token, app_chain.item())
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in headers.FIXED} == headers.FIXED
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        assert "Strict-Transport-Security" not in answer.headers


def test_both_ways_say_that_https_is_kept_where_it_is(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, OTKLIK_BASE_URL="https://feedback.example")
    chain = open_chain(app.extensions["otklik"])
    for token in (chain.token(), "nobody"):
        answer = post(app.test_client(), token, chain.item())
        assert answer.headers["Strict-Transport-Security"] == headers.HSTS


def test_both_ways_keep_the_limits(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, OTKLIK_RATE_LIMITS="on")
    chain, client = open_chain(app.extensions["otklik"]), app.test_client()
    items = [chain.item() for _ in range(130)]
    assert post(client, chain.token(), *items[:119], headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 200
    for _ in range(2):
        answer = post(client, chain.token(), *items[119:])
        assert (answer.status_code, answer.get_json()["error"]) == (429, "too_many_requests")
        assert int(answer.headers["Retry-After"]) <= 60
        app._short_ways.clear()  # type: ignore[attr-defined]
    with chain.db.read(SYSTEM) as session:
        assert len(list(session.scalars(sa.select(Response.id)))) == 119


def test_below_a_sub_path_the_short_way_is_found(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, OTKLIK_BASE_URL="https://shop.example/voice")
    chain, gone = open_chain(app.extensions["otklik"]), []
    app.before_request(lambda: gone.append("whole"))
    for path in ("/voice/api/v1/responses", "/api/v1/responses"):
        given = {"responses": [chain.item()]}
        answer = app.test_client().post(path, json=given, headers=bearing(chain.token()))
        assert answer.get_json()["results"][0]["status"] == "stored"
    assert gone == []


def test_a_body_without_a_length_or_cut_off_goes_the_whole_way(
    client: FlaskClient, app_chain: Chain, whole: list[str]
) -> None:
    raw = b'{"responses": []}'
    given = {"headers": bearing(app_chain.token()), "input_stream": BytesIO(raw)}
    chunked = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    answer = client.post("/api/v1/responses", environ_overrides=chunked, **given)
    assert (answer.status_code, answer.get_json()["results"]) == (200, [])
    given["input_stream"] = BytesIO(raw)
    cut = client.post("/api/v1/responses", environ_overrides={"CONTENT_LENGTH": "500"}, **given)
    assert cut.status_code == 400
    assert whole == ["whole"] * 2


def test_of_a_stranger_no_body_is_read(client: FlaskClient, way: str) -> None:
    class Untouched(BytesIO):
        def read(self, *_size: int | None) -> bytes:
            raise AssertionError("the body of a stranger was read")

    answer = client.post("/api/v1/responses", headers=bearing("stranger"), input_stream=Untouched(b"{}" * 500))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "unauthorized")


def test_nobody_asks_who_is_signed_in_at_a_kiosk(sign_in: Callable[[str], FlaskClient], app_chain: Chain) -> None:
    browser, said = sign_in("director"), []
    token = app_chain.device()
    post(browser, token, app_chain.item())
    sa.event.listen(app_chain.db.engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    assert post(browser, token, app_chain.item()).status_code == 200
    assert not [statement for statement in said if "users" in statement]


def test_both_ways_are_closed_where_the_right_is_not_stated(
    client: FlaskClient, app_chain: Chain, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.delattr(device.post_responses, rights.ATTRIBUTE)
    assert post(client, app_chain.token(), app_chain.item()).status_code == 403
    with app_chain.db.read(SYSTEM) as session:
        assert list(session.scalars(sa.select(Response.id))) == []


@pytest.mark.usefixtures("way")
def test_a_fault_of_the_database_lets_the_kiosk_keep_its_items(
    client: FlaskClient, app_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fail(*_: Any, **__: Any) -> None:
        tried.append(1)
        raise OperationalError("COMMIT", None, Exception("disk full"))

    monkeypatch.setattr(intake, "deliver", fail)
    answer = post(client, app_chain.token(), app_chain.item())
    assert (answer.status_code, answer.get_json()["error"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert tried == [1]


@pytest.mark.usefixtures("way")
def test_what_is_wrong_is_said_in_the_language_of_the_reader(client: FlaskClient, app_chain: Chain) -> None:
    said = set()
    for language in ("ru", "be", "en"):
        answer = post(client, app_chain.token(), {}, headers={"Accept-Language": language})
        said.add(answer.get_json()["results"][0]["message"])
    assert len(said) == 3
