"""The feedback book: everybody may write, nobody reads what others wrote."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from feedback_app.domain import consents
from feedback_app.domain.book import CONSENT_VERSION
from feedback_app.domain.cases import BOOK_KINDS
from feedback_app.services import register
from feedback_app.storage.tables import BookEntry, BookPhoto
from tests.kiosk.paper_scene import breaks_the_policy, hidden, send, visitor, words_of
from tests.services.test_pictures import a_bomb, a_picture

PAGE = "/book/001"
ENTRY = {"kind": "complaint", "text": "У кассы 20 минут очередь"}
CONTACT = {"name": "Анна", "contact": "+375 29 000-00-00"}


def entries(app: Flask) -> list[dict[str, Any]]:
    with app.extensions["otklik"].engine.connect() as connection:
        table = BookEntry.__table__
        return [dict(row) for row in connection.execute(sa.select(table).order_by(table.c.number)).mappings()]


def receipt(client: FlaskClient, reply: Any) -> str:
    """Follow a hand-in to the page with the number."""
    assert reply.status_code == 303, words_of(reply.text)
    page = client.get(reply.location)
    assert page.status_code == 200
    return words_of(page.text)


@pytest.mark.parametrize("kind", BOOK_KINDS)
def test_an_entry_gets_its_number_and_the_day_until_which_it_is_answered(app: Flask, kind: str) -> None:
    client = visitor(app)
    send(client, PAGE, ENTRY)
    page = receipt(client, send(client, PAGE, {"kind": kind, "text": "Second"}))
    first, second = entries(app)
    assert (first["number"], second["number"], second["kind"]) == (1, 2, kind)
    assert f"№ 2 of {second['year']}" in page
    assert f"{second['due_on']:%B} {second['due_on'].day}, {second['due_on'].year}" in page.replace("\u00a0", " ")


def test_an_entry_is_anonymous_unless_somebody_wants_an_answer(app: Flask) -> None:
    assert send(visitor(app), PAGE, ENTRY).status_code == 303
    [entry] = entries(app)
    assert (entry["name"], entry["contact"], entry["consent_version"], entry["consent_at"]) == (None,) * 4


def test_a_contact_is_kept_with_a_consent_of_its_own(app: Flask) -> None:
    assert send(visitor(app, "be"), PAGE, {**ENTRY, **CONTACT, "consent": "true"}).status_code == 303
    [entry] = entries(app)
    assert (entry["name"], entry["contact"]) == ("Анна", "+375 29 000-00-00")
    assert (entry["consent_version"], entry["consent_language"]) == (CONSENT_VERSION, "be")
    assert entry["consent_at"] is not None


@pytest.mark.parametrize("consent", [{}, {"consent": ""}, {"consent": "false"}, {"consent": "0"}, {"consent": "no"}])
def test_without_consent_no_contact_is_kept(app: Flask, consent: dict[str, str]) -> None:
    reply = send(visitor(app), PAGE, {**ENTRY, **CONTACT, **consent})
    page = words_of(reply.text)
    assert reply.status_code == 422
    assert "with your consent only" in page
    assert 'value="+375 29 000-00-00"' in page
    assert "<details" in page
    assert " open>" in page, "the fold with the wrong field stands open"
    assert entries(app) == []


def test_the_consent_is_not_ticked_beforehand_and_names_its_version(app: Flask) -> None:
    page = visitor(app).get(PAGE).text
    [tag] = [tag for tag in page.split("<") if 'name="consent"' in tag]
    assert "checked" not in tag
    assert f'data-consent-version="{CONSENT_VERSION}"' in tag


def test_nobody_reads_what_others_wrote(app: Flask) -> None:
    secret = "Секретная жалоба"
    receipt(visitor(app), send(visitor(app), PAGE, {**ENTRY, "text": secret, **CONTACT, "consent": "on"}))
    client = visitor(app)
    assert secret not in client.get(PAGE).text
    wrong = send(client, PAGE, {"kind": "thanks", "text": ""})
    assert secret not in wrong.text
    mine = receipt(client, send(client, PAGE, {"kind": "thanks", "text": "Спасибо"}))
    assert secret not in mine
    assert "Анна" not in mine


def test_a_page_sent_twice_is_one_entry_with_one_number(app: Flask) -> None:
    client = visitor(app)
    page = client.get(PAGE).text
    values = {**ENTRY, **{name: hidden(page, name) for name in ("csrf_token", "response_id")}}
    locations = {client.post(PAGE, data=values).location for _ in range(3)}
    assert len(locations) == 1
    assert len(entries(app)) == 1


def test_reloading_the_receipt_writes_nothing(app: Flask) -> None:
    client = visitor(app)
    reply = send(client, PAGE, ENTRY)
    assert receipt(client, reply) == receipt(client, reply)
    assert len(entries(app)) == 1


def test_a_receipt_cannot_be_made_up(app: Flask) -> None:
    client = visitor(app)
    location = send(client, PAGE, ENTRY).location
    for address in (location[:-1], location.replace("/001/", "/002/"), f"{PAGE}/written/1", f"{PAGE}/written/x.y.z"):
        assert client.get(address).status_code == 404, address


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": ""}, "This needs an answer."),
        ({"kind": "rumour"}, "Choose one of the answers shown."),
        ({"text": ""}, "This needs an answer."),
        ({"text": " \r\n "}, "This needs an answer."),
        ({"text": "x" * 4001}, "at most 4000 characters"),
        ({"name": "x" * 121, "consent": "on"}, "at most 120 characters"),
        ({"contact": "x" * 201, "consent": "on"}, "at most 200 characters"),
    ],
)
def test_a_wrong_entry_is_named_at_its_field_and_nothing_typed_is_lost(
    app: Flask, changed: dict[str, str], said: str
) -> None:
    typed = {**ENTRY, **changed}
    reply = send(visitor(app), PAGE, typed)
    page = words_of(reply.text).partition('<template id="kept">')[0]
    key = next(iter(changed))
    assert reply.status_code == 422
    assert page.count(said) == 2, "once at the field, once in the summary"
    assert f'href="#{key}"' in page
    assert f' id="{key}"' in page
    assert typed["text"].replace("\r\n", "\n") in page.replace("\r\n", "\n")
    assert entries(app) == []


def test_a_long_entry_may_have_lines(app: Flask) -> None:
    text = ("x" * 39 + "\r\n") * 99 + "x" * 40
    assert send(visitor(app), PAGE, {**ENTRY, "text": text}).status_code == 303


def test_written_code_stays_words(app: Flask) -> None:
    attack = "</textarea><script>alert(1)</script>"
    reply = send(visitor(app), PAGE, {"kind": '"><script>', "text": attack, "name": '" onfocus="alert(1)'})
    assert reply.status_code == 422
    assert attack not in reply.text
    assert breaks_the_policy(reply.text) == []


def test_a_page_open_too_long_comes_back_with_everything(app: Flask) -> None:
    client = visitor(app)
    stale = send(client, PAGE, ENTRY, csrf_token="")
    assert stale.status_code == 422
    assert "The page was open too long" in stale.text
    assert ENTRY["text"] in stale.text
    assert entries(app) == []


@pytest.mark.parametrize(
    ("store", "language", "title"),
    [
        ("001", "ru", "Книга замечаний и предложений"),
        ("002", "ru", "Книга отзывов и предложений"),
        ("001", "be", "Кніга заўваг і прапаноў"),
        ("001", "en", "Book of comments and suggestions"),
        ("002", "en", "Book of reviews and suggestions"),
    ],
)
def test_the_book_bears_the_name_of_its_country(app: Flask, store: str, language: str, title: str) -> None:
    assert f">{title}</h1>" in words_of(visitor(app, language).get(f"/book/{store}").text)


@pytest.mark.parametrize("store", ["001", "002"])
def test_the_page_does_not_replace_the_paper_book(app: Flask, store: str) -> None:
    page = visitor(app).get(f"/book/{store}").text
    assert "one more way to write" in page
    assert "at your first demand" in page


def test_an_unknown_store_has_no_book(app: Flask) -> None:
    assert visitor(app).get("/book/999").status_code == 404
    assert breaks_the_policy(visitor(app).get(PAGE).text) == []


def attached(app: Flask) -> list[bytes]:
    with app.extensions["otklik"].engine.connect() as connection:
        table = BookPhoto.__table__
        return list(connection.execute(sa.select(table.c.content).order_by(table.c.position)).scalars())


def files(*contents: bytes) -> dict[str, Any]:
    return {"photos": [(io.BytesIO(content), f"photo-{number}.jpg") for number, content in enumerate(contents, 1)]}


def send_whole(client: FlaskClient, values: dict[str, Any]) -> Any:
    """Send a form as bytes: of large ones the test's browser leaves a file open."""
    page = client.get(PAGE).text
    kept = {name: hidden(page, name) for name in ("csrf_token", "response_id")}
    sent = {name: [FileStorage(*one) for one in value] if name == "photos" else value for name, value in values.items()}
    boundary, body = encode_multipart({**kept, **sent})
    return client.post(PAGE, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def test_photos_go_with_the_entry_drawn_anew_and_sealed(app: Flask) -> None:
    pictures = [a_picture("JPEG", (3000, 1500)), a_picture("PNG", (100, 50))]
    assert send(visitor(app), PAGE, {**ENTRY, **files(*pictures)}).status_code == 303
    sizes = [Image.open(io.BytesIO(content)).size for content in attached(app)]
    assert sizes == [(2048, 1024), (100, 50)]
    assert register.verify(app.extensions["otklik"]).findings == ()


def test_a_field_left_empty_is_no_photo(app: Flask) -> None:
    assert send(visitor(app), PAGE, {**ENTRY, "photos": (io.BytesIO(b""), "")}).status_code == 303
    assert attached(app) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "“photo-2.jpg” is empty"),
        (b"GIF89a, says the file", "“photo-2.jpg” is no photo that can be read"),
        (a_bomb(30_000), "“photo-2.jpg” is too large: at most 12 MB"),
        (b"\xff\xd8" + bytes(40 * 1024 * 1024), "“photo-2.jpg” is too large: at most 12 MB"),
    ],
)
def test_a_bad_photo_is_named_at_its_field_and_nothing_typed_is_lost(app: Flask, content: bytes, said: str) -> None:
    typed = {**ENTRY, **CONTACT, "consent": "true"}
    reply = send_whole(visitor(app), {**typed, **files(a_picture(), content)})
    page = words_of(reply.text)
    assert reply.status_code == 422
    assert page.count(said) == 2, "once at the field, once in the summary"
    assert all(value in page for value in (ENTRY["text"], *CONTACT.values()))
    assert "Choose them again: photo-1.jpg, photo-2.jpg." in page
    assert entries(app) == []


def test_more_than_all_photos_may_weigh_is_said_on_the_page(app: Flask) -> None:
    declared = {"CONTENT_LENGTH": str(62 * 1024 * 1024)}
    body = {"data": b"--x", "content_type": "multipart/form-data; boundary=x"}
    reply = visitor(app).post(PAGE, **body, environ_overrides=declared)
    assert reply.status_code == 413
    assert "more than 61 MB" in words_of(reply.text)
    assert entries(app) == []


def test_no_other_page_takes_so_much(app: Flask) -> None:
    reply = visitor(app).post("/q/checkout-of-shop-1", data={"comment": "x" * (9 * 1024 * 1024)})
    assert reply.status_code == 413


def test_an_entry_of_ten_thousand_characters_is_refused_in_words_and_stays(app: Flask) -> None:
    text = "Длинная жалоба. " * 625
    reply = send(visitor(app), PAGE, {**ENTRY, "text": text})
    assert reply.status_code == 422
    assert "too long: at most 4000 characters. Nothing was lost" in words_of(reply.text)
    assert text.strip() in words_of(reply.text)


def test_a_name_turns_no_words_around_and_runs_no_code(app: Flask) -> None:
    name = "\u202eАнна\u2066\n<b onclick=alert(1)>\u2069"
    assert send(visitor(app), PAGE, {**ENTRY, "name": name, "contact": "1", "consent": "true"}).status_code == 303
    assert entries(app)[0]["name"] == "Анна <b onclick=alert(1)>"
    wrong = send(visitor(app), PAGE, {**ENTRY, "name": name})
    assert "<b onclick" not in wrong.text


YOUNG = {**ENTRY, **CONTACT, "under_16": "true"}


def test_under_16_a_contact_is_kept_with_a_guardians_consent_alone(app: Flask) -> None:
    for own in ({}, {"consent": "true"}):
        reply = send(visitor(app), PAGE, {**YOUNG, **own})
        assert reply.status_code == 422
        assert "parent or guardian agrees" in words_of(reply.text)
        assert 'name="under_16" id="under_16" value="true" checked' in reply.text
    assert send(visitor(app), PAGE, {**YOUNG, "guardian": "true"}).status_code == 303
    [entry] = entries(app)
    assert (entry["consent_by"], entry["consent_version"], entry["name"]) == ("guardian", CONSENT_VERSION, "Анна")


def test_under_16_anybody_may_write_without_a_name(app: Flask) -> None:
    assert send(visitor(app), PAGE, {**ENTRY, "under_16": "true"}).status_code == 303
    assert entries(app)[0]["consent_by"] is None


def test_what_was_agreed_to_is_what_the_page_showed(app: Flask) -> None:
    typed = {**ENTRY, **CONTACT, "consent": "true"}
    page = visitor(app, "be").get(PAGE).text
    assert hidden(page, "consent_shown") == f"{CONSENT_VERSION} be"
    assert consents.shown(CONSENT_VERSION, "be").said["writer"] in words_of(page)
    assert send(visitor(app), PAGE, typed, consent_shown=f"{CONSENT_VERSION} be").status_code == 303
    assert send(visitor(app), PAGE, typed, consent_shown="99 xx").status_code == 303
    assert [entry["consent_language"] for entry in entries(app)] == ["be", "en"]
