"""The chain's own mapping: its words for aspects, and the stages that it moved aspects to; data that it edits.

`aspects.tsv` in the instance folder lists words as `analysis/aspects/aspects.tsv` does; the table `[aspect_stages]` of
`otklik.toml` gives aspects a stage. Each file counts whole or not at all: where a line is wrong, what was read before
stays, and the reason is logged once.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import tomllib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from analysis.aspects import read_own_words
from analysis.clauses import OwnWords
from analysis.sentiment.language import LANGUAGES
from feedback_app.domain.journey import ASPECT_STAGES, ASPECTS, B2C_STAGES
from feedback_app.storage.database import Database

WORDS, STAGES = "aspects.tsv", "otklik.toml"
TABLE = "aspect_stages"
LOOK_EVERY = 30.0
"""Seconds between two looks at whether a file has changed."""
Table = TypeVar("Table")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mapped:
    """What locating needs of a chain: its own words by language, and the stage of every aspect."""

    words: OwnWords = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=lambda: ASPECT_STAGES)
    edition: Hashable = None
    """Differs where the words do."""


@dataclass(frozen=True)
class Wrong:
    """A file that cannot be taken, and why; the reason names the line."""

    path: Path
    reason: str


class _File(Generic[Table]):
    """One file of the mapping: read again when it has changed, its last good table kept."""

    def __init__(self, path: Path, parse: Callable[[str], Table], nothing: Table) -> None:
        self.wrong: Wrong | None = None
        self._path, self._parse, self._nothing = path, parse, nothing
        self.table = nothing
        self.seen: tuple[int, int] | None = None

    def look(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self.table, self.wrong, self.seen = self._nothing, None, None
            return
        except OSError as error:
            self._refuse(error)
            return
        seen = found.st_mtime_ns, found.st_size
        if seen == self.seen:
            return
        self.seen = seen
        try:
            self.table, self.wrong = self._parse(self._path.read_bytes().decode("utf-8-sig")), None
        except (ValueError, OSError) as error:
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        wrong = Wrong(self._path, _reason(error))
        if wrong != self.wrong:
            log.warning("%s: %s; what was read before stays", wrong.path, wrong.reason)
        self.wrong = wrong


class Shelf:
    """The chain's mapping as its instance folder holds it."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._words: _File[OwnWords] = _File(folder / WORDS, read_words, {})
        self._stages: _File[Mapping[str, str]] = _File(folder / STAGES, read_stages, ASPECT_STAGES)
        self._clock = clock
        self._looked_at: float | None = None
        self._lock = threading.Lock()

    def mapped(self) -> Mapped:
        """Return the mapping that counts now."""
        with self._lock:
            now = self._clock()
            if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
                self._looked_at = now
                self._words.look()
                self._stages.look()
            return Mapped(self._words.table, self._stages.table, self._words.seen)

    def wrong(self) -> list[Wrong]:
        """Return the files that cannot be taken as they are."""
        self.mapped()
        return [one.wrong for one in (self._words, self._stages) if one.wrong]


def use(db: Database, folder: Path) -> None:
    """Let a database's comments be located by the mapping of an instance folder."""
    db.memory[TABLE] = Shelf(folder)


def of(db: Database) -> Mapped:
    """Return a chain's mapping; the product's own where no folder was named."""
    shelf: Shelf | None = db.memory.get(TABLE)
    return shelf.mapped() if shelf else Mapped()


def wrong(db: Database) -> list[Wrong]:
    """Return the files of a chain's mapping that cannot be taken as they are."""
    shelf: Shelf | None = db.memory.get(TABLE)
    return shelf.wrong() if shelf else []


def read_words(text: str) -> OwnWords:
    """Return the own words of a file, by language; ValueError names the line that is wrong."""
    lines = text.splitlines()
    if lines and lines[0].split("\t")[:2] != ["aspect", "language"]:
        raise ValueError("line 1: the heads aspect, language, pattern and strength are wanted, parted by tabs")
    words = read_own_words(lines)
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) > 1 and not line.startswith("#") and cells[1] not in LANGUAGES:
            raise ValueError(f"line {number}: unknown language {cells[1]!r}, one of {', '.join(LANGUAGES)} is wanted")
    return words


def read_stages(text: str) -> Mapping[str, str]:
    """Return the stage of every aspect, those of the table moved; ValueError names the line that is wrong."""
    moved = tomllib.loads(text).get(TABLE, {})
    if not isinstance(moved, dict):
        raise ValueError(f'{TABLE} is no table; write [{TABLE}] and beneath it lines such as queue = "trigger"')
    for aspect, stage in moved.items():
        if aspect not in ASPECTS:
            raise ValueError(f"line {_line_of(text, aspect)}: unknown aspect {aspect!r}")
        if stage not in B2C_STAGES:
            stages = ", ".join(B2C_STAGES)
            raise ValueError(f"line {_line_of(text, aspect)}: unknown stage {stage!r}, one of {stages} is wanted")
    return {**ASPECT_STAGES, **moved}


def _line_of(text: str, aspect: str) -> int:
    lines = list(_lines_of(text, aspect))
    return lines[0] if lines else 1


def _lines_of(text: str, aspect: str) -> Iterator[int]:
    inside, key = False, re.compile(rf"\s*[\"']?{re.escape(aspect)}[\"']?\s*=")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("["):
            inside = line.strip().startswith(f"[{TABLE}]")
        elif inside and key.match(line):
            yield number


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        line = bytes(error.object)[: error.start].count(b"\n") + 1
        return f"line {line}: this is not UTF-8; save the file as UTF-8"
    if isinstance(error, OSError):
        return f"the file cannot be read: {error.strerror}"
    return str(error)
