"""Every route states the right it needs; a route that states none is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from feedback_app.domain.access import Right
from feedback_app.domain.errors import Forbidden
from feedback_app.edge.context import reader

View = TypeVar("View", bound=Callable[..., Any])
ATTRIBUTE = "otklik_right"

OTHERS_ROUTES = {
    "static": Right.PUBLIC,
    "kiosk.static": Right.PUBLIC,
    "security.login": Right.PUBLIC,
    "security.logout": Right.PUBLIC,
    "security.static": Right.NOBODY,
    "security.verify": Right.NOBODY,
}
"""Rights of the routes that libraries bring; what we do not use is closed."""


def needs(right: Right) -> Callable[[View], View]:
    """Mark a view with the right it needs."""

    def mark(view: View) -> View:
        setattr(view, ATTRIBUTE, right)
        return view

    return mark


def right_of(app: Flask, endpoint: str) -> Right | None:
    """Return the right that an endpoint states; None where it states none."""
    found: Right | None = getattr(app.view_functions[endpoint], ATTRIBUTE, None) or OTHERS_ROUTES.get(endpoint)
    return found


def enforce() -> ResponseReturnValue | None:
    """Let a request pass, send it to sign in, or refuse it; runs before every view."""
    if request.endpoint is None:
        return None
    if request.blueprint != "api" and request.is_json:
        abort(415)  # pages take forms alone; a library would read JSON here without our limits
    right = right_of(current_app, request.endpoint)
    if right is None:
        raise Forbidden("forbidden", right="none stated")
    if right in (Right.PUBLIC, Right.DEVICE):
        return None
    access = reader()
    if access.user_id is None:
        if request.blueprint == "api":
            return jsonify(error="unauthorized"), 401
        return redirect(url_for("security.login", next=request.script_root + request.full_path.rstrip("?")))
    access.require(right)
    return None
