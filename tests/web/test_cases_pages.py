"""The pages of cases: what waits, what to do next, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from feedback_app.services import answer_templates, answers, case_changes, register
from feedback_app.services.answers import Typed
from feedback_app.storage import house
from feedback_app.storage.tables import Case
from tests.builders import Chain, csrf_of
from tests.services.casework import TEXT, a_case, again, an_entry, case_of, letters, people, told, whole
from tests.web.scene import text_of, title_of

SignIn = Callable[[str], FlaskClient]


def get(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang=en")
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True)


def send(client: FlaskClient, case: Case, what: str, *, status: int = 303, **fields: Any) -> str:
    """Send one of the forms of a case's page, as it stands there."""
    page = get(client, f"/cases/{case.id}")
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    data = {"csrf_token": csrf_of(page), "version": version[1], **fields}
    answer = client.post(f"/cases/{case.id}/{what}", data=data)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_an_empty_list_says_what_will_stand_here(sign_in: SignIn) -> None:
    page = get(sign_in("manager"), "/cases")
    assert title_of(page) == "No case is open"
    assert "Every complaint and claim in the feedback book opens a case" in text_of(page)


def test_the_list_names_what_waits_and_until_when(app_chain: Chain, sign_in: SignIn) -> None:
    case = a_case(app_chain)
    a_case(app_chain, store="002")
    app_chain.db.write(lambda link: link.exec_driver_sql("UPDATE cases SET due_on = '2026-01-31' WHERE store_id = 1"))
    page = get(sign_in("manager"), "/cases")
    assert title_of(page) == "Overdue: 1. Open: 1"
    assert "overdue since Jan 31, 2026" in text_of(page)
    assert TEXT in page
    assert f"/cases/{case.id}" in page
    assert "Show all cases" in get(sign_in("manager"), "/cases?group=closed")
    assert TEXT in get(sign_in("manager"), "/cases?group=nonsense&cursor=nonsense")


def test_a_case_shows_its_words_and_its_next_step(app_chain: Chain, sign_in: SignIn) -> None:
    case = case_of(app_chain, an_entry(app_chain, name="Анна <b>", contact="anna@example.by"))
    page = get(sign_in("manager"), f"/cases/{case.id}")
    assert title_of(page).startswith("Complaint No. 1 of ")
    assert TEXT in page
    assert "Анна &lt;b&gt;" in page
    assert "Take the case" in page
    assert "Case opened" in page


def test_who_only_reads_finds_nothing_to_press(app_chain: Chain, sign_in: SignIn) -> None:
    case = a_case(app_chain)
    page = get(sign_in("admin"), f"/cases/{case.id}")
    assert TEXT in page
    assert f"/cases/{case.id}/" not in page
    token = csrf_of(page)
    for what in ("take", "note", "answer"):
        answer = sign_in("admin").post(f"/cases/{case.id}/{what}", data={"csrf_token": token, "version": "1"})
        assert answer.status_code in (400, 403)
    assert again(app_chain, case).version == 1


def test_nothing_is_done_to_a_case_of_another_store(app_chain: Chain, sign_in: SignIn) -> None:
    case, own = a_case(app_chain, store="002"), a_case(app_chain)
    manager = sign_in("manager")
    token = csrf_of(get(manager, f"/cases/{own.id}"))
    get(manager, f"/cases/{case.id}", 404)
    for what in ("take", "note", "answer", "close", "join"):
        data = {"csrf_token": token, "version": "1", "text": "x", "do": "template", "reason": "x"}
        assert manager.post(f"/cases/{case.id}/{what}", data=data).status_code == 404
    assert manager.post(f"/cases/{own.id}/burn", data={"csrf_token": token}).status_code == 404
    assert again(app_chain, case).version == 1


def test_a_form_without_its_token_changes_nothing(app_chain: Chain, sign_in: SignIn) -> None:
    case = a_case(app_chain)
    answer = sign_in("manager").post(f"/cases/{case.id}/take", data={"version": "1"})
    assert answer.status_code == 400
    assert again(app_chain, case).version == 1


def test_the_whole_work_is_done_with_forms_alone(app_chain: Chain, sign_in: SignIn) -> None:
    case, other = a_case(app_chain, contact="anna@example.by"), a_case(app_chain, "claim")
    manager, person = sign_in("manager"), people(app_chain)[0]
    send(manager, case, "take")
    send(manager, case, "note", text="Позвонил")
    send(manager, case, "status", do="waiting")
    send(manager, case, "assign", assignee=str(people(app_chain)[1].user_id))
    send(manager, case, "step", do="add", step="Посмотреть камеру")
    send(manager, case, "step", do="tick", id_of_step="1")
    send(manager, case, "label", labels="Касса, очередь")
    send(manager, case, "learn", cause="staffing", action="Вторая касса")
    send(manager, case, "extend", due_on=str((again(app_chain, case).due_on or case.opened_at).replace()), status=422)
    send(manager, case, "join", other=str(other.id))
    send(manager, case, "answer", do="save", text="Черновик")
    send(manager, case, "answer", do="send", text="Касса починена.")
    send(manager, case, "close")
    send(manager, case, "reopen", reason="Написала снова")
    send(manager, case, "forward", addressee="Сервис касс")
    page = text_of(get(manager, f"/cases/{case.id}"))
    for said in ("Step done", "Root cause: Too few people", "Forwarded to: Сервис касс", "Reopened", "Касса починена."):
        assert said in page, said
    assert {link[3] for link in told(app_chain, case)} == {person.name}
    assert len(letters(app_chain)) == 2
    assert whole(app_chain)


def test_what_cannot_be_kept_stays_in_its_form_with_the_reason(app_chain: Chain, sign_in: SignIn) -> None:
    case, manager = a_case(app_chain), sign_in("manager")
    page = send(manager, case, "answer", do="send", text="Ваш {номер} найден", status=422)
    assert "Ваш {номер} найден</textarea>" in page
    assert "Nothing fills these places: {номер}." in text_of(page)
    page = send(manager, case, "extend", due_on="завтра", reason="Ждём эксперта", status=422)
    assert "This day cannot be read." in text_of(page)
    assert "Ждём эксперта</textarea>" in page
    page = send(manager, case, "extend", due_on="2020-01-31", reason="Ждём эксперта", status=422)
    assert "Choose a day after" in text_of(page)
    page = send(manager, case, "close", status=422)
    assert "This needs an answer." in text_of(page)
    send(manager, case, "note", text="x" * 4_001, status=422)
    send(manager, case, "assign", assignee="x", status=422)
    send(manager, case, "join", other="x", status=422)
    assert again(app_chain, case).version == 1


def test_another_s_change_meanwhile_loses_nothing_that_was_typed(app_chain: Chain, sign_in: SignIn) -> None:
    case, manager = a_case(app_chain), sign_in("manager")
    token = csrf_of(get(manager, f"/cases/{case.id}"))
    case_changes.note(app_chain.db, people(app_chain)[1], case.id, 1, "Я уже отвечаю")
    data = {"csrf_token": token, "version": "1", "do": "send", "text": "Длинный ответ"}
    answer = manager.post(f"/cases/{case.id}/answer", data=data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Длинный ответ</textarea>" in page
    assert "Somebody changed this case meanwhile" in page
    assert "Я уже отвечаю" in page
    assert again(app_chain, case).status == "new"
    for junk in ("", "x", "99999999999999999999"):
        assert manager.post(f"/cases/{case.id}/take", data={"csrf_token": token, "version": junk}).status_code == 409
    assert manager.post(f"/cases/{case.id}/answer", data={**data, "version": "2"}).status_code == 303


def test_a_template_begins_the_answer_below_what_was_typed(app_chain: Chain, sign_in: SignIn) -> None:
    case, manager = a_case(app_chain), sign_in("manager")
    page = get(manager, f"/cases/{case.id}")
    option = re.search(r'<option value="(\d+)">Ответ на жалобу', page)
    assert option
    page = send(manager, case, "answer", do="template", template=option[1], text="P. S.", status=200)
    assert "P. S.\n\nЗдравствуйте!" in page
    assert "Choose one of the answers shown." in send(manager, case, "answer", do="template", status=422)
    assert again(app_chain, case).version == 1


def test_a_second_person_reads_and_approves(app_chain: Chain, sign_in: SignIn) -> None:
    case = a_case(app_chain)
    app_chain.db.write(lambda link: house.put_setting(link, "book", {"review_answers": True}))
    manager, director = sign_in("manager"), sign_in("director")
    assert "Send the answer" not in get(manager, f"/cases/{case.id}")
    send(manager, case, "answer", do="submit", text="Касса починена.")
    assert "Approve and send" not in get(manager, f"/cases/{case.id}")
    send(manager, case, "review", do="approve", status=409)
    send(director, case, "review", do="return", text="Добавьте срок")
    assert "Given back: Добавьте срок" in text_of(get(manager, f"/cases/{case.id}"))
    send(manager, case, "answer", do="submit", text="Касса починена в понедельник.")
    send(director, case, "review", do="approve")
    assert again(app_chain, case).status == "answered"


def test_thanks_get_a_case_when_somebody_answers_them(app_chain: Chain, sign_in: SignIn) -> None:
    entry_id, own = an_entry(app_chain, "thanks"), a_case(app_chain)
    manager = sign_in("manager")
    token = csrf_of(get(manager, f"/cases/{own.id}"))
    answer = manager.post(f"/cases/for/{entry_id}", data={"csrf_token": token})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/cases/{case_of(app_chain, entry_id).id}"


def test_an_erased_case_says_so(app_chain: Chain, sign_in: SignIn) -> None:
    entry_id = an_entry(app_chain, name="Анна")
    case = case_of(app_chain, entry_id)
    answers.send(app_chain.db, people(app_chain)[0], case.id, 1, Typed("{name}, исправлено"))
    register.erase_entry(app_chain.db, people(app_chain)[1], entry_id, {"text", "name"}, "")
    page = get(sign_in("manager"), f"/cases/{case.id}")
    assert "Анна" not in page
    assert TEXT not in page
    assert "The words were erased." in page
    assert "The words were erased." in get(sign_in("manager"), "/cases?group=all")


# --- templates --------------------------------------------------------------------------------------------------


def test_the_administrator_changes_the_templates(app_chain: Chain, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    page = get(admin, "/settings/answers")
    assert title_of(page) == "Answers begin with a template: 18 are offered"
    token = csrf_of(get(admin, "/settings/answers/new"))
    data = {"csrf_token": token, "name": "Хлеб", "kind": "", "language": "ru", "text": "Хлеб {nummer}"}
    refused = admin.post("/settings/answers/new", data=data)
    assert refused.status_code == 422
    assert "Хлеб {nummer}</textarea>" in refused.get_data(as_text=True)
    assert admin.post("/settings/answers/new", data={**data, "text": "Хлеб {number}"}).status_code == 303
    (made,) = [one for one in answer_templates.every(app_chain.db, app_chain.access("admin")) if one.name == "Хлеб"]
    changed = {**data, "name": "Булка", "text": "Булка"}
    assert admin.post(f"/settings/answers/{made.id}", data=changed).status_code == 303
    retire = {"csrf_token": token, "retired": "1"}
    assert admin.post(f"/settings/answers/{made.id}/retire", data=retire).status_code == 303
    assert "18 are offered" in get(admin, "/settings/answers")
    assert "Булка" in get(admin, "/settings/answers")
    get(admin, "/settings/answers/9999", 404)


@pytest.mark.parametrize("role", ["director", "manager", "coordinator"])
def test_nobody_else_does(sign_in: SignIn, role: str) -> None:
    assert sign_in(role).get("/settings/answers").status_code == 403
