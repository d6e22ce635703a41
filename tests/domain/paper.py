"""Forms made by hand for the tests of the rules."""

from __future__ import annotations

from typing import Any

from feedback_app.domain.forms import Form, parse
from feedback_app.domain.responses import PointForm


def words(text: str) -> dict[str, str]:
    """The same words in the three languages."""
    return {"ru": text, "be": text, "en": text}


def question(key: str, kind: str, **more: Any) -> dict[str, Any]:
    """One question's definition."""
    if kind == "choice" and "choices" not in more:
        more["choices"] = [{"key": name, "text": words(name)} for name in ("queue", "rude")]
    return {"key": key, "type": kind, "text": words(key), **more}


def definition(*questions: dict[str, Any], purpose: str = "survey", **section: Any) -> dict[str, Any]:
    """A form of one section."""
    return form_of({"key": "main", **section, "questions": list(questions)}, purpose=purpose)


def form_of(*sections: dict[str, Any], purpose: str = "survey") -> dict[str, Any]:
    """A form of several sections."""
    titled = [{"title": words(section["key"]), **section} for section in sections]
    return {"key": "paper", "purpose": purpose, "title": words("paper"), "sections": titled}


def at_point(form: Form, channel: str = "qr") -> PointForm:
    """The form at a collection point."""
    return PointForm(7, 1, "token", channel, "checkout", "deal", 3, 1, form)


EVERY_TYPE = (
    question("smiley4", "smiley4"),
    question("smiley5", "smiley5"),
    question("stars", "rating", max=7),
    question("nps", "nps"),
    question("ces", "ces"),
    question("yes_no", "yes_no"),
    question("choice", "choice"),
    question("text", "text"),
    question("number", "number", minimum=0, maximum=90),
    question("consent", "consent"),
)


def every_type(purpose: str = "survey") -> Form:
    """A form with one question of each type, named like it."""
    return parse(definition(*EVERY_TYPE, purpose=purpose))
