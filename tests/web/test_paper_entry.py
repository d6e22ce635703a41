"""Staff copy an entry of the paper book: the same rules, a number of the register, the term from the paper's date."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from feedback_app.services import counting, register
from feedback_app.services.terms import due_on
from feedback_app.storage.tables import BookEntry, BookPhoto, Case, RegisterLink
from tests.builders import csrf_of
from tests.services.test_pictures import a_picture

PAGE = "/register/paper/001"
TODAY = datetime.now(UTC).date()
ENTRY = {"kind": "claim", "text": "Верните деньги за чайник", "paper_number": "17", "paper_on": str(TODAY)}
SignIn = Callable[[str], FlaskClient]


def rows(app: Flask, table: Any) -> list[Any]:
    with app.extensions["otklik"].engine.connect() as connection:
        return list(connection.execute(sa.select(table.__table__)).all())


def send(client: FlaskClient, **changed: Any) -> Any:
    client.set_cookie("lang", "en")
    token = csrf_of(client.get(PAGE).text)
    return client.post(PAGE, data={**ENTRY, "csrf_token": token, **changed})


def test_a_copy_gets_a_number_to_write_beside_the_entry(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("manager")
    reply = send(client, photos=[(io.BytesIO(a_picture("JPEG")), "page.jpg")])
    assert reply.status_code == 303
    page = client.get(reply.location).text
    assert f"Entry № 1 of {TODAY.year}" in page
    assert "entry 17" in page
    [entry], [photo], [case] = (rows(app, table) for table in (BookEntry, BookPhoto, Case))
    assert (entry.source, entry.paper_number, entry.paper_on) == ("paper", "17", TODAY)
    assert (photo.entry_id, case.entry_id, entry.secret_hash) == (entry.id, entry.id, None)
    first = next(link for link in rows(app, RegisterLink) if link.kind == "entry")
    assert first.actor.startswith("user:")
    db = app.extensions["otklik"]
    assert register.verify(db).findings == ()
    assert counting.verify(db) == []


@pytest.mark.parametrize("back", [0, 3, 10])
def test_the_term_runs_from_the_day_in_the_paper_book(app: Flask, sign_in: SignIn, back: int) -> None:
    written_on = TODAY - timedelta(days=back)
    assert send(sign_in("manager"), paper_on=str(written_on)).status_code == 303
    [entry] = rows(app, BookEntry)
    with app.extensions["otklik"].engine.connect() as connection:
        assert entry.due_on == due_on(connection, written_on, "BY", "claim")


def test_without_a_date_the_term_runs_from_today(app: Flask, sign_in: SignIn) -> None:
    assert send(sign_in("manager"), paper_on="", paper_number="").status_code == 303
    [entry] = rows(app, BookEntry)
    assert (entry.paper_on, entry.paper_number) == (None, None)
    assert entry.due_on > TODAY


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": ""}, "This needs an answer."),
        ({"kind": ""}, "This needs an answer."),
        ({"text": "x" * 4001}, "at most 4000 characters"),
        ({"paper_on": str(TODAY + timedelta(days=3))}, "after today or more than 366 days back"),
        ({"paper_on": str(date(1926, 11, 22))}, "after today or more than 366 days back"),
        ({"paper_on": "вчера"}, "The date cannot be read"),
        ({"paper_number": "1" * 41}, "at most 40 characters"),
        ({"name": "Анна"}, "where the writer agreed on paper"),
        ({"photos": [(io.BytesIO(b"no photo"), "page.txt")]}, "is no photo that can be read"),
    ],
)
def test_a_wrong_copy_is_named_and_nothing_typed_is_lost(
    app: Flask, sign_in: SignIn, changed: dict[str, Any], said: str
) -> None:
    reply = send(sign_in("manager"), **changed)
    assert reply.status_code == 422
    assert said in reply.text
    assert changed.get("text", ENTRY["text"]) in reply.text
    assert rows(app, BookEntry) == []


def test_a_contact_is_copied_where_the_writer_agreed_on_paper(app: Flask, sign_in: SignIn) -> None:
    assert send(sign_in("manager"), name="Анна", contact="+375 29", consent="y").status_code == 303
    [entry] = rows(app, BookEntry)
    assert (entry.name, entry.consent_by, entry.consent_language) == ("Анна", "paper", "en")


def test_a_page_sent_twice_is_one_copy(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("manager")
    twice = [send(client, response_id="0198c5f0-0000-7000-8000-000000000001").status_code for _ in range(2)]
    assert twice == [303, 303]
    assert len(rows(app, BookEntry)) == 1


def test_only_those_who_work_on_cases_of_the_store_may_copy(app: Flask, sign_in: SignIn) -> None:
    manager = sign_in("manager")
    assert manager.get("/register/paper/002").status_code == 404
    assert manager.get("/register/paper").location == PAGE
    assert sign_in("coordinator").get(PAGE).status_code == 403
    assert app.test_client().get(PAGE).status_code == 302
    director = sign_in("director")
    assert all(f"/register/paper/{code}" in director.get("/register/paper").text for code in ("001", "002", "003"))
    reply = send(director)
    entry = reply.location.rsplit("/", 1)[1]
    assert manager.get(f"/register/paper/002/written/{entry}").status_code == 404
    assert director.get(f"/register/paper/002/written/{entry}").status_code == 404
