"""The register printed: one entry in the book's form, or a store's register of a period, as PDF."""

from __future__ import annotations

import re
from datetime import datetime

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from feedback_app.domain.access import Right
from feedback_app.domain.forms import word
from feedback_app.edge.context import db, language, reader
from feedback_app.edge.languages import day, day_time, number
from feedback_app.edge.rights import needs
from feedback_app.services import register_pages
from feedback_app.services.clock import now
from feedback_app.services.register_book import PeriodBook, period_book
from feedback_app.services.register_pages import EntryLine, SentAnswer, WholeEntry, Words
from feedback_app.services.register_period import Wanted, read_wanted
from feedback_app.web import register_words
from feedback_app.web.blueprint import blueprint
from feedback_app.web.book_pdf import Answer, EntrySheet, Frame, RegisterSheet, entry_pdf, register_pdf
from feedback_app.web.register import ENTRY

SHOWN_OF_LINK = 16
"""Digits of a link that stand on paper."""
SHARES = (19, 27, 26, 76, 32, 27, 27, 35)
"""Shares of the width that the table's columns take."""


@blueprint.get(f"{ENTRY}.pdf", endpoint="register_entry_pdf")
@needs(Right.READ_BOOK)
def print_entry(code: str, year: int, number: int) -> ResponseReturnValue:
    """Return one entry as PDF in the book's form."""
    entry = register_pages.entry(db(), reader(), code, year, number)
    photos = [register_pages.photo(db(), reader(), one.id).content for one in entry.photos if not one.erased]
    return _pdf(entry_pdf(entry_sheet(entry, photos, now())), f"book-{code}-{year}-{number}")


@blueprint.get("/register/<code>.pdf", endpoint="register_pdf")
@needs(Right.READ_BOOK)
def print_period(code: str) -> ResponseReturnValue:
    """Return the register of a store for a period as PDF."""
    asked = read_wanted(request.args)
    wanted = Wanted(code, asked.year, asked.period)
    return _pdf(register_pdf(register_sheet(period_book(db(), reader(), wanted), wanted, now())), f"book-{code}")


def _pdf(content: bytes, name: str) -> Response:
    answer = Response(content, mimetype="application/pdf")
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    answer.headers["Content-Disposition"] = f'inline; filename="{plain}.pdf"'
    return answer


def _book(country: str) -> str:
    """Return what the law of a country calls the book."""
    if country == "RU":
        return gettext("Book of reviews and suggestions")
    return gettext("Book of comments and suggestions")


def _frame(title: str, country: str, names: Words, addresses: Words, foot: str, printed_at: datetime) -> Frame:
    return Frame(
        language=language(),
        title=title,
        book=_book(country),
        store=word(names, language()),
        address=word(addresses, language()),
        foot=foot,
        page=gettext("page {n} of {m}"),
        printed_at=printed_at,
    )


# --- one entry ----------------------------------------------------------------------------------------------------


def entry_sheet(entry: WholeEntry, photos: list[bytes], printed_at: datetime) -> EntrySheet:
    """Return an entry in the words that stand on paper."""
    line = entry.line
    name = register_words.entry_name(line)
    foot = gettext(
        "Link %(position)s of the chain: %(link)s · printed on %(day)s by Otklik",
        position=number(entry.position),
        link=entry.link[:SHOWN_OF_LINK],
        day=day_time(printed_at, line.timezone),
    )
    return EntrySheet(
        frame=_frame(name, line.country, line.store_names, line.store_addresses, foot, printed_at),
        number=name,
        running=f"{name} · {word(line.store_names, language())}",
        fields=_fields(entry),
        text_head=gettext("What was written"),
        text=line.text or "",
        text_gone=_gone(entry, "text") if line.text is None else "",
        photos_head=gettext("Photos"),
        photos=photos,
        photo_unreadable=gettext("This photo cannot be printed; it stands on the entry's page."),
        answer_head=gettext("The answer"),
        until=gettext("Answer until %(day)s", day=day(line.due_on)) if line.status else "",
        answers=[_answer(sent, line.timezone) for sent in entry.answers],
        signatures=(gettext("Position, name"), gettext("Signature"), gettext("Date")),
    )


def _gone(entry: WholeEntry, name: str) -> str:
    if name not in entry.erased:
        return gettext("erased on request")
    return gettext("erased on request on %(day)s", day=day_time(entry.erased[name], entry.line.timezone))


def _fields(entry: WholeEntry) -> list[tuple[str, str]]:
    line = entry.line
    fields = [
        (gettext("Written"), f"{day_time(line.created_at, line.timezone)}, {register_words.source(entry.source)}"),
        (gettext("Kind"), register_words.kind(line.kind)),
    ]
    if entry.paper_number:
        fields.append((gettext("Number in the paper book"), entry.paper_number))
    if entry.paper_on:
        fields.append((gettext("Date in the paper book"), day(entry.paper_on)))
    if entry.consent is None:
        fields.append((gettext("Who wrote it"), gettext("anonymous")))
    for name, label, value in (("name", gettext("Name"), line.name), ("contact", gettext("Contact"), entry.contact)):
        if value is not None:
            fields.append((label, value))
        elif name in entry.erased:
            fields.append((label, _gone(entry, name)))
    if "photos" in entry.erased:
        fields.append((gettext("Photos"), _gone(entry, "photos")))
    return fields


def _answer(sent: SentAnswer, timezone: str) -> Answer:
    when = gettext("Sent on %(when)s", when=day_time(sent.at, timezone))
    text = gettext("erased on request") if sent.text is None else sent.text
    return Answer(f"{when}, {register_words.actor(sent.actor)}", text)


# --- a period -----------------------------------------------------------------------------------------------------


def register_sheet(book: PeriodBook, wanted: Wanted, printed_at: datetime) -> RegisterSheet:
    """Return the register of a period in the words that stand on paper."""
    foot = gettext(
        "The chain has %(links)s links, the last is %(link)s · printed on %(day)s by Otklik",
        links=number(book.links),
        link=book.last_link[:SHOWN_OF_LINK] or "–",
        day=day_time(printed_at, book.timezone),
    )
    period = period_words(wanted)
    title = f"{_book(book.country)}, {word(book.names, language())}. {period}"
    heads = (
        gettext("Number"),
        gettext("Date"),
        gettext("Kind"),
        gettext("Substance"),
        gettext("Name"),
        gettext("Answer until"),
        gettext("Answered on"),
        gettext("By whom, or how far"),
    )
    return RegisterSheet(
        frame=_frame(title, book.country, book.names, book.addresses, foot, printed_at),
        period=period,
        columns=list(zip(heads, SHARES, strict=True)),
        rows=[_row(line, book) for line in book.lines] or [[gettext("No entries here yet"), *[""] * (len(heads) - 1)]],
        totals_head=gettext("In all"),
        totals=_totals(book),
    )


def period_words(wanted: Wanted) -> str:
    """Return which entries are printed."""
    first, last = (day(bound) if bound is not None else None for bound in (wanted.period.start, wanted.period.end))
    words = {
        (True, True): gettext("Entries from %(first)s to %(last)s", first=first, last=last),
        (True, False): gettext("Entries from %(first)s on", first=first),
        (False, True): gettext("Entries up to %(last)s", last=last),
        (False, False): gettext("All entries"),
    }[first is not None, last is not None]
    if wanted.year is None:
        return words
    numbers = gettext("Numbers of %(year)s", year=wanted.year)
    return numbers if first is None and last is None else f"{numbers}. {words}"


def _row(line: EntryLine, book: PeriodBook) -> list[str]:
    sent = book.answers.get(line.case_id or 0, ())
    how_far = [register_words.status(line), *([gettext("overdue")] if line.overdue else [])]
    by = register_words.actor(sent[-1].actor) if sent else ", ".join(how_far)
    return [
        f"{line.number}/{line.year}",
        day(line.local.date()),
        register_words.kind(line.kind),
        gettext("erased on request") if line.text is None else " ".join(line.text.split()),
        line.name or "–",
        day(line.due_on) if line.status else "–",
        day(line.answered_on) if line.answered_at is not None else "–",
        by,
    ]


def _totals(book: PeriodBook) -> list[str]:
    kinds = [
        gettext("%(kind)s: %(count)s", kind=register_words.kind(kind), count=number(count))
        for kind, count in sorted(book.totals.kinds.items())
    ]
    said = [" · ".join([gettext("Entries: %(count)s", count=number(len(book.lines))), *kinds])]
    if book.totals.due:
        share = gettext(
            "Answered in time: %(part)s of %(all)s that were due",
            part=number(book.totals.in_time),
            all=number(book.totals.due),
        )
        said.append(share)
    return said
