"""New topics: what people write of that no aspect covers, for the team to list or to leave."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from analysis.topics import LEAST
from feedback_app.domain.access import Right
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import number
from feedback_app.edge.rights import needs
from feedback_app.services import topics
from feedback_app.services.topics import READ_AT_MOST, Topics
from feedback_app.web.blueprint import blueprint
from feedback_app.web.filters import chosen, for_template


@blueprint.get("/map/topics", endpoint="topics")
@needs(Right.READ_WORDS)
def show() -> ResponseReturnValue:
    """Show the words that come again in comments which name no aspect."""
    asked = chosen()
    found = topics.found(db(), reader(), asked.filters)
    return render_template(
        "web/topics.html",
        place="web.journey_map",
        found=found,
        title=headline(found),
        least=LEAST,
        read_at_most=READ_AT_MOST,
        **for_template(asked),
    )


def headline(found: Topics) -> str:
    """Return the page's title: the commonest topic, or that there is none."""
    if not found.read:
        return gettext("No comment lies outside the known aspects")
    count = number(found.read)
    if not found.heard:
        return ngettext(
            "Nothing comes again in %(all)s comment outside the known aspects",
            "Nothing comes again in %(all)s comments outside the known aspects",
            found.read,
            all=count,
        )
    topic = found.heard[0].topic
    return ngettext(
        "New topic “%(words)s”: in %(n)s of %(all)s comment outside the known aspects",
        "New topic “%(words)s”: in %(n)s of %(all)s comments outside the known aspects",
        found.read,
        words=topic.words,
        n=number(topic.n),
        all=count,
    )
