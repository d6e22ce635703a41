"""A mystery visit is handed in once, by the shopper it belongs to."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM, Access
from feedback_app.domain.errors import DomainError, Forbidden, Invalid, NotFound
from feedback_app.services import counting, visits
from feedback_app.storage.tables import AuditEvent, Case, Response, Visit
from tests.builders import Chain
from tests.services.handed_in import ALL_GOOD


@pytest.fixture
def shopper(any_chain: Chain) -> Access:
    """The mystery shopper of the cast."""
    return any_chain.access("mystery_shopper")


def test_a_shopper_opens_own_visits_with_their_stores(any_chain: Chain, shopper: Access) -> None:
    assert {row.store_code for row in visits.mine(any_chain.db, shopper)} == {"001", "002", "003"}
    page = visits.open_visit(any_chain.db, shopper, "visit-002")
    assert (page.store_code, page.form.key, page.result, page.timezone) == ("002", "visit-store", None, "Europe/Minsk")


def test_a_good_visit_is_a_hundred_and_is_counted(any_chain: Chain, shopper: Access) -> None:
    assert visits.submit(any_chain.db, shopper, "visit-001", ALL_GOOD, uuid4(), "ru").score == 100
    page = visits.open_visit(any_chain.db, shopper, "visit-001")
    assert page.result is not None
    assert (page.score, page.result.score, page.answers) == (100, 100, ALL_GOOD)
    assert counting.verify(any_chain.db) == []
    with any_chain.db.read(SYSTEM) as session:
        row = session.scalars(sa.select(Response)).one()
        assert (row.channel, row.score) == ("mystery", 100)
        assert list(session.scalars(sa.select(Case))) == []
        events = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "visit.submit")).all()
    assert [event.actor for event in events] == ["shopper@otklik.example"]


def test_expired_goods_fail_the_visit_and_open_a_case(any_chain: Chain, shopper: Access) -> None:
    result = visits.submit(any_chain.db, shopper, "visit-001", {**ALL_GOOD, "no_expired": "no"}, uuid4(), "ru")
    assert (result.score, result.failed_critical) == (0, ["no_expired"])
    with any_chain.db.read(SYSTEM) as session:
        case = session.scalars(sa.select(Case)).one()
        assert (case.reason, case.due_on is not None) == ("critical", True)
        assert session.scalar(sa.select(Visit.score).where(Visit.token == "visit-001")) == 0


def test_the_same_hand_in_again_is_the_same_and_another_is_refused(any_chain: Chain, shopper: Access) -> None:
    response_id = uuid4()
    for _ in range(2):
        assert visits.submit(any_chain.db, shopper, "visit-001", ALL_GOOD, response_id, "ru").score == 100
    with pytest.raises(DomainError, match="already_submitted"):
        visits.submit(any_chain.db, shopper, "visit-001", ALL_GOOD, uuid4(), "ru")
    assert counting.responses_in_all(any_chain.db) == 1


def test_eight_hand_ins_at_once_leave_one(any_chain: Chain, shopper: Access) -> None:
    barrier = threading.Barrier(8)

    def one(_: int) -> bool:
        barrier.wait()
        try:
            visits.submit(any_chain.db, shopper, "visit-001", ALL_GOOD, uuid4(), "ru")
        except DomainError as error:
            assert error.code == "already_submitted"
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 1
    assert counting.responses_in_all(any_chain.db) == 1
    assert counting.verify(any_chain.db) == []


def test_nobody_else_hands_a_visit_in(any_chain: Chain, shopper: Access) -> None:
    stranger = replace(shopper, user_id=10**6, visits_of=10**6)
    who_is_manager_too = replace(stranger, visits_of=None, stores=None)
    for access, error in (
        (stranger, NotFound),
        (who_is_manager_too, NotFound),
        (any_chain.access("director"), Forbidden),
        (any_chain.access("coordinator"), Forbidden),
    ):
        with pytest.raises(error):
            visits.submit(any_chain.db, access, "visit-001", ALL_GOOD, uuid4(), "ru")
    with pytest.raises(NotFound):
        visits.open_visit(any_chain.db, stranger, "visit-001")
    with pytest.raises(NotFound):
        visits.open_visit(any_chain.db, any_chain.access("manager"), "visit-002")
    assert counting.responses_in_all(any_chain.db) == 0


def test_an_unfilled_checklist_names_what_is_missing_and_stays_open(any_chain: Chain, shopper: Access) -> None:
    with pytest.raises(Invalid) as caught:
        visits.submit(
            any_chain.db, shopper, "visit-001", {**ALL_GOOD, "greeted": "maybe", "queue_minutes": 91}, uuid4(), "ru"
        )
    assert {problem.field for problem in caught.value.problems} == {"greeted", "queue_minutes"}
    assert visits.open_visit(any_chain.db, shopper, "visit-001").submitted_at is None
    assert visits.submit(any_chain.db, shopper, "visit-001", ALL_GOOD, uuid4(), "ru").score == 100


def test_one_hand_in_stands_for_one_visit(any_chain: Chain, shopper: Access) -> None:
    with any_chain.db.read(SYSTEM) as session:
        first = session.scalars(sa.select(Visit).where(Visit.token == "visit-001")).one()
        second = {column.key: getattr(first, column.key) for column in Visit.__table__.columns if column.key != "id"}
    again = {**second, "token": "visit-001-again"}
    any_chain.db.write(lambda connection: connection.execute(sa.insert(Visit.__table__).values(**again)))
    response_id = uuid4()
    visits.submit(any_chain.db, shopper, "visit-001", ALL_GOOD, response_id, "ru")
    with pytest.raises(DomainError, match="conflict"):
        visits.submit(any_chain.db, shopper, "visit-001-again", ALL_GOOD, response_id, "ru")
    assert visits.open_visit(any_chain.db, shopper, "visit-001-again").submitted_at is None
