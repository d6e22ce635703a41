"""Letters reach the manager through a real mail server: at least once, recognisable as one, in their language."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from feedback_app import config, jobs
from feedback_app.jobs import ATTEMPTS, Runner, message_id
from feedback_app.services import book
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.tables import Job, User
from tests.builders import Chain, open_chain
from tests.services.mailbox import Mailbox, free_port, mail_server


@pytest.fixture
def port() -> int:
    """A port where nobody listens yet."""
    return free_port()


@pytest.fixture
def mailbox(port: int) -> Iterator[Mailbox]:
    """A mail server that is up."""
    found = Mailbox()
    with mail_server(found, port):
        yield found


@pytest.fixture
def posted(make_app: Callable[..., Flask], database_url: str, port: int) -> Flask:
    """The app with a complaint in the book, and a letter that waits."""
    app = make_app(database_url, OTKLIK_SMTP_URL=f"smtp://127.0.0.1:{port}", OTKLIK_MAIL_FROM="otklik@shop.example")
    write(open_chain(app.extensions["otklik"]))
    return app


def write(chain: Chain, kind: str = "complaint") -> None:
    book.write_entry(chain.db, "001", {"kind": kind, "text": "Очередь!"}, uuid4(), "ru")


def runner(app: Flask) -> Runner:
    return Runner(app, app.config["OTKLIK_SETTINGS"])


def job(app: Flask) -> Any:
    with app.extensions["otklik"].engine.connect() as connection:
        return connection.execute(sa.select(Job.__table__)).mappings().one()


def test_a_letter_is_sent_once_and_says_what_waits_until_when(posted: Flask, mailbox: Mailbox) -> None:
    assert runner(posted).run_due() == 1
    assert runner(posted).run_due(now() + timedelta(days=1)) == 0
    (letter,) = mailbox.letters
    assert mailbox.to == ["manager@otklik.example"]
    assert letter["From"] == "otklik@shop.example"
    assert letter["Message-ID"] == message_id(job(posted)["key"])
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_content()
    assert "001" in text
    assert "1" in str(letter["Subject"])
    assert "Очередь!" not in text
    assert job(posted)["done_at"] is not None


@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_a_letter_is_in_its_reader_s_language(posted: Flask, mailbox: Mailbox, language: str) -> None:
    chain = open_chain(posted.extensions["otklik"])
    chain.db.write(lambda link: link.execute(sa.update(User.__table__).values(language=language)))
    write(chain, "claim")
    runner(posted).run_due()
    russian, own = mailbox.letters
    english = "is to be answered by" in own.get_content()
    assert english == (language == "en")
    letters = set(own.get_content().lower())
    assert (language == "be") == bool(letters & set("ўі"))
    assert "is to be answered" not in russian.get_content()


def test_a_server_that_is_down_is_tried_later_and_later_and_then_given_up(posted: Flask, port: int) -> None:
    moment = now()
    waits = []
    for _ in range(ATTEMPTS - 1):
        assert runner(posted).run_due(moment) == 0
        waits.append((job(posted)["due_at"] - moment).total_seconds())
        assert runner(posted).run_due(moment + timedelta(seconds=waits[-1] - 1)) == 0
        assert job(posted)["attempts"] == len(waits)
        moment = job(posted)["due_at"]
    assert waits == [30 * 2**index for index in range(ATTEMPTS - 1)]
    assert runner(posted).run_due(moment) == 0
    assert job(posted)["failed_at"] is not None
    assert "ConnectionRefusedError" in job(posted)["last_error"]


def test_a_letter_goes_out_once_the_server_is_back(posted: Flask, port: int) -> None:
    assert runner(posted).run_due() == 0
    found = Mailbox()
    with mail_server(found, port):
        found.refuses = True
        assert runner(posted).run_due(job(posted)["due_at"]) == 0
        found.refuses = False
        assert runner(posted).run_due(job(posted)["due_at"]) == 1
    assert len(found.letters) == 1


def test_two_runners_at_the_same_time_send_a_letter_once(posted: Flask, mailbox: Mailbox) -> None:
    moment = now()
    barrier = threading.Barrier(4)
    done: list[int] = []

    def run() -> None:
        barrier.wait()
        done.append(runner(posted).run_due(moment))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 0, 0, 1]
    assert len(mailbox.letters) == 1


def lease(app: Flask, moment: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.extensions["otklik"].write(
        lambda connection: house.lease_jobs(connection, moment, ["letter"])
    )
    return found


def test_a_runner_that_dies_after_sending_leaves_a_repeat_with_the_same_message_id(
    posted: Flask, mailbox: Mailbox
) -> None:
    moment = now()
    (taken,) = lease(posted, moment)
    settings = posted.config["OTKLIK_SETTINGS"]
    jobs.send(settings, jobs.write_letter(posted, settings, taken))
    assert runner(posted).run_due(moment + timedelta(seconds=1)) == 0
    assert runner(posted).run_due(moment + house.LEASE + timedelta(seconds=1)) == 1
    first, second = mailbox.letters
    assert first["Message-ID"] == second["Message-ID"]


def test_who_lost_the_lease_neither_finishes_nor_fails_another_s_job(posted: Flask) -> None:
    moment = now()
    (slow,) = lease(posted, moment)
    later = moment + house.LEASE + timedelta(seconds=1)
    (quick,) = lease(posted, later)
    assert slow["lease"] != quick["lease"]
    db = posted.extensions["otklik"]
    db.write(lambda link: house.finish_job(link, slow, later))
    db.write(lambda link: house.retry_job(link, slow, None, later, "late"))
    assert (job(posted)["done_at"], job(posted)["failed_at"]) == (None, None)
    db.write(lambda link: house.finish_job(link, quick, later))
    assert job(posted)["done_at"] == later


def test_the_same_job_is_written_once(posted: Flask) -> None:
    db = posted.extensions["otklik"]
    known = job(posted)
    db.write(lambda link: house.add_job(link, known["key"], "letter", {"to": "other"}, now()))
    assert job(posted)["payload"] == known["payload"]


def test_without_a_mail_server_letters_wait(posted: Flask) -> None:
    settings = replace(posted.config["OTKLIK_SETTINGS"], smtp_url=None)
    assert Runner(posted, settings).run_due() == 0
    assert job(posted)["attempts"] == 0


def test_the_clock_sends_by_itself(posted: Flask, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TICK_SECONDS", 0.05)
    working = runner(posted)
    working.start()
    waiting = threading.Event()
    for _ in range(200):
        if mailbox.letters:
            break
        waiting.wait(0.05)
    working.stop()
    working.stop()
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:25", "smtp://", "127.0.0.1"])
def test_an_address_that_is_no_mail_server_is_named(url: str) -> None:
    with pytest.raises(config.BadSetting, match="OTKLIK_SMTP_URL"):
        jobs._connect(url)
