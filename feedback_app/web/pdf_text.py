"""Text as a page of a PDF can hold it: letters that the font has, lines that fit a width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont

FAMILY = "DejaVu"
FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
"""The font's files by whether it is bold; matplotlib ships them."""
BOX = "□"
"""Stands for a letter that the font does not have."""
MM_PER_POINT = 25.4 / 72
MARKS = 2
"""Combining marks that a letter may carry; more of them would climb out of the line."""
_BREAKS = re.compile("\r\n|[\r\n\v\f\x85\u2028\u2029]")
_SPACES = re.compile("[\t\u2000-\u200a\u3000]")


def font_path(*, bold: bool) -> Path:
    """Return where a font lies, without loading the library that ships it."""
    found = find_spec("matplotlib")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / FILES[bold]


@cache
def widths(*, bold: bool) -> Mapping[int, float]:
    """Return how wide a font's letters are by code point, in parts of its size."""
    with TTFont(font_path(bold=bold), lazy=True) as font:
        unit, advances = font["head"].unitsPerEm, font["hmtx"].metrics
        return {code: advances[name][0] / unit for code, name in font.getBestCmap().items()}


def clean(text: str) -> str:
    """Return a text without what cannot stand on paper; a letter that the font does not have becomes a box.

    Controls go, those that turn the direction of writing too; lines stay; spaces of all kinds become plain ones.
    """
    known, kept, marks = widths(bold=False), [], 0
    for letter in unicodedata.normalize("NFC", _SPACES.sub(" ", _BREAKS.sub("\n", text))):
        if letter == "\n":
            kept.append(letter)
            continue
        kind = unicodedata.category(letter)
        if kind in ("Cc", "Cf", "Cs") or "\ufe00" <= letter <= "\ufe0f":
            continue
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(letter if ord(letter) in known else BOX)
    return "".join(kept)


@lru_cache(maxsize=50_000)
def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a cleaned text in millimetres; `size` is in points."""
    known = widths(bold=bold)
    return sum(known.get(ord(letter), 1.0) for letter in text) * size * MM_PER_POINT


def wrap(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """Return a cleaned text as lines no wider than `room` millimetres; a word that is wider is broken."""
    return [line for paragraph in text.split("\n") for line in _lines(paragraph, room, size, bold=bold)]


def _lines(paragraph: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    line, taken, space = "", 0.0, width(" ", size, bold=bold)
    for word in _pieces(paragraph, room, size, bold=bold):
        wide = width(word, size, bold=bold)
        if line and taken + space + wide > room:
            yield line
            line, taken = word, wide
        else:
            taken += wide + (space if line else 0)
            line = f"{line} {word}" if line else word
    yield line


def _pieces(paragraph: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    """Yield the words of a paragraph; one that is wider than the room comes in pieces."""
    for word in paragraph.split(" "):
        if not word:
            continue
        if width(word, size, bold=bold) <= room:
            yield word
            continue
        piece, taken = "", 0.0
        for letter in word:
            wide = width(letter, size, bold=bold)
            if piece and taken + wide > room and not unicodedata.combining(letter):
                yield piece
                piece, taken = "", 0.0
            piece, taken = piece + letter, taken + wide
        yield piece


def shorten(text: str, room: float, size: float, most: int) -> list[str]:
    """Return at most so many lines of a cleaned text; where there is more the last one ends with an ellipsis."""
    # Of a long text no more is looked at than could ever fit, at a fifth of the size a letter.
    fits = int(room / (size * MM_PER_POINT) * 5) * most * (MARKS + 1)
    lines = wrap(text[:fits], room, size)
    if len(lines) <= most and len(text) <= fits:
        return lines
    lines = lines[:most]
    last = lines[-1]
    while last and width(f"{last}…", size) > room:
        last = last[:-1]
    return [*lines[:-1], f"{last.rstrip()}…"]
