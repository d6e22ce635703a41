"""Building the demo chain: stores, people, and what customers of some months left behind."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis.journey import Mention, locate
from analysis.sentiment import Sentiment, score_comments
from feedback_app.domain import book, checklists, journey, responses
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.cases import ANSWERED_KINDS
from feedback_app.domain.errors import DomainError
from feedback_app.domain.forms import Form, parse
from feedback_app.domain.responses import Accepted, PointForm
from feedback_app.services import catalogue, demo_rhythm, intake, standard_forms, users
from feedback_app.services.book import entry_row, insert_entry
from feedback_app.services.chain import CHAIN
from feedback_app.services.clock import now
from feedback_app.storage import house, migrate
from feedback_app.storage.database import Base, Database
from feedback_app.storage.tables import Point, Region, Store, Touchpoint, User, Visit

PASSWORD = "otklik-demo"  # noqa: S105  (printed on purpose: the demo is open)
SIGN_INS = (
    ("director", "director@otklik.example"),
    ("manager of store 001", "manager@otklik.example"),
    ("mystery shopper", "shopper@otklik.example"),
    ("coordinator", "coordinator@otklik.example"),
    ("administrator", "admin@otklik.example"),
)
ZONE = ZoneInfo("Europe/Minsk")
SLICE = 4_000
SHARE_QR, SHARE_REVIEW, SHARE_BOOK = 0.10, 0.02, 0.008
COMMENT_SHARE = {"button": 0.10, "qr": 0.45}
LANGUAGE_SHARE = {"ru": 70, "be": 18, "en": 12}
SURVEYS = {"checkout": "survey-checkout"}
OPEN_CASE_DAYS = 15
Progress = Callable[[int], None]
Comment = dict[str, str]


@dataclass(frozen=True)
class Plan:
    """How large a demo chain is, and its seed."""

    stores: int = 12
    days: int = 90
    responses: int = 50_000
    seed: int = 1


@dataclass(frozen=True)
class Built:
    """What was built."""

    stores: int
    responses: int


# --- what is already there --------------------------------------------------------------------------------------


def _chain(db: Database) -> dict[str, Any] | None:
    with db.read(SYSTEM) as session:
        return house.get_setting(session, CHAIN)


def is_whole(db: Database) -> bool:
    """Say whether a demo chain was built to its end here."""
    chain = _chain(db)
    return bool(chain and chain.get("demo") and chain.get("whole"))


def _clear(db: Database) -> None:
    """Empty a demo database; refuse one that holds anything else."""
    chain = _chain(db)
    with db.read(SYSTEM) as session:
        empty = session.scalar(sa.select(Store.id).limit(1)) is None and session.scalar(sa.select(User.id)) is None
    if chain is None and empty:
        return
    if not chain or not chain.get("demo"):
        raise DomainError("holds_real_chain")

    def drop(connection: Connection) -> None:
        Base.metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))

    db.write(drop)
    migrate.upgrade(db)
    db.memory.clear()


# --- data -------------------------------------------------------------------------------------------------------


def _read_json(name: str) -> Any:
    return json.loads(files("feedback_app.services.demo_data").joinpath(name).read_text(encoding="utf-8"))


def _definitions() -> list[dict[str, Any]]:
    folder = files("feedback_app.services.demo_data").joinpath("forms")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    return [*standard_forms.STANDARD, *(_read_json(f"forms/{name}") for name in names)]


def read_comments() -> list[Comment]:
    """Return the demo's comments: language, mood, touchpoint, channel, kind, topic and text."""
    text = files("feedback_app.services.demo_data").joinpath("comments.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


class Words:
    """Comments to choose from, by channel, language, mood and touchpoint."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._pools: dict[tuple[str, ...], list[Comment]] = {}
        for comment in read_comments():
            for touchpoint in ("", comment["touchpoint"]):
                key = (comment["channel"], comment["language"], comment["mood"], touchpoint, "")
                self._pools.setdefault(key, []).append(comment)
            self._pools.setdefault((comment["channel"], comment["language"], "", "", comment["kind"]), []).append(
                comment
            )

    def pick(self, channel: str, language: str, level: float, touchpoint: str) -> str | None:
        """Return a comment of a mood at a touchpoint, or one that fits anywhere."""
        mood = "positive" if level > 0.55 else "negative" if level < -0.25 else self._rng.choice(("neutral", "mixed"))
        here = self._pools.get((channel, language, mood, touchpoint, ""), [])
        anywhere = self._pools.get((channel, language, mood, "any", ""), [])
        pool = here + anywhere
        return self._rng.choice(pool)["text"] if pool else None

    def entry(self, language: str, kind: str) -> str | None:
        """Return a feedback book entry of a kind."""
        pool = self._pools.get(("book", language, "", "", kind), [])
        return self._rng.choice(pool)["text"] if pool else None


class Memo:
    """The analysis of texts that come again: the demo has many responses and few different comments."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None, str | None], tuple[Sentiment, list[Mention]]] = {}

    def __call__(self, accepted: Sequence[Accepted]) -> intake.Analysed:
        """Return sentiment and mentions of each comment, scored once per text and touchpoint."""
        sentiments: dict[UUID, Sentiment] = {}
        mentions: dict[UUID, list[Mention]] = {}
        for item in accepted:
            if not item.comment:
                continue
            key = (item.comment, item.language, item.at.touchpoint)
            if key not in self._known:
                texts, hints = [item.comment], [item.language]
                located = locate(texts, hints, item.at.touchpoint, touchpoint_stage=item.at.stage)
                self._known[key] = (score_comments(texts, hints)[0], located[0])
            sentiments[item.id], mentions[item.id] = self._known[key]
        return sentiments, mentions


# --- the ground: stores, points, people -------------------------------------------------------------------------


@dataclass
class Ground:
    """The stores with their points and forms, as the responses need them."""

    codes: list[str] = field(default_factory=list)
    stores: dict[str, Store] = field(default_factory=dict)
    points: dict[tuple[str, str, str], PointForm] = field(default_factory=dict)
    checklist: Form | None = None
    checklist_version: int = 0
    shopper_id: int = 0


def _token(rng: random.Random) -> str:
    return "".join(rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=12))


def _insert(connection: Connection, table: Any, **values: Any) -> int:
    row_id: int = connection.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one()
    return row_id


def _publish(connection: Connection) -> dict[str, tuple[int, int, Form]]:
    published = {}
    for definition in _definitions():
        form_id, version_id = catalogue.publish_form(connection, definition)
        published[definition["key"]] = (form_id, version_id, parse(definition))
    return published


def _hour(text: str) -> int:
    return int(text.partition(":")[0])


def lay_ground(connection: Connection, plan: Plan, password_hash: str, rng: random.Random) -> Ground:
    """Write regions, stores, touchpoints, points, forms and people; return what responses need."""
    places, names = _read_json("places.json"), _read_json("names.json")
    moment, ground = now(), Ground()
    forms = _publish(connection)
    regions = {
        raw["key"]: _insert(connection, Region.__table__, key=raw["key"], names=raw["name"])
        for raw in places["regions"]
    }
    touchpoints = {
        key: _insert(
            connection, Touchpoint.__table__, key=key, names=names["touchpoints"][key], stage=stage, position=position
        )
        for position, (key, stage) in enumerate(journey.TOUCHPOINT_STAGES.items())
    }
    for raw in places["stores"][: plan.stores]:
        values = {
            "code": raw["code"],
            "names": raw["name"],
            "addresses": raw["address"],
            "timezone": raw["time_zone"],
            "country": "BY",
            "opens": _hour(raw["opens"]),
            "closes": _hour(raw["closes"]),
        }
        store_id = _insert(connection, Store.__table__, region_id=regions[raw["region"]], **values)
        ground.codes.append(raw["code"])
        ground.stores[raw["code"]] = Store(id=store_id, **values)
        for key, touchpoint_id in {"": None, **touchpoints}.items():
            _add_point(connection, ground, forms, raw["code"], key, touchpoint_id, _token(rng), moment)
    _, ground.checklist_version, ground.checklist = forms["visit-store"]
    _add_people(connection, ground, password_hash)
    return ground


def _add_point(
    connection: Connection,
    ground: Ground,
    forms: dict[str, tuple[int, int, Form]],
    code: str,
    key: str,
    touchpoint_id: int | None,
    token: str,
    moment: datetime,
) -> None:
    store = ground.stores[code]
    channels = (
        {"button": f"kiosk-{key}", "qr": SURVEYS.get(key, "survey-visit")}
        if key
        else {"book": "book", "review": "review", "mystery": "visit-store"}
    )
    point_id = _insert(
        connection,
        Point.__table__,
        store_id=store.id,
        touchpoint_id=touchpoint_id,
        token=token,
        kiosk_form_id=forms[channels["button"]][0] if key else None,
        survey_form_id=forms[channels["qr"]][0] if key else None,
        created_at=moment,
    )
    for channel, form_key in channels.items():
        _, version_id, form = forms[form_key]
        stage = journey.stage_of_touchpoint(key)
        ground.points[code, channel, key] = PointForm(
            point_id, store.id, token, channel, key or None, stage, version_id, 1, form
        )


def _add_people(connection: Connection, ground: Ground, password_hash: str) -> None:
    first = ground.codes[0]
    roles = {"director": (), "manager": (first,), "mystery_shopper": (), "coordinator": ground.codes, "admin": ()}
    for (role, stores), (_, email) in zip(roles.items(), SIGN_INS, strict=True):
        user_id = users.create_user(connection, email, password_hash, role, stores=stores, actor="demo")
        if role == "mystery_shopper":
            ground.shopper_id = user_id


# --- the life: responses, entries, visits -----------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """A moment somebody left something behind."""

    code: str
    at: datetime
    local: datetime
    days_ago: int


class Life:
    """Makes responses one after the other from one random source."""

    def __init__(self, plan: Plan, ground: Ground, rng: random.Random, today: date) -> None:
        self._plan, self._ground, self._rng, self._today = plan, ground, rng, today
        self._moods = dict(zip(ground.codes, demo_rhythm.moods(len(ground.codes), rng), strict=True))
        self._sizes = {code: rng.uniform(0.6, 1.5) for code in ground.codes}
        self._words = Words(rng)

    def moments(self, count: int) -> list[Moment]:
        """Return when and where responses come in, in the order of time."""
        rng, days = self._rng, range(1, self._plan.days + 1)
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
            self._plan.days,
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
            for days_ago in range(self._plan.days, 0, -7):
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


# --- writing ----------------------------------------------------------------------------------------------------


def _write_slice(connection: Connection, made: list[tuple[Accepted, dict[str, Any] | None]], memo: Memo) -> None:
    prepared = intake.prepare([accepted for accepted, _ in made], None, memo)
    recent = now() - timedelta(days=OPEN_CASE_DAYS)
    for item, (accepted, entry) in zip(prepared, made, strict=True):
        item.row["unpaired"] = accepted.at.channel in ("button", "qr")
        failed = bool(accepted.visit and accepted.visit.failed_critical)
        if failed or (entry and entry["kind"] in ANSWERED_KINDS):
            reason = entry["kind"] if entry else "critical"
            due_on = entry["due_on"] if entry else None
            item.case = intake.case_row(item, accepted.at.stage or journey.WHOLE_VISIT_STAGE, reason, due_on)
            item.case["status"] = "new" if accepted.received_at > recent else "closed"
    intake.write(connection, prepared)
    for _, entry in made:
        if entry:
            insert_entry(connection, entry)


def _write_visits(
    connection: Connection, ground: Ground, life: Life, rng: random.Random, today: date, memo: Memo
) -> int:
    made = list(life.visits())
    _write_slice(connection, [(accepted, None) for accepted, _ in made], memo)
    for accepted, planned_for in made:
        score = checklists.score_visit(accepted.at.form, accepted.answers).score
        _add_visit(
            connection,
            ground,
            accepted.at.store_id,
            _token(rng),
            planned_for,
            submitted_at=accepted.received_at,
            response_id=accepted.id,
            score=None if score is None else round(score, 3),
        )
    for code in ground.codes:
        _add_visit(connection, ground, ground.stores[code].id, _token(rng), today + timedelta(days=rng.randrange(1, 7)))
    return len(made)


def _add_visit(
    connection: Connection, ground: Ground, store_id: int, token: str, planned_for: date, **values: Any
) -> None:
    connection.execute(
        sa.insert(Visit.__table__).values(
            token=token,
            store_id=store_id,
            form_version_id=ground.checklist_version,
            shopper_id=ground.shopper_id,
            planned_for=planned_for,
            **values,
        )
    )


def build(db: Database, plan: Plan, password_hash: str, progress: Progress = lambda _step: None) -> Built:
    """Build a demo chain, in place of an earlier demo; raise `holds_real_chain` for any other database.

    The same seed on the same day builds the same chain. Everything ends yesterday: today is the reader's own.
    """
    _clear(db)
    rng = random.Random(plan.seed)
    today = now().astimezone(ZONE).date()
    mark = {"demo": True, "whole": False, "names": _read_json("places.json")["chain"]["name"], "seed": plan.seed}
    db.write(lambda connection: house.put_setting(connection, CHAIN, mark))
    ground = db.write(lambda connection: lay_ground(connection, plan, password_hash, rng))
    life, memo = Life(plan, ground, rng, today), Memo()
    visits = db.write(lambda connection: _write_visits(connection, ground, life, rng, today, memo))
    moments = life.moments(max(0, plan.responses - visits))
    for start in range(0, len(moments), SLICE):
        made = [life.response(moment) for moment in moments[start : start + SLICE]]
        db.write(lambda connection, made=made: _write_slice(connection, made, memo))  # type: ignore[misc]
        progress(len(made))
    progress(visits)
    db.write(lambda connection: house.put_setting(connection, CHAIN, {**mark, "whole": True}))
    return Built(len(ground.codes), visits + len(moments))


def places_to_open(db: Database) -> list[tuple[str, str]]:
    """Return what a visitor of the demo may open, as (what, path)."""
    with db.read(SYSTEM) as session:
        point = session.scalars(
            sa.select(Point).join(Point.touchpoint).where(Touchpoint.key == "checkout").order_by(Point.id)
        ).first()
        visit = session.scalars(sa.select(Visit).where(Visit.submitted_at.is_(None)).order_by(Visit.id)).first()
        if point is None:
            return []
        places = [
            ("overview and journey map", "/"),
            ("kiosk at a checkout", f"/k/{point.token}"),
            ("QR survey", f"/q/{point.token}"),
            ("poster with the QR code", f"/q/{point.token}/poster"),
            ("feedback book", f"/book/{point.store.code}"),
        ]
        return [*places, ("mystery visit (as shopper)", f"/visit/{visit.token}")] if visit else places
