"""The ground of the demo chain: stores, points, forms and people."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import journey
from feedback_app.domain.forms import Form, parse
from feedback_app.domain.responses import PointForm
from feedback_app.services import catalogue, users
from feedback_app.services.clock import now
from feedback_app.services.demo_words import definitions, read_json
from feedback_app.storage.tables import Point, Region, Store, Touchpoint

SIGN_INS = (
    ("director", "director@otklik.example"),
    ("manager of store 001", "manager@otklik.example"),
    ("mystery shopper", "shopper@otklik.example"),
    ("coordinator", "coordinator@otklik.example"),
    ("administrator", "admin@otklik.example"),
)
SURVEYS = {"checkout": "survey-checkout"}


@dataclass
class Ground:
    """The stores with their points and forms, as the responses need them."""

    codes: list[str] = field(default_factory=list)
    stores: dict[str, Store] = field(default_factory=dict)
    points: dict[tuple[str, str, str], PointForm] = field(default_factory=dict)
    checklist: Form | None = None
    checklist_version: int = 0
    shopper_id: int = 0


def token(rng: random.Random) -> str:
    """Return a token that the seed repeats; the demo is open, so it guards nothing."""
    return "".join(rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=12))


def _insert(connection: Connection, table: Any, **values: Any) -> int:
    row_id: int = connection.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one()
    return row_id


def _publish(connection: Connection) -> dict[str, tuple[int, int, Form]]:
    published = {}
    for definition in definitions():
        form_id, version_id = catalogue.publish_form(connection, definition)
        published[definition["key"]] = (form_id, version_id, parse(definition))
    return published


def _hour(text: str) -> int:
    return int(text.partition(":")[0])


def lay_ground(connection: Connection, stores: int, password_hash: str, rng: random.Random) -> Ground:
    """Write regions, stores, touchpoints, points, forms and people; return what responses need."""
    places, names = read_json("places.json"), read_json("names.json")
    moment, ground = now(), Ground()
    forms = _publish(connection)
    regions = {
        raw["key"]: _insert(connection, Region.__table__, key=raw["key"], names=raw["name"])
        for raw in places["regions"]
    }
    touchpoints = {
        key: _insert(
            connection, Touchpoint.__table__, key=key, names=names["touchpoints"][key], stage=stage, position=position
        )
        for position, (key, stage) in enumerate(journey.TOUCHPOINT_STAGES.items())
    }
    for raw in places["stores"][:stores]:
        values = {
            "code": raw["code"],
            "names": raw["name"],
            "addresses": raw["address"],
            "timezone": raw["time_zone"],
            "country": "BY",
            "opens": _hour(raw["opens"]),
            "closes": _hour(raw["closes"]),
        }
        store_id = _insert(connection, Store.__table__, region_id=regions[raw["region"]], **values)
        ground.codes.append(raw["code"])
        ground.stores[raw["code"]] = Store(id=store_id, **values)
        for key, touchpoint_id in {"": None, **touchpoints}.items():
            _add_point(connection, ground, forms, raw["code"], key, touchpoint_id, token(rng), moment)
    _, ground.checklist_version, ground.checklist = forms["visit-store"]
    _add_people(connection, ground, password_hash)
    return ground


def _add_point(
    connection: Connection,
    ground: Ground,
    forms: dict[str, tuple[int, int, Form]],
    code: str,
    key: str,
    touchpoint_id: int | None,
    point_token: str,
    moment: datetime,
) -> None:
    store = ground.stores[code]
    channels = (
        {"button": f"kiosk-{key}", "qr": SURVEYS.get(key, "survey-visit")}
        if key
        else {"book": "book", "review": "review", "mystery": "visit-store"}
    )
    point_id = _insert(
        connection,
        Point.__table__,
        store_id=store.id,
        touchpoint_id=touchpoint_id,
        token=point_token,
        kiosk_form_id=forms[channels["button"]][0] if key else None,
        survey_form_id=forms[channels["qr"]][0] if key else None,
        created_at=moment,
    )
    for channel, form_key in channels.items():
        _, version_id, form = forms[form_key]
        stage = journey.stage_of_touchpoint(key)
        ground.points[code, channel, key] = PointForm(
            point_id, store.id, point_token, channel, key or None, stage, version_id, 1, form
        )


def _add_people(connection: Connection, ground: Ground, password_hash: str) -> None:
    first = ground.codes[0]
    roles = {"director": (), "manager": (first,), "mystery_shopper": (), "coordinator": ground.codes, "admin": ()}
    for (role, codes), (_, email) in zip(roles.items(), SIGN_INS, strict=True):
        user_id = users.create_user(connection, email, password_hash, role, stores=codes, actor="demo")
        if role == "mystery_shopper":
            ground.shopper_id = user_id
