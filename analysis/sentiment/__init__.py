"""Sentiment of shoppers' words in Russian, Belarusian and English."""

from analysis.sentiment.labels import NEGATIVE_FROM, POSITIVE_FROM, label_of
from analysis.sentiment.language import LANGUAGES, detect
from analysis.sentiment.own import check_weights, use
from analysis.sentiment.scoring import MODEL_VERSIONS, Sentiment, basis, score_comments, warm_up

__all__ = [
    "LANGUAGES",
    "MODEL_VERSIONS",
    "NEGATIVE_FROM",
    "POSITIVE_FROM",
    "Sentiment",
    "basis",
    "check_weights",
    "detect",
    "label_of",
    "score_comments",
    "use",
    "warm_up",
]
