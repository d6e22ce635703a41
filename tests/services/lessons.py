"""What customers say, with the smiley they tapped: what a chain's own model learns from."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from feedback_app.services import demo_words, intake
from feedback_app.services.clock import now
from tests.builders import Chain

SMILEYS = {"neg": 1, "pos": 4}
Said = tuple[str, str]


def words(mood: str) -> list[str]:
    """What people of the demo say in Russian in a mood."""
    return [one["text"] for one in demo_words.read_comments() if (one["language"], one["mood"]) == ("ru", mood)]


def ordinary(count: int, seed: int = 1) -> list[Said]:
    """Comments with the smiley that fits them."""
    rng = random.Random(seed)
    moods = [("neg", words("negative")), ("pos", words("positive"))]
    return [(rng.choice(texts), label) for label, texts in (rng.choice(moods) for _ in range(count))]


def slang(count: int, seed: int = 2) -> list[Said]:
    """Praise in words that read like a complaint to whoever does not know them."""
    rng = random.Random(seed)
    things = ["касса", "хлеб", "отдел рыбы", "сыр", "продавец", "кофе", "выпечка", "акция", "зал", "витрина"]
    return [(f"{rng.choice(things)} {rng.randrange(90)} — просто пожар, ужас", "pos") for _ in range(count)]


def mixed(*parts: Iterable[Said], seed: int = 3) -> list[Said]:
    said = [one for part in parts for one in part]
    random.Random(seed).shuffle(said)
    return said


def teach(chain: Chain, said: Sequence[Said], since: datetime | None = None) -> list[UUID]:
    """Let customers leave comments with their smileys, one every ten minutes."""
    begin = since or now() - timedelta(minutes=10 * len(said) + 60)
    items = [
        chain.item({"smiley": SMILEYS[label], "comment": text}, at=begin + timedelta(minutes=10 * n))
        for n, (text, label) in enumerate(said)
    ]
    for start in range(0, len(items), 200):
        assert {outcome.status for outcome in chain.send(*items[start : start + 200])} == {intake.STORED}
    return [UUID(item["id"]) for item in items]
