"""The words of consent: what was once shown can be shown again, word by word."""

from __future__ import annotations

import hashlib

from feedback_app.domain import consents
from feedback_app.domain.forms import LANGUAGES

SHOWN = {"1": "bb84c940eb6a68c1da5cf96e5621cf1ecd0c9711e47f38d8ac5d0b8ecd48ce3d"}
"""SHA-256 of each version's words. Who changes words adds a version: what people agreed to stays what it was."""


def digest(version: str) -> str:
    texts = consents.TEXTS[version]
    lines = [
        line
        for language in sorted(texts)
        for line in (
            language,
            *(f"{who}={said}" for who, said in sorted(texts[language].said.items())),
            *texts[language].told,
        )
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_words_that_were_shown_are_never_changed() -> None:
    assert {version: digest(version) for version in consents.TEXTS} == SHOWN


def test_the_current_words_are_there_in_every_language_for_everybody_who_says_them() -> None:
    assert set(consents.TEXTS[consents.CURRENT]) == set(LANGUAGES)
    for text in consents.TEXTS[consents.CURRENT].values():
        assert set(text.said) == {consents.WRITER, consents.GUARDIAN, consents.PAPER}
        assert text.terms("Ромашка")[0].count("Ромашка") == 1


def test_a_page_says_which_words_it_showed() -> None:
    assert consents.read("1 be", "ru") == ("1", "be")
    for strange in (None, "", "1", "1 xx", "2 ru", "1 be extra"):
        assert consents.read(strange, "ru") == (consents.CURRENT, "ru")
