"""Answers to the checklist of the demo's visits."""

from __future__ import annotations

from typing import Any

ALL_GOOD: dict[str, Any] = {
    **dict.fromkeys(("sign_clean", "hours_posted", "entrance_safe", "offers_current"), "yes"),
    "shelf_fill": "full",
    **dict.fromkeys(("price_tags_match", "signs_clear", "counter_advice", "greeted"), "yes"),
    "queue_minutes": 2,
    **dict.fromkeys(("equipment_works", "receipt_correct", "no_pushing", "no_expired"), "yes"),
    "fridge_degrees": 4.5,
    **dict.fromkeys(("bread_fresh", "packaging_intact", "loyalty_offered", "invited_back", "next_offer"), "yes"),
}
"""Nothing wrong: 100 points of 100."""
