"""Staff correct what the model read on a page that shows both, and come back to where they were."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from feedback_app.domain.access import SYSTEM
from feedback_app.services import corrections, counting
from feedback_app.storage.tables import MentionRow, Response
from feedback_app.web.returning import is_ours
from tests.builders import Chain, csrf_of
from tests.web.scene import text_of, title_of

SignIn = Callable[[str], FlaskClient]
TEXT = "Очередь на кассе ужасная, стояли полчаса."


@pytest.fixture
def response_id(app_chain: Chain) -> UUID:
    return app_chain.a_tap(1, comment=TEXT)


@pytest.fixture
def manager(sign_in: SignIn) -> FlaskClient:
    return sign_in("manager")


def address(response_id: UUID, **query: str) -> str:
    return f"/comments/{response_id}/correct?" + "&".join(f"{key}={value}" for key, value in query.items())


def opened(client: FlaskClient, response_id: UUID, **query: str) -> str:
    answer = client.get(address(response_id, **{"lang": "en", **query}))
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def fields_of(page: str) -> dict[str, str]:
    """Return what the form would send as it stands."""
    form = page[page.index('class="form correction"') :]
    sent = dict(re.findall(r'<input type="hidden" name="(mentions-\d+-aspect)" value="([^"]*)"', form))
    for name, options in re.findall(r'<select id="[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        sent[name] = chosen[1] if chosen else ""
    checked = re.search(r'type="radio" value="(\w+)" checked', form)
    return {**sent, "label": checked[1] if checked else "", "csrf_token": csrf_of(form)}


def row_for(fields: dict[str, str], aspect: str) -> str:
    """Return the name of the field that says how an aspect is spoken of."""
    return next(name for name, value in fields.items() if value == aspect).replace("aspect", "label")


def send(client: FlaskClient, response_id: UUID, query: dict[str, str] | None = None, **typed: str) -> TestResponse:
    page = opened(client, response_id, **(query or {}))
    fields = {**fields_of(page), **{name.replace("__", "-"): value for name, value in typed.items()}}
    return client.post(address(response_id, **(query or {})), data=fields)


def read(chain: Chain, response_id: UUID) -> tuple[Any, dict[str, float | None]]:
    with chain.db.read(SYSTEM) as session:
        label = session.scalar(sa.select(Response.sentiment_label).where(Response.id == response_id))
        query = sa.select(MentionRow).where(MentionRow.response_id == response_id)
        return label, {row.aspect: row.polarity for row in session.scalars(query)}


def test_the_page_shows_the_comment_and_what_the_model_read(manager: FlaskClient, response_id: UUID) -> None:
    page = opened(manager, response_id)
    assert title_of(page) == "The model read this comment as unhappy"
    assert TEXT in text_of(page)
    assert "<mark" in page
    table = text_of(page[page.index('class="table read"') :].partition("</table>")[0])
    assert "Queue" in table
    assert "unhappy −" in table
    assert "Deal" in table


def test_a_label_and_an_aspect_are_corrected_together(
    app_chain: Chain, manager: FlaskClient, response_id: UUID
) -> None:
    fields = fields_of(opened(manager, response_id))
    more = sum(name.endswith("-aspect") for name in fields) - 3
    changed = {
        row_for(fields, "queue"): "neutral",
        f"mentions-{more}-aspect": "staff",
        f"mentions-{more}-label": "positive",
    }
    answer = send(manager, response_id, label="positive", **{name.replace("-", "__"): v for name, v in changed.items()})
    assert answer.status_code == 303
    label, mentions = read(app_chain, response_id)
    assert label == "positive"
    assert (mentions["queue"], mentions["staff"]) == (0.0, 0.6)
    assert counting.verify(app_chain.db) == []
    page = manager.get("/map/stage/deal?lang=en").get_data(as_text=True)
    assert "Kept: the comment now counts as you say." in page
    assert "content corrected" in text_of(page)
    assert title_of(opened(manager, response_id)) == "Corrected: this comment counts as content"


def test_an_aspect_that_is_not_spoken_of_goes(app_chain: Chain, manager: FlaskClient, response_id: UUID) -> None:
    row = row_for(fields_of(opened(manager, response_id)), "queue").replace("-", "__")
    send(manager, response_id, **{row: ""})
    assert "queue" not in read(app_chain, response_id)[1]
    fields = fields_of(opened(manager, response_id))
    assert fields[row_for(fields, "queue")] == "", "what was taken away can be brought back"
    send(manager, response_id, **{row: "negative"})
    assert "queue" in read(app_chain, response_id)[1]


def correction(chain: Chain, response_id: UUID) -> tuple[str | None, Any]:
    made = corrections.look(chain.db, chain.access("manager"), response_id).made
    assert made is not None
    return made.correction.label, made.correction.mentions


def test_what_is_left_as_it_was_read_stays_with_the_model(
    app_chain: Chain, manager: FlaskClient, response_id: UUID
) -> None:
    send(manager, response_id, label="neutral")
    assert correction(app_chain, response_id) == ("neutral", None)


def test_what_was_corrected_before_stays_corrected_though_the_model_reads_it_so_now(
    app_chain: Chain, manager: FlaskClient, response_id: UUID
) -> None:
    send(manager, response_id, label="neutral")
    send(manager, response_id, label="negative")
    assert correction(app_chain, response_id) == ("negative", None)


def test_nothing_changed_is_nothing_kept(app_chain: Chain, manager: FlaskClient, response_id: UUID) -> None:
    answer = send(manager, response_id)
    assert answer.status_code == 422
    assert "Nothing differs from what was read" in answer.get_data(as_text=True)
    assert corrections.look(app_chain.db, app_chain.access("manager"), response_id).made is None


def test_a_mistake_is_told_at_its_field_and_what_was_chosen_is_kept(
    app_chain: Chain, manager: FlaskClient, response_id: UUID
) -> None:
    fields = fields_of(opened(manager, response_id))
    more = sum(name.endswith("-aspect") for name in fields) - 3
    typed = {f"mentions__{more}__aspect": "price", f"mentions__{more + 1}__aspect": "queue"}
    typed[f"mentions__{more + 1}__label"] = "positive"
    answer = send(manager, response_id, label="neutral", **typed)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    kept = fields_of(page)
    assert (kept["label"], kept[f"mentions-{more}-aspect"]) == ("neutral", "price")
    assert kept[f"mentions-{more + 1}-aspect"] == "queue"
    for field, words in (
        (f"mentions-{more}-label", "This needs an answer."),
        (f"mentions-{more + 1}-aspect", "This already stands above."),
    ):
        assert f'aria-describedby="{field}-problem"' in page
        assert words in page[page.index(f'id="{field}-problem"') :].partition("</p>")[0]
    assert "Not kept yet" in page
    assert read(app_chain, response_id)[0] == "negative"
    russian = manager.post(address(response_id, lang="ru"), data={**fields, "label": "loud"})
    assert "Выберите один из показанных ответов" in russian.get_data(as_text=True)


def test_a_form_that_nobody_drew_breaks_nothing(app_chain: Chain, manager: FlaskClient, response_id: UUID) -> None:
    token = fields_of(opened(manager, response_id))["csrf_token"]
    many = {f"mentions-{number}-aspect": "queue" for number in range(500)}
    strange: list[dict[str, str]] = [
        {"mentions-0-aspect": "weather", "mentions-0-label": "negative"},
        {"mentions-0-label": "negative"},
        {"mentions-9-aspect": "price", "mentions-9-label": "loud"},
        {"mentions-x-aspect": "price"},
        {**many, "mentions-0-label": "negative", "mentions-1-label": "negative"},
        {"label": "x" * 5000},
    ]
    for fields in strange:
        answer = manager.post(address(response_id, lang="en"), data={"csrf_token": token, **fields})
        assert answer.status_code in (303, 422), fields
    assert counting.verify(app_chain.db) == []


def test_without_the_form_s_token_nothing_is_changed(app_chain: Chain, manager: FlaskClient, response_id: UUID) -> None:
    for path in (f"/comments/{response_id}/correct", f"/comments/{response_id}/correct/undo"):
        assert manager.post(path, data={"label": "positive"}).status_code == 400
    assert read(app_chain, response_id)[0] == "negative"


def test_a_correction_is_undone_with_one_button(app_chain: Chain, manager: FlaskClient, response_id: UUID) -> None:
    assert "Undo the correction" not in opened(manager, response_id)
    before = read(app_chain, response_id)
    send(manager, response_id, label="positive")
    page = opened(manager, response_id)
    assert f"by {app_chain.access('manager').actor}" in text_of(page)
    path = re.search(r'action="(/comments/[^"]+/undo[^"]*)"', page)
    assert path
    answer = manager.post(path[1], data={"csrf_token": csrf_of(page)})
    assert answer.status_code == 303
    after = manager.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Undone: the comment counts as the model reads it." in after
    assert "Undo the correction" not in after
    assert read(app_chain, response_id) == before


def test_the_reader_comes_back_to_the_list_at_the_comment(manager: FlaskClient, response_id: UUID) -> None:
    page = manager.get("/map/touchpoint/checkout?days=90&lang=en").get_data(as_text=True)
    link = re.search(r'class="correct" href="([^"]+)"', page)
    assert link
    assert link[1] == f"/comments/{response_id}/correct?next=/map/touchpoint/checkout?days%3D90"
    answer = send(manager, response_id, {"next": "/map/touchpoint/checkout?days%3D90"}, label="neutral")
    assert answer.headers["Location"] == f"/map/touchpoint/checkout?days=90#comment-{response_id}"
    assert send(manager, response_id, label="positive").headers["Location"].startswith("/map/stage/deal#comment-")


def test_nobody_is_led_to_another_site(manager: FlaskClient, response_id: UUID) -> None:
    for target in ("https://evil.example/", "//evil.example/", "/%5Cevil.example", "/%09/evil.example", "evil"):
        page = opened(manager, response_id, next=target)
        assert "evil" not in page.partition("<main")[2]
        answer = send(manager, response_id, {"next": target}, label="neutral")
        assert (answer.headers.get("Location") or "/map/").startswith("/map/")


def test_an_address_of_ours_is_a_plain_path() -> None:
    assert is_ours("/")
    assert is_ours("/map/stage/deal?days=90&store=001")
    assert is_ours("/shop/map", "/shop")
    for target in ("", "map", "//x", "/\\x", "\\/x", "http://x/", "javascript:alert(1)", "/a\nb", "/a b", "/a#b"):
        assert not is_ours(target)
    assert not is_ours("/elsewhere", "/shop")


@pytest.mark.parametrize("role", ["director", "admin"])
def test_who_reads_words_finds_the_link_under_each_comment(
    app_chain: Chain, sign_in: SignIn, response_id: UUID, role: str
) -> None:
    client = sign_in(role)
    for path in ("/", "/map/stage/deal", "/map/touchpoint/checkout"):
        assert f'href="/comments/{response_id}/correct' in client.get(path).get_data(as_text=True), path


def test_a_comment_of_another_store_is_not_there(app_chain: Chain, manager: FlaskClient, response_id: UUID) -> None:
    other = app_chain.a_tap(1, comment=TEXT, store="002")
    token = csrf_of(opened(manager, response_id))
    for unknown in (other, uuid4(), app_chain.a_tap(4)):
        assert manager.get(address(unknown)).status_code == 404
        for path in (address(unknown), f"/comments/{unknown}/correct/undo"):
            assert manager.post(path, data={"label": "positive", "csrf_token": token}).status_code == 404
    assert manager.get("/comments/1/correct").status_code == 404
    assert read(app_chain, other)[0] == "negative"


@pytest.mark.parametrize(
    ("language", "title"),
    [("ru", "Модель сочла этот комментарий недовольным"), ("be", "Мадэль палічыла гэты каментар незадаволеным")],
)
def test_the_page_speaks_the_reader_s_language(
    manager: FlaskClient, response_id: UUID, language: str, title: str
) -> None:
    assert title_of(opened(manager, response_id, lang=language)) == title


def test_a_comment_that_no_model_could_read_can_be_corrected(
    app: Flask, app_chain: Chain, manager: FlaskClient
) -> None:
    response_id = app_chain.a_tap(1, comment="行列が長い")
    page = opened(manager, response_id)
    assert title_of(page) == "The model could not read this comment"
    assert fields_of(page)["label"] == ""
    assert send(manager, response_id, label="negative", mentions__0__aspect="queue", mentions__0__label="negative")
    assert read(app_chain, response_id) == ("negative", {"queue": -0.6})
