"""Which of our languages a comment is written in: letters, digraphs and short lists of frequent words."""

from __future__ import annotations

import re
from functools import cache

from analysis.sentiment.lexicon import lexicon, read_words
from analysis.sentiment.patterns import sections
from analysis.sentiment.tokens import Kind, tokenise

LANGUAGES: tuple[str, ...] = ("ru", "be", "en")

_CYRILLIC = re.compile("[\u0400-\u052f]")
_LATIN = re.compile("[a-z\u00df-\u024f]")
_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`][^\W\d_]+)*")

# Letters of Ukrainian, Serbian, Macedonian and the Turkic languages, and the Bulgarian hard sign as a vowel.
_OTHER_CYRILLIC = re.compile("[їєґђјљњћџѓќѕәғқңөұүһӯҷҳ]|ъ(?![еёюя])")
_NOT_UKRAINIAN = re.compile("[ыэёў]")

# Belarusian has no и, щ, ъ; its hard consonants are never followed by a soft vowel; о stands under stress alone.
_RUSSIAN_MARK = re.compile(r"[ищъ]|[тджшчр][еёюяь]|о\w*о")
_BELARUSIAN_MARK = re.compile(r"[іў]|дз[еёяюь]|ц[ьцёяю]|[жшчцр]э|[жшч]ы|[а-яё]['’ʼ`][еёюя]")

_ENGLISH_MARK = re.compile(r"(?:ing|tion|ly|ness|ful|ous|able|less|'s|n't)$|^(?:wh|th|kn)|ght|oo|ee$")
_OTHER_LATIN = re.compile("[äöüßñãõçąćęłńśźżčšžěřůėįųūāēīķļņģåæøğış]")
_VOWEL = re.compile("[аеёиоуыэюяіaeiouyà-öø-ÿ]")
_MASHED_KEYS = re.compile(r"[^аеёиоуыэюяіaeiouyà-öø-ÿ'’ʼ`ьъ]{5,}")
_FREQUENT_WEIGHT = 2
_LEAST_ENGLISH_SHARE = 0.15


@cache
def _frequent() -> dict[str, frozenset[str]]:
    lists: dict[str, set[str]] = {}
    for head, words in sections(read_words("frequent")):
        lists.setdefault(head, set()).update(words)
    return {head: frozenset(words) for head, words in lists.items()}


def detect(text: str, hint: str | None = None) -> str | None:
    """Return "ru", "be" or "en", or None for other languages, digits and noise.

    `hint`, the language of the screen, decides only where the text itself does not.
    """
    low = text.lower()
    cyrillic, latin = len(_CYRILLIC.findall(low)), len(_LATIN.findall(low))
    words = _WORD.findall(low)
    if cyrillic + latin == 0 or sum(map(len, words)) > 2 * (cyrillic + latin) or _is_noise(words):
        return None
    if cyrillic >= latin:
        return _cyrillic(text, low, [word for word in words if _CYRILLIC.search(word)], hint)
    return _latin([word.replace("’", "'") for word in words if _LATIN.search(word)], hint)


def _is_noise(words: list[str]) -> bool:
    return all(_MASHED_KEYS.search(word) or not _VOWEL.search(word) or len(set(word)) == 1 for word in words)


def _cyrillic(text: str, low: str, words: list[str], hint: str | None) -> str | None:
    if _OTHER_CYRILLIC.search(low):
        return None
    if "і" in low and "и" in low and not _NOT_UKRAINIAN.search(low):
        return None
    lists = _frequent()
    if any(word in lists["foreign cyrillic"] for word in words) and not _NOT_UKRAINIAN.search(low):
        return None
    words = [word.replace("i", "і") for word in words]
    russian = sum(_evidence(word, _RUSSIAN_MARK, lists["ru"]) for word in words)
    belarusian = sum(_evidence(word, _BELARUSIAN_MARK, lists["be"]) for word in words)
    if russian == belarusian:
        russian, belarusian = _known_words(text, "ru"), _known_words(text, "be")
    if russian == belarusian:
        return hint if hint in ("ru", "be") else "ru"
    return "ru" if russian > belarusian else "be"


def _evidence(word: str, mark: re.Pattern[str], frequent: frozenset[str]) -> int:
    return (1 if mark.search(word) else 0) + (_FREQUENT_WEIGHT if word in frequent else 0)


def _known_words(text: str, language: str) -> int:
    tokens, words = tokenise(text), lexicon(language)
    return sum(token.kind is Kind.WORD and words.match(tokens, at)[1] is not None for at, token in enumerate(tokens))


def _latin(words: list[str], hint: str | None) -> str | None:
    lists = _frequent()
    english = sum(_FREQUENT_WEIGHT * (word in lists["en"]) + bool(_ENGLISH_MARK.search(word)) for word in words)
    foreign = sum(
        _FREQUENT_WEIGHT * (word in lists["foreign latin"] or bool(_OTHER_LATIN.search(word))) for word in words
    )
    if hint == "en":
        return "en" if english >= foreign else None
    return "en" if english > foreign and english >= _LEAST_ENGLISH_SHARE * len(words) else None
