"""The blueprint that all API routes hang on."""

from flask import Blueprint

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
