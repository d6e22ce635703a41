"""The request's database, reader and language."""

from __future__ import annotations

from flask import current_app, g
from flask_babel import get_locale
from flask_login import current_user

from feedback_app.domain.access import Access
from feedback_app.services.users import access_for
from feedback_app.storage.database import Database

NOBODY = Access(rights=frozenset(), stores=frozenset(), actor="visitor")


def db() -> Database:
    """Return the database of the running app."""
    found: Database = current_app.extensions["otklik"]
    return found


def reader() -> Access:
    """Return what the person behind the request may see; nothing for somebody not signed in."""
    if "reader" not in g:
        g.reader = _reader()
    found: Access = g.reader
    return found


def _reader() -> Access:
    if not current_user.is_authenticated:
        return NOBODY
    return access_for(db(), current_user.id, current_user.email, [role.name for role in current_user.roles])


def language() -> str:
    """Return the reader's language: ru, be or en."""
    locale = get_locale()
    return locale.language if locale else "ru"
