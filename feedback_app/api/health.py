"""Whether the program and its database answer."""

from __future__ import annotations

from importlib.metadata import version

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from feedback_app.domain.access import Right
from feedback_app.edge.context import db
from feedback_app.edge.rights import needs
from feedback_app.services.chain import is_ready

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@needs(Right.PUBLIC)
def healthz() -> ResponseReturnValue:
    """Say that the program answers."""
    return jsonify(status="ok", version=version("otklik"))


@blueprint.get("/readyz")
@needs(Right.PUBLIC)
def readyz() -> ResponseReturnValue:
    """Say that the database answers too; 503 where it does not."""
    is_ready(db())
    return jsonify(status="ok", version=version("otklik"))
