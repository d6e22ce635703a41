"""The commands at the terminal: they do what they say, end as they should, and speak plainly."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from feedback_app.cli import common, main
from feedback_app.cli.words import WORDS
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.forms.messages import MESSAGES
from feedback_app.services import book, counting, demo, intake, register, senders
from feedback_app.services.clock import now
from feedback_app.services.letters import LETTER
from feedback_app.storage import migrate
from feedback_app.storage.database import Database
from feedback_app.storage.tables import AuditEvent, Device, Job, User
from tests.builders import Chain, open_chain

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An instance folder of its own, and no settings but it."""
    for name in list(os.environ):
        if name.startswith("OTKLIK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OTKLIK_INSTANCE", str(tmp_path / "instance"))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Run a command in this process; a traceback is never an answer."""

    def command(*arguments: object, given: str | None = None) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command


@pytest.fixture
def laid(run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    """The commands' database holds the chain of the tests."""
    monkeypatch.setenv("OTKLIK_DATABASE_URL", sqlite_url)
    db = Database(sqlite_url)
    yield open_chain(db)
    db.close()


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; from feedback_app.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'flask', 'sqlalchemy', 'matplotlib', 'numpy', 'textblob'} & set(sys.modules)\n"
        "print('heavy', sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "heavy []" in done.stdout
    for name in (
        "db",
        "demo",
        "serve",
        "worker",
        "user",
        "device",
        "import",
        "export",
        "rescore",
        "train",
        "rollup",
        "doctor",
    ):
        assert f"  {name} " in done.stdout


def every_command() -> Iterator[list[str]]:
    for name, command in main.commands.items():
        inner = getattr(command, "commands", None)
        yield from [[name, part] for part in inner] if inner else [[name]]


@pytest.mark.parametrize("path", list(every_command()), ids=" ".join)
def test_every_command_explains_itself(run: Run, path: list[str]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").output.startswith("otklik, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve"],
        ["worker"],
        ["user", "create", "a@otklik.example", "--role", "director", "--password-stdin"],
        ["device", "create", "--store", "001", "--touchpoint", "exit"],
        ["import", "reviews", __file__],
        ["export", "responses", "out.csv"],
        ["export", "book", "out.csv"],
        ["export", "cases", "out.csv"],
        ["rescore"],
        ["train"],
        ["rollup", "verify"],
        ["rollup", "rebuild"],
    ],
    ids=" ".join,
)
def test_an_empty_database_is_named_with_what_fills_it(run: Run, arguments: list[str]) -> None:
    result = run(*arguments, given="a long password\n")
    assert result.exit_code == 1
    assert "otklik demo" in result.stderr


def test_an_old_schema_is_named_with_its_mend(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("db", "upgrade").exit_code == 0
    monkeypatch.setattr(migrate, "newest", lambda _db: "9999")
    result = run("rollup", "verify")
    assert result.exit_code == 1
    assert "otklik db upgrade" in result.stderr


def test_upgrading_twice_is_no_harm(run: Run) -> None:
    for _ in range(2):
        result = run("db", "upgrade")
        assert (result.exit_code, "The schema is at" in result.output) == (0, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTKLIK_BASE_URL", "nowhere"),
        ("OTKLIK_RATE_LIMITS", "perhaps"),
        ("OTKLIK_TRUSTED_PROXIES", "x"),
        ("OTKLIK_SMTP_URL", "smtp://shop:Zebra/Quokka@mail.example"),
        ("OTKLIK_DATABASE_URL", "foo"),
        ("OTKLIK_DATABASE_URL", "mysql://shop:Zebra@host/otklik"),
        ("OTKLIK_DATABASE_URL", "postgresql://shop:Zebra@host:port/otklik"),
        ("OTKLIK_DATABASE_URL", "postgresql://shop:Ze@Zebra@host/otklik"),
        ("OTKLIK_DATABASE_URL", "postgresql://shop:Ze@x:Zebra@host/otklik"),
        ("OTKLIK_INSTANCE", "/dev/null/otklik"),
    ],
)
def test_a_setting_that_cannot_be_understood_ends_the_command_with_its_name(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run("rollup", "verify")
    assert result.exit_code == 1
    assert name in result.stderr
    assert "Zebra" not in result.output


def test_a_database_whose_driver_is_not_installed_is_named_with_what_installs_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("OTKLIK_DATABASE_URL", "postgresql://shop:Zebra@host/otklik")
    result = run("rollup", "verify")
    assert result.exit_code == 1
    assert "[postgresql]" in result.stderr
    assert "Zebra" not in result.output


def test_a_demo_is_built_once_and_never_over_a_real_chain(run: Run, home: Path) -> None:
    small = ("--stores", 2, "--days", 5, "--responses", 60)
    assert "2 stores with 60 responses" in run("demo", *small).output
    database = home / "instance" / "otklik.db"
    before = database.stat().st_mtime_ns
    assert run("demo", *small, "--if-missing").exit_code == 0
    assert database.stat().st_mtime_ns == before
    told = run("demo", *small).output
    assert "replaced" in told
    assert all(lost in told for lost in ("devices", "users", "imports"))
    assert run("rollup", "verify").exit_code == 0
    db = Database(f"sqlite:///{database}")
    db.write(lambda link: link.execute(sa.text("DELETE FROM settings")))
    db.close()
    result = run("demo", *small)
    assert result.exit_code == 1
    assert "real chain" in result.stderr


def users(chain: Chain) -> dict[str, str]:
    with chain.db.read(SYSTEM) as session:
        return {user.email: user.password or "" for user in session.scalars(sa.select(User))}


def test_a_user_is_created_with_an_argon2id_hash(run: Run, laid: Chain) -> None:
    arguments = ("user", "create", "Anna@Otklik.Example", "--role", "manager", "--store", "002", "--password-stdin")
    result = run(*arguments, given="a long password\n")
    assert (result.exit_code, "anna@otklik.example" in result.output.lower()) == (0, True)
    hashed = users(laid)["anna@otklik.example"]
    assert hashed.startswith("$argon2id$")
    assert "a long password" not in hashed
    parameters = PasswordHasher()
    assert not hashed.startswith("$argon2id$v=19$m=8,")
    assert parameters.time_cost >= 1
    with laid.db.read(SYSTEM) as session:
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.actor == "command line")).one()
    assert event.action == "user.create"
    assert "password" not in str(event.details)


@pytest.mark.parametrize(
    ("arguments", "given", "says"),
    [
        (["a@b.example", "--role", "owner", "--password-stdin"], "a long password", "owner"),
        (["a@b.example", "--role", "manager", "--password-stdin"], "a long password", "--store or --region"),
        (
            ["a@b.example", "--role", "manager", "--store", "999", "--password-stdin"],
            "a long password",
            "no such store",
        ),
        (
            ["a@b.example", "--role", "director", "--region", "mars", "--password-stdin"],
            "a long password",
            "no such region",
        ),
        (["a@b.example", "--role", "admin", "--password-stdin"], "short", "8 characters"),
        (["a@b.example", "--role", "admin", "--password-stdin"], "", "8 characters"),
        (["nobody", "--role", "admin", "--password-stdin"], "a long password", "not an e-mail address"),
        (["director@otklik.example", "--role", "admin", "--password-stdin"], "a long password", "already"),
    ],
)
def test_a_user_who_cannot_be_is_refused_in_words(
    run: Run, laid: Chain, arguments: list[str], given: str, says: str
) -> None:
    before = users(laid)
    result = run("user", "create", *arguments, given=f"{given}\n")
    assert result.exit_code in (1, 2)
    assert says in result.stderr
    assert users(laid) == before


def test_the_last_line_of_a_new_device_is_a_token_that_opens_the_api(run: Run, laid: Chain) -> None:
    result = run("device", "create", "--store", "001", "--touchpoint", "checkout")
    assert result.exit_code == 0
    token = result.output.splitlines()[-1]
    sender = senders.device_sender(laid.db, token)
    assert sender is not None
    assert intake.record(laid.db, [laid.item()], sender)[0].status == "stored"
    with laid.db.read(SYSTEM) as session:
        assert session.scalars(sa.select(Device)).one().token_hash != token


@pytest.mark.parametrize(
    ("store", "touchpoint", "says"), [("999", "exit", "no such store"), ("001", "roof", "no such touchpoint")]
)
def test_a_device_for_a_place_that_is_not_there_is_refused(
    run: Run, laid: Chain, store: str, touchpoint: str, says: str
) -> None:
    result = run("device", "create", "--store", store, "--touchpoint", touchpoint)
    assert result.exit_code == 1
    assert says in result.stderr


SAID_WITH = {
    "low": 1,
    "high": 5,
    "limit": 300,
    "column": "text",
    "found": "a, b",
    "value": "a",
    "day": "2026-11-30",
    "places": "a",
    "days": 30,
    "name": "a.jpg",
    "names": "a.jpg",
}


@pytest.mark.parametrize("code", sorted({*MESSAGES, *WORDS, "invalid"}))
def test_every_problem_has_words_for_the_terminal(code: str) -> None:
    told = common.explain(DomainError(code, **SAID_WITH))
    assert told != code
    assert not told.startswith(f"{code}:")
    assert " " in told
    assert not {"{", "}", "_"} & set(told)


def test_an_unknown_problem_is_said_by_its_code() -> None:
    assert common.explain(DomainError("brand_new")) == "brand_new"


def test_words_name_the_values_that_are_in_question() -> None:
    assert common.explain(DomainError("unknown_store", key="999")).endswith(": 999")
    assert "1" in common.explain(DomainError("out_of_scale", low=1, high=5))
    assert "5" in common.explain(DomainError("out_of_scale", low=1, high=5))
    several = Invalid([Problem("required", "text"), Problem("consent_needed", "name")])
    told = common.explain(several)
    assert "text" in told
    assert "consent" in told


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """A file of one good and one bad review."""
    path = tmp_path / "reviews.csv"
    path.write_text("text,rating,store\nОтлично,5,001\nПлохо,9,001\n", encoding="utf-8")
    return path


def test_importing_is_all_or_nothing_and_names_every_refused_row(run: Run, laid: Chain, reviews: Path) -> None:
    result = run("import", "reviews", reviews)
    assert result.exit_code == 1
    assert "line 3, rating: is outside the scale" in result.stderr
    assert "Nothing was written" in result.output
    assert counting.responses_in_all(laid.db) == 0
    result = run("import", "reviews", reviews, "--dry-run", "--skip-bad")
    assert "dry run" in result.output
    assert counting.responses_in_all(laid.db) == 0
    result = run("import", "reviews", reviews, "--skip-bad")
    assert (result.exit_code, "1 stored" in result.output, "1 refused" in result.output) == (0, True, True)
    assert "1 there already" in run("import", "reviews", reviews, "--skip-bad").output
    assert counting.responses_in_all(laid.db) == 1


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("reviews.csv", "text\nплохо\n".encode("cp1251"), "cannot be read"),
        ("reviews.csv", b"", "no column"),
        ("reviews.csv.gz", b"text\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_in_words(
    run: Run, laid: Chain, tmp_path: Path, name: str, raw: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(raw)
    result = run("import", "reviews", tmp_path / name, "--store", "001")
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_or_a_date_that_is_not_there_is_a_wrong_call(run: Run, laid: Chain, reviews: Path) -> None:
    assert run("import", "reviews", "nowhere.csv").exit_code == 2
    assert run("import", "reviews", reviews, "--date", "yesterday").exit_code == 2
    assert run("export", "poems", "out.csv").exit_code == 2


def test_exporting_writes_the_file_and_says_how_many(run: Run, laid: Chain, tmp_path: Path) -> None:
    for store in ("001", "002"):
        laid.a_tap(2, store=store)
    result = run("export", "responses", tmp_path / "out.csv", "--store", "002")
    assert (result.exit_code, "1 responses" in result.output) == (0, True)
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        assert [row["store"] for row in csv.DictReader(file)] == ["002"]
    assert run("export", "responses", tmp_path / "none.csv", "--until", "2020-01-01").output.startswith("0 responses")


def test_the_book_and_its_cases_are_exported_by_store(run: Run, laid: Chain, tmp_path: Path) -> None:
    register.use(laid.db, "the tests' key", tmp_path / "instance")
    for store in ("001", "002"):
        book.write_entry(laid.db, store, {"kind": "complaint", "text": "Касса"}, uuid4(), "ru")
    for kind, words in (("book", "1 entries"), ("cases", "1 cases")):
        result = run("export", kind, tmp_path / f"{kind}.csv", "--store", "002")
        assert (result.exit_code, words in result.output) == (0, True)
        with (tmp_path / f"{kind}.csv").open(encoding="utf-8") as file:
            assert [row["store"] for row in csv.DictReader(file)] == ["002"]
        assert run("export", kind, tmp_path / "none.xlsx", "--until", "2020-01-01").output.startswith("0 ")
        assert "no such store" in run("export", kind, tmp_path / "out.csv", "--store", "999").stderr


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        ("out.doc", [], ".csv, .jsonl, .xlsx"),
        ("out.parquet", [], "Parquet is not written"),
        ("nowhere/out.csv", [], "nowhere"),
        ("out.csv", ["--store", "999"], "no such store"),
    ],
)
def test_an_export_that_cannot_be_is_refused_in_words(
    run: Run, laid: Chain, tmp_path: Path, name: str, more: list[str], says: str
) -> None:
    result = run("export", "responses", tmp_path / name, *more)
    assert result.exit_code == 1
    assert says in result.stderr
    assert not (tmp_path / name).exists()


def test_wrong_counts_end_with_one_and_are_mended(run: Run, laid: Chain) -> None:
    laid.a_tap(1, comment="Очередь!")
    assert run("rollup", "verify").exit_code == 0
    laid.db.write(lambda link: link.execute(sa.text("UPDATE rollups SET n = n + 1")))
    result = run("rollup", "verify")
    assert (result.exit_code, "otklik rollup rebuild" in result.output) == (1, True)
    assert "cells counted anew" in run("rollup", "rebuild").output
    assert run("rollup", "verify").exit_code == 0
    assert "1 texts scored, 0 changed" in run("rescore").output


def test_a_broken_database_is_named_without_a_traceback(run: Run, home: Path) -> None:
    (home / "instance").mkdir()
    (home / "instance" / "otklik.db").write_bytes(b"this is no database, it is a shopping list. " * 100)
    result = run("rollup", "verify")
    assert result.exit_code == 1
    assert "not a database" in result.stderr


def test_more_than_one_worker_is_refused_on_sqlite(run: Run, laid: Chain) -> None:
    result = run("serve", "--workers", 2)
    assert result.exit_code == 1
    assert "PostgreSQL" in result.stderr


def test_the_doctor_calls_what_is_serious_serious(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("doctor")
    assert (result.exit_code, "otklik db upgrade" in result.output) == (1, True)
    run("db", "upgrade")
    assert run("doctor").exit_code == 0
    for name, value, says in (
        ("OTKLIK_RATE_LIMITS", "off", "rate limits"),
        ("OTKLIK_BASE_URL", "http://otklik.example.by", "plain http"),
        ("OTKLIK_SECRET_KEY", "short", "secret key is short"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            result = run("doctor")
            assert (result.exit_code, says in result.output) == (1, True), result.output
    (home / "instance" / "secret_key").chmod(0o644)
    result = run("doctor")
    assert (result.exit_code, "chmod 600" in result.output) == (1, True)


def test_the_doctor_names_a_wrong_line_of_the_chain_s_mapping(run: Run, laid: Chain, home: Path) -> None:
    table = home / "instance" / "aspects.tsv"
    table.parent.mkdir(exist_ok=True)
    table.write_text("aspect\tlanguage\tpattern\tstrength\nqeue\tru\tочеред~\n", encoding="utf-8")
    for command in ("doctor", "rescore"):
        result = run(command)
        assert result.exit_code == 1
        assert all(part in result.output for part in (str(table), "line 2", "qeue")), result.output
    assert "Mend: Mend the line" in run("doctor").output
    table.write_text("aspect\tlanguage\tpattern\tstrength\nqueue\tru\tочеред~\n", encoding="utf-8")
    assert run("doctor").exit_code == 0
    assert run("rescore").exit_code == 0


def a_letter(chain: Chain, key: str, age: timedelta, **state: object) -> None:
    values = {"key": key, "kind": LETTER, "payload": {}, "created_at": now() - age, "due_at": now(), "attempts": 3}
    chain.db.write(lambda link: link.execute(sa.insert(Job.__table__).values({**values, **state})))


def letter_lines(result: Result) -> list[str]:
    """What the doctor counts of letters."""
    return [line for line in result.output.splitlines() if re.match(r"\w+: \d+ letters? ", line)]


def test_the_doctor_names_letters_that_wait_too_long(run: Run, laid: Chain) -> None:
    a_letter(laid, "fresh", timedelta(hours=23), last_error="TimeoutError")
    a_letter(laid, "sent", timedelta(days=9), done_at=now())
    assert letter_lines(run("doctor")) == []
    for key in ("old", "older"):
        a_letter(laid, key, timedelta(hours=25), last_error="SMTPAuthenticationError 535")
    result = run("doctor")
    assert result.exit_code == 0
    (line,) = letter_lines(result)
    assert line.startswith("advice: 2 letters")
    assert "SMTPAuthenticationError 535" in line
    assert "Mend: " in line
    assert "OTKLIK_SMTP_URL" in line


def test_letters_that_failed_are_serious(run: Run, laid: Chain) -> None:
    a_letter(laid, "lost", timedelta(days=8), failed_at=now(), last_error="NotEncrypted")
    a_letter(laid, "old", timedelta(days=2), last_error="TimeoutError")
    result = run("doctor")
    assert result.exit_code == 1
    failed, waiting = letter_lines(result)
    assert failed.startswith("serious: 1 letter ")
    assert "NotEncrypted" in failed
    assert "feedback book" in failed
    assert waiting.startswith("advice: 1 letter ")
    assert "TimeoutError" in waiting


def test_switched_off_limits_are_no_alarm_in_a_demo(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("demo", "--stores", 1, "--days", 2, "--responses", 20)
    monkeypatch.setenv("OTKLIK_RATE_LIMITS", "off")
    result = run("doctor")
    assert (result.exit_code, "advice: The rate limits are off" in result.output) == (0, True)
    assert demo.PASSWORD not in result.output
