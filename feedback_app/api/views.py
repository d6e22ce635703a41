"""All API routes; importing this module registers them."""

from feedback_app.api import device, fleet, staff
from feedback_app.api.blueprint import blueprint

__all__ = ["blueprint", "device", "fleet", "staff"]
