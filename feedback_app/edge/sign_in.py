"""Signing in with Flask-Security: argon2id, no account told apart from another, sign-out by POST alone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask, g
from flask_babel import lazy_gettext
from flask_security import Security, UserMixin
from flask_security.datastore import UserDatastore

from feedback_app.domain.access import SYSTEM
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Role, User

SETTINGS: dict[str, Any] = {
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SCHEMES": ["argon2"],
    "SECURITY_DEPRECATED_PASSWORD_SCHEMES": [],
    "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
    "SECURITY_PASSWORD_LENGTH_MIN": 8,
    "SECURITY_REGISTERABLE": False,
    "SECURITY_RECOVERABLE": False,
    "SECURITY_CHANGEABLE": False,
    "SECURITY_TRACKABLE": False,
    "SECURITY_SEND_REGISTER_EMAIL": False,
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_POST_LOGIN_VIEW": "web.overview",
    "SECURITY_POST_LOGOUT_VIEW": "security.login",
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_FLASH_MESSAGES": False,
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "globally_deliverable": False},
    "SECURITY_MSG_GENERIC_AUTHN_FAILED": (lazy_gettext("The e-mail address or the password is not right."), "error"),
    "SECURITY_MSG_EMAIL_NOT_PROVIDED": (lazy_gettext("This needs an answer."), "error"),
    "SECURITY_MSG_PASSWORD_NOT_PROVIDED": (lazy_gettext("This needs an answer."), "error"),
    "SECURITY_MSG_INVALID_EMAIL_ADDRESS": (lazy_gettext("This is not an e-mail address."), "error"),
}


class Account(UserMixin, User):  # type: ignore[misc]  # the mixin's untyped `roles`
    """A user as Flask-Security sees it."""


class Accounts(UserDatastore):
    """Where Flask-Security finds users; it changes none: users are written by `services.users`."""

    def __init__(self, db: Database) -> None:
        super().__init__(Account, Role)  # type: ignore[arg-type]  # a role needs a name alone
        self._db = db

    def find_user(self, case_insensitive: bool = False, session: Any = None, **kwargs: Any) -> Account | None:
        """Return the user with these attributes; None where there is none."""
        if g.get("database_lost"):
            return None
        query = sa.select(Account)
        for name, value in kwargs.items():
            column = getattr(Account, name)
            lowered = case_insensitive and isinstance(value, str)
            query = query.where(sa.func.lower(column) == value.lower() if lowered else column == value)
        # The session ends here: a page that reads must not hold a second connection for who reads it.
        with self._db.read(SYSTEM) as session:
            return session.scalars(query).first()

    def find_role(self, role: str) -> Role | None:  # type: ignore[override]
        """Return a role by its name."""
        with self._db.read(SYSTEM) as session:
            return session.scalars(sa.select(Role).where(Role.name == role)).first()

    def put(self, model: Any) -> Any:
        """Keep nothing: a user read for signing in is not changed."""
        return model

    def commit(self) -> None:
        """Write nothing."""


def init(app: Flask, db: Database, *, salt: str) -> None:
    """Set up signing in."""
    app.config.update(SETTINGS, SECURITY_PASSWORD_SALT=salt)
    Security(app, Accounts(db), register_blueprint=True)
    # Signing in is by session alone. The library's loader of tokens would read every body as JSON, also one that is
    # too large, before the view can answer.
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]
