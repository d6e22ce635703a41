"""The clock: the director hears before a deadline passes, whoever works on a case on its last day, all of it once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from feedback_app.domain.book_settings import BookSettings
from feedback_app.jobs import Runner, message_id
from feedback_app.services import book, book_settings, counting, letters, register, watch
from feedback_app.storage.tables import Case, Job, RegisterLink, Role, User, user_roles
from tests.builders import EMAILS, Chain, open_chain
from tests.services.mailbox import Mailbox

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A complaint of this day is due on Tuesday, 17 March; the director hears on Friday, 13 March."""
THURSDAY = datetime(2026, 3, 12, 20, 59, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 12, 21, 1, tzinfo=UTC)
LAST_DAY = datetime(2026, 3, 17, 4, 1, tzinfo=UTC)


def write(chain: Chain, kind: str = "complaint", store: str = "001") -> None:
    with time_machine.travel(MONDAY, tick=False):
        book.write_entry(chain.db, store, {"kind": kind, "text": "Очередь у кассы!"}, uuid4(), "ru")


def jobs(chain: Chain, kind: str | None = None) -> list[dict[str, Any]]:
    with chain.db.engine.connect() as connection:
        found = connection.execute(sa.select(Job.payload).order_by(Job.id)).scalars()
        return [payload for payload in found if kind in (None, payload["letter"])]


def case(chain: Chain) -> Mapping[str, Any]:
    with chain.db.engine.connect() as connection:
        return connection.execute(sa.select(Case.__table__).order_by(Case.id)).mappings().first() or {}


def change(chain: Chain, **values: Any) -> None:
    chain.db.write(lambda link: link.execute(sa.update(Case.__table__).values(**values)))


def links(chain: Chain) -> list[str]:
    with chain.db.engine.connect() as connection:
        return list(connection.execute(sa.select(RegisterLink.kind).order_by(RegisterLink.position)).scalars())


def test_the_director_hears_two_working_days_before_and_once(any_chain: Chain) -> None:
    write(any_chain)
    assert watch.escalate_due(any_chain.db, THURSDAY) == 0
    assert watch.escalate_due(any_chain.db, FRIDAY) == 1
    assert watch.escalate_due(any_chain.db, FRIDAY + timedelta(days=30)) == 0
    (letter,) = jobs(any_chain, letters.ESCALATED)
    assert letter["to"] == EMAILS["director"]
    assert case(any_chain)["escalated_at"] == FRIDAY
    assert links(any_chain)[-1] == watch.ESCALATED
    assert register.verify(any_chain.db).findings == ()
    assert counting.verify(any_chain.db) == []


@pytest.mark.parametrize("status", ["answered", "closed"])
def test_what_is_answered_is_not_escalated(any_chain: Chain, status: str) -> None:
    write(any_chain)
    change(any_chain, status=status)
    assert watch.escalate_due(any_chain.db, LAST_DAY + timedelta(days=9)) == 0
    assert watch.remind_due(any_chain.db, LAST_DAY) == 0


def test_a_deadline_put_off_after_the_escalation_is_escalated_anew(any_chain: Chain) -> None:
    write(any_chain)
    watch.escalate_due(any_chain.db, FRIDAY)
    change(any_chain, due_on=MONDAY.date() + timedelta(days=31), escalated_at=None)
    assert watch.escalate_due(any_chain.db, FRIDAY) == 0
    assert watch.escalate_due(any_chain.db, FRIDAY + timedelta(days=20)) == 1
    assert len(jobs(any_chain, letters.ESCALATED)) == 2


def test_without_a_director_the_administrator_hears(any_chain: Chain) -> None:
    write(any_chain)
    director = sa.select(Role.id).where(Role.name == "director").scalar_subquery()
    gone = sa.select(user_roles.c.user_id).where(user_roles.c.role_id == director)
    any_chain.db.write(
        lambda link: link.execute(sa.update(User.__table__).where(User.id.in_(gone)).values(active=False))
    )
    watch.escalate_due(any_chain.db, FRIDAY)
    assert [letter["to"] for letter in jobs(any_chain, letters.ESCALATED)] == [EMAILS["admin"]]


def test_two_programs_at_once_escalate_a_case_once(any_chain: Chain) -> None:
    for _ in range(4):
        write(any_chain)
    barrier, told = threading.Barrier(3), list[int]()

    def look() -> None:
        barrier.wait()
        told.append(watch.escalate_due(any_chain.db, FRIDAY))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told) == 4
    assert links(any_chain).count(watch.ESCALATED) == 4
    assert len(jobs(any_chain, letters.ESCALATED)) == 4
    assert register.verify(any_chain.db).findings == ()


def test_on_the_last_day_a_reminder_comes_once_and_not_at_night(any_chain: Chain) -> None:
    write(any_chain)
    night, day_before = LAST_DAY - timedelta(minutes=2), LAST_DAY - timedelta(days=1)
    assert [watch.remind_due(any_chain.db, moment) for moment in (day_before, night)] == [0, 0]
    assert [watch.remind_due(any_chain.db, LAST_DAY + timedelta(hours=hour)) for hour in (0, 1, 5)] == [1, 0, 0]
    assert watch.remind_due(any_chain.db, LAST_DAY + timedelta(days=1)) == 0
    assert jobs(any_chain, letters.DUE)[0]["to"] == EMAILS["manager"]


def test_a_reminder_goes_to_who_works_on_the_case(any_chain: Chain) -> None:
    write(any_chain)
    change(any_chain, assignee_id=any_chain.access("director").user_id)
    watch.remind_due(any_chain.db, LAST_DAY)
    assert [letter["to"] for letter in jobs(any_chain, letters.DUE)] == [EMAILS["director"]]


def test_the_day_s_heads_go_out_once_a_day_where_the_settings_say_so(any_chain: Chain) -> None:
    write(any_chain)
    write(any_chain, store="002")
    assert watch.tell_heads(any_chain.db, FRIDAY) == 0
    wanted = replace(BookSettings(), heads_daily=True, heads_to=("notary@shop.by", "boss@shop.by"))
    book_settings.save(any_chain.db, any_chain.access("admin"), wanted)
    assert [watch.tell_heads(any_chain.db, FRIDAY + timedelta(hours=hour)) for hour in (0, 5, 24)] == [2, 0, 2]
    first = jobs(any_chain, letters.HEADS)[0]
    assert [head[:2] for head in first["values"]["heads"]] == [["001", 2], ["002", 2]]
    assert all(len(head[2]) == 64 for head in first["values"]["heads"])


def test_one_part_that_fails_keeps_no_other(any_chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    write(any_chain)

    def fail(*_: object) -> int:
        raise RuntimeError("broken")

    fail.__name__ = "escalate_due"
    monkeypatch.setattr(watch, "escalate_due", fail)
    assert watch.look(any_chain.db, LAST_DAY) == 1


GARBAGE = {
    "UPDATE cases SET opened_at = 'yesterday' WHERE id = 1": 3,
    "UPDATE cases SET due_on = '2026-03-1x' WHERE id = 1": 2,
    "UPDATE cases SET closed_at = 'never' WHERE id = 1": 3,
    "UPDATE stores SET timezone = 'Nowhere/Never' WHERE code = '002'": 2,
}


@pytest.mark.parametrize("statement", GARBAGE)
def test_one_case_that_cannot_be_read_keeps_no_other(chain: Chain, statement: str) -> None:
    write(chain, store="002")
    write(chain)
    write(chain)
    with chain.db.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert watch.escalate_due(chain.db, FRIDAY) == 2
    assert watch.remind_due(chain.db, LAST_DAY) == GARBAGE[statement]
    assert links(chain).count(watch.ESCALATED) == 2


def test_one_case_that_fails_keeps_no_other(any_chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    write(any_chain)
    write(any_chain)

    def fails(whole: Callable[..., Any]) -> Callable[..., Any]:
        def queue(connection: sa.Connection, case_id: int, *more: Any) -> Any:
            queued = whole(connection, case_id, *more)
            if case_id == first:
                raise RuntimeError("broken")
            return queued

        return queue

    first = case(any_chain)["id"]
    monkeypatch.setattr(letters, "queue_escalated", fails(letters.queue_escalated))
    monkeypatch.setattr(letters, "queue_due", fails(letters.queue_due))
    assert watch.escalate_due(any_chain.db, FRIDAY) == 1
    assert watch.remind_due(any_chain.db, LAST_DAY) == 1
    told = [letter["values"]["case"] for letter in jobs(any_chain) if letter["letter"] != letters.ENTRY]
    assert (len(told), first in told) == (2, False)
    assert register.verify(any_chain.db).findings == ()


# --- the letters themselves -------------------------------------------------------------------------------------


@pytest.fixture
def posting(make_app: Callable[..., Flask], sqlite_url: str, port: int) -> Flask:
    """The app with a mail server and an address of its own."""
    return make_app(
        sqlite_url,
        OTKLIK_SMTP_URL=f"smtp://127.0.0.1:{port}",
        OTKLIK_MAIL_FROM="otklik@shop.example",
        OTKLIK_BASE_URL="http://127.0.0.1:5000/otklik",
    )


def runner(app: Flask) -> Runner:
    return Runner(app, app.config["OTKLIK_SETTINGS"])


@pytest.mark.parametrize(("language", "words"), [("ru", "срок"), ("be", "тэрмін"), ("en", "deadline")])
def test_the_director_s_letter_names_the_case_and_leads_there(
    posting: Flask, mailbox: Mailbox, language: str, words: str
) -> None:
    chain = open_chain(posting.extensions["otklik"])
    chain.db.write(lambda link: link.execute(sa.update(User.__table__).values(language=language)))
    write(chain)
    assert runner(posting).watch(FRIDAY) == 1
    assert runner(posting).run_due() == 2
    letter = mailbox.letters[-1]
    assert letter["To"] == EMAILS["director"]
    text = f"{letter['Subject']} {letter.get_content()}"
    assert words in text.lower()
    assert f"http://127.0.0.1:5000/otklik/cases/{case(chain)['id']}" in text
    assert "Очередь" not in text


def test_every_kind_of_letter_is_written_in_every_language(posting: Flask, mailbox: Mailbox) -> None:
    chain = open_chain(posting.extensions["otklik"])
    write(chain)
    case_id, manager = case(chain)["id"], chain.access("manager").user_id
    assert manager is not None
    for language in ("ru", "be", "en"):
        moment = datetime.now(UTC)
        chain.db.write(lambda link, code=language: link.execute(sa.update(User.__table__).values(language=code)))

        def queue(link: sa.Connection, moment: datetime = moment, language: str = language) -> None:
            letters.queue_assigned(link, case_id, "001", manager, moment)
            letters.queue_forwarded(link, case_id, "owner@landlord.by", language, moment)
            letters.queue_heads(link, moment.date(), [f"{language}@shop.by"], [("001", 2, "ab" * 32)], language, moment)

        chain.db.write(queue)
    runner(posting).run_due()
    subjects = [str(letter["Subject"]) for letter in mailbox.letters[1:]]
    assert len(subjects) == len(set(subjects)) == 9
    assert all("%(" not in f"{letter['Subject']}{letter.get_content()}" for letter in mailbox.letters)


def test_an_answer_goes_out_as_it_was_written_and_is_forgotten_by_the_outbox(posting: Flask, mailbox: Mailbox) -> None:
    chain = open_chain(posting.extensions["otklik"])
    body = "Уважаемая Анна!\n\nМы разобрались: касса работает."
    moment = datetime.now(UTC)
    chain.db.write(
        lambda link: letters.queue_answer(
            link, "answer:1", "anna@example.by", "ru", "Ответ\r\nBcc: x@y.z", body, moment
        )
    )
    assert runner(posting).run_due() == 1
    (letter,) = mailbox.letters
    assert letter.get_content().replace("\r", "").strip() == body
    assert letter["Subject"] == "Ответ Bcc: x@y.z"
    assert letter["Bcc"] is None
    assert mailbox.to == ["anna@example.by"]
    assert letter["Message-ID"] == message_id("answer:1")
    assert jobs(chain) == [{"letter": "answer"}]


def test_an_answer_that_is_erased_is_not_sent_any_more(posting: Flask, mailbox: Mailbox) -> None:
    chain = open_chain(posting.extensions["otklik"])
    moment = datetime.now(UTC)
    chain.db.write(lambda link: letters.queue_answer(link, "answer:1", "anna@example.by", "ru", "Ответ", "…", moment))
    chain.db.write(lambda link: letters.forget(link, "answer:1", moment))
    assert runner(posting).run_due() == 0
    assert mailbox.letters == []
    with chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(Job.payload)).scalar_one() == {}


def test_the_clock_looks_at_the_deadlines_by_itself(posting: Flask, mailbox: Mailbox) -> None:
    chain = open_chain(posting.extensions["otklik"])
    write(chain)
    working, waiting = runner(posting), threading.Event()
    working.start()
    for _ in range(200):
        if len(mailbox.letters) == 2:
            break
        waiting.wait(0.05)
    working.stop()
    assert {letter["To"] for letter in mailbox.letters} == {EMAILS["manager"], EMAILS["director"]}
