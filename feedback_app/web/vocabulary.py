"""The field's words for keys that the program thinks in: stages, aspects, sources, measures, weekdays."""

from __future__ import annotations

from collections.abc import Mapping

from babel.dates import get_day_names
from flask_babel import LazyString, get_locale, lazy_gettext, lazy_pgettext

from feedback_app.domain.forms import word
from feedback_app.edge.context import language

_STAGES: Mapping[str, LazyString] = {
    "awareness": lazy_gettext("Awareness"),
    "evaluation": lazy_gettext("Evaluation"),
    "deal": lazy_gettext("Deal"),
    "experience": lazy_gettext("Customer experience"),
    "trigger": lazy_gettext("Trigger"),
}
_GOALS: Mapping[str, LazyString] = {
    "awareness": lazy_gettext("The customer notices the shop and comes in"),
    "evaluation": lazy_gettext("The customer looks, compares and asks"),
    "deal": lazy_gettext("The customer is served and pays"),
    "experience": lazy_gettext("The customer uses what was bought"),
    "trigger": lazy_gettext("Something brings the customer back"),
}
_ASPECTS: Mapping[str, LazyString] = {
    "assortment": lazy_gettext("assortment"),
    "availability": lazy_gettext("goods on the shelf"),
    "price": lazy_gettext("prices"),
    "promotion": lazy_gettext("promotions"),
    "product_quality": lazy_gettext("product quality"),
    "freshness": lazy_gettext("freshness"),
    "service": lazy_gettext("service"),
    "staff": lazy_gettext("staff"),
    "queue": lazy_gettext("queue"),
    "checkout": lazy_gettext("checkout"),
    "store_environment": lazy_gettext("comfort in the shop"),
    "cleanliness": lazy_gettext("cleanliness"),
    "equipment": lazy_gettext("equipment"),
    "delivery": lazy_gettext("delivery"),
    "returns": lazy_gettext("returns"),
    "loyalty_programme": lazy_gettext("loyalty programme"),
    "information": lazy_gettext("information"),
    "other": lazy_gettext("other things"),
}
_TONES: Mapping[str, LazyString] = {
    "negative": lazy_gettext("unhappy"),
    "neutral": lazy_gettext("neutral"),
    "positive": lazy_gettext("content"),
}
_FEELINGS: Mapping[str, LazyString] = {
    "negative": lazy_pgettext("about an aspect", "unhappy"),
    "neutral": lazy_pgettext("about an aspect", "neutral"),
    "positive": lazy_pgettext("about an aspect", "content"),
}
_SOURCES: Mapping[str, LazyString] = {
    "button": lazy_gettext("Loyalty button"),
    "qr": lazy_gettext("QR survey"),
    "comment": lazy_gettext("Comments left with answers"),
    "book": lazy_gettext("Feedback book"),
    "mystery": lazy_gettext("Mystery visits"),
    "staff": lazy_gettext("Staff notes"),
    "focus_group": lazy_gettext("Focus groups"),
    "observation": lazy_gettext("Observation"),
    "review": lazy_gettext("Reviews"),
    "loyalty_card": lazy_gettext("Loyalty cards"),
}
_MEASURES: Mapping[str, LazyString] = {
    "smiley": lazy_gettext("Smiley index"),
    "csat": lazy_gettext("CSAT"),
    "nps": lazy_gettext("NPS"),
    "ces": lazy_gettext("CES"),
    "checklist": lazy_gettext("Checklist score"),
    "sentiment": lazy_gettext("Sentiment"),
    "score": lazy_gettext("Score"),
}
_MEANINGS: Mapping[str, LazyString] = {
    "smiley": lazy_gettext("mean of the smileys, 0 to 100"),
    "csat": lazy_gettext("share of content customers, 0 to 100"),
    "nps": lazy_gettext("would recommend, −100 to 100"),
    "ces": lazy_gettext("ease, 1 to 7"),
    "checklist": lazy_gettext("mystery visits, 0 to 100"),
    "sentiment": lazy_gettext("tone of the words, −1 to 1"),
    "score": lazy_gettext("mean answer, 0 to 100"),
}
_CAUSES: Mapping[str, LazyString] = {
    "staffing": lazy_gettext("Too few people on the shift"),
    "training": lazy_gettext("Knowledge and training"),
    "process": lazy_gettext("The way of working"),
    "planning": lazy_gettext("Planning and ordering"),
    "communication": lazy_gettext("Told wrongly or not at all"),
    "supplier": lazy_gettext("Supplier"),
    "equipment": lazy_gettext("Equipment"),
    "systems": lazy_gettext("Programs and tills"),
    "price_label": lazy_gettext("Price labels"),
    "cleanliness": lazy_gettext("Cleanliness and order"),
    "rule": lazy_gettext("A rule of the chain"),
    "other": lazy_pgettext("root cause", "Something else"),
}
DIGITS: Mapping[str, int] = {"ces": 1, "sentiment": 2}
"""Decimals of the measures that need any."""
SCALES: Mapping[str, tuple[float, float]] = {"nps": (-100, 100), "ces": (1, 7), "sentiment": (-1, 1)}
"""Lowest and highest value of the measures that do not run from 0 to 100."""


def stage(key: str) -> str:
    """Return a stage's name."""
    return str(_STAGES.get(key, key))


def goal(key: str) -> str:
    """Return what the customer wants to reach on a stage."""
    return str(_GOALS.get(key, ""))


def aspect(key: str) -> str:
    """Return an aspect's name, as it stands inside a sentence."""
    return str(_ASPECTS.get(key, key))


def cause(key: str) -> str:
    """Return the name of a root cause; of an unknown one its key."""
    return str(_CAUSES.get(key, key))


def tone(key: str) -> str:
    """Return how a label is said of a comment."""
    return str(_TONES.get(key, key))


def feeling(key: str) -> str:
    """Return how a label is said of customers who speak of an aspect."""
    return str(_FEELINGS.get(key, key))


def source(key: str) -> str:
    """Return the name of a channel or source."""
    return str(_SOURCES.get(key, key))


def measure(key: str) -> str:
    """Return a measure's name."""
    return str(_MEASURES.get(key, key))


def meaning(key: str) -> str:
    """Return what a measure says and on which scale."""
    return str(_MEANINGS.get(key, ""))


def digits(key: str) -> int:
    """Return how many decimals a measure is shown with."""
    return DIGITS.get(key, 0)


def scale(key: str) -> tuple[float, float]:
    """Return the lowest and highest value of a measure."""
    return SCALES.get(key, (0, 100))


def place(named: object) -> str:
    """Return the name of something with `names` in the reader's language, as it begins a line."""
    return capital(word(getattr(named, "names", None), language()))


def weekday(number: int) -> str:
    """Return the short name of a weekday, Monday = 1."""
    return str(get_day_names("abbreviated", "stand-alone", get_locale() or "en")[number - 1])


def capital(text: str) -> str:
    """Return a text with its first letter big, the others as they are."""
    return text[:1].upper() + text[1:]
