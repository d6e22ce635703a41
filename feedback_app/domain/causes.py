"""Root causes of cases: the list that who works on a case chooses from."""

from __future__ import annotations

ROOT_CAUSES: tuple[str, ...] = (
    "staffing",
    "training",
    "process",
    "planning",
    "communication",
    "supplier",
    "equipment",
    "systems",
    "price_label",
    "cleanliness",
    "rule",
    "other",
)
"""Why it came to a case, as far as the chain can mend it; kept with the case as one of these keys."""


def is_cause(key: object) -> bool:
    """Say whether something is the key of a root cause."""
    return key in ROOT_CAUSES
