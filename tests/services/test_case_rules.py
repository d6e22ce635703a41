"""Cases that open by themselves: one for one response, told to the managers, never in the way of a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain.book_settings import BookSettings
from feedback_app.services import book, book_settings, counting, opening, register
from feedback_app.storage.tables import Case, Job, Response
from tests.builders import Chain

MOULD = {"smiley": 1, "comment": "В салате плесень, ребёнок отравился"}


def cases(chain: Chain) -> list[Mapping[str, Any]]:
    with chain.db.engine.connect() as connection:
        return list(connection.execute(sa.select(Case.__table__).order_by(Case.id)).mappings())


def letters(chain: Chain) -> list[dict[str, Any]]:
    with chain.db.engine.connect() as connection:
        return list(connection.execute(sa.select(Job.payload).order_by(Job.id)).scalars())


def is_whole(chain: Chain) -> bool:
    return register.verify(chain.db).findings == () and counting.verify(chain.db) == []


def test_a_comment_of_danger_opens_one_case_and_tells_the_manager(any_chain: Chain) -> None:
    item = any_chain.item(MOULD)
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        any_chain.send({**item, "occurred_at": "2026-03-02T08:59:00Z"})
        any_chain.send({**item, "occurred_at": "2026-03-02T08:59:00Z"})
    (case,) = cases(any_chain)
    assert (case["reason"], case["status"], str(case["response_id"])) == ("danger", "new", item["id"])
    assert case["due_on"] == case["first_due_on"] == date(2026, 3, 9)
    assert case["entry_id"] is None
    (letter,) = letters(any_chain)
    assert letter["letter"] == "opened"
    assert "плесень" not in str(letter)
    assert is_whole(any_chain)


def test_a_very_negative_comment_opens_a_case_and_a_content_one_does_not(any_chain: Chain) -> None:
    worst = "Отвратительно, ужасно, кошмар! Худший магазин, хамство и грязь, никогда больше не приду"
    any_chain.send(any_chain.item({"smiley": 1, "comment": worst}))
    any_chain.send(any_chain.item({"smiley": 4, "comment": "Всё хорошо, спасибо!"}), any_chain.item({"smiley": 1}))
    assert [case["reason"] for case in cases(any_chain)] == ["very_negative"]
    assert is_whole(any_chain)


def test_rules_that_are_off_open_nothing_and_own_words_do(any_chain: Chain) -> None:
    off = replace(BookSettings(), rule_words=False, rule_very_negative=False)
    book_settings.save(any_chain.db, any_chain.access("admin"), off)
    any_chain.send(any_chain.item(MOULD))
    assert cases(any_chain) == []
    own = replace(BookSettings(), own_words=("ртуть",))
    book_settings.save(any_chain.db, any_chain.access("admin"), own)
    any_chain.send(any_chain.item({"smiley": 4, "comment": "На полу ртуть"}))
    assert [case["reason"] for case in cases(any_chain)] == ["danger"]


def test_what_looks_like_misuse_opens_a_case_of_danger_alone(any_chain: Chain) -> None:
    worst = "Отвратительно, ужасно, кошмар! Худший магазин, хамство и грязь, никогда больше не приду"
    any_chain.send(
        any_chain.item({"smiley": 1, "comment": worst}, flags=["held"]), any_chain.item(MOULD, flags=["held"])
    )
    assert [case["reason"] for case in cases(any_chain)] == ["danger"]


@pytest.mark.parametrize(("kind", "reasons"), [("thanks", ["danger"]), ("claim", ["claim"])])
def test_an_entry_of_danger_opens_a_case_whatever_its_kind(any_chain: Chain, kind: str, reasons: list[str]) -> None:
    raw = {"kind": kind, "text": "Спасибо, но у пожарного выхода стоят коробки"}
    written = book.write_entry(any_chain.db, "001", raw, uuid4(), "ru")
    book.write_entry(any_chain.db, "001", {"kind": "thanks", "text": "Спасибо!"}, uuid4(), "ru")
    found = cases(any_chain)
    assert [case["reason"] for case in found] == reasons
    assert found[0]["due_on"] == written.due_on
    assert found[0]["entry_id"] is not None
    assert is_whole(any_chain)


def test_a_delivery_is_stored_where_its_case_cannot_be_opened(
    any_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: sa.Connection, *_: object, **__: object) -> int:
        connection.execute(sa.insert(Case.__table__).values(store_id=1))
        return 0

    monkeypatch.setattr(opening, "open_case", refuse)
    outcomes = any_chain.send(any_chain.item(MOULD), any_chain.item({"smiley": 4}))
    assert [outcome.status for outcome in outcomes] == ["stored", "stored"]
    assert cases(any_chain) == []
    any_chain.db.keeper = None
    monkeypatch.undo()
    (outcome,) = any_chain.send(any_chain.item(MOULD))
    assert outcome.status == "stored"
    with any_chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Response)).scalar_one() == 3
    assert counting.verify(any_chain.db) == []


def test_settings_that_cannot_be_read_keep_no_delivery_from_being_stored(any_chain: Chain) -> None:
    any_chain.db.write(
        lambda link: link.execute(sa.text("INSERT INTO settings (key, value) VALUES ('book', '{\"terms\": 5}')"))
    )
    (outcome,) = any_chain.send(any_chain.item(MOULD))
    assert outcome.status == "stored"
