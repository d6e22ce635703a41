"""One WTForms field a question type: they read what was posted and keep it; what is right the domain says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wtforms import Field

from feedback_app.domain import scales
from feedback_app.domain.forms import Question, word
from feedback_app.forms import labels

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,60}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:[eE][+-]?[0-9]{1,3})?")
_SPACES = re.compile(r"[\s\u00a0\u2009\u202f]+")
_TRUE = frozenset({"true", "on", "yes", "1", "y"})
_FALSE = frozenset({"false", "off", "no", "0", "n"})


@dataclass(frozen=True)
class Option:
    """One thing to pick: the posted value, its words, and whether it was picked."""

    value: str
    label: str
    checked: bool
    points: float | None = None


class AnswerField(Field):
    """A question on a page. `data` is the answer in the type of the contract, None where nothing was answered."""

    kind = "text"

    def __init__(self, question: Question, language: str, *, checklist: bool, **given: Any) -> None:
        super().__init__(label=word(question.text, language), description=word(question.help, language), **given)
        self.question = question
        self.language = language
        self.checklist = checklist
        self.typed: list[str] = []

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Keep what was posted and read it; a file posted under a question's name is no answer."""
        self.typed = [value for value in valuelist if isinstance(value, str)]
        self.data = self.read()

    def read(self) -> Any:
        """Return the answer that was posted; a value that cannot be read stays the string it was."""
        return self.first or None

    @property
    def first(self) -> str:
        """Return the first value that is not blank, as typed; empty where there is none."""
        return next((value for value in self.typed if value.strip()), "")

    @property
    def not_applicable(self) -> bool:
        """Say whether the reader marked a criterion as not applicable."""
        return self.checklist and scales.NOT_APPLICABLE in self.typed

    @property
    def unit(self) -> str:
        """Return the unit that stands beside the answer, in the reader's language."""
        return word(self.question.unit, self.language)

    @property
    def options(self) -> list[Option]:
        """Return what can be picked, in order; nothing where the answer is written."""
        return []

    def _option(self, value: str, label: str, points: float | None = None) -> Option:
        return Option(value, label, value in self.typed, points)


class ScaleField(AnswerField):
    """A smiley, a rating, NPS or CES: an integer of a scale."""

    kind = "scale"

    def read(self) -> Any:
        """Return the integer, or the string where it is none."""
        value = self.first.strip()
        return int(value) if _INTEGER.fullmatch(value) else self.first or None

    @property
    def options(self) -> list[Option]:
        """Return the values of the scale from worst to best; a checklist's question can be not applicable too."""
        low, high = scales.bounds(self.question.type, self.question.size) or (0, 0)
        texts = labels.of_scale(self.question, self.language)
        found = [self._option(str(value), texts.get(value, "")) for value in range(low, high + 1)]
        return [*found, self._option(scales.NOT_APPLICABLE, labels.yes_no("na"))] if self.checklist else found

    @property
    def ends(self) -> tuple[str, str]:
        """Return the words of the lowest and the highest value."""
        low, high = scales.bounds(self.question.type, self.question.size) or (0, 0)
        texts = labels.of_scale(self.question, self.language)
        return texts.get(low, ""), texts.get(high, "")


class YesNoField(AnswerField):
    """Yes or no; in a checklist also not applicable."""

    kind = "yes_no"

    @property
    def options(self) -> list[Option]:
        """Return yes and no, in a checklist also not applicable."""
        values = ("yes", "no", scales.NOT_APPLICABLE) if self.checklist else ("yes", "no")
        return [self._option(value, labels.yes_no(value)) for value in values]


class ChoiceField(AnswerField):
    """One of the choices of the definition."""

    kind = "choice"

    @property
    def options(self) -> list[Option]:
        """Return the choices; a checklist's question can be not applicable too."""
        found = [
            self._option(choice.key, word(choice.text, self.language), choice.points)
            for choice in self.question.choices
        ]
        return [*found, self._option(scales.NOT_APPLICABLE, labels.yes_no("na"))] if self.checklist else found


class TextField(AnswerField):
    """A written answer."""

    kind = "text"

    def read(self) -> Any:
        """Return the text; a form sends each line break as two characters, which are counted as the one typed."""
        text = self.first.replace("\r\n", "\n")
        return text if text.strip() else None


class NumberField(AnswerField):
    """A number as people type it: with a comma or a point, with spaces between thousands."""

    kind = "number"

    def read(self) -> Any:
        """Return an integer or a float, `na` where it is marked so, or the string where it is no number."""
        if self.not_applicable:
            return scales.NOT_APPLICABLE
        value = _SPACES.sub("", self.first).replace(",", ".")
        if _WHOLE.fullmatch(value):
            return int(value)
        return _plain(float(value)) if _NUMBER.fullmatch(value) else self.first or None

    @property
    def written(self) -> str:
        """Return what stands in the input: as typed, without the mark of not applicable."""
        return next((value for value in self.typed if value.strip() not in ("", scales.NOT_APPLICABLE)), "")


def _plain(number: float) -> float:
    """Return a whole number as one: a page with a script sends 12.0 as 12, and both are the same answer."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


class ConsentField(AnswerField):
    """A tick of its own; unticked sends nothing and is no answer."""

    kind = "consent"

    def read(self) -> Any:
        """Return true or false, or the string where it is neither."""
        found = ticked(self.first)
        return found if found is not None else self.first or None


def ticked(value: str) -> bool | None:
    """Return what a tick says; None where it says neither yes nor no."""
    said = value.strip().lower()
    if said in _TRUE:
        return True
    return False if said in _FALSE else None


FIELDS: dict[str, type[AnswerField]] = {
    "smiley4": ScaleField,
    "smiley5": ScaleField,
    "nps": ScaleField,
    "ces": ScaleField,
    "rating": ScaleField,
    "yes_no": YesNoField,
    "choice": ChoiceField,
    "text": TextField,
    "number": NumberField,
    "consent": ConsentField,
}
"""The field of each question type."""
