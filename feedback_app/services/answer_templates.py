"""The texts that answers begin with: the shipped ones, and what the chain made of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import answers as rules
from feedback_app.domain.access import Access, Right
from feedback_app.domain.cases import ANSWER_LIMIT, words_of
from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.domain.forms import LANGUAGES
from feedback_app.services.answer_defaults import DEFAULTS
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database, insert_or
from feedback_app.storage.tables import AnswerTemplate, Setting

LAID = "answer_templates"
Reader = Session | Connection
table = AnswerTemplate.__table__


@dataclass(frozen=True)
class Template:
    """A text to begin an answer with."""

    id: int
    name: str
    kind: str | None
    language: str
    text: str
    retired_at: datetime | None = None


@dataclass(frozen=True)
class Wanted:
    """A template as somebody typed it."""

    name: str
    kind: str
    language: str
    text: str


def lay_defaults(db: Database) -> None:
    """Put the shipped templates in where the chain never had any, once."""
    with db.engine.connect() as connection:
        if house.get_setting(connection, LAID) is not None:
            return
    db.write(_lay)


def _lay(connection: Connection) -> None:
    settings = Setting.__table__
    mark = insert_or(connection, settings).values(key=LAID, value={"laid": True})
    mine = connection.execute(mark.on_conflict_do_nothing(index_elements=["key"]).returning(settings.c.key)).first()
    if mine is None:
        return
    rows = [
        {"name": name, "kind": kind, "language": language, "text": text}
        for kind, templates in DEFAULTS.items()
        for language, name, text in templates
    ]
    connection.execute(sa.insert(table), rows)


def _template(row: sa.Row[tuple[object, ...]]) -> Template:
    return Template(**row._mapping)


def every(db: Database, access: Access) -> list[Template]:
    """Return all templates, retired ones last; raise Forbidden without the right."""
    access.require(Right.MANAGE_BOOK)
    lay_defaults(db)
    with db.read(access) as session:
        rows = session.execute(sa.select(table)).all()
    found = [_template(row) for row in rows]
    return sorted(found, key=lambda one: (one.retired_at is not None, _rank(one.kind), one.language, one.name))


def _rank(kind: str | None) -> int:
    return len(rules.TEMPLATE_KINDS) if kind is None else rules.TEMPLATE_KINDS.index(kind)


def offered(reader: Reader, kinds: set[str], language: str) -> list[Template]:
    """Return the templates that are offered for kinds of entries: those in the entry's language first."""
    query = sa.select(table).where(table.c.retired_at.is_(None))
    fitting = sa.or_(table.c.kind.is_(None), table.c.kind.in_([*kinds, rules.MORE_TIME]))
    found = [_template(row) for row in reader.execute(query.where(fitting))]
    return sorted(found, key=lambda one: (one.language != language, one.language, _rank(one.kind), one.name))


def of_use(reader: Reader, use: str, language: str) -> str:
    """Return the text for a use: the newest template for it in a language, else the shipped one."""
    query = (
        sa.select(table.c.text)
        .where(table.c.kind == use, table.c.language == language, table.c.retired_at.is_(None))
        .order_by(table.c.id.desc())
    )
    found = reader.execute(query.limit(1)).scalar()
    return str(found) if found else next(text for code, _, text in DEFAULTS[use] if code == language)


def find(db: Database, access: Access, template_id: int) -> Template:
    """Return a template to change; raise Forbidden without the right, NotFound where there is none."""
    access.require(Right.MANAGE_BOOK)
    with db.engine.connect() as connection:
        return _find(connection, template_id)


def _find(reader: Reader, template_id: int) -> Template:
    row = reader.execute(sa.select(table).where(table.c.id == template_id)).first()
    if row is None:
        raise NotFound("unknown_template")
    return _template(row)


def text_of(reader: Reader, template_id: int) -> str:
    """Return the text of a template that is not retired, or raise Invalid."""
    try:
        found = _find(reader, template_id)
    except NotFound:
        found = None
    if found is None or found.retired_at is not None:
        raise Invalid([Problem("unknown_choice", "template")])
    return found.text


def _checked(wanted: Wanted) -> dict[str, str | None]:
    problems: list[Problem] = []
    values: dict[str, str | None] = {"kind": wanted.kind or None, "language": wanted.language}
    if wanted.kind and wanted.kind not in rules.TEMPLATE_KINDS:
        problems.append(Problem("unknown_choice", "kind"))
    if wanted.language not in LANGUAGES:
        problems.append(Problem("unknown_language", "language"))
    for field, raw, limit in (
        ("name", wanted.name, rules.TEMPLATE_NAME_LIMIT),
        ("text", wanted.text, ANSWER_LIMIT),
    ):
        try:
            values[field] = words_of(raw, field, limit)
            rules.require_known(values[field] or "", field)
        except Invalid as error:
            problems += error.problems
    if problems:
        raise Invalid(problems)
    return values


def add(db: Database, access: Access, wanted: Wanted) -> int:
    """Add a template and return its id; raise Invalid with a problem per field."""
    access.require(Right.MANAGE_BOOK)
    values = _checked(wanted)
    lay_defaults(db)

    def work(connection: Connection) -> int:
        made: int = connection.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one()
        house.audit(connection, now(), access.actor, "template.add", f"template:{made}")
        return made

    return db.write(work)


def change(db: Database, access: Access, template_id: int, wanted: Wanted) -> None:
    """Change a template; what was answered with it stays as it was. Raises Invalid and NotFound."""
    access.require(Right.MANAGE_BOOK)
    values = _checked(wanted)

    def work(connection: Connection) -> None:
        _find(connection, template_id)
        connection.execute(sa.update(table).where(table.c.id == template_id).values(**values))
        house.audit(connection, now(), access.actor, "template.change", f"template:{template_id}")

    db.write(work)


def retire(db: Database, access: Access, template_id: int, retired: bool) -> None:
    """Offer a template no more, or offer it again; raise NotFound where there is none."""
    access.require(Right.MANAGE_BOOK)

    def work(connection: Connection) -> None:
        _find(connection, template_id)
        values = {"retired_at": now() if retired else None}
        connection.execute(sa.update(table).where(table.c.id == template_id).values(**values))
        action = "template.retire" if retired else "template.restore"
        house.audit(connection, now(), access.actor, action, f"template:{template_id}")

    db.write(work)
