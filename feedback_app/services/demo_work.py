"""What the demo's staff made of complaints and claims: taken in hand, answered, judged by the writer, closed."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.services.book import WRITER
from feedback_app.services.demo_words import read_json
from feedback_app.storage import register
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.tables import Case, CaseAnswer, User, user_stores

CAUSES = {"staffing": 5, "training": 4, "process": 3, "price_label": 2, "equipment": 1}
ANSWERED_LATE, NEVER_JUDGED, CONTENT = 0.06, 0.35, 0.8
Act = Callable[[Connection, datetime], None]


class Work:
    """Acts on cases in the order of time, as far as time has come; every act hangs a link on the store's chain."""

    def __init__(self, connection: Connection, keeper: Keeper, rng: random.Random) -> None:
        self.keeper, self._rng, self._words = keeper, rng, read_json("answers.json")
        self._acts: list[tuple[datetime, int, Act]] = []
        users = User.__table__
        emails = {row.email: row.id for row in connection.execute(sa.select(users.c.email, users.c.id))}
        self._director = emails["director@otklik.example"]
        manager = emails["manager@otklik.example"]
        of = sa.select(user_stores.c.store_id).where(user_stores.c.user_id == manager)
        self._managers = dict.fromkeys(connection.execute(of).scalars(), manager)

    def plan(self, case_id: int, entry: Mapping[str, Any]) -> None:
        """Plan what becomes of the case of an entry."""
        rng, at = self._rng, entry["created_at"]
        user_id = self._managers.get(entry["store_id"], self._director)
        begun = at + timedelta(hours=rng.uniform(1, 30))
        late = rng.random() < ANSWERED_LATE
        answered = begun + timedelta(days=rng.uniform(15, 22) if late else rng.gammavariate(2.2, 1.9))
        self._later(begun, lambda link, moment: self._take(link, moment, case_id, user_id))
        self._later(answered, lambda link, moment: self._answer(link, moment, case_id, user_id, entry))
        if rng.random() > NEVER_JUDGED:
            content = rng.random() < CONTENT
            judged = answered + timedelta(hours=rng.uniform(2, 60))
            self._later(judged, lambda link, moment: self._judge(link, moment, case_id, content))
            if not content:
                answered = judged + timedelta(days=rng.uniform(0.5, 4))
                self._later(answered, lambda link, moment: self._answer(link, moment, case_id, user_id, entry))
        closed = answered + timedelta(days=rng.uniform(2.6, 5))
        self._later(closed, lambda link, moment: self._close(link, moment, case_id, user_id))

    def pass_until(self, connection: Connection, moment: datetime) -> None:
        """Do what was planned for before a moment."""
        while self._acts and self._acts[0][0] < moment:
            at, _, act = heapq.heappop(self._acts)
            act(connection, at)

    def _later(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._acts, (at, self._rng.getrandbits(40), act))

    def _change(
        self,
        connection: Connection,
        at: datetime,
        case_id: int,
        kind: str,
        actor: str,
        values: Mapping[str, Any],
        told: Mapping[str, Any] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        table = Case.__table__
        changed = {**values, "version": table.c.version + 1}
        connection.execute(sa.update(table).where(table.c.id == case_id).values(changed))
        register.append_case(connection, self.keeper, case_id, kind, at, actor, told=told, words=words)

    def _take(self, connection: Connection, at: datetime, case_id: int, user_id: int) -> None:
        actor = f"user:{user_id}"
        self._change(connection, at, case_id, "assigned", actor, {"assignee_id": user_id}, {"to": user_id})
        self._change(connection, at, case_id, "status", actor, {"status": "in_work"}, {"from": "new", "to": "in_work"})
        note = {"text": self._rng.choice(self._words["notes"])}
        if self._rng.random() < 0.4:
            self._change(connection, at, case_id, rules.NOTE, actor, {}, words=note)

    def _answer(
        self, connection: Connection, at: datetime, case_id: int, user_id: int, entry: Mapping[str, Any]
    ) -> None:
        texts = self._words[entry["kind"]]
        text, language = self._rng.choice(texts.get(entry["language"], texts["ru"])), entry["language"]
        written = {"case_id": case_id, "store_id": entry["store_id"], "text": text, "state": "sent"}
        connection.execute(
            sa.insert(CaseAnswer.__table__).values(**written, written_by=user_id, written_at=at, sent_at=at)
        )
        values, told = {"status": "answered", "answered_at": at}, {"way": "link", "language": language}
        self._change(connection, at, case_id, rules.ANSWER, f"user:{user_id}", values, told, {"text": text})

    def _judge(self, connection: Connection, at: datetime, case_id: int, content: bool) -> None:
        values = {"accepted": content} if content else {"accepted": content, "status": "reopened"}
        self._change(connection, at, case_id, "verdict", WRITER, values, {"accepted": content})

    def _close(self, connection: Connection, at: datetime, case_id: int, user_id: int) -> None:
        cause = self._rng.choices(list(CAUSES), list(CAUSES.values()))[0]
        values = {"status": "closed", "closed_at": at}
        learned = {"root_cause": cause, "corrective_action": self._words["actions"][cause]}
        told = {"from": "answered", "to": "closed"}
        self._change(connection, at, case_id, "status", f"user:{user_id}", {**values, **learned}, told)
