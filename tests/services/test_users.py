"""Users, their roles and the stores they may see."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain.access import SYSTEM, Right
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.services import users
from feedback_app.services.users import create_user, scope_of
from feedback_app.storage.tables import AuditEvent, Region, Role, Store, User
from tests.builders import Chain


def create(chain: Chain, email: str, role: str, **more: object) -> int:
    def work(connection: Connection) -> int:
        return create_user(connection, email, "hash", role, **more)  # type: ignore[arg-type]

    return chain.db.write(work)


def count(chain: Chain) -> int:
    with chain.db.read(SYSTEM) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(User)) or 0


def test_a_user_has_a_role_a_scope_and_an_event_on_record(any_chain: Chain) -> None:
    user_id = create(any_chain, " Anna@Otklik.Example ", "manager", stores=["002", "003"], actor="boss")
    scope = scope_of(any_chain.db, user_id)
    assert scope.stores == {any_chain.store_id("002"), any_chain.store_id("003")}
    assert (scope.regions_stores, scope.has_regions) == (frozenset(), False)
    with any_chain.db.read(SYSTEM) as session:
        user = session.get(User, user_id)
        assert user is not None
        assert (user.email, [role.name for role in user.roles]) == ("anna@otklik.example", ["manager"])
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.object == f"user:{user_id}")).one()
    assert (event.actor, event.action) == ("boss", "user.create")
    assert event.details == {"role": "manager", "stores": ["002", "003"], "regions": []}
    assert "hash" not in str(event.details)


def test_a_region_gives_all_its_stores_and_those_that_come_later(any_chain: Chain) -> None:
    with any_chain.db.read(SYSTEM) as session:
        region = session.scalars(
            sa.select(Region).join(Store, Store.region_id == Region.id).where(Store.code == "001")
        ).one()
        inside = set(session.scalars(sa.select(Store.id).where(Store.region_id == region.id)))
        pattern = dict(session.execute(sa.select(Store.__table__).where(Store.code == "001")).mappings().one())
    user_id = create(any_chain, "region@otklik.example", "director", regions=[region.key])
    assert scope_of(any_chain.db, user_id).regions_stores == inside
    pattern.update(id=None, code="900")
    pattern.pop("id")
    any_chain.db.write(lambda link: link.execute(sa.insert(Store.__table__).values(**pattern)))
    scope = scope_of(any_chain.db, user_id)
    assert scope.regions_stores == inside | {any_chain.store_id("900")}
    assert scope.has_regions


@pytest.mark.parametrize(
    ("role", "more", "error", "code"),
    [
        ("owner", {}, DomainError, "unknown_role"),
        ("manager", {}, DomainError, "scope_needed"),
        ("coordinator", {}, DomainError, "scope_needed"),
        ("manager", {"stores": ["001", "999"]}, NotFound, "unknown_store"),
        ("director", {"regions": ["mars"]}, NotFound, "unknown_region"),
    ],
)
def test_a_user_who_cannot_be_is_not_half_made(
    any_chain: Chain, role: str, more: dict[str, list[str]], error: type[DomainError], code: str
) -> None:
    before = count(any_chain)
    with pytest.raises(error) as caught:
        create(any_chain, "new@otklik.example", role, **more)
    assert caught.value.code == code
    assert count(any_chain) == before


def test_an_address_belongs_to_one_user_whatever_its_letters(any_chain: Chain) -> None:
    with pytest.raises(DomainError, match="email_taken"):
        create(any_chain, "DIRECTOR@otklik.example", "director")


def test_a_store_or_region_named_twice_counts_once(any_chain: Chain) -> None:
    with any_chain.db.read(SYSTEM) as session:
        region = session.scalars(sa.select(Region.key).order_by(Region.key)).first()
    user_id = create(any_chain, "twice@otklik.example", "manager", stores=["001", "001"], regions=[region, region])
    assert scope_of(any_chain.db, user_id).stores == {any_chain.store_id("001")}
    with any_chain.db.read(SYSTEM) as session:
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.object == f"user:{user_id}")).one()
    assert event.details == {"role": "manager", "stores": ["001"], "regions": [region]}


def test_the_roles_are_written_once(any_chain: Chain) -> None:
    any_chain.db.write(users.ensure_roles)
    with any_chain.db.read(SYSTEM) as session:
        names = list(session.scalars(sa.select(Role.name)))
    assert sorted(names) == ["admin", "coordinator", "director", "manager", "mystery_shopper"]


def test_the_cast_may_what_its_roles_say(any_chain: Chain) -> None:
    assert any_chain.access("director").stores is None
    assert any_chain.access("admin").stores is None
    assert any_chain.access("manager").stores == {any_chain.store_id("001")}
    assert any_chain.access("coordinator").stores == {any_chain.store_id(code) for code in ("001", "002", "003")}
    assert any_chain.access("mystery_shopper").may(Right.FILL_VISIT)
