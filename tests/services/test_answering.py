"""Answering: every writer gets the own answer by the surest way, and the register has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import DomainError, Forbidden, Invalid, NotFound
from feedback_app.services import answer_templates, answers, case_changes, joining, register
from feedback_app.services.answer_templates import Wanted
from feedback_app.services.answers import SentAnswer, Typed
from feedback_app.storage import house
from feedback_app.storage.tables import BookEntry, CaseAnswer
from tests.builders import Chain
from tests.services.casework import a_case, again, an_entry, case_of, letters, people, told, whole

ANSWER = Typed("Касса починена, приносим извинения.")


@contextmanager
def day(year: int, month: int, number: int) -> Iterator[None]:
    with time_machine.travel(datetime(year, month, number, 9, tzinfo=UTC), tick=False):
        yield


def sent(chain: Chain, entry_id: UUID) -> list[SentAnswer]:
    with chain.db.read(SYSTEM) as session:
        return answers.sent_answers(session, entry_id)


def texts_of_drafts(chain: Chain) -> list[tuple[str, str]]:
    with chain.db.read(SYSTEM) as session:
        return [(row.state, row.text) for row in session.scalars(sa.select(CaseAnswer))]


def ask_for_review(chain: Chain) -> None:
    chain.db.write(lambda connection: house.put_setting(connection, "book", {"review_answers": True}))


def codes(error: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("more", "wanted", "way"),
    [
        ({"contact": "anna@example.by"}, None, "mail"),
        ({"contact": "anna@example.by"}, "print", "print"),
        ({"contact": "+375 29 111-11-11"}, "mail", "link"),
        ({}, None, "link"),
        ({"secret": False}, None, "print"),
    ],
)
def test_an_answer_takes_the_surest_way_or_the_one_that_was_chosen(
    any_chain: Chain, more: dict[str, object], wanted: str | None, way: str
) -> None:
    manager, _ = people(any_chain)
    entry_id = an_entry(any_chain, **more)  # type: ignore[arg-type]
    case = case_of(any_chain, entry_id)
    answers.send(any_chain.db, manager, case.id, 1, Typed(ANSWER.text, wanted))
    answered = again(any_chain, case)
    assert answered.status == "answered"
    assert answered.answered_at is not None
    assert [(one.text, one.way, one.interim) for one in sent(any_chain, entry_id)] == [(ANSWER.text, way, False)]
    assert told(any_chain, case) == [
        ("answer", {"way": way, "language": "ru"}, {"text": ANSWER.text}, manager.name),
    ]
    assert [letter["to"] for letter in letters(any_chain)] == (["anna@example.by"] if way == "mail" else [])
    assert texts_of_drafts(any_chain) == [("sent", "")]
    assert whole(any_chain)


def test_an_answered_case_is_closed_without_a_reason(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case = a_case(any_chain)
    answers.send(any_chain.db, manager, case.id, 1, ANSWER)
    case_changes.close(any_chain.db, manager, case.id, 2)
    assert again(any_chain, case).status == "closed"
    with pytest.raises(DomainError, match="no_such_move"):
        answers.send(any_chain.db, manager, case.id, 3, ANSWER)


def test_an_interim_answer_leaves_the_case_open(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    case = a_case(any_chain)
    answers.send(any_chain.db, manager, case.id, 1, Typed("Мы проверяем запись камеры.", interim=True))
    still = again(any_chain, case)
    assert (still.status, still.answered_at) == ("new", None)
    assert told(any_chain, case)[0][1]["interim"] is True
    assert whole(any_chain)


def test_the_places_are_filled_in_the_language_of_the_entry(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with day(2026, 11, 2):
        case = a_case(any_chain, name="Анна", contact="anna@example.by")
    text = "{name}: № {number} за {year} год от {date}, до {due}, сегодня {answer_date}, {store}"
    with day(2026, 11, 5):
        answers.send(any_chain.db, manager, case.id, 1, Typed(text))
    (letter,) = letters(any_chain)
    assert letter["body"].startswith("Анна: № 1 за 2026 год от 2 ноября 2026 года, до ")
    assert "сегодня 5 ноября 2026 года" in letter["body"]
    assert letter["subject"].startswith("Ответ на запись № 1 за 2026 год: ")


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "required"), (" \n", "required"), ("x" * 10_001, "too_long"), ("Ваш {номер}", "unknown_place")],
)
def test_an_answer_that_cannot_go_out_is_named(chain: Chain, text: str, code: str) -> None:
    case = a_case(chain)
    with pytest.raises(Invalid) as error:
        answers.send(chain.db, people(chain)[0], case.id, 1, Typed(text))
    assert codes(error) == [(code, "text")]
    assert again(chain, case).version == 1


def test_a_place_that_stays_empty_does_not_go_out(chain: Chain) -> None:
    case = a_case(chain)
    with pytest.raises(Invalid, match="unknown_place"):
        answers.send(chain.db, people(chain)[0], case.id, 1, Typed("Передано: {addressee}"))
    assert again(chain, case).version == 1


def test_every_writer_of_a_joined_case_gets_an_own_answer(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    first = an_entry(any_chain, name="Анна Ковалёва", contact="anna@example.by")
    second = an_entry(any_chain, "claim", name="Пётр Иванов", contact="petr@example.by")
    case, other = case_of(any_chain, first), case_of(any_chain, second)
    joining.join(any_chain.db, manager, case.id, 1, other.id)
    with pytest.raises(Invalid, match="names_another_writer"):
        answers.send(any_chain.db, manager, case.id, 2, Typed("Анна Ковалёва, всё исправлено."))
    answers.send(any_chain.db, manager, case.id, 2, Typed("{name}, запись № {number}: всё исправлено."))
    assert [one.text for one in sent(any_chain, first)] == ["Анна Ковалёва, запись № 1: всё исправлено."]
    assert [one.text for one in sent(any_chain, second)] == ["Пётр Иванов, запись № 2: всё исправлено."]
    assert {letter["to"] for letter in letters(any_chain)} == {"anna@example.by", "petr@example.by"}
    taken = again(any_chain, other)
    assert taken.status == "closed"
    assert taken.answered_at == again(any_chain, case).answered_at
    assert whole(any_chain)


def test_a_second_person_approves_where_the_settings_ask_for_one(any_chain: Chain) -> None:
    manager, director = people(any_chain)
    entry_id = an_entry(any_chain)
    case = case_of(any_chain, entry_id)
    ask_for_review(any_chain)
    with pytest.raises(DomainError, match="review_needed"):
        answers.send(any_chain.db, manager, case.id, 1, ANSWER)
    answers.save(any_chain.db, manager, case.id, 1, Typed("Касса"))
    answers.submit(any_chain.db, manager, case.id, 2, ANSWER)
    with pytest.raises(DomainError, match="own_answer"):
        answers.approve(any_chain.db, manager, case.id, 3)
    answers.give_back(any_chain.db, director, case.id, 3, "Добавьте срок")
    assert texts_of_drafts(any_chain) == [("returned", ANSWER.text)]
    answers.submit(any_chain.db, manager, case.id, 4, Typed(ANSWER.text + " До пятницы."))
    assert again(any_chain, case).status == "new"
    answers.approve(any_chain.db, director, case.id, 5)
    assert again(any_chain, case).status == "answered"
    assert [one.text for one in sent(any_chain, entry_id)] == [ANSWER.text + " До пятницы."]
    assert [(kind, facts, words) for kind, facts, words, _ in told(any_chain, case)[:2]] == [
        ("note", {"review": "submitted"}, {}),
        ("note", {"review": "returned"}, {"text": "Добавьте срок"}),
    ]
    assert told(any_chain, case)[-1][1]["reviewed_by"] == director.name
    with pytest.raises(DomainError, match="nothing_to_review"):
        answers.approve(any_chain.db, director, case.id, 6)
    assert whole(any_chain)


def test_an_entry_without_a_case_gets_one_when_it_is_answered(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    entry_id, far = an_entry(any_chain, "thanks"), an_entry(any_chain, "thanks", store="002")
    case_id = answers.case_for(any_chain.db, manager, entry_id)
    assert answers.case_for(any_chain.db, manager, entry_id) == case_id
    answers.send(any_chain.db, manager, case_id, 1, Typed("Спасибо!"))
    assert [one.text for one in sent(any_chain, entry_id)] == ["Спасибо!"]
    with pytest.raises(NotFound):
        answers.case_for(any_chain.db, manager, far)
    with pytest.raises(Forbidden):
        answers.case_for(any_chain.db, any_chain.access("admin"), entry_id)
    assert whole(any_chain)


def test_an_erased_answer_says_so_and_the_register_stays_whole(any_chain: Chain) -> None:
    manager, director = people(any_chain)
    entry_id = an_entry(any_chain, name="Анна", contact="anna@example.by")
    case = case_of(any_chain, entry_id)
    answers.send(any_chain.db, manager, case.id, 1, Typed("{name}, всё исправлено."))
    register.erase_entry(any_chain.db, director, entry_id, {"text", "name", "contact"}, "По просьбе")
    assert [(one.text, one.way) for one in sent(any_chain, entry_id)] == [(None, "mail")]
    with any_chain.db.read(SYSTEM) as session:
        assert session.scalars(sa.select(BookEntry.name)).all() == [None]
    assert texts_of_drafts(any_chain) == []
    assert whole(any_chain)


# --- templates --------------------------------------------------------------------------------------------------


def offered(chain: Chain, kind: str = "complaint", language: str = "ru") -> list[answer_templates.Template]:
    answer_templates.lay_defaults(chain.db)
    with chain.db.read(SYSTEM) as session:
        return answer_templates.offered(session, {kind}, language)


def test_the_shipped_templates_are_offered_by_kind_in_the_writer_s_language_first(any_chain: Chain) -> None:
    found = offered(any_chain)
    assert [one.name for one in found[:2]] == ["Ответ на жалобу", "Нужно больше времени"]
    assert {one.language for one in found[2:]} == {"be", "en"}
    answer_templates.lay_defaults(any_chain.db)
    assert len(answer_templates.every(any_chain.db, any_chain.access("admin"))) == 18


def test_a_template_begins_an_answer_with_the_entry_s_fields(any_chain: Chain) -> None:
    manager, _ = people(any_chain)
    with day(2026, 11, 2):
        case, other = a_case(any_chain), a_case(any_chain)
        template = offered(any_chain)[0]
        text = answers.begin_with(any_chain.db, manager, case.id, template.id)
        assert text.startswith("Здравствуйте!\n\nМы разобрались с вашей жалобой № 1 от 2 ноября 2026 года, ")
        joining.join(any_chain.db, manager, case.id, 1, other.id)
        assert "{number}" in answers.begin_with(any_chain.db, manager, case.id, template.id)
    with pytest.raises(Invalid):
        answers.begin_with(any_chain.db, manager, case.id, 10_000)


def test_the_administrator_adds_changes_and_retires_templates(any_chain: Chain) -> None:
    admin = any_chain.access("admin")
    made = answer_templates.add(any_chain.db, admin, Wanted("Хлеб", "complaint", "ru", "Хлеб свежий, {name}."))
    answer_templates.change(any_chain.db, admin, made, Wanted("Хлеб и булки", "", "ru", "Свежие."))
    found = answer_templates.find(any_chain.db, admin, made)
    assert (found.name, found.kind, found.text) == ("Хлеб и булки", None, "Свежие.")
    assert "Хлеб и булки" in [one.name for one in offered(any_chain, "thanks")]
    answer_templates.retire(any_chain.db, admin, made, True)
    assert "Хлеб и булки" not in [one.name for one in offered(any_chain)]
    answer_templates.retire(any_chain.db, admin, made, False)
    assert "Хлеб и булки" in [one.name for one in offered(any_chain)]
    for role in ("director", "manager"):
        with pytest.raises(Forbidden):
            answer_templates.retire(any_chain.db, any_chain.access(role), made, True)


def test_a_template_with_a_place_that_nothing_fills_is_refused(chain: Chain) -> None:
    with pytest.raises(Invalid) as error:
        answer_templates.add(chain.db, chain.access("admin"), Wanted("", "letter", "de", "{nummer}"))
    assert sorted(codes(error)) == [
        ("required", "name"),
        ("unknown_choice", "kind"),
        ("unknown_language", "language"),
        ("unknown_place", "text"),
    ]
