"""Letters reach the manager through a real mail server: at least once, recognisable as one, in their language."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from flask import Flask

from feedback_app import jobs
from feedback_app.jobs import GIVE_UP_AFTER, Runner, message_id
from feedback_app.services import book, letters
from feedback_app.services.clock import now
from feedback_app.services.users import create_user
from feedback_app.storage import house
from feedback_app.storage.tables import Job, Region, Store, User
from tests.builders import Chain, open_chain
from tests.services.mailbox import Mailbox, mail_server


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


def test_a_server_that_is_down_is_tried_later_and_later_and_given_up_after_a_week(posted: Flask, port: int) -> None:
    begin = moment = now()
    waits: list[timedelta] = []
    trying = runner(posted)
    while trying.run_due(moment) == 0 and (tried := job(posted))["failed_at"] is None:
        waits.append(tried["due_at"] - moment)
        assert tried["attempts"] == len(waits)
        moment = tried["due_at"]
    assert [wait.total_seconds() for wait in waits[:8]] == [30, 60, 120, 240, 480, 960, 1920, 3600]
    assert max(waits) == timedelta(hours=1)
    assert timedelta(days=7) == GIVE_UP_AFTER <= moment - begin < timedelta(days=7, hours=1)
    assert job(posted)["last_error"] == "ConnectionRefusedError"


def test_nobody_tries_before_the_time(posted: Flask, port: int) -> None:
    begin = now()
    assert runner(posted).run_due(begin) == 0
    assert runner(posted).run_due(begin + timedelta(seconds=29)) == 0
    assert job(posted)["attempts"] == 1


def test_a_letter_survives_an_evening_without_mail(posted: Flask, port: int) -> None:
    begin = moment = now()
    while moment < begin + timedelta(hours=6):
        assert runner(posted).run_due(moment) == 0
        assert job(posted)["failed_at"] is None
        moment = job(posted)["due_at"]
    found = Mailbox()
    with mail_server(found, port):
        assert runner(posted).run_due(moment) == 1
    assert len(found.letters) == 1
    assert moment < begin + timedelta(hours=7)


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


class HeldMailbox(Mailbox):
    """A mail server that thinks over its first letter until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.holds, self.go = threading.Event(), threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a letter; the first one after a long time."""
        if not self.holds.is_set():
            self.holds.set()
            await asyncio.to_thread(self.go.wait, 30)
        return await super().handle_DATA(server, session, envelope)


def test_a_slow_letter_holds_up_no_other_and_none_is_sent_twice(posted: Flask, port: int) -> None:
    chain = open_chain(posted.extensions["otklik"])
    write(chain)
    write(chain)
    moment, found = now(), HeldMailbox()
    done: list[int] = []
    with mail_server(found, port):
        slow = threading.Thread(target=lambda: done.append(runner(posted).run_due(moment)))
        slow.start()
        assert found.holds.wait(10)
        others = runner(posted).run_due(moment + timedelta(minutes=3))
        found.go.set()
        slow.join()
    assert (others, done) == (2, [1])
    assert len({letter["Message-ID"] for letter in found.letters}) == len(found.letters) == 3


def test_one_letter_that_fails_does_not_keep_the_others(posted: Flask, mailbox: Mailbox) -> None:
    db = posted.extensions["otklik"]
    db.write(lambda link: house.add_job(link, "broken", "letter", {"to": "nobody"}, now() - timedelta(days=1)))
    assert runner(posted).run_due() == 1
    assert len(mailbox.letters) == 1


def lease(app: Flask, moment: datetime) -> dict[str, Any] | None:
    found: dict[str, Any] | None = app.extensions["otklik"].write(
        lambda connection: house.lease_job(connection, moment, ["letter"], moment)
    )
    return found


def test_a_lease_outlasts_a_server_that_takes_its_time_at_every_step(posted: Flask) -> None:
    steps = ("connect", "greet", "encrypt", "greet again", "log in", "from", "to", "data", "text", "quit")
    assert timedelta(seconds=jobs.SMTP_TIMEOUT) * len(steps) < house.LEASE


def test_a_runner_that_dies_after_sending_leaves_a_repeat_with_the_same_message_id(
    posted: Flask, mailbox: Mailbox
) -> None:
    moment = now()
    taken = lease(posted, moment)
    assert taken is not None
    settings = posted.config["OTKLIK_SETTINGS"]
    jobs.send(settings, jobs.write_letter(posted, settings, taken))
    assert runner(posted).run_due(moment + timedelta(seconds=1)) == 0
    assert runner(posted).run_due(moment + house.LEASE + timedelta(seconds=1)) == 1
    first, second = mailbox.letters
    assert first["Message-ID"] == second["Message-ID"]


def test_who_lost_the_lease_neither_finishes_nor_fails_another_s_job(posted: Flask) -> None:
    moment = now()
    slow = lease(posted, moment)
    later = moment + house.LEASE + timedelta(seconds=1)
    quick = lease(posted, later)
    assert slow is not None
    assert quick is not None
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


SECRET = "s3cr3t-pass"
ELSEWHERE = "0.0.0.0"
"""Leads to this machine, and is not called loopback: as a mail server elsewhere is reached."""


@contextmanager
def locked_mail_server(mailbox: Mailbox, port: int, logins: list[Any], **more: Any) -> Iterator[None]:
    """Serve a mailbox that offers to log in, and keep what was told to it."""

    def tried(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        logins.append(data)
        return AuthResult(success=data.password == SECRET.encode(), handled=False)

    options = {"authenticator": tried, "auth_require_tls": False, **more}
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield
    finally:
        controller.stop(no_assert=True)


def known_as(app: Flask, host: str, port: int, password: str = SECRET) -> Runner:
    settings = app.config["OTKLIK_SETTINGS"]
    return Runner(app, replace(settings, smtp_url=f"smtp://shop:{password}@{host}:{port}"))


def test_on_this_machine_a_password_needs_no_encryption(posted: Flask, port: int) -> None:
    found, logins = Mailbox(), list[Any]()
    with locked_mail_server(found, port, logins):
        assert known_as(posted, "127.0.0.1", port).run_due() == 1
    assert (len(found.letters), len(logins)) == (1, 1)


def test_a_password_never_goes_over_the_net_in_plain_text(posted: Flask, port: int) -> None:
    found, logins = Mailbox(), list[Any]()
    with locked_mail_server(found, port, logins):
        assert known_as(posted, ELSEWHERE, port).run_due() == 0
    assert logins == []
    assert job(posted)["last_error"] == "NotEncrypted"
    assert job(posted)["failed_at"] is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_an_encrypted_connection_carries_the_password(
    posted: Flask, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mail"
    names = ("-addext", "subjectAltName=IP:0.0.0.0", "-keyout", str(key), "-out", str(certificate))
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    found, logins = Mailbox(), list[Any]()
    with locked_mail_server(found, port, logins, tls_context=context, require_starttls=True):
        assert known_as(posted, ELSEWHERE, port).run_due() == 1, job(posted)["last_error"]
    assert (len(found.letters), len(logins)) == (1, 1)


def test_what_is_kept_of_an_error_is_its_kind_and_the_server_s_code(posted: Flask, port: int) -> None:
    with locked_mail_server(Mailbox(), port, []):
        assert known_as(posted, "127.0.0.1", port, "wrong-pass").run_due() == 0
    assert job(posted)["last_error"] == "SMTPAuthenticationError 535"


class Stranger(Mailbox):
    """A mail server that knows none of the readers."""

    async def handle_RCPT(self, _server: Any, _session: Any, _envelope: Any, address: str, _options: Any) -> str:
        """Refuse a reader, naming the address."""
        return f"550 {address} is unknown here"


def test_a_refused_reader_s_address_is_not_kept(posted: Flask, port: int) -> None:
    with mail_server(Stranger(), port):
        assert runner(posted).run_due() == 0
    assert job(posted)["last_error"] == "SMTPRecipientsRefused 550"


def test_a_letter_keeps_what_it_needs_and_no_more(posted: Flask) -> None:
    assert set(job(posted)["payload"]) == {"to", "language", "letter", "values"}


def region_of(chain: Chain, code: str) -> tuple[str, list[str]]:
    """A store's region, and the codes of its stores."""
    query = sa.select(Region.key, Store.code).join(Store, Store.region_id == Region.id)
    with chain.db.engine.connect() as connection:
        rows = list(connection.execute(query))
    (key,) = [key for key, store in rows if store == code]
    return key, [store for found, store in rows if found == key]


def addresses(chain: Chain, code: str) -> list[str]:
    with chain.db.engine.connect() as connection:
        return [address for address, _ in letters.managers_of(connection, chain.store_id(code))]


def test_a_manager_of_a_region_hears_of_each_of_its_stores_once(any_chain: Chain) -> None:
    region, inside = region_of(any_chain, "001")

    def work(link: Any) -> None:
        create_user(link, "z@otklik.example", "hash", "manager", stores=["001"], regions=[region])
        create_user(link, "d@otklik.example", "hash", "director", regions=[region])

    any_chain.db.write(work)
    assert addresses(any_chain, "001") == ["manager@otklik.example", "z@otklik.example"]
    for code in ("002", "003"):
        assert addresses(any_chain, code) == (["z@otklik.example"] if code in inside else [])


def test_a_manager_of_another_region_hears_nothing(any_chain: Chain) -> None:
    def work(link: Any) -> None:
        link.execute(sa.insert(Region.__table__).values(key="far", names={}))
        create_user(link, "z@otklik.example", "hash", "manager", regions=["far"])

    any_chain.db.write(work)
    assert addresses(any_chain, "001") == ["manager@otklik.example"]
