"""The register's pages: the list, one entry whole, photos, erasing on request, and how the chain stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient

from feedback_app.services import book, counting, register, register_state
from feedback_app.services.book import How, Photo
from feedback_app.storage.tables import BookEntry, BookPhoto, RegisterLink
from tests.builders import Chain, csrf_of
from tests.web.scene import text_of, title_of

SignIn = Callable[[str], FlaskClient]
SPRING = datetime(2026, 4, 6, 9, 30, tzinfo=UTC)
ENTRY = "/register/001/2026/1"
TEXT = "Касса <b>не</b> работала двадцать минут"


def write(chain: Chain, kind: str = "complaint", store: str = "001", at: datetime = SPRING, **more: Any) -> UUID:
    entry_id, how = uuid4(), more.pop("how", None)
    with time_machine.travel(at, tick=False):
        book.write_entry(chain.db, store, {"kind": kind, "text": TEXT, **more}, entry_id, "ru", how)
    return entry_id


def read(client: FlaskClient, path: str, language: str = "en", status: int = 200) -> str:
    answer = client.get(path, query_string={"lang": language})
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True)


def send(client: FlaskClient, path: str, status: int = 200, **data: Any) -> str:
    token = csrf_of(client.get(f"{path}?lang=en").get_data(as_text=True))
    answer = client.post(path, data={"csrf_token": token, **data})
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


@pytest.fixture
def manager(sign_in: SignIn) -> FlaskClient:
    return sign_in("manager")


# --- the list -----------------------------------------------------------------------------------------------------


def test_an_empty_register_says_what_will_stand_there(app_chain: Chain, manager: FlaskClient) -> None:
    page = read(manager, "/register")
    assert title_of(page) == "No entries here yet"
    assert "An entry appears as soon as somebody writes one" in text_of(page)
    assert "Show all entries" in text_of(manager.get("/register?year=2020&lang=en").get_data(as_text=True))


def test_the_list_says_how_many_wait_past_their_day(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain)
    write(app_chain, "thanks", at=SPRING + timedelta(days=1))
    page = read(manager, "/register")
    assert title_of(page) == "1 entry is overdue"
    words = text_of(page)
    assert "No. 1 of 2026 Apr 6, 2026 Complaint Касса <b>не</b> работала" in words
    assert "Apr 21, 2026 overdue" in words
    assert "no case no answer due" in words
    assert "<b>не</b>" not in page
    assert title_of(read(manager, "/register", "ru")).startswith("Просрочен ответ на")


def test_the_header_leads_to_the_register_those_who_may_read_it(app_chain: Chain, sign_in: SignIn) -> None:
    assert 'href="/register"' in read(sign_in("manager"), "/points")
    assert 'href="/register"' not in read(sign_in("coordinator"), "/visits")


def test_pages_of_fifty_lead_on_and_back(app_chain: Chain, manager: FlaskClient) -> None:
    for minute in range(51):
        write(app_chain, "thanks", at=SPRING + timedelta(minutes=minute))
    first = read(manager, "/register")
    assert first.count('class="entry-number"') == 50
    [cursor] = {part.split('"')[0] for part in first.split("cursor=")[1:]}
    second = manager.get(f"/register?cursor={cursor}&lang=en").get_data(as_text=True)
    assert second.count('class="entry-number"') == 1
    assert "No. 1 of 2026" in second
    assert "Back to the newest" in second
    cut = manager.get(f"/register?cursor={cursor[:9]}&lang=en")
    assert (cut.status_code, "No. 51 of 2026" in cut.get_data(as_text=True)) == (200, True)


def test_what_was_typed_wrongly_is_explained_and_stays(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain)
    page = manager.get("/register?since=yesterday&year=x&lang=en").get_data(as_text=True)
    assert "The time cannot be read" in page
    assert 'value="yesterday"' in page
    assert "No. 1 of 2026" in page
    backwards = manager.get("/register?since=2026-05-01&until=2026-04-01&lang=en").get_data(as_text=True)
    assert "The last day lies before the first." in backwards
    assert manager.get("/register?store=002").status_code == 404


# --- one entry ----------------------------------------------------------------------------------------------------


def test_an_entry_is_shown_whole(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain, name="Анна", contact="anna@example.by", consent=True)
    page = read(manager, ENTRY)
    assert title_of(page) == "Complaint No. 1 of 2026"
    words = text_of(page)
    for said in (TEXT, "Анна", "anna@example.by", "by the writer", "Written and sealed", "Case opened", "the writer"):
        assert said in words, said
    assert "<b>не</b>" not in page
    assert title_of(read(manager, ENTRY, "be")) == "Скарга № 1 за 2026 год"


def test_an_anonymous_entry_from_the_paper_book_says_so(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain, "suggestion", how=How(source=book.PAPER, actor="user:1", paper_number="17-б"))
    words = text_of(read(manager, ENTRY))
    for said in ("Anonymous", "in the paper book, copied by staff", "17-б", "No case was opened for it."):
        assert said in words, said


@pytest.mark.parametrize(
    "path",
    [
        "/register/001/2026/2",
        "/register/001/2025/1",
        "/register/001/99999999999999999999/1",
        "/register/001/2026/99999999999999999999",
        "/register/999/2026/1",
        "/register/999/chain",
        "/register/photos/00000000-0000-0000-0000-000000000000",
    ],
)
def test_what_is_not_there_is_not_found(app_chain: Chain, manager: FlaskClient, path: str) -> None:
    write(app_chain)
    read(manager, path, status=404)


def a_photo(chain: Chain) -> str:
    with chain.db.engine.connect() as connection:
        return str(connection.execute(sa.select(BookPhoto.id)).scalar_one())


def test_a_photo_is_shown_inline_as_what_it_is_and_not_kept(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain, how=How(photos=(Photo("image/jpeg", b"a picture"),)))
    path = f"/register/photos/{a_photo(app_chain)}"
    assert path in read(manager, ENTRY)
    answer = manager.get(path)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"a picture", "image/jpeg")
    assert answer.headers["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_no_picture_is_never_served_as_one(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain, how=How(photos=(Photo("text/html", b"<script>alert(1)</script>"),)))
    read(manager, f"/register/photos/{a_photo(app_chain)}", status=404)


def test_another_store_s_manager_sees_nothing_of_an_entry(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain, store="002", how=How(photos=(Photo("image/jpeg", b"a picture"),)))
    for path in ("/register/002/2026/1", "/register/002/chain", f"/register/photos/{a_photo(app_chain)}"):
        read(manager, path, status=404)
    assert title_of(read(manager, "/register")) == "No entries here yet"


# --- erasing ------------------------------------------------------------------------------------------------------


def test_words_are_erased_after_it_was_said_what_stays(app_chain: Chain, sign_in: SignIn) -> None:
    director = sign_in("director")
    write(app_chain, name="Анна", consent=True, how=How(photos=(Photo("image/jpeg", b"a picture"),)))
    path = f"{ENTRY}/erase"
    everything = {"personal": "y", "text": "y", "photos": "y", "reason": "Просьба от 6 апреля"}
    confirm = text_of(send(director, path, **everything))
    assert "Erase this for good?" in confirm
    for said in ("Name and contact", "The photos", "Просьба от 6 апреля", "the seals in the chain"):
        assert said in confirm, said
    assert "Анна" in read(director, ENTRY), "nothing was erased yet"
    send(director, path, 303, sure="yes", **everything)
    page = text_of(read(director, ENTRY))
    assert "Erased. The entry keeps its number" in page
    assert "erased on request on" in page
    assert "Words erased on request" in page
    for gone in ("Анна", "двадцать", "/register/photos/"):
        assert gone not in page
    assert "Nothing is left to erase" in text_of(read(director, path))
    assert "erased on request" in text_of(read(director, "/register"))
    assert register.verify(app_chain.db).findings == ()
    assert counting.verify(app_chain.db) == []


def test_a_name_alone_goes_and_the_text_stays(app_chain: Chain, sign_in: SignIn) -> None:
    director = sign_in("director")
    write(app_chain, name="Анна", consent=True)
    send(director, f"{ENTRY}/erase", 303, personal="y", reason="Просьба", sure="yes")
    page = text_of(read(director, ENTRY))
    assert "Анна" not in page
    assert TEXT in page


def test_erasing_nothing_or_without_a_reason_is_refused_and_keeps_what_was_typed(
    app_chain: Chain, sign_in: SignIn
) -> None:
    director = sign_in("director")
    write(app_chain, name="Анна", consent=True)
    page = send(director, f"{ENTRY}/erase", 422, reason="Просьба")
    assert "Choose at least one thing to erase." in page
    assert 'value="Просьба"' in page
    page = send(director, f"{ENTRY}/erase", 422, personal="y", sure="yes")
    assert "This needs an answer." in page
    assert "checked" in page
    assert "too long" in send(director, f"{ENTRY}/erase", 422, personal="y", reason="а" * 501)
    assert "Анна" in read(director, ENTRY)


def test_a_manager_may_not_erase(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain)
    assert "/erase" not in read(manager, ENTRY)
    read(manager, f"{ENTRY}/erase", status=403)


# --- the chain ----------------------------------------------------------------------------------------------------


def test_the_state_of_the_chain_is_told_and_verified_on_demand(app_chain: Chain, manager: FlaskClient) -> None:
    assert title_of(read(manager, "/register/001/chain")) == "Nothing stands in this register yet"
    write(app_chain)
    page = read(manager, "/register/001/chain")
    assert title_of(page) == "The chain of the register has 2 links"
    assert "2 of 2 links" in text_of(page)
    page = send(manager, "/register/001/chain")
    assert title_of(page) == "The chain is whole: 2 links"
    assert "1 entry is as it was written" in text_of(page)


def test_a_change_behind_the_back_is_named_in_the_reader_s_language(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain)
    forged = sa.update(BookEntry.__table__).values(text="Всё хорошо")
    app_chain.db.write(lambda connection: connection.execute(forged))
    page = send(manager, "/register/001/chain")
    assert title_of(page) == "The chain is not whole: look at entry No. 1 of 2026"
    assert "It was changed behind the program's back." in text_of(page)
    read(manager, "/register", "ru")
    token = csrf_of(read(manager, "/register/001/chain", "ru"))
    russian = manager.post("/register/001/chain", data={"csrf_token": token}).get_data(as_text=True)
    assert "Изменено в обход программы." in text_of(russian)


def test_a_chain_too_long_for_a_page_names_the_command(
    app_chain: Chain, manager: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(app_chain)
    monkeypatch.setattr(register_state, "CHECK_MOST", 1)
    page = text_of(read(manager, "/register/001/chain"))
    assert "otklik book verify --store 001" in page
    assert "Verify the chain now" not in page


def test_reading_the_register_writes_nothing_into_it(app_chain: Chain, manager: FlaskClient) -> None:
    write(app_chain)
    read(manager, "/register")
    read(manager, ENTRY)
    send(manager, "/register/001/chain")
    with app_chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(RegisterLink)).scalar_one() == 2
