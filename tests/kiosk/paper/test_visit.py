"""A mystery shopper's checklist: filled once, by the one it belongs to, and scored as the checklist says."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from tests.kiosk.paper_scene import (
    CHECKLIST,
    OTHER_SHOPPER,
    VISIT,
    breaks_the_policy,
    hidden,
    send,
    sign_in,
    stored,
    visitor,
    words_of,
)

PAGE = f"/visit/{VISIT}"
ANSWERS = {
    "clean": "yes",
    "open_on_time": "yes",
    "wait": "95",
    "greeting": "answer",
    "receipt": "yes",
    "remark": "Касса у входа закрыта",
}


def responses(app: Flask) -> list[dict[str, Any]]:
    return stored(app.extensions["otklik"])


def test_a_visit_is_opened_after_signing_in(app: Flask) -> None:
    reply = visitor(app).get(PAGE)
    assert reply.status_code == 302
    assert "/login" in reply.location
    assert visitor(app).post(PAGE, data=ANSWERS).status_code == 302
    assert responses(app) == []


def test_a_visit_belongs_to_one_shopper(app: Flask) -> None:
    client = sign_in(app, OTHER_SHOPPER)
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, data=ANSWERS).status_code == 404
    assert responses(app) == []


def test_the_checklist_shows_every_criterion_with_its_points_and_which_are_critical(app: Flask) -> None:
    page = words_of(sign_in(app).get(PAGE).text)
    for section in CHECKLIST["sections"]:
        assert section["title"]["en"] in page
        for question in section["questions"]:
            assert question["text"]["en"] in page
            assert f'name="{question["key"]}"' in page
    assert page.count("</svg>critical") == 2
    assert "weight 1.5" in page
    assert breaks_the_policy(page) == []


def test_a_visit_handed_in_shows_its_score(app: Flask) -> None:
    client = sign_in(app)
    reply = send(client, PAGE, ANSWERS)
    assert (reply.status_code, reply.location) == (303, PAGE)
    page = words_of(client.get(PAGE).text)
    # (2 + 3 + 1.5 x (5 + 2 + 2)) of (2 + 3 + 1.5 x (5 + 4 + 2)), in hundreds: 86.05
    assert '<span class="score-figure">86</span>' in page
    assert "Critical criteria that failed" not in page
    [row] = responses(app)
    assert row["channel"] == "mystery"
    assert row["answers"]["wait"] == 95
    assert row["score"] == pytest.approx(18.5 / 21.5 * 100, abs=0.001)


def test_what_does_not_apply_leaves_the_score(app: Flask) -> None:
    client = sign_in(app)
    page = client.get(PAGE).text
    kept = [(name, hidden(page, name)) for name in ("csrf_token", "response_id")]
    values = MultiDict([*kept, *{**ANSWERS, "receipt": "na", "greeting": "na", "wait": ""}.items(), ("wait", "na")])
    assert client.post(PAGE, data=values).status_code == 303
    [row] = responses(app)
    assert (row["answers"]["wait"], row["score"]) == ("na", 100)


def test_a_failed_critical_criterion_is_named(app: Flask) -> None:
    client = sign_in(app)
    send(client, PAGE, {**ANSWERS, "open_on_time": "no", "receipt": "no"})
    page = words_of(client.get(PAGE).text)
    assert '<span class="score-figure">0</span>' in page
    assert "2 critical criteria failed" in page
    assert "The store is open on time" in page
    assert "sets the whole visit to 0" in page
    assert "sets its section to 0" in page


def test_a_second_hand_in_changes_nothing_and_leads_to_the_result(app: Flask) -> None:
    client = sign_in(app)
    page = client.get(PAGE).text
    kept = {name: hidden(page, name) for name in ("csrf_token", "response_id")}
    for values in (ANSWERS, ANSWERS, {**ANSWERS, "clean": "no"}):
        assert client.post(PAGE, data={**kept, **values}).status_code == 303
    [row] = responses(app)
    assert row["answers"]["clean"] == "yes"


def test_an_unanswered_criterion_is_named_and_nothing_typed_is_lost(app: Flask) -> None:
    reply = send(sign_in(app), PAGE, {**ANSWERS, "receipt": "", "wait": "две минуты"})
    page = words_of(reply.text)
    assert reply.status_code == 422
    assert 'id="q-receipt-error"' in page
    assert 'id="q-wait-error"' in page
    assert 'value="две минуты"' in page
    assert "Касса у входа закрыта</textarea>" in page
    assert 'value="answer" id="q-greeting-answer" checked' in page
    assert responses(app) == []


def test_a_page_open_too_long_comes_back_with_everything(app: Flask) -> None:
    reply = send(sign_in(app), PAGE, ANSWERS, csrf_token="of-yesterday")
    assert reply.status_code == 422
    assert "The page was open too long" in reply.text
    assert "Касса у входа закрыта</textarea>" in words_of(reply.text)
    assert responses(app) == []
