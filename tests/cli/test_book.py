"""The register's commands at the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from feedback_app import config
from feedback_app.services import book, register
from tests.builders import Chain
from tests.cli import test_commands as commands
from tests.cli.test_commands import Run

home, run, laid = commands.home, commands.run, commands.laid


@pytest.fixture
def written(laid: Chain) -> Chain:
    """Two books with entries, kept under the key of the commands' settings."""
    settings = config.load()
    register.use(laid.db, settings.register_key, settings.instance)
    for store, kind in (("001", "complaint"), ("001", "thanks"), ("002", "claim")):
        book.write_entry(laid.db, store, {"kind": kind, "text": "Слова"}, uuid4(), "ru")
    return laid


def behind(chain: Chain, statement: str) -> None:
    with chain.db.engine.connect() as connection:
        connection.exec_driver_sql(statement)
        connection.commit()


def test_a_whole_register_ends_with_zero(run: Run, written: Chain) -> None:
    result = run("book", "verify")
    assert (result.exit_code, result.output) == (0, "The register is whole: 5 links and 3 entries of 2 stores.\n")
    result = run("book", "verify", "--store", "002")
    assert (result.exit_code, result.output) == (0, "The register is whole: 2 links and 1 entries of 1 stores.\n")


def test_an_empty_register_is_whole(run: Run, laid: Chain) -> None:
    assert run("book", "verify").exit_code == 0


def test_a_broken_one_ends_with_one_and_names_what_is_broken(run: Run, written: Chain) -> None:
    behind(written, "UPDATE register_links SET actor = 'somebody' WHERE store_id = 1 AND position = 2")
    result = run("book", "verify")
    assert (result.exit_code, result.stderr) == (1, "store 001: link 2 broken (of case 1)\n")
    assert run("book", "verify", "--store", "001").exit_code == 1
    assert run("book", "verify", "--store", "002").exit_code == 0


def test_garbage_is_named_and_no_crash(run: Run, written: Chain) -> None:
    behind(written, "UPDATE book_entries SET text = CAST(x'ff0a1b' AS TEXT), number = 'one' WHERE number = 2")
    result = run("book", "verify")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    behind(written, "UPDATE settings SET value = 'garbage' WHERE key = 'register'")
    result = run("book", "verify")
    assert (result.exit_code, "the register's id is missing" in result.stderr) == (1, True)


@pytest.mark.parametrize("command", ["verify", "heads"])
def test_an_unknown_store_is_named(run: Run, written: Chain, command: str) -> None:
    result = run("book", command, "--store", "999")
    assert (result.exit_code, "There is no such store" in result.stderr) == (1, True)


def test_what_is_protected_is_told_as_json_without_a_database(run: Run) -> None:
    told = json.loads(run("book", "verify", "--describe").output)
    assert told == register.describe()
    assert {"book_entries", "book_photos", "register_links", "register_heads", "cases"} <= set(told)


def test_the_heads_are_printed_to_be_kept(run: Run, written: Chain) -> None:
    lines = run("book", "heads").output.splitlines()
    assert lines[0].startswith("The register's heads at 20")
    assert [line.split("\t") for line in lines[1:]] == [
        [code, str(count), link] for code, count, link in register.heads(written.db)
    ]
    assert len(run("book", "heads", "--store", "002").output.splitlines()) == 2


def test_a_backup_comes_back_at_the_terminal(run: Run, written: Chain, home: Path) -> None:
    file = home / "copy.zip"
    assert "holds" in run("backup", file).output
    refused = run("restore", file)
    assert (refused.exit_code, "--force" in refused.stderr) == (1, True)
    book.write_entry(written.db, "001", {"kind": "thanks", "text": "Слова"}, uuid4(), "ru")
    written.db.close()
    result = run("restore", file, "--force")
    assert (result.exit_code, "rows were restored" in result.output) == (0, True)
    result = run("book", "verify")
    assert (result.exit_code, "from 4 links to 3" in result.output) == (0, True)
    file.write_bytes(b"garbage")
    result = run("restore", file, "--force")
    assert (result.exit_code, "no backup" in result.stderr) == (1, True)


def test_the_doctor_looks_at_the_registers_key_and_anchors(run: Run, written: Chain, home: Path) -> None:
    folder = home / "instance" / "register"
    assert "register" not in run("doctor").output
    (folder / "key").chmod(0o644)
    [anchor] = folder.glob("*/store-1.jsonl")
    anchor.unlink()
    result = run("doctor")
    assert result.exit_code == 1
    assert "serious: Others on this machine can read the register's key." in result.output
    assert "serious: The anchor of store 001 is missing." in result.output
