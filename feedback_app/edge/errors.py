"""The one table from what went wrong to what the reader gets: a page in words, or JSON."""

from __future__ import annotations

import logging

from flask import Flask, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from feedback_app.domain.errors import DomainError, Forbidden, Invalid, NotFound
from feedback_app.forms.messages import message

STATUS: list[tuple[type[DomainError], int]] = [(NotFound, 404), (Forbidden, 403), (Invalid, 422), (DomainError, 409)]
log = logging.getLogger(__name__)


def _wants_json() -> bool:
    return request.path.startswith("/api/") or request.path in {"/healthz", "/readyz"}


def heading(status: int) -> str:
    """Return what an error page says first."""
    return {
        400: gettext("The request could not be read"),
        401: gettext("Please sign in"),
        403: gettext("This is not open to you"),
        404: gettext("Nothing is here"),
        405: gettext("This address takes no such request"),
        409: gettext("This cannot be done now"),
        413: gettext("That is too large"),
        415: gettext("The request could not be read"),
        422: gettext("Something needs another look"),
        429: gettext("Too many requests just now"),
        503: gettext("The database does not answer"),
    }.get(status, gettext("Something went wrong on our side"))


def next_step(status: int) -> str:
    """Return what the reader can do, and what was kept."""
    return {
        404: gettext("Check the address, or scan the code on the poster again."),
        413: gettext("Nothing was stored. Go back, shorten it and send it again: what you typed is still there."),
        429: gettext("Nothing was lost. Go back, wait a minute and send it again."),
        503: gettext("Nothing was stored. Try again in a minute; if it stays so, tell the administrator."),
        500: gettext("It is written down for the administrator. Go back and try again: what you typed is still there."),
    }.get(status, gettext("Go back and try again: what you typed is still there."))


def answer(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    """Return an error as JSON to programs and as a page to people."""
    if _wants_json():
        return jsonify(error=code, message=text), status, headers or {}
    page = render_template("error.html", status=status, heading=heading(status), text=text, next_step=next_step(status))
    return page, status, headers or {}


def _domain(error: DomainError) -> ResponseReturnValue:
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    return answer(status, error.code, message(error))


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    return answer(400, "csrf", gettext("The page was open too long. Nothing was lost: please send it again."))


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return answer(status, error.name.lower().replace(" ", "_"), heading(status), headers)


def _database(error: DBAPIError | PoolTimeout) -> ResponseReturnValue:
    g.database_lost = True  # the page that says so must not ask the database again
    log.error("the database failed: %s", type(getattr(error, "orig", error)).__name__, exc_info=error)
    return answer(503, "unavailable", heading(503), {"Retry-After": "30"})


def _unstorable(error: DataError) -> ResponseReturnValue:
    """Answer a value that no database can hold, such as a NUL in an address: the request is at fault."""
    log.info("a value the database cannot hold: %s", type(getattr(error, "orig", error)).__name__)
    return answer(400, "bad_request", heading(400))


def _unforeseen(error: Exception) -> ResponseReturnValue:
    if current_app.testing:
        raise error
    log.error("unforeseen error at %s", request.endpoint, exc_info=error)
    return answer(500, "internal", heading(500))


def init(app: Flask) -> None:
    """Register the table."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(DataError, _unstorable)
    app.register_error_handler(Exception, _unforeseen)
