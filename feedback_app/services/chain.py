"""The chain itself: its marks and its age."""

from __future__ import annotations

import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Store

CHAIN = "chain"


def is_demo(db: Database) -> bool:
    """Say whether the database is marked as a demo; asked once, for the mark never changes."""
    if CHAIN not in db.memory:
        with db.read(SYSTEM) as session:
            setting = house.get_setting(session, CHAIN)
        if setting is None:
            return False
        db.memory[CHAIN] = bool(setting.get("demo"))
    return bool(db.memory[CHAIN])


def is_ready(db: Database) -> bool:
    """Say whether the database answers and holds a chain's tables; raises what the database raises."""
    with db.read(SYSTEM) as session:
        session.execute(sa.select(Store.id).limit(1)).first()
    return True
