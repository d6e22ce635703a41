"""The sentences that pages begin with: what changed, by how much, and whether it is chance."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_babel import gettext, ngettext
from markupsafe import Markup

from analysis.metrics import Estimate
from analysis.trends import Change
from feedback_app.edge.languages import number
from feedback_app.services.journey_map import StageColumn
from feedback_app.services.overview import Headline, MendCard, Overview
from feedback_app.web import vocabulary

_FIGURE = re.compile("([^\\s]+\u00a0\\([^)]*\\))")


def interval(estimate: Estimate, digits: int = 0) -> str:
    """Return "61–67", with "…" between where a bound is negative; empty where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    dash = "…" if estimate.low < 0 else "–"
    return f"{number(estimate.low, digits)}{dash}{number(estimate.high, digits)}"


def between(estimate: Estimate, digits: int = 0) -> str:
    """Return the interval in words; "too few to say" where there is none."""
    if estimate.low is None or estimate.high is None:
        return too_few(estimate.n)
    return gettext("between %(low)s and %(high)s", low=number(estimate.low, digits), high=number(estimate.high, digits))


def too_few(n: int) -> str:
    """Return what stands in place of a figure with too few answers."""
    return gettext("too few to say (n = %(n)s)", n=number(n))


def figure(estimate: Estimate, digits: int = 0) -> str:
    """Return a value with its interval: "64 (61–67)"; "too few to say" where there is none."""
    if estimate.value is None:
        return too_few(estimate.n)
    return f"{number(estimate.value, digits)}\u00a0({interval(estimate, digits)})"


def is_known(change: Change | None) -> bool:
    """Return whether a change can be told at all."""
    return change is not None and change.difference is not None


def direction(change: Change | None, digits: int = 0) -> str:
    """Return "up", "down" or "same" as shown, "unknown" where it cannot be told."""
    if change is None or change.difference is None:
        return "unknown"
    rounded = round(change.difference, digits)
    return "up" if rounded > 0 else "down" if rounded < 0 else "same"


def change_words(change: Change | None, digits: int = 0) -> str:
    """Return a change against the period before in words: "6 lower, not chance"."""
    if change is None or change.difference is None:
        return gettext("nothing to compare with yet")
    size = number(abs(change.difference), digits)
    sure = bool(change.beyond_chance)
    match direction(change, digits):
        case "up":
            return gettext("%(size)s higher, not chance", size=size) if sure else _up_by_chance(size)
        case "down":
            return gettext("%(size)s lower, not chance", size=size) if sure else _down_by_chance(size)
    return gettext("as before")


def _up_by_chance(size: str) -> str:
    return gettext("%(size)s higher, could be chance", size=size)


def _down_by_chance(size: str) -> str:
    return gettext("%(size)s lower, could be chance", size=size)


def whole_figures(text: str) -> Markup:
    """Return a title as markup in which no figure is torn from its interval at the end of a line."""
    parts = _FIGURE.split(text)
    return Markup("").join(
        Markup('<span class="whole">{}</span>').format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def opening(found: Overview) -> str:
    """Return the overview's title: one sentence that answers "what changed, and is it chance".

    A place in one store that fell further than anything moved in the whole is the news; the whole may hide it.
    """
    change = found.headline.change
    moved = abs(change.difference) if change and change.beyond_chance and change.difference else 0.0
    fallen = [card for card in found.mend if card.change and card.change.beyond_chance and _fall(card) > moved]
    if not fallen:
        return headline(found.headline)
    card = max(fallen, key=_fall)
    return headline(Headline("fell", "smiley", card.index, card.before, card.change, card.touchpoint, card.store))


def _fall(card: MendCard) -> float:
    assert card.change is not None
    return -(card.change.difference or 0.0)


def headline(found: Headline) -> str:
    """Return a headline as a sentence."""
    digits = vocabulary.digits(found.measure)
    values = {"value": figure(found.now, digits), "change": change_words(found.change, digits)}
    if found.kind == "empty":
        return gettext("No responses in this period")
    if found.kind == "too_few":
        return gettext("Too few responses to say anything: n = %(n)s", n=number(found.now.n))
    if found.kind in ("fell", "rose"):
        return _moved(found, values)
    measure = vocabulary.measure(found.measure)
    if found.kind == "no_before":
        return gettext("%(measure)s %(value)s; no period before to compare with", measure=measure, **values)
    return gettext("Nothing changed beyond chance: %(measure)s %(value)s", measure=_inside(measure), **values)


def _moved(found: Headline, values: dict[str, str]) -> str:
    if found.touchpoint is not None:
        place = vocabulary.place(found.touchpoint)
        place = f"{place}, {vocabulary.place(found.store)}" if found.store else place
        if found.kind == "fell":
            return gettext("%(place)s: customers are less content. Index %(value)s, %(change)s", place=place, **values)
        return gettext("%(place)s: customers are more content. Index %(value)s, %(change)s", place=place, **values)
    measure = vocabulary.measure(found.measure)
    if found.kind == "fell":
        return gettext("%(measure)s fell to %(value)s, %(change)s", measure=measure, **values)
    return gettext("%(measure)s rose to %(value)s, %(change)s", measure=measure, **values)


def _inside(name: str) -> str:
    """Return a name as it stands inside a sentence; abbreviations stay big."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def responses(n: int, before: int | None) -> str:
    """Return how many responses stand behind a page, and how many stood there before."""
    text = ngettext("%(shown)s response", "%(shown)s responses", n, shown=number(n))
    if before is None:
        return text
    return gettext("%(now)s; in the period before %(before)s", now=text, before=number(before))


def weakest(stages: Sequence[StageColumn]) -> StageColumn | None:
    """Return the stage with the lowest emotion; None where fewer than two can be compared."""
    shown = [column for column in stages if column.emotion.value is not None]
    return min(shown, key=_emotion) if len(shown) > 1 else None


def surely_weakest(stages: Sequence[StageColumn]) -> StageColumn | None:
    """Return the weakest stage if its interval lies below all the others'; None where it may be chance."""
    found = weakest(stages)
    if found is None or found.emotion.high is None:
        return None
    others = [column.emotion.low for column in stages if column is not found and column.emotion.low is not None]
    return found if found.emotion.high < min(others) else None


def _emotion(column: StageColumn) -> float:
    assert column.emotion.value is not None
    return column.emotion.value


def map_headline(stages: Sequence[StageColumn]) -> str:
    """Return the map's title: the weakest stage, and whether it is surely the weakest."""
    lowest = weakest(stages)
    if lowest is None:
        n = sum(column.emotion.n for column in stages)
        return gettext("The journey cannot be compared yet: n = %(n)s", n=number(n)) if n else gettext("An empty map")
    values = {"stage": vocabulary.stage(lowest.stage), "value": figure(lowest.emotion)}
    if surely_weakest(stages) is not None:
        return gettext("%(stage)s is where the journey is weakest: emotion %(value)s, not chance", **values)
    return gettext("%(stage)s has the lowest emotion, %(value)s, but that could be chance", **values)


def why_words(why: str) -> str:
    """Return why a place is to be mended."""
    return {
        "fell": gettext("Fell beyond chance"),
        "low": gettext("Below the whole, not chance"),
        "lowest": gettext("Among the lowest; could be chance"),
    }.get(why, "")


def who_words(who: str) -> str:
    """Return who mends it."""
    return {"manager": gettext("Store manager")}.get(who, who)


def share_words(share: float) -> str:
    """Return a share in per cent."""
    return f"{number(share)}\u00a0%"
