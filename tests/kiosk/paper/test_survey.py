"""The survey on a shopper's phone: nothing typed is lost, nothing is counted twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.kiosk.paper_scene import (
    SURVEY,
    TOKEN,
    breaks_the_policy,
    hidden,
    send,
    set_point,
    stored,
    visitor,
    words_of,
)

PAGE = f"/q/{TOKEN}"
ANSWERS = {
    "smiley": "2",
    "reason": "queue",
    "effort": "5",
    "stars": "3",
    "recommend": "7",
    "helped": "no",
    "waited": "12,5",
    "comment": "Одна касса из пяти",
    "quote": "true",
}


def responses(app: Flask) -> list[dict[str, Any]]:
    return stored(app.extensions["otklik"])


@pytest.mark.parametrize(
    ("language", "place"), [("ru", "Магазин на Немиге"), ("be", "Крама на Нямізе"), ("en", "Niamiha")]
)
def test_the_survey_asks_in_the_shoppers_language(app: Flask, language: str, place: str) -> None:
    page = visitor(app, language).get(PAGE)
    assert page.status_code == 200
    assert place in page.text
    assert f'<html lang="{language}"' in page.text
    for question in SURVEY["sections"][0]["questions"]:
        assert question["text"][language] in words_of(page.text)
        assert f'name="{question["key"]}"' in page.text


def test_answers_arrive_as_the_contract_types_them(app: Flask) -> None:
    reply = send(visitor(app, "be"), PAGE, ANSWERS)
    assert (reply.status_code, reply.location) == (303, f"{PAGE}/thanks")
    [row] = responses(app)
    assert row["answers"] == {
        "smiley": 2,
        "reason": "queue",
        "effort": 5,
        "stars": 3,
        "recommend": 7,
        "helped": "no",
        "waited": 12.5,
        "comment": "Одна касса из пяти",
        "quote": True,
    }
    assert (row["channel"], row["language"]) == ("qr", "be")


def test_one_answer_is_enough(app: Flask) -> None:
    assert send(visitor(app), PAGE, {"smiley": "4"}).status_code == 303
    assert [row["answers"] for row in responses(app)] == [{"smiley": 4}]


def test_the_answer_to_a_question_that_was_not_asked_is_left_out(app: Flask) -> None:
    assert send(visitor(app), PAGE, {"smiley": "4", "reason": "queue"}).status_code == 303
    assert [row["answers"] for row in responses(app)] == [{"smiley": 4}]


def test_reloading_the_thanks_sends_nothing_again(app: Flask) -> None:
    client = visitor(app)
    reply = send(client, PAGE, ANSWERS)
    for _ in range(2):
        assert client.get(reply.location).status_code == 200
    assert len(responses(app)) == 1


def test_a_page_sent_twice_is_one_response(app: Flask) -> None:
    client = visitor(app)
    page = client.get(PAGE).text
    values = {**ANSWERS, **{name: hidden(page, name) for name in ("csrf_token", "response_id")}}
    assert [client.post(PAGE, data=values).status_code for _ in range(3)] == [303, 303, 303]
    assert len(responses(app)) == 1


def test_a_page_sent_again_with_other_answers_says_so_and_can_be_sent_too(app: Flask) -> None:
    client = visitor(app)
    page = client.get(PAGE).text
    kept = {name: hidden(page, name) for name in ("csrf_token", "response_id")}
    assert client.post(PAGE, data={**kept, "smiley": "4"}).status_code == 303
    again = client.post(PAGE, data={**kept, "smiley": "1"})
    assert again.status_code == 422
    assert "sent before with other answers" in again.text
    fresh = {name: hidden(again.text, name) for name in ("csrf_token", "response_id")}
    assert client.post(PAGE, data={**fresh, "smiley": "1"}).status_code == 303
    assert sorted(row["answers"]["smiley"] for row in responses(app)) == [1, 4]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"smiley": ""}, "This needs an answer."),
        ({"smiley": "9"}, "Choose a value from 1 to 4."),
        ({"smiley": "great"}, "This answer cannot be read."),
        ({"reason": "weather"}, "Choose one of the answers shown."),
        ({"recommend": "11"}, "Choose a value from 0 to 10."),
        ({"helped": "maybe"}, "Choose one of the answers shown."),
        ({"waited": "abc"}, "This answer cannot be read."),
        ({"waited": "601"}, "The number must be between 0 and 600."),
        ({"comment": "x" * 4001}, "The text is too long: at most 4000 characters."),
        ({"quote": "perhaps"}, "This answer cannot be read."),
    ],
)
def test_a_wrong_answer_is_named_at_its_field_and_nothing_typed_is_lost(
    app: Flask, changed: dict[str, str], said: str
) -> None:
    [key] = changed
    reply = send(visitor(app), PAGE, {**ANSWERS, **changed})
    page = words_of(reply.text)
    assert reply.status_code == 422
    assert page.count(said) == 2, "once at the field, once in the summary"
    assert f'href="#q-{key}"' in page
    assert f'id="q-{key}-error"' in page
    typed = ANSWERS | changed
    assert f">\n{typed['comment']}</textarea>" in page
    assert f'value="{typed["waited"]}"' in page
    for name in {"effort", "stars"} - {key}:
        assert f'name="{name}" value="{typed[name]}" id="q-{name}-{typed[name]}" checked' in page
    assert responses(app) == []


def test_an_empty_page_is_not_a_response(app: Flask) -> None:
    reply = send(visitor(app), PAGE, {})
    assert reply.status_code == 422
    assert responses(app) == []


@pytest.mark.parametrize("body", [b"", b"smiley=%FF%FE", b"smiley=\xff", b"comment=%00&smiley=4%00", b"=&=&&&"])
def test_garbage_is_answered_with_the_page(app: Flask, body: bytes) -> None:
    client = visitor(app)
    client.get(PAGE)
    reply = client.post(PAGE, data=body, content_type="application/x-www-form-urlencoded")
    assert reply.status_code == 422
    assert 'name="smiley"' in reply.text


def test_a_json_body_is_no_form(app: Flask) -> None:
    assert 400 <= visitor(app).post(PAGE, json={"smiley": 4}).status_code < 500
    assert responses(app) == []


def test_written_code_stays_words(app: Flask) -> None:
    attack = '</textarea><script>alert("1")</script>'
    reply = send(visitor(app), PAGE, {**ANSWERS, "comment": attack, "waited": '"><img src=x onerror=alert(1)>'})
    assert reply.status_code == 422
    assert attack not in reply.text
    assert breaks_the_policy(reply.text) == []
    assert words_of(reply.text).count(attack) == 1


def test_a_page_open_too_long_comes_back_with_everything_and_is_sent_by_one_more_press(app: Flask) -> None:
    client = visitor(app)
    stale = send(client, PAGE, ANSWERS, csrf_token="of-yesterday")
    assert stale.status_code == 422
    assert "The page was open too long" in stale.text
    assert responses(app) == []
    kept = {name: hidden(stale.text, name) for name in ("csrf_token", "response_id")}
    assert "Одна касса из пяти" in stale.text
    assert client.post(PAGE, data={**ANSWERS, **kept}).status_code == 303
    assert len(responses(app)) == 1


@pytest.mark.parametrize("address", ["/q/no-such-point", "/q/whole-1", "/q/no-such-point/thanks"])
def test_an_unknown_point_is_not_found(app: Flask, address: str) -> None:
    assert visitor(app).get(address).status_code == 404


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}/thanks", f"{PAGE}/poster"])
def test_the_pages_keep_to_the_policy(app: Flask, address: str) -> None:
    page = visitor(app).get(address)
    assert breaks_the_policy(page.text) == []
    assert "'unsafe" not in page.headers["Content-Security-Policy"]


def test_the_summary_leads_to_fields_that_are_there(app: Flask) -> None:
    reply = send(
        visitor(app), PAGE, {"smiley": "9", "waited": "abc", "comment": "x" * 4001, "quote": "?", "helped": "?"}
    )
    for key in ("smiley", "waited", "comment", "quote", "helped"):
        assert f'href="#q-{key}"' in reply.text
        assert f' id="q-{key}"' in reply.text


# --- one response per receipt -------------------------------------------------------------------------------------


@pytest.fixture
def receipts(app: Flask) -> Iterator[Flask]:
    set_point(app, one_per_receipt=True)
    yield app
    set_point(app, one_per_receipt=False)


def test_the_receipt_is_asked_for_first_and_counts_once(receipts: Flask) -> None:
    client = visitor(receipts)
    page = client.get(PAGE).text
    assert page.index('name="receipt"') < page.index('name="smiley"')
    assert send(client, PAGE, {**ANSWERS, "receipt": " 12-34 ab"}).status_code == 303
    again = send(visitor(receipts), PAGE, {**ANSWERS, "receipt": "1234AB"})
    assert again.status_code == 422
    assert words_of(again.text).count("This receipt has already been used for a survey; thank you.") == 2
    assert 'href="#q-receipt"' in again.text
    assert 'value="1234AB"' in again.text
    assert f">\n{ANSWERS['comment']}</textarea>" in again.text
    assert len(responses(receipts)) == 1
    assert "receipt" not in responses(receipts)[0]["answers"]


@pytest.mark.parametrize(
    ("receipt", "said"), [("", "Type the number of your receipt"), ("12", "has 4 to 64 letters and digits")]
)
def test_a_missing_receipt_is_named_beside_the_other_problems(receipts: Flask, receipt: str, said: str) -> None:
    reply = send(visitor(receipts), PAGE, {"receipt": receipt})
    assert reply.status_code == 422
    assert said in words_of(reply.text)
    assert 'id="q-smiley-error"' in reply.text
    assert responses(receipts) == []


def test_a_page_sent_twice_uses_its_receipt_once(receipts: Flask) -> None:
    client = visitor(receipts)
    page = client.get(PAGE).text
    values = {**ANSWERS, "receipt": "1234", **{name: hidden(page, name) for name in ("csrf_token", "response_id")}}
    assert [client.post(PAGE, data=values).status_code for _ in range(2)] == [303, 303]
    assert len(responses(receipts)) == 1


def test_an_address_brings_the_receipts_number_and_nothing_else(receipts: Flask) -> None:
    page = visitor(receipts).get(f"{PAGE}?receipt=%22%3E%3Cscript%3E1&smiley=4").text
    assert 'value="&#34;&gt;&lt;script&gt;1"' in page
    assert breaks_the_policy(page) == []
    assert "checked" not in page
    long = visitor(receipts).get(f"{PAGE}?receipt={'9' * 5_000}").text
    assert f'value="{"9" * 64}"' in long


def test_where_receipts_do_not_matter_none_is_asked_for(app: Flask) -> None:
    assert 'name="receipt"' not in visitor(app).get(f"{PAGE}?receipt=1234").text
    assert send(visitor(app), PAGE, {**ANSWERS, "receipt": "1"}).status_code == 303


# --- the end ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["survey_until", "closed_at"])
def ended(app: Flask, request: pytest.FixtureRequest) -> Iterator[Flask]:
    set_point(app, **{request.param: datetime(2026, 3, 31, 21, tzinfo=UTC)})
    yield app
    set_point(app, **{request.param: None})


@pytest.mark.parametrize(
    ("language", "said", "day"),
    [
        ("en", "This survey has ended", "March 31, 2026"),
        ("ru", "Этот опрос завершён", "31 марта 2026"),
        ("be", "Гэтае апытанне завершана", "31 сакавіка 2026"),
    ],
)
def test_an_ended_survey_says_so_kindly_and_leads_to_the_book(ended: Flask, language: str, said: str, day: str) -> None:
    reply = visitor(ended, language).get(PAGE)
    page = words_of(reply.text)
    assert reply.status_code == 410
    assert f'<h1 class="title">{said}</h1>' in page
    assert day in page, "the last day, by the clock of the store"
    assert 'href="/book/001"' in page
    assert "<form" not in page
    assert breaks_the_policy(reply.text) == []


def test_answers_sent_long_after_the_end_are_not_thanked_for(app: Flask) -> None:
    client = visitor(app)
    page = client.get(PAGE).text
    values = {**ANSWERS, **{name: hidden(page, name) for name in ("csrf_token", "response_id")}}
    set_point(app, survey_until=datetime.now(UTC) - timedelta(minutes=61))
    late = client.post(PAGE, data=values)
    set_point(app, survey_until=datetime.now(UTC) - timedelta(minutes=59))
    in_time = client.post(PAGE, data=values)
    set_point(app, survey_until=None)
    assert late.status_code == 410
    assert "This survey has ended" in late.text
    assert in_time.status_code == 303
    assert len(responses(app)) == 1


def test_a_point_without_a_survey_says_so(app: Flask) -> None:
    form = set_point(app, survey_form_id=None)
    reply = visitor(app).get(PAGE)
    set_point(app, survey_form_id=form)
    assert reply.status_code == 410
    assert "There is no survey here now" in reply.text


def test_who_was_in_time_is_thanked_after_the_end(ended: Flask) -> None:
    assert visitor(ended).get(f"{PAGE}/thanks").status_code == 200


# --- what the scripts need ----------------------------------------------------------------------------------------


def test_the_page_tells_its_script_where_and_as_what_to_send(app: Flask) -> None:
    page = visitor(app, "be").get(PAGE).text
    found = re.search(r'<script type="application/json" id="phone">(.*?)</script>', page, re.DOTALL)
    assert found
    phone = json.loads(found[1])
    told = (phone["point"], phone["form_version"], phone["language"], phone["send_to"], phone["thanks"])
    assert told == (TOKEN, 1, "be", "/api/v1/responses", f"{PAGE}/thanks")
    assert phone["until"] is None
    names = [script.split("/")[-1].split(".")[0] for script in phone["scripts"]]
    assert names == ["uuid7", "backoff", "clock", "outbox", "sender"], "each needs those before it"
