"""The fleet page says who needs a hand; the administrator pairs, names, sets and takes kiosks out from there."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from feedback_app.domain.kiosks import pin_matches
from feedback_app.services import devices, fleet, kiosk_settings, pairing, pictures
from tests.builders import Chain, csrf_of
from tests.web.scene import text_of, title_of

SignIn = Callable[[str], FlaskClient]
ADMIN_PAGES = ("/kiosks/add", "/kiosks/code", "/kiosks/settings")
SETTINGS = {"languages": ["ru", "be", "en"], "language": "", "theme": "light", "attract_after": "60"}


def a_kiosk(chain: Chain, store: str = "001", touchpoint: str = "checkout", **state: Any) -> int:
    """Pair a tablet that reports once."""
    code = pairing.make_code(chain.db, chain.access("admin"), store, touchpoint).code
    device_id = pairing.redeem(chain.db, code, secrets.token_urlsafe(32), []).device_id
    fleet.beat(chain.db, device_id, {"storage_persisted": True, **state}, None)
    return device_id


def read(client: FlaskClient, path: str, language: str = "en") -> str:
    answer = client.get(path, query_string={"lang": language})
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def send(client: FlaskClient, path: str, **data: Any) -> TestResponse:
    token = csrf_of(client.get("/kiosks/settings?lang=en").get_data(as_text=True))
    return client.post(path, data={"csrf_token": token, **data}, content_type="multipart/form-data")


def a_logo(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", size, "#0b6e75").save(out, format=kind)
    out.seek(0)
    return out, f"logo.{kind.lower()}"


@pytest.fixture
def admin(sign_in: SignIn) -> FlaskClient:
    return sign_in("admin")


# --- the fleet --------------------------------------------------------------------------------------------------


def test_the_title_says_how_many_kiosks_need_a_hand(app_chain: Chain, sign_in: SignIn) -> None:
    director = sign_in("director")
    assert title_of(read(director, "/kiosks")) == "No kiosk is paired yet"
    a_kiosk(app_chain)
    assert title_of(read(director, "/kiosks")) == "The kiosk is well"
    a_kiosk(app_chain, "002")
    assert title_of(read(director, "/kiosks")) == "All 2 kiosks are well"
    a_kiosk(app_chain, "003", queue_length=2_000)
    assert title_of(read(director, "/kiosks")) == "1 of 3 kiosks needs a hand"
    assert title_of(read(director, "/kiosks", "ru")) == "Внимания требует 1 киоск из 3"
    assert title_of(read(director, "/kiosks", "be")) == "Увагі патрабуе 1 кіёск з 3"


def test_each_state_is_told_in_words_with_what_to_do(app_chain: Chain, sign_in: SignIn) -> None:
    waits = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    slow = (datetime.now(UTC) - timedelta(minutes=7)).isoformat()
    a_kiosk(app_chain, queue_length=1_234, oldest_queued_at=waits, storage_used=85, storage_quota=100)
    a_kiosk(app_chain, "002", sent_at=slow)
    a_kiosk(app_chain, "003", quarantined=2)
    page = text_of(read(sign_in("director"), "/kiosks"))
    for words in (
        "Full Answers wait and do not leave.",
        "1,234, the oldest for 3 days",
        "85\u00a0%",
        "Wrong clock Set the tablet's date",
        "7 minutes slow",
        "Refused answers Save them as a file",
        "just now",
    ):
        assert " ".join(words.split()) in page, words


def test_a_silent_kiosk_stands_first_and_is_told_since_when(app_chain: Chain, sign_in: SignIn) -> None:
    a_kiosk(app_chain, "001")
    with time_machine.travel(datetime.now(UTC) - timedelta(days=4)):
        a_kiosk(app_chain, "003")
    page = text_of(read(sign_in("director"), "/kiosks"))
    assert page.index("Silent") < page.index("001/checkout")
    assert "4 days ago" in page


def test_points_without_a_kiosk_are_counted_by_store(app_chain: Chain, sign_in: SignIn) -> None:
    a_kiosk(app_chain)
    page = text_of(read(sign_in("director"), "/kiosks"))
    assert "14 of 15 collection points have no paired kiosk" in page
    assert "Points without a paired kiosk" in page


def test_a_manager_sees_own_kiosks_and_no_way_to_change_them(app_chain: Chain, sign_in: SignIn) -> None:
    own, other = a_kiosk(app_chain, "001"), a_kiosk(app_chain, "002")
    manager = sign_in("manager")
    page = read(manager, "/kiosks")
    assert title_of(page) == "The kiosk is well"
    assert "002/checkout" not in page
    assert "/kiosks/add" not in page
    for path in (*ADMIN_PAGES, f"/kiosks/{own}", f"/kiosks/{other}", f"/kiosks/{own}/revoke", f"/kiosks/{own}/code"):
        assert manager.get(path).status_code == 403
    csrf = csrf_of(page)
    for path in (f"/kiosks/{own}", f"/kiosks/{own}/revoke", "/kiosks/add", "/kiosks/settings"):
        assert manager.post(path, data={"csrf_token": csrf, "name": "mine"}).status_code == 403
    assert devices.card(app_chain.db, app_chain.access("admin"), own).name.startswith("001/checkout/")


def test_a_large_fleet_is_read_page_by_page(app_chain: Chain, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "PAGE", 2)
    for touchpoint in ("entrance", "shelf", "exit"):
        a_kiosk(app_chain, touchpoint=touchpoint)
    director = sign_in("director")
    assert "Page 1 of 2" in text_of(read(director, "/kiosks"))
    second = director.get("/kiosks?page=2&lang=en").get_data(as_text=True)
    assert "001/exit" in second
    assert "001/entrance" not in second
    for page in ("0", "-1", "x", "99999999999999999999"):
        assert director.get(f"/kiosks?page={page}").status_code == 200


@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_every_page_of_the_kiosks_keeps_to_the_policy(app_chain: Chain, admin: FlaskClient, language: str) -> None:
    device_id = a_kiosk(app_chain, queue_length=5_000)
    send(admin, "/kiosks/add", store="001", touchpoint="exit")
    own = ("", "/code", "/revoke")
    for path in ("/kiosks", *ADMIN_PAGES, *(f"/kiosks/{device_id}{part}" for part in own)):
        page = read(admin, path, language)
        assert f'<html lang="{language}"' in page
        assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:", page), path
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert sorted({name for name in ids if ids.count(name) > 1}) == [], path


@pytest.mark.parametrize(
    "path", ["/kiosks/999", "/kiosks/999/code", "/kiosks/999/revoke", "/kiosks/99999999999999999999"]
)
def test_a_kiosk_that_is_not_there_is_not_found(admin: FlaskClient, path: str) -> None:
    assert admin.get(path).status_code == 404


# --- pairing ----------------------------------------------------------------------------------------------------


def test_a_code_is_made_shown_and_followed_until_it_is_used(app_chain: Chain, admin: FlaskClient) -> None:
    answer = send(admin, "/kiosks/add", store="002", touchpoint="exit")
    assert (answer.status_code, answer.location) == (303, "/kiosks/code")
    page = read(admin, "/kiosks/code")
    shown = re.search(r'class="pairing-code">(\d{4}) (\d{4})<', page)
    assert shown
    assert f"/k/{app_chain.token('002', 'exit')}" in page
    assert "data:image/svg+xml" in page
    code = shown[1] + shown[2]
    assert code not in answer.location
    assert read(admin, "/kiosks/code") == page or code[:4] in read(admin, "/kiosks/code")
    paired = pairing.redeem(app_chain.db, code, secrets.token_urlsafe(32), [])
    gone = admin.get("/kiosks/code?lang=en")
    assert gone.status_code == 303
    assert f"The kiosk is paired: {paired.name}." in text_of(read(admin, gone.location))


def test_an_expired_code_is_told_and_asked_for_anew_with_its_place(app_chain: Chain, admin: FlaskClient) -> None:
    send(admin, "/kiosks/add", store="002", touchpoint="exit")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        answer = admin.get("/kiosks/code?lang=en")
        assert answer.location == "/kiosks/add?store=002&touchpoint=exit"
        page = admin.get(answer.location).get_data(as_text=True)
    assert "The code has expired" in text_of(page)
    assert '<option value="002" selected>' in page
    assert '<option value="exit" selected>' in page


def test_without_a_code_the_page_asks_for_a_place(admin: FlaskClient) -> None:
    assert admin.get("/kiosks/code").location == "/kiosks/add"


def test_a_place_that_is_not_there_is_refused_at_its_field(admin: FlaskClient) -> None:
    for data, field in (
        ({"store": "999", "touchpoint": "exit"}, "store"),
        ({"store": "001"}, "touchpoint"),
        ({}, "store"),
    ):
        answer = send(admin, "/kiosks/add", **data)
        assert answer.status_code == 422
        assert f'id="{field}-problem"' in answer.get_data(as_text=True)


def test_a_kiosk_is_moved_by_a_new_code(app_chain: Chain, admin: FlaskClient) -> None:
    device_id = a_kiosk(app_chain)
    page = read(admin, f"/kiosks/{device_id}/code")
    assert '<option value="001" selected>' in page
    assert send(admin, f"/kiosks/{device_id}/code", store="003", touchpoint="shelf").location == "/kiosks/code"
    shown = re.search(r'class="pairing-code">(\d{4}) (\d{4})<', read(admin, "/kiosks/code"))
    assert shown
    moved = pairing.redeem(app_chain.db, shown[1] + shown[2], "", [], present=device_id)
    assert (moved.device_id, moved.spot.store_code) == (device_id, "003")


# --- one kiosk --------------------------------------------------------------------------------------------------


def test_a_kiosk_is_named_and_set_apart_from_the_chain(app_chain: Chain, admin: FlaskClient) -> None:
    device_id = a_kiosk(app_chain)
    given = {"name": "By the bread", "language": "be", "theme": "contrast", "dim": "own"}
    answer = send(admin, f"/kiosks/{device_id}", **given, dim_from="21:00", dim_to="07:00")
    assert answer.status_code == 303
    card = devices.card(app_chain.db, app_chain.access("admin"), device_id)
    assert card.name == "By the bread"
    assert card.own == {"language": "be", "theme": "contrast", "dim": {"from": "21:00", "to": "07:00"}}
    page = read(admin, f"/kiosks/{device_id}")
    assert 'value="21:00"' in page
    assert '<option value="contrast" selected>' in page
    send(admin, f"/kiosks/{device_id}", name="By the bread", language="", theme="", dim="never")
    assert devices.card(app_chain.db, app_chain.access("admin"), device_id).own == {"dim": None}
    assert '<option value="never" selected>' in read(admin, f"/kiosks/{device_id}")
    send(admin, f"/kiosks/{device_id}", name="By the bread", language="", theme="", dim="")
    assert devices.card(app_chain.db, app_chain.access("admin"), device_id).own == {}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "A", "dim": "own"}, "dim_from"),
        ({"name": "A", "dim": "own", "dim_from": "21:00", "dim_to": "21:00"}, "dim_from"),
        ({"name": "A", "theme": "pink"}, "theme"),
        ({"name": "A", "language": "de"}, "language"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_changes_nothing(
    app_chain: Chain, admin: FlaskClient, given: dict[str, str], field: str
) -> None:
    device_id = a_kiosk(app_chain)
    before = devices.card(app_chain.db, app_chain.access("admin"), device_id)
    answer = send(admin, f"/kiosks/{device_id}", **given)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'id="{field}-problem"' in page
    assert f'value="{given["name"]}"' in page, "what was typed stays"
    assert devices.card(app_chain.db, app_chain.access("admin"), device_id) == before


def test_taking_a_kiosk_out_is_asked_first(app_chain: Chain, admin: FlaskClient) -> None:
    device_id = a_kiosk(app_chain)
    assert "out of the fleet?" in title_of(read(admin, f"/kiosks/{device_id}/revoke"))
    assert devices.card(app_chain.db, app_chain.access("admin"), device_id)
    answer = send(admin, f"/kiosks/{device_id}/revoke")
    assert (answer.status_code, answer.location) == (303, "/kiosks")
    page = read(admin, "/kiosks")
    assert title_of(page) == "No kiosk is paired yet"
    assert "is out of the fleet. What it delivered stays." in text_of(page)


# --- settings of the chain --------------------------------------------------------------------------------------


def test_settings_are_kept_and_shown_again(app_chain: Chain, admin: FlaskClient) -> None:
    given = {"languages": ["be", "en"], "language": "be", "theme": "dark", "attract_after": "0", "sound": "y"}
    times = {"dim_from": "22:00", "dim_to": "08:00", "hours_from": "09:00", "hours_to": "21:30"}
    answer = send(admin, "/kiosks/settings", **given, **times, require_pairing="y", pin="1357")
    assert (answer.status_code, answer.location) == (303, "/kiosks/settings")
    kept = kiosk_settings.settings_of(app_chain.db)
    assert (kept.languages, kept.language, kept.theme, kept.attract_after) == (("be", "en"), "be", "dark", 0)
    assert kept.sound
    assert kept.require_pairing
    assert kept.dim is not None
    assert kept.hours is not None
    assert (kept.dim.described(), kept.hours.end) == ({"from": "22:00", "to": "08:00"}, "21:30")
    assert kept.pin is not None
    assert pin_matches(kept.pin, "1357")
    page = read(admin, "/kiosks/settings")
    assert title_of(page) == "Only paired kiosks collect, in: Беларуская, English"
    assert "1357" not in page
    assert re.search(r'id="languages-be"[^>]* checked', page)
    assert not re.search(r'id="languages-ru"[^>]* checked', page)


def test_a_pin_stays_until_it_is_changed_or_removed(app_chain: Chain, admin: FlaskClient) -> None:
    send(admin, "/kiosks/settings", **SETTINGS, pin="1357")
    send(admin, "/kiosks/settings", **SETTINGS)
    assert kiosk_settings.checked_pin(app_chain.db, "1357")
    send(admin, "/kiosks/settings", **SETTINGS, forget_pin="y")
    assert not kiosk_settings.has_pin(app_chain.db)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"languages": []}, "languages"),
        ({"languages": ["ru", "de"]}, "languages"),
        ({"languages": ["ru"], "language": "be"}, "language"),
        ({"theme": "pink"}, "theme"),
        ({"attract_after": "soon"}, "attract_after"),
        ({"attract_after": "4000"}, "attract_after"),
        ({"attract_after": "9" * 5_000}, "attract_after"),
        ({"dim_from": "22:00"}, "dim_from"),
        ({"hours_from": "x", "hours_to": "y"}, "hours_from"),
        ({"pin": "12"}, "pin"),
        ({"pin": "12345678901"}, "pin"),
        ({"logo": (io.BytesIO(b"<svg/>"), "logo.png")}, "logo"),
    ],
)
def test_what_cannot_be_set_is_told_at_its_field_and_what_was_typed_stays(
    app_chain: Chain, admin: FlaskClient, given: dict[str, Any], field: str
) -> None:
    before = kiosk_settings.settings_of(app_chain.db)
    answer = send(admin, "/kiosks/settings", **{**SETTINGS, "sound": "y", **given})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'id="{field}-problem"' in page
    assert re.search(r'id="sound"[^>]* checked', page)
    for name in ("attract_after", "dim_from", "pin"):
        if name in given:
            assert f'value="{given[name]}"' in page
    assert kiosk_settings.settings_of(app_chain.db) == before


def test_a_logo_that_is_too_large_is_told_so(
    app_chain: Chain, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "SIZE_LIMIT", 100)
    answer = send(admin, "/kiosks/settings", **SETTINGS, logo=a_logo())
    assert answer.status_code == 422
    assert "The picture is too large" in text_of(answer.get_data(as_text=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_served_to_everybody_and_may_be_kept_for_good(
    app: Flask, app_chain: Chain, admin: FlaskClient, kind: str
) -> None:
    assert send(admin, "/kiosks/settings", **SETTINGS, logo=a_logo(kind)).status_code == 303
    shown = re.search(r'<img src="(/k/logo/[0-9a-f]{64}\.png)"', read(admin, "/kiosks/settings"))
    assert shown
    answer = app.test_client().get(shown[1])
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    send(admin, "/kiosks/settings", **SETTINGS)
    assert kiosk_settings.settings_of(app_chain.db).logo
    send(admin, "/kiosks/settings", **SETTINGS, remove_logo="y")
    assert kiosk_settings.settings_of(app_chain.db).logo is None


@pytest.mark.parametrize("key", ["x", "0" * 64, "%00", "..%2f..%2fsecret", "A" * 64])
def test_a_logo_that_is_not_there_is_not_found(client: FlaskClient, app_chain: Chain, key: str) -> None:
    assert client.get(f"/k/logo/{key}.png").status_code == 404


def test_a_form_without_its_token_changes_nothing(app_chain: Chain, admin: FlaskClient) -> None:
    device_id = a_kiosk(app_chain)
    for path in ("/kiosks/settings", "/kiosks/add", f"/kiosks/{device_id}", f"/kiosks/{device_id}/revoke"):
        assert admin.post(path, data={**SETTINGS, "name": "x", "theme": "dark"}).status_code == 400
    assert kiosk_settings.settings_of(app_chain.db).theme == "light"
    assert devices.card(app_chain.db, app_chain.access("admin"), device_id)
