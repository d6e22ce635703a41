"""From the analysis to rows, and from rows to what is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.journey import Mention
from analysis.sentiment import Sentiment
from feedback_app.domain.checklists import score_visit
from feedback_app.domain.forms import Form
from feedback_app.domain.rollups import Facts, MentionFact


def mention_rows(response: Mapping[Any, Any], mentions: Sequence[Mention]) -> list[dict[str, Any]]:
    """Return the rows of the mentions located in a response's comment."""
    return [
        {
            "response_id": response["id"],
            "position": position,
            "store_id": response["store_id"],
            "occurred_at": response["occurred_at"],
            "channel": response["channel"],
            "stage": mention.stage,
            "aspect": mention.aspect,
            "polarity": mention.polarity,
            "start": mention.start,
            "end": mention.end,
        }
        for position, mention in enumerate(mentions)
    ]


def sentiment_columns(sentiment: Sentiment | None) -> dict[str, Any]:
    """Return a response's columns of sentiment; all empty where nothing was scored."""
    if sentiment is None:
        return {
            "sentiment": None,
            "sentiment_label": None,
            "sentiment_language": None,
            "sentiment_model": None,
            "terms": None,
        }
    return {
        "sentiment": sentiment.polarity,
        "sentiment_label": sentiment.label,
        "sentiment_language": sentiment.language,
        "sentiment_model": sentiment.model,
        "terms": [[term, weight] for term, weight in sentiment.terms] or None,
    }


def facts_of(row: Mapping[Any, Any], mentions: Sequence[Mapping[Any, Any]], form: Form) -> Facts:
    """Return what counting needs of a stored response and its mentions."""
    return Facts(
        point_id=row["point_id"],
        source=row["channel"],
        occurred_at=row["occurred_at"],
        flagged=bool(row["flags"]),
        form=form,
        answers=row["answers"],
        score=row["score"],
        comment=row["comment"],
        polarity=row["sentiment"],
        label=row["sentiment_label"],
        mentions=tuple(
            MentionFact(mention["stage"], mention["aspect"], mention["polarity"])
            for mention in mentions
            if mention["polarity"] is not None
        ),
        visit=score_visit(form, row["answers"]) if form.purpose == "checklist" else None,
    )
