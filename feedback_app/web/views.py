"""The routes of the staff's pages: importing this module hangs them all on the blueprint."""

from __future__ import annotations

from feedback_app.domain.rollups import sign_of
from feedback_app.web import (
    answer_templates,
    book_settings,
    cases,
    causes,
    comments,
    corrections,
    due,
    figures,
    findings,
    journey_map,
    kiosks,
    overview,
    paper_entry,
    points,
    register,
    register_erase,
    register_print,
    returning,
    topics,
    visits,
    vocabulary,
)
from feedback_app.web.blueprint import blueprint


@blueprint.app_context_processor
def words_for_templates() -> dict[str, object]:
    """Return the functions that templates name and tell things with."""
    return {
        "findings": findings,
        "whole_figures": findings.whole_figures,
        "why_words": findings.why_words,
        "who_words": findings.who_words,
        "share_words": findings.share_words,
        "ranks": figures.ranks,
        "stage_name": vocabulary.stage,
        "stage_goal": vocabulary.goal,
        "aspect_name": vocabulary.aspect,
        "dues": due,
        "cause_name": vocabulary.cause,
        "tone_name": vocabulary.tone,
        "feeling_name": vocabulary.feeling,
        "sign_of": sign_of,
        "source_name": vocabulary.source,
        "measure_name": vocabulary.measure,
        "measure_meaning": vocabulary.meaning,
        "digits_of": vocabulary.digits,
        "weekday_name": vocabulary.weekday,
        "capital": vocabulary.capital,
        "place_name": vocabulary.place,
        "here": returning.here,
    }


__all__ = [
    "answer_templates",
    "blueprint",
    "book_settings",
    "cases",
    "causes",
    "comments",
    "corrections",
    "journey_map",
    "kiosks",
    "overview",
    "paper_entry",
    "points",
    "register",
    "register_erase",
    "register_print",
    "topics",
    "visits",
]
