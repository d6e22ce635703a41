"""All words of a kiosk page in the three languages, by the name under which the page holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask_babel import force_locale
from flask_babel import gettext as _

from feedback_app.domain.forms import LANGUAGES, Form, Question, word
from feedback_app.services.catalogue import PointPage

LANGUAGE_NAMES = {"ru": "Русский", "be": "Беларуская", "en": "English"}


def _ui() -> dict[str, str]:
    return {
        "languages": _("Language"),
        "skip": _("Skip"),
        "send": _("Send"),
        "thanks": _("Thank you"),
        "kept": _("Your answer is saved."),
        "not_kept": _("Your answer was not saved. Touch it once more."),
        "no_contacts": _("There is no need for a name or phone number."),
        "invite": _("Rate us with one touch"),
        "still_here": _("Are you still here?"),
        "starts_over": _("The screen starts over in {seconds} s."),
        "counts": _("What you have answered counts."),
        "unsent": _("Words that were not sent are erased."),
        "stay": _("I am here"),
        "book": _("Feedback book"),
        "no_book": _("The electronic book cannot be reached just now."),
        "closed": _("Closed now"),
        "opens": _("You can rate us again from {time}."),
    }


def _smileys(kind: str) -> list[str]:
    if kind == "smiley4":
        return [_("Bad"), _("Not so good"), _("Good"), _("Excellent")]
    return [_("Very bad"), _("Bad"), _("So-so"), _("Good"), _("Excellent")]


def _default_labels(question: Question) -> dict[str, str]:
    """Return labels by value for a question whose form names none."""
    if question.type in ("smiley4", "smiley5"):
        return {str(level): label for level, label in enumerate(_smileys(question.type), 1)}
    return {
        "nps": {"0": _("Not at all likely"), "10": _("Extremely likely")},
        "ces": {"1": _("Very difficult"), "7": _("Very easy")},
        "yes_no": {"yes": _("Yes"), "no": _("No"), "na": _("Does not apply to me")},
        "consent": {"true": _("I agree"), "false": _("I do not agree")},
    }.get(question.type, {})


def _question(question: Question, language: str) -> Iterator[tuple[str, str]]:
    key = question.key
    yield key, word(question.text, language)
    if question.help:
        yield f"{key}.help", word(question.help, language)
    labels = _default_labels(question)
    labels.update({value: word(text, language) for value, text in question.labels.items()})
    labels.update({choice.key: word(choice.text, language) for choice in question.choices})
    for value, label in labels.items():
        yield f"{key}.{value}", label


def _form(form: Form, language: str) -> dict[str, str]:
    return dict(pair for question in form.questions() for pair in _question(question, language))


def kiosk_words(page: PointPage) -> dict[str, dict[str, str]]:
    """Return {language: {name: text}}: questions by `key`, answers by `key.value`, the page's own by `_name`."""
    words: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        with force_locale(language):
            own: Mapping[str, str] = {**_ui(), "place": _place(page, language)}
            words[language] = {
                **{f"_{name}": text for name, text in own.items()},
                **_form(page.at.form, language),
            }
    return words


def _place(page: PointPage, language: str) -> str:
    return f"{word(page.store_names, language)} · {word(page.touchpoint_names, language)}"
