"""How kiosks behave: the chain's settings, what a device has of its own, and the staff's PIN."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.forms import LANGUAGES

THEMES = ("light", "dark", "contrast")
ATTRACT_LIMIT = 3_600
PIN_ITERATIONS = 210_000
"""A PIN of few digits is guessed by whoever holds its verifier; the rounds keep a tablet's own check under a second."""
OWN_KEYS = ("language", "theme", "dim")
"""What a single device may have otherwise than the chain."""
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_PIN = re.compile(r"[0-9]{4,8}")
_PICTURE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Span:
    """A part of every day by the store's clock; it may lie over midnight."""

    start: str
    end: str

    def described(self) -> dict[str, str]:
        """Return the span as devices get it."""
        return {"from": self.start, "to": self.end}


@dataclass(frozen=True)
class KioskSettings:
    """The chain's kiosk settings; `require_pairing` is None while nobody has decided."""

    languages: tuple[str, ...] = LANGUAGES
    language: str | None = None
    theme: str = THEMES[0]
    dim: Span | None = None
    hours: Span | None = None
    attract_after: int = 60
    sound: bool = False
    logo: str | None = None
    require_pairing: bool | None = None
    pin: Mapping[str, Any] | None = None

    def stored(self) -> dict[str, Any]:
        """Return the settings as they are kept; `parse` reads them."""
        spans = {name: span.described() if span else None for name, span in (("dim", self.dim), ("hours", self.hours))}
        return {**asdict(self), "languages": list(self.languages), **spans}

    def described(self) -> dict[str, Any]:
        """Return what a kiosk page shows by: everything without the PIN."""
        return {name: value for name, value in self.stored().items() if name != "pin"}

    def with_own(self, own: Mapping[str, Any]) -> KioskSettings:
        """Return the settings of a device; what it has of its own and does not fit any more is left out."""
        try:
            kept = parse_own(own)
        except Invalid:
            return self
        if kept.get("language") not in self.languages:
            kept.pop("language", None)
        return replace(self, **kept)


def _languages(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise Problem("no_language", "languages")
    if any(code not in LANGUAGES for code in value):
        raise Problem("unknown_language", "languages")
    return tuple(dict.fromkeys(value))


def _language(value: Any) -> str | None:
    if value is not None and value not in LANGUAGES:
        raise Problem("unknown_language", "language")
    return value


def _theme(value: Any) -> str:
    if value not in THEMES:
        raise Problem("unknown_choice", "theme")
    return str(value)


def _span(value: Any, field: str) -> Span | None:
    if value is None:
        return None
    start, end = (value.get("from"), value.get("to")) if isinstance(value, Mapping) else (None, None)
    if not all(isinstance(hour, str) and _HOUR.fullmatch(hour) for hour in (start, end)):
        raise Problem("bad_hour", field)
    if start == end:
        raise Problem("same_hours", field)
    return Span(str(start), str(end))


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Problem("wrong_type", "attract_after")
    if not 0 <= value <= ATTRACT_LIMIT:
        raise Problem("out_of_range", "attract_after", low=0, high=ATTRACT_LIMIT)
    return value


def _flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise Problem("wrong_type", field)
    return value


def _logo(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and _PICTURE.fullmatch(value)):
        raise Problem("bad_picture", "logo")
    return value


def _verifier(value: Any) -> Mapping[str, Any] | None:
    if value is not None and not (isinstance(value, Mapping) and {"salt", "iterations", "hash"} <= set(value)):
        raise Problem("wrong_type", "pin")
    return value


_RULES: dict[str, Callable[[Any], Any]] = {
    "languages": _languages,
    "language": _language,
    "theme": _theme,
    "dim": lambda value: _span(value, "dim"),
    "hours": lambda value: _span(value, "hours"),
    "attract_after": _seconds,
    "sound": lambda value: _flag(value, "sound"),
    "logo": _logo,
    "require_pairing": lambda value: None if value is None else _flag(value, "require_pairing"),
    "pin": _verifier,
}


def _read(raw: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in names:
        if name in raw:
            try:
                found[name] = _RULES[name](raw[name])
            except Problem as problem:
                problems.append(problem)
    if problems:
        raise Invalid(problems)
    return found


def parse(raw: Mapping[str, Any]) -> KioskSettings:
    """Return the settings that a mapping says, defaults for what it leaves out; or raise Invalid."""
    settings = KioskSettings(**_read(raw, tuple(_RULES)))
    if settings.language is not None and settings.language not in settings.languages:
        raise Invalid([Problem("language_not_shown", "language")])
    return settings


def parse_own(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a device has otherwise than the chain, read; or raise Invalid. What is left out is the chain's."""
    return _read(raw, OWN_KEYS)


def stored_own(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `parse_own` read as it is kept."""
    return {name: value.described() if isinstance(value, Span) else value for name, value in own.items()}


# --- the PIN ----------------------------------------------------------------------------------------------------


def _stretch(pin: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, iterations)


def make_verifier(pin: str, salt: bytes) -> dict[str, Any]:
    """Return what a PIN of 4 to 8 digits is checked by, or raise Problem."""
    if not _PIN.fullmatch(pin):
        raise Problem("bad_pin", "pin")
    stretched = _stretch(pin, salt, PIN_ITERATIONS)
    return {
        "salt": base64.b64encode(salt).decode(),
        "iterations": PIN_ITERATIONS,
        "hash": base64.b64encode(stretched).decode(),
    }


def pin_matches(verifier: Mapping[str, Any], pin: str) -> bool:
    """Say whether a PIN is the one that a verifier was made of."""
    if not _PIN.fullmatch(pin):
        return False
    stretched = _stretch(pin, base64.b64decode(verifier["salt"]), verifier["iterations"])
    return hmac.compare_digest(stretched, base64.b64decode(verifier["hash"]))
