"""The life of the demo chain: what customers left behind, one response after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from feedback_app.domain import book, responses
from feedback_app.domain.forms import Form
from feedback_app.domain.responses import Accepted
from feedback_app.services import demo_rhythm
from feedback_app.services.book import entry_row
from feedback_app.services.demo_ground import Ground
from feedback_app.services.demo_words import Words

ZONE = ZoneInfo("Europe/Minsk")
SHARE_QR, SHARE_REVIEW, SHARE_BOOK = 0.10, 0.02, 0.008
COMMENT_SHARE = {"button": 0.10, "qr": 0.45}
LANGUAGE_SHARE = {"ru": 70, "be": 18, "en": 12}


@dataclass(frozen=True)
class Moment:
    """A moment somebody left something behind."""

    code: str
    at: datetime
    local: datetime
    days_ago: int


class Life:
    """Makes responses one after the other from one random source."""

    def __init__(self, days: int, ground: Ground, rng: random.Random, today: date) -> None:
        self._days, self._ground, self._rng, self._today = days, ground, rng, today
        self._moods = dict(zip(ground.codes, demo_rhythm.moods(len(ground.codes), rng), strict=True))
        self._sizes = {code: rng.uniform(0.6, 1.5) for code in ground.codes}
        self._words = Words(rng)

    def moments(self, count: int) -> list[Moment]:
        """Return when and where responses come in, in the order of time."""
        rng, days = self._rng, range(1, self._days + 1)
        weights = [demo_rhythm.WEEKDAYS[(self._today - timedelta(days=ago)).weekday()] for ago in days]
        chosen_days = rng.choices(days, weights, k=count)
        codes = rng.choices(self._ground.codes, [self._sizes[code] for code in self._ground.codes], k=count)
        hours = rng.choices(range(24), demo_rhythm.HOURS, k=count)
        moments = []
        for days_ago, code, hour in zip(chosen_days, codes, hours, strict=True):
            store = self._ground.stores[code]
            open_hour = max(store.opens, min(store.closes - 1, hour))
            clock = time(open_hour, rng.randrange(60), rng.randrange(60))
            local = datetime.combine(self._today - timedelta(days=days_ago), clock, tzinfo=ZONE)
            moments.append(Moment(code, local.astimezone(UTC), local, days_ago))
        return sorted(moments, key=lambda moment: (moment.at, moment.code))

    def _new_id(self, at: datetime) -> UUID:
        milliseconds = int(at.timestamp() * 1000)
        bits = (milliseconds << 80) | self._rng.getrandbits(80)
        return UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62))

    def _level(self, moment: Moment, touchpoint: str) -> float:
        mean = demo_rhythm.mood_at(
            self._moods[moment.code],
            touchpoint,
            moment.days_ago,
            self._days,
            moment.local.hour,
            moment.local.weekday(),
        )
        return self._rng.gauss(mean, 1)

    def _language(self) -> str:
        return self._rng.choices(list(LANGUAGE_SHARE), list(LANGUAGE_SHARE.values()))[0]

    def _accept(
        self, moment: Moment, channel: str, touchpoint: str, answers: dict[str, Any], language: str
    ) -> Accepted:
        at = self._ground.points[moment.code, channel, touchpoint]
        received_at = moment.at + timedelta(seconds=self._rng.randrange(1, 40))
        accepted = responses.build(self._new_id(moment.at), at, answers, received_at, language=language)
        accepted.occurred_at = moment.at
        return accepted

    def response(self, moment: Moment) -> tuple[Accepted, dict[str, Any] | None]:
        """Return one response, and its entry where it was written into the feedback book."""
        draw = self._rng.random()
        if draw < SHARE_BOOK:
            return self._entry(moment)
        if draw < SHARE_BOOK + SHARE_REVIEW:
            return self._review(moment), None
        touchpoint = self._rng.choices(list(demo_rhythm.TOUCHPOINTS), list(demo_rhythm.TOUCHPOINTS.values()))[0]
        channel = "qr" if draw < SHARE_BOOK + SHARE_REVIEW + SHARE_QR else "button"
        level = self._level(moment, touchpoint)
        language = self._language()
        form = self._ground.points[moment.code, channel, touchpoint].form
        answers = self._answers(form, level, moment)
        if self._rng.random() < COMMENT_SHARE[channel] and "comment" in form.by_key:
            text = self._words.pick("any", language, level, touchpoint)
            if text:
                answers["comment"] = text
        return self._accept(moment, channel, touchpoint, answers, language), None

    def _answers(self, form: Form, level: float, moment: Moment) -> dict[str, Any]:
        rng = self._rng
        answers: dict[str, Any] = {}
        for question in form.questions():
            if question.show_if and not question.show_if.holds(answers):
                continue
            own = level + rng.gauss(0, 0.35)
            if question.type in ("smiley4", "smiley5"):
                answers[question.key] = demo_rhythm.smiley(level, int(question.type[-1]))
            elif question.type == "rating":
                answers[question.key] = demo_rhythm.scale(own, 1, question.size or 5)
            elif question.type == "nps" and rng.random() < 0.9:
                answers[question.key] = demo_rhythm.scale(own + 0.35, 0, 10)
            elif question.type == "ces" and rng.random() < 0.85:
                answers[question.key] = demo_rhythm.scale(own, 1, 7)
            elif question.type == "yes_no":
                answers[question.key] = "yes" if rng.random() < 0.6 else "no"
            elif question.type == "choice" and rng.random() < 0.7:
                rush = 3 if moment.local.hour in (17, 18, 19) else 1
                weights = [rush if key == "queue" else 1 for key in question.choice_keys]
                answers[question.key] = rng.choices(question.choice_keys, weights)[0]
        return answers

    def _review(self, moment: Moment) -> Accepted:
        level, language = self._level(moment, ""), self._language()
        text = self._words.pick("review", language, level, "any") or self._words.pick("any", language, level, "any")
        answers: dict[str, Any] = {"text": text, "rating": demo_rhythm.scale(level, 1, 5)}
        return self._accept(moment, "review", "", answers, language)

    def _entry(self, moment: Moment) -> tuple[Accepted, dict[str, Any]]:
        kind = self._rng.choices(("complaint", "suggestion", "thanks", "claim"), (45, 20, 25, 10))[0]
        language = self._rng.choices(("ru", "be"), (4, 1))[0]
        text = self._words.entry(language, kind) or self._words.entry("ru", kind) or ""
        accepted = self._accept(moment, "book", "", {"kind": kind, "text": text}, language)
        store = self._ground.stores[moment.code]
        entry = book.Entry(kind, text)
        return accepted, entry_row(entry, accepted.id, store, accepted.received_at, language)

    def visits(self) -> Iterator[tuple[Accepted, date]]:
        """Yield the handed-in visits: about one a week and store."""
        form = self._ground.checklist
        if form is None:
            return
        for code in self._ground.codes:
            for days_ago in range(self._days, 0, -7):
                clock = time(self._rng.randrange(10, 19), self._rng.randrange(60))
                local = datetime.combine(self._today - timedelta(days=days_ago), clock, tzinfo=ZONE)
                moment = Moment(code, local.astimezone(UTC), local, days_ago)
                answers = self._checklist(form, moment)
                yield self._accept(moment, "mystery", "", answers, "ru"), local.date()

    def _checklist(self, form: Form, moment: Moment) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for question in form.questions():
            level = self._level(moment, question.touchpoint or "")
            if question.type == "yes_no":
                often = 0.985 if question.knock_out else 0.86
                good = self._rng.random() < often if level > -0.5 else self._rng.random() < often - 0.2
                answers[question.key] = "na" if self._rng.random() < 0.03 else "yes" if good else "no"
            elif question.type == "choice":
                ranked = sorted(question.choices, key=lambda choice: -(choice.points or 0))
                answers[question.key] = ranked[0 if level > -0.3 else min(1, len(ranked) - 1)].key
            elif question.type == "number":
                answers[question.key] = self._number(question.key, level)
        text = self._words.pick("any", "ru", self._level(moment, "exit"), "exit")
        if text and self._rng.random() < 0.6:
            answers["comment"] = text
        return answers

    def _number(self, key: str, level: float) -> float:
        if "minutes" in key:
            return max(0, round(4 - 2 * level))
        return round(4 + max(-2, min(4, -level)), 1)
