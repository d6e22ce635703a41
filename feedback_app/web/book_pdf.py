"""The feedback book on paper: one entry with its answer, or the register of a period as a table.

Takes finished strings and gives the bytes of a PDF; knows nothing of requests and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from feedback_app.web.pdf_paper import INK, MUTED, About, Paper, Photo, Stroke, Words, bind, size_of
from feedback_app.web.pdf_text import clean, shorten, width, wrap

MARGIN = 15.0
"""White on all four sides, in millimetres."""
FOOT = 9.0
"""What the foot takes above the lower margin."""
RULE = 8.0
"""From one ruled line to the next."""
EMPTY_RULES = 9
FEWEST_RULES = 4
TEXT, SMALL, HEAD, TITLE = 10.5, 8.5, 12.0, 16.0
LEADING = 5.4
CELL, CELL_LEADING, CELL_LINES, CELL_PAD = 8.0, 3.9, 3, 2.0


@dataclass(frozen=True)
class Frame:
    """What stands around every document; `page` holds {n} and {m} for the page's number and how many there are."""

    language: str
    title: str
    book: str
    store: str
    address: str
    foot: str
    page: str
    printed_at: datetime


@dataclass(frozen=True)
class Answer:
    """An answer that was sent: when and by whom, and its words."""

    head: str
    text: str


@dataclass(frozen=True)
class EntrySheet:
    """One entry; where there is no answer yet, lines to write one on are printed.

    `running` heads every page but the first. `text` is empty where `text_gone` says that it was erased.
    """

    frame: Frame
    number: str
    running: str
    fields: Sequence[tuple[str, str]]
    text_head: str
    text: str
    text_gone: str
    photos_head: str
    photos: Sequence[bytes]
    photo_unreadable: str
    answer_head: str
    until: str
    answers: Sequence[Answer]
    signatures: Sequence[str]


@dataclass(frozen=True)
class RegisterSheet:
    """The register of a period: cells by row in the order of `columns`, and totals in sentences."""

    frame: Frame
    period: str
    columns: Sequence[tuple[str, float]]
    """Heads with their shares of the width."""
    rows: Sequence[Sequence[str]]
    totals_head: str
    totals: Sequence[str]


def entry_pdf(sheet: EntrySheet) -> bytes:
    """Return one entry as a PDF in A4, upright."""
    pen = _Pen(Paper(), clean(sheet.running))
    _entry_head(pen, sheet)
    pen.heading(sheet.text_head)
    if sheet.text_gone:
        pen.paragraph(sheet.text_gone, colour=MUTED)
    else:
        pen.ruled(sheet.text)
    _photos(pen, sheet)
    _answer(pen, sheet)
    return _bound(pen.paper, sheet.frame)


def register_pdf(sheet: RegisterSheet) -> bytes:
    """Return the register of a period as a PDF in A4, lying."""
    pen = _Pen(Paper(landscape=True), "")
    pen.line(sheet.frame.book, TITLE, bold=True, leading=8)
    pen.line(", ".join(part for part in (sheet.frame.store, sheet.frame.address) if part), TEXT)
    pen.line(sheet.period, TEXT, colour=MUTED)
    pen.down(2)
    _table(pen, sheet)
    pen.need(LEADING * (len(sheet.totals) + 3))
    pen.heading(sheet.totals_head)
    for said in sheet.totals:
        pen.paragraph(said)
    return _bound(pen.paper, sheet.frame)


class _Pen:
    """Writes from the top of a sheet to its foot and goes on with the next one."""

    def __init__(self, paper: Paper, running: str) -> None:
        self.paper, self.running = paper, running
        self.left, self.right = MARGIN, paper.width - MARGIN
        self.bottom = paper.height - MARGIN - FOOT
        self.y = MARGIN

    @property
    def room(self) -> float:
        return self.right - self.left

    def down(self, by: float) -> None:
        self.y += by

    def need(self, height: float) -> bool:
        """Turn to a new sheet where so much does not fit any more; say whether it was turned."""
        if self.y + height <= self.bottom:
            return False
        self.paper.turn()
        self.y = MARGIN
        if self.running:
            self.line(self.running, SMALL, colour=MUTED)
            self.down(2)
        return True

    def line(
        self,
        text: str,
        size: float,
        *,
        bold: bool = False,
        leading: float = LEADING,
        colour: tuple[int, int, int] = INK,
    ) -> None:
        """Write a text over the whole width."""
        for line in wrap(clean(text), self.room, size, bold=bold):
            self.need(leading)
            self.y += leading
            self.paper.put(Words(self.left, self.y - leading * 0.25, line, size, bold, colour))

    def paragraph(self, text: str, colour: tuple[int, int, int] = INK) -> None:
        self.line(text, TEXT, colour=colour)

    def heading(self, text: str) -> None:
        self.need(3 * RULE)
        self.down(4)
        self.line(text, HEAD, bold=True, leading=6)
        self.down(1)

    def ruled(self, text: str, fewest: int = FEWEST_RULES) -> None:
        """Write a text on ruled lines, with empty ones where it has few."""
        lines = wrap(clean(text), self.room, TEXT) if text else []
        for line in [*lines, *[""] * (fewest - len(lines))]:
            self.need(RULE)
            self.y += RULE
            if line:
                self.paper.put(Words(self.left, self.y - 1.6, line, TEXT))
            self.paper.put(Stroke(self.left, self.y, self.right, self.y))


def _entry_head(pen: _Pen, sheet: EntrySheet) -> None:
    frame = sheet.frame
    pen.line(frame.book, TITLE, bold=True, leading=8)
    pen.line(frame.store, TEXT)
    if frame.address:
        pen.line(frame.address, TEXT, colour=MUTED)
    pen.down(3)
    pen.paper.put(Stroke(pen.left, pen.y, pen.right, pen.y, INK, 0.4))
    pen.down(1)
    pen.line(sheet.number, HEAD, bold=True, leading=8)
    for label, value in sheet.fields:
        _field(pen, clean(label), clean(value))


def _field(pen: _Pen, label: str, value: str) -> None:
    """Write a label with its value beside it."""
    beside = 48.0
    for index, line in enumerate(wrap(value, pen.room - beside, TEXT)):
        pen.need(LEADING)
        pen.y += LEADING
        if not index:
            for part, words in enumerate(wrap(label, beside - 3, SMALL)):
                pen.paper.put(Words(pen.left, pen.y - 1.35 + part * 3.6, words, SMALL, False, MUTED))
        pen.paper.put(Words(pen.left + beside, pen.y - 1.35, line, TEXT))
    pen.down(0.6 + 3.6 * (len(wrap(label, beside - 3, SMALL)) - 1))


def _photos(pen: _Pen, sheet: EntrySheet) -> None:
    """Put the photos two on a page at most, as large as that lets them be."""
    if not sheet.photos:
        return
    half = (pen.paper.height - 2 * MARGIN - FOOT) / 2 - 16
    pen.heading(sheet.photos_head)
    for content in sheet.photos:
        size = size_of(content)
        if size is None:
            pen.paragraph(sheet.photo_unreadable, colour=MUTED)
            continue
        scale = min(pen.room / size[0], half / size[1], 0.35)
        wide, high = size[0] * scale, size[1] * scale
        pen.need(high + 4)
        pen.paper.put(Photo(pen.left, pen.y + 1, wide, high, content))
        pen.down(high + 4)


def _answer(pen: _Pen, sheet: EntrySheet) -> None:
    signatures = 2.2 * RULE
    pen.need(6 * RULE if sheet.answers else 8 + LEADING + EMPTY_RULES * RULE + signatures)
    pen.heading(sheet.answer_head)
    if sheet.until:
        pen.paragraph(sheet.until)
    for answer in sheet.answers:
        pen.need(3 * LEADING)
        pen.down(1.5)
        pen.line(answer.head, SMALL, colour=MUTED)
        pen.paragraph(answer.text)
    if not sheet.answers:
        pen.ruled("", EMPTY_RULES)
    pen.need(signatures)
    pen.down(signatures - 5)
    _signatures(pen, [clean(label) for label in sheet.signatures])


def _signatures(pen: _Pen, labels: Sequence[str]) -> None:
    """Draw lines to sign on, side by side, with what goes there beneath."""
    gap = 8.0
    each = (pen.room - gap * (len(labels) - 1)) / len(labels)
    for index, label in enumerate(labels):
        x = pen.left + index * (each + gap)
        pen.paper.put(Stroke(x, pen.y, x + each, pen.y, INK))
        pen.paper.put(Words(x, pen.y + 4, label, SMALL, False, MUTED))
    pen.down(5)


def _table(pen: _Pen, sheet: RegisterSheet) -> None:
    whole = sum(share for _, share in sheet.columns)
    rooms = [share / whole * pen.room for _, share in sheet.columns]
    named = zip(sheet.columns, rooms, strict=True)
    heads = [wrap(clean(head), room - CELL_PAD, CELL, bold=True) for (head, _), room in named]
    _row(pen, rooms, heads, head=True)
    for row in sheet.rows:
        cells = [shorten(clean(text), room - CELL_PAD, CELL, CELL_LINES) for text, room in zip(row, rooms, strict=True)]
        if pen.need(_height(cells)):
            _row(pen, rooms, heads, head=True)
        _row(pen, rooms, cells)


def _height(cells: Sequence[Sequence[str]]) -> float:
    return max(len(lines) for lines in cells) * CELL_LEADING + CELL_PAD


def _row(pen: _Pen, rooms: Sequence[float], cells: Sequence[Sequence[str]], *, head: bool = False) -> None:
    x = pen.left
    for room, lines in zip(rooms, cells, strict=True):
        for number, line in enumerate(lines, 1):
            pen.paper.put(Words(x, pen.y + number * CELL_LEADING, line, CELL, head))
        x += room
    pen.down(_height(cells))
    pen.paper.put(Stroke(pen.left, pen.y, pen.right, pen.y, *((INK, 0.4) if head else ())))


def _bound(paper: Paper, frame: Frame) -> bytes:
    """Put the foot on every sheet and bind them."""
    y = paper.height - MARGIN - 1
    foot = shorten(clean(frame.foot), paper.width - 2 * MARGIN - 36, SMALL, 1)[0]
    for number, sheet in enumerate(paper.sheets, 1):
        page = clean(frame.page.format(n=number, m=len(paper.sheets)))
        x = paper.width - MARGIN - width(page, SMALL)
        sheet += [
            Stroke(MARGIN, y - 5, paper.width - MARGIN, y - 5),
            Words(MARGIN, y, foot, SMALL, False, MUTED),
            Words(x, y, page, SMALL, False, MUTED),
        ]
    return bind(paper, About(frame.title, frame.language, frame.printed_at))
