"""Appending to the register, in the transaction of what it tells of."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.domain.errors import DomainError
from feedback_app.storage import house
from feedback_app.storage.anchor import Head, Keeper
from feedback_app.storage.database import insert_or
from feedback_app.storage.tables import BookEntry, BookPhoto, Case, RegisterHead, RegisterLink
from feedback_app.storage.writer import NOTED

SETTING = "register"
LEFT_OPEN = frozenset(
    {"root_cause", "corrective_action", "labels", "escalated_at", "version"},
)
"""Columns of a case that tell what was learned, not what was promised: the chain does not hold them."""
ENTRY_WORDS = ("text", "name", "contact")
ENTRY_FACTS = tuple(c.name for c in BookEntry.__table__.columns if c.name not in {*ENTRY_WORDS, "salts"})
CASE_FACTS = tuple(c.name for c in Case.__table__.columns if c.name not in LEFT_OPEN)
PHOTO_FACTS = tuple(c.name for c in BookPhoto.__table__.columns if c.name not in {"content", "salt"})
log = logging.getLogger(__name__)
_links, _heads = RegisterLink.__table__, RegisterHead.__table__
_entries, _cases, _photos = BookEntry.__table__, Case.__table__, BookPhoto.__table__


def register_id(connection: Connection) -> str | None:
    """Return the id of this database's register; None where nothing was ever written into it."""
    found = house.get_setting(connection, SETTING)
    return None if found is None else str(found.get("id"))


def _own_id(connection: Connection, keeper: Keeper) -> str:
    """Return the id of this database's register; drawn where nothing was ever written into it.

    Where the setting was taken away, the anchors know it: under another id no further link would hang on the last.
    """
    found = register_id(connection)
    if found is None:
        known = _anchored_id(connection, keeper)
        house.add_setting(connection, SETTING, {"id": known or secrets.token_hex(16)})
        found = register_id(connection)
        assert found is not None
    return found


def _anchored_id(connection: Connection, keeper: Keeper) -> str | None:
    """Return the id whose anchors hold links of this database: the last, or one before where an anchor lags."""
    reached = {head.store_id: head for head in heads(connection) if head.count}
    for name in keeper.registers() if reached else ():
        for store_id, anchor in keeper.read_all(name).items():
            mark, head = anchor.marks[-1] if anchor.marks else None, reached.get(store_id)
            if mark is None or head is None or not mark.count:
                continue
            place = sa.and_(_links.c.store_id == store_id, _links.c.position == mark.count, _links.c.link == mark.link)
            if mark.link == head.link or connection.execute(sa.select(sa.exists().where(place))).scalar_one():
                log.warning("the setting of the register's id was missing; its anchors say %s", name)
                return name
    return None


def _lock_head(connection: Connection, store_id: int) -> Head:
    """Return a store's head; its row is this transaction's until the end, so that two who append take turns."""
    insert = insert_or(connection, _heads).values(store_id=store_id, count=0, link=rules.START)
    statement = insert.on_conflict_do_update(index_elements=["store_id"], set_={"count": _heads.c["count"]}).returning(
        _heads.c["count"], _heads.c.link
    )
    row = connection.execute(statement).one()
    return Head(store_id, row[0], row[1])


def _drop_first(keeper: Keeper, register: str, head: Head, at: datetime) -> None:
    """Begin a store's anchor before its first link is committed: from then on a missing anchor is a finding."""
    try:
        keeper.drop(register, head, at)
    except OSError:
        log.exception("the register's anchor could not be begun")


def append(
    connection: Connection,
    keeper: Keeper,
    store_id: int,
    kind: str,
    at: datetime,
    actor: str,
    *,
    facts: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
    seals: Mapping[str, str] | None = None,
    entry_id: UUID | None = None,
    case_id: int | None = None,
) -> int:
    """Append a link to a store's chain and return its position; the anchor follows the commit.

    `facts` are JSON of text, whole numbers, booleans and null. `words` are erasable texts kept with the link; `seals`
    those of values that are kept elsewhere. Who appends to several stores does so in the order of their ids.
    """
    head = _lock_head(connection, store_id)
    register = _own_id(connection, keeper)
    if not head.count:
        _drop_first(keeper, register, head, at)
    salts, own_seals = rules.sealed(words or {})
    link = rules.Link(
        register=register,
        store_id=store_id,
        position=head.count + 1,
        at=at,
        kind=kind,
        actor=actor,
        facts=dict(facts or {}),
        seals={**(seals or {}), **own_seals},
        entry_id=entry_id,
        case_id=case_id,
        previous=head.link,
    )
    value = rules.hang(keeper.key, link)
    connection.execute(
        sa.insert(_links).values(
            store_id=store_id,
            position=link.position,
            at=at,
            kind=kind,
            entry_id=entry_id,
            case_id=case_id,
            actor=actor,
            facts=rules.canonical(link.facts),
            seals=rules.canonical(link.seals),
            words=rules.canonical(dict(words or {})),
            salts=rules.canonical(salts),
            previous=link.previous,
            link=value,
        )
    )
    new_head = sa.update(_heads).where(_heads.c.store_id == store_id)
    connection.execute(new_head.values({"count": link.position, "link": value}))
    connection.info.setdefault(NOTED, set()).add(store_id)
    return link.position


def append_entry(
    connection: Connection,
    keeper: Keeper,
    entry_id: UUID,
    at: datetime,
    actor: str,
    kind: str = rules.ENTRY,
) -> int:
    """Append the link of an entry that was just inserted, with its photos: its columns as facts, its words sealed.

    Gives salts to the entry and its photos. Returns the position.
    """
    row = connection.execute(sa.select(_entries).where(_entries.c.id == entry_id)).mappings().one()
    salts, seals = rules.sealed({name: row[name] for name in ENTRY_WORDS if row[name] is not None})
    connection.execute(sa.update(_entries).where(_entries.c.id == entry_id).values(salts=rules.canonical(salts)))
    photos = []
    query = sa.select(_photos).where(_photos.c.entry_id == entry_id).order_by(_photos.c.position, _photos.c.id)
    for photo in connection.execute(query).mappings().all():
        salt = rules.new_salt()
        connection.execute(sa.update(_photos).where(_photos.c.id == photo["id"]).values(salt=salt))
        seals[f"photo:{photo['id']}"] = rules.seal(salt, photo["content"])
        photos.append({name: rules.plain(photo[name]) for name in PHOTO_FACTS})
    facts = {**{name: rules.plain(row[name]) for name in ENTRY_FACTS}, "photos": photos}
    return append(connection, keeper, row["store_id"], kind, at, actor, facts=facts, seals=seals, entry_id=entry_id)


def append_case(
    connection: Connection,
    keeper: Keeper,
    case_id: int,
    kind: str,
    at: datetime,
    actor: str,
    *,
    told: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
) -> int:
    """Append what happened to a case, with its row as it stands now under `case`; `told` are further facts."""
    row = connection.execute(sa.select(_cases).where(_cases.c.id == case_id)).mappings().one()
    facts = {**(told or {}), "case": {name: rules.plain(row[name]) for name in CASE_FACTS}}
    return append(
        connection,
        keeper,
        row["store_id"],
        kind,
        at,
        actor,
        facts=facts,
        words=words,
        entry_id=row["entry_id"],
        case_id=case_id,
    )


def entry_row(connection: Connection, entry_id: UUID) -> Mapping[str, Any] | None:
    """Return the row of an entry, held for this transaction; None where there is none."""
    found = (
        connection.execute(sa.select(_entries).where(_entries.c.id == entry_id).with_for_update()).mappings().first()
    )
    return None if found is None else dict(found)


def erase(connection: Connection, entry: Mapping[str, Any], names: Collection[str]) -> list[tuple[int, str]]:
    """Empty words of an entry with their salts; return what was emptied, as position in the chain and name of the seal.

    `names`: of `text`, `name`, `contact`, `photos`. With name or contact go the answers, which may bear them; with the
    text the words of every link that tells of the entry.
    """
    entry_id, erased = entry["id"], []
    query = sa.select(_links).where(_links.c.entry_id == entry_id).order_by(_links.c.position)
    links = connection.execute(query).mappings().all()
    first = next((link for link in links if link["kind"] in (rules.ENTRY, rules.ADOPTED)), None)
    if first is None:
        raise DomainError("not_in_register")
    here = first["position"]
    gone = [name for name in ENTRY_WORDS if name in names and entry[name] is not None]
    if gone:
        salts = {name: salt for name, salt in json.loads(entry["salts"]).items() if name not in gone}
        values = {**dict.fromkeys(gone), "salts": rules.canonical(salts)}
        connection.execute(sa.update(_entries).where(_entries.c.id == entry_id).values(values))
        erased += [(here, name) for name in gone]
    if "photos" in names:
        mine = sa.and_(_photos.c.entry_id == entry_id, _photos.c.content.is_not(None))
        photo_ids = connection.execute(sa.select(_photos.c.id).where(mine)).scalars().all()
        connection.execute(sa.update(_photos).where(mine).values(content=None, salt=None))
        erased += [(here, f"photo:{one}") for one in photo_ids]
    told = links if "text" in names else [link for link in links if link["kind"] == rules.ANSWER]
    if {"text", "name", "contact"} & set(names):  # an answer greets its writer by name
        for link in told:
            words = json.loads(link["words"])
            erased += [(link["position"], name) for name in words]
            if words:
                place = sa.and_(_links.c.store_id == link["store_id"], _links.c.position == link["position"])
                connection.execute(sa.update(_links).where(place).values(words="{}", salts="{}"))
    return sorted(erased)


def heads(connection: Connection, store_ids: set[int] | None = None) -> list[Head]:
    """Return how far the chains reach now, by store."""
    query = sa.select(_heads.c.store_id, _heads.c["count"], _heads.c.link).order_by(_heads.c.store_id)
    if store_ids is not None:
        query = query.where(_heads.c.store_id.in_(sorted(store_ids)))
    return [Head(*row) for row in connection.execute(query)]
