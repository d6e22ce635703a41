"""Cutting a comment into words, stops and signs, with their offsets."""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from typing import NamedTuple

# Stress marks and decomposed letters (и + breve) stay inside their word.
_MARKS = "\u0300-\u036f\u00ad"
_LETTERS = rf"(?:[^\W\d_][{_MARKS}]*)+"
_WORD = rf"{_LETTERS}(?:['’ʼ`]{_LETTERS})*|\d+"
_SIGN = "[👍❤😍😊🙂😀😁😃😄🤗🥰😋👏🙏💯🔥🌹👎😡😠🤬🤮🤢💩😤😢😭☹🙁]|\\){2,}|\\({2,}"
_STRONG = r"[.!?…;\n\r]+"
_WEAK = r"[,:()—–«»\"]|(?<=\s)-+(?=\s)"
_TOKEN = re.compile(f"(?P<word>{_WORD})|(?P<sign>{_SIGN})|(?P<strong>{_STRONG})|(?P<weak>{_WEAK})")

_SAME_LETTERS = str.maketrans({"ё": "е", "ў": "у", "’": "'", "ʼ": "'", "`": "'", "\u00ad": None})
_STRESS = str.maketrans({"\u0300": None, "\u0301": None})
_STRETCHED = re.compile(r"(.)\1{2,}")
_CYRILLIC = re.compile("[а-яё]")


class Kind(IntEnum):
    """What a token is: a word, a smiley or emoji, the end of a sentence, a comma or dash."""

    WORD = 1
    SIGN = 2
    STRONG = 3
    WEAK = 4


_KINDS = {"word": Kind.WORD, "sign": Kind.SIGN, "strong": Kind.STRONG, "weak": Kind.WEAK}


class Token(NamedTuple):
    """A piece of a text: its kind, its offsets, and the form that word lists are matched with."""

    kind: Kind
    start: int
    end: int
    norm: str


def normalise(word: str) -> str:
    """Return the form that lists are matched with: lower case, ё as е, ў as у, «оооочень» as «очень»."""
    form = unicodedata.normalize("NFC", word.translate(_STRESS)).lower().translate(_SAME_LETTERS)
    if "i" in form and _CYRILLIC.search(form):
        form = form.replace("i", "і")  # on a Russian keyboard the Latin letter stands in for it
    return _STRETCHED.sub(r"\1", form)


def tokenise(text: str) -> list[Token]:
    """Return the tokens of a text in order; what is neither word, sign nor stop is left out."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = _KINDS[match.lastgroup or "weak"]
        norm = normalise(match.group()) if kind is Kind.WORD else match.group()
        found.append(Token(kind, match.start(), match.end(), norm))
    return found
