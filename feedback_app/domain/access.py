"""Who may do what, and in which stores: roles, rights and scope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from feedback_app.domain.errors import Forbidden


class Right(StrEnum):
    """A thing a role may do; every route states the one it needs."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    READ_FIGURES = "read_figures"
    READ_WORDS = "read_words"
    CHANGE_RESPONSES = "change_responses"
    CORRECT_READINGS = "correct_readings"
    READ_POINTS = "read_points"
    READ_VISITS = "read_visits"
    FILL_VISIT = "fill_visit"
    READ_DEVICES = "read_devices"
    MANAGE_DEVICES = "manage_devices"
    READ_BOOK = "read_book"
    WORK_CASES = "work_cases"
    MANAGE_BOOK = "manage_book"
    ERASE = "erase"
    DEVICE = "device"
    NOBODY = "nobody"


ROLES: tuple[str, ...] = ("admin", "director", "manager", "coordinator", "mystery_shopper")

_READ_ALL = frozenset(
    {
        Right.SIGNED_IN,
        Right.READ_FIGURES,
        Right.READ_WORDS,
        Right.CHANGE_RESPONSES,
        Right.CORRECT_READINGS,
        Right.READ_POINTS,
        Right.READ_VISITS,
        Right.READ_DEVICES,
        Right.READ_BOOK,
    }
)
_RIGHTS: dict[str, frozenset[Right]] = {
    "admin": _READ_ALL | {Right.MANAGE_DEVICES, Right.MANAGE_BOOK, Right.ERASE},
    "director": _READ_ALL | {Right.WORK_CASES, Right.ERASE},
    "manager": (_READ_ALL - {Right.CHANGE_RESPONSES}) | {Right.WORK_CASES},
    "coordinator": frozenset({Right.SIGNED_IN, Right.READ_VISITS}),
    "mystery_shopper": frozenset({Right.SIGNED_IN, Right.READ_VISITS, Right.FILL_VISIT}),
}


@dataclass(frozen=True)
class Access:
    """What one reader may see: rights by roles, stores by scope.

    `stores` are store ids; None means every store. `visits_of` limits visits to one mystery shopper's own.
    """

    rights: frozenset[Right]
    stores: frozenset[int] | None
    user_id: int | None = None
    actor: str = "system"
    visits_of: int | None = None

    @property
    def name(self) -> str:
        """Return how the register names the reader: by number, as a name could not be erased from it."""
        return self.actor if self.user_id is None else f"user:{self.user_id}"

    def may(self, right: Right) -> bool:
        """Say whether the reader has a right; what is public everybody may."""
        return right is Right.PUBLIC or right in self.rights

    def require(self, right: Right) -> None:
        """Raise Forbidden unless the reader has the right."""
        if not self.may(right):
            raise Forbidden("forbidden", right=str(right))

    def sees_store(self, store_id: int) -> bool:
        """Say whether a store is in the reader's scope."""
        return self.stores is None or store_id in self.stores


SYSTEM = Access(rights=frozenset(Right), stores=None)
"""The program itself: intake, jobs and commands of the administrator at the machine."""


def access_of(
    roles: Iterable[str],
    *,
    user_id: int,
    actor: str,
    stores: Iterable[int],
    regions_stores: Iterable[int],
    has_regions: bool,
) -> Access:
    """Return what a user may see from roles and given stores and regions.

    Rules: an administrator reads all; a director reads all, or the given regions and stores; everybody else sees
    the given stores and regions alone; a mystery shopper sees no store's figures and own visits only.
    """
    held = set(roles)
    rights = frozenset().union(*(_RIGHTS.get(role, frozenset()) for role in held))
    given = frozenset(stores) | frozenset(regions_stores)
    scope: frozenset[int] | None = given
    if "admin" in held or ("director" in held and not given and not has_regions):
        scope = None
    shopper_alone = bool(held) and held <= {"mystery_shopper"}
    return Access(
        rights=rights,
        stores=scope,
        user_id=user_id,
        actor=actor,
        visits_of=user_id if shopper_alone else None,
    )
