"""One response per receipt, and surveys that end: by the page and by the API, also when both come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Forbidden, NotFound, Problem
from feedback_app.services import catalogue, counting, intake, receipts, senders, surveys
from feedback_app.services.catalogue import EndedSurvey, PointPage
from feedback_app.services.clock import now
from feedback_app.services.surveys import Change
from feedback_app.storage.tables import AuditEvent, Point, Receipt, Response
from tests.builders import Chain

ADMIN = replace(SYSTEM, actor="test")
PLACE = ("001", "exit")


def change(chain: Chain, **wanted: Any) -> surveys.SurveyState:
    return surveys.set_survey(chain.db, ADMIN, *PLACE, Change(**wanted))


def set_point(chain: Chain, **values: Any) -> None:
    table = Point.__table__
    query = sa.update(table).where(table.c.token == chain.token(*PLACE)).values(**values)
    chain.db.write(lambda connection: connection.execute(query))
    senders.forget(chain.db)


def hand_in(chain: Chain, receipt: str | None, response_id: UUID | None = None) -> None:
    page = catalogue.point_page(chain.db, chain.token(*PLACE), "survey")
    intake.hand_in(chain.db, page.at, response_id or uuid4(), answers_of(page), "ru", receipt)


def answers_of(page: PointPage) -> dict[str, Any]:
    """An answer to the first question, which every survey of the chain has."""
    first = next(iter(page.at.form.questions()))
    return {first.key: 4}


def send(chain: Chain, *, at: datetime | None = None, channel: str = "qr", **more: Any) -> tuple[str, str | None]:
    """Send one item as the survey's page does; return its status and error."""
    page = "survey" if channel == "qr" else "kiosk"
    with_form = catalogue.point_page(chain.db, chain.token(*PLACE), page) if not more.get("answers") else None
    more.setdefault("answers", answers_of(with_form) if with_form else {})
    item = chain.item(store=PLACE[0], touchpoint=PLACE[1], at=at, channel=channel, **more)
    [outcome] = chain.send(item, store=PLACE[0], touchpoint=PLACE[1])
    return outcome.status, outcome.problem.code if outcome.problem else None


def rows(chain: Chain, table: Any) -> list[Any]:
    with chain.db.read(SYSTEM) as session:
        return list(session.scalars(sa.select(table)))


def test_a_receipt_counts_once_by_the_page(any_chain: Chain) -> None:
    change(any_chain, one_per_receipt=True)
    hand_in(any_chain, "ab 12-34")
    with pytest.raises(Problem, match="receipt_used at receipt"):
        hand_in(any_chain, "AB1234")
    hand_in(any_chain, "AB1235")
    assert len(rows(any_chain, Response)) == 2
    assert counting.verify(any_chain.db) == []


def test_a_receipt_counts_once_by_the_api(any_chain: Chain) -> None:
    change(any_chain, one_per_receipt=True)
    assert send(any_chain, receipt="ab 12-34") == ("stored", None)
    assert send(any_chain, receipt="AB1234") == ("rejected", "receipt_used")
    assert send(any_chain) == ("rejected", "receipt_required")
    assert send(any_chain, receipt="1") == ("rejected", "bad_receipt")
    with pytest.raises(Problem, match="receipt_used"):
        hand_in(any_chain, "AB1234")
    assert len(rows(any_chain, Response)) == 1
    assert counting.verify(any_chain.db) == []


def test_the_same_response_again_is_no_second_use_of_its_receipt(any_chain: Chain) -> None:
    change(any_chain, one_per_receipt=True)
    same = uuid4()
    assert send(any_chain, receipt="AB1234", response_id=same) == ("stored", None)
    assert send(any_chain, receipt="AB1234", response_id=same) == ("duplicate", None)
    hand_in(any_chain, "AB1234", same)
    assert len(rows(any_chain, Response)) == 1


def test_what_is_stored_is_known_again_whatever_the_survey_asks_by_then(any_chain: Chain) -> None:
    """The phone never got the answer: it must not hear that its stored response was refused."""
    same = uuid4()
    assert send(any_chain, response_id=same) == ("stored", None)
    change(any_chain, one_per_receipt=True)
    assert send(any_chain, response_id=same) == ("duplicate", None)
    set_point(any_chain, survey_until=now() - timedelta(days=3), one_per_receipt=False)
    assert send(any_chain, response_id=same) == ("duplicate", None)
    assert send(any_chain) == ("rejected", "survey_ended")
    assert len(rows(any_chain, Response)) == 1


def test_of_two_at_the_same_moment_one_is_stored(any_chain: Chain) -> None:
    change(any_chain, one_per_receipt=True)
    together = Barrier(4)

    def one(number: int) -> str:
        together.wait()
        if number % 2:
            return send(any_chain, receipt="AB1234")[1] or "stored"
        try:
            hand_in(any_chain, "AB-1234")
        except Problem as problem:
            return problem.code
        return "stored"

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(one, range(4)))
    assert said == ["receipt_used", "receipt_used", "receipt_used", "stored"]
    assert len(rows(any_chain, Response)) == len(rows(any_chain, Receipt)) == 1
    assert counting.verify(any_chain.db) == []


def test_a_refused_receipt_takes_no_neighbour_with_it(any_chain: Chain) -> None:
    change(any_chain, one_per_receipt=True)
    page = catalogue.point_page(any_chain.db, any_chain.token(*PLACE), "survey")
    common = {"store": PLACE[0], "touchpoint": PLACE[1], "channel": "qr"}
    items = [any_chain.item(answers_of(page), receipt=number, **common) for number in ("A-0001", "a0001", "A-0002", "")]
    outcomes = any_chain.send(*items, store=PLACE[0], touchpoint=PLACE[1])
    assert [outcome.status for outcome in outcomes] == ["stored", "rejected", "stored", "rejected"]


def test_the_kiosk_beside_it_asks_for_no_receipt(chain: Chain) -> None:
    change(chain, one_per_receipt=True)
    assert send(chain, channel="button", answers={"smiley": 4}) == ("stored", None)


def test_another_store_may_have_a_receipt_of_the_same_number(chain: Chain) -> None:
    change(chain, one_per_receipt=True)
    hand_in(chain, "AB1234")
    surveys.set_survey(chain.db, ADMIN, "002", "exit", Change(one_per_receipt=True))
    page = catalogue.point_page(chain.db, chain.token("002", "exit"), "survey")
    intake.hand_in(chain.db, page.at, uuid4(), answers_of(page), "ru", "AB1234")
    assert len({row.number_hash for row in rows(chain, Receipt)}) == 2


def test_of_a_receipt_no_number_is_kept(chain: Chain) -> None:
    change(chain, one_per_receipt=True)
    hand_in(chain, "4711-0815")
    with chain.db.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())
    assert "receipts" in dump
    assert "4711" not in dump
    assert receipts.hash_number(1, "47110815") != receipts.hash_number(2, "47110815")


def test_an_ended_survey_is_told_from_one_that_never_was(any_chain: Chain) -> None:
    token, moment = any_chain.token(*PLACE), now()
    assert isinstance(catalogue.survey_page(any_chain.db, token, moment), PointPage)
    set_point(any_chain, survey_until=moment - timedelta(minutes=1))
    ended = catalogue.survey_page(any_chain.db, token, moment)
    assert isinstance(ended, EndedSurvey)
    assert ended.since == moment - timedelta(minutes=1)
    assert isinstance(catalogue.survey_page(any_chain.db, token, moment - timedelta(hours=1)), PointPage)
    set_point(any_chain, survey_until=None, survey_form_id=None)
    without = catalogue.survey_page(any_chain.db, token, moment)
    assert isinstance(without, EndedSurvey)
    assert without.since is None
    with pytest.raises(NotFound):
        catalogue.survey_page(any_chain.db, "nowhere", moment)


@pytest.mark.parametrize("end", ["survey_until", "closed_at"])
def test_what_was_answered_before_the_end_counts_whenever_it_arrives(any_chain: Chain, end: str) -> None:
    page = catalogue.point_page(any_chain.db, any_chain.token(*PLACE), "survey")
    answers, over = answers_of(page), now() - timedelta(days=3)
    set_point(any_chain, **{end: over})
    assert send(any_chain, at=over - timedelta(hours=1), answers=answers) == ("stored", None)
    assert send(any_chain, at=over + timedelta(minutes=59), answers=answers) == ("stored", None)
    assert send(any_chain, at=over + timedelta(minutes=61), answers=answers) == ("rejected", "survey_ended")
    with pytest.raises(Problem, match="survey_ended"):
        intake.hand_in(any_chain.db, replace(page.at, **{end: over}), uuid4(), answers, "ru")
    assert [row.flags for row in rows(any_chain, Response)] == [[], []]


def test_a_clock_that_tells_no_time_loses_no_answer_of_an_ended_survey(chain: Chain) -> None:
    answers = answers_of(catalogue.point_page(chain.db, chain.token(*PLACE), "survey"))
    set_point(chain, survey_until=now() - timedelta(days=3))
    assert send(chain, at=datetime(1970, 1, 1, tzinfo=UTC), answers=answers) == ("stored", None)
    [row] = rows(chain, Response)
    assert row.flags == ["implausible_time"]


def test_a_kiosk_that_goes_on_at_a_closed_point_loses_nothing(any_chain: Chain) -> None:
    closed = now() - timedelta(days=1)
    set_point(any_chain, closed_at=closed)
    for at in (closed - timedelta(hours=1), closed + timedelta(hours=2)):
        assert send(any_chain, at=at, channel="button", answers={"smiley": 4}) == ("stored", None)
    assert sorted(row.flags for row in rows(any_chain, Response)) == [[], ["closed_point"]]


def test_the_last_day_is_a_day_of_the_store(chain: Chain) -> None:
    state = change(chain, until=date(2026, 3, 31))
    assert state.until == date(2026, 3, 31)
    with chain.db.read(SYSTEM) as session:
        point = catalogue.find_point(session, chain.token(*PLACE))
        assert point is not None
        assert point.store.timezone == "Europe/Minsk"
        assert point.survey_until == datetime(2026, 3, 31, 21, tzinfo=UTC), "midnight in Minsk"


def test_what_is_not_named_stays_and_who_changed_it_is_written_down(chain: Chain) -> None:
    change(chain, until=date(2030, 1, 1), one_per_receipt=True)
    state = change(chain, closed=True)
    assert (state.until, state.one_per_receipt, state.closed_at is not None) == (date(2030, 1, 1), True, True)
    assert change(chain, closed=True).closed_at == state.closed_at, "closed once"
    state = change(chain, closed=False, endless=True, one_per_receipt=False)
    assert (state.until, state.one_per_receipt, state.closed_at) == (None, False, None)
    change(chain)
    found = [(row.actor, row.details) for row in rows(chain, AuditEvent) if row.action == "survey.set"]
    assert len(found) == 4
    assert found[0] == ("test", {"survey_until": "2030-01-02T00:00:00+03:00", "one_per_receipt": True})


def test_only_the_administrator_sets_a_survey_and_only_where_there_is_one(chain: Chain) -> None:
    with pytest.raises(Forbidden):
        surveys.set_survey(chain.db, chain.access("director"), *PLACE, Change(closed=True))
    for place, code in ((("999", "exit"), "unknown_store"), (("001", "roof"), "unknown_touchpoint")):
        with pytest.raises(NotFound, match=code):
            surveys.set_survey(chain.db, ADMIN, *place, Change())
    set_point(chain, survey_form_id=None)
    with pytest.raises(NotFound, match="no_survey"):
        change(chain, closed=True)


def test_a_survey_with_a_question_of_that_name_asks_for_no_receipt(chain: Chain) -> None:
    words = dict.fromkeys(("ru", "be", "en"), "?")
    question = {"key": "receipt", "type": "text", "text": words}
    section = {"key": "main", "title": words, "questions": [question]}
    form = {"key": "survey-visit", "purpose": "survey", "title": words, "sections": [section]}
    chain.db.write(lambda connection: catalogue.publish_form(connection, form))
    with pytest.raises(Problem, match="receipt_question"):
        change(chain, one_per_receipt=True)
