"""What a kiosk of the fleet calls: pairing, heartbeats, the staff's PIN, as the contract says."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from feedback_app.domain.kiosks import KioskSettings
from feedback_app.services import devices, kiosk_settings, pairing, senders
from tests.builders import Chain, open_chain

MakeApp = Callable[..., Flask]


def a_code(chain: Chain, store: str = "001", touchpoint: str = "checkout") -> str:
    return pairing.make_code(chain.db, chain.access("admin"), store, touchpoint).code


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def pair(client: FlaskClient, code: str, token: str, bearer: str | None = None, **more: Any) -> Any:
    headers = bearing(bearer) if bearer else {}
    return client.post("/api/v1/device/pair", json={"code": code, "token": token, **more}, headers=headers)


@pytest.fixture
def paired(client: FlaskClient, app_chain: Chain) -> str:
    token = secrets.token_urlsafe(32)
    assert pair(client, a_code(app_chain), token).status_code == 200
    return token


@pytest.fixture
def with_pin(app_chain: Chain) -> str:
    verifier = kiosk_settings.pin_verifier("24680")
    kiosk_settings.change(app_chain.db, app_chain.access("admin"), KioskSettings(pin=verifier))
    return "24680"


# --- pairing ----------------------------------------------------------------------------------------------------


def test_a_kiosk_that_types_a_code_is_told_where_it_stands_and_how_to_behave(
    client: FlaskClient, app_chain: Chain, with_pin: str
) -> None:
    token, code = secrets.token_urlsafe(32), a_code(app_chain, "002", "exit")
    answer = pair(client, f"{code[:4]} {code[4:]}", token)
    assert answer.status_code == 200
    told = answer.get_json()
    assert set(told) == {
        "device", "point", "store", "touchpoint", "page", "settings", "app_version", "server_time",
    }  # fmt: skip
    assert (told["store"], told["touchpoint"]) == ("002", "exit")
    assert told["page"] == f"/k/{told['point']}" == f"/k/{app_chain.token('002', 'exit')}"
    assert set(told["settings"]) == {
        "languages", "language", "theme", "dim", "hours", "attract_after", "sound", "logo", "require_pairing",
        "timezone", "pin",
    }  # fmt: skip
    assert set(told["settings"]["pin"]) == {"salt", "iterations", "hash"}
    assert pair(client, code, token).get_json()["device"] == told["device"]
    described = client.get("/api/v1/device", headers=bearing(token)).get_json()
    assert described["device"] == told["device"]


def test_a_wrong_a_used_and_an_expired_code_get_one_answer(client: FlaskClient, app_chain: Chain) -> None:
    used = a_code(app_chain)
    pair(client, used, secrets.token_urlsafe(32))
    answers = [pair(client, code, secrets.token_urlsafe(32)) for code in (used, "00000000", "1")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1
    assert answers[0].get_json()["error"] == "unknown_code"


def test_a_kiosk_with_a_device_token_is_moved_and_keeps_it(client: FlaskClient, app_chain: Chain, paired: str) -> None:
    before = client.get("/api/v1/device", headers=bearing(paired)).get_json()["device"]["id"]
    other = secrets.token_urlsafe(32)
    told = pair(client, a_code(app_chain, "003", "shelf"), other, bearer=paired).get_json()
    assert told["device"]["id"] == before
    points = client.get("/api/v1/device", headers=bearing(paired)).get_json()["points"]
    assert {point["store"] for point in points} == {"001", "003"}
    assert client.get("/api/v1/device", headers=bearing(other)).status_code == 401


def test_a_kiosk_whose_token_was_revoked_is_paired_as_a_new_one(
    client: FlaskClient, app_chain: Chain, paired: str
) -> None:
    sender = senders.device_sender(app_chain.db, paired)
    assert sender is not None
    assert sender.device_id is not None
    devices.revoke(app_chain.db, app_chain.access("admin"), sender.device_id)
    held = [app_chain.token("002", "counter")]
    told = pair(client, a_code(app_chain), secrets.token_urlsafe(32), bearer=paired, points=held).get_json()
    assert told["device"]["id"] != sender.device_id


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"code"', 400),
        (b"{}", 400),
        (b'{"code": null, "token": 7, "points": {"a": 1}}', 400),
        (b'{"code": {"a": []}, "token": "' + b"x" * 43 + b'", "points": [null, 7, {}]}', 404),
        (b'{"code": "' + b"1" * 70_000 + b'"}', 400),
    ],
)
def test_an_odd_body_is_refused_and_nothing_breaks(client: FlaskClient, body: bytes, status: int) -> None:
    answer = client.post("/api/v1/device/pair", data=body, content_type="application/json")
    assert (answer.status_code, answer.is_json) == (status, True)


# --- heartbeats -------------------------------------------------------------------------------------------------


def test_a_heartbeat_is_answered_with_time_place_settings_and_version(
    app: Flask, client: FlaskClient, app_chain: Chain, paired: str, with_pin: str
) -> None:
    told = client.post("/api/v1/device/heartbeat", json={"queue_length": 3}, headers=bearing(paired)).get_json()
    assert set(told) == {"server_time", "device", "point", "page", "settings", "app_version"}
    assert told["point"] == app_chain.token()
    assert told["settings"]["pin"]["iterations"] >= 210_000
    page = client.get(told["page"]).get_data(as_text=True)
    assert len(told["app_version"]) == 12
    assert told["app_version"] in page


@pytest.mark.parametrize("body", [{}, {"queue_length": "many"}, {"sent_at": 7, "sequence": -1}])
def test_a_heartbeat_without_sense_is_still_one(client: FlaskClient, paired: str, body: dict[str, Any]) -> None:
    assert client.post("/api/v1/device/heartbeat", json=body, headers=bearing(paired)).status_code == 200


def test_a_heartbeat_needs_a_device_s_token(client: FlaskClient, app_chain: Chain, paired: str) -> None:
    sender = senders.device_sender(app_chain.db, paired)
    assert sender is not None
    assert sender.device_id is not None
    for headers in ({}, bearing("nonsense"), bearing(app_chain.token())):
        answer = client.post("/api/v1/device/heartbeat", json={}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    devices.revoke(app_chain.db, app_chain.access("admin"), sender.device_id)
    assert client.post("/api/v1/device/heartbeat", json={}, headers=bearing(paired)).status_code == 401
    assert client.post("/api/v1/device/heartbeat", data=b"x", headers=bearing(app_chain.device())).status_code == 400


# --- the PIN ----------------------------------------------------------------------------------------------------


def test_an_unpaired_kiosk_asks_the_server_about_the_pin(client: FlaskClient, app_chain: Chain, with_pin: str) -> None:
    def ask(pin: Any, token: str = app_chain.token()) -> Any:
        return client.post("/api/v1/device/pin", json={"pin": pin}, headers=bearing(token))

    right = ask(with_pin)
    assert right.status_code == 200
    assert set(right.get_json()["pin"]) == {"salt", "iterations", "hash"}
    for wrong in ("24681", "", None, 24680.5, "9" * 99, [], {}):
        refused = ask(wrong)
        assert (refused.status_code, refused.get_json()["error"]) == (403, "wrong_pin")
    assert ask(with_pin, "nonsense").status_code == 401


def test_without_a_pin_the_kiosk_is_told_so(client: FlaskClient, app_chain: Chain) -> None:
    answer = client.post("/api/v1/device/pin", json={"pin": "0000"}, headers=bearing(app_chain.token()))
    assert (answer.status_code, answer.get_json()["error"]) == (403, "no_pin")


def test_the_kiosk_page_never_holds_what_the_pin_is_checked_by(
    client: FlaskClient, app_chain: Chain, with_pin: str
) -> None:
    verifier = kiosk_settings.settings_of(app_chain.db).pin
    assert verifier is not None
    page = client.get(f"/k/{app_chain.token()}").get_data(as_text=True)
    assert verifier["hash"] not in page
    assert verifier["salt"] not in page


# --- limits -----------------------------------------------------------------------------------------------------


def until_refused(post: Callable[[], Any], most: int = 80) -> int:
    for passed in range(most):
        answer = post()
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            return passed
    return most


@pytest.fixture
def limited(make_app: MakeApp, sqlite_url: str) -> Flask:
    return make_app(sqlite_url, OTKLIK_RATE_LIMITS="on")


def other_address(number: int) -> dict[str, str]:
    """Another address a test: the counters live as long as the process."""
    return {"REMOTE_ADDR": f"198.51.100.{number}"}


def test_ten_codes_a_minute_can_be_tried_from_one_address(limited: Flask) -> None:
    client = limited.test_client()

    def post(number: int) -> Any:
        body = {"code": "00000000", "token": "x" * 43}
        return client.post("/api/v1/device/pair", json=body, environ_overrides=other_address(number))

    assert until_refused(lambda: post(1)) == 10
    assert post(2).status_code == 404


def test_five_pins_a_minute_can_be_tried_from_one_address(limited: Flask) -> None:
    client, chain = limited.test_client(), open_chain(limited.extensions["otklik"])
    headers = bearing(chain.token())

    def post() -> Any:
        body = {"pin": "0000"}
        return client.post("/api/v1/device/pin", json=body, headers=headers, environ_overrides=other_address(3))

    assert until_refused(post) == 5


def test_sixty_heartbeats_a_minute_of_one_device(limited: Flask) -> None:
    client, chain = limited.test_client(), open_chain(limited.extensions["otklik"])
    headers = bearing(chain.device())
    assert until_refused(lambda: client.post("/api/v1/device/heartbeat", json={}, headers=headers)) == 60
