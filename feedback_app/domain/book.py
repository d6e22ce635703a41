"""What an entry of the electronic feedback book must and may hold."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from feedback_app.domain import consents
from feedback_app.domain.cases import BOOK_KINDS
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.scales import TEXT_LIMIT, clean_text

NAME_LIMIT = 120
CONTACT_LIMIT = 200
VERDICT_LIMIT = 1_000
"""Characters of what a writer says of an answer."""
PAPER_NUMBER_LIMIT = 40
PAPER_DAYS = 366
"""How long ago an entry of the paper book may have been written: what is older is a slip of the pen."""
CONSENT_VERSION = consents.CURRENT
"""Version of the consent's wording that is shown with the form and kept with the entry."""

SECRET_BYTES = 24
"""Random bytes in the secret of an entry's link: 192 bits, so that nobody finds one by trying."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,64}")


def new_secret() -> str:
    """Return a secret for the link by which a writer follows the answer."""
    return secrets.token_urlsafe(SECRET_BYTES)


def is_secret(text: Any) -> bool:
    """Say whether a text may be such a secret: 22 to 64 letters of base64url, 128 bits or more."""
    return isinstance(text, str) and _SECRET.fullmatch(text) is not None


@dataclass(frozen=True)
class Entry:
    """An entry as written; name and contact are there only with consent."""

    kind: str
    text: str
    name: str | None = None
    contact: str | None = None
    consent_by: str | None = None
    """Who consented to the keeping of name and contact: `writer` or `guardian`; None where nobody did."""

    @property
    def consent(self) -> bool:
        """Say whether anybody consented."""
        return self.consent_by is not None


def _short(raw: Mapping[str, Any], key: str, limit: int, problems: list[Problem]) -> str | None:
    value = raw.get(key) or ""
    if not isinstance(value, str):
        problems.append(Problem("wrong_type", key))
        return None
    if len(value) > limit:
        problems.append(Problem("too_long", key, limit=limit))
    return " ".join(clean_text(value).split()) or None


def accept(raw: Mapping[str, Any]) -> Entry:
    """Return an entry, or raise Invalid with a problem per field.

    Anonymous by default; whoever leaves a name or a contact must consent to its keeping (Law 99-Z, 152-FZ). For a
    writer under 16 a parent or guardian does (Law 99-Z, art. 5).
    """
    problems: list[Problem] = []
    kind, text = raw.get("kind"), raw.get("text")
    if kind not in BOOK_KINDS:
        problems.append(Problem("required" if not kind else "unknown_choice", "kind"))
    if not isinstance(text, str) or not clean_text(text):
        problems.append(Problem("required", "text"))
        text = ""
    elif len(text) > TEXT_LIMIT:
        problems.append(Problem("too_long", "text", limit=TEXT_LIMIT))
    name = _short(raw, "name", NAME_LIMIT, problems)
    contact = _short(raw, "contact", CONTACT_LIMIT, problems)
    consent_by = _consent_by(raw)
    if (name or contact) and consent_by is None:
        young = bool(raw.get("under_16"))
        problems.append(Problem("guardian_needed", "guardian") if young else Problem("consent_needed", "consent"))
    if problems:
        raise Invalid(problems)
    return Entry(str(kind), clean_text(text), name, contact, consent_by)


def _consent_by(raw: Mapping[str, Any]) -> str | None:
    """Return who consents: a child's own tick is none, and for the paper book staff say what the writer agreed to."""
    if raw.get("under_16"):
        return consents.GUARDIAN if raw.get("guardian") else None
    if not raw.get("consent"):
        return None
    return consents.PAPER if raw.get("consent_by") == consents.PAPER else consents.WRITER


def paper_place(number: str, written_on: str, today: date) -> tuple[str | None, date | None]:
    """Return number and date of an entry in the paper book, each where it is given, or raise Invalid.

    `today` is the store's day: nothing was written after it.
    """
    problems: list[Problem] = []
    shown = _short({"paper_number": number}, "paper_number", PAPER_NUMBER_LIMIT, problems)
    day: date | None = None
    if written_on.strip():
        try:
            day = date.fromisoformat(written_on.strip())
        except ValueError:
            problems.append(Problem("bad_date", "paper_on"))
        else:
            if not timedelta(0) <= today - day <= timedelta(days=PAPER_DAYS):
                problems.append(Problem("date_out_of_reach", "paper_on", days=PAPER_DAYS))
    if problems:
        raise Invalid(problems)
    return shown, day
