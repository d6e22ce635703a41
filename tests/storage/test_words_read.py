"""Reading words costs a page, however many stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain.access import SYSTEM, Access
from feedback_app.services import intake
from feedback_app.services.comments import wanted_of
from feedback_app.services.ground import ground
from feedback_app.services.periods import Filters, last_days, today
from feedback_app.storage import words_read
from feedback_app.storage.tables import MentionRow, Response
from tests.builders import Chain
from tests.services.moments import at

QUEUE = "Очередь ужасная, стояли полчаса."
MONTH = Filters(period=last_days(30, today()))
PAGE = 20


def multiply(chain: Chain, times: int) -> None:
    """Let as many people say the same, a minute after each other, as were one of them."""
    said = chain.a_tap(1, at=at(1, 9), comment=QUEUE)
    with chain.db.read(SYSTEM) as session:
        response = columns(session.get_one(Response, said))
        mentions = [columns(row) for row in session.scalars(located_in(said))]
    copies = [(uuid4(), at(1, 9) + timedelta(minutes=number)) for number in range(1, times)]
    responses = [{**response, "id": key, "occurred_at": moment, "digest": str(key)} for key, moment in copies]
    located = [{**row, "response_id": key, "occurred_at": moment} for key, moment in copies for row in mentions]

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(Response.__table__), responses)
        connection.execute(sa.insert(MentionRow.__table__), located)

    chain.db.write(work)


def located_in(response: UUID) -> Any:
    """Return the query for a response's mentions."""
    return sa.select(MentionRow).where(MentionRow.response_id == response)


def columns(row: Response | MentionRow) -> Mapping[str, Any]:
    """Return a row by column."""
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def found_with_steps(chain: Chain, access: Access, filters: Filters) -> tuple[list[UUID], int]:
    """Return the newest page of words about the deal and how many hundred steps SQLite took for it."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with chain.db.read(access) as session:
        wanted = wanted_of(ground(session, filters))
        driver: Any = connection_of(session)
        driver.set_progress_handler(step, 100)
        found = words_read.located(session, wanted, "deal", None, PAGE)
        driver.set_progress_handler(None, 0)
    return [row.id for row in found], steps


def connection_of(session: Session) -> Any:
    """Return the driver's own connection."""
    return session.connection().connection.driver_connection


@pytest.mark.parametrize("reader", ["director", "manager"])
@pytest.mark.parametrize("filters", [MONTH, Filters(), Filters(stores=frozenset({"001"}))])
def test_a_page_of_a_stage_costs_the_same_in_a_store_of_many_words(chain: Chain, reader: str, filters: Filters) -> None:
    multiply(chain, 300)
    access = chain.access(reader)
    _, few = found_with_steps(chain, access, filters)
    multiply(chain, 900)
    page, many = found_with_steps(chain, access, filters)
    assert len(page) == PAGE
    assert few > 0
    assert many < 2 * few


def test_words_of_voided_responses_are_walked_over_until_the_page_is_full(any_chain: Chain) -> None:
    left = [any_chain.a_tap(1, at=at(1, 9, minute), comment=QUEUE) for minute in range(3)]
    for minute in range(2 * PAGE + 5):
        gone = any_chain.a_tap(1, at=at(1, 12, minute), comment=QUEUE)
        intake.void(any_chain.db, SYSTEM, gone, "test")
    with any_chain.db.read(SYSTEM) as session:
        wanted = wanted_of(ground(session, Filters()))
        found = words_read.located(session, wanted, "deal", None, 2)
        assert [row.id for row in found] == [left[2], left[1]]
        place = words_read.Place(found[-1].occurred_at, found[-1].id)
        assert [row.id for row in words_read.located(session, wanted, "deal", place, 2)] == [left[0]]


def test_words_of_other_stores_are_never_read(chain: Chain) -> None:
    for store in ("001", "002", "003"):
        chain.a_tap(1, store=store, at=at(1, 9), comment=QUEUE)
    access = chain.access("manager")
    page, _ = found_with_steps(chain, access, Filters())
    with chain.db.read(SYSTEM) as session:
        stores = {session.get_one(Response, key).store_id for key in page}
    assert stores == access.stores
