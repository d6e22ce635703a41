"""The blueprint that the staff's pages hang on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("web", __name__)
