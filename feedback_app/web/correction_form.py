"""The form by which staff say how a comment is to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import FieldList, Form, FormField, StringField

from feedback_app.domain.corrections import LABELS
from feedback_app.domain.journey import ASPECTS
from feedback_app.domain.rollups import sign_of
from feedback_app.services.corrections import Subject
from feedback_app.services.readings import Reading
from feedback_app.web import vocabulary
from feedback_app.web.staff_forms import StaffForm

NOT_SPOKEN_OF = ""
MORE_ROWS = 3
Wanted = tuple[str | None, list[tuple[str, str]] | None]


class AspectRow(Form):
    """One aspect and how it is spoken of."""

    aspect = StringField()
    label = StringField()


class CorrectionForm(StaffForm):
    """The comment as a whole, the aspects found in it, and a few rows for others."""

    label = StringField()
    mentions = FieldList(FormField(AspectRow), max_entries=len(ASPECTS) + MORE_ROWS)

    @classmethod
    def of(cls, subject: Subject) -> CorrectionForm:
        """Return the form as it was sent, or filled with what counts now."""
        shown = spoken_of(subject.counts)
        rows = [{"aspect": aspect, "label": shown.get(aspect, NOT_SPOKEN_OF)} for aspect in found_aspects(subject)]
        more = [{"aspect": "", "label": ""} for _ in range(MORE_ROWS)]
        return cls(data={"label": subject.counts.sentiment.label or "", "mentions": rows + more})

    def rows(self, subject: Subject) -> Iterable[tuple[AspectRow, bool]]:
        """Yield each row, and whether its aspect is a found one, which the page names instead of asking for it."""
        found = len(found_aspects(subject))
        for number, entry in enumerate(self.mentions):
            yield entry.form, number < found and entry.form.aspect.data in ASPECTS

    def wanted(self, subject: Subject) -> Wanted:
        """Return label and mentions as they are to be kept.

        What is as the model read it is left to the model, unless staff had corrected it before: then the model may
        have learned it from them.
        """
        before = subject.made.correction if subject.made else None
        label: str | None = self.label.data or None
        if label == subject.model.sentiment.label and not (before and before.label is not None):
            label = None
        pairs = [(row.aspect.data or "", row.label.data or "") for row, _ in self._filled(subject)]
        untouched = sorted(pairs) == sorted(spoken_of(subject.model).items())
        if untouched and not (before and before.mentions is not None):
            return label, None
        return label, pairs

    def field_of(self, name: str) -> Any:
        """Return the field that the domain calls so; rows left empty are none of its mentions."""
        part, _, rest = name.partition("-")
        number, _, field = rest.partition("-")
        if part != "mentions" or not number.isdecimal():
            return super().field_of(name)
        # What is wrong in a row is also wrong in the form, which then says so above.
        self.mentions.errors = [*self.mentions.errors, name]
        return self._given[int(number)][field]

    def _filled(self, subject: Subject) -> list[tuple[AspectRow, bool]]:
        """Return the rows that say something: found aspects that are spoken of, others where anything is chosen."""
        filled = [
            (row, found) for row, found in self.rows(subject) if row.label.data or (row.aspect.data and not found)
        ]
        self._given = [row for row, _ in filled]
        return filled


def found_aspects(subject: Subject) -> list[str]:
    """Return the aspects that the model found, then those that staff added."""
    mentions = [*subject.model.mentions, *subject.counts.mentions]
    return list(dict.fromkeys(mention.aspect for mention in mentions))


def spoken_of(reading: Reading) -> Mapping[str, str]:
    """Return the aspects of a reading with how each is spoken of on the whole; without any feeling it is neutral."""
    summed: dict[str, float] = {}
    for mention in reading.mentions:
        summed[mention.aspect] = summed.get(mention.aspect, 0.0) + (mention.polarity or 0.0)
    return {aspect: sign_of(polarity) for aspect, polarity in summed.items()}


def aspect_choices() -> list[tuple[str, str]]:
    """Return the aspects with their words, as a list that is looked through by the alphabet; other things come last."""
    named = [(aspect, vocabulary.capital(vocabulary.aspect(aspect))) for aspect in ASPECTS]
    return sorted(named, key=lambda choice: (choice[0] == "other", choice[1].casefold()))


def label_choices() -> list[tuple[str, str]]:
    """Return the labels as they are said of a comment."""
    return [(label, vocabulary.capital(vocabulary.tone(label))) for label in LABELS]


def feeling_choices() -> list[tuple[str, str]]:
    """Return the labels as they are said of an aspect."""
    return [(label, vocabulary.feeling(label)) for label in LABELS]
