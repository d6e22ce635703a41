"""Working on a case: each change is one link of the register, and nobody overwrites what another did."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.errors import DomainError, Forbidden, Invalid, NotFound
from feedback_app.services import answers, case_changes, case_terms, joining, people_of
from feedback_app.services.answers import Typed, sent_answers
from feedback_app.services.case_ground import hold
from feedback_app.services.register import keeper_of
from feedback_app.storage.tables import CaseResponse, CaseStep
from tests.builders import Chain
from tests.services.casework import a_case, again, an_entry, case_of, letters, people, told, whole


def refused(error: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in error.value.problems]


def test_a_manager_takes_a_case_writes_a_note_and_lets_it_wait(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case = a_case(any_chain)
    assert (case.status, case.version) == ("new", 1)
    case_changes.take(any_chain.db, manager, case.id, 1)
    taken = again(any_chain, case)
    assert (taken.status, taken.assignee_id) == ("in_work", manager.user_id)
    case_changes.note(any_chain.db, manager, case.id, taken.version, " Позвонил в кассу ")
    case_changes.move(any_chain.db, manager, case.id, taken.version + 1, "waiting")
    assert told(any_chain, case) == [
        ("assigned", {"from": None, "to": manager.user_id}, {}, manager.name),
        ("status", {"from": "new", "to": "in_work"}, {}, manager.name),
        ("note", {}, {"text": "Позвонил в кассу"}, manager.name),
        ("status", {"from": "in_work", "to": "waiting"}, {}, manager.name),
    ]
    assert whole(any_chain)


def test_who_saw_an_older_version_changes_nothing(any_chain: Chain) -> None:
    manager, director = people(any_chain)
    case = a_case(any_chain)
    case_changes.note(any_chain.db, director, case.id, 1, "Я этим занимаюсь")
    with pytest.raises(DomainError, match="changed_meanwhile"):
        case_changes.take(any_chain.db, manager, case.id, 1)
    assert again(any_chain, case).assignee_id is None
    assert len(told(any_chain, case)) == 1
    assert whole(any_chain)


def test_of_eight_who_change_the_same_version_at_once_one_does(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case = a_case(any_chain)

    def one(number: int) -> str:
        try:
            case_changes.note(any_chain.db, manager, case.id, 1, f"Заметка {number}")
        except DomainError as error:
            return error.code
        return "kept"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(one, range(8)))
    assert outcomes == ["changed_meanwhile"] * 7 + ["kept"]
    assert whole(any_chain)


Change = Callable[[Chain, Access, int], object]
CHANGES: dict[str, Change] = {
    "take": lambda chain, access, case: case_changes.take(chain.db, access, case, 1),
    "assign": lambda chain, access, case: case_changes.assign(chain.db, access, case, 1, None),
    "move": lambda chain, access, case: case_changes.move(chain.db, access, case, 1, "in_work"),
    "close": lambda chain, access, case: case_changes.close(chain.db, access, case, 1, "Ошибка"),
    "note": lambda chain, access, case: case_changes.note(chain.db, access, case, 1, "Заметка"),
    "label": lambda chain, access, case: case_changes.label(chain.db, access, case, 1, "хлеб"),
    "learn": lambda chain, access, case: case_changes.learn(chain.db, access, case, 1, "supplier", ""),
    "step": lambda chain, access, case: case_changes.add_step(chain.db, access, case, 1, "Позвонить"),
    "join": lambda chain, access, case: joining.join(chain.db, access, case, 1, None),
    "extend": lambda chain, access, case: case_terms.extend(chain.db, access, case, 1, date(2030, 1, 1), "Проверка"),
    "forward": lambda chain, access, case: case_terms.forward(chain.db, access, case, 1, "Поставщик"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nobody_changes_a_case_of_another_store_or_without_the_right(chain: Chain, name: str) -> None:
    manager, _ = people(chain)
    case = a_case(chain, store="002")
    with pytest.raises(NotFound):
        CHANGES[name](chain, manager, case.id)
    for role in ("admin", "coordinator", "mystery_shopper"):
        with pytest.raises(Forbidden):
            CHANGES[name](chain, chain.access(role), case.id)
    with pytest.raises(NotFound):
        CHANGES[name](chain, manager, 10_000)
    assert again(chain, case).version == 1


def test_a_case_is_given_to_who_may_work_in_its_store(any_chain: Chain) -> None:
    manager, director = people(any_chain)
    with any_chain.db.read(SYSTEM) as session:
        here = [person.email for person in people_of.workers(session, any_chain.store_id("001"))]
        there = [person.email for person in people_of.workers(session, any_chain.store_id("002"))]
    assert here == ["director@otklik.example", "manager@otklik.example"]
    assert there == ["director@otklik.example"]
    case = a_case(any_chain, store="002")
    with pytest.raises(Invalid) as error:
        case_changes.assign(any_chain.db, director, case.id, 1, manager.user_id)
    assert refused(error) == [("unknown_choice", "assignee")]
    case_changes.assign(any_chain.db, director, case.id, 1, director.user_id)
    case_changes.assign(any_chain.db, director, case.id, 2, None)
    assert again(any_chain, case).assignee_id is None
    assert whole(any_chain)


def test_a_complaint_without_an_answer_is_closed_with_a_reason_only(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case = a_case(any_chain)
    with pytest.raises(Invalid) as error:
        case_changes.close(any_chain.db, manager, case.id, 1, "  ")
    assert refused(error) == [("required", "reason")]
    case_changes.close(any_chain.db, manager, case.id, 1, "Написано по ошибке")
    closed = again(any_chain, case)
    assert closed.status == "closed"
    assert closed.closed_at is not None
    assert told(any_chain, case)[-1][2] == {"reason": "Написано по ошибке"}
    with pytest.raises(DomainError, match="no_such_move"):
        case_changes.move(any_chain.db, manager, case.id, 2, "in_work")
    assert whole(any_chain)


def on(day: int, month: int = 11) -> time_machine.travel:
    return time_machine.travel(datetime(2026, month, day, 9, tzinfo=UTC), tick=False)


def test_a_case_reopened_after_its_answer_has_a_term_of_its_own(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with on(2):
        case = a_case(any_chain)
    with on(5):
        answers.send(any_chain.db, manager, case.id, 1, Typed("Решено на месте"))
    with on(1, 12):
        case_changes.reopen(any_chain.db, manager, case.id, 2, "Покупатель написал снова")
    back = again(any_chain, case)
    assert (back.status, back.closed_at, back.answered_at) == ("reopened", None, None)
    assert back.due_on == date(2026, 12, 16)
    assert back.first_due_on == case.first_due_on
    assert told(any_chain, case)[-1][0] == "reopened"
    assert whole(any_chain)


def test_closing_and_reopening_what_nobody_answered_brings_no_time(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with on(2):
        case = a_case(any_chain)
    with on(25):
        case_changes.close(any_chain.db, manager, case.id, 1, "Решено на месте")
        case_changes.reopen(any_chain.db, manager, case.id, 2, "Проверка")
        case_terms.forward(any_chain.db, manager, case.id, 3, "Хлебозавод")
    assert again(any_chain, case).due_on == case.due_on == date(2026, 11, 17)
    assert whole(any_chain)


def test_an_answer_in_time_stays_in_time_when_more_is_added(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with on(2):
        case = a_case(any_chain)
    with on(5):
        answers.send(any_chain.db, manager, case.id, 1, Typed("Разобрались"))
        answered_at = again(any_chain, case).answered_at
    with on(25, 12):
        answers.send(any_chain.db, manager, case.id, 2, Typed("И ещё раз спасибо"))
    assert again(any_chain, case).answered_at == answered_at
    assert whole(any_chain)


def test_what_is_told_to_all_writers_of_a_case_names_none_of_them(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with on(2):
        case = a_case(any_chain, name="Анна Ковалёва", contact="anna@example.by")
        other = a_case(any_chain)
        joining.join(any_chain.db, manager, case.id, 1, other.id)
        assert case.due_on is not None
        with pytest.raises(Invalid) as error:
            later = case.due_on + timedelta(days=3)
            case_terms.extend(any_chain.db, manager, case.id, 2, later, "Ждём чек от Анна Ковалёва")
        assert refused(error) == [("names_another_writer", "reason")]
        case_terms.extend(any_chain.db, manager, case.id, 2, later, "Ждём чек")
    assert whole(any_chain)


def test_the_law_s_limit_of_every_entry_of_a_case_holds(chain: Chain) -> None:
    chain.db.write(lambda link: link.execute(sa.text("UPDATE stores SET country = 'RU'")))
    manager, _ = people(chain)
    case, claim = a_case(chain), a_case(chain, "claim")
    joining.join(chain.db, manager, case.id, 1, claim.id)
    assert case.due_on is not None
    with pytest.raises(Invalid) as error:
        case_terms.extend(chain.db, manager, case.id, 2, case.due_on + timedelta(days=1), "Проверка")
    assert refused(error) == [("no_extension", "due_on")]


def test_labels_cause_and_action_are_kept_and_told(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case = a_case(any_chain)
    case_changes.label(any_chain.db, manager, case.id, 1, "Хлеб, касса")
    case_changes.learn(any_chain.db, manager, case.id, 2, "staffing", "Вторая касса с 17 часов")
    learned = again(any_chain, case)
    assert learned.labels == ["хлеб", "касса"]
    assert (learned.root_cause, learned.corrective_action) == ("staffing", "Вторая касса с 17 часов")
    assert [(kind, words) for kind, _, words, _ in told(any_chain, case)] == [
        ("labels", {"labels": "хлеб, касса"}),
        ("cause", {"action": "Вторая касса с 17 часов"}),
    ]
    assert whole(any_chain)


def test_steps_are_added_ticked_and_removed(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case, other = a_case(any_chain), a_case(any_chain)
    case_changes.add_step(any_chain.db, manager, case.id, 1, "Посмотреть камеру")
    case_changes.add_step(any_chain.db, manager, case.id, 2, "Позвонить")
    with any_chain.db.read(SYSTEM) as session:
        first, second = session.scalars(sa.select(CaseStep).order_by(CaseStep.position))
    case_changes.tick_step(any_chain.db, manager, case.id, 3, first.id, True)
    case_changes.remove_step(any_chain.db, manager, case.id, 4, second.id)
    with pytest.raises(NotFound):
        case_changes.remove_step(any_chain.db, manager, other.id, 1, first.id)
    with any_chain.db.read(SYSTEM) as session:
        left = session.scalars(sa.select(CaseStep)).one()
    assert left.text == "Посмотреть камеру"
    assert left.done_by == manager.user_id
    assert [facts["what"] for _, facts, _, _ in told(any_chain, case)] == ["added", "added", "ticked", "removed"]
    assert whole(any_chain)


def test_an_extension_has_a_reason_and_the_writer_reads_it(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        case = a_case(any_chain, name="Анна", contact="anna@example.by")
        assert case.due_on is not None
        later = case.due_on + timedelta(days=5)
        with pytest.raises(Invalid) as error:
            case_terms.extend(any_chain.db, manager, case.id, 1, later, " ")
        assert refused(error) == [("required", "reason")]
        for day, code in ((case.due_on, "not_later"), (date(2027, 6, 1), "past_the_limit"), (None, "required")):
            with pytest.raises(Invalid) as error:
                case_terms.extend(any_chain.db, manager, case.id, 1, day, "Ждём экспертизу")
            assert refused(error) == [(code, "due_on")]
        case_terms.extend(any_chain.db, manager, case.id, 1, later, "Ждём экспертизу")
    moved = again(any_chain, case)
    assert (moved.due_on, moved.first_due_on, moved.status) == (later, case.due_on, "new")
    due, answer = told(any_chain, case)
    assert due[:3] == ("due", {"from": str(case.due_on), "to": str(later)}, {"reason": "Ждём экспертизу"})
    assert answer[1] == {"interim": True, "way": "mail", "language": "ru"}
    assert "Здравствуйте, Анна!" in answer[2]["text"]
    assert "Причина: Ждём экспертизу" in answer[2]["text"]
    assert letters(any_chain)[0]["to"] == "anna@example.by"
    assert whole(any_chain)


def test_where_the_law_knows_no_extension_there_is_none(chain: Chain) -> None:
    chain.db.write(lambda link: link.execute(sa.text("UPDATE stores SET country = 'RU'")))
    case = a_case(chain, "claim")
    assert case.due_on is not None
    with pytest.raises(Invalid) as error:
        case_terms.extend(chain.db, people(chain)[0], case.id, 1, case.due_on + timedelta(days=1), "Проверка")
    assert refused(error) == [("no_extension", "due_on")]


def test_what_is_forwarded_waits_with_a_day_of_its_own_and_the_writer_is_told(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    entry_id = an_entry(any_chain)
    case = case_of(any_chain, entry_id)
    case_terms.forward(any_chain.db, manager, case.id, 1, "Хлебозавод № 2")
    moved = again(any_chain, case)
    assert (moved.status, moved.forwarded_to) == ("waiting", "Хлебозавод № 2")
    assert moved.first_due_on == case.due_on
    with any_chain.db.read(SYSTEM) as session:
        (answer,) = sent_answers(session, entry_id)
    assert (answer.way, answer.interim) == ("link", True)
    assert answer.text is not None
    assert "Хлебозавод № 2" in answer.text
    assert whole(any_chain)


def test_a_case_takes_in_another_and_the_earlier_day_counts(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        old = a_case(any_chain)
    with time_machine.travel(datetime(2026, 11, 9, 9, tzinfo=UTC), tick=False):
        middle, new, far = a_case(any_chain), a_case(any_chain), a_case(any_chain, store="002")
        joining.join(any_chain.db, manager, middle.id, 1, old.id)
        joining.join(any_chain.db, manager, new.id, 1, middle.id)
        for wrong in (far.id, new.id, old.id, None):
            with pytest.raises(Invalid) as error:
                joining.join(any_chain.db, manager, new.id, 2, wrong)
            assert refused(error) == [("unknown_choice", "other")]
    assert again(any_chain, new).due_on == old.due_on
    for case in (old, middle):
        taken = again(any_chain, case)
        assert (taken.status, taken.joined_to) == ("closed", new.id)
    with any_chain.db.read(SYSTEM) as session:
        found = set(session.scalars(sa.select(CaseResponse.response_id).where(CaseResponse.case_id == new.id)))
    assert found == {old.response_id, middle.response_id}
    assert whole(any_chain)


def test_a_case_that_was_taken_in_can_stand_by_itself_again(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case, other = a_case(any_chain), a_case(any_chain)
    joining.join(any_chain.db, manager, case.id, 1, other.id)
    case_changes.reopen(any_chain.db, manager, other.id, 2, "Это о другом")
    back = again(any_chain, other)
    assert (back.status, back.joined_to) == ("reopened", None)
    with any_chain.db.read(SYSTEM) as session:
        assert list(session.scalars(sa.select(CaseResponse))) == []
    assert whole(any_chain)


def test_two_who_join_the_same_cases_the_other_way_round_do_not_wait_for_each_other(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    one, two = a_case(any_chain), a_case(any_chain)

    def join(pair: tuple[int, int]) -> str:
        try:
            joining.join(any_chain.db, manager, pair[0], 1, pair[1])
        except (DomainError, Invalid) as error:
            return error.code
        return "kept"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(join, [(one.id, two.id), (two.id, one.id)]))
    assert outcomes == ["changed_meanwhile", "kept"]
    assert whole(any_chain)


def test_a_writer_brings_back_what_was_closed_by_their_own_name(chain: Chain) -> None:
    case = a_case(chain)
    case_changes.close(chain.db, people(chain)[0], case.id, 1, "Ошибка")
    writer = replace(SYSTEM, rights=frozenset({Right.PUBLIC}), actor="writer")

    def work(connection: sa.Connection) -> None:
        case_changes.bring_back(hold(connection, keeper_of(chain.db), writer, case.id), "Не согласна")

    chain.db.write(work)
    assert told(chain, case)[-1][0] == "reopened"
    assert told(chain, case)[-1][3] == "writer"
    assert whole(chain)
