"""The words of the scales, where a definition gives none of its own."""

from __future__ import annotations

from flask_babel import gettext as _

from feedback_app.domain import scales
from feedback_app.domain.forms import Question, word


def yes_no(value: str) -> str:
    """Return the word for yes, no or not applicable in the reader's language."""
    return {"yes": _("Yes"), "no": _("No"), scales.NOT_APPLICABLE: _("Not applicable")}[value]


def of_scale(question: Question, language: str) -> dict[int, str]:
    """Return the words of a scale's values: all of a smiley's, of other scales the lowest's and the highest's.

    The definition's own words stand before ours.
    """
    own = {int(value): word(words, language) for value, words in question.labels.items() if value.isdigit()}
    return {**_standard(question.type, question.size), **own}


def _standard(kind: str, size: int | None) -> dict[int, str]:
    if kind == "smiley4":
        return {1: _("Bad"), 2: _("Not so good"), 3: _("Good"), 4: _("Excellent")}
    if kind == "smiley5":
        return {1: _("Very bad"), 2: _("Bad"), 3: _("So-so"), 4: _("Good"), 5: _("Excellent")}
    if kind == "nps":
        return {0: _("Not at all likely"), 10: _("Extremely likely")}
    if kind == "ces":
        return {1: _("Very difficult"), 7: _("Very easy")}
    return {1: _("Very bad"), size or 5: _("Excellent")}
