"""Nothing of an entry is seen by a visitor, another store's manager or at a stranger's secret link, by any route."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.routing import Rule

from feedback_app.services import answers, book
from feedback_app.services.answers import Typed
from feedback_app.services.book import How, Photo
from feedback_app.storage.tables import BookEntry, BookPhoto, Case
from tests.builders import Chain, sign_in_as

WORDS, NAME, CONTACT, ANSWER = "Жырандоля", "Пелагея Незнакомая", "+375 29 765-43-21", "Кармашыдла"
OWN_SECRET, STRANGERS_SECRET = "o" * 32, "s" * 32
READERS = (None, "manager", "coordinator", "mystery_shopper")
SEEN_BY_ITS_WRITER = {WORDS, ANSWER}


def a_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (178, 65, 46)).save(out, format="JPEG")
    return out.getvalue()


def write(chain: Chain, store: str, secret: str, text: str, **more: object) -> UUID:
    entry_id = uuid4()
    how = How(secret=secret, photos=[Photo("image/jpeg", a_picture())])
    book.write_entry(chain.db, store, {"kind": "complaint", "text": text, **more}, entry_id, "ru", how)
    return entry_id


@pytest.fixture
def entry_id(app_chain: Chain) -> UUID:
    """An answered entry of store 002, with everything that an entry can hold."""
    written = write(app_chain, "002", OWN_SECRET, f"{WORDS} упала", name=NAME, contact=CONTACT, consent=True)
    director = app_chain.access("director")
    answers.send(
        app_chain.db, director, answers.case_for(app_chain.db, director, written), 1, Typed(f"{ANSWER} поднята")
    )
    write(app_chain, "001", STRANGERS_SECRET, "Чужая запись")
    return written


def values_of(app: Flask, entry_id: UUID) -> dict[str, str]:
    """What a route's variables are filled with, so that they name the entry wherever they can."""
    with app.extensions["otklik"].engine.connect() as connection:
        entry = connection.execute(sa.select(BookEntry.__table__).where(BookEntry.id == entry_id)).mappings().one()
        photo_id = connection.execute(sa.select(BookPhoto.id).where(BookPhoto.entry_id == entry_id)).scalar_one()
        case_id = connection.execute(sa.select(Case.id).where(Case.entry_id == entry_id)).scalar_one()
    return {
        "code": "002",
        "year": str(entry["year"]),
        "number": str(entry["number"]),
        "entry_id": str(entry_id),
        "response_id": str(entry_id),
        "photo_id": str(photo_id),
        "case_id": str(case_id),
        "secret": STRANGERS_SECRET,
        "slip": "made-up",
        "token": "visit-002",
        "what": "note",
        "stage": "deal",
        "device_id": "1",
        "template_id": "1",
        "key": "checkout",
        "name": "shell.js",
        "filename": "tokens.css",
    }


def routes(app: Flask, values: dict[str, str]) -> Iterator[tuple[Rule, str, str]]:
    """Every route with every method, its variables filled; a new variable has to be thought about above."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            missing = rule.arguments - set(values)
            assert not missing, f"{rule.rule}: the test fills no {missing}"
            built = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)
            for method in (rule.methods or set()) & {"GET", "POST"}:
                if built is not None and rule.endpoint != "security.logout":
                    yield rule, method, built[1]


def leaks(client: FlaskClient, method: str, path: str) -> set[str]:
    """Return what of the entry an answer holds; a picture or a PDF of it is as much as its words."""
    answer = client.open(path, method=method, follow_redirects=True, buffered=True)
    assert answer.status_code < 500, (method, path)
    said = answer.get_data()
    if answer.is_json:
        said = json.dumps(answer.get_json(), ensure_ascii=False).encode()
    found = {word for word in (WORDS, NAME, CONTACT, ANSWER) if word.encode() in said}
    whole = answer.status_code == 200 and answer.mimetype in ("image/jpeg", "application/pdf")
    return found | ({answer.mimetype} if whole else set())


@pytest.fixture
def open_app(app: Flask) -> Flask:
    """The app without the tokens of forms: whatever they keep out is not what is tested here."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.mark.parametrize("role", READERS)
def test_nobody_else_sees_anything_of_an_entry_by_any_route(open_app: Flask, entry_id: UUID, role: str | None) -> None:
    client = open_app.test_client()
    if role is not None:
        open_app.config["WTF_CSRF_ENABLED"] = True
        sign_in_as(client, role)
        open_app.config["WTF_CSRF_ENABLED"] = False
    values = values_of(open_app, entry_id)
    seen = {
        (method, path): found
        for _, method, path in routes(open_app, values)
        if (found := leaks(client, method, path)) and not path.endswith(".pdf")
    }
    assert seen == {}
    assert client.get(f"/register/002/{values['year']}/{values['number']}.pdf").status_code in (302, 403, 404)
    assert client.get("/register/002.pdf").status_code in (302, 403, 404)
    with open_app.extensions["otklik"].engine.connect() as connection:
        row = connection.execute(sa.select(BookEntry.__table__).where(BookEntry.id == entry_id)).mappings().one()
    assert (row["name"], row["contact"]) == (NAME, CONTACT), "nothing was erased or changed either"


def test_those_who_may_do_see_it(open_app: Flask, entry_id: UUID) -> None:
    """Without this the test above could look at nothing."""
    values = values_of(open_app, entry_id)
    writer = open_app.test_client().get(f"/book/002/follow/{OWN_SECRET}").get_data(as_text=True)
    assert {word for word in (WORDS, NAME, CONTACT, ANSWER) if word in writer} == SEEN_BY_ITS_WRITER
    open_app.config["WTF_CSRF_ENABLED"] = True
    director = sign_in_as(open_app.test_client(), "director")
    found = {path: leaks(director, "GET", path) for _, method, path in routes(open_app, values) if method == "GET"}
    shown = {path for path, what in found.items() if what}
    assert {
        f"/register/002/{values['year']}/{values['number']}",
        f"/register/002/{values['year']}/{values['number']}.pdf",
        f"/register/photos/{values['photo_id']}",
        f"/cases/{values['case_id']}",
        "/api/v1/responses",
        "/register",
    } <= shown


@pytest.mark.parametrize("store", ["001", "002"])
def test_a_secret_opens_its_own_entry_in_its_own_store_alone(open_app: Flask, entry_id: UUID, store: str) -> None:
    client = open_app.test_client()
    for secret in (OWN_SECRET, STRANGERS_SECRET):
        page = client.get(f"/book/{store}/follow/{secret}")
        own = (store, secret) in {("002", OWN_SECRET), ("001", STRANGERS_SECRET)}
        assert page.status_code == (200 if own else 404)
        assert (re.search(WORDS, page.get_data(as_text=True)) is not None) == (own and store == "002")
