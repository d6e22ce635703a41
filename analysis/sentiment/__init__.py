"""Sentiment of shoppers' words in Russian, Belarusian and English."""

from analysis.sentiment.labels import NEGATIVE_FROM, POSITIVE_FROM, label_of
from analysis.sentiment.language import LANGUAGES, detect
from analysis.sentiment.scoring import MODEL_VERSIONS, Sentiment, score_comments, warm_up

__all__ = [
    "LANGUAGES",
    "MODEL_VERSIONS",
    "NEGATIVE_FROM",
    "POSITIVE_FROM",
    "Sentiment",
    "detect",
    "label_of",
    "score_comments",
    "warm_up",
]
