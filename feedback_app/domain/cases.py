"""When a response or an entry needs somebody to act."""

from __future__ import annotations

BOOK_KINDS: tuple[str, ...] = ("complaint", "suggestion", "thanks", "claim")
ANSWERED_KINDS = frozenset({"complaint", "claim"})
"""Kinds of book entries that open a case by themselves."""


def needs_case(book_kind: str | None, failed_critical: bool) -> bool:
    """Say whether a case is opened: for a complaint, a claim, or a visit that failed a critical criterion."""
    return book_kind in ANSWERED_KINDS or failed_critical
