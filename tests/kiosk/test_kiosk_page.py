"""The kiosk page as it comes from the server: what it shows, and what a device keeps of it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from feedback_app.domain.kiosks import KioskSettings
from feedback_app.domain.scales import TYPES
from feedback_app.services import kiosk_settings
from feedback_app.services.catalogue import publish_form
from kiosk import shell
from tests.builders import Chain

LANGUAGES = ("ru", "be", "en")
FORTY_KILOBYTES = 40_000


@pytest.fixture
def address(app_chain: Chain) -> str:
    return f"/k/{app_chain.token()}"


def page_of(client: FlaskClient, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def sent(client: FlaskClient, address: str) -> bytes:
    # A static file stays open until its answer is closed.
    with client.get(address) as answer:
        assert answer.status_code == 200, address
        return answer.get_data()


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="kiosk-data">(.*?)</script>', page, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def shell_of(client: FlaskClient) -> dict[str, Any]:
    source = client.get("/k/service_worker.js").get_data(as_text=True)
    loaded: dict[str, Any] = json.loads(source.partition("const SHELL = ")[2].partition(";\n")[0])
    return loaded


def a_form(*questions: dict[str, Any]) -> dict[str, Any]:
    title = said("Киоск")
    return {
        "key": "kiosk-checkout",
        "purpose": "kiosk",
        "title": title,
        "sections": [{"key": "main", "title": title, "questions": list(questions)}],
    }


def said(text: str) -> dict[str, str]:
    return {code: f"{text} {code}" for code in LANGUAGES}


def publish(chain: Chain, form: dict[str, Any]) -> None:
    chain.db.write(lambda connection: publish_form(connection, form))


def test_the_page_opens_with_the_four_smileys_of_its_form(client: FlaskClient, address: str) -> None:
    page = page_of(client, address)
    assert re.findall(r'<button type="button" class="smiley" data-answer="(\d)"', page) == ["1", "2", "3", "4"]
    assert 'data-screen="question"' in page
    # What is on the device, the device alone can say.
    assert not re.search("<html[^>]*data-(ready|queued)", page)


def test_five_smileys_where_the_form_asks_for_five(client: FlaskClient, app_chain: Chain, address: str) -> None:
    publish(app_chain, a_form({"key": "smiley", "type": "smiley5", "text": said("Как?")}))
    page = page_of(client, address)
    assert re.findall(r'data-answer="(\d)"', page) == ["1", "2", "3", "4", "5"]


def test_a_question_of_every_type_can_stand_on_a_kiosk(client: FlaskClient, app_chain: Chain, address: str) -> None:
    extra: dict[str, dict[str, Any]] = {
        "choice": {"choices": [{"key": "queue", "text": said("Очередь")}]},
        "rating": {"max": 10},
    }
    questions = [{"key": f"q_{kind}", "type": kind, "text": said(kind), **extra.get(kind, {})} for kind in TYPES]
    publish(app_chain, a_form(*questions))
    page = page_of(client, address)
    for kind in TYPES[1:]:
        screen = page.partition(f'<template data-name="q_{kind}">')[2].partition("</template>")[0]
        assert "data-skip" in screen, kind
        assert re.search(r"data-answer=|data-choice=|<textarea|<input", screen), kind


def test_every_word_of_the_page_is_there_in_three_languages(client: FlaskClient, address: str) -> None:
    page = page_of(client, address)
    words = data_of(page)["words"]
    used = set(re.findall(r'data-word(?:-label)?="([^"]+)"', page))
    assert used
    assert {code: used - set(words[code]) for code in LANGUAGES} == {code: set() for code in LANGUAGES}
    assert all(words[code][name] for code in LANGUAGES for name in used)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_opens_in_the_language_of_the_device(client: FlaskClient, address: str, language: str) -> None:
    page = page_of(client, address, **{"Accept-Language": language})
    assert f'<html lang="{language}"' in page
    assert data_of(page)["language"] == language


def test_an_unknown_token_is_not_found(client: FlaskClient) -> None:
    assert client.get("/k/nothing-here").status_code == 404
    assert client.get("/k/nothing-here/app.webmanifest").status_code == 404


def test_the_page_leaves_no_cookie_and_no_inline_script_or_style(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    page = answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page) == [' type="application/json" id="kiosk-data"']


def test_the_worker_may_rule_the_kiosk_pages_and_no_others(client: FlaskClient) -> None:
    answer = client.get("/k/service_worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/k/"
    assert answer.mimetype == "text/javascript"
    assert "no-cache" in answer.headers["Cache-Control"]


def test_the_worker_keeps_all_that_the_page_loads(client: FlaskClient, address: str) -> None:
    page = page_of(client, address)
    loaded = re.findall(r'(?:<script defer src|<link rel="(?:stylesheet|icon)" href)="([^"]+)"', page)
    assert [one.partition("?")[0] for one in loaded] == ["/kiosk/static/icon.svg", "/k/shell.css", "/k/shell.js"]
    words = data_of(page)["keeper_words"]
    assert {*loaded, words} == set(shell_of(client)["assets"])


def test_the_address_of_an_asset_holds_its_digest(client: FlaskClient) -> None:
    for asset in shell_of(client)["assets"]:
        assert asset.endswith(f"?v={hashlib.sha256(sent(client, asset)).hexdigest()[:12]}")


def test_all_scripts_go_out_as_one_and_so_do_the_styles(client: FlaskClient) -> None:
    script, style = sent(client, "/k/shell.js"), sent(client, "/k/shell.css")
    for endpoint, filename in (*shell.SCRIPTS, *shell.STYLES):
        folder = shell.HERE / "static" if endpoint == "kiosk.static" else Path(client.application.static_folder or "")
        source, sent_as = (folder / filename).read_text(), script if filename.endswith(".js") else style
        last = source.splitlines()[-1].strip()
        assert last.encode() in sent_as, filename
        assert source.count("`") % 2 == 0
        # A text over several lines would lose its indentation.
        assert all(line.count("`") % 2 == 0 for line in source.splitlines()), filename


def test_what_has_its_digest_in_its_address_need_not_be_asked_for_again(client: FlaskClient, address: str) -> None:
    kept = data_of(page_of(client, address))["keeper_words"]
    assert "immutable" in client.get(kept).headers["Cache-Control"]
    assert client.get("/k/keeper.json?v=of-another-release").headers["Cache-Control"] == "no-cache"
    assert client.get(address).headers["Cache-Control"] == "no-cache"


def test_a_page_that_the_browser_has_is_not_sent_twice(client: FlaskClient, address: str) -> None:
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["/k/service_worker.js", "/k/shell.js", "/k/keeper.json", "/static/staff.css"])
def test_what_holds_no_secret_travels_packed(client: FlaskClient, path: str) -> None:
    plain = sent(client, path)
    with client.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert gzip.decompress(answer.get_data()) == plain
        assert len(answer.get_data()) < len(plain) / 2


def test_a_page_with_a_secret_never_travels_packed(client: FlaskClient) -> None:
    for path in ("/login", "/book/001", "/readyz"):
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": "gzip"}).headers


def test_the_whole_shell_is_light_enough_for_a_bad_line(client: FlaskClient, address: str) -> None:
    addresses = [address, "/k/service_worker.js", f"{address}/app.webmanifest", *shell_of(client)["assets"]]
    bodies = [sent(client, one) for one in addresses]
    assert sum(len(gzip.compress(body)) for body in bodies) < FORTY_KILOBYTES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_for_staff_has_its_words(client: FlaskClient, language: str) -> None:
    words = client.get("/k/keeper.json").get_json()
    assert words[language].keys() == words["en"].keys()
    assert all(words[language].values())


def test_a_device_notices_a_new_form(client: FlaskClient, app_chain: Chain, address: str) -> None:
    before = client.get(address).headers["Otklik-Page"]
    assert client.get(address, headers={"Accept-Language": "be"}).headers["Otklik-Page"] == before
    assert data_of(page_of(client, address))["page"] == before
    publish(app_chain, a_form({"key": "smiley", "type": "smiley4", "text": said("Как прошёл день?")}))
    assert client.get(address).headers["Otklik-Page"] != before


def test_the_page_can_be_installed_on_the_device(client: FlaskClient, address: str) -> None:
    manifest = client.get(f"{address}/app.webmanifest").get_json(force=True)
    assert manifest["start_url"] == address
    assert manifest["display"] == "fullscreen"
    assert manifest["orientation"] == "any"
    drawn, small, large, masked = manifest["icons"]
    assert sent(client, drawn["src"]).startswith(b"<svg")
    assert [icon["sizes"] for icon in (small, large, masked)] == ["192x192", "512x512", "512x512"]
    assert masked["purpose"] == "maskable"
    for icon in (small, large):
        with Image.open(io.BytesIO(sent(client, icon["src"]))) as picture:
            assert "x".join(map(str, picture.size)) == icon["sizes"]


def test_below_a_sub_path_everything_stays_below_it(make_app: Any, sqlite_url: str) -> None:
    app = make_app(sqlite_url, OTKLIK_BASE_URL="http://127.0.0.1/otklik")
    token = Chain(app.extensions["otklik"]).token()
    data = data_of(page_of(app.test_client(), f"/otklik/k/{token}"))
    assert data["send_to"] == "/otklik/api/v1/responses"
    assert data["scope"] == "/otklik/k/"
    assert data["service_worker"] == "/otklik/k/service_worker.js"


def test_the_page_holds_the_chains_settings_but_not_what_the_pin_is_checked_by(
    client: FlaskClient, app_chain: Chain, address: str
) -> None:
    before = client.get(address).headers["Otklik-Page"]
    wanted = KioskSettings(languages=("be", "ru"), theme="dark", pin=kiosk_settings.pin_verifier("2580"))
    kiosk_settings.change(app_chain.db, app_chain.access("admin"), wanted)
    settings = data_of(page_of(client, address))["settings"]
    assert (settings["languages"], settings["theme"], settings["timezone"]) == (["be", "ru"], "dark", "Europe/Minsk")
    assert "pin" not in settings
    assert client.get(address).headers["Otklik-Page"] != before


def test_a_script_in_a_forms_words_stays_words(client: FlaskClient, app_chain: Chain, address: str) -> None:
    publish(app_chain, a_form({"key": "smiley", "type": "smiley4", "text": said("</script><script>alert(1)</script>")}))
    page = page_of(client, address)
    assert "<script>alert" not in page
    assert data_of(page)["words"]["ru"]["smiley"] == "</script><script>alert(1)</script> ru"
