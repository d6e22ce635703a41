"""The administrator's forms about kiosks: they read what was typed and keep it; what is right the domain says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext
from flask_wtf.file import FileField
from wtforms import BooleanField, Field, StringField

from feedback_app.domain import kiosks
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.domain.forms import LANGUAGES
from feedback_app.domain.kiosks import KioskSettings, Span
from feedback_app.forms.messages import message
from feedback_app.services import kiosk_settings
from feedback_app.services.devices import DeviceCard
from feedback_app.web.kiosk_words import OWN_NAMES
from feedback_app.web.staff_forms import SelectLine, StaffForm

AS_CHAIN, NEVER, OWN = "", "never", "own"
BESIDE = {"dim": "dim_from", "hours": "hours_from"}
THEME_NAMES = {
    "light": lazy_gettext("light"),
    "dark": lazy_gettext("dark"),
    "contrast": lazy_gettext("strong contrast"),
}


class Ticks(Field):
    """Several of several."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Keep what was ticked."""
        self.data = list(valuelist)


def _span(start: StringField, end: StringField) -> dict[str, str] | None:
    """Return two typed times; None where both are empty."""
    typed = {"from": (start.data or "").strip(), "to": (end.data or "").strip()}
    return typed if any(typed.values()) else None


def _times(name: str, span: Span | None) -> dict[str, str]:
    return {f"{name}_from": span.start, f"{name}_to": span.end} if span else {}


def _theme_choices() -> list[tuple[str, Any]]:
    return [(theme, THEME_NAMES[theme]) for theme in kiosks.THEMES]


def _language_choices(first: Any) -> list[tuple[str, Any]]:
    return [("", first), *((code, OWN_NAMES[code]) for code in LANGUAGES)]


class SettingsForm(StaffForm):
    """The chain's kiosk settings."""

    beside: ClassVar[Mapping[str, str]] = BESIDE
    languages = Ticks(lazy_gettext("Languages"))
    language = SelectLine(lazy_gettext("Language at the start"), lambda: _language_choices(gettext("the tablet's own")))
    theme = SelectLine(lazy_gettext("Theme"), _theme_choices)
    dim_from = StringField(lazy_gettext("Dimmed from"))
    dim_to = StringField(lazy_gettext("Dimmed until"))
    hours_from = StringField(lazy_gettext("Asks from"))
    hours_to = StringField(lazy_gettext("Asks until"))
    attract_after = StringField(lazy_gettext("Attract screen after, seconds"))
    sound = BooleanField(lazy_gettext("A quiet sound at a tap"))
    require_pairing = BooleanField(lazy_gettext("Take answers of paired kiosks only"))
    pin = StringField(lazy_gettext("New PIN"))
    forget_pin = BooleanField(lazy_gettext("Remove the PIN"))
    logo = FileField(lazy_gettext("Logo"))
    remove_logo = BooleanField(lazy_gettext("Remove the logo"))

    @staticmethod
    def typed(settings: KioskSettings, require_pairing: bool) -> dict[str, Any]:
        """Return settings as the form shows them."""
        return {
            "languages": list(settings.languages),
            "language": settings.language or "",
            "theme": settings.theme,
            **_times("dim", settings.dim),
            **_times("hours", settings.hours),
            "attract_after": str(settings.attract_after),
            "sound": settings.sound,
            "require_pairing": require_pairing,
        }

    def wanted(self, current: KioskSettings, keep_picture: Callable[[bytes], str]) -> KioskSettings:
        """Return the settings that were typed, or raise Invalid with all that is wrong.

        A picture is kept once all else is right.
        """
        problems: list[Problem] = []
        pin = current.pin
        if self.pin.data:
            try:
                pin = kiosk_settings.pin_verifier(self.pin.data.strip())
            except Problem as problem:
                problems.append(problem)
        elif self.forget_pin.data:
            pin = None
        try:
            wanted = kiosks.parse({**self._raw(current), "pin": pin})
        except Invalid as invalid:
            problems += invalid.problems
        if problems:
            raise Invalid(problems)
        return kiosks.parse({**wanted.stored(), "logo": self._logo(current, keep_picture)})

    def _raw(self, current: KioskSettings) -> dict[str, Any]:
        seconds = (self.attract_after.data or "").strip()
        chosen = self.languages.data or []
        kept_order = [code for code in current.languages if code in chosen]
        return {
            "languages": [*kept_order, *(code for code in chosen if code not in kept_order)],
            "language": self.language.data or None,
            "theme": self.theme.data,
            "dim": _span(self.dim_from, self.dim_to),
            "hours": _span(self.hours_from, self.hours_to),
            "attract_after": int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 9 else seconds,
            "sound": self.sound.data,
            "require_pairing": self.require_pairing.data,
        }

    def _logo(self, current: KioskSettings, keep_picture: Callable[[bytes], str]) -> str | None:
        if self.logo.data:
            try:
                return keep_picture(self.logo.data.read())
            except Problem as problem:
                raise Invalid([problem]) from None
        return None if self.remove_logo.data else current.logo


class DeviceForm(StaffForm):
    """A kiosk's name, and what it has otherwise than the chain."""

    beside: ClassVar[Mapping[str, str]] = BESIDE
    name = StringField(lazy_gettext("Name"))
    language = SelectLine(lazy_gettext("Language at the start"), lambda: _language_choices(gettext("as the chain")))
    theme = SelectLine(lazy_gettext("Theme"), lambda: [(AS_CHAIN, gettext("as the chain")), *_theme_choices()])
    dim = SelectLine(
        lazy_gettext("Dimmed at night"),
        lambda: [
            (AS_CHAIN, gettext("as the chain")),
            (NEVER, gettext("never")),
            (OWN, gettext("at the times below")),
        ],
    )
    dim_from = StringField(lazy_gettext("Dimmed from"))
    dim_to = StringField(lazy_gettext("Dimmed until"))

    @staticmethod
    def typed(card: DeviceCard) -> dict[str, Any]:
        """Return a kiosk as the form shows it."""
        own = kiosks.parse_own(card.own)
        span = own.get("dim")
        return {
            "name": card.name,
            "language": own.get("language") or "",
            "theme": own.get("theme") or AS_CHAIN,
            "dim": (OWN if span else NEVER) if "dim" in own else AS_CHAIN,
            **_times("dim", span),
        }

    def own(self) -> dict[str, Any]:
        """Return what was typed, without what stays as the chain has it."""
        own: dict[str, Any] = {name: self[name].data for name in ("language", "theme") if self[name].data}
        if self.dim.data == NEVER:
            own["dim"] = None
        elif self.dim.data == OWN:
            own["dim"] = _span(self.dim_from, self.dim_to) or {}
        return own


class PlaceForm(StaffForm):
    """Where a kiosk is to stand."""

    store = SelectLine(lazy_gettext("Store"))
    touchpoint = SelectLine(lazy_gettext("Touchpoint"))

    def refuse(self, error: DomainError) -> None:
        """Put what is not there at its field."""
        field = {"unknown_store": self.store, "unknown_touchpoint": self.touchpoint}.get(error.code)
        if field is None:
            super().refuse(error)
        else:
            field.errors = [*field.errors, message(error)]
