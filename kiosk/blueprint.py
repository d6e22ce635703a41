"""The blueprint that the shopper's pages hang on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint(
    "kiosk",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/kiosk/static",
)
