"""Reading the items of a large JSON file one after another, with the line where each begins."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from feedback_app.domain.errors import DomainError, Problem

PIECE = 64 * 1024
VALUE_LIMIT = 4 * 1024 * 1024
"""Characters of one item; what is longer is no response."""
NUMBER_TAIL = 3
"""How much of the text after a number shows that it does not go on, as 1 does in 1e+5."""
LINES = (".jsonl", ".ndjson")
_SPACE = " \t\r\n"


@dataclass(frozen=True)
class Row:
    """An item of a file: the list it stands in, its number there, its line, and its value or what is wrong with it."""

    among: str
    number: int
    line: int
    value: Any = None
    problem: Problem | None = None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_no_number)


def _open(path: Path) -> io.TextIOWrapper:
    raw: Any = gzip.GzipFile(path) if path.suffix == ".gz" else io.FileIO(path)
    return io.TextIOWrapper(raw, encoding="utf-8-sig")


def rows(path: Path, lists: tuple[str, ...], head: dict[str, Any]) -> Iterator[Row]:
    """Yield the items of the named lists of a JSON object, of a JSON list, or of a file with an item a line.

    What stands beside the lists is put into `head` on the way. A file that breaks off after some items ends with a row
    that says so; raises DomainError for one that cannot be read from its first item on.
    """
    last: Row | None = None
    try:
        for last in _read(path, lists, head):
            yield last
    except DomainError as error:
        if last is None:
            raise
        yield Row(last.among, last.number + 1, last.line, problem=Problem(error.code, None, **error.params))


def _read(path: Path, lists: tuple[str, ...], head: dict[str, Any]) -> Iterator[Row]:
    by_line = path.name.removesuffix(".gz").endswith(LINES)
    try:
        with _open(path) as file:
            yield from _lines(file, lists[0]) if by_line else _Document(file).items(lists, head)
    except UnicodeDecodeError as error:
        raise DomainError("not_utf8") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DomainError("unreadable_file", reason=str(error)) from error


def _lines(file: io.TextIOWrapper, among: str) -> Iterator[Row]:
    number = 0
    for line, text in enumerate(iter(lambda: file.readline(VALUE_LIMIT), ""), 1):
        if not text.strip(_SPACE):
            continue
        number += 1
        try:
            yield Row(among, number, line, _decoder.decode(text))
        except (ValueError, RecursionError):
            yield Row(among, number, line, problem=Problem("wrong_type"))


class _Document:
    """A JSON document of which a piece at a time is in memory."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self._text, self._at, self._line = "", 0, 1

    def items(self, lists: tuple[str, ...], head: dict[str, Any]) -> Iterator[Row]:
        """Yield the items of the named lists, or of the one list that the document is."""
        if self._next() == "[":
            yield from self._list(lists[0])
        else:
            yield from self._object(lists, head)
        if self._next():
            self._fail("there is more after its end")

    def _object(self, lists: tuple[str, ...], head: dict[str, Any]) -> Iterator[Row]:
        self._expect("{")
        read: set[str] = set()
        for _ in self._parts("}"):
            key = self._value()
            self._expect(":")
            if key in lists and self._next() == "[":
                # The items are known by their list and number: those of a second list would pass for the first's.
                if key in read:
                    self._fail(f"a second list is named {key}")
                read.add(key)
                yield from self._list(key)
            else:
                head[str(key)] = self._value()

    def _list(self, among: str) -> Iterator[Row]:
        self._expect("[")
        for number in self._parts("]"):
            line = self._line
            yield Row(among, number, line, self._value())

    def _parts(self, end: str) -> Iterator[int]:
        """Count the parts up to the end of a list or object, each from its first sign on."""
        number = 0
        while self._next() != end:
            if number:
                self._expect(",")
                self._next()
            number += 1
            yield number
        self._at += 1

    def _fill(self) -> bool:
        """Read a piece more; say whether there was one."""
        piece = self._file.read(PIECE)
        if piece:
            self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def _next(self) -> str:
        """Go to the next sign that is no space and return it; an empty string at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            self._fail(f"a {sign} is missing")
        self._at += 1

    def _value(self) -> Any:
        self._next()
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # What looks broken may only be cut by the end of the piece.
                if len(self._text) - self._at > VALUE_LIMIT or not self._fill():
                    self._fail(error.msg)
            except (ValueError, RecursionError) as error:
                self._fail(str(error))
            else:
                if len(self._text) - end >= NUMBER_TAIL or not self._fill():
                    self._line += self._text.count("\n", self._at, end)
                    self._at = end
                    return value

    def _fail(self, reason: str) -> NoReturn:
        raise DomainError("unreadable_file", reason=f"line {self._line}: {reason}")
