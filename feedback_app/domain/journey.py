"""Stages, touchpoints and aspects of the customer journey, and which belongs to which."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

B2C_STAGES: tuple[str, ...] = ("awareness", "evaluation", "deal", "experience", "trigger")
"""Template of five stages for a shop's buyer; the map is a loop from the last to the first."""

TOUCHPOINT_STAGES: Mapping[str, str] = MappingProxyType(
    {
        "entrance": "awareness",
        "shelf": "evaluation",
        "counter": "evaluation",
        "checkout": "deal",
        "exit": "experience",
    }
)
"""Default stage of each ready-made touchpoint; a chain may change it for its own points."""

ASPECTS: tuple[str, ...] = (
    "assortment",
    "availability",
    "price",
    "promotion",
    "product_quality",
    "freshness",
    "service",
    "staff",
    "queue",
    "checkout",
    "store_environment",
    "cleanliness",
    "equipment",
    "delivery",
    "returns",
    "loyalty_programme",
    "information",
    "other",
)

ASPECT_STAGES: Mapping[str, str] = MappingProxyType(
    {
        "promotion": "awareness",
        "assortment": "evaluation",
        "price": "evaluation",
        "information": "evaluation",
        "store_environment": "evaluation",
        "cleanliness": "evaluation",
        "availability": "deal",
        "service": "deal",
        "staff": "deal",
        "queue": "deal",
        "checkout": "deal",
        "equipment": "deal",
        "product_quality": "experience",
        "freshness": "experience",
        "delivery": "experience",
        "returns": "experience",
        "loyalty_programme": "trigger",
    }
)
"""Default stage of each aspect but `other`, which follows the touchpoint."""

WHOLE_VISIT_STAGE = "experience"
"""Where words that name no aspect and no touchpoint belong: what is told afterwards is the experience."""

_EVALUATED_BY_PEOPLE = frozenset({"service", "staff"})
_EVALUATION_POINTS = frozenset({"shelf", "counter"})

CHANNELS: tuple[str, ...] = (
    "button",
    "qr",
    "book",
    "mystery",
    "staff",
    "focus_group",
    "observation",
    "review",
    "loyalty_card",
)
TAPPED_CHANNELS = frozenset({"button", "qr"})
"""Channels whose emotion is the mean score of their responses."""
TEXT_CHANNELS = frozenset({"book", "staff", "focus_group", "review"})
"""Channels whose emotion is the polarity of the mentions located on a stage."""
VISIT_CHANNELS = frozenset({"mystery"})
"""Channels whose emotion is the checklist score of the criteria of a stage."""


def stage_of_touchpoint(touchpoint: str | None) -> str | None:
    """Return the default stage of a touchpoint key; None for none or an unknown one."""
    return TOUCHPOINT_STAGES.get(touchpoint) if touchpoint else None


def stage_of_aspect(
    aspect: str,
    touchpoint: str | None = None,
    aspect_stages: Mapping[str, str] = ASPECT_STAGES,
    touchpoint_stage: str | None = None,
) -> str:
    """Return the stage on which a mention of an aspect counts.

    Rules: an aspect has a default stage; service and staff named at a shelf or counter belong to evaluation;
    `other` belongs to the touchpoint's own stage, and without a touchpoint to the whole visit's stage.
    `touchpoint_stage` is the chain's own stage for the touchpoint, where it differs from the default.
    """
    if aspect in _EVALUATED_BY_PEOPLE and touchpoint in _EVALUATION_POINTS:
        return "evaluation"
    stage = aspect_stages.get(aspect)
    if stage is not None:
        return stage
    return touchpoint_stage or stage_of_touchpoint(touchpoint) or WHOLE_VISIT_STAGE
