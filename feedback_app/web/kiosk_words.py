"""How the kiosks are told of: the page's title, states with what to do, and figures as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_time, format_timedelta
from flask_babel import LazyString, get_locale, gettext, lazy_gettext, ngettext

from feedback_app.domain.fleet import State
from feedback_app.edge.languages import number
from feedback_app.services.clock import now
from feedback_app.services.fleet import Fleet, Kiosk
from feedback_app.web.findings import share_words

OWN_NAMES = {"ru": "Русский", "be": "Беларуская", "en": "English"}
"""What the languages call themselves: the same on every page."""
SHOWN_VERSION = 8
SKEW_WORTH_WORDS = timedelta(seconds=30)


@dataclass(frozen=True)
class StateWords:
    """A state in words: its name, what to do, and when it is said."""

    name: LazyString
    to_do: LazyString
    rule: LazyString


STATES: Mapping[State, StateWords] = {
    State.SILENT: StateWords(
        lazy_gettext("Silent"),
        lazy_gettext("See that the tablet is on and has a network, then open the kiosk page."),
        lazy_gettext("Nothing heard for 15 minutes while the store is open, or for 24 hours."),
    ),
    State.FULL: StateWords(
        lazy_gettext("Full"),
        lazy_gettext("Answers wait and do not leave. Check the store's network; nothing is lost so far."),
        lazy_gettext("More than 1,000 answers wait, one waits for over a day, or over 80 % of its storage is used."),
    ),
    State.QUARANTINE: StateWords(
        lazy_gettext("Refused answers"),
        lazy_gettext("Save them as a file on the kiosk's page for staff and send it to the administrator."),
        lazy_gettext("The server could not accept some answers; the kiosk keeps them aside."),
    ),
    State.WRONG_CLOCK: StateWords(
        lazy_gettext("Wrong clock"),
        lazy_gettext("Set the tablet's date, time and time zone to automatic."),
        lazy_gettext("The tablet's clock is wrong by more than two minutes. Times of answers are corrected."),
    ),
    State.NEVER_SEEN: StateWords(
        lazy_gettext("Never heard"),
        lazy_gettext("Open the kiosk page on the tablet that it was paired for, or take it out of the fleet."),
        lazy_gettext("It was paired over 15 minutes ago and has not reported since."),
    ),
    State.OUTDATED: StateWords(
        lazy_gettext("Old version"),
        lazy_gettext("Load the kiosk page anew on the tablet."),
        lazy_gettext("For over a day it has shown an older version of the kiosk page than the server's."),
    ),
    State.UNPROTECTED: StateWords(
        lazy_gettext("Storage not protected"),
        lazy_gettext("Install the kiosk page as an app from the browser's menu."),
        lazy_gettext("The browser may clear the storage when space runs short. Nobody has to hurry."),
    ),
}


def title(found: Fleet) -> str:
    """Return the page's title: how many kiosks need a hand."""
    if not found.count:
        return gettext("No kiosk is paired yet")
    if not found.in_need:
        return ngettext("The kiosk is well", "All %(shown)s kiosks are well", found.count, shown=number(found.count))
    return ngettext(
        "%(shown)s of %(all)s kiosks needs a hand",
        "%(shown)s of %(all)s kiosks need a hand",
        found.in_need,
        shown=number(found.in_need),
        all=number(found.count),
    )


def bare_words(found: Fleet) -> str:
    """Return how many collection points have no paired kiosk."""
    bare = sum(len(store.touchpoints) for store in found.bare)
    if not bare:
        return gettext("Every collection point has a paired kiosk")
    return ngettext(
        "%(shown)s of %(all)s collection points has no paired kiosk",
        "%(shown)s of %(all)s collection points have no paired kiosk",
        bare,
        shown=number(bare),
        all=number(found.points),
    )


def _since(moment: datetime) -> timedelta:
    return max(now() - moment, timedelta())


def ago(moment: datetime | None) -> str:
    """Return how long ago a moment was."""
    if moment is None:
        return gettext("not yet")
    passed = _since(moment)
    if passed < timedelta(minutes=1):
        return gettext("just now")
    return str(format_timedelta(-passed, add_direction=True, locale=get_locale()))


def hour(moment: datetime, timezone: str) -> str:
    """Return a moment of today by a store's clock."""
    return str(format_time(moment.astimezone(ZoneInfo(timezone)), format="HH:mm", locale=get_locale()))


def queue(kiosk: Kiosk) -> str:
    """Return how many answers wait on a kiosk, and since when the oldest does."""
    facts = kiosk.facts
    if facts.seen_at is None:
        return "–"
    if not facts.queue_length or facts.oldest_queued_at is None:
        return number(facts.queue_length)
    oldest = format_timedelta(_since(facts.oldest_queued_at), locale=get_locale())
    return gettext("%(shown)s, the oldest for %(time)s", shown=number(facts.queue_length), time=oldest)


def storage(kiosk: Kiosk) -> str:
    """Return how full a kiosk's storage is."""
    return "–" if kiosk.storage_share is None else share_words(kiosk.storage_share * 100)


def clock(kiosk: Kiosk) -> str:
    """Return by how much a kiosk's clock is wrong."""
    if kiosk.facts.skew_ms is None:
        return "–"
    skew = timedelta(milliseconds=abs(kiosk.facts.skew_ms))
    if skew < SKEW_WORTH_WORDS:
        return gettext("right")
    shown = str(format_timedelta(skew, locale=get_locale()))
    if kiosk.facts.skew_ms > 0:
        return gettext("%(time)s slow", time=shown)
    return gettext("%(time)s fast", time=shown)


def version(kiosk: Kiosk) -> str:
    """Return the beginning of the version that a kiosk shows."""
    return (kiosk.facts.app_version or "–")[:SHOWN_VERSION]
