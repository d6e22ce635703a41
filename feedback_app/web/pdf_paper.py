"""Sheets of paper: what stands where on them, and the PDF that comes of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fpdf import FPDF
from PIL import Image

from feedback_app.web.pdf_text import FAMILY, font_path

LONG, SHORT = 297.0, 210.0
"""Sides of A4 in millimetres."""
INK, MUTED, LINE = (31, 41, 51), (95, 101, 109), (185, 180, 167)
BOTH = (False, True)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Words:
    """A line of cleaned text; `y` is its baseline. Millimetres and points."""

    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    colour: Colour = INK


@dataclass(frozen=True)
class Stroke:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: Colour = LINE
    thickness: float = 0.2


@dataclass(frozen=True)
class Photo:
    """A picture in a box of its own proportions."""

    x: float
    y: float
    width: float
    height: float
    content: bytes


Mark = Words | Stroke | Photo


@dataclass
class Paper:
    """A pile of sheets of one size; the last one is written on."""

    landscape: bool = False
    sheets: list[list[Mark]] = field(default_factory=lambda: [[]])

    @property
    def width(self) -> float:
        """Return the width of a sheet."""
        return LONG if self.landscape else SHORT

    @property
    def height(self) -> float:
        """Return the height of a sheet."""
        return SHORT if self.landscape else LONG

    def put(self, *marks: Mark) -> None:
        """Put something on the last sheet."""
        self.sheets[-1].extend(marks)

    def turn(self) -> None:
        """Begin a new sheet."""
        self.sheets.append([])


def size_of(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a picture; None for what is none that can be printed."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            return picture.size if picture.format in ("JPEG", "PNG", "WEBP") else None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


@dataclass(frozen=True)
class About:
    """What a document says of itself."""

    title: str
    language: str
    printed_at: datetime


def bind(paper: Paper, about: About) -> bytes:
    """Return the PDF of sheets: fonts embedded with the letters that are used; the same bytes for the same sheets."""
    pdf = FPDF(orientation="landscape" if paper.landscape else "portrait", unit="mm", format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    pdf.set_title(about.title)
    pdf.set_lang(about.language)
    pdf.set_creator("Otklik")
    pdf.set_creation_date(about.printed_at)
    pdf.set_display_mode("fullwidth")
    for bold in BOTH:
        pdf.add_font(FAMILY, style="B" if bold else "", fname=font_path(bold=bold))
    for sheet in paper.sheets:
        pdf.add_page()
        _draw(pdf, sheet)
    return bytes(pdf.output())


def _draw(pdf: FPDF, marks: Sequence[Mark]) -> None:
    for mark in marks:
        if isinstance(mark, Words):
            pdf.set_font(FAMILY, style="B" if mark.bold else "", size=mark.size)
            pdf.set_text_color(*mark.colour)
            pdf.text(mark.x, mark.y, mark.text)
        elif isinstance(mark, Stroke):
            pdf.set_draw_color(*mark.colour)
            pdf.set_line_width(mark.thickness)
            pdf.line(mark.x1, mark.y1, mark.x2, mark.y2)
        else:
            pdf.image(io.BytesIO(mark.content), x=mark.x, y=mark.y, w=mark.width, h=mark.height)
