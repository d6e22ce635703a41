"""The list of cases and one case's page: what waits longest first, and nothing of another store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain.errors import Forbidden, Invalid, NotFound
from feedback_app.services import answers, case_changes, case_view, cases, joining
from feedback_app.services.answers import Typed
from feedback_app.services.cases import CaseList, Wanted
from feedback_app.storage.tables import Case
from tests.builders import Chain
from tests.services.casework import TEXT, a_case, again, an_entry, case_of, people

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def at(days: int) -> time_machine.travel:
    return time_machine.travel(START + timedelta(days=days), tick=False)


@pytest.fixture
def busy(any_chain: Chain) -> dict[str, Case]:
    """Store 001 has an old complaint, a claim that the manager took, an answered one; store 002 has one."""
    manager, _ = people(any_chain)
    with at(0):
        found = {"old": a_case(any_chain)}
    with at(5):
        found |= {"taken": a_case(any_chain, "claim"), "far": a_case(any_chain, store="002")}
        found["answered"] = a_case(any_chain)
        case_changes.take(any_chain.db, manager, found["taken"].id, 1)
        case_changes.label(any_chain.db, manager, found["taken"].id, 3, "Хлеб, касса 3")
        answers.send(any_chain.db, manager, found["answered"].id, 1, Typed("Исправлено"))
    return found


def read(chain: Chain, role: str = "manager", cursor: str | None = None, **wanted: str) -> CaseList:
    with at(10):
        return cases.listed(chain.db, chain.access(role), Wanted(**wanted), cursor)


def ids(found: CaseList) -> list[int]:
    return [line.id for line in found.lines]


def test_the_earliest_last_day_comes_first_and_own_stores_alone(any_chain: Chain, busy: dict[str, Case]) -> None:
    assert ids(read(any_chain)) == [busy["old"].id, busy["taken"].id]
    assert busy["far"].id in ids(read(any_chain, "director"))
    assert busy["far"].id not in ids(read(any_chain, group="all"))
    assert [code for code, _ in read(any_chain).stores] == ["001"]


def test_the_groups_are_counted_and_shown(any_chain: Chain, busy: dict[str, Case]) -> None:
    late = (busy["old"].due_on or START.date()) - START.date() + timedelta(days=1)
    with at(late.days):
        found = cases.listed(any_chain.db, any_chain.access("manager"), Wanted("overdue"))
    assert ids(found) == [busy["old"].id]
    assert found.lines[0].overdue
    assert found.counts == {"open": 2, "overdue": 1, "mine": 1, "answered": 1, "closed": 0, "all": 3}
    assert ids(read(any_chain, group="mine")) == [busy["taken"].id]
    assert ids(read(any_chain, group="answered")) == [busy["answered"].id]
    assert ids(read(any_chain, group="all"))[0] == busy["answered"].id


def test_store_reason_and_label_narrow_it(any_chain: Chain, busy: dict[str, Case]) -> None:
    assert ids(read(any_chain, "director", store="002")) == [busy["far"].id]
    assert ids(read(any_chain, store="002")) == []
    assert ids(read(any_chain, reason="claim")) == [busy["taken"].id]
    assert ids(read(any_chain, label="хлеб")) == [busy["taken"].id]
    assert ids(read(any_chain, label="касса 3")) == [busy["taken"].id]
    for other in ("касса", "хле", "%", "х_еб", '"'):
        assert ids(read(any_chain, label=other)) == []
    assert read(any_chain).labels == ("касса 3", "хлеб")
    assert read(any_chain, label="хлеб").counts["open"] == 1


@pytest.mark.parametrize("group", ["open", "all"])
def test_the_pages_hold_every_case_once(any_chain: Chain, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "PAGE", 2)
    with at(0):
        made = [a_case(any_chain).id for _ in range(5)]
    table = Case.__table__
    without = sa.update(table).where(table.c.id.in_(made[:2])).values(due_on=None)
    any_chain.db.write(lambda link: link.execute(without))
    seen, cursor = [], None
    for _ in range(3):
        page = read(any_chain, group=group, cursor=cursor)
        seen += ids(page)
        cursor = page.next_cursor
    assert cursor is None
    assert sorted(seen) == made
    if group == "open":
        assert seen == made[2:] + made[:2]


@pytest.mark.parametrize("cursor", ["x", "2026-11-30", "none.x", "none.99999999999", "2026-13-01.1", "."])
def test_a_page_that_is_none_is_refused(chain: Chain, cursor: str) -> None:
    with pytest.raises(Invalid):
        cases.listed(chain.db, chain.access("manager"), Wanted(), cursor)
    with pytest.raises(Invalid):
        cases.listed(chain.db, chain.access("manager"), Wanted("nobody's"))


def test_who_may_not_read_the_book_sees_no_case(chain: Chain) -> None:
    case = a_case(chain)
    for role in ("coordinator", "mystery_shopper"):
        with pytest.raises(Forbidden):
            cases.listed(chain.db, chain.access(role), Wanted())
        with pytest.raises(Forbidden):
            case_view.view(chain.db, chain.access(role), case.id)
    far = a_case(chain, store="002")
    for unknown in (far.id, 10_000):
        with pytest.raises(NotFound):
            case_view.view(chain.db, chain.access("manager"), unknown)
    assert case_view.view(chain.db, chain.access("admin"), far.id).case.id == far.id


def test_a_case_shows_what_was_said_what_happened_and_who_may_take_it(any_chain: Chain) -> None:
    manager, director = people(any_chain)
    entry_id = an_entry(any_chain, name="Анна", contact="anna@example.by")
    case, other, far = case_of(any_chain, entry_id), a_case(any_chain), a_case(any_chain, store="002")
    case_changes.take(any_chain.db, manager, case.id, 1)
    case_changes.note(any_chain.db, director, case.id, 3, "Проверьте камеру")
    seen = case_view.view(any_chain.db, manager, case.id)
    (voice,) = seen.voices
    assert (voice.text, voice.number, voice.name, voice.ways) == (TEXT, 1, "Анна", ("mail", "link", "print"))
    assert [(one.kind, one.email) for one in seen.happenings] == [
        ("entry", None),
        ("opened", None),
        ("assigned", "manager@otklik.example"),
        ("status", "manager@otklik.example"),
        ("note", "director@otklik.example"),
    ]
    assert seen.happenings[-1].words == {"text": "Проверьте камеру"}
    assert [person.email for person in seen.workers] == ["director@otklik.example", "manager@otklik.example"]
    assert [one[0] for one in seen.to_join] == [other.id]
    assert far.id not in [one[0] for one in seen.to_join]
    assert seen.close_needs_reason


def test_a_joined_case_shows_every_voice_and_what_each_was_answered(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case, other = a_case(any_chain), a_case(any_chain, "claim")
    joining.join(any_chain.db, manager, case.id, 1, other.id)
    answers.send(any_chain.db, manager, case.id, 2, Typed("№ {number}: исправлено"))
    seen = case_view.view(any_chain.db, manager, case.id)
    assert [voice.kind for voice in seen.voices] == ["complaint", "claim"]
    assert [[one.text for one in voice.answers] for voice in seen.voices] == [["№ 1: исправлено"], ["№ 2: исправлено"]]
    assert not seen.close_needs_reason
    assert again(any_chain, other).joined_to == case.id
