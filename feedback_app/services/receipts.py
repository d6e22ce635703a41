"""One response per receipt: a receipt's number is claimed in the transaction of the response it brings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sqlalchemy.engine import Connection

from feedback_app.domain import surveys
from feedback_app.domain.errors import Problem
from feedback_app.domain.responses import Accepted
from feedback_app.storage.database import insert_or
from feedback_app.storage.tables import Receipt

_WORK = {"n": 2**13, "r": 8, "p": 1, "dklen": 32}


def hash_number(store_id: int, number: str) -> str:
    """Return what is kept of a receipt's number: scrypt of it, salted with the store.

    Whoever reads the database sees no number, and cannot try all numbers of a store in useful time: each guess costs
    some 25 ms and 8 MB. It does not hide a receipt from somebody who knows its number, such as the shop's own till:
    they can find out that a response was given for it, and which.
    """
    return hashlib.scrypt(number.encode(), salt=f"otklik receipt {store_id}".encode(), **_WORK).hex()


def claim_of(accepted: Accepted) -> Callable[[Connection, object], None] | None:
    """Return what claims the receipt of a response, to be run after its insert; None where its point asks for none.

    Raises Problem for a missing or unreadable number; the claim itself raises it for a number that is taken, and so
    undoes the transaction that it is part of. The hash is made here, so that no write waits for it.
    """
    if not surveys.wants_receipt(accepted.at):
        return None
    values = {
        "store_id": accepted.at.store_id,
        "number_hash": hash_number(accepted.at.store_id, surveys.receipt_number(accepted.receipt)),
        "response_id": accepted.id,
        "created_at": accepted.received_at,
    }

    def claim(connection: Connection, _prepared: object) -> None:
        table = Receipt.__table__
        insert = insert_or(connection, table).values(**values).on_conflict_do_nothing()
        if connection.execute(insert.returning(table.c.number_hash)).first() is None:
            raise Problem("receipt_used", surveys.RECEIPT)

    return claim
