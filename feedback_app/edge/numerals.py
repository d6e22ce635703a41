"""Numbers as a locale writes them; formatters are plain data, so that they can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale
from babel.numbers import format_decimal

MINUS = "\u2212"
THIN_SPACE = "\u202f"
"""A thin space that does not break a line inside a number."""


def written(value: float | None, digits: int, locale: Locale | str | None) -> str:
    """Return a number in a locale, with a thin space in thousands where it has a space there; a dash for none."""
    if value is None:
        return "–"
    rounded = round(value, digits) or 0.0
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    text = format_decimal(rounded, format=pattern, locale=locale)
    return text.replace("-", MINUS).replace("\u00a0", THIN_SPACE)


@dataclass(frozen=True, slots=True)
class Numerals:
    """Writes the numbers of one language with so many digits."""

    language: str
    digits: int = 0

    def __call__(self, value: float) -> str:
        """Return the number as it is written."""
        return written(value, self.digits, self.language)
