"""A shop with a survey, a feedback book and a planned mystery visit, for tests of the pages of paper."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Connection

from feedback_app.app import create_app
from feedback_app.domain.forms import LANGUAGES
from feedback_app.services import senders
from feedback_app.services.catalogue import publish_form
from feedback_app.services.standard_forms import BOOK
from feedback_app.services.users import create_user
from feedback_app.storage.database import Base, Database
from feedback_app.storage.tables import (
    BookCounter,
    BookEntry,
    BookPhoto,
    Case,
    Job,
    MentionRow,
    Point,
    Receipt,
    Region,
    RegisterHead,
    RegisterLink,
    Response,
    Rollup,
    Setting,
    Store,
    Touchpoint,
    Visit,
)

TOKEN = "checkout-of-shop-1"
VISIT = "visit-to-shop-1"
SHOPPER, OTHER_SHOPPER = "shopper@example.by", "other@example.by"
PASSWORD = "a quiet afternoon"
CAME_IN = {
    table.__tablename__
    for table in (
        *(BookCounter, BookEntry, BookPhoto, Case, Job, MentionRow),
        *(Receipt, RegisterHead, RegisterLink, Response, Rollup),
    )
}
HASH = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)


def said(ru: str, be: str, en: str) -> dict[str, str]:
    """Return one text in the three languages."""
    return {"ru": ru, "be": be, "en": en}


def _section(key: str, title: dict[str, str], *questions: dict[str, Any], weight: float = 1) -> dict[str, Any]:
    return {"key": key, "title": title, "weight": weight, "questions": list(questions)}


SURVEY: dict[str, Any] = {
    "key": "survey",
    "purpose": "survey",
    "title": said("Как прошла покупка?", "Як прайшла пакупка?", "How was your visit?"),
    "sections": [
        _section(
            "main",
            said("Опрос", "Апытанне", "Survey"),
            {
                "key": "smiley",
                "type": "smiley4",
                "required": True,
                "text": said("Как всё прошло на кассе?", "Як усё прайшло на касе?", "How did it go at the checkout?"),
            },
            {
                "key": "reason",
                "type": "choice",
                "text": said("Что помешало?", "Што перашкодзіла?", "What got in the way?"),
                "choices": [
                    {"key": "queue", "text": said("Очередь", "Чарга", "Queue")},
                    {"key": "no_goods", "text": said("Не было товара", "Не было тавару", "Out of stock")},
                    {"key": "staff", "text": said("Не обслужили", "Не абслужылі", "Nobody served me")},
                ],
                "show_if": {"question": "smiley", "at_most": 2},
            },
            {
                "key": "effort",
                "type": "ces",
                "text": said(
                    "Насколько легко было оплатить покупку?",
                    "Наколькі лёгка было аплаціць пакупку?",
                    "How easy was it to pay?",
                ),
            },
            {
                "key": "stars",
                "type": "rating",
                "max": 5,
                "text": said("Оцените чистоту", "Ацаніце чысціню", "Rate how clean it was"),
            },
            {
                "key": "recommend",
                "type": "nps",
                "text": said(
                    "Посоветуете нас друзьям?", "Ці параіце нас сябрам?", "Would you recommend us to friends?"
                ),
            },
            {
                "key": "helped",
                "type": "yes_no",
                "text": said("Вам предложили помощь?", "Вам прапанавалі дапамогу?", "Did anybody offer help?"),
            },
            {
                "key": "waited",
                "type": "number",
                "minimum": 0,
                "maximum": 600,
                "text": said("Сколько вы ждали в очереди?", "Колькі вы чакалі ў чарзе?", "How long did you queue?"),
                "unit": said("минут", "хвілін", "minutes"),
                "help": said("Примерно, целым числом", "Прыкладна, цэлым лікам", "Roughly, a whole number"),
            },
            {
                "key": "comment",
                "type": "text",
                "text": said("Что бы вы изменили?", "Што б вы змянілі?", "What would you change?"),
            },
            {
                "key": "quote",
                "type": "consent",
                "text": said(
                    "Мои слова можно показать сотрудникам магазина дословно",
                    "Мае словы можна паказаць супрацоўнікам крамы даслоўна",
                    "My words may be shown to the store's staff as they are",
                ),
                "show_if": {"question": "smiley", "at_least": 1},
            },
        )
    ],
}


def _criterion(key: str, words: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "yes_no", "required": True, "points": 2, "text": words, **more}


CHECKLIST: dict[str, Any] = {
    "key": "visit",
    "purpose": "checklist",
    "title": said("Визит тайного покупателя", "Візіт таемнага пакупніка", "Mystery visit"),
    "sections": [
        _section(
            "entrance",
            said("Вход", "Уваход", "Entrance"),
            _criterion(
                "clean", said("У входа чисто", "Каля ўвахода чыста", "The entrance is clean"), stage="awareness"
            ),
            _criterion(
                "open_on_time",
                said("Магазин открыт вовремя", "Крама адчынена своечасова", "The store is open on time"),
                points=3,
                knock_out="visit",
                stage="awareness",
            ),
        ),
        _section(
            "checkout",
            said("Касса", "Каса", "Checkout"),
            {
                "key": "wait",
                "type": "number",
                "required": True,
                "minimum": 0,
                "maximum": 3600,
                "bands": [[120, 5], [300, 2], [None, 0]],
                "text": said("Время в очереди", "Час у чарзе", "Time in the queue"),
                "help": said(
                    "До 2 минут — 5 баллов, до 5 минут — 2",
                    "Да 2 хвілін — 5 балаў, да 5 хвілін — 2",
                    "Up to 2 minutes: 5 points, up to 5: 2",
                ),
                "unit": said("секунд", "секунд", "seconds"),
                "stage": "deal",
            },
            {
                "key": "greeting",
                "type": "choice",
                "required": True,
                "text": said("Как поздоровался кассир", "Як павітаўся касір", "How the cashier greeted you"),
                "choices": [
                    {"key": "first", "points": 4, "text": said("Первым, с улыбкой", "Першым, з усмешкай", "First")},
                    {"key": "answer", "points": 2, "text": said("В ответ", "У адказ", "When greeted")},
                    {"key": "never", "points": 0, "text": said("Никак", "Ніяк", "Not at all")},
                ],
                "stage": "deal",
            },
            _criterion(
                "receipt",
                said("Чек выдан", "Чэк выдадзены", "A receipt was given"),
                knock_out="section",
                stage="deal",
            ),
            {
                "key": "remark",
                "type": "text",
                "text": said("Что ещё вы заметили?", "Што яшчэ вы заўважылі?", "What else did you notice?"),
            },
            weight=1.5,
        ),
    ],
}


def open_shop(db: Database) -> None:
    """Make the tables, two shops, the survey of a checkout, the books, and a visit planned for a shopper."""
    Base.metadata.create_all(db.engine)

    def work(connection: Connection) -> None:
        publish_form(connection, BOOK)
        survey, _ = publish_form(connection, SURVEY)
        _, checklist = publish_form(connection, CHECKLIST)
        region = _add(connection, Region, key="minsk", names=said("Минск", "Мінск", "Minsk"))
        names = said("Магазин на Немиге", "Крама на Нямізе", "Niamiha shop")
        store = _store(connection, region, "001", names, "BY", "Europe/Minsk")
        other = said("Магазин на Арбате", "Крама на Арбаце", "Arbat shop")
        second = _store(connection, region, "002", other, "RU", "Europe/Moscow")
        names = said("Касса", "Каса", "Checkout")
        place = _add(connection, Touchpoint, key="checkout", names=names, stage="deal", position=4)
        moment = datetime.now(UTC)
        values = {"store_id": store, "touchpoint_id": place, "token": TOKEN, "survey_form_id": survey}
        _add(connection, Point, created_at=moment, **values)
        for number in (store, second):
            _add(connection, Point, created_at=moment, store_id=number, token=f"whole-{number}")
        shopper = create_user(connection, SHOPPER, HASH, "mystery_shopper", stores=["001"])
        create_user(connection, OTHER_SHOPPER, HASH, "mystery_shopper", stores=["001"])
        values = {"store_id": store, "form_version_id": checklist, "shopper_id": shopper}
        _add(connection, Visit, token=VISIT, planned_for=date(2026, 11, 20), **values)

    db.write(work)


def _store(connection: Connection, region: int, code: str, names: dict[str, str], country: str, zone: str) -> int:
    hours = {"opens": 8, "closes": 22, "addresses": names}
    return _add(connection, Store, code=code, region_id=region, names=names, timezone=zone, country=country, **hours)


def _add(connection: Connection, table: Any, **values: Any) -> int:
    return int(connection.execute(sa.insert(table.__table__).values(**values)).inserted_primary_key[0])


def visitor(app: Flask, language: str = "en") -> FlaskClient:
    """Return a browser that reads a language."""
    client = app.test_client()
    assert language in LANGUAGES
    client.set_cookie("lang", language)
    return client


def sign_in(app: Flask, email: str = SHOPPER) -> FlaskClient:
    """Return a browser that somebody has signed in with."""
    client = visitor(app)
    page = client.get("/login").text
    values = {"email": email, "password": PASSWORD, "csrf_token": hidden(page, "csrf_token")}
    assert client.post("/login", data=values).status_code == 302
    return client


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field of a page."""
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert tag, f"no field {name}"
    value = re.search(r'value="([^"]*)"', tag[0])
    return unescape(value[1]) if value else ""


def send(client: FlaskClient, address: str, values: Mapping[str, Any], **changed: Any) -> Any:
    """Open a page, fill its form in and send it; `changed` replaces hidden fields."""
    page = client.get(address).text
    kept = {name: hidden(page, name) for name in ("csrf_token", "response_id")}
    return client.post(address, data={**kept, **values, **changed})


def words_of(page: str) -> str:
    """Return a page as it is read: entities turned into letters."""
    return unescape(page)


def stored(db: Database) -> list[dict[str, Any]]:
    """Return all responses that are on disk."""
    with db.engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(Response.__table__)).mappings()]


class _Inside(HTMLParser):
    """Collect what a page carries inside itself and the content security policy would stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at styles, handlers and scripts without a source."""
        values = dict(attrs)
        code = tag == "script" and "src" not in values and values.get("type") != "application/json"
        if tag == "style" or code or any(name == "style" or name.startswith("on") for name in values):
            self.found.append(f"{tag} {values}")


def breaks_the_policy(page: str) -> list[str]:
    """Return the styles and scripts inside a page."""
    reader = _Inside()
    reader.feed(page)
    return reader.found


@contextmanager
def shop(folder: Path) -> Iterator[Flask]:
    """Open the app over a shop of its own."""
    settings = {"OTKLIK_INSTANCE": str(folder), "OTKLIK_RATE_LIMITS": "off", "TESTING": True}
    app = create_app({**settings, "OTKLIK_DATABASE_URL": f"sqlite:///{folder / 'shop.db'}"})
    db: Database = app.extensions["otklik"]
    open_shop(db)
    yield app
    db.close()


def set_point(app: Flask, **values: Any) -> int | None:
    """Change the survey's collection point; return the form that its survey had."""
    db: Database = app.extensions["otklik"]
    table = Point.__table__

    def work(connection: Connection) -> int | None:
        former = connection.execute(sa.select(table.c.survey_form_id).where(table.c.token == TOKEN)).scalar_one()
        connection.execute(sa.update(table).where(table.c.token == TOKEN).values(**values))
        return former

    former = db.write(work)
    senders.forget(db)
    return former


def sweep(app: Flask) -> None:
    """Take out of the shop whatever came in, so that the next test finds it as it was."""

    def work(connection: Connection) -> None:
        connection.execute(sa.update(Visit.__table__).values(submitted_at=None, response_id=None, score=None))
        for table in reversed(Base.metadata.sorted_tables):
            if table.name in CAME_IN:
                connection.execute(sa.delete(table))
        connection.execute(sa.delete(Setting.__table__).where(Setting.__table__.c.key == "register"))

    app.extensions["otklik"].write(work)
