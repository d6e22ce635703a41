"""When a response or an entry needs somebody to act."""

from __future__ import annotations

BOOK_KINDS: tuple[str, ...] = ("complaint", "suggestion", "thanks", "claim")
ANSWERED_KINDS = frozenset({"complaint", "claim"})
"""Kinds of book entries that open a case by themselves."""
