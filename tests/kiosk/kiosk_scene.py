"""A shop with one kiosk at its checkout, for tests of the kiosk page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.services.catalogue import publish_form
from feedback_app.storage.database import Base, Database
from feedback_app.storage.tables import Point, Region, Store, Touchpoint

TOKEN = "checkout-of-shop-1"


def said(ru: str, be: str, en: str) -> dict[str, str]:
    """Return one text in the three languages."""
    return {"ru": ru, "be": be, "en": en}


REASONS = {
    "no_goods": said("Не было нужного товара", "Не было патрэбнага тавару", "Out of stock"),
    "queue": said("Очередь", "Чарга", "Queue"),
    "staff": said("Не обслужили", "Не абслужылі", "Nobody served me"),
    "equipment": said("Оборудование не работало", "Абсталяванне не працавала", "Equipment did not work"),
    "upsell": said("Навязывали лишнее", "Навязвалі лішняе", "Pushed into extra purchases"),
    "other": said("Другое", "Іншае", "Something else"),
}


def kiosk_form(kind: str = "smiley4", **first: Any) -> dict[str, Any]:
    """Return a kiosk form: smiley, a reason for the two worst, a comment."""
    questions = [
        {
            "key": "smiley",
            "type": kind,
            "required": True,
            "text": said("Как прошла покупка?", "Як прайшла пакупка?", "How was your visit?"),
            **first,
        },
        {
            "key": "reason",
            "type": "choice",
            "text": said("Что помешало?", "Што перашкодзіла?", "What got in the way?"),
            "choices": [{"key": key, "text": text} for key, text in REASONS.items()],
            "show_if": {"question": "smiley", "at_most": 2},
        },
        {
            "key": "comment",
            "type": "text",
            "max_length": 500,
            "text": said("Расскажете подробнее?", "Раскажаце падрабязней?", "Anything to add?"),
        },
    ]
    return {
        "key": "kiosk",
        "purpose": "kiosk",
        "title": said("Киоск", "Кіёск", "Kiosk"),
        "sections": [{"key": "main", "title": said("Отклик", "Водгук", "Response"), "questions": questions}],
    }


def publish(db: Database, definition: Mapping[str, Any]) -> None:
    """Publish a form, or its next version."""
    db.write(lambda connection: publish_form(connection, definition))


def open_shop(db: Database, definition: Mapping[str, Any] | None = None) -> None:
    """Make the tables, a shop, its checkout and the kiosk there."""
    Base.metadata.create_all(db.engine)

    def work(connection: Connection) -> None:
        form_id, _ = publish_form(connection, definition or kiosk_form())
        region = _add(connection, Region, key="minsk", names=said("Минск", "Мінск", "Minsk"))
        place = said("Минск, ул. Немига, 5", "Мінск, вул. Няміга, 5", "5 Niamiha Street, Minsk")
        store = _add(
            connection,
            Store,
            code="001",
            region_id=region,
            names=said("Магазин на Немиге", "Крама на Нямізе", "Niamiha shop"),
            addresses=place,
            timezone="Europe/Minsk",
            country="BY",
            opens=8,
            closes=22,
        )
        touchpoint = _add(
            connection, Touchpoint, key="checkout", names=said("Касса", "Каса", "Checkout"), stage="deal", position=4
        )
        point = {"store_id": store, "created_at": datetime.now(UTC)}
        _add(connection, Point, **point, touchpoint_id=touchpoint, token=TOKEN, kiosk_form_id=form_id)
        _add(connection, Point, **point, token="the-shop-as-a-whole")

    db.write(work)


def _add(connection: Connection, table: Any, **values: Any) -> int:
    return int(connection.execute(sa.insert(table.__table__).values(**values)).inserted_primary_key[0])
