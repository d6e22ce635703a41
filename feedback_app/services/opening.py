"""Opening a case, in the transaction of what it comes of."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from feedback_app.domain import register as rules
from feedback_app.domain.errors import DomainError
from feedback_app.services import letters
from feedback_app.storage import register
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.tables import Case

log = logging.getLogger(__name__)


def open_case(
    connection: Connection,
    keeper: Keeper | None,
    row: Mapping[str, Any],
    actor: str = "system",
    at: datetime | None = None,
) -> int:
    """Insert a case, tell the register of it, and return its id; raise DomainError `no_register` without a keeper."""
    if keeper is None:
        raise DomainError("no_register")
    table = Case.__table__
    values = {"first_due_on": row.get("due_on"), **row}
    case_id: int = connection.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one()
    register.append_case(connection, keeper, case_id, rules.OPENED, at or row["opened_at"], actor)
    return case_id


def open_by_rule(connection: Connection, keeper: Keeper | None, row: Mapping[str, Any], *, told: bool = True) -> bool:
    """Open the case of a response by itself and queue the letters of it; say whether it could be opened.

    What a customer said is stored all the same where its case cannot be: that is logged. A fault that passes is
    raised, and the whole is tried again.
    """
    try:
        with connection.begin_nested():
            case_id = open_case(connection, keeper, row)
            if told:
                letters.queue_opened(connection, case_id, row["opened_at"])
    except (DomainError, DataError, IntegrityError):
        log.exception("the case of response %s could not be opened", row["response_id"])
        return False
    return True
