"""The form of the book's settings: it reads what was typed and keeps it; what is right the domain says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext, lazy_pgettext, ngettext
from wtforms import BooleanField, StringField, TextAreaField

from feedback_app.domain import book_settings, deadlines
from feedback_app.domain.book_settings import BY_LAW, COUNTRIES, UNEXTENDABLE, BookSettings
from feedback_app.domain.cases import BOOK_KINDS
from feedback_app.domain.deadlines import Term
from feedback_app.edge.languages import number
from feedback_app.web.staff_forms import SelectLine, StaffForm

COUNTRY_NAMES = {"BY": lazy_gettext("Belarus"), "RU": lazy_gettext("Russia")}
KIND_NAMES = {
    "complaint": lazy_pgettext("kind of entry", "Complaint"),
    "suggestion": lazy_pgettext("kind of entry", "Suggestion"),
    "thanks": lazy_pgettext("kind of entry", "Thanks"),
    "claim": lazy_pgettext("kind of entry", "Claim"),
}
EXTENDED = lazy_gettext("At most, with a reason told")
UNIT_NAMES = {
    deadlines.CALENDAR: lazy_gettext("calendar days"),
    deadlines.WORKING: lazy_gettext("working days"),
    deadlines.MONTH: lazy_gettext("months"),
}
WHOLE = ("forward_days", "escalate_before", "response_case_days", "retention_years")
FLAGS = ("move_to_working_day", "review_answers", "rule_very_negative", "rule_words", "heads_daily")
LISTS = ("own_words", "heads_to")


def _units() -> list[tuple[str, Any]]:
    return list(UNIT_NAMES.items())


def _term_fields() -> dict[str, str]:
    """Return the form's name of every term by the domain's."""
    names = {f"terms.{country}.{kind}": f"terms_{country}_{kind}" for country in COUNTRIES for kind in BOOK_KINDS}
    return names | {f"extended.{country}": f"extended_{country}" for country in COUNTRIES}


class _Terms(StaffForm):
    """A line of days and a choice of units for every term."""


for _name in _term_fields().values():
    _label = EXTENDED if _name.startswith("extended") else KIND_NAMES[_name.rsplit("_", 1)[1]]
    setattr(_Terms, _name, StringField(_label))
    setattr(_Terms, f"{_name}_unit", SelectLine(lazy_gettext("counted in"), _units))


class BookSettingsForm(_Terms):
    """The chain's settings of the feedback book."""

    beside: ClassVar[Mapping[str, str]] = _term_fields()
    move_to_working_day = BooleanField(lazy_gettext("A last day that is off moves to the next working day"))
    forward_days = StringField(lazy_gettext("Handed on to whom it concerns within, working days"))
    escalate_before = StringField(lazy_gettext("The director is told before the deadline, working days"))
    response_case_days = StringField(lazy_gettext("Cases that open by themselves are settled within, working days"))
    review_answers = BooleanField(lazy_gettext("A second person reads every answer before it goes out"))
    rule_very_negative = BooleanField(lazy_gettext("A very negative comment opens a case"))
    very_negative = StringField(lazy_gettext("Very negative is a tone of at most"))
    rule_words = BooleanField(lazy_gettext("Words of danger open a case"))
    own_words = TextAreaField(lazy_gettext("The chain’s own words of danger"))
    heads_daily = BooleanField(lazy_gettext("Send the register’s heads by e-mail every day"))
    heads_to = TextAreaField(lazy_gettext("To these addresses"))
    retention_years = StringField(lazy_gettext("Entries are kept for, years"))

    @staticmethod
    def typed(settings: BookSettings) -> dict[str, Any]:
        """Return settings as the form shows them."""
        found: dict[str, Any] = {name: getattr(settings, name) for name in FLAGS}
        found |= {name: str(getattr(settings, name)) for name in WHOLE}
        found |= {name: "\n".join(getattr(settings, name)) for name in LISTS}
        found["very_negative"] = number(settings.very_negative, 2)
        for country in COUNTRIES:
            for kind in BOOK_KINDS:
                found |= _shown(f"terms_{country}_{kind}", settings.terms[country, kind])
            found |= _shown(f"extended_{country}", settings.extended.get(country))
        return found

    def wanted(self, current: BookSettings) -> BookSettings:
        """Return the settings that were typed, or raise Invalid with all that is wrong."""
        raw: dict[str, Any] = {name: bool(self[name].data) for name in FLAGS}
        raw |= {name: _whole(self[name].data) for name in WHOLE}
        raw |= {name: (self[name].data or "").splitlines() for name in LISTS}
        raw["very_negative"] = _decimal(self.very_negative.data)
        raw["terms"] = {
            country: {kind: self._term(f"terms_{country}_{kind}") for kind in BOOK_KINDS} for country in COUNTRIES
        }
        raw["extended"] = {country: self._longest(f"extended_{country}") for country in COUNTRIES}
        return book_settings.parse({**current.stored(), **raw})

    def _term(self, name: str) -> dict[str, Any]:
        return {"days": _whole(self[name].data), "unit": self[f"{name}_unit"].data}

    def _longest(self, name: str) -> dict[str, Any] | None:
        return self._term(name) if (self[name].data or "").strip() else None


def _shown(name: str, term: Term | None) -> dict[str, str]:
    if term is None:
        return {name: "", f"{name}_unit": deadlines.WORKING}
    return {name: str(term.days), f"{name}_unit": term.unit}


def _whole(typed: str | None) -> Any:
    text = (typed or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


def _decimal(typed: str | None) -> Any:
    """Return a number written as people here write it: with a comma, and with a real minus."""
    text = (typed or "").strip().replace(",", ".").replace("\u2212", "-")
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class TermLine:
    """A term's two fields, and where it comes from."""

    days: Any
    unit: Any
    origin: str


def groups(form: BookSettingsForm) -> list[tuple[str, list[TermLine]]]:
    """Return the terms' fields by country."""
    return [(str(COUNTRY_NAMES[country]), _lines(form, country)) for country in COUNTRIES]


def _lines(form: BookSettingsForm, country: str) -> list[TermLine]:
    lines = [_line(form, f"terms_{country}_{kind}", _origin(country, kind)) for kind in BOOK_KINDS]
    return [*lines, _line(form, f"extended_{country}", _longest_origin(country))]


def _line(form: BookSettingsForm, name: str, origin: str) -> TermLine:
    return TermLine(form[name], form[f"{name}_unit"], origin)


def _origin(country: str, kind: str) -> str:
    if (country, kind) not in BY_LAW:
        return gettext("No term found in present rules; chains commonly set 5 working days.")
    if country == "BY":
        return gettext("Law 300-Z and resolution 635: 15 calendar days.")
    return gettext("Consumer Protection Law, art. 22: 10 calendar days for money claims.")


def _longest_origin(country: str) -> str:
    if any(known == country for known, _ in UNEXTENDABLE):
        return gettext("Counted from the receipt; empty: never. Claims are not extended: the law does not allow it.")
    return gettext("Counted from the receipt; empty: never. Law 300-Z: one month where a check is needed.")


def title(settings: BookSettings) -> str:
    """Return what the settings amount to: who is told, and when."""
    if not settings.escalate_before:
        return gettext("The director is told on the last day itself")
    return ngettext(
        "The director is told %(shown)s working day before a deadline passes",
        "The director is told %(shown)s working days before a deadline passes",
        settings.escalate_before,
        shown=number(settings.escalate_before),
    )
