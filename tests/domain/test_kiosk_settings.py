"""Kiosk settings: what may be set, what a device may have of its own, and what the PIN is checked by."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.kiosks import (
    PIN_ITERATIONS,
    KioskSettings,
    Span,
    make_verifier,
    parse,
    parse_own,
    pin_matches,
    stored_own,
)

SALT = b"0123456789abcdef"
ALL = {
    "languages": ["be", "en"],
    "language": "be",
    "theme": "dark",
    "dim": {"from": "22:00", "to": "08:00"},
    "hours": {"from": "09:00", "to": "21:30"},
    "attract_after": 0,
    "sound": True,
    "logo": "a" * 64,
    "require_pairing": False,
    "pin": make_verifier("2580", SALT),
}


def test_without_any_setting_a_kiosk_speaks_three_languages_and_never_closes() -> None:
    settings = parse({})
    assert settings == KioskSettings()
    assert settings.described() == {
        "languages": ["ru", "be", "en"],
        "language": None,
        "theme": "light",
        "dim": None,
        "hours": None,
        "attract_after": 60,
        "sound": False,
        "logo": None,
        "require_pairing": None,
    }


def test_what_is_stored_is_read_as_it_was() -> None:
    assert parse(ALL).stored() == ALL
    assert parse(parse(ALL).stored()) == parse(ALL)
    assert parse({**ALL, "from a later version": 1}) == parse(ALL)


def test_a_description_for_everybody_holds_no_pin() -> None:
    assert "pin" not in parse(ALL).described()


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"languages": []}, "no_language", "languages"),
        ({"languages": "ru"}, "no_language", "languages"),
        ({"languages": ["ru", "de"]}, "unknown_language", "languages"),
        ({"languages": [["ru"]]}, "unknown_language", "languages"),
        ({"language": "de"}, "unknown_language", "language"),
        ({"languages": ["ru"], "language": "be"}, "language_not_shown", "language"),
        ({"theme": "pink"}, "unknown_choice", "theme"),
        ({"dim": {"from": "24:00", "to": "08:00"}}, "bad_hour", "dim"),
        ({"dim": {"from": "8:00", "to": "09:00"}}, "bad_hour", "dim"),
        ({"dim": {"from": "08:00"}}, "bad_hour", "dim"),
        ({"dim": "night"}, "bad_hour", "dim"),
        ({"hours": {"from": "09:00", "to": "09:00"}}, "same_hours", "hours"),
        ({"attract_after": -1}, "out_of_range", "attract_after"),
        ({"attract_after": 3_601}, "out_of_range", "attract_after"),
        ({"attract_after": True}, "wrong_type", "attract_after"),
        ({"attract_after": "60"}, "wrong_type", "attract_after"),
        ({"sound": "yes"}, "wrong_type", "sound"),
        ({"logo": "../../etc/passwd"}, "bad_picture", "logo"),
        ({"require_pairing": 1}, "wrong_type", "require_pairing"),
        ({"pin": "2580"}, "wrong_type", "pin"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse({**ALL, **changes})
    assert [(problem.code, problem.field) for problem in refused.value.problems] == [(code, field)]


def test_a_language_named_twice_is_shown_once() -> None:
    assert parse({"languages": ["en", "ru", "en"]}).languages == ("en", "ru")


def test_a_device_may_differ_in_language_theme_and_dimming() -> None:
    own = parse_own({"language": "en", "theme": "contrast", "dim": None, "logo": "x", "pin": "x"})
    assert own == {"language": "en", "theme": "contrast", "dim": None}
    settings = parse(ALL).with_own({"theme": "contrast", "dim": {"from": "20:00", "to": "07:00"}})
    assert (settings.theme, settings.dim) == ("contrast", Span("20:00", "07:00"))
    assert settings.languages == ("be", "en")
    assert stored_own(parse_own({"dim": {"from": "20:00", "to": "07:00"}})) == {"dim": {"from": "20:00", "to": "07:00"}}


def test_what_does_not_fit_the_chain_any_more_is_left_out() -> None:
    assert parse(ALL).with_own({"language": "ru", "theme": "light"}).language == "be"
    assert parse(ALL).with_own({"theme": "of an older version"}) == parse(ALL)


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "١٢٣٤", "1234\n", " 1234"])
def test_a_pin_has_four_to_eight_digits(pin: str) -> None:
    with pytest.raises(Problem, match="bad_pin"):
        make_verifier(pin, SALT)
    assert not pin_matches(ALL["pin"], pin)  # type: ignore[arg-type]


def test_a_pin_is_checked_by_what_does_not_tell_it() -> None:
    verifier = make_verifier("2580", SALT)
    assert pin_matches(verifier, "2580")
    assert not pin_matches(verifier, "2581")
    assert "2580" not in str(verifier)
    assert make_verifier("2580", SALT[::-1])["hash"] != verifier["hash"]


def test_the_verifier_is_pbkdf2_as_browsers_know_it() -> None:
    verifier = make_verifier("13579", SALT)
    assert base64.b64decode(verifier["salt"]) == SALT
    assert verifier["iterations"] == PIN_ITERATIONS >= 210_000
    expected = hashlib.pbkdf2_hmac("sha256", b"13579", SALT, verifier["iterations"])
    assert base64.b64decode(verifier["hash"]) == expected
    assert len(expected) == 32
