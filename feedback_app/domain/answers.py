"""Answers to entries: the places in their templates, the states of a draft, and the ways to the writer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from feedback_app.domain.cases import ANSWER_LIMIT, BOOK_KINDS, words_of
from feedback_app.domain.errors import DomainError, Invalid, Problem

DRAFT, REVIEW, RETURNED, SENT = "draft", "review", "returned", "sent"
MAIL, LINK, PRINT = "mail", "link", "print"
WAYS: tuple[str, ...] = (MAIL, LINK, PRINT)
MORE_TIME, FORWARDED = "more_time", "forwarded"
TEMPLATE_KINDS: tuple[str, ...] = (*BOOK_KINDS, MORE_TIME, FORWARDED)
"""What a template is for: a kind of entry, or what the writer is told when a case is extended or forwarded."""
TEMPLATE_NAME_LIMIT = 80
PLACES: tuple[str, ...] = ("number", "year", "date", "store", "name", "due", "answer_date", "reason", "addressee")
_PLACE = re.compile(r"\{([^{}\n]{0,40})\}")
_NAME_AT_START = re.compile(r"^[ \t]*\{name\}[ \t]*[,!.]?[ \t]*(\w?)", re.MULTILINE)
_NAME_WITHIN = re.compile(r"[ \t]*,?[ \t]*\{name\}")
_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\"]+")


def unknown_places(text: str) -> list[str]:
    """Return the {places} of a text that nothing fills, as they are written."""
    found = (match[1] for match in _PLACE.finditer(text))
    return list(dict.fromkeys(f"{{{name}}}" for name in found if name not in PLACES))


def require_known(text: str, field: str = "text") -> None:
    """Raise Invalid where a text has places that nothing fills; the problem names them."""
    unknown = unknown_places(text)
    if unknown:
        raise Invalid([Problem("unknown_place", field, places=", ".join(unknown))])


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """Return a text with its places filled; a name that nobody gave leaves neither a gap nor a comma behind.

    A place without a value among `values` stays as it is written.
    """
    if not values.get("name"):
        text = _NAME_AT_START.sub(lambda match: match[1].upper(), text)
        text = _NAME_WITHIN.sub("", text)

    def value(match: re.Match[str]) -> str:
        return values.get(match[1]) or match[0]

    return _PLACE.sub(value, text)


def address_of(contact: str | None) -> str | None:
    """Return the e-mail address that a contact is; None where it is something else."""
    trimmed = (contact or "").strip()
    return trimmed if _EMAIL.fullmatch(trimmed) else None


def ways(contact: str | None, has_link: bool) -> tuple[str, ...]:
    """Return the ways by which an answer can reach a writer, the surest first; paper always can."""
    found = [MAIL] if address_of(contact) else []
    return (*found, *([LINK] if has_link else []), PRINT)


def way_to(contact: str | None, has_link: bool, wanted: str | None) -> str:
    """Return the way that was wanted where it is open, else the surest one."""
    possible = ways(contact, has_link)
    return wanted if wanted in possible else possible[0]


def require_own_name(text: str, others: Iterable[str | None], field: str = "text") -> None:
    """Raise Invalid where an answer holds the name or contact of another writer who is not to read it."""
    lowered = text.casefold()
    if any(other and re.search(rf"(?<!\w){re.escape(other.casefold())}(?!\w)", lowered) for other in others):
        raise Invalid([Problem("names_another_writer", field)])


def answer_text(raw: str | None) -> str:
    """Return an answer as it is kept, or raise Invalid: nothing there, too long, or with places that nothing fills."""
    text = words_of(raw, "text", ANSWER_LIMIT)
    require_known(text)
    return text


def require_second_person(written_by: int, approves: int) -> None:
    """Raise DomainError `own_answer`: nobody approves what they wrote themselves."""
    if written_by == approves:
        raise DomainError("own_answer")
