"""The key of the register and its anchors: how far each store's chain reached, outside the database."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from feedback_app.domain.register import canonical, moment

_ID = re.compile(r"[0-9a-f]{32}")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Head:
    """How far a store's chain reaches: the number of links and the last one."""

    store_id: int
    count: int
    link: str


@dataclass(frozen=True)
class Mark:
    """One line of an anchor: the chain had this link at this count; `restored` says that it may be shorter before."""

    count: int
    link: str
    at: str
    restored: bool = False


@dataclass(frozen=True)
class Restored:
    """A restore that an anchor tells of: the chain had `before` links, and then `count`."""

    at: str
    before: int
    count: int


@dataclass(frozen=True)
class Anchor:
    """An anchor as read.

    `marks`: what the chain must still pass, since it was restored last. Else what is wrong: the number of the first
    line that this key did not write, or why the file cannot be read.
    """

    marks: tuple[Mark, ...]
    wrong_line: int | None = None
    unreadable: str = ""
    restored: tuple[Restored, ...] = ()


class Keeper:
    """Holds the register's key and writes its anchors: a file a store, a line a commit, fsynced.

    `folder` holds a folder for each register, so that two databases of one installation do not mix.
    """

    def __init__(self, key: bytes, folder: Path) -> None:
        self.key = key
        self.folder = folder
        self._lock = threading.Lock()

    def path(self, register: str, store_id: int) -> Path:
        """Return the anchor file of a store."""
        return self._folder_of(register) / f"store-{store_id}.jsonl"

    def _folder_of(self, register: str) -> Path:
        # The id comes out of the database, which somebody may have changed: it must not lead out of the folder.
        return self.folder / (register if _ID.fullmatch(register) else "unknown")

    def stores(self, register: str) -> list[int]:
        """Return the stores that have an anchor."""
        names = (path.stem.partition("-")[2] for path in self._folder_of(register).glob("store-*.jsonl"))
        return sorted(int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 10)

    def registers(self) -> list[str]:
        """Return the ids of the registers that have anchors here."""
        return sorted(path.name for path in self.folder.glob("*") if _ID.fullmatch(path.name))

    def read_all(self, register: str | None) -> dict[int, Anchor]:
        """Return every anchor of a register by store."""
        return {store_id: self.read(register, store_id) for store_id in self.stores(register)} if register else {}

    def _sign(self, register: str, store_id: int, line: dict[str, Any]) -> str:
        text = canonical({**line, "register": register, "store": store_id})
        return hmac.new(self.key, b"anchor" + text.encode(), hashlib.sha256).hexdigest()

    def drop(self, register: str, head: Head, at: datetime, *, restored: bool = False) -> None:
        """Append how far a chain reaches now; on disk when this returns. Raises OSError."""
        line: dict[str, Any] = {"at": moment(at), "count": head.count, "link": head.link}
        if restored:
            line["restored"] = True
        text = canonical({**line, "mac": self._sign(register, head.store_id, line)}) + "\n"
        path = self.path(register, head.store_id)
        with self._lock, _open_whole(path) as descriptor:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)

    def read(self, register: str, store_id: int) -> Anchor:
        """Return what an anchor says; a line cut off by a crash is left out, any other wrong line is named."""
        marks: list[Mark] = []
        restored: list[Restored] = []
        try:
            with self.path(register, store_id).open("rb") as file:
                for number, text in enumerate(file, 1):
                    if not text.endswith(b"\n"):
                        break
                    mark = self._mark(register, store_id, text)
                    if mark is None:
                        return Anchor(tuple(marks), number, restored=tuple(restored))
                    if mark.restored:
                        # What stood before may have been another chain of the same register; this link holds its own.
                        restored.append(Restored(mark.at, marks[-1].count if marks else 0, mark.count))
                        marks = []
                    marks.append(mark)
        except FileNotFoundError:
            return Anchor(())
        except OSError as error:
            return Anchor(tuple(marks), unreadable=error.strerror or "it cannot be read")
        return Anchor(tuple(marks), restored=tuple(restored))

    def _mark(self, register: str, store_id: int, text: bytes) -> Mark | None:
        try:
            line = json.loads(text)
            mac = str(line.pop("mac"))
            mark = Mark(int(line["count"]), str(line["link"]), str(line["at"]), bool(line.get("restored", False)))
            good = hmac.compare_digest(mac, self._sign(register, store_id, line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return mark if good else None


@contextmanager
def _open_whole(path: Path) -> Iterator[int]:
    """Open a file to append to, for this process alone, without the rest of a line that a crash cut off."""
    fresh = not path.is_file()
    fresh_folder = not path.parent.is_dir()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _cut_rest(descriptor)
        yield descriptor
        if fresh:
            _sync_folder(path.parent)
        if fresh_folder:
            _sync_folder(path.parent.parent)
    finally:
        os.close(descriptor)


def _cut_rest(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 4096, max(0, size - 4096))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
