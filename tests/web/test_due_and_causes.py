"""What is due stands on the first page, the map tells open and overdue cases, and causes are counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Forbidden
from feedback_app.services import book, causes
from feedback_app.services.due import Load, due
from feedback_app.services.periods import Filters
from feedback_app.storage.tables import Case, Store
from tests.builders import EMAILS, Chain

TODAY = date(2026, 3, 17)
NOON = datetime(2026, 3, 17, 9, tzinfo=UTC)
SignIn = Callable[[str], FlaskClient]


def entry(chain: Chain, store: str = "001", **values: Any) -> int:
    """Write a complaint, and set its case as if somebody had worked on it."""
    book.write_entry(chain.db, store, {"kind": "complaint", "text": "Очередь!"}, uuid4(), "ru")

    def work(connection: sa.Connection) -> int:
        case_id: int = connection.execute(sa.select(sa.func.max(Case.id))).scalar_one()
        connection.execute(sa.update(Case.__table__).where(Case.id == case_id).values(**values))
        return case_id

    return chain.db.write(work)


def late(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_due_today_and_overdue_are_counted_by_who_has_them(any_chain: Chain) -> None:
    manager = any_chain.access("manager").user_id
    oldest = entry(any_chain, due_on=late(9), assignee_id=manager)
    entry(any_chain, due_on=late(1))
    entry(any_chain, due_on=TODAY, assignee_id=manager)
    entry(any_chain, due_on=TODAY + timedelta(days=1))
    entry(any_chain, due_on=late(3), status="closed")
    entry(any_chain, due_on=late(3), status="answered")
    found = due(any_chain.db, SYSTEM, NOON)
    assert (found.today, found.overdue) == (1, 2)
    assert found.by == (Load(None, 0, 1), Load(EMAILS["manager"], 1, 1))
    assert (found.urgent[0].id, found.urgent[0].days_over) == (oldest, 9)


def test_today_is_the_store_s_own(any_chain: Chain) -> None:
    any_chain.db.write(lambda link: link.execute(sa.update(Store.__table__).values(timezone="Asia/Vladivostok")))
    entry(any_chain, due_on=TODAY)
    night = datetime(2026, 3, 16, 13, 59, tzinfo=UTC)
    counts = [due(any_chain.db, SYSTEM, night + timedelta(minutes=step)) for step in (0, 2, 24 * 60 + 2)]
    assert [(found.today, found.overdue) for found in counts] == [(0, 0), (1, 0), (0, 1)]


def test_who_may_not_read_the_book_hears_nothing_and_a_manager_of_own_stores_alone(any_chain: Chain) -> None:
    entry(any_chain, store="003", due_on=late(1))
    with pytest.raises(Forbidden):
        due(any_chain.db, any_chain.access("coordinator"), NOON)
    assert due(any_chain.db, any_chain.access("manager"), NOON).overdue == 0
    assert due(any_chain.db, any_chain.access("director"), NOON).overdue == 1


def test_the_list_of_the_most_urgent_is_short(any_chain: Chain) -> None:
    for day in range(12):
        entry(any_chain, due_on=late(day))
    found = due(any_chain.db, SYSTEM, NOON)
    assert (len(found.urgent), found.today + found.overdue) == (10, 12)


def test_the_query_reads_open_cases_by_their_index(app_chain: Chain) -> None:
    asked = "SELECT id FROM cases WHERE status IN ('new', 'in_work', 'waiting', 'reopened') AND due_on <= '2026-03-17'"
    with app_chain.db.engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").all())
    assert "ix_cases_status_due_on" in plan


@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_a_manager_s_first_page_begins_with_what_is_due(app_chain: Chain, sign_in: SignIn, language: str) -> None:
    case_id = entry(app_chain, due_on=datetime.now(UTC).date() - timedelta(days=2))
    page = sign_in("manager").get(f"/?lang={language}").get_data(as_text=True)
    assert page.index('id="due"') < page.index('class="opening"')
    assert f'href="/cases/{case_id}"' in page
    assert "Очередь!" not in page[: page.index('class="opening"')]
    director = sign_in("director").get("/").get_data(as_text=True)
    assert director.index('id="due"') > director.index('class="opening"')


def test_without_anything_due_the_page_says_so(sign_in: SignIn) -> None:
    page = sign_in("manager").get("/?lang=en").get_data(as_text=True)
    assert "Nothing is due today, and nothing is overdue" in page


def test_the_map_tells_open_and_overdue_cases_at_each_touchpoint(app_chain: Chain, sign_in: SignIn) -> None:
    for comment in ("В салате плесень", "Отравились рыбой", "Всё хорошо, спасибо"):
        app_chain.send(app_chain.item({"smiley": 1, "comment": comment}))
    first = sa.select(sa.func.min(Case.id)).scalar_subquery()
    app_chain.db.write(
        lambda link: link.execute(sa.update(Case.__table__).where(Case.id == first).values(due_on=date(2026, 1, 1)))
    )
    client = sign_in("director")
    page = client.get("/map?lang=en").get_data(as_text=True)
    chip = page[page.index(">Checkout</span>") :].split("</li>")[0].replace("\xa0", " ")
    assert "2 open cases" in chip
    assert "1 overdue" in chip
    stages = client.get("/api/v1/journey").get_json()["stages"]
    deal = next(stage for stage in stages if stage["stage"] == "deal")
    checkout = next(chip for chip in deal["touchpoints"] if chip["touchpoint"] == "checkout")
    assert (checkout["open_cases"], checkout["overdue_cases"]) == (2, 1)
    assert sum(stage["overdue_cases"] for stage in stages) == 1


# --- causes -----------------------------------------------------------------------------------------------------

DAY = timedelta(days=1)


def settled(chain: Chain, opened: datetime, days: int, cause: str | None, stage: str = "deal") -> None:
    entry(
        chain,
        opened_at=opened,
        due_on=opened.date() + 15 * DAY,
        answered_at=opened + days * DAY,
        status="closed",
        root_cause=cause,
        stage=stage,
    )


def a_history(chain: Chain) -> None:
    for days, cause in ((1, "staffing"), (3, "staffing"), (15, "staffing"), (16, "supplier"), (2, None)):
        settled(chain, datetime(2026, 1, 10, 9, tzinfo=UTC), days, cause)
    settled(chain, datetime(2026, 1, 31, 21, 30, tzinfo=UTC), 2, "supplier", "experience")  # 1 February in Minsk
    entry(chain, opened_at=datetime(2026, 2, 1, 9, tzinfo=UTC), due_on=date(2026, 2, 16))  # overdue and open
    entry(chain, opened_at=datetime(2026, 3, 10, 9, tzinfo=UTC), due_on=date(2026, 3, 25))  # not known yet


def test_causes_are_counted_by_month_and_stage_and_answers_by_their_days(any_chain: Chain) -> None:
    a_history(any_chain)
    found = causes.learned(any_chain.db, SYSTEM, Filters(), NOON)
    assert (found.cases, found.without_cause) == (8, 3)
    assert found.months == (date(2026, 1, 1), date(2026, 2, 1))
    assert [(row.cause, row.n, row.by_month) for row in found.rows] == [
        ("staffing", 3, (3, 0)),
        ("supplier", 2, (1, 1)),
    ]
    deal, experience = found.stages.index("deal"), found.stages.index("experience")
    assert (found.rows[1].by_stage[deal], found.rows[1].by_stage[experience]) == (1, 1)
    assert (found.answered, found.median_days) == (6, 2.5)
    assert {(one.start, one.n) for one in found.bins if one.n} == {(1, 1), (2, 2), (3, 1), (8, 1), (16, 1)}
    assert found.in_time.n == 7
    assert found.in_time.value == pytest.approx(100 * 5 / 7)
    assert found.in_time.low is not None
    assert found.in_time.low == pytest.approx(35.9, abs=0.1)  # Wilson 1927, worked out by hand for 5 of 7


def test_a_case_that_another_took_in_and_other_stores_are_not_counted(any_chain: Chain) -> None:
    a_history(any_chain)
    entry(any_chain, opened_at=NOON, joined_to=1, root_cause="other")
    entry(any_chain, "002", opened_at=NOON, root_cause="other")
    found = causes.learned(any_chain.db, SYSTEM, Filters(stores=frozenset({"001"})), NOON)
    assert [row.cause for row in found.rows] == ["staffing", "supplier"]


@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_the_page_of_causes_draws_them_and_tells_the_numbers(app_chain: Chain, sign_in: SignIn, language: str) -> None:
    a_history(app_chain)
    page = sign_in("director").get(f"/cases/causes?since=2026-01-01&until=2026-03-31&lang={language}")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert text.count("<svg") > 4
    assert "n&nbsp;=&nbsp;8" in text
    assert "%(" not in text


def test_an_empty_page_of_causes_says_what_will_stand_there(sign_in: SignIn) -> None:
    page = sign_in("manager").get("/cases/causes?lang=en").get_data(as_text=True)
    assert "Here will stand why customers had to complain" in page


def test_the_page_is_closed_to_who_may_not_read_the_book(sign_in: SignIn) -> None:
    assert sign_in("coordinator").get("/cases/causes").status_code == 403
    assert sign_in("mystery_shopper").get("/cases/causes").status_code == 403


def test_a_sub_path_stands_before_a_case_s_address(make_app: Callable[..., Flask], sqlite_url: str) -> None:
    app = make_app(sqlite_url, OTKLIK_BASE_URL="http://127.0.0.1:5000/otklik")
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/otklik"}):
        from feedback_app.web.due import case_address  # noqa: PLC0415

        assert case_address(7) == "/otklik/cases/7"
