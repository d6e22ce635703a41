"""Which of our languages a comment is written in: letters, and a linear model of the pieces of its words.

The model (`languages.npz`, fitted by `tools/train_languages.py`) adds up what each word's pieces of one to four letters
say for Russian, Belarusian and English, for the first two in Latin letters, and for all other languages together.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np

LANGUAGES: tuple[str, ...] = ("ru", "be", "en")

READ_CHARACTERS = 1_000
_CYRILLIC = re.compile("[\u0400-\u052f]")
_LATIN = re.compile("[a-z\u00df-\u024f]")
_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`][^\W\d_]+)*")

# Letters of Ukrainian, Serbian, Macedonian and the Turkic languages, and the Bulgarian hard sign as a vowel.
_OTHER_CYRILLIC = re.compile("[їєґђјљњћџѓќѕәғқңөұүһӯҷҳ]|ъ(?![еёюя])")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")

_VOWEL = re.compile("[аеёиоуыэюяіaeiouyà-öø-ÿ]")
_MASHED_KEYS = re.compile(r"[^аеёиоуыэюяіaeiouyà-öø-ÿ'’ʼ`ьъ]{5,}")
MODEL = Path(__file__).with_name("languages.npz")
CLASSES = ("ru", "be", "en", "ru_latin", "be_latin", "other")
_CYRILLIC_CLASSES, _LATIN_CLASSES = (0, 1, 5), (2, 3, 4, 5)
SLOTS = 1 << 15
LONGEST_PIECE = 4
MOST_WORDS = 40
_LONGEST_WORD = 30
_HINT = 1.5
"""What the screen's language adds to a class, on the scale of natural logarithms of chances."""
_KEPT_WORDS = 20_000


def pieces(word: str) -> list[int]:
    """Return the slots of a lower-case word's pieces of letters, its begin and end counting as letters."""
    framed = f"<{word[:_LONGEST_WORD]}>"
    found = [
        crc32(framed[at : at + size].encode("utf-8", "surrogatepass"))
        for size in range(1, LONGEST_PIECE + 1)
        for at in range(len(framed) - size + 1)
    ]
    return [number % SLOTS for number in [*found, crc32(framed.encode("utf-8", "surrogatepass"))]]


def words_of(text: str) -> list[str]:
    """Return the words of a text that tell its language, in lower case, at most MOST_WORDS."""
    return [word.replace("’", "'").replace("ʼ", "'") for word in _WORD.findall(text.lower())][:MOST_WORDS]


@cache
def _model() -> tuple[np.ndarray, list[float]]:
    import numpy as np  # noqa: PLC0415  (start-up time)

    with np.load(MODEL, allow_pickle=False) as kept:
        return kept["steps"].astype(np.float32) * kept["scale"], [float(value) for value in kept["constant"]]


_words: dict[str, list[float]] = {}


def _says(word: str) -> list[float]:
    found = _words.get(word)
    if found is None:
        table, _ = _model()
        if len(_words) >= _KEPT_WORDS:
            _words.clear()
        found = _words[word] = [float(value) for value in table[pieces(word)].sum(axis=0)]
    return found


def detect(text: str, hint: str | None = None) -> str | None:
    """Return "ru", "be" or "en", or None for other languages, digits and noise.

    `hint`, the language of the screen, decides only where the text itself does not.
    """
    low = _ADDRESS.sub(" ", text[:READ_CHARACTERS].lower())
    cyrillic, latin = len(_CYRILLIC.findall(low)), len(_LATIN.findall(low))
    words = words_of(low)
    if cyrillic + latin == 0 or sum(map(len, words)) > 2 * (cyrillic + latin) or _is_noise(words):
        return None
    in_cyrillic = [word.replace("i", "і") for word in words if _CYRILLIC.search(word)]
    found = None
    if latin > cyrillic:
        found = _likeliest([word for word in words if _LATIN.search(word)], _LATIN_CLASSES, hint)
    if found is None and in_cyrillic and 2 * cyrillic >= latin and not _OTHER_CYRILLIC.search(low):
        found = _likeliest(in_cyrillic, _CYRILLIC_CLASSES, hint)
    return found


def _is_noise(words: list[str]) -> bool:
    return all(_MASHED_KEYS.search(word) or not _VOWEL.search(word) or len(set(word)) == 1 for word in words)


def _likeliest(words: list[str], classes: tuple[int, ...], hint: str | None) -> str | None:
    _, constant = _model()
    said = [_says(word) for word in words]
    scores = {at: constant[at] + sum(own[at] for own in said) for at in classes}
    for at in scores:
        if hint and CLASSES[at].partition("_")[0] == hint:
            scores[at] += _HINT
    best = CLASSES[max(scores, key=scores.__getitem__)].partition("_")[0]
    return None if best == "other" else best
