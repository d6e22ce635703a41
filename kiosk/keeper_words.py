"""The words of the kiosk's pages for staff in three languages: an asset of its own, loaded when they are opened."""

from __future__ import annotations

import json
from functools import cache

from flask_babel import force_locale
from flask_babel import gettext as _

from feedback_app.domain.forms import LANGUAGES


def _pin() -> dict[str, str]:
    return {
        "staff": _("For staff"),
        "pin": _("PIN"),
        "open": _("Open"),
        "close": _("Close"),
        "back": _("Back"),
        "erase": _("Delete the last digit"),
        "asking": _("Asking the server"),
        "wrong_pin": _("This is not the PIN."),
        "no_pin": _("No PIN is set yet. The administrator sets it with the settings of the kiosks."),
        "unlearnt_pin": _("This kiosk has not learnt the PIN yet. For that it needs the network once."),
        "locked": _("Too many tries. Again in {n} s."),
    }


def _pairing() -> dict[str, str]:
    return {
        "pair": _("Pair this kiosk"),
        "code": _("Pairing code"),
        "pair_help": _("Eight digits, from the office's page of the kiosks. A paired kiosk is moved by a new code."),
        "unpaired": _("This kiosk is not paired yet"),
        "unpaired_help": _(
            "It takes no answers until it is. What it has kept waits for that and is then delivered. "
            "The code of eight digits stands on the office's page of the kiosks."
        ),
        "paired": _("Paired: {name}"),
        "unknown_code": _("This code is wrong, used or expired."),
        "busy": _("Too many tries. Try again in a minute."),
        "network": _("The server does not answer. Nothing was changed."),
        "device": _("This device keeps nothing, so it cannot be paired."),
    }


def _status() -> dict[str, str]:
    return {
        "delivered": _("Everything is delivered"),
        "waiting": _("Waiting here for delivery: {n}"),
        "refused": _("Set aside here: {n}"),
        "queue": _("Queue"),
        "oldest": _("Oldest answer"),
        "sync": _("Last delivery"),
        "storage": _("Storage used"),
        "storage_of": _("{used} of {all} MB"),
        "persisted": _("Storage safe from clean-up"),
        "version": _("Version"),
        "clock": _("Clock"),
        "clock_right": _("agrees with the server"),
        "clock_behind": _("{n} s behind the server"),
        "clock_ahead": _("{n} s ahead of the server"),
        "boot": _("Page open since"),
        "name": _("Device"),
        "not_paired": _("not paired"),
        "forgotten": _("{name}: the server no longer knows it. Answers go out by the address of their point."),
        "beat": _("Last heartbeat"),
        "place": _("Collection point"),
        "yes": _("Yes"),
        "no": _("No"),
        "never": _("not so far"),
        "unknown": _("unknown"),
    }


def _outcomes() -> dict[str, str]:
    return {
        "sync_sent": _("the server answered for each"),
        "sync_network": _("the server does not answer"),
        "sync_portal": _("something else answers in the server's place, such as the sign-in page of a Wi-Fi"),
        "sync_server": _("the server has a fault"),
        "sync_busy": _("the server asks for patience"),
        "sync_unauthorized": _("the server does not know this point any more"),
        "sync_pairing_required": _("the server takes answers of paired kiosks only"),
        "sync_elsewhere": _("another tab delivers"),
        "sync_device": _("this device's storage fails"),
    }


def _actions() -> dict[str, str]:
    return {
        "send": _("Send now"),
        "export": _("Save as a file"),
        "exported": _("Saved as {name}. “otklik import responses” takes it in."),
        "again": _("Try what was set aside once more"),
        "part": _("End the pairing"),
        "sure": _("Touch once more to end it"),
        "leave": _("Leave the kiosk"),
        "leave_help": _("If the page stays: the home gesture on a tablet, Alt+F4 on a keyboard."),
    }


def _reasons() -> dict[str, str]:
    return {
        "aside": _("Set aside"),
        "aside_help": _("The server refused these answers. They stay on this device, and in the file."),
        "why_conflict": _("its id is already that of another answer"),
        "why_unknown_form_version": _("the server does not know this version of the form"),
        "why_bad_time": _("its time cannot be read"),
        "why_body": _("the server cannot read it"),
        "why_survey_ended": _("the survey had ended"),
        "why": _("it does not fit the form"),
    }


@cache
def keeper_words() -> bytes:
    """Return {language: {name: text}} as JSON."""
    words: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        with force_locale(language):
            words[language] = {**_pin(), **_pairing(), **_status(), **_outcomes(), **_actions(), **_reasons()}
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
