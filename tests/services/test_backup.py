"""A backup is of one moment and comes back whole, into either database; a restore is told by the anchors."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from feedback_app.domain.errors import DomainError
from feedback_app.services import backup, book, counting, register
from feedback_app.services.book import How, Photo
from feedback_app.storage.archive import tables
from feedback_app.storage.database import Database
from tests.builders import Chain, open_chain

KEY = "the tests' key"
Target = Callable[[str], Database]


def write(chain: Chain, times: int = 1, kind: str = "claim", store: str = "001") -> None:
    for _ in range(times):
        how = How(photos=(Photo("image/jpeg", b"\x00\xffpicture"),))
        book.write_entry(chain.db, store, {"kind": kind, "text": "Верните «деньги»"}, uuid4(), "ru", how)


def everything(db: Database) -> dict[str, list[Any]]:
    with db.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table)).all()), key=str) for table in tables()
        }


@pytest.fixture
def kept(any_chain: Chain, tmp_path: Path) -> Chain:
    """A chain with entries, and an instance folder with a key of its own."""
    (tmp_path / "register").mkdir(exist_ok=True)
    (tmp_path / "register" / "key").write_text(KEY)
    (tmp_path / "secret_key").write_text("a secret")
    write(any_chain, 3)
    any_chain.a_tap(1, comment="Очередь", store="002")
    return any_chain


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """Make an empty database of a kind, with an instance folder and key of its own."""
    made: list[Any] = []

    def make(kind: str) -> Database:
        folder = tmp_path / "elsewhere"
        (folder / "register").mkdir(parents=True)
        (folder / "register" / "key").write_text("fresh")
        if kind == "sqlite":
            db = Database(f"sqlite:///{folder / 'new.db'}")
        else:
            server = request.getfixturevalue("postgres_server")
            name = f"restored_{abs(hash(str(tmp_path)))}"
            db = Database(server.create_database(name))
            made.append(lambda: server.drop_database(name))
        made.insert(0, db.close)
        register.use(db, "fresh", folder)
        return db

    yield make
    for end in made:
        end()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_comes_back_whole_into_either_database(kept: Chain, empty: Target, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "copy.zip"
    rows = backup.backup(kept.db, file, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.glob("*.partial")] == []
    db, folder = empty(kind), tmp_path / "elsewhere"
    restored = backup.restore(db, file, folder)
    assert (restored.rows, restored.left) == (rows, ())
    assert everything(db) == everything(kept.db)
    verified = register.verify(db)
    assert (verified.findings, verified.entries) == ((), 3)
    assert "restored on" in verified.notes[0]
    assert counting.verify(db) == []
    assert (folder / "register" / "key").read_text() == KEY
    assert (folder / "secret_key").read_text() == "a secret"
    assert [one.read_text() for one in (folder / "register").glob("key.before-*")] == ["fresh"]
    write(open_chain(db), 2)
    assert register.verify(db).findings == ()


def test_an_older_backup_over_a_longer_chain_is_told_and_no_finding(kept: Chain, tmp_path: Path) -> None:
    file = tmp_path / "copy.zip"
    backup.backup(kept.db, file, tmp_path)
    write(kept, 2)
    write(kept, 1, store="003")
    before = everything(kept.db)
    with pytest.raises(DomainError, match="holds_data"):
        backup.restore(kept.db, file, tmp_path)
    assert everything(kept.db) == before
    backup.restore(kept.db, file, tmp_path, force=True)
    verified = register.verify(kept.db)
    assert verified.findings == ()
    assert [note.partition(" from ")[2] for note in verified.notes] == ["10 links to 6", "2 links to 0"]
    write(kept, 1)
    write(kept, 1, store="003")
    assert register.verify(kept.db).findings == ()


def test_a_database_put_back_by_other_means_is_found(chain: Chain, tmp_path: Path) -> None:
    write(chain, 1)
    chain.db.close()
    shutil.copy(tmp_path / "otklik.db", tmp_path / "older.db")
    write(chain, 1)
    chain.db.close()
    for rest in tmp_path.glob("otklik.db-*"):
        rest.unlink()
    shutil.copy(tmp_path / "older.db", tmp_path / "otklik.db")
    assert "the anchor holds 4 links" in str(register.verify(chain.db).findings[0])


def test_a_backup_made_while_others_write_is_of_one_moment(kept: Chain, empty: Target, tmp_path: Path) -> None:
    file = tmp_path / "copy.zip"
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, kept, 5, "thanks") for _ in range(4)]
        backup.backup(kept.db, file, tmp_path)
        for one in writing:
            one.result()
    db = empty("sqlite")
    backup.restore(db, file, tmp_path / "elsewhere")
    assert register.verify(db).findings == ()
    assert counting.verify(db) == []


def test_another_key_of_the_settings_is_refused(kept: Chain, empty: Target, tmp_path: Path) -> None:
    file = tmp_path / "copy.zip"
    backup.backup(kept.db, file, tmp_path)
    db = empty("sqlite")
    register.use(db, "a key of the environment", tmp_path / "elsewhere")
    with pytest.raises(DomainError, match="other_key"):
        backup.restore(db, file, tmp_path / "elsewhere")
    assert not backup.holds_anything(db)


def damaged(file: Path, name: str, content: bytes | None) -> None:
    """Write the archive anew with one member changed or left out."""
    with zipfile.ZipFile(file) as old:
        members = {one: old.read(one) for one in old.namelist()}
    members[name] = content if content is not None else b""
    with zipfile.ZipFile(file, "w") as new:
        for one, value in members.items():
            if one != name or content is not None:
                new.writestr(one, value)


@pytest.mark.parametrize(
    ("member", "content"),
    [
        ("manifest.json", b"{}"),
        ("manifest.json", b"["),
        ("manifest.json", None),
        ("tables/book_entries.jsonl", b"[]\n"),
        ("tables/book_entries.jsonl", None),
        ("instance/register/key", b"x"),
        ("the file", b"no archive"),
        ("the file", b""),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_changes(
    chain: Chain, tmp_path: Path, member: str, content: bytes | None
) -> None:
    file = tmp_path / "copy.zip"
    write(chain)
    backup.backup(chain.db, file, tmp_path)
    if member == "the file":
        file.write_bytes(content or b"")
    else:
        damaged(file, member, content)
    before = everything(chain.db)
    with pytest.raises(DomainError, match="bad_backup"):
        backup.restore(chain.db, file, tmp_path, force=True)
    assert everything(chain.db) == before
    assert register.verify(chain.db).findings == ()
    assert register.verify(chain.db).notes == ()


def test_a_backup_that_fails_leaves_the_former_file(chain: Chain, tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "copy.zip"
    file.write_text("the former")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("feedback_app.storage.archive.write_table", full)
    with pytest.raises(OSError, match="No space"):
        backup.backup(chain.db, file, tmp_path)
    assert file.read_text() == "the former"
    assert list(tmp_path.glob(".*partial")) == []


# --- interrupted ----------------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The end of the program: nothing of it is handled."""


def interrupt(monkeypatch: pytest.MonkeyPatch, db: Database, where: str, error: type[BaseException]) -> None:
    """Let the next restore end after its anchor lines, before its commit, or right after the commit."""

    def fail(*_: Any) -> Any:
        monkeypatch.undo()
        raise error

    if where == "before":
        monkeypatch.setattr(backup, "_put_files", fail)
    else:
        write = db.write
        monkeypatch.setattr(db, "write", lambda work: fail(write(work)))


@pytest.mark.parametrize("error", [Crash, RuntimeError])
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_restore_that_is_interrupted_leaves_a_register_that_verifies(
    kept: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: type[BaseException]
) -> None:
    file = tmp_path / "copy.zip"
    backup.backup(kept.db, file, tmp_path)
    copied = everything(kept.db)
    write(kept, 2)
    write(kept, 1, store="003")
    longer = everything(kept.db)
    interrupt(monkeypatch, kept.db, where, error)
    with pytest.raises(error):
        backup.restore(kept.db, file, tmp_path, force=True)
    assert everything(kept.db) == (longer if where == "before" else copied)
    assert register.verify(kept.db).findings == ()
    write(kept, 1)
    write(kept, 1, store="003")
    assert register.verify(kept.db).findings == ()
    backup.restore(kept.db, file, tmp_path, force=True)
    assert everything(kept.db) == copied
    write(kept, 1)
    assert register.verify(kept.db).findings == ()


@pytest.mark.parametrize("error", [Crash, RuntimeError])
@pytest.mark.parametrize("where", ["before", "after"])
def test_an_interrupted_restore_beside_another_key_is_mended_by_another(
    kept: Chain, empty: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: type[BaseException]
) -> None:
    file, folder = tmp_path / "copy.zip", tmp_path / "elsewhere"
    backup.backup(kept.db, file, tmp_path)
    db = empty("sqlite")
    interrupt(monkeypatch, db, where, error)
    with pytest.raises(error):
        backup.restore(db, file, folder)
    taken_back = where == "before" and error is RuntimeError
    assert (folder / "register" / "key").read_text() == ("fresh" if taken_back else KEY)
    register.use(db, (folder / "register" / "key").read_text(), folder)
    assert register.verify(db).findings == ()
    backup.restore(db, file, folder, force=where == "after")
    assert (folder / "register" / "key").read_text() == KEY
    assert everything(db) == everything(kept.db)
    write(open_chain(db), 2)
    assert register.verify(db).findings == ()


# --- tampered -------------------------------------------------------------------------------------------------------

TAMPERED = {
    "UPDATE cases SET opened_at = 'yesterday' WHERE id = 1": '"yesterday"',
    "UPDATE cases SET due_on = 'tomorrow' WHERE id = 1": '"tomorrow"',
    "UPDATE book_entries SET text = CAST(x'ff41' AS TEXT)": "",
    "UPDATE responses SET received_at = 7": "",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_a_tampered_row_is_copied_as_it_lies_and_named_at_the_restore(
    chain: Chain, tmp_path: Path, statement: str
) -> None:
    file = tmp_path / "copy.zip"
    write(chain, 2)
    with chain.db.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    rows = backup.backup(chain.db, file, tmp_path)
    assert rows == backup.rows_in(file)
    table = statement.split()[1]
    with zipfile.ZipFile(file) as archive:
        assert TAMPERED[statement] in archive.read(f"tables/{table}.jsonl").decode(errors="replace")
    with pytest.raises(DomainError) as refused:
        backup.restore(chain.db, file, tmp_path, force=True)
    assert refused.value.code == "bad_backup"
    column = statement.split()[3]
    assert refused.value.params["part"] == f"tables/{table}.jsonl, line 1, {column}"
    assert register.verify(chain.db).notes == ()
