"""The routes of the staff's pages: importing this module hangs them all on the blueprint."""

from __future__ import annotations

from feedback_app.web import comments, journey_map, overview, points, visits, vocabulary
from feedback_app.web.blueprint import blueprint

blueprint.app_context_processor(vocabulary.words_for_templates)

__all__ = ["blueprint", "comments", "journey_map", "overview", "points", "visits", "vocabulary"]
