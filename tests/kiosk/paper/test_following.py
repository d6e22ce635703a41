"""The secret link: its writer follows the answer there and judges it; nobody else sees anything."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.domain.access import Access, Right
from feedback_app.services import counting, register
from feedback_app.services.register import keeper_of
from feedback_app.storage import register as stored
from feedback_app.storage.tables import BookEntry, Case, RegisterLink
from tests.kiosk.paper_scene import breaks_the_policy, hidden, send, visitor, words_of

PAGE = "/book/001"
ENTRY = {"kind": "complaint", "text": "Очередь <b>до входа</b> & без конца"}
SECRET = "a" * 22
ANSWER = "Мы открыли ещё одну кассу."


def rows(app: Flask, table: Any, *order: Any) -> list[dict[str, Any]]:
    with app.extensions["otklik"].engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table.__table__).order_by(*order)).mappings()]


def write(app: Flask, secret: str | None = None, page: str = PAGE, **more: str) -> tuple[FlaskClient, str]:
    """Write an entry; return the browser and the path of its link."""
    client = visitor(app)
    reply = send(client, page, {**ENTRY, **more}, **({} if secret is None else {"secret": secret}))
    assert reply.status_code == 303, words_of(reply.text)
    found = re.search(r"data-link>https?://[^/]+([^<]+)<", client.get(reply.location).text)
    assert found
    return client, found[1]


def answer(app: Flask, text: str = ANSWER, status: str = "answered") -> None:
    """Send an answer as staff do."""
    db = app.extensions["otklik"]

    def work(connection: Connection) -> None:
        case = connection.execute(sa.select(Case.__table__)).mappings().one()
        values = {"status": status, "answered_at": datetime.now(UTC), "closed_at": datetime.now(UTC)}
        connection.execute(sa.update(Case.__table__).values(values))
        told, words = {"way": "link", "language": "ru"}, {"text": text}
        at = datetime.now(UTC)
        stored.append_case(connection, keeper_of(db), case["id"], rules.ANSWER, at, "user:1", told=told, words=words)

    db.write(work)


def judge(client: FlaskClient, link: str, verdict: str, **more: str) -> Any:
    token = hidden(client.get(link).text, "csrf_token")
    return client.post(link, data={"csrf_token": token, "verdict": verdict, **more})


def in_order(app: Flask) -> bool:
    db = app.extensions["otklik"]
    return register.verify(db).findings == () and counting.verify(db) == []


def test_the_receipt_shows_a_link_and_its_code_and_the_link_shows_the_entry(app: Flask) -> None:
    client, link = write(app)
    page = client.get(link).text
    assert "<b>до" not in page
    assert "&lt;b&gt;до входа&lt;/b&gt; &amp; без конца" in page
    assert "There is no answer yet" in page
    assert "№ 1 of" in page
    assert breaks_the_policy(page) == []
    secret = link.rsplit("/", 1)[1]
    assert len(secret) >= 22
    [entry] = rows(app, BookEntry)
    assert secret not in str(entry), "the database cannot tell the link"


def test_the_browser_may_make_the_secret(app: Flask) -> None:
    assert write(app, SECRET)[1] == f"{PAGE}/follow/{SECRET}"


def test_who_sends_the_form_alone_gets_a_secret_from_the_server(app: Flask) -> None:
    client = visitor(app)
    token = hidden(client.get(PAGE).text, "csrf_token")
    reply = client.post(PAGE, data={**ENTRY, "csrf_token": token})
    assert reply.status_code == 303
    assert "data-link" in client.get(reply.location).text


@pytest.mark.parametrize("secret", ["short", "a" * 65, "a" * 21 + "!", "ключ" * 8, "a" * 30 + "\n"])
def test_a_secret_that_is_none_is_refused_and_the_page_gets_another(app: Flask, secret: str) -> None:
    client = visitor(app)
    reply = send(client, PAGE, ENTRY, secret=secret)
    assert reply.status_code == 422
    assert "It has a new one now" in words_of(reply.text)
    kept = {name: hidden(reply.text, name) for name in ("csrf_token", "response_id", "secret")}
    assert client.post(PAGE, data={**ENTRY, **kept}).status_code == 303


def test_a_secret_opens_one_entry_alone(app: Flask) -> None:
    write(app, SECRET)
    client = visitor(app)
    reply = send(client, PAGE, {**ENTRY, "text": "Другое"}, secret=SECRET)
    assert reply.status_code == 422
    assert "was used before" in words_of(reply.text)
    assert "Другое" in reply.text
    kept = {name: hidden(reply.text, name) for name in ("csrf_token", "response_id", "secret")}
    assert kept["secret"] != SECRET
    assert client.post(PAGE, data={**ENTRY, "text": "Другое", **kept}).status_code == 303
    assert [row["number"] for row in rows(app, BookEntry, BookEntry.number)] == [1, 2]
    assert in_order(app)


def test_a_page_sent_again_with_another_secret_tells_no_link_that_leads_nowhere(app: Flask) -> None:
    client = visitor(app)
    page = client.get(PAGE).text
    kept = {name: hidden(page, name) for name in ("csrf_token", "response_id")}
    first = client.post(PAGE, data={**ENTRY, **kept, "secret": SECRET})
    again = client.post(PAGE, data={**ENTRY, **kept, "secret": "b" * 22})
    assert "data-link" in client.get(first.location).text
    assert "data-link" not in client.get(again.location).text
    assert len(rows(app, BookEntry)) == 1


def test_a_strangers_link_is_like_any_unknown_address(app: Flask) -> None:
    _, link = write(app, SECRET, name="Анна", contact="anna@example.by", consent="true")
    client = visitor(app)
    unknown = words_of(client.get("/book/001/no/such/page").text)
    for address in (link[:-1] + "b", link[:-3], link.replace("/001/", "/002/"), f"{PAGE}/follow/{'x' * 65}"):
        reply = client.get(address)
        assert reply.status_code == 404, address
        assert ENTRY["text"][:7] not in reply.text
        assert re.findall(r"<h1.*?</h1>", reply.text) == re.findall(r"<h1.*?</h1>", unknown)
        token = hidden(client.get(PAGE).text, "csrf_token")
        assert client.post(address, data={"csrf_token": token, "verdict": "suits"}).status_code == 404


def test_the_link_shows_no_name_and_no_contact(app: Flask) -> None:
    client, link = write(app, name="Анна", contact="anna@example.by", consent="true")
    page = client.get(link).text
    assert "Анна" not in page
    assert "anna@" not in page


def test_a_secret_address_is_told_and_kept_nowhere(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    client, link = write(app, SECRET)
    slip = send(visitor(app), PAGE, ENTRY).location
    for address in (link, link + "x" * 60, slip):
        headers = client.get(address).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "noindex" in headers["X-Robots-Tag"]
    assert SECRET not in caplog.text


def test_an_answer_stands_at_the_link_and_can_be_judged_with_one_tap(app: Flask) -> None:
    client, link = write(app)
    assert 'name="verdict"' not in client.get(link).text
    answer(app)
    page = client.get(link).text
    assert ANSWER in page
    assert judge(client, link, "suits").status_code == 303
    assert "You said: the answer suits me." in client.get(link).text
    [case] = rows(app, Case)
    assert (case["accepted"], case["status"]) == (True, "answered")
    [link_of] = [row for row in rows(app, RegisterLink, RegisterLink.position) if row["kind"] == "verdict"]
    assert (json.loads(link_of["facts"])["accepted"], link_of["actor"]) == (True, "writer")
    assert in_order(app)


def test_an_answer_that_does_not_suit_opens_the_case_again(app: Flask) -> None:
    client, link = write(app)
    answer(app, status="closed")
    words = "Касса закрыта <i>снова</i>"
    assert judge(client, link, "does_not", words=words).status_code == 303
    assert judge(client, link, "does_not", words=words).status_code == 303
    [case] = rows(app, Case)
    assert (case["accepted"], case["status"], case["closed_at"]) == (False, "reopened", None)
    verdicts = [row for row in rows(app, RegisterLink, RegisterLink.position) if row["kind"] == "verdict"]
    assert [json.loads(row["words"]) for row in verdicts] == [{"text": words}], "said twice, told once"
    assert judge(client, link, "suits").status_code == 303
    assert rows(app, Case)[0]["accepted"] is True
    assert in_order(app)


def test_before_an_answer_and_a_month_after_it_there_is_nothing_to_judge(app: Flask) -> None:
    client, link = write(app)
    token = hidden(client.get(PAGE).text, "csrf_token")
    reply = client.post(link, data={"csrf_token": token, "verdict": "suits"})
    assert reply.status_code == 422
    assert "no answer yet" in words_of(reply.text)
    answer(app)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31), tick=False):
        assert 'name="verdict"' not in client.get(link).text
        token = hidden(client.get(PAGE).text, "csrf_token")
        reply = client.post(link, data={"csrf_token": token, "verdict": "suits"})
    assert reply.status_code == 422
    assert "30 days" in words_of(reply.text)
    assert rows(app, Case)[0]["accepted"] is None


def test_too_many_words_on_the_answer_are_named_and_stay(app: Flask) -> None:
    client, link = write(app)
    answer(app)
    reply = judge(client, link, "does_not", words="я" * 1001)
    assert reply.status_code == 422
    assert "at most 1000 characters" in words_of(reply.text)
    assert "я" * 1001 in words_of(reply.text)


def test_a_verdict_needs_the_pages_token_and_a_known_word(app: Flask) -> None:
    client, link = write(app)
    answer(app)
    assert client.post(link, data={"verdict": "suits"}).status_code == 422
    assert judge(client, link, "perhaps").status_code == 400
    assert rows(app, Case)[0]["accepted"] is None


def test_erased_words_are_told_as_erased(app: Flask) -> None:
    client, link = write(app)
    answer(app)
    director = Access(rights=frozenset(Right), stores=None, user_id=1)
    [entry] = rows(app, BookEntry)
    register.erase_entry(app.extensions["otklik"], director, entry["id"], ["text"], "asked for")
    page = client.get(link).text
    assert "The words of this entry were erased." in page
    assert "The words of this answer were erased." in page
    assert ANSWER not in page
    assert in_order(app)
