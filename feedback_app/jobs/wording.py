"""The words of letters, in their reader's language, made when they are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from email.message import EmailMessage
from typing import Any

from flask import Flask
from flask_babel import force_locale, gettext

from feedback_app.config import Settings
from feedback_app.edge.languages import day, number
from feedback_app.services import letters

Values = Mapping[str, Any]
Words = tuple[str, str]
"""Subject and body."""


def message_id(key: str) -> str:
    """Return the Message-ID of a job: always the same, so that a letter sent twice is recognised as one."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@otklik>"


def _kind_name(kind: str) -> str:
    return {
        "complaint": gettext("complaint"),
        "claim": gettext("claim"),
        "suggestion": gettext("suggestion"),
        "thanks": gettext("thanks"),
        "critical": gettext("a critical criterion failed on a visit"),
        "danger": gettext("words of danger"),
        "very_negative": gettext("a very negative comment"),
    }.get(kind, kind)


def _params(values: Values) -> dict[str, Any]:
    """Return what most letters say: store, case, kind and day."""
    due = values.get("due_on")
    return {
        "store": values.get("store"),
        "case": values.get("case"),
        "kind": _kind_name(values.get("kind", "")),
        "due": day(date.fromisoformat(due), "long") if due else gettext("no set day"),
    }


def _entry(values: Values) -> Words:
    params = {**_params(values), "number": values["number"], "year": values["year"]}
    return (
        gettext("Store %(store)s: entry No. %(number)s of %(year)s waits for an answer", **params),
        gettext(
            "Entry No. %(number)s of %(year)s in the feedback book of store %(store)s: %(kind)s.\n"
            "It is to be answered by %(due)s.",
            **params,
        ),
    )


def _opened(values: Values) -> Words:
    params = _params(values)
    return (
        gettext("Store %(store)s: case %(case)s opened by itself", **params),
        gettext(
            "Case %(case)s in store %(store)s opened by itself: %(kind)s.\nIt is to be settled by %(due)s.", **params
        ),
    )


def _assigned(values: Values) -> Words:
    params = _params(values)
    return (
        gettext("Store %(store)s: case %(case)s is yours", **params),
        gettext("Case %(case)s in store %(store)s was given to you: %(kind)s.\nIts deadline: %(due)s.", **params),
    )


def _due(values: Values) -> Words:
    params = _params(values)
    return (
        gettext("Store %(store)s: today is the last day for case %(case)s", **params),
        gettext(
            "Case %(case)s in store %(store)s is not answered yet: %(kind)s.\nIts deadline ends today, %(due)s.",
            **params,
        ),
    )


def _escalated(values: Values) -> Words:
    params = _params(values)
    return (
        gettext("Store %(store)s: case %(case)s may miss its deadline", **params),
        gettext(
            "Case %(case)s in store %(store)s is not answered yet: %(kind)s.\n"
            "Its deadline: %(due)s. This letter comes once, before the deadline passes.",
            **params,
        ),
    )


def _forwarded(values: Values) -> Words:
    params = _params(values)
    return (
        gettext("Store %(store)s: case %(case)s was handed on to you", **params),
        gettext(
            "Case %(case)s of store %(store)s concerns you and was handed on to you: %(kind)s.\n"
            "It is to be settled by %(due)s. The store will send you what was written.",
            **params,
        ),
    )


def _answer(values: Values) -> Words:
    return values["subject"], values["body"]


def _heads(values: Values) -> Words:
    shown = {"day": day(date.fromisoformat(values["day"]), "long")}
    lines = [
        gettext("Store %(store)s: %(count)s links, the last is %(link)s", store=code, count=number(count), link=link)
        for code, count, link in values["heads"]
    ]
    opening = gettext(
        "How far the register of each store’s feedback book reached on %(day)s. Keep this letter: a register that was "
        "shortened or written anew later does not agree with it.",
        **shown,
    )
    return gettext("The register’s heads on %(day)s", **shown), "\n".join([opening, "", *lines])


_WORDS: Mapping[str, Callable[[Values], Words]] = {
    letters.ENTRY: _entry,
    letters.OPENED: _opened,
    letters.ASSIGNED: _assigned,
    letters.DUE: _due,
    letters.ESCALATED: _escalated,
    letters.FORWARDED: _forwarded,
    letters.ANSWER: _answer,
    letters.HEADS: _heads,
}
_WITHOUT_ADDRESS = frozenset({letters.ANSWER, letters.HEADS, letters.FORWARDED})
"""Letters to readers who do not sign in: the answer holds its own link, the others lead nowhere that is open."""


def _address(base_url: str | None, kind: str, values: Values) -> str:
    if not base_url or kind in _WITHOUT_ADDRESS:
        return ""
    case = values.get("case")
    return f"{base_url}/cases/{case}" if case is not None else f"{base_url}/"


def write_letter(app: Flask, settings: Settings, job: Mapping[str, Any]) -> EmailMessage:
    """Return the letter of a job in its reader's language."""
    payload = job["payload"]
    kind, values = payload.get("letter", letters.ENTRY), payload["values"]
    with app.test_request_context(), force_locale(payload["language"]):
        subject, body = _WORDS[kind](values)
    address = _address(settings.base_url, kind, values)
    letter = EmailMessage()
    letter["Subject"] = subject
    letter["From"], letter["To"] = settings.mail_from, payload["to"]
    letter["Message-ID"] = message_id(job["key"])
    letter["Date"] = job["created_at"]
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n\n".join(filter(None, [body, address])) + "\n")
    return letter
