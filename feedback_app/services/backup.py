"""A consistent copy of everything while it is in use, and bringing it back."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.domain.errors import DomainError
from feedback_app.services import register
from feedback_app.services.clock import now
from feedback_app.storage import archive, migrate, register_rows
from feedback_app.storage import register as stored
from feedback_app.storage.anchor import Head
from feedback_app.storage.archive import Damaged
from feedback_app.storage.database import Database
from feedback_app.storage.tables import AuditEvent, Response, Setting, Store, User

KEPT_FILES = ("secret_key", "otklik.toml", "aspects.tsv")
"""Files of the instance folder that are not made anew."""
KEY = "register/key"
ANCHOR = re.compile(r"store-[0-9]{1,9}\.jsonl")
CHAIN_TABLES = (Store, User, Response, Setting, AuditEvent)
Progress = Callable[[int], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Restored:
    """What a restore brought back: how many rows, and what was left as it was because it was there."""

    rows: int
    left: tuple[str, ...]


def rows_in_all(db: Database) -> int:
    """Return how many rows a backup has to write."""
    with db.snapshot() as connection:
        return archive.count_rows(connection)


def backup(db: Database, path: Path, instance: Path, step: Progress = lambda _rows: None) -> int:
    """Write everything into one file, whole or not at all; return how many rows. Raises OSError.

    All rows are of one moment, whatever is written meanwhile. The file holds the keys: it is its owner's alone.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as out:
                rows = _write(db, out, instance, step)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return rows


def _write(db: Database, out: zipfile.ZipFile, instance: Path, step: Progress) -> int:
    keeper = register.keeper_of(db)
    revision = migrate.current(db)
    with db.snapshot() as connection:
        listed = {one.name: archive.write_table(out, connection, one, step) for one in archive.tables()}
        name = register_rows.register_id(connection)
    contents = {one: (instance / one).read_bytes() for one in KEPT_FILES if (instance / one).is_file()}
    contents[KEY] = keeper.key
    for store_id in keeper.stores(name) if name else ():
        anchor = keeper.path(name or "", store_id)
        contents[f"register/{name}/{anchor.name}"] = anchor.read_bytes()
    for one, content in contents.items():
        out.writestr(f"instance/{one}", content)
    files = {one: {"digest": hashlib.sha256(content).hexdigest()} for one, content in contents.items()}
    manifest = {
        "form": archive.FORM,
        "made_at": rules.moment(now()),
        "revision": revision,
        "register": name,
        "tables": listed,
        "files": files,
    }
    out.writestr(archive.MANIFEST, json.dumps(manifest, indent=1))
    return sum(int(one["rows"]) for one in listed.values())


def holds_anything(db: Database) -> bool:
    """Say whether a database holds a chain."""
    if migrate.current(db) is None:
        return False
    with db.engine.connect() as connection:
        filled = (sa.select(sa.exists().select_from(one.__table__)) for one in CHAIN_TABLES)
        return any(connection.execute(query).scalar_one() for query in filled)


def rows_in(path: Path) -> int:
    """Return how many rows a backup says it holds; raise DomainError `bad_backup`."""
    with _opened(path) as file:
        return _rows_of(archive.read_manifest(file))


def _rows_of(manifest: dict[str, Any]) -> int:
    return sum(int(one["rows"]) for one in manifest["tables"].values())


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as file:
            yield file
    except (Damaged, zipfile.BadZipFile) as error:
        raise DomainError("bad_backup", part=str(error)[:100]) from error


def restore(
    db: Database, path: Path, instance: Path, *, force: bool = False, step: Progress = lambda _rows: None
) -> Restored:
    """Bring a backup back in place of what is there, whole or not at all, and say so in the anchors.

    Key and anchors are in place before the commit: a crash after it leaves nothing undone, and after one before it the
    former chain stands behind a line of its anchor that lets it be longer. To restore again mends either.

    Raises DomainError `holds_data` without `force`, `bad_backup`, `other_schema` or `other_key`; nothing changed then.
    """
    with _opened(path) as file:
        manifest = archive.read_manifest(file)
        if manifest["revision"] != migrate.newest(db):
            raise DomainError("other_schema", found=manifest["revision"], needed=migrate.newest(db))
        if holds_anything(db) and not force:
            raise DomainError("holds_data")
        key = file.read(f"instance/{KEY}")
        former = _former_key(db, instance, key)
        migrate.upgrade(db)
        begun: list[bool] = []

        def work(connection: Connection) -> list[str]:
            heads = _replace(connection, file, step)
            begun.append(True)
            _use_key(db, instance, key)
            _put_anchors(db, file, manifest)
            _tell_anchors(db, manifest["register"], heads)
            return _put_files(file, manifest, instance)

        try:
            left = db.write(work)
        except Exception:
            if begun:
                _take_back(db, instance, manifest, former)
            raise
        return Restored(_rows_of(manifest), tuple(left))


def _replace(connection: Connection, file: zipfile.ZipFile, step: Progress) -> list[Head]:
    archive.clear(connection)
    for table in archive.tables():
        archive.read_table(file, connection, table, step)
    return stored.heads(connection)


def _former_key(db: Database, instance: Path, key: bytes) -> bytes:
    """Return the key in use; raise `other_key` where it is not the archive's and the settings name it."""
    former, own = register.keeper_of(db).key, instance / KEY
    if former != key and (not own.is_file() or own.read_text(encoding="utf-8").strip().encode() != former):
        raise DomainError("other_key")
    return former


def _use_key(db: Database, instance: Path, key: bytes) -> None:
    """Let the register be kept with a key from now on; the one in the instance folder is kept beside it."""
    if register.keeper_of(db).key == key:
        return
    own = instance / KEY
    _put(own.with_name(f"key.before-{now():%Y%m%dT%H%M%S}"), own.read_bytes())
    _put(own, key)
    register.use(db, key.decode(), instance)


def _take_back(db: Database, instance: Path, manifest: dict[str, Any], former: bytes) -> None:
    """Let key and anchors be right for what the database holds after an error: most likely what it held before."""
    try:
        with db.engine.connect() as connection:
            name, heads = register_rows.register_id(connection), stored.heads(connection)
        if name == manifest["register"]:
            _tell_anchors(db, name, heads)
        else:
            _use_key(db, instance, former)
    except Exception:
        log.exception("key and anchors could not be taken back; restore again")


def _put(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _put_files(file: zipfile.ZipFile, manifest: dict[str, Any], instance: Path) -> list[str]:
    """Put back the files that are not there; return those that are there and other than in the archive."""
    left = []
    for name in KEPT_FILES:
        if name in manifest["files"]:
            content = file.read(f"instance/{name}")
            if not (instance / name).exists():
                _put(instance / name, content)
            elif (instance / name).read_bytes() != content:
                left.append(name)
    return left


def _put_anchors(db: Database, file: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
    """Put back the anchors that are not there."""
    keeper, name = register.keeper_of(db), manifest["register"]
    for one in manifest["files"]:
        folder, _, anchor = one.rpartition("/")
        if name is not None and folder == f"register/{name}" and ANCHOR.fullmatch(anchor):
            path = keeper.path(name, 0).with_name(anchor)
            if not path.exists():
                _put(path, file.read(f"instance/{one}"))


def _tell_anchors(db: Database, name: str | None, heads: list[Head]) -> None:
    """Write into every anchor that the chain was restored; former lines of the same register stay before it."""
    if name is None:
        return
    keeper = register.keeper_of(db)
    reached = {head.store_id: head for head in heads}
    for store_id in sorted({*reached, *keeper.stores(name)}):
        keeper.drop(name, reached.get(store_id, Head(store_id, 0, rules.START)), now(), restored=True)
