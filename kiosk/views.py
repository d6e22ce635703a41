"""The routes of the shopper's pages: importing this module hangs them all on the blueprint."""

from __future__ import annotations

from kiosk import book, following, kiosk_page, qr, survey, visit
from kiosk.blueprint import blueprint

__all__ = ["blueprint", "book", "following", "kiosk_page", "qr", "survey", "visit"]
