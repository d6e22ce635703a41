"""The words of the demo chain, and the analysis of texts that come again and again."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from importlib.resources import files
from typing import Any
from uuid import UUID

from analysis.journey import Mention, locate
from analysis.sentiment import Sentiment, score_comments
from feedback_app.domain.responses import Accepted
from feedback_app.services import intake, standard_forms
from feedback_app.services.own_aspects import Mapped

Comment = dict[str, str]


def read_json(name: str) -> Any:
    """Return a file of the demo's data."""
    return json.loads(files("feedback_app.services.demo_data").joinpath(name).read_text(encoding="utf-8"))


def definitions() -> list[dict[str, Any]]:
    """Return the definitions of all forms of the demo chain."""
    folder = files("feedback_app.services.demo_data").joinpath("forms")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    return [*standard_forms.STANDARD, *(read_json(f"forms/{name}") for name in names)]


def read_comments() -> list[Comment]:
    """Return the demo's comments: language, mood, touchpoint, channel, kind, topic and text."""
    text = files("feedback_app.services.demo_data").joinpath("comments.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


class Words:
    """Comments to choose from, by channel, language, mood and touchpoint."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._pools: dict[tuple[str, ...], list[Comment]] = {}
        for comment in read_comments():
            for touchpoint in ("", comment["touchpoint"]):
                key = (comment["channel"], comment["language"], comment["mood"], touchpoint, "")
                self._pools.setdefault(key, []).append(comment)
            self._pools.setdefault((comment["channel"], comment["language"], "", "", comment["kind"]), []).append(
                comment
            )

    def pick(self, channel: str, language: str, level: float, touchpoint: str) -> str | None:
        """Return a comment of a mood at a touchpoint, or one that fits anywhere."""
        mood = "positive" if level > 0.55 else "negative" if level < -0.25 else self._rng.choice(("neutral", "mixed"))
        here = self._pools.get((channel, language, mood, touchpoint, ""), [])
        anywhere = self._pools.get((channel, language, mood, "any", ""), [])
        pool = here + anywhere
        return self._rng.choice(pool)["text"] if pool else None

    def entry(self, language: str, kind: str) -> str | None:
        """Return a feedback book entry of a kind."""
        pool = self._pools.get(("book", language, "", "", kind), [])
        return self._rng.choice(pool)["text"] if pool else None


class Memo:
    """The analysis of texts that come again: the demo has many responses and few different comments."""

    def __init__(self, own: Mapped | None = None) -> None:
        self._own = own or Mapped()
        self._known: dict[tuple[str, str | None, str | None], tuple[Sentiment, list[Mention]]] = {}

    def __call__(self, accepted: Sequence[Accepted]) -> intake.Analysed:
        """Return sentiment and mentions of each comment, scored once per text and touchpoint."""
        sentiments: dict[UUID, Sentiment] = {}
        mentions: dict[UUID, list[Mention]] = {}
        for item in accepted:
            if not item.comment:
                continue
            key = (item.comment, item.language, item.at.touchpoint)
            if key not in self._known:
                texts, hints = [item.comment], [item.language]
                located = locate(
                    texts,
                    hints,
                    item.at.touchpoint,
                    aspect_stages=self._own.stages,
                    touchpoint_stage=item.at.stage,
                    own_words=self._own.words,
                )
                self._known[key] = (score_comments(texts, hints)[0], located[0])
            sentiments[item.id], mentions[item.id] = self._known[key]
        return sentiments, mentions
