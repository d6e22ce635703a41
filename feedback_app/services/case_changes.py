"""Working on a case: who does it, how far it is, notes, labels, what caused it, steps.

Each call is one transaction and one link of the register. `version` is the one that the reader saw: where somebody
changed the case since, DomainError `changed_meanwhile` is raised and nothing is kept.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from feedback_app.domain import cases as rules
from feedback_app.domain.access import Access
from feedback_app.domain.errors import DomainError, Invalid, NotFound, Problem
from feedback_app.services import joining, letters, people_of, terms
from feedback_app.services.case_ground import NEW_TERM, Held, entries_of, work_on
from feedback_app.storage.database import Database
from feedback_app.storage.tables import CaseStep

steps = CaseStep.__table__


def take(db: Database, access: Access, case_id: int, version: int) -> None:
    """Take a case as one's own, and begin with it."""

    def work(held: Held) -> None:
        _assign(held, held.user_id)
        if held.row["status"] in (rules.NEW, rules.REOPENED):
            held.move(rules.IN_WORK)

    work_on(db, access, case_id, version, work)


def assign(db: Database, access: Access, case_id: int, version: int, user_id: int | None) -> None:
    """Give a case to a manager or director of its store, or to nobody; raise Invalid for anybody else."""

    def work(held: Held) -> None:
        known = {person.id for person in people_of.workers(held.connection, held.row["store_id"])}
        if user_id is not None and user_id not in known:
            raise Invalid([Problem("unknown_choice", "assignee")])
        _assign(held, user_id)

    work_on(db, access, case_id, version, work)


def _assign(held: Held, user_id: int | None) -> None:
    if held.row["assignee_id"] != user_id:
        told = {"from": held.row["assignee_id"], "to": user_id}
        held.change("assigned", {"assignee_id": user_id}, told=told)
        if user_id is not None and user_id != held.user_id:
            letters.queue_assigned(held.connection, held.id, held.store["code"], user_id, held.at)


def move(db: Database, access: Access, case_id: int, version: int, to: str) -> None:
    """Put a case in work or let it wait; raise DomainError `no_such_move`."""
    if to not in (rules.IN_WORK, rules.WAITING):
        raise DomainError("no_such_move", to=to)
    work_on(db, access, case_id, version, lambda held: held.move(to))


def close(db: Database, access: Access, case_id: int, version: int, reason: str = "") -> None:
    """Close a case; raise Invalid where a complaint or claim was not answered and no reason is given."""

    def work(held: Held) -> None:
        kinds = [entry["kind"] for entry in entries_of(held)]
        needed = rules.needs_reason_to_close(kinds, held.row["answered_at"] is not None)
        written = rules.words_of(reason, "reason", rules.REASON_LIMIT) if needed or reason.strip() else ""
        held.move(rules.CLOSED, words={"reason": written} if written else None, closed_at=held.at)

    work_on(db, access, case_id, version, work)


def reopen(db: Database, access: Access, case_id: int, version: int, reason: str) -> None:
    """Bring a case back that was answered or closed: it waits for an answer again, with a term of its own."""

    def work(held: Held) -> None:
        bring_back(held, rules.words_of(reason, "reason", rules.REASON_LIMIT))

    work_on(db, access, case_id, version, work)


def bring_back(held: Held, reason: str) -> None:
    """Reopen a held case; what an other case had taken in stands by itself again.

    A new term runs where it had been answered; what never was is due when it was before.
    """
    if held.row["joined_to"] is not None:
        joining.separate(held)
    before, answered = held.row["due_on"], held.row["answered_at"] is not None
    values = {"due_on": before, "answered_at": None, "closed_at": None, "escalated_at": None, "joined_to": None}
    if answered or before is None:
        due = _new_term(held)
        values["due_on"] = due if before is None else max(due, before)
    words = {"reason": reason} if reason else None
    held.move(rules.REOPENED, words=words, told={NEW_TERM: answered}, **values)


def _new_term(held: Held) -> date:
    """Return the last day of a term that begins today: by the kind of the entry, else that of cases of responses."""
    own = next((entry for entry in entries_of(held) if entry["id"] == held.row["entry_id"]), None)
    if own is None:
        return terms.response_due_on(held.connection, held.today, held.store["country"])
    return terms.due_on(held.connection, held.today, held.store["country"], own["kind"])


def note(db: Database, access: Access, case_id: int, version: int, text: str) -> None:
    """Write a note for the colleagues; the writer never sees it."""
    words = {"text": rules.words_of(text, "text", rules.NOTE_LIMIT)}
    work_on(db, access, case_id, version, lambda held: held.change("note", words=words))


def label(db: Database, access: Access, case_id: int, version: int, raw: str) -> None:
    """Put labels on a case in place of those that it has."""
    labels = rules.label_list(raw)

    def work(held: Held) -> None:
        if labels != held.row["labels"]:
            held.change("labels", {"labels": labels}, words={"labels": ", ".join(labels)} if labels else None)

    work_on(db, access, case_id, version, work)


def learn(db: Database, access: Access, case_id: int, version: int, cause: str | None, action: str) -> None:
    """Say what caused a case and what is done so that it does not come again."""
    found = rules.require_cause(cause)
    written = rules.words_of(action, "action", rules.ACTION_LIMIT) if action.strip() else None

    def work(held: Held) -> None:
        values = {"root_cause": found, "corrective_action": written}
        words = {"action": written} if written else None
        held.change("cause", values, told={"cause": found}, words=words)

    work_on(db, access, case_id, version, work)


# --- steps ------------------------------------------------------------------------------------------------------


def add_step(db: Database, access: Access, case_id: int, version: int, text: str) -> None:
    """Add a step to a case's checklist; raise Invalid where it has as many as it may have."""
    written = rules.words_of(text, "step", rules.STEP_LIMIT)

    def work(held: Held) -> None:
        mine = sa.select(sa.func.count(), sa.func.max(steps.c.position)).where(steps.c.case_id == held.id)
        count, last = held.connection.execute(mine).one()
        rules.require_room(count)
        values = {"case_id": held.id, "store_id": held.row["store_id"], "position": (last or 0) + 1, "text": written}
        step_id = held.connection.execute(sa.insert(steps).values(**values).returning(steps.c.id)).scalar_one()
        held.change("step", told={"step": step_id, "what": "added"}, words={"text": written})

    work_on(db, access, case_id, version, work)


def tick_step(db: Database, access: Access, case_id: int, version: int, step_id: int, done: bool) -> None:
    """Say that a step is done, or that it is not; raise NotFound for a step of another case."""

    def work(held: Held) -> None:
        row = _step(held, step_id)
        if (row.done_at is not None) != done:
            values = {"done_at": held.at if done else None, "done_by": held.user_id if done else None}
            held.connection.execute(sa.update(steps).where(steps.c.id == step_id).values(**values))
            what = "ticked" if done else "unticked"
            held.change("step", told={"step": step_id, "what": what}, words={"text": row.text})

    work_on(db, access, case_id, version, work)


def remove_step(db: Database, access: Access, case_id: int, version: int, step_id: int) -> None:
    """Take a step off the checklist; raise NotFound for a step of another case."""

    def work(held: Held) -> None:
        row = _step(held, step_id)
        held.connection.execute(sa.delete(steps).where(steps.c.id == step_id))
        held.change("step", told={"step": step_id, "what": "removed"}, words={"text": row.text})

    work_on(db, access, case_id, version, work)


def _step(held: Held, step_id: int) -> sa.Row[tuple[object, ...]]:
    found = held.connection.execute(sa.select(steps).where(steps.c.id == step_id, steps.c.case_id == held.id)).first()
    if found is None:
        raise NotFound("unknown_step")
    return found
