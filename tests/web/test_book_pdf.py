"""The book on paper: its words are found, its letters are in it, it looks like a page, and nothing breaks it."""

from __future__ import annotations

import ctypes
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

import pypdfium2
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from feedback_app.services import register, register_book
from feedback_app.services.book import How, Photo
from feedback_app.services.register_book import totals_of
from feedback_app.services.register_pages import EntryLine
from feedback_app.web import pdf_text
from feedback_app.web.book_pdf import MARGIN, Answer, EntrySheet, Frame, RegisterSheet, entry_pdf, register_pdf
from feedback_app.web.pdf_text import BOX, clean, shorten, width, wrap
from tests.builders import Chain
from tests.services.test_register_pages import answer
from tests.web.test_register_page import ENTRY, SPRING, SignIn, write

FRAME = Frame(
    language="be",
    title="Скарга № 12 за 2026 год",
    book="Кніга заўваг і прапаноў",
    store="Крама «На Нямізе»",
    address="Мінск, вул. Няміга, 5",
    foot="Звяно 12: 0123456789abcdef · надрукавана 1 мая 2026 г.",
    page="старонка {n} з {m}",
    printed_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
)
SHEET = EntrySheet(
    frame=FRAME,
    number="№ 12 за 2026 год",
    running="№ 12 за 2026 год · Крама «На Нямізе»",
    fields=[("Від", "Скарга"), ("Імя", "Ганна Ўласава")],
    text_head="Што напісана",
    text="Касір сказала «не ведаю», і ўсё. <b>Дрэнна</b> & крыўдна",
    text_gone="",
    photos_head="Фота",
    photos=[],
    photo_unreadable="Гэты здымак надрукаваць нельга",
    answer_head="Адказ",
    until="Адказаць да 16 мая 2026 г.",
    answers=[],
    signatures=["Пасада", "Подпіс", "Дата"],
)
COLUMNS = [("№", 20), ("Дата", 23), ("Від", 27), ("Сутнасць", 84), ("Імя", 34), ("Да", 23), ("Адказ", 23), ("Хто", 35)]
ROW = ["12/2026", "1 мая 2026 г.", "Скарга", "Касса не работала двадцать минут. " * 20, "Ганна", "16 мая", "–", "новы"]
REGISTER = RegisterSheet(FRAME, "2026 год", COLUMNS, [ROW], "Разам", ["Запісаў: 1"])


def a_picture(size: tuple[int, int] = (400, 300), kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#0b6e75").save(out, format=kind)
    return out.getvalue()


class Opened:
    """A PDF opened by another library than the one that wrote it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.document = pypdfium2.PdfDocument(content)

    def __len__(self) -> int:
        return len(self.document)

    def text(self, page: int = 0) -> str:
        return " ".join(self.document[page].get_textpage().get_text_range().replace("\ufffe", "").split())

    def all_text(self) -> str:
        return " ".join(self.text(page) for page in range(len(self)))

    def picture(self, page: int = 0) -> Image.Image:
        """The page as it looks, four dots a millimetre, in grey."""
        return self.document[page].render(scale=4 * 25.4 / 72).to_pil().convert("L")

    def fonts(self) -> set[tuple[str, bool]]:
        """The names of the fonts in use, and whether they are embedded."""
        raw, found = pypdfium2.raw, set()
        for page in self.document:
            for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
                font = raw.FPDFTextObj_GetFont(thing)
                name = ctypes.create_string_buffer(100)
                raw.FPDFFont_GetBaseFontName(font, name, 100)
                found.add((name.value.decode().partition("+")[2], raw.FPDFFont_GetIsEmbedded(font) == 1))
        return found


def ink(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> int:
    """How many dots of a part of a page, in millimetres, are not white."""
    part = picture.crop(tuple(round(side * 4) for side in (left, top, right, bottom)))
    return sum(part.histogram()[:250])


def margins_are_white(picture: Image.Image) -> bool:
    wide, high = picture.width / 4, picture.height / 4
    strips = [
        *[(0, 0, wide, MARGIN - 1), (0, high - MARGIN + 1, wide, high)],
        *[(0, 0, MARGIN - 1, high), (wide - MARGIN + 1, 0, wide, high)],
    ]
    return all(ink(picture, *strip) == 0 for strip in strips)


# --- one entry ----------------------------------------------------------------------------------------------------


def test_an_entry_is_found_on_paper_word_by_word() -> None:
    found = Opened(entry_pdf(SHEET)).text()
    for said in (
        *("Кніга заўваг і прапаноў", "Крама «На Нямізе»", "Ганна Ўласава", SHEET.text),
        *("Адказаць да 16 мая 2026 г.", "Пасада", "0123456789abcdef", "старонка 1 з 1"),
    ):
        assert said in found, said


def test_the_letters_are_in_the_file() -> None:
    fonts = Opened(entry_pdf(SHEET)).fonts()
    assert fonts == {("DejaVuSansBook", True), ("DejaVuSansBold", True)}
    assert len(entry_pdf(SHEET)) < 60_000, "the whole font was put in, not the letters in use"


def test_a_page_is_a4_with_white_margins_and_filled_where_words_stand() -> None:
    opened = Opened(entry_pdf(replace(SHEET, photos=[a_picture()])))
    for page in opened.document:
        assert [round(side * 25.4 / 72) for side in page.get_size()] == [210, 297]
    picture = opened.picture()
    assert margins_are_white(picture)
    assert ink(picture, 15, 15, 120, 25) > 500, "the book's title"
    assert ink(picture, 15, 274, 195, 283) > 300, "the foot"


def test_empty_lines_wait_for_an_answer_by_hand() -> None:
    picture = Opened(entry_pdf(SHEET)).picture()
    column = picture.crop((160 * 4, 100 * 4, 160 * 4 + 1, 220 * 4))
    rows = [y for y in range(column.height) if column.getpixel((0, y)) < 250]
    rules = [y for y, before in zip(rows, [-9, *rows], strict=False) if y - before > 1]
    assert len(rules) >= 9
    text = Opened(entry_pdf(replace(SHEET, answers=[Answer("Адпраўлены 3 мая", "Каса працуе")]))).text()
    assert "Адпраўлены 3 мая Каса працуе" in text


def test_a_text_of_eight_thousand_letters_goes_over_numbered_pages() -> None:
    text = " ".join(f"слово{number:04d}" for number in range(900))
    opened = Opened(entry_pdf(replace(SHEET, text=text)))
    assert len(text) > 8_000
    assert len(opened) > 3
    assert opened.all_text().count("слово") == 900
    for page in range(len(opened)):
        assert f"старонка {page + 1} з {len(opened)}" in opened.text(page)
        assert margins_are_white(opened.picture(page))
    assert "№ 12 за 2026 год · Крама" in opened.text(1)


def test_photos_stand_two_on_a_page_and_keep_their_proportions() -> None:
    opened = Opened(entry_pdf(replace(SHEET, photos=[a_picture((900, 1600))] * 3, answers=[Answer("", "Так")])))
    raw = pypdfium2.raw
    boxes = [
        [thing.get_bounds() for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])] for page in opened.document
    ]
    assert [len(found) for found in boxes if found] in ([1, 2], [2, 1])
    for left, bottom, right, top in (box for found in boxes for box in found):
        assert (right - left) / (top - bottom) == pytest.approx(900 / 1600, rel=0.01)
    assert all(margins_are_white(opened.picture(page)) for page in range(len(opened)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_a_photo_of_each_kind_is_printed(kind: str) -> None:
    opened = Opened(entry_pdf(replace(SHEET, photos=[a_picture(kind=kind)])))
    assert SHEET.photo_unreadable not in opened.all_text()


def test_what_is_no_picture_is_said_and_breaks_nothing() -> None:
    for content in (b"a picture", b"", a_picture()[:200]):
        assert SHEET.photo_unreadable in Opened(entry_pdf(replace(SHEET, photos=[content]))).all_text()


def test_the_document_says_its_title_and_language_and_is_the_same_each_time() -> None:
    content = entry_pdf(SHEET)
    assert content == entry_pdf(SHEET)
    meta = Opened(content).document.get_metadata_dict()
    assert (meta["Title"], meta["Creator"]) == (FRAME.title, "Otklik")
    assert b"/Lang (be)" in content
    assert meta["CreationDate"].startswith("D:20260501120000")


def test_nobody_s_writing_turns_around_or_climbs_out_of_its_line() -> None:
    assert clean("Анна\u202egnp.exe\u2066\u200f") == "Аннаgnp.exe"
    assert clean("у\u0306 и\u0306") == "ў й"
    assert len(clean("а" + "\u0301\u0316" * 40 + "б")) == 4
    assert clean("a\u200bb\u00adc\ufe0f\x07\ud83d") == "abc"
    assert clean("один\u2028два\r\nтри\tчетыре") == "один\nдва\nтри четыре"
    assert clean("漢 🙂") == f"{BOX} {BOX}"


def test_a_long_word_is_broken_and_a_long_cell_is_cut_with_dots() -> None:
    lines = wrap("щ" * 300, 100, 10)
    assert "".join(lines) == "щ" * 300
    assert all(width(line, 10) <= 100 for line in lines)
    assert wrap("раз два\n\nтри", 100, 10) == ["раз два", "", "три"]
    cut = shorten("слово " * 500, 60, 8, 3)
    assert (len(cut), cut[-1][-1]) == (3, "…")
    assert all(width(line, 8) <= 60 for line in cut)
    assert shorten("слово", 60, 8, 3) == ["слово"]


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=400), name=st.text(max_size=120))
def test_whatever_was_typed_can_be_printed(text: str, name: str) -> None:
    sheet = replace(SHEET, text=text, fields=[("Імя", name)], answers=[Answer(name, text)])
    opened = Opened(entry_pdf(sheet))
    assert margins_are_white(opened.picture())
    register_pdf(replace(REGISTER, rows=[[name, text, name, text, name, "", "", ""]]))


# --- a period -----------------------------------------------------------------------------------------------------


def test_the_register_is_a_lying_table_with_its_heads_on_every_page() -> None:
    opened = Opened(register_pdf(replace(REGISTER, rows=[ROW] * 40)))
    assert [round(side * 25.4 / 72) for side in opened.document[0].get_size()] == [297, 210]
    assert len(opened) > 2
    for page in range(len(opened)):
        assert f"старонка {page + 1} з {len(opened)}" in opened.text(page)
        assert margins_are_white(opened.picture(page))
    for page in range(len(opened) - 1):
        assert "Сутнасць" in opened.text(page)
    assert opened.all_text().count("12/2026") == 40
    assert opened.text(0).count("…") > 5, "a long substance is cut"
    assert "Разам Запісаў: 1" in opened.text(len(opened) - 1)


def test_two_thousand_entries_are_printed_in_a_few_seconds() -> None:
    start = perf_counter()
    content = register_pdf(replace(REGISTER, rows=[[f"{number}/2026", *ROW[1:]] for number in range(2_000)]))
    assert perf_counter() - start < 30, "1.5 s alone on two cores"
    assert len(pypdfium2.PdfDocument(content)) > 100


def a_line(number: int, status: str | None, due_on: date, answered_at: datetime | None = None) -> EntryLine:
    place = {"store_id": 1, "store_code": "001", "store_names": {}, "store_addresses": {}, "country": "BY"}
    rest: dict[str, Any] = {"id": None, "text": "", "name": None, "created_at": SPRING, "case_id": 1}
    return EntryLine(
        **place, **rest, timezone="Europe/Minsk", year=2026, number=number, kind="complaint",
        status=status, due_on=due_on, answered_at=answered_at,
    )  # fmt: skip


def test_the_totals_count_what_was_due_and_what_was_answered_in_time() -> None:
    past, ahead = date(2026, 4, 21), date(2999, 1, 1)
    last_moment = datetime(2026, 4, 21, 20, 59, tzinfo=UTC)  # 23:59 in Minsk
    lines = [
        a_line(1, "answered", past, last_moment),
        a_line(2, "closed", past, last_moment + timedelta(minutes=2)),
        a_line(3, "new", past),
        a_line(4, "new", ahead),
        a_line(5, None, past),
        a_line(6, "answered", ahead, last_moment),
    ]
    totals = totals_of(lines)
    assert (totals.in_time, totals.due, dict(totals.kinds)) == (2, 4, {"complaint": 6})


# --- the pages that give them --------------------------------------------------------------------------------------


def fetched(client: FlaskClient, path: str, language: str = "ru") -> Opened:
    given_back = client.get(path, query_string={"lang": language})
    assert (given_back.status_code, given_back.mimetype) == (200, "application/pdf")
    assert given_back.headers["Cache-Control"] == "no-store"
    assert given_back.headers["Content-Disposition"].startswith('inline; filename="book-001')
    return Opened(given_back.data)


def test_an_entry_is_printed_from_its_page(app_chain: Chain, sign_in: SignIn) -> None:
    manager = sign_in("manager")
    how = How(photos=(Photo("image/jpeg", a_picture()),))
    write(app_chain, name="Анна", contact="anna@example.by", consent=True, how=how)
    assert f'href="{ENTRY}.pdf"' in manager.get(ENTRY).get_data(as_text=True)
    text = fetched(manager, f"{ENTRY}.pdf").all_text()
    for said in (
        *("Книга замечаний и предложений", "Жалоба № 1 за 2026 год", "Анна", "anna@example.by", "двадцать минут"),
        *("6 апр. 2026 г., 12:30", "<b>не</b>", "Звено цепочки 1:", "страница 1 из"),
    ):
        assert said in text, said
    assert "Кніга заўваг і прапаноў" in fetched(manager, f"{ENTRY}.pdf", "be").text()


def test_what_was_erased_is_not_printed(app_chain: Chain, sign_in: SignIn) -> None:
    director = sign_in("director")
    how = How(photos=(Photo("image/jpeg", a_picture()),))
    entry_id = write(app_chain, name="Анна", contact="anna@example.by", consent=True, how=how)
    register.erase_entry(
        app_chain.db, app_chain.access("admin"), entry_id, ["text", "name", "contact", "photos"], "по просьбе"
    )
    text = fetched(director, f"{ENTRY}.pdf").all_text()
    assert "стёрто по просьбе" in text
    for gone in ("Анна", "anna@example.by", "двадцать"):
        assert gone not in text
    assert "стёрто по просьбе" in fetched(director, "/register/001.pdf").all_text()


def test_the_register_of_a_period_is_printed(app_chain: Chain, sign_in: SignIn) -> None:
    manager = sign_in("manager")
    for days, kind in ((0, "complaint"), (10, "thanks"), (20, "claim")):
        write(app_chain, kind, at=SPRING + timedelta(days=days))
    write(app_chain, store="002")
    text = fetched(manager, "/register/001.pdf").all_text()
    for said in ("1/2026", "2/2026", "3/2026", "Записей: 3", "Благодарность: 1", "Ответ дан в срок: 0 из 2"):
        assert said in text, said
    found = manager.get("/register/001.pdf?since=2026-04-10&until=2026-04-20&lang=en")
    text = Opened(found.data).all_text()
    assert "Entries from Apr 10, 2026 to Apr 20, 2026" in text
    assert ("2/2026" in text, "1/2026" in text, "3/2026" in text) == (True, False, False)
    assert "No entries here yet" in Opened(manager.get("/register/001.pdf?year=2020&lang=en").data).all_text()


def test_an_answer_is_printed_with_who_sent_it_and_when(app_chain: Chain, sign_in: SignIn) -> None:
    manager = sign_in("manager")
    write(app_chain)
    answer(app_chain, "Вторая касса открыта", SPRING + timedelta(days=2))
    text = fetched(manager, f"{ENTRY}.pdf").all_text()
    assert "Отправлен 8 апр. 2026 г., 12:30, manager@otklik.example Вторая касса открыта" in text
    text = fetched(manager, "/register/001.pdf").all_text()
    assert "8 апр. 2026 г." in text
    assert "manager@otklik.exam" in text.replace(" ", "")
    assert "Ответ дан в срок: 1 из 1" in text


def test_a_print_is_for_those_who_read_the_store(app_chain: Chain, sign_in: SignIn) -> None:
    write(app_chain, store="002")
    manager, coordinator = sign_in("manager"), sign_in("coordinator")
    for path in ("/register/002/2026/1.pdf", "/register/002.pdf", "/register/999.pdf"):
        assert manager.get(path).status_code == 404
        assert coordinator.get(path).status_code == 403


def test_a_period_that_cannot_be_printed_is_explained(
    app_chain: Chain, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = sign_in("manager")
    for _ in range(2):
        write(app_chain, "thanks")
    monkeypatch.setattr(register_book, "MOST", 1)
    for query in ("", "?since=yesterday"):
        refused = manager.get(f"/register/001.pdf{query}")
        assert refused.status_code == 422
        assert refused.mimetype == "text/html"


def test_a_claimed_store_code_cannot_break_the_header(app_chain: Chain, sign_in: SignIn) -> None:
    assert pdf_text.font_path(bold=False).is_file()
    assert sign_in("director").get('/register/0"01%0d%0a.pdf').status_code == 404


def test_a_text_of_marks_without_width_is_shortened_like_any_other() -> None:
    lines = shorten(clean("l\u0336\u0336" * 600), 40, 9, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
